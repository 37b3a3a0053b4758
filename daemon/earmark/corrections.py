"""A person's words in the place of those that were heard: which segments they are of, and what becomes of them when the
recording is heard again. Pure.

A segment that was corrected keeps what was heard (`Segment.heard`), so that a later hearing is compared with an earlier
one, word by word, and not with what nobody heard.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from rapidfuzz.distance import Indel

from earmark.domain import Mark, Seconds, Segment, Transcript, WordTimes, is_speech
from earmark.replacing import before_replacing
from earmark.spacing import WORD
from earmark.speaking import as_told

AROUND = 30.0
"""Seconds before and after corrected words in which a later hearing is compared with the earlier one: Whisper's window."""

MOST_WORDS = 5_000
"""Words of one passage that are compared, on either side; the time that takes goes by their product."""

MOST_OF_A_RUN = 400
"""Words of corrected segments that follow on each other for which their place in a later hearing is looked for at once."""

MOST_CUT = 100
"""Other words, heard later, for which it is found out which are like what was heard before; of more nobody can tell."""

MOST_EDGE = 30
"""Words at either end of a person's for which it is found out whether the later hearing has them."""

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
    they took out; `whole`: each mark is the one of its segment, so that what would be written is what was read.
    """

    transcript: Transcript
    words: int
    gone: int
    whole: bool


def words_of(text: str, *, unsure: bool = False, overlapped: bool = False) -> list[Word]:
    """The words of a text in order."""
    return [
        Word(found[0], found.start() > 0 and not text[found.start() - 1].isspace(), unsure, overlapped)
        for found in WORD.finditer(text)
    ]


def text_of(words: Sequence[Word]) -> str:
    """The words as one text."""
    return "".join(f"{'' if word.glued or not n else ' '}{word.text}" for n, word in enumerate(words))


def corrected(transcript: Transcript, passages: Sequence[Passage], *, marks: bool) -> Corrected | None:
    """The transcript with a person's words; None if there are too many to be compared. `marks`: words that were hard to hear
    are marked where they are read, so that one without a mark is sure.
    """
    segments, shown = [*transcript.segments], as_told(transcript).segments
    new, gone, whole = 0, 0, True
    for passage in passages:
        if max(len(passage.said), sum(map(len, passage.shown))) > MOST_WORDS:
            return None
        found = _allotted(segments, passage)
        new, gone = new + found.new, gone + found.gone
        for number, words in found.words.items():
            before = segments[number]
            segments[number] = _said(before, found.shown[number], words, marks=marks)
            unsure = segments[number].mark is Mark.LOW_CONFIDENCE
            like = (unsure and marks, shown[number].overlapped)
            whole = whole and all((word.unsure, word.overlapped) == like for word in words)
    return Corrected(replace(transcript, segments=tuple(segments)), new, gone, whole)


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
    return replace(segment, text=text, mark=mark, heard=heard, words=_times(segment, text), replaced=())


def _times(segment: Segment, text: str) -> WordTimes:
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


def carried(before: Transcript, after: Transcript) -> Transcript:
    """A later hearing of the recording, with what a person corrected in the earlier one in its place."""
    if not is_corrected(before):
        return after
    segments = [*after.segments]
    for run in _runs(before.segments):
        segments = _with_run(before.segments, run, segments)
    return replace(after, segments=tuple(sorted(segments, key=lambda segment: segment.start)))


def _runs(segments: Sequence[Segment]) -> Iterator[range]:
    """The corrected segments that follow on each other; of very many some at a time."""
    first: int | None = None
    words = 0
    for n, segment in enumerate([*segments, None]):
        is_one = segment is not None and segment.heard is not None
        if first is not None and (not is_one or words >= MOST_OF_A_RUN):
            yield range(first, n)
            first = None
        if segment is not None and is_one:
            first, words = (n, 0) if first is None else (first, words)
            words += len(words_of(segment.heard or ""))


def _with_run(before: Sequence[Segment], run: range, after: list[Segment]) -> list[Segment]:
    """The segments of the later hearing, with those corrected ones in the place of what was heard there."""
    start, end = before[run[0]].start, max(before[n].end for n in run)
    since, until = start - AROUND, end + AROUND
    near = [n for n, segment in enumerate(after) if segment.end > since and segment.start < until]
    new = [
        (n, word)
        for n in near
        if is_speech(after[n]) and after[n].heard is None
        for word in words_of(after[n].text)
    ]
    first, last = _place(before, run, [(after[n].start, word.text) for n, word in new])
    taken: defaultdict[int, list[int]] = defaultdict(list)
    for j, (n, _) in enumerate(new):
        taken[n].append(j)
    heard = text_of([word for _, word in new[first:last]])
    corrected_ones = [
        replace(before[n], heard=heard if n == run[0] else "", speaker=0, overlapped=False) for n in run
    ]
    made: list[Segment] = []
    put = False
    begin = near[0] if near else sum(segment.start < end for segment in after)
    stop = near[-1] + 1 if near else begin
    for n, segment in enumerate(after[begin:stop], start=begin):
        of_this = taken.get(n)
        left = [new[j][1] for j in of_this or () if j < first]
        right = [new[j][1] for j in of_this or () if j >= last]
        if not of_this or len(left) == len(of_this):
            if not put and not of_this and segment.start >= end:
                made, put = made + corrected_ones, True
            made.append(segment)
            continue
        if left:
            made.append(_part(segment, left, segment.start, min(segment.end, max(start, segment.start))))
        if not put:
            made, put = made + corrected_ones, True
        if len(right) == len(of_this):
            made.append(segment)
        elif right:
            made.append(_part(segment, right, max(segment.start, min(end, segment.end)), segment.end))
    return [*after[:begin], *made, *(() if put else corrected_ones), *after[stop:]]


def _place(before: Sequence[Segment], run: range, new: Sequence[tuple[Seconds, str]]) -> tuple[int, int]:
    """From and until which word of a later hearing corrected segments are. `new`: the words around them, and when the
    segment of each begins.
    """
    start, end = before[run[0]].start, max(before[n].end for n in run)
    old = [
        (n, word.text)
        for n, segment in enumerate(before)
        if segment.end > start - AROUND and segment.start < end + AROUND and is_speech(segment)
        if segment.heard is None or n >= run[0]  # the corrected ones before are in their place already
        for word in words_of(before_replacing(segment) if segment.heard is None else segment.heard)
    ]
    inside = [i for i, (n, _) in enumerate(old) if n in run]
    if not inside or max(len(old), len(new)) > MOST_WORDS:  # nothing was heard there before, or too much
        first = sum(at < start for at, _ in new)
        return first, max(first, sum(at < end for at, _ in new)) if inside else first
    theirs = [word.text for n in run for word in words_of(before[n].text)]
    codes = compared([_key(text) for _, text in old], [_key(text) for _, text in new])
    edges = _Edges(codes, [text for _, text in old], [text for _, text in new], theirs)
    first = edges.begin(inside[0])
    return first, max(first, edges.end(inside[-1] + 1))


def _part(segment: Segment, words: Sequence[Word], start: Seconds, end: Seconds) -> Segment:
    """Some of the words of a segment, in some of its time."""
    text = text_of(words)
    return replace(segment, text=text, start=start, end=end, words=_times(segment, text))


def compared(one: Sequence[str], other: Sequence[str]) -> Codes:
    """What stays of a sequence of words in another, as much as can, and what is between that."""
    codes = groupby(Indel.opcodes(one, other), key=lambda code: code.tag == "equal")
    return [
        (same, found[0].src_start, found[-1].src_end, found[0].dest_start, found[-1].dest_end)
        for same, of in codes
        if (found := [*of])
    ]


@dataclass(frozen=True, slots=True)
class _Edges:
    """Where words of the earlier hearing begin and end in the later one. `theirs`: what a person says in their place."""

    codes: Codes
    old: Sequence[str]
    new: Sequence[str]
    theirs: Sequence[str]

    def begin(self, i: int) -> int:
        """The word of the later hearing with which the words from `i` on begin."""
        for same, i1, i2, j1, j2 in self.codes:
            if i1 <= i < i2:
                if same:
                    return j1 + i - i1
                heads = [self.theirs[:k] for k in range(1, min(j2 - j1, MOST_EDGE) + 2)]
                return j1 + _cut(self.new[j1:j2], [self.old[i1:i]], [self.old[i:i2], *heads])
        return len(self.new)

    def end(self, i: int) -> int:
        """The word of the later hearing before which the words before `i` end."""
        for same, i1, i2, j1, j2 in self.codes:
            if i1 < i <= i2:
                if same:
                    return j1 + i - i1
                tails = [self.theirs[-k:] for k in range(1, min(j2 - j1, MOST_EDGE) + 2)]
                return j1 + _cut(self.new[j1:j2], [self.old[i1:i], *tails], [self.old[i:i2]])
        return 0


def _cut(new: Sequence[str], left: Sequence[Sequence[str]], right: Sequence[Sequence[str]]) -> int:
    """Before which word the new ones are most like one of these and one of those, letter by letter."""
    if len(new) > MOST_CUT:
        before, behind = len(left[0]), len(right[0])
        return len(new) * before // max(1, before + behind)

    def unlike(words: Sequence[str], others: Sequence[Sequence[str]]) -> int:
        return min(Indel.distance(" ".join(words), " ".join(other)) for other in others)

    return min(range(len(new) + 1), key=lambda j: unlike(new[:j], left) + unlike(new[j:], right))


def _key(text: str) -> str:
    """What makes a word the same in two hearings: not its capitals, nor what stands around it."""
    return re.sub(r"\W+", "", text).casefold() or text
