"""Whether each side of a call has a channel or a track of its own, told from the sound alone, and who speaks when. Pure.

A channel is a side where the others hold little of its voice and a voice of their own: that is told from how loud they are
against one another while somebody speaks. In a room all microphones hear everybody, about as loud.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from earmark.transcription.engine import RATE
from earmark.transcription.lanes import near
from earmark.transcription.windows import FRAME

Frames = NDArray[np.bool_]
"""One truth per FRAME, of one lane or of each."""

Decibels = NDArray[np.float32]
"""One level per FRAME, of one lane or of each."""

PER_SECOND = RATE / FRAME

APART = 10.0
"""Decibels by which a side is louder than another one while it speaks: crosstalk of real recorders lies 20 dB and more below
a voice, what two microphones in a room hear of one voice differs by less."""

MOSTLY = 0.6
"""Share of the time with a voice in which one of two sides is louder by that much: else they are no sides."""

HOPELESS = 0.3
"""The same share below which two channels are not looked at again."""

LEAST, FAIR = 2.0, 0.01
"""Seconds that a side speaks at least, and the share of all speech; else it is one that listens, or clatters."""

VOICED = 0.1
"""Share of the time in which a side is the loud one that the detector takes for a voice at least. It takes so little of a
man's over a telephone without anything below 300 Hz."""

LATEST = 6
"""Frames by which what comes through may be late."""

SMOOTH = 5
"""Frames over which levels are taken: a syllable."""

FLOOR, NOISE = 5.0, 1.5
"""Percentile of its levels that is a channel's noise, and how often this is taken away."""

NOTHING = -60.0
"""Decibels below its voice at which a side counts as silent."""

SOFTEST = -30.0
"""Decibels below its voice down to which a side that is not the loudest can be speaking."""

ABOVE = 6.0
"""Decibels above what comes through of the others from which a side has a voice of its own."""

SCALES = (1.0, 0.0, 0.5)
"""What is tried where one voice is softer than the other: they may have been recorded so, or made so later, each with what
comes through of the other."""

ELSEWHERE = 0.05
"""Share of the speech that lanes may have that are no sides: a mix of all, the other channel of a microphone."""

MOST_OF_IT = 75.0
"""Percentile of how loud one lane is while another speaks that stands for what comes through."""

MOMENT, BRIEF = 5, 2
"""Half the frames of a gap in what somebody says, and of what is too short to be said."""

SILENT = -90.0
"""Decibels under which there is nothing at all."""

SAME, LONGEST_DELAY, STEP = 0.5, 60.0, 4
"""Correlation of what two channels' levels do from which one is a later copy of the other; seconds by which it may be late;
frames that are taken together for it."""


@dataclass(frozen=True, slots=True)
class Sides:
    """What was heard of each lane of a recording, shape (lanes, frames): levels in decibels of full scale, and where the
    detector of voice hears at least a quiet one.
    """

    levels: Decibels
    voice: Frames


@dataclass(frozen=True, slots=True)
class Call:
    """A recording in which each side has a lane. `active`: which side speaks, shape (sides, frames), in order of lanes."""

    active: Frames


def call_in(sides: Sides, speech: Frames) -> Call | None:
    """The call that the recording is, if it is one. `speech`: where anybody speaks."""
    lanes = range(len(sides.levels))
    if len(lanes) < 2:
        return None
    measured = _Measured(sides, speech)
    for scale in SCALES:
        compared = _Compared(measured, scale)
        for count in range(len(lanes), 1, -1):
            for chosen in combinations(lanes, count):
                if compared.are_sides(chosen):
                    return Call(_active(compared, chosen))
    return None


def hopeless(sides: Sides) -> bool:
    """Whether no two lanes can be sides, whatever comes."""
    measured = _Measured(sides, np.zeros(sides.voice.shape[1], np.bool_))
    pairs = list(combinations(range(len(sides.levels)), 2))
    compared = [_Compared(measured, scale) for scale in SCALES]
    return bool(pairs) and all(one.share(a, b) < HOPELESS for a, b in pairs for one in compared)


class _Measured:
    """The lanes of a recording, each for itself. `below`: its levels against its own voice."""

    def __init__(self, sides: Sides, speech: Frames) -> None:
        self.voice = sides.voice
        self.speech: Frames = speech | sides.voice.any(axis=0)
        levels = np.array([_denoised(row) for row in sides.levels], np.float32)
        self.loud = np.array(
            [_loudest(row, self.speech, voice) for row, voice in zip(levels, sides.voice, strict=True)],
            np.float32,
        )
        self.below: Decibels = np.maximum(levels - self.loud[:, None], NOTHING)


