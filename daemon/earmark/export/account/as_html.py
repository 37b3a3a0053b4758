"""An account as one page of HTML: no script, nothing that is fetched, and it can be printed."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from earmark.export.account.blocks import Alarm, Block, Bullets, Commands, Facts, Grid, Heading, Paragraph
from earmark.export.account.model import Account
from earmark.export.account.telling import TITLE, told
from earmark.export.account.wording import shown

_STYLE = """
body { font: 11pt/1.45 sans-serif; color: #111; background: #fff; max-width: 75rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; margin-top: 2rem; border-bottom: 1px solid #999 }
p, ul, dl, pre { max-width: 48rem }
table { border-collapse: collapse; width: 100%; font-size: 9pt }
th, td { border: 1px solid #999; padding: .25rem .4rem; text-align: left; vertical-align: top; overflow-wrap: anywhere }
th { background: #eee } thead { display: table-header-group } tr { break-inside: avoid }
.hash { font-family: monospace; font-size: 7.5pt; min-width: 8.5rem } .time { min-width: 6.5rem; overflow-wrap: normal }
dt { font-weight: bold } dd { margin: 0 0 .4rem 1rem; overflow-wrap: anywhere }
pre { background: #eee; padding: .5rem; white-space: pre-wrap }
.alarm { border: 4px solid #b00; padding: .5rem 1rem; margin: 1rem 0; font-weight: bold }
@media print { body { margin: 0; max-width: none; font-size: 9pt } table { font-size: 7.5pt } .hash { font-size: 6pt }
  @page { size: A4 landscape; margin: 12mm } }
"""

_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
"""


def as_html(account: Account) -> str:
    """The whole page."""
    title = escape(f"{TITLE}, {shown(account.made_at)[:10]}")
    parts = [
        f"{_HEAD}<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{escape(TITLE)}</h1>\n"
    ]
    for block in told(account):
        parts.extend(_block(block))
    parts.append("</body>\n</html>\n")
    return "".join(parts)


def _block(block: Block) -> Iterator[str]:
    match block:
        case Heading(text):
            yield f"<h2>{escape(text)}</h2>\n"
        case Paragraph(text):
            yield f"<p>{escape(text)}</p>\n"
        case Alarm(lines):
            yield f'<div class="alarm" role="alert">{"".join(f"<p>{escape(line)}</p>" for line in lines)}</div>\n'
        case Bullets(lines):
            yield f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>\n"
        case Facts(rows):
            yield f"<dl>{''.join(f'<dt>{escape(name)}</dt><dd>{escape(what)}</dd>' for name, what in rows)}</dl>\n"
        case Commands(lines):
            yield f"<pre>{escape(chr(10).join(lines))}</pre>\n"
        case Grid():
            yield from _grid(block)


def _grid(grid: Grid) -> Iterator[str]:
    yield "<table>\n<thead><tr>"
    for heading in grid.headings:
        yield f'<th scope="col">{escape(heading)}</th>'
    yield "</tr></thead>\n<tbody>\n"
    for row in grid.rows:
        yield "<tr>"
        for column, cell in enumerate(row):
            kind = (
                ' class="hash"' if column in grid.hashes else ' class="time"' if column in grid.times else ""
            )
            yield f"<td{kind}><bdi>{escape(cell)}</bdi></td>"
        yield "</tr>\n"
    yield "</tbody>\n</table>\n"
