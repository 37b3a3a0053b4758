"""A person's words in the place of those that were heard: which segments they are of, and what becomes of them when the
recording is heard again. Pure.

A segment that was corrected keeps what was heard (`Segment.heard`), so that a later hearing is compared with an earlier
one, word by word, and not with what nobody heard.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from earmark.domain import Mark, Seconds, Segment, Transcript, WordTimes, is_speech
from earmark.replacing import before_replacing
from earmark.spacing import WORD
from earmark.speaking import as_told

MOST_WORDS = 5_000
"""Words of one passage that are compared, on either side; the time that takes goes by their product."""

Codes = list[tuple[bool, int, int, int, int]]
"""Stretches of two sequences: whether they are the same, from and until where in the one, and in the other."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word, or one character where a script has no spaces. `glued`: no space stands before it. `unsure`, `overlapped`: it
    is marked as hard to hear, or as said while somebody else talks.
    """

    text: str
    glued: bool = False
    unsure: bool = False
    overlapped: bool = False


@dataclass(frozen=True, slots=True)
class Passage:
    """Segments, by their place in the transcript, the words of each as they are shown, and what a person says in all of them
    instead.
    """

    segments: tuple[int, ...]
    shown: tuple[tuple[Word, ...], ...]
    said: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Corrected:
    """What became of a transcript. `words`: how many words a person has put there that were not, and `gone` how many more
    they took out; `whole`: each mark is the one of its segment, so that what would be written is what was read; `left`: how
    many passages have too many words to be compared, and stay as they were.
    """

    transcript: Transcript
    words: int
    gone: int
    whole: bool
    left: int = 0


def words_of(text: str, *, unsure: bool = False, overlapped: bool = False) -> list[Word]:
    """The words of a text in order."""
    return [
        Word(found[0], found.start() > 0 and not text[found.start() - 1].isspace(), unsure, overlapped)
        for found in WORD.finditer(text)
    ]


def text_of(words: Sequence[Word]) -> str:
    """The words as one text."""
    return "".join(f"{'' if word.glued or not n else ' '}{word.text}" for n, word in enumerate(words))


def corrected(transcript: Transcript, passages: Sequence[Passage], *, marks: bool) -> Corrected:
    """The transcript with a person's words. `marks`: words that were hard to hear are marked where they are read, so that
    one without a mark is sure.
    """
    segments, shown = [*transcript.segments], as_told(transcript).segments
    new, gone, left, whole = 0, 0, 0, True
    for passage in passages:
        if max(len(passage.said), sum(map(len, passage.shown))) > MOST_WORDS:
            left, whole = left + 1, False
            continue
        found = _allotted(segments, passage)
        new, gone = new + found.new, gone + found.gone
        for number, words in found.words.items():
            before = segments[number]
            segments[number] = _said(before, found.shown[number], words, marks=marks)
            unsure = segments[number].mark is Mark.LOW_CONFIDENCE
            like = (unsure and marks, shown[number].overlapped)
            whole = whole and all((word.unsure, word.overlapped) == like for word in words)
    return Corrected(replace(transcript, segments=tuple(segments)), new, gone, whole, left)


@dataclass(frozen=True, slots=True)
class _Allotted:
    """The words that a person gives each segment of a passage, those it showed, how many new ones there are, and how
    many more went than came.
    """

    words: dict[int, list[Word]]
    shown: dict[int, tuple[Word, ...]]
    new: int
    gone: int


def _allotted(segments: Sequence[Segment], passage: Passage) -> _Allotted:
    shown = dict(zip(passage.segments, passage.shown, strict=True))
    base = [(n, word) for n in passage.segments if is_speech(segments[n]) for word in shown[n]]
    said = [word.text for word in passage.said]
    if not base:
        # What was left out, and somebody has heard; or what a person took out and put back.
        words = {passage.segments[0]: [*passage.said]} if said and passage.segments else {}
        return _Allotted(words, shown, len(said), 0)
    words = {n: [] for n, _ in base}
    new = gone = 0
    for same, i1, i2, j1, j2 in compared([word.text for _, word in base], said):
        new += 0 if same else j2 - j1
        gone += max(0, (i2 - i1) - (j2 - j1))
        for j in range(j1, j2):
            near = i1 + (j - j1) * (i2 - i1) // (j2 - j1) if i2 > i1 else max(i1 - 1, 0)
            word = passage.said[j]
            # Between two words that stay nobody has put a space: it is where the note has a time, or a paragraph ends.
            glued = base[near][1].glued if same else word.glued
            words[base[near][0]].append(replace(word, glued=glued))
    return _Allotted(words, shown, new, gone)


def _said(segment: Segment, shown: Sequence[Word], words: Sequence[Word], *, marks: bool) -> Segment:
    """The segment with these words; as it is, if they are its own."""
    same = [word.text for word in words] == [word.text for word in shown]
    sure = marks and segment.mark is Mark.LOW_CONFIDENCE and bool(words) and not any(w.unsure for w in words)
    if same and not sure:
        return segment
    heard = segment.heard
    if heard is None:
        heard = before_replacing(segment) if is_speech(segment) else ""
    text = segment.text if same else text_of(words)
    mark = segment.mark if segment.mark is Mark.LOW_CONFIDENCE and not sure else None
    return replace(segment, text=text, mark=mark, heard=heard, words=times_of(segment, text), replaced=())


def times_of(segment: Segment, text: str) -> WordTimes:
    """When each word of another text of the segment is said: as it was, for those that stay, and evenly between these."""
    if not segment.words or text == segment.text:
        return segment.words
    old = [(found[0], found.start()) for found in WORD.finditer(segment.text)]
    new = [(found[0], found.start()) for found in WORD.finditer(text)]
    starts = {at: (start, end) for start, end, at in segment.words}
    known: dict[int, tuple[Seconds, Seconds]] = {}
    for same, i1, i2, j1, _ in compared([word for word, _ in old], [word for word, _ in new]):
        for n in range(i2 - i1 if same else 0):
            if (time := starts.get(old[i1 + n][1])) is not None:
                known[j1 + n] = time
    times: list[tuple[Seconds, Seconds, int]] = []
    fixed = [-1, *sorted(known), len(new)]
    for before, after in pairwise(fixed):
        if before >= 0:
            times.append((*known[before], new[before][1]))
        between = after - before - 1
        first = known[before][1] if before >= 0 else segment.start
        last = max(first, known[after][0] if after < len(new) else segment.end)
        for n in range(between):
            each = (last - first) / between
            times.append((first + n * each, first + (n + 1) * each, new[before + 1 + n][1]))
    return tuple(times)


def is_corrected(transcript: Transcript) -> bool:
    """Whether a person has put other words into it."""
    return any(segment.heard is not None for segment in transcript.segments)


def as_heard(transcript: Transcript) -> Transcript:
    """The transcript without a person's corrections."""
    segments = tuple(
        s if s.heard is None else replace(s, text=s.heard, heard=None, words=()) for s in transcript.segments
    )
    return replace(transcript, segments=segments)


def compared(one: Sequence[str], other: Sequence[str]) -> Codes:
    """What stays of a sequence of words in another, as much as can, and what is between that."""
    from rapidfuzz.distance import Indel  # no verb that only looks waits for it

    codes = groupby(Indel.opcodes(one, other), key=lambda code: code.tag == "equal")
    return [
        (same, found[0].src_start, found[-1].src_end, found[0].dest_start, found[-1].dest_end)
        for same, of in codes
        if (found := [*of])
    ]
