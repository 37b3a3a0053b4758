"""A transcript as one page of HTML that needs nothing else and runs nothing. Pure."""

from __future__ import annotations

from html import escape

from earmark.notes.document import Document, Said, is_right_to_left

_STYLE = (
    "body{font:1.05rem/1.6 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;color:#555}dd{margin:0}"
    "time{color:#777;font-variant-numeric:tabular-nums;font-size:.85em}"
)
_NOTHING_ELSE = "default-src 'none'; style-src 'unsafe-inline'"
"""The page's own rule for whoever shows it: nothing is run, and nothing fetched."""


def as_html(document: Document) -> str:
    """The page. Whatever was said or named is text in it."""
    about = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>\n" for name, value in document.about)
    parts = "".join(
        f"<h2{_own(part.language, document)}>{escape(part.heading)}</h2>\n"
        + "".join(_paragraph(said, document) for said in part.said)
        for part in document.parts
    )
    notices = "".join(f'<p lang="en" dir="ltr"><em>{escape(each)}</em></p>\n' for each in document.notices)
    return (
        f'<!DOCTYPE html>\n<html{_language(document.language)}>\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_NOTHING_ELSE}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(document.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<h1>{escape(document.title)}</h1>\n<dl lang="en" dir="ltr">\n{about}</dl>\n{notices}{parts}</body>\n</html>\n'
    )


def _paragraph(said: Said, document: Document) -> str:
    name = f"<strong>{escape(said.name)}</strong> " if said.name else ""
    words = " ".join(f"<i>{escape(w.shown)}</i>" if w.italic else escape(w.shown) for w in said.words)
    time = f'<time datetime="PT{max(0, int(said.at))}S">{said.stamp}</time>'
    return f"<p{_own(said.language, document)}>{name}{time} {words}</p>\n"


def _own(language: str, document: Document) -> str:
    return "" if language == document.language else _language(language)


def _language(code: str) -> str:
    return (
        f' lang="{escape(code)}"' if code else ""
    ) + f' dir="{"rtl" if is_right_to_left(code) else "ltr"}"'
