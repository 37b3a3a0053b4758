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
from earmark.transcription.mixing import best_correlation, coarse
from earmark.transcription.windows import FRAME, QUIET, SPEECH, Voice, Window, speech_spans

TOGETHER = 1.0
"""Seconds of a window with two voices at once from which each side is heard on its own: less is a "yes" or a cough."""

BLEEDS = 0.7
"""Correlation of the loudness of two sides, while both sound, from which one is heard through the other's microphone.
Two people who talk at once are near 0."""

LATEST = 6
"""Frames of 32 ms by which what bleeds may be late: a loudspeaker's buffer and the way through a room. What comes later is
an echo that spoils the mix, unless it is FAINT.
"""

FAINT = 0.06
"""Share of the louder side's amplitude under which an echo spoils no mix, however late it is (-24 dB)."""

LATEST_ECHO = 31
"""Frames by which an echo may be late: a second, which is what calls over two networks have."""

ECHO = 0.3
"""Correlation of the sound itself, at its best delay in a STRETCH, from which the softer side is the louder one's echo.
Measured for two people who talk at once: 0.06, and 0.20 at most.
"""

STRETCH = 64
"""Frames that are judged on their own, two seconds: who bleeds into whom changes with who speaks."""

LATEST_WORD = 12
"""Frames around another's voice in which what bleeds may still be heard: its echo, and the room."""

LEAST = 4
"""Frames of its own without which a side says nothing: a short word."""

FEWEST = 12
"""Frames in which both sound, below which their loudness says nothing."""

SAME_WORDS = 0.6
"""Share of a segment's words that are another side's at the same time from which it is that side's voice."""

ABOVE = 6.0
"""Decibels above what comes through, from which a side has a voice of its own."""

BETWEEN = 16
"""Frames, half a second, at either side of a gap in what a side says, up to which it is its own: the soft ends of words."""

Frames = NDArray[np.bool_]
"""One truth per FRAME of a window."""

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
    own: list[tuple[Window, Frames]] = []
    foreign: dict[int, Frames] = {}
    for side in found:
        speaks = np.asarray(side.voice >= SPEECH)
        if through := [louder for louder, _ in own if _bleeds(louder, side)]:
            alone = _without(through, side)
            if alone is not None:
                own.append((alone, np.asarray(alone.voice >= SPEECH)))
            continue
        for other, theirs in own:
            of_other, of_side = _echoes(other, side)
            np.logical_and(theirs, ~of_other, out=theirs)
            np.logical_and(speaks, ~of_side, out=speaks)
            for mine, yours, frames in ((other, side, of_other), (side, other, of_side)):
                foreign[id(mine)] = _heard_through(mine, yours, frames) | foreign.get(id(mine), np.False_)
        own.append((side, speaks))
    own = [(side, speaks) for side, speaks in own if np.count_nonzero(speaks) >= LEAST]
    if not own:
        return []
    at_once = np.sum([speaks for _, speaks in own], axis=0) >= 2
    if np.count_nonzero(at_once) * FRAME < TOGETHER * RATE:
        return []
    return [_only(side, foreign.get(id(side))) for side, _ in own]


def _heard_through(side: Window, other: Window, echoes: Frames) -> Frames:
    """The frames in which a side has no more of a voice than what comes through its microphone of the other one, by those in
    which it has nothing else.
    """
    if np.count_nonzero(echoes) < FEWEST:
        return np.zeros(len(side.voice), dtype=bool)
    softer = 10 * np.log10((_power_around(side) + 1e-10) / (_power_around(other) + 1e-10))
    through: Frames = near(other.voice >= QUIET, LATEST) & (softer <= np.median(softer[echoes]) + ABOVE)
    return through


def _only(side: Window, foreign: Frames | None) -> Window:
    """What a side says itself."""
    if foreign is None or not np.any(foreign):
        return side
    mine = np.convolve((side.voice >= SPEECH) & ~foreign, np.ones(2 * LEAST + 1), "same") > LEAST
    within = ~near(~near(mine, BETWEEN), BETWEEN)
    muted = foreign & ~near(within, LEAST)
    voice = np.where(muted, np.float32(0), side.voice)
    samples = np.where(np.repeat(muted, FRAME)[: len(side.samples)], np.float32(0), side.samples)
    return Window(side.start, samples, speech_spans(voice, len(samples)), voice, side.last)


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


def near(frames: Frames, reach: int) -> Frames:
    """The frames that are at most `reach` frames away from one of `frames`."""
    return np.convolve(np.pad(frames, reach), np.ones(2 * reach + 1), "valid") > 0.5


def _without(louder: Sequence[Window], side: Window) -> Window | None:
    """What a side says while those that bleed into it are quiet; None if that is less than TOGETHER."""
    sound = np.any([other.voice >= QUIET for other in louder], axis=0)
    voice = np.where(near(sound, LATEST_WORD), np.float32(0), side.voice)
    if np.count_nonzero(voice >= SPEECH) * FRAME < TOGETHER * RATE:
        return None
    return Window(side.start, side.samples, speech_spans(voice, len(side.samples)), voice, side.last)


def _echoes(one: Window, two: Window) -> tuple[Frames, Frames]:
    """The frames of each side in which it is only heard because it is the other one's echo."""
    of_one, of_two = np.zeros(len(one.voice), dtype=bool), np.zeros(len(two.voice), dtype=bool)
    both = (one.voice >= SPEECH) & (two.voice >= SPEECH)
    one_louder = _power_around(one) >= _power_around(two)
    _mark_echoes(of_two, two.samples, one.samples, both & one_louder)
    _mark_echoes(of_one, one.samples, two.samples, both & ~one_louder)
    return of_one, of_two


def _mark_echoes(found: Frames, softer: Samples, louder: Samples, where: Frames) -> None:
    """Set `found` in each STRETCH in which what the softer side has in the frames `where` is the louder one's sound."""
    for first in range(0, len(where), STRETCH):
        frames = where[first : first + STRETCH]
        if np.count_nonzero(frames) < FEWEST:
            continue
        before = min(first, LATEST_ECHO)
        part = slice((first - before) * FRAME, (first + STRETCH) * FRAME)
        there = np.repeat(np.concatenate((np.zeros(before, dtype=bool), frames)), FRAME)
        source = louder[part]
        if _alike(softer[part] * there[: len(source)], source) >= ECHO:
            found[first : first + STRETCH] = frames


def _power_around(side: Window) -> NDArray[np.float32]:
    """The power of each frame and of those before and after it by which an echo is late."""
    power = _power(side.samples)
    width = 2 * LATEST + 1
    return np.convolve(np.pad(power, LATEST), np.ones(width, dtype=np.float32), "valid")


def _alike(first: Samples, second: Samples) -> float:
    """The best correlation of two sounds of one length, at any delay at which their mix is not spoiled."""
    a, b = coarse(first), coarse(second)
    soft, loud = sorted((float(np.dot(a, a)), float(np.dot(b, b))))
    return best_correlation(a, b, (LATEST_ECHO if soft <= FAINT**2 * loud else LATEST) * FRAME)


def _loudness(samples: Samples) -> NDArray[np.float32]:
    """The root mean square of each FRAME, in decibels."""
    decibels: NDArray[np.float32] = 10 * np.log10(_power(samples) + 1e-10)
    return decibels


def _power(samples: Samples) -> NDArray[np.float32]:
    """The mean square of each FRAME."""
    padded = np.pad(samples, (0, -len(samples) % FRAME)).reshape(-1, FRAME)
    power: NDArray[np.float32] = np.mean(np.square(padded), axis=1)
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
