"""Scripts that are written without spaces, languages that join words, and where another word may begin in them. Pure."""

from __future__ import annotations

import re

_RANGES = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # Hiragana, Katakana
    (0x3400, 0x9FFF),  # Han
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
"""Scripts that are written without spaces (Unicode's blocks)."""

_ALONE = "".join(f"{chr(first)}-{chr(last)}" for first, last in _RANGES)

ELIDING = ("fr", "it", "ca")
"""Languages in which an article or pronoun is joined to the next word by an apostrophe."""

WORD = re.compile(rf"[{_ALONE}]|[^\s{_ALONE}]+")
"""A word, with what stands at it; a single character where a script has no spaces."""


def between_words(text: str, at: int) -> bool:
    """Whether another word may begin at this character although no space stands before it."""
    before, after = text[at - 1 : at], text[at : at + 1]
    if not before or not after or before.isspace() or after.isspace():
        return False
    return spaceless(before) or spaceless(after)


def spaceless(char: str) -> bool:
    """Whether a character is of a script that is written without spaces."""
    return any(first <= ord(char) <= last for first, last in _RANGES)
