"""Who says what: turns that were heard become the speakers of a transcript. Pure.

A model of speech cuts where it breathes, not where another begins to speak; so a segment in which several talk is cut
between two words, and its pieces say together what it said.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from earmark.domain import Seconds, Segment, Transcript, WordTimes, is_speech
from earmark.spacing import between_words

MOST_PEOPLE = 20
"""People that are told apart in one recording, and that anybody may ask for."""

LEAST_LONG: Seconds = 120.0
"""Of a recording, from which who says what is sure enough to be told."""

HOW_MANY = f"auto, off, a number up to {MOST_PEOPLE}, or two of them such as 2..4"
"""What may be said of how many people there are."""

LEAST_WORDS, LEAST_SECONDS = 2, 0.4
"""A piece of a segment with fewer words, or that is shorter, stays with its neighbour: a "yes" between is nobody's turn, and
times of words are off by as much."""

MOST_WORDS = 1_000
"""Words of a segment that is cut; Whisper's longest answer has 448 tokens, and what is longer is nobody's sentence."""

NEAREST = 0.5
"""Seconds from a turn within which words that lie in none are of its speaker: the two models do not begin to hear a voice at
the same moment."""

OVERLAPPED = 0.5
"""Share of a piece's voiced seconds in which several talk, from which it is marked as such."""

_LETTER = re.compile(r"\S")


@dataclass(frozen=True, slots=True)
class Turn:
    """Somebody talks from second `start` until `end`. `speaker`: their number, from 1 in the order in which they first
    speak, or 0 for a voice that is nobody's. `overlapped`: somebody else talks at the same time.
    """

    start: Seconds
    end: Seconds
    speaker: int
    overlapped: bool = False


@dataclass(frozen=True, slots=True)
class _Word:
    """`at`: the character at which it begins; 0 for the first."""

    start: Seconds
    end: Seconds
    at: int


def how_many(said: str) -> tuple[int, int] | None:
    """The fewest and the most people that are meant; None if nobody is to be told apart. Raises ValueError."""
    if said in ("off", "auto"):
        return None if said == "off" else (1, MOST_PEOPLE)
    fewest, dots, most = said.partition("..")
    most = most if dots else fewest
    numbers = all(re.fullmatch(r"[0-9]{1,3}", number) for number in (fewest, most))
    if numbers and 1 <= int(fewest) <= int(most) <= MOST_PEOPLE:
        return int(fewest), int(most)
    raise ValueError(f"{said!r} is none of: {HOW_MANY}")


def with_speakers(
    transcript: Transcript,
    turns: Sequence[Turn],
    names: Sequence[str] = (),
    unsure: bool = False,
) -> Transcript:
    """The transcript with a speaker for each segment: the one who talks most of it. Nothing that was said is changed.

    `turns`: in order of time; where two of them overlap, whoever began first goes on. `names`: by number, "" or none for
    one without a name. Words without times are taken to be spoken evenly. Where a single voice says everything, nobody is
    named, and nothing is unsure but that it is one, if there is enough of it to tell.
    """
    heard = _Heard(turns)
    said: list[Segment] = []
    for segment in transcript.segments:
        said += _pieces(segment, heard)
    voices = {s.speaker for s in said if is_speech(s) and s.text.strip()} - {0}
    if len(voices) < 2:
        return replace(
            transcript,
            segments=tuple(map(_nobodys, transcript.segments)),
            english=tuple(map(_nobodys, transcript.english)),
            speakers=(),
            speakers_unsure=unsure
            and transcript.duration >= LEAST_LONG
            and len(voices) == len({turn.speaker for turn in turns}) == 1,
        )
    count = max(span.speaker for span in heard.spans)
    return replace(
        transcript,
        segments=tuple(said),
        english=tuple(heard.attributed(segment) for segment in transcript.english),
        speakers=tuple(names[n] if n < len(names) else "" for n in range(count)),
        speakers_unsure=unsure,
    )


def names_after(before: Transcript, turns: Iterable[Turn]) -> tuple[str, ...]:
    """The names of those who speak, by their numbers in new turns of the same recording: whoever speaks when somebody with a
    name spoke has it, whatever number that one had.
    """
    if not any(before.speakers):
        return ()
    heard = _Heard(turns)
    shared: defaultdict[tuple[int, int], Seconds] = defaultdict(float)
    for segment in before.segments:
        for span in heard.under(segment.start, segment.end):
            shared[segment.speaker, span.speaker] += span.end - span.start
    names = [""] * max((span.speaker for span in heard.spans), default=0)
    taken: set[int] = set()
    for old, new in sorted(shared, key=lambda both: (-shared[both], both)):
        if old and new and old not in taken and not names[new - 1]:
            names[new - 1] = before.speakers[old - 1] if old <= len(before.speakers) else ""
            taken.add(old)
    return tuple(names)


