"""A transcript as passages: some 120 words that belong together, which search finds. Pure.

A passage ends where a sentence does; rather where somebody else begins to speak, or after a pause.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from earmark.domain import Seconds, Transcript
from earmark.notes.speakers import names_of
from earmark.speaking import as_told
from earmark.summarization.sentences import Sentence, sentences_of

WORDS = 120
"""Words of a passage, about. Of 60, 90, 120, 150 and 200 the one that finds most in QMSum's meetings."""

LEAST, MOST = 80, 160
"""Words between which a passage ends at the best place that there is."""

PAUSE = 1.0
"""Seconds without a word that part what is said before from what comes after."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Sentences that follow on each other."""

    sentences: tuple[Sentence, ...]

    @property
    def start(self) -> Seconds:
        return self.sentences[0].start if self.sentences else 0.0

    @property
    def end(self) -> Seconds:
        return self.sentences[-1].end if self.sentences else 0.0


def passages_of(transcript: Transcript) -> list[Passage]:
    """All that was said, in order; nothing of it is in two of them."""
    told = as_told(transcript)
    sentences = sentences_of(told.segments, names_of(told))
    return [Passage(tuple(sentences[first:last])) for first, last in _cut(sentences)]


def _cut(sentences: Sequence[Sentence]) -> Iterator[tuple[int, int]]:
    """From which sentence until which each passage goes."""
    lengths = [max(1, sentence.words) for sentence in sentences]
    first = 0
    while first < len(sentences):
        best, cost, length = len(sentences), float("inf"), 0
        for last in range(first + 1, len(sentences) + 1):
            length += lengths[last - 1]
            if length > MOST and best < len(sentences):
                break
            if length < LEAST and last < len(sentences):
                continue
            here = abs(length - WORDS) / WORDS + _break(sentences, last)
            if here < cost:
                best, cost = last, here
            if length > MOST:
                break
        yield first, best
        first = best


def _break(sentences: Sequence[Sentence], at: int) -> float:
    """How much it breaks off to end before this sentence: 0 for a good place."""
    if at == len(sentences):
        return 0.0
    before, after = sentences[at - 1], sentences[at]
    if after.start - before.end >= PAUSE:
        return 0.0
    return 0.1 if before.speaker != after.speaker else 0.3
