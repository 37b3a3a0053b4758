"""In which sentences of a recording a person corrected words, however many segments one was heard in. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from earmark.domain import Seconds
from earmark.sentences import MARKED

PAUSE = 2.0
"""Seconds of silence behind which another sentence begins, whatever signs stand there (`notes/paragraphs.py`)."""

ENDS = re.compile(r"[.!?…:。！？؟।][^\w\s]*$")


@dataclass(frozen=True, slots=True)
class Correction:
    """A segment that a person corrected: its recording, its number in it, what was heard, and what they say. `sentence`:
    which sentence of the recording it begins in, and `begins`: that one begins with it.
    """

    recording_id: str
    number: int
    heard: str
    said: str
    language: str
    sentence: int
    begins: bool = True


@dataclass(frozen=True, slots=True)
class Spoken:
    """A segment of a transcript, as it reads now; `heard`: what a person corrected there, or None."""

    number: int
    start: Seconds
    end: Seconds
    said: str
    heard: str | None
    language: str


def corrections_in(recording_id: str, segments: Sequence[Spoken]) -> Iterator[Correction]:
    """The corrected segments of a recording. An engine cuts where somebody breathes, so that one sentence may be of several
    segments.
    """
    ended = [ENDS.search(each.said.rstrip()) is not None for each in segments]
    bare = sum(ended) < MARKED * len(segments)
    sentence = 0
    for n, each in enumerate(segments):
        before = segments[n - 1] if n else None
        begins = before is None or bare or ended[n - 1] or each.start - before.end >= PAUSE
        sentence += before is not None and begins and not ended[n - 1]
        if each.heard is not None:
            yield Correction(
                recording_id, each.number, each.heard, each.said, each.language, sentence, begins
            )
        sentence += sum(ENDS.search(word) is not None for word in each.said.split())