class _Compared:
    """The lanes against one another, of a softer one as much louder as `scale` says: 1 makes all voices equally loud."""

    def __init__(self, measured: _Measured, scale: float) -> None:
        self.measured = measured
        self.levels: Decibels = measured.below + (1.0 - scale) * measured.loud[:, None]
        self.around = np.array([_around(row) for row in self.levels], np.float32)

    def louder(self, one: int, others: Sequence[int]) -> Frames:
        """Where somebody speaks and a lane is the louder one by far."""
        most = self.around[list(others)].max(axis=0)
        found: Frames = self.measured.speech & (self.levels[one] >= most + APART)
        return found

    def share(self, one: int, other: int) -> float:
        """Share of the speech in which either lane is the louder one by far."""
        heard = self.measured.speech & (self.measured.below[[one, other]].max(axis=0) > SOFTEST)
        apart = (self.louder(one, [other]) | self.louder(other, [one])) & heard
        return int(np.count_nonzero(apart)) / max(1, int(np.count_nonzero(heard)))

    def are_sides(self, chosen: Sequence[int]) -> bool:
        """Whether each of these lanes is a side, and no other lane has speech that they do not have."""
        if not all(self._two(a, b) for a, b in combinations(chosen, 2)):
            return False
        speech = np.count_nonzero(self.measured.speech)
        rest = [lane for lane in range(len(self.levels)) if lane not in chosen]
        return all(np.count_nonzero(self.louder(lane, chosen)) <= ELSEWHERE * speech for lane in rest)

    def _two(self, one: int, other: int) -> bool:
        return (
            self.share(one, other) >= MOSTLY
            and self._speaks(one, other)
            and self._speaks(other, one)
            and not _same(self.measured.below[one], self.measured.below[other])
        )

    def _speaks(self, one: int, other: int) -> bool:
        own = self.louder(one, [other])
        seconds = _seconds(own)
        voiced = _seconds(own & self.measured.voice[one])
        least = max(LEAST, FAIR * _seconds(self.measured.speech))
        return seconds >= least and voiced >= VOICED * seconds


def _active(compared: _Compared, chosen: Sequence[int]) -> Frames:
    """Where each of the chosen lanes speaks."""
    measured, lanes = compared.measured, list(chosen)
    levels, around, below = compared.levels[lanes], compared.around[lanes], measured.below[lanes]
    first = levels.argmax(axis=0)
    found = np.zeros(levels.shape, np.bool_)
    for one in range(len(lanes)):
        own = np.ones(levels.shape[1], np.bool_)
        for other in (n for n in range(len(lanes)) if n != one):
            alone = compared.louder(lanes[other], [lanes[one]]) & (below[other] >= -APART)
            through = (
                np.percentile((levels[one] - around[other])[alone], MOST_OF_IT) if alone.any() else NOTHING
            )
            own &= levels[one] >= around[other] + through + ABOVE
        found[one] = _whole(measured.speech & (below[one] > SOFTEST) & (own | (first == one)))
    return found


def _seconds(frames: Frames) -> float:
    return int(np.count_nonzero(frames)) / PER_SECOND


def _whole(frames: Frames) -> Frames:
    """The frames without gaps of a moment, and then without what lasts no longer."""
    filled = ~near(~near(frames, MOMENT), MOMENT)
    return near(~near(~filled, BRIEF), BRIEF)


def _denoised(levels: Decibels) -> Decibels:
    """Levels over a syllable, without a noise that is always there."""
    power = np.convolve(10.0 ** (levels.astype(np.float64) / 10), np.full(SMOOTH, 1 / SMOOTH), "same")
    sounds = power[levels > SILENT]
    noise = NOISE * float(np.percentile(sounds, FLOOR)) if len(sounds) else 0.0
    return (10 * np.log10(np.maximum(power - noise, 1e-12))).astype(np.float32)


def _loudest(levels: Decibels, speech: Frames, voice: Frames) -> float:
    """How loud a lane's own voice is: what comes through of others is softer than its loudest moments."""
    heard = np.sort(levels[voice] if _seconds(voice) >= LEAST else levels[speech])
    loudest = int(max(LEAST * PER_SECOND, 2 * FAIR * len(heard)))
    return float(heard[max(0, len(heard) - 1 - loudest)]) if len(heard) else 0.0


def _around(levels: Decibels) -> Decibels:
    """The loudest of the frames around each."""
    padded = np.pad(levels, LATEST, mode="edge")
    found: Decibels = np.lib.stride_tricks.sliding_window_view(padded, 2 * LATEST + 1).max(axis=1)
    return found


def _same(one: Decibels, other: Decibels) -> bool:
    """Whether the voice in one lane is that in the other, at whatever delay up to LONGEST_DELAY."""
    a, b = _changes(one), _changes(other)
    power = float(np.sqrt(np.dot(a, a) * np.dot(b, b)))
    shift = min(len(a) - 1, round(LONGEST_DELAY * PER_SECOND / STEP))
    if power == 0.0 or shift < 1:
        return False
    size = 1 << (len(a) + shift).bit_length()
    found = np.fft.irfft(np.fft.rfft(a, size) * np.conj(np.fft.rfft(b, size)), size)
    return float(np.concatenate((found[: shift + 1], found[-shift:])).max()) >= SAME * power


def _changes(below: Decibels) -> NDArray[np.float64]:
    """How a lane's level changes from word to word, where it is loud enough to be a voice of its own."""
    length = len(below) // STEP
    heard = np.clip(below[: length * STEP].astype(np.float64), -APART, 0.0).reshape(length, STEP).mean(axis=1)
    if not length:
        return np.zeros(0)
    turn = round(2 * PER_SECOND / STEP)
    around = np.pad(heard, (turn // 2, turn - turn // 2 - 1), mode="edge")
    changes: NDArray[np.float64] = heard - np.convolve(around, np.full(turn, 1 / turn), "valid")
    return changes
