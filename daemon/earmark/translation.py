"""A transcript in English: what was translated, what was said in English, and whether a translation is one. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from earmark.domain import Segment, Transcript, is_speech
from earmark.misheard import ENGLISH, FUNCTION_WORDS

SAME = 0.6
"""Share of the words of a translation that were said, from which it is none: a model that was not taught to translate gives
back what it heard (openai/whisper says so of turbo). Measured with base on 26 windows: 0.75 in the one that came back in
Spanish, 0.38 at most in the others.
"""

FEWEST = 4
"""Different words by which a translation can be told from what was said."""


def in_english(transcript: Transcript) -> tuple[Segment, ...]:
    """The whole recording in English, in order of time: what was translated, and what was heard as English."""
    as_said = [segment for segment in transcript.segments if segment.language == "en"]
    return tuple(sorted((*as_said, *transcript.english), key=lambda segment: (segment.start, segment.end)))


def is_translated(transcript: Transcript) -> bool:
    """True if there is English to read that was translated."""
    return any(is_speech(segment) and segment.text.strip() for segment in transcript.english)


def untranslated(transcript: Transcript) -> bool:
    """Whether English was asked for, and what is not English, or may not be, stands there without any."""
    if not transcript.to_english or is_translated(transcript):
        return False
    said = [segment for segment in transcript.segments if is_speech(segment) and segment.text.strip()]
    if transcript.only_english:
        return bool(said)
    return any((segment.language or transcript.language) != "en" for segment in said)


def is_what_was_said(said: Sequence[str], english: Sequence[str]) -> bool:
    """Whether what is to be English is the words themselves, in another language or in letters that English has not."""
    text = " ".join(english)
    letters = [char for char in text if char.isalpha()]
    if sum(char.isascii() for char in letters) * 2 < len(letters):
        return True
    before, after = _words(" ".join(said)), _words(text)
    total = after.total()
    if (
        len(after) < FEWEST
        or sum(n for word, n in after.items() if word in FUNCTION_WORDS) >= ENGLISH * total
    ):
        return False
    return (before & after).total() >= SAME * total


def _words(text: str) -> Counter[str]:
    """How often each word occurs; numbers look the same in every language."""
    return Counter(re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", text.lower()))
