"""What the bytes of a note say, whichever encoding and line ends an editor or version control gave them. Pure."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable

MARK = "\ufeff"
"""What some editors put in front of a text to say how it is encoded."""

_UTF_32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_LINE_END = re.compile(r"\r\n?")


WESTERN = frozenset(
    "af br ca da de en es eu fi fo fr ga gl id is it lb ms nl nn no oc pt sq sv sw tl".split()
)
"""Languages that are written in Windows-1252, of which Latin-1 is a part: what editors save in that know no UTF-8."""

_OTHERWISE = re.compile(
    r"\w*[\u0160\u0161\u017d\u017e\u0178\u0192\u02c6\u02dc]\w*|\u201d\w+"
    r"|\w+[\u2013\u2014\u201a\u201c-\u201e\u2020-\u203a\u20ac\u2122]\w+"
)
"""What the letters of other encodings (Macintosh, DOS) look like within a word when they are read as Windows-1252."""


def in_windows_1252(data: bytes, said: Iterable[str]) -> str | None:
    """The text of a note that some editor saved in Windows-1252, or Latin-1, all or in part; None where it may be in another
    encoding. `said`: texts that stood in it, in a language of `WESTERN`: of their words with accents some have to be there.
    """
    if b"\0" in data:
        return None
    try:
        text = with_our_lines(data.decode("utf-8", "windows-1252"))
    except UnicodeDecodeError:
        return None
    words = {word for each in said for word in each.split()}
    if any(found[0] not in words and found[0] not in _inner(words) for found in _OTHERWISE.finditer(text)):
        return None
    accented = {word for word in words if not word.isascii()}
    return text if not accented or not accented.isdisjoint(text.split()) else None


def _inner(words: Iterable[str]) -> set[str]:
    return {word.strip(".,;:!?\u2026\"'()") for word in words}


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252"), error.end


codecs.register_error("windows-1252", _as_windows_1252)


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
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return not data.startswith((*_UTF_32, *_UTF_16))


def with_our_lines(text: str) -> str:
    """The text with line ends as we write them, and without a mark in front."""
    return _LINE_END.sub("\n", text.removeprefix(MARK))


def with_our_ends(text: str) -> str:
    """The same with one line end at its own, whatever empty lines are there."""
    return with_our_lines(text).rstrip(" \t\n") + "\n"
