"""What each channel of a recording holds, moment by moment: how loud it is, and whether there is a voice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from earmark.diarization.calls import PER_SECOND, Call, Decibels, Frames, Sides, call_in, hopeless
from earmark.transcription.container import OpenRecording
from earmark.transcription.decode import SILENCE
from earmark.transcription.engine import Samples
from earmark.transcription.lanes import Lane
from earmark.transcription.leveling import MOST_GAIN, NOTHING, WANTED, loudest_second
from earmark.transcription.mixing import Channels
from earmark.transcription.windows import FRAME, QUIET, Voice

Number = TypeVar("Number", np.float32, np.bool_)

MOST_LANES = 8
"""Channels of all tracks together among which sides are looked for; what has more is a stage, or a film."""

BEFORE = 31
"""Frames before those that count that the detector of voice is given: a second, so that it knows what it hears."""

FIRST_LOOK = 120.0
"""Seconds of voice after which it is looked whether this can be a call, and again after each doubling."""


class Heard:
    """Levels and voice of each lane of a recording, until it is clear that it is no call; for `Decoder`'s `heed`."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._loudest: dict[Lane, float] = {}
        self._told: list[tuple[int, dict[Lane, tuple[Decibels, Frames]]]] = []
        self._samples = self._frames = 0
        self._voiced, self._look = 0.0, FIRST_LOOK
        self._clear = False

    def add(self, tracks: Sequence[Channels], core: slice) -> None:
        """The next samples `core` of all channels of all tracks."""
        self._samples += core.stop - core.start
        frames = round(self._samples / FRAME) - self._frames  # parts of a recording end within a frame
        self._frames += frames
        if self._clear:
            return
        told: dict[Lane, tuple[Decibels, Frames]] = {}
        for number, track in enumerate(tracks):
            for channel, sound in enumerate(track):
                if (level := loudest_second(sound[core])) >= NOTHING:
                    told[number, channel] = self._of((number, channel), sound, core, level, frames)
        self._told.append((frames, told))
        if told:
            self._voiced += np.count_nonzero(np.any([v for _, v in told.values()], axis=0)) / PER_SECOND
        if self._voiced >= self._look or len(self._loudest) > MOST_LANES:
            self._look *= 2
            self._clear = len(self._loudest) > MOST_LANES or hopeless(self._sides())
            if self._clear:
                self._told.clear()

    def call(self, spoken: Iterable[tuple[float, float]]) -> Call | None:
        """The call that the recording is, if it is one. `spoken`: the seconds from and until which anybody speaks."""
        if self._clear:
            return None
        speech = np.zeros(self._frames, np.bool_)
        for start, end in spoken:
            speech[round(start * PER_SECOND) : round(end * PER_SECOND)] = True
        return call_in(self._sides(), speech)

    def _of(
        self, lane: Lane, sound: Samples, core: slice, level: float, frames: int
    ) -> tuple[Decibels, Frames]:
        self._loudest[lane] = loudest = max(level, self._loudest.get(lane, 0.0))
        gain = np.float32(min(MOST_GAIN, max(1.0, WANTED / loudest)))
        before = min(BEFORE, core.start // FRAME)
        louder = np.clip(sound[core.start - before * FRAME : core.stop] * gain, -1.0, 1.0)
        voice = self._voice(louder)[before:] >= QUIET
        return _fit(decibels(sound[core]), frames, SILENCE), _fit(voice, frames, False)

    def _sides(self) -> Sides:
        """Everything that was heard so far; a lane that was silent or not there for a time has no voice then."""
        lanes = sorted({lane for _, told in self._told for lane in told})
        levels = np.full((len(lanes), self._frames), SILENCE, np.float32)
        voice = np.zeros((len(lanes), self._frames), np.bool_)
        at = 0
        for frames, told in self._told:
            for lane, (loud, speaks) in told.items():
                levels[lanes.index(lane), at : at + frames] = loud
                voice[lanes.index(lane), at : at + frames] = speaks
            at += frames
        return Sides(levels, voice)


def decibels(sound: Samples) -> NDArray[np.float32]:
    """The power of each FRAME, the last one filled up with silence."""
    padded = np.pad(sound, (0, -len(sound) % FRAME)).reshape(-1, FRAME)
    power: NDArray[np.float32] = 10 * np.log10(np.mean(np.square(padded), axis=1) + 10 ** (SILENCE / 10))
    return power


def _fit(values: NDArray[Number], frames: int, fill: float) -> NDArray[Number]:
    return np.pad(values[:frames], (0, max(0, frames - len(values))), constant_values=fill)


def channels_of(recording: OpenRecording) -> int:
    """Channels of all tracks that are heard, as far as the container says it."""
    return sum(max(1, track.stream.codec_context.channels) for track in recording.tracks)
