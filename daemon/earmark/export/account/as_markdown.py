"""An account as Markdown that reads in any editor, and in which no name can be more than a name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from earmark.export.account.blocks import Alarm, Block, Bullets, Commands, Facts, Grid, Heading, Paragraph
from earmark.export.account.model import Account
from earmark.export.account.telling import TITLE, told

_SPECIAL = re.compile(r"([\\`*_\[\]<>~&#$!{}^=])")
"""What CommonMark, tables and notes apps give a meaning to; each may stand behind a backslash (CommonMark 0.31, 2.4)."""

BAR = "&#124;"
"""A bar that ends no cell of a table, whatever stands before it."""


def as_markdown(account: Account) -> str:
    """The whole text."""
    return "\n\n".join([f"# {TITLE}", *(_block(block) for block in told(account))]) + "\n"


def plain(text: str) -> str:
    """The text as Markdown that reads as it stands."""
    return _SPECIAL.sub(r"\\\1", text).replace("|", BAR)


def _block(block: Block) -> str:
    match block:
        case Heading(text):
            return f"## {plain(text)}"
        case Paragraph(text):
            return plain(text)
        case Alarm(lines):
            return "\n>\n".join(f"> **{plain(line)}**" for line in lines)
        case Bullets(lines):
            return "\n".join(f"- {plain(line)}" for line in lines)
        case Facts(rows):
            return "\n".join(f"- **{plain(name)}:** {plain(what)}" for name, what in rows)
        case Commands(lines):
            return "\n".join(f"    {line}" for line in lines)
        case Grid():
            return "\n".join(_grid(block))


def _grid(grid: Grid) -> Iterator[str]:
    yield f"| {' | '.join(map(plain, grid.headings))} |"
    yield f"|{'---|' * len(grid.headings)}"
    for row in grid.rows:
        yield f"| {' | '.join(map(plain, row))} |"
