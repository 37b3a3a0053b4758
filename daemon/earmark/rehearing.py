"""What a person corrected in one hearing of a recording, in the words of another one. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from earmark.corrections import (
    MOST_WORDS,
    Codes,
    Corrected,
    Passage,
    Word,
    compared,
    corrected,
    is_corrected,
    text_of,
    times_of,
    words_of,
)
from earmark.domain import Seconds, Segment, Transcript, is_speech
from earmark.replacing import before_replacing

AROUND = 30.0
"""Seconds before and after corrected words in which a later hearing is compared with the earlier one: Whisper's window."""

MOST_OF_A_RUN = 400
"""Words of corrected segments that follow on each other for which their place in a later hearing is looked for at once."""

MOST_AT_ONCE = 50
"""Segments that follow on each other whose changed words are brought into another hearing at once."""

MOST_CUT = 100
"""Other words, heard later, for which it is found out which are like what was heard before; of more nobody can tell."""

MOST_EDGE = 30
"""Words at either end of a person's for which it is found out whether the later hearing has them."""


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
    return replace(segment, text=text, start=start, end=end, words=times_of(segment, text))


def brought_over(before: Transcript, since: Transcript, now: Transcript) -> Corrected:
    """`now` with what a person has changed in an older note of the recording: that said `before` when it was read last, and
    says `since`, the same segments with other words. Only words that they changed go into what is heard now; where others
    were corrected there meanwhile, these are the later ones.
    """
    found, new, gone = now, 0, 0
    for run in _changed(before.segments, since.segments):
        passage = _patched(before.segments, since.segments, run, found.segments)
        if passage is not None:
            made = corrected(found, [passage], marks=False)
            found, new, gone = made.transcript, new + made.words, gone + made.gone
    return Corrected(found, new, gone, whole=False)


def _changed(before: Sequence[Segment], since: Sequence[Segment]) -> Iterator[range]:
    """The segments that follow on each other and have other words now; of very many some at a time."""
    first: int | None = None
    for n, (old, new) in enumerate(zip(before, since, strict=True)):
        if _texts(old) == _texts(new):
            if first is not None:
                yield range(first, n)
            first = None
        elif first is None or n - first >= MOST_AT_ONCE:
            if first is not None:
                yield range(first, n)
            first = n
    if first is not None:
        yield range(first, len(before))


def _patched(
    before: Sequence[Segment], since: Sequence[Segment], run: range, now: Sequence[Segment]
) -> Passage | None:
    """What is said now around these segments, with their changed words; None where nothing is, or nobody can tell."""
    since_second, until = before[run[0]].start - AROUND, max(before[n].end for n in run) + AROUND
    near = [n for n, s in enumerate(now) if s.end > since_second and s.start < until and is_speech(s)]
    shown = tuple(tuple(words_of(now[n].text)) for n in near)
    said = [word for words in shown for word in words]
    old: list[str] = []
    at = 0
    for n, segment in enumerate(before):
        if segment.end > since_second and segment.start < until:
            at = len(old) if n == run[0] else at
            old += _texts(segment)
    theirs = [word for n in run for word in (words_of(since[n].text) if is_speech(since[n]) else ())]
    if not near or max(len(old), len(said), len(theirs)) > MOST_WORDS:
        return None
    heard = [word.text for word in said]
    codes = compared([_key(text) for text in old], [_key(text) for text in heard])
    were = [text for n in run for text in _texts(before[n])]
    limit = len(said)
    for same, i1, i2, j1, j2 in reversed(compared(were, [word.text for word in theirs])):
        if same:
            continue
        edges = _Edges(codes, old, heard, [word.text for word in theirs[j1:j2]])
        first = min(edges.begin(at + i1), limit)
        last = min(max(first, edges.end(at + i2)), limit) if i2 > i1 else first
        said[first:last] = theirs[j1:j2]
        limit = first
    return Passage((*near,), shown, (*said,))


def _texts(segment: Segment) -> list[str]:
    return [word.text for word in words_of(segment.text)] if is_speech(segment) else []


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
    from rapidfuzz.distance import Indel  # no verb that only looks waits for it

    if len(new) > MOST_CUT:
        before, behind = len(left[0]), len(right[0])
        return len(new) * before // max(1, before + behind)

    def unlike(words: Sequence[str], others: Sequence[Sequence[str]]) -> int:
        return min(Indel.distance(" ".join(words), " ".join(other)) for other in others)

    return min(range(len(new) + 1), key=lambda j: unlike(new[:j], left) + unlike(new[j:], right))


def _key(text: str) -> str:
    """What makes a word the same in two hearings: not its capitals, nor what stands around it."""
    return re.sub(r"\W+", "", text).casefold() or text
