"""What a person has struck out of a text in place of deleting it, and what they put in for it: strokes of Markdown and HTML,
and the changes that CriticMarkup writes down. Pure.
"""

from __future__ import annotations

import re


def _between(opens: str, closes: str, name: str = "") -> str:
    """A pattern of what is between two marks. It runs over neither: a line full of them takes no longer than others."""
    said = rf"(?:(?!{opens}|{closes}).)*"
    return rf"{opens}{f'(?P<{name}>{said})' if name else said}{closes}"


_OLD_AND_NEW = re.compile(r"\{~~(?:(?!\{~~|~~\}|~>).)*~>(?P<new>(?:(?!\{~~|~~\}).)*)~~\}")
_PUT_IN = (
    re.compile(_between(r"\{\+\+", r"\+\+\}", "text")),
    re.compile(_between(r"\{==", r"==\}", "text")),
)
"""What CriticMarkup inserts, and what it highlights."""
_STRUCK = (
    re.compile(_between(r"\{--", r"--\}")),
    re.compile(_between(r"\{>>", r"<<\}")),
    re.compile(r"~~(?=\S)(?:(?!~~).)+(?<=\S)~~"),
    *(
        re.compile(_between(rf"<{tag}(?:\s[^<>]{{0,1000}})?>", rf"</{tag}\s?>"), re.I)
        for tag in ("s", "del", "strike")
    ),
    re.compile(r"<span\s[^<>]{0,1000}line-through[^<>]{0,1000}>(?:(?!</?span[\s>]).)*</span\s?>", re.I),
)
"""What is struck out, and remarks."""

_DEEPEST = 20
"""How deep such marks may stand in others."""


def without_struck(text: str, gap: str) -> str:
    """The text as it is to be. `gap`: what is put where something was struck."""
    for _ in range(_DEEPEST):
        before = text
        text = _OLD_AND_NEW.sub(lambda found: found["new"], text)
        for marks in _PUT_IN:
            text = marks.sub(lambda found: found["text"], text)
        for marks in _STRUCK:
            text = marks.sub(gap, text)
        if text == before:
            break
    return text