def as_told(transcript: Transcript) -> Transcript:
    """The transcript as it may be shown: without speakers where nobody knows them, or not well enough, and with one number
    for those to whom somebody gave the same name.
    """
    if transcript.speakers and not transcript.speakers_unsure:
        return _joined(transcript)
    return replace(
        transcript,
        segments=tuple(map(_nobodys, transcript.segments)),
        english=tuple(map(_nobodys, transcript.english)),
        speakers=(),
    )


def _joined(transcript: Transcript) -> Transcript:
    first: dict[str, int] = {}
    number = {
        n: first.setdefault(name, n) if name else n for n, name in enumerate(transcript.speakers, start=1)
    }
    if all(n == same for n, same in number.items()):
        return transcript

    def of(segments: tuple[Segment, ...]) -> tuple[Segment, ...]:
        return tuple(replace(s, speaker=number.get(s.speaker, s.speaker)) for s in segments)

    return replace(transcript, segments=of(transcript.segments), english=of(transcript.english))


def _nobodys(segment: Segment) -> Segment:
    return replace(segment, speaker=0, overlapped=False) if segment.speaker or segment.overlapped else segment


class _Heard:
    """The turns as spans that do not overlap, in order of time."""

    def __init__(self, turns: Iterable[Turn]) -> None:
        self.spans = _flat([turn for turn in turns if turn.start < turn.end])
        self._starts = [span.start for span in self.spans]
        self._ends = [span.end for span in self.spans]

    def under(self, start: Seconds, end: Seconds) -> list[Turn]:
        """The spans that are heard between two seconds, cut to them."""
        found = self.spans[bisect_right(self._ends, start) : bisect_left(self._starts, end)]
        return [replace(s, start=max(s.start, start), end=min(s.end, end)) for s in found]

    def speaker(self, start: Seconds, end: Seconds, near: Seconds) -> int:
        """Who talks most of this time; if nobody does, whoever is heard within `near` seconds of it, or 0."""
        seconds: defaultdict[int, Seconds] = defaultdict(float)
        for span in self.under(start, end):
            seconds[span.speaker] += span.end - span.start
        if seconds:
            return max(seconds, key=lambda speaker: seconds[speaker])
        after = bisect_left(self._starts, start)
        around = [
            (max(start - span.end, span.start - end), span.speaker)
            for span in self.spans[max(0, after - 1) : after + 1]
        ]
        distance, speaker = min(around, default=(math.inf, 0))
        return speaker if distance <= near else 0

    def attributed(self, segment: Segment, speaker: int | None = None) -> Segment:
        """The segment with who says it (`speaker`, if that is known), and whether somebody else talks meanwhile."""
        spans = self.under(segment.start, segment.end)
        voiced = sum(span.end - span.start for span in spans)
        several = sum(span.end - span.start for span in spans if span.overlapped)
        return replace(
            segment,
            speaker=self.speaker(segment.start, segment.end, NEAREST) if speaker is None else speaker,
            overlapped=voiced > 0 and several >= OVERLAPPED * voiced,
        )


def _flat(turns: list[Turn]) -> list[Turn]:
    spans: list[Turn] = []
    waiting = sorted(turns, key=lambda turn: (turn.start, turn.end), reverse=True)
    active: list[Turn] = []
    for start, end in pairwise(sorted({edge for turn in turns for edge in (turn.start, turn.end)})):
        while waiting and waiting[-1].start <= start:
            active.append(waiting.pop())
        active = [turn for turn in active if turn.end > start]
        if not active:
            continue
        # Whoever began first stands first.
        speaker = max(0, active[0].speaker)
        several = any(turn.overlapped or max(0, turn.speaker) != speaker for turn in active)
        last = spans[-1] if spans else None
        if last is not None and (last.end, last.speaker, last.overlapped) == (start, speaker, several):
            spans[-1] = replace(last, end=end)
        else:
            spans.append(Turn(start, end, speaker, several))
    return spans


