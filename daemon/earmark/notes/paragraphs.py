"""Segments become paragraphs, which end where a sentence does. Pure.

A speech engine cuts where it breathes; so a segment in which a sentence ends may be of two paragraphs, in two pieces.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest

from earmark.domain import Mark, Seconds, Segment, is_speech
from earmark.notes.escape import normalize
from earmark.sentences import MARKED, has_capitals, is_ended, sentence_starts

PAUSE = 2.0
"""Seconds of silence that end a paragraph behind a sentence."""

LONG_PAUSE = 5.0
"""Seconds of silence that end a paragraph wherever they are."""

SECONDS = 30.0
"""A new paragraph, and so a new time to click on, at the first sentence end after this many seconds."""

LONGEST = 4.0
"""A paragraph that finds no sentence end is cut between two segments at this many times the wished length..."""

LONGEST_BARE = 2.0
"""... and at this many where sentences have no ends, as in Thai, or as some models write."""

_SEGMENT_END = re.compile(r"[.!?…。！？؟।][\"'”’»)\]]*$")


@dataclass(frozen=True, slots=True)
class Run:
    """Words of one degree of confidence; `overlapped`: somebody else talks meanwhile. `at`: when the sentence begins that
    begins with them; None if none does, or nobody asked.
    """

    text: str
    unsure: bool = False
    overlapped: bool = False
    at: Seconds | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """The characters of a segment from `first` up to (not with) `last`, and when they are said. `begins`: a sentence begins
    with them.
    """

    segment: Segment
    start: Seconds
    end: Seconds
    first: int
    last: int
    begins: bool = False

    @property
    def text(self) -> str:
        return self.segment.text[self.first : self.last]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """What was said from second `at` on; or, with `left_out`, why nothing is shown from there `until` then. `speaker`: the
    number of who says it, or 0. `pieces`: what it is made of.
    """

    at: Seconds
    until: Seconds
    pieces: tuple[Piece, ...]
    left_out: Mark | None = None
    speaker: int = 0

    def runs(self, *, sentences: bool = False) -> tuple[Run, ...]:
        """Its words. `sentences`: with the time of each sentence."""
        if self.left_out is not None:
            return ()
        runs: list[Run] = []
        for piece, at in self._shown(sentences=sentences):
            unsure, text = piece.segment.mark is Mark.LOW_CONFIDENCE, piece.text.strip()
            last = runs[-1] if runs else None
            like = last is not None and (last.unsure, last.overlapped) == (unsure, piece.segment.overlapped)
            if last is not None and like and at is None:
                runs[-1] = replace(last, text=f"{last.text} {text}")
            else:
                runs.append(Run(text, unsure, piece.segment.overlapped, at))
        return tuple(runs)

    def _shown(self, *, sentences: bool) -> list[tuple[Piece, Seconds | None]]:
        """What is shown in one, and the time before it; of sentences that begin in one second the first has it."""
        found: list[tuple[Piece, Seconds | None]] = []
        second = int(self.at)
        for piece in self.pieces:
            timed = sentences and piece.begins and int(piece.start) != second
            second = int(piece.start) if timed else second
            before, at = found[-1] if found else (None, None)
            if before is not None and before.segment is piece.segment and not timed:
                found[-1] = (replace(before, end=piece.end, last=piece.last), at)
            else:
                found.append((piece, piece.start if timed else None))
        return found


def paragraphs(
    segments: Iterable[Segment], pause: Seconds, seconds: Seconds, *, as_before: bool = False
) -> list[Paragraph]:
    """Join what was said until a sentence ends after `seconds` or before a pause of `pause` seconds, until a long pause, or
    another speaker; never across a mark. `as_before`: as earlier versions did, whose notes are read: a segment was whole,
    and any pause ended a paragraph.
    """
    ordered = sorted(segments, key=lambda s: s.start)
    said = [s for s in ordered if is_speech(s) and normalize(s.text)]
    capitals = has_capitals("".join(s.text for s in said))
    bare = as_before or sum(map(_has_end, said)) < MARKED * len(said)
    bound = seconds * (LONGEST_BARE if bare else LONGEST)
    made: list[Paragraph] = []
    for group in _groups(ordered, pause if bare else max(pause, LONG_PAUSE)):
        if not is_speech(group[0]):
            made.append(_left_out(group))
            continue
        pieces = [*(_whole(group) if as_before else _pieces(group, capitals=capitals, bare=bare))]
        since = 0
        for n in range(1, len(pieces)):
            so_far = pieces[n - 1].end - pieces[since].start
            silent = pieces[n].start - pieces[n - 1].end >= pause
            ends = pieces[n].begins and (as_before or not bare)
            if (ends and (silent or so_far >= seconds)) or so_far >= bound:
                made.append(_paragraph(pieces[since:n]))
                since = n
        made.append(_paragraph(pieces[since:]))
    return made


def _has_end(segment: Segment) -> bool:
    return is_ended(segment.text) or any(True for _ in sentence_starts(segment.text, capitals=False))


def _groups(segments: Iterable[Segment], pause: Seconds) -> Iterator[list[Segment]]:
    """Segments that follow on each other without a turn or a pause of so many seconds; those left out for one reason."""
    group: list[Segment] = []
    for segment in segments:
        if is_speech(segment) and not normalize(segment.text):
            continue
        if group and _is_apart(group[-1], segment, pause):
            yield group
            group = []
        group.append(segment)
    if group:
        yield group


def _is_apart(last: Segment, segment: Segment, pause: Seconds) -> bool:
    if not (is_speech(segment) and is_speech(last)):
        return is_speech(segment) or is_speech(last) or segment.mark is not last.mark
    return segment.speaker != last.speaker or segment.start - last.end >= pause


def _left_out(group: Sequence[Segment]) -> Paragraph:
    pieces = tuple(Piece(s, s.start, s.end, 0, len(s.text)) for s in group)
    return Paragraph(group[0].start, max(s.end for s in group), pieces, group[0].mark)


def _paragraph(pieces: Sequence[Piece]) -> Paragraph:
    until = max(piece.end for piece in pieces)
    return Paragraph(pieces[0].start, until, (*pieces,), None, pieces[0].segment.speaker)


def _whole(group: Iterable[Segment]) -> Iterator[Piece]:
    """Each segment as one piece; a sentence begins behind one that ends like a sentence."""
    begins = True
    for segment in group:
        yield Piece(segment, segment.start, segment.end, 0, len(segment.text), begins)
        begins = _SEGMENT_END.search(segment.text.rstrip()) is not None


def _pieces(group: Sequence[Segment], *, capitals: bool, bare: bool) -> Iterator[Piece]:
    """The segments, cut where a sentence begins. `bare`: sentences have no ends, and each segment counts as one."""
    begins = True
    for segment, following in zip_longest(group, group[1:]):
        text = segment.text
        starts = [*sentence_starts(text, capitals=capitals), len(text)]
        # What nobody can see is no sentence.
        cuts = [at for at, after in pairwise(starts) if normalize(text[at:after])]
        for first, last in pairwise((0, *cuts, len(text))):
            yield Piece(segment, *_said(segment, first, last), first, last, first > 0 or begins)
        begins = bare or is_ended(text, following.text if following else "")


def _said(segment: Segment, first: int, last: int) -> tuple[Seconds, Seconds]:
    """When these characters are said: as the words' times say, or as if each took the same time."""
    start, seconds, letters = segment.start, segment.end - segment.start, len(segment.text)
    after = bisect_left(segment.words, first, key=lambda word: word[2])
    before = bisect_left(segment.words, last, key=lambda word: word[2]) - 1
    begin = start + seconds * first / letters
    end = start + seconds * last / letters
    if first and after < len(segment.words):
        begin = segment.words[after][0]
    if last < letters and before >= 0:
        end = segment.words[before][1]
    begin = min(max(start, begin), segment.end)
    return begin, min(max(begin, end), segment.end)
