"""The sides of a conversation, kept apart where they speak at once: of two voices in one sound Whisper hears one.

Everywhere else their mix is heard, which costs one pass and says no word twice where a microphone hears the other side,
too.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from earmark.domain import Segment
from earmark.transcription.engine import RATE, Samples
from earmark.transcription.windows import FRAME, SPEECH, Voice, Window, speech_spans

TOGETHER = 1.0
"""Seconds of a window with two voices at once from which each side is heard on its own: less is a "yes" or a cough."""

BLEEDS = 0.7
"""Correlation of the loudness of two sides, while both sound, from which one is heard through the other's microphone.
Two people who talk at once are near 0."""

LATEST = 6
"""Frames of 32 ms by which what bleeds may be late: a loudspeaker's buffer and the way through a room."""

FEWEST = 12
"""Frames in which both sound, below which their loudness says nothing."""

SAME_WORDS = 0.6
"""Share of a segment's words that are another side's at the same time from which it is that side's voice."""

Lane = tuple[int, int]
"""A side: the number of its track, and of its first channel there."""


class Lanes:
    """The sound of each side, from the last moment that was asked for on."""

    def __init__(self) -> None:
        self._held: deque[tuple[int, int, Mapping[Lane, Samples]]] = deque()
        self._end = 0

    def add(self, length: int, sides: Mapping[Lane, Samples]) -> None:
        """The next `length` samples; a side that is silent in them is left out."""
        self._held.append((self._end, length, {lane: sound.copy() for lane, sound in sides.items()}))
        self._end += length

    def between(self, start: int, stop: int) -> list[Samples]:
        """Samples `start` to `stop` of each side that sounds in them. What lies before `start` is forgotten."""
        while self._held and self._held[0][0] + self._held[0][1] <= start:
            self._held.popleft()
        found: dict[Lane, Samples] = {}
        for at, length, sides in self._held:
            first, last = max(at, start), min(at + length, stop)
            for lane, sound in sides.items() if first < last else ():
                whole = found.setdefault(lane, np.zeros(stop - start, dtype=np.float32))
                whole[first - start : last - start] = sound[first - at : last - at]
        return [found[lane] for lane in sorted(found)]


def sides(window: Window, sounds: Sequence[Samples], voice: Voice) -> list[Window]:
    """The window once for each side, if at least two of `sounds` talk at once in it; empty if their mix will do."""
    if len(sounds) < 2:
        return []
    found: list[Window] = []
    for sound in sounds:
        probabilities = voice(sound)
        spans = speech_spans(probabilities, len(sound))
        if spans:
            found.append(Window(window.start, sound, spans, probabilities, window.last))
    found.sort(key=lambda side: -float(np.sum(np.square(side.samples))))
    own: list[Window] = []
    for side in found:
        if not any(_bleeds(louder, side) for louder in own):
            own.append(side)
    if not own:
        return []
    at_once = np.sum([side.voice >= SPEECH for side in own], axis=0) >= 2
    return own if np.count_nonzero(at_once) * FRAME >= TOGETHER * RATE else []


def in_order(said: Sequence[Sequence[Segment]]) -> tuple[Segment, ...]:
    """The segments of all sides by time, without those in which a side only repeats what another said just then."""
    kept: list[Segment] = []
    for number, side in enumerate(said):
        others = [segment for other in said[:number] for segment in other]
        kept += [segment for segment in side if not _repeats(segment, others)]
    return tuple(sorted(kept, key=lambda segment: (segment.start, segment.end)))


def _bleeds(louder: Window, softer: Window) -> bool:
    """Whether the softer side gets louder and softer with the other one, at any delay up to LATEST, where both sound."""
    a, b = _loudness(louder.samples), _loudness(softer.samples)
    both = (louder.voice >= SPEECH) & (softer.voice >= SPEECH)
    for delay in range(-LATEST, LATEST + 1):
        there = np.flatnonzero(both)
        there = there[(there >= delay) & (there < len(a) + delay)]
        if len(there) < FEWEST:
            continue
        x, y = a[there - delay], b[there]
        spread = float(x.std() * y.std())
        if spread > 0.0 and float(np.mean((x - x.mean()) * (y - y.mean()))) >= BLEEDS * spread:
            return True
    return False


def _loudness(samples: Samples) -> NDArray[np.float32]:
    """The root mean square of each FRAME, in decibels."""
    padded = np.pad(samples, (0, -len(samples) % FRAME)).reshape(-1, FRAME)
    power: NDArray[np.float32] = 10 * np.log10(np.mean(np.square(padded), axis=1) + 1e-10)
    return power


def _repeats(segment: Segment, others: Sequence[Segment]) -> bool:
    words = _words(segment.text)
    around = [s for s in others if s.start < segment.end and segment.start < s.end]
    theirs = _words(" ".join(s.text for s in around))
    if not words or not theirs:
        return False
    same = SequenceMatcher(None, words, theirs, autojunk=False).get_matching_blocks()
    return sum(block.size for block in same) >= SAME_WORDS * len(words)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