def _pieces(segment: Segment, heard: _Heard) -> list[Segment]:
    """The segment, cut where another begins to speak."""
    speakers = {span.speaker for span in heard.under(segment.start, segment.end)}
    if len(speakers) < 2 or not is_speech(segment):
        return [heard.attributed(segment)]
    words = _timed(segment)
    if not words:
        segment = replace(segment, words=())
        words = _evenly(segment)
    if len(words) > MOST_WORDS:
        return [heard.attributed(segment)]
    runs: list[list[_Word]] = []
    by: list[int] = []
    for word in words:
        speaker = heard.speaker(word.start, word.end, math.inf)
        if by and by[-1] == speaker:
            runs[-1].append(word)
        else:
            runs.append([word])
            by.append(speaker)
    while len(runs) > 1:
        seconds = [end - start for start, end in zip(*_edges(segment, runs), strict=True)]
        short = [n for n, run in enumerate(runs) if len(run) < LEAST_WORDS or seconds[n] < LEAST_SECONDS]
        if not short:
            return [heard.attributed(piece, n) for piece, n in zip(_cut(segment, runs), by, strict=True)]
        shortest = min(short, key=lambda n: seconds[n])
        beside = [n for n in (shortest - 1, shortest + 1) if 0 <= n < len(runs)]
        _give(runs, by, shortest, max(beside, key=lambda n: seconds[n]))
    return [heard.attributed(segment, by[0] if by else None)]


def _give(runs: list[list[_Word]], by: list[int], short: int, to: int) -> None:
    """Give the words of one run to its neighbour, and join what is one speaker's then."""
    by[short] = by[to]
    for n in range(len(runs) - 1, 0, -1):
        if by[n] == by[n - 1]:
            runs[n - 1 : n + 1] = [runs[n - 1] + runs[n]]
            del by[n]


def _edges(segment: Segment, runs: list[list[_Word]]) -> tuple[list[Seconds], list[Seconds]]:
    """From and until which second each run is spoken."""
    starts = [segment.start, *(run[0].start for run in runs[1:])]
    ends = [*(min(run[-1].end, start) for run, start in zip(runs, starts[1:], strict=False)), segment.end]
    return starts, [*map(max, starts, ends)]


def _cut(segment: Segment, runs: list[list[_Word]]) -> list[Segment]:
    """The segment cut before each run but the first. A space at which it is cut is in no piece."""
    text = segment.text
    begins = [0, *(run[0].at for run in runs[1:])]
    stops = [*(at - 1 if text[at - 1] == " " else at for at in begins[1:]), len(text)]
    starts, ends = _edges(segment, runs)
    # What was heard, if a person corrected it, is with the first of the pieces.
    heard = None if segment.heard is None else ""
    return [
        replace(
            segment,
            start=start,
            end=end,
            text=text[first:last],
            words=tuple((a, b, at - first) for a, b, at in segment.words if first <= at < last),
            heard=heard if first else segment.heard,
            replaced=tuple((at - first, was, now) for at, was, now in segment.replaced if first <= at < last),
        )
        for first, last, start, end in zip(begins, stops, starts, ends, strict=True)
    ]


def _timed(segment: Segment) -> list[_Word]:
    """The words at the times that were measured; none if these cannot be of this text."""
    last = -1
    for start, end, at in segment.words:
        if not (math.isfinite(start) and math.isfinite(end)) or not last < at < len(segment.text):
            return []
        last = at
    return _words(segment, segment.words)


def _evenly(segment: Segment) -> list[_Word]:
    """The words as if each character took the same time."""
    text, seconds = segment.text, segment.end - segment.start
    times = tuple(
        (
            segment.start + seconds * found.start() / len(text),
            segment.start + seconds * found.end() / len(text),
            found.start(),
        )
        for found in re.finditer(r"\S+", text)
    )
    return _words(segment, times)


def _words(segment: Segment, times: WordTimes) -> list[_Word]:
    """What the text may be cut between, with times that lie in the segment and go forward."""
    words: list[_Word] = []
    text, now = segment.text, segment.start
    for start, end, near in times:
        letter = _LETTER.search(text, near)
        at = letter.start() if letter else len(text)
        now = min(max(now, start), segment.end)
        until = min(max(now, end), segment.end)
        if not words:
            words.append(_Word(now, until, 0))
        elif words[-1].at < at < len(text) and (text[at - 1] == " " or between_words(text, at)):
            words.append(_Word(now, until, at))
        else:
            words[-1] = replace(words[-1], end=max(words[-1].end, until))
    return words
