"""What was said, shown without what only fills time: hesitations, asides set off by commas, words said twice in a row.

Nothing that could carry meaning goes: no negation, no number, no "very, very"; what is left stands in the order in which
it was said. What goes, in each language that has a list, says `phrases/`.
"""

from __future__ import annotations

import functools
import re

from earmark.summarization.cues import phrases_for

_CUT_OFF = re.compile(r"(?<![\w'’-])([^\W\d_]{1,12})[-–—]{1,2}[,…]?\s+(?=\1)", re.IGNORECASE)
"""A word that was broken off and begun again: "I- I mean", "the bud- budget"."""

_SPACE = re.compile(r"\s+")
_BEFORE_MARK = re.compile(r"\s+([,.;:!?…])")
_COMMAS = re.compile(r"(?:,\s*)+([,.;:!?…])")


def tidied(text: str, language: str) -> str:
    """The text without fillers and stammers; as it is where nothing would be left, or no list is known."""
    found = _patterns(language)
    if found is None:
        return text
    hesitations, asides, openers, stammers = found
    left = hesitations.sub(" ", _CUT_OFF.sub("", text))
    before = None
    while before != left:
        before = left
        left = _joined(asides.sub(r"\1", openers.sub("", _joined(left))))
    left = _joined(stammers.sub(r"\1", left))
    if not re.search(r"\w", left):
        return text
    if text[:1].isupper() or not left[:1].isalpha():
        left = left[:1].upper() + left[1:]
    return left


def _joined(text: str) -> str:
    text = _BEFORE_MARK.sub(r"\1", _SPACE.sub(" ", text))
    return _COMMAS.sub(r"\1", text).lstrip(" ,;:.!?…–—").rstrip(" ,;")


@functools.cache
def _patterns(
    language: str,
) -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str], re.Pattern[str]] | None:
    """Of hesitations, asides, openers and stammers."""
    lists = phrases_for(language)
    if "hesitations" not in lists:
        return None
    hesitations, asides, openers, twice = (
        "|".join(lists[name]) for name in ("hesitations", "asides", "openers", "stammered")
    )
    word = r"[\w'’]+"
    return (
        re.compile(rf"(?<![\w'’-])(?:{hesitations})(?![\w'’-])(?:\.{{2,3}}|…)?(?=[,\s.?!…]|$)", re.I),
        # Before it the beginning or a comma, behind it a comma or the end: between them it is no part of the sentence.
        re.compile(rf"(^|,) ?(?:{asides})(?:,|(?=[.?!…]*$))", re.I),
        re.compile(rf"^(?:(?:{openers})(?:[,.…]+ ?| )|(?:{asides})[,…]+ ?)+(?=\w)", re.I),
        re.compile(rf"(?<![\w'’-])((?:{twice})(?: {word}){{0,3}}?)(?:,? \1(?![\w'’-]))+", re.I),
    )
