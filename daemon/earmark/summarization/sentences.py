"""From timed segments to timed sentences: a speech engine cuts where it breathes, not where a sentence ends."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from earmark.domain import Seconds, Segment, is_speech
from earmark.notes.speakers import called
from earmark.summarization.numerals import GOES_ON
from earmark.summarization.words import length_in_words

PAUSE = 2.0
"""Seconds of silence after which a new sentence starts even if the last one had no full stop."""

LONGEST = 60
"""Words after which a sentence without punctuation is cut: longer ones cannot be read as a point."""

MARKED = 0.1
ENOUGH = 6
"""Where a smaller share of the segments ends like a sentence, as in Thai, or as some models write, one ends with each
segment that has so many words.
"""

CHARACTERS_OF_A_WORD = 10
"""So many characters count as a word at least: a line of gibberish has no spaces either."""

END = re.compile(r"(?<=[.!?…؟۔।॥።။៕។])[\"'”’»)\]]*\s+|(?<=[。！？｡])")
CLOSED = re.compile(r"[.!?…。！？｡؟۔।॥።။៕។][\"'”’»)\]]*$")
ABBREVIATION = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|prof|st|vs|etc|e\.g|i\.e|no|approx|z\.b|d\.h|bzw|ca|nr|sr|sra|m|mme|dott|sig|dhr|mevr)"
    r"|\b[A-Z])\.$",
    re.IGNORECASE,
)
SPACE = re.compile(r"\s+")
DAY, REST = re.compile(r"(?<![\d.,])\d{1,2}\.\s*$"), re.compile(GOES_ON)
"""What "10. Mai" begins with, and how it goes on."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words as they were said, from `start` to `end` seconds. Times inside a segment are interpolated by length.

    `speaker`: what the notes call who says them, or "" where nobody knows.
    """

    text: str
    start: Seconds
    end: Seconds
    speaker: str = ""

    @property
    def words(self) -> int:
        return length_in_words(self.text)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a segment that ends where a sentence does, or where the segment does."""

    text: str
    start: Seconds
    end: Seconds
    closed: bool


def sentences_of(segments: Iterable[Segment], names: Sequence[str] = ()) -> list[Sentence]:
    """Whole sentences in order, without what is not speech; each keeps the time at which it starts.

    `names`: of the speakers, by number; none is of two of them.
    """
    found: list[Sentence] = []
    open_pieces: list[Piece] = []
    speaker = ""

    def close() -> None:
        if open_pieces:
            text = SPACE.sub(" ", " ".join(piece.text for piece in open_pieces)).strip()
            if text:
                found.append(Sentence(text, open_pieces[0].start, open_pieces[-1].end, speaker))
            open_pieces.clear()

    length = 0
    segments = list(segments)
    bare = sum(bool(CLOSED.search(s.text.rstrip())) for s in segments) < MARKED * len(segments)
    for segment in segments:
        if not is_speech(segment):
            close()
            continue
        if called(segment.speaker, names) != speaker:
            close()
            speaker = called(segment.speaker, names)
        for piece in pieces_of(segment):
            if open_pieces and piece.start - open_pieces[-1].end > PAUSE:
                close()
            if not open_pieces:
                length = 0
            open_pieces.append(piece)
            length += max(length_in_words(piece.text), len(piece.text) // CHARACTERS_OF_A_WORD)
            if piece.closed or length >= LONGEST:
                close()
        if bare and length >= ENOUGH:
            close()
    close()
    return found


def pieces_of(segment: Segment) -> Iterator[Piece]:
    """The segment cut after each sentence end, with times in proportion to the letters."""
    text = SPACE.sub(" ", segment.text).strip()
    if not text:
        return
    cuts = [0]
    for match in END.finditer(text):
        before = text[cuts[-1] : match.start()]
        in_a_day = DAY.search(before) and REST.match(text, match.end())
        if not in_a_day and not ABBREVIATION.search(before) and match.end() < len(text):
            cuts.append(match.end())
    cuts.append(len(text))
    span = max(segment.end - segment.start, 0.0)
    for begin, end in itertools.pairwise(cuts):
        part = text[begin:end].strip()
        closed = bool(CLOSED.search(part)) and not ABBREVIATION.search(part)
        yield Piece(
            part,
            segment.start + span * begin / len(text),
            segment.start + span * end / len(text),
            closed or end < len(text),
        )
