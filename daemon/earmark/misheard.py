"""Whether the words of a transcript can be what was said. Pure.

A model that knows English only, or one that was told a language, writes fluent sentences over speech in another one. What
gives them away is how sure the model was, and that the words of English that every sentence needs are missing.
"""

from __future__ import annotations

import re

from earmark.domain import Misheard, Segment, Transcript, is_speech

NO_SPEECH = "No speech was found in this recording."
NOT_UNDERSTOOD = "The speech in this recording was not understood."
"""What stands in the place of a summary."""

SURE = 0.45
"""Mean confidence over time under which words that were taken for English are not believed. Measured with tiny.en: speech in
other languages 0.20 to 0.52, English 0.52 to 0.82; 0.42 for a meeting across a room, which nobody could work from either.
"""

CLEAR = 0.35
"""The same for words in a language that was detected: 0.37 is exp(-1), at which Whisper calls a single window a failure."""

FUNCTION_WORDS = frozenset(
    "the be to of and a in that have i it for not on with he as you do at this but his by from they we her she or an will "
    "my all would there their what so up is was are were has had been me him your if can just about who which when its "
    "them then than now some our could should no out into how because us did it's that's i'm don't we're you're".split()
)
"""The commonest words of English (the top of any frequency list), some 45 of 100 words of speech."""

ENGLISH = 0.2
"""Share of FUNCTION_WORDS that English has at least; speech in other languages, written down as if it were English, 0.1."""

ENOUGH_WORDS, ENOUGH_SPEECH = 20, 2.0
"""Different words by which the share can be told (a chant has few), and seconds of speech by which anything can."""

FEW_WORDS = 5
"""Different words below which they tell nothing of the language, however unsure: "No." and "Okay." said softly."""

VERY_SURE = 0.6
"""Mean confidence from which words need no others beside them: a list to buy, read in English, 0.66 to 0.80."""


def misheard(transcript: Transcript) -> Misheard | None:
    """Why the words are not to be believed, or None."""
    said = [s for s in transcript.segments if is_speech(s) and s.text.strip()]
    seconds = sum(s.end - s.start for s in said)
    if seconds < ENOUGH_SPEECH:
        return None
    sure = sum(s.confidence * (s.end - s.start) for s in said) / seconds
    taken_for_english = transcript.language == "en" and not any(s.language for s in said)
    if taken_for_english and (sure < SURE or not _english(said, sure)):
        return Misheard.LANGUAGE if len(set(_words(said))) >= FEW_WORDS else Misheard.UNCLEAR
    return Misheard.UNCLEAR if sure < CLEAR else None


def _english(said: list[Segment], sure: float) -> bool:
    words = _words(said)
    if sure >= VERY_SURE or len(set(words)) < ENOUGH_WORDS:
        return True
    return sum(w in FUNCTION_WORDS for w in words) >= ENGLISH * len(words)


def _words(said: list[Segment]) -> list[str]:
    return re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", " ".join(s.text for s in said).lower())
