"""What the bytes of a note say, whichever encoding and line ends an editor or version control gave them. Pure."""

from __future__ import annotations

import codecs
import re

MARK = "\ufeff"
"""What some editors put in front of a text to say how it is encoded."""

_UTF_32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_LINE_END = re.compile(r"\r\n?")


def text_for_sure(data: bytes) -> str | None:
    """The text, if nobody can doubt which it is: in UTF-8, or in another Unicode encoding with its mark in front."""
    encoding = "utf-32" if data.startswith(_UTF_32) else "utf-16" if data.startswith(_UTF_16) else "utf-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else with_our_lines(text)


def is_utf_8(data: bytes) -> bool:
    """Whether a note that can be read is in the encoding that we write."""
    return not data.startswith((*_UTF_32, *_UTF_16))


def with_our_lines(text: str) -> str:
    """The text with line ends as we write them, and without a mark in front."""
    return _LINE_END.sub("\n", text.removeprefix(MARK))


def with_our_ends(text: str) -> str:
    """The same with one line end at its own, whatever empty lines are there."""
    return with_our_lines(text).rstrip(" \t\n") + "\n"
