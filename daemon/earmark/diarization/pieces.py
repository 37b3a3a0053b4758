"""Windows of sound become pieces of speech of one voice each, short enough that nobody else is in them, with prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from earmark.diarization.encoder import Encoder, Frames, Prints
from earmark.diarization.features import HOP, PER_SECOND, TRANSFORM, Channel, bands, frames_in
from earmark.diarization.segmentation import (
    FIRST,
    FRAME,
    FRAMES,
    STEP,
    WINDOW,
    Activity,
    Segmentation,
    seconds,
)
from earmark.transcription.engine import RATE, Samples

LONGEST = 2.0
"""Seconds. What the model takes for one voice of a window is two people now and then (half of the speech where four-second
turns were mixed); in pieces of at most this length it never was, but where people talked over one another (mixes of ten
readers, tests/mixes.py)."""

SHORTEST = 0.3
"""Seconds of a piece that is given a print; what is shorter goes with its neighbors."""

SETTLES = 600.0
"""Seconds of speech from which the channel of a recording counts as known."""

STRETCH = 60
"""Windows between checkpoints: five minutes."""

MOST = 2_000
"""Pieces of a stretch that has lasted that long: ten minutes of speech, or twenty of short remarks."""

_MIDDLE = (FRAMES // 4, FRAMES - FRAMES // 4 - 1)
"""Frames of a window that count; its neighbors have the rest."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Speech of one voice. `start`, `end`: seconds of the recording; `window`, `voice`: which of the local voices."""

    start: float
    end: float
    window: int
    voice: int

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Both:
    """Two voices of a window at the same time."""

    start: float
    end: float
    window: int
    voices: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Stretch:
    """What was found in some windows in a row. `windows`: how many are done, from the recording's start; `prints` has a row
    for each of `pieces`, of zeros for what is shorter than SHORTEST; `mean`: the channel's, with which they were made;
    `above`: how much louder speech is than what is between.
    """

    windows: int
    pieces: tuple[Piece, ...]
    both: tuple[Both, ...]
    prints: Prints
    mean: NDArray[np.float64]
    above: float | None = None


def stretches(
    blocks: Iterable[Samples],
    segmentation: Segmentation,
    encoder: Encoder,
    done: int = 0,
    mean: NDArray[np.float64] | None = None,
    above: float | None = None,
) -> Iterator[Stretch]:
    """What is found in a recording, five minutes at a time, after the `done` windows that are known already.

    Prints wait until the channel is known, so that the first stretch may be a long one. `mean`, `above`: as an earlier call
    found them.
    """
    channel, found = Channel(mean, above), _Found(encoder)
    settled = mean is not None
    for number, window, last in windows(blocks):
        if number < done:
            continue
        found.add(number, window, segmentation.of(window), channel, last=last)
        settled = settled or channel.frames >= SETTLES * PER_SECOND or found.count >= MOST
        if last or (settled and found.windows >= STRETCH):
            yield found.told(number + 1, channel)
            found = _Found(encoder)


def windows(blocks: Iterable[Samples]) -> Iterator[tuple[int, Samples, bool]]:
    """Number, samples and whether it is the last, of each window of the recording. The last ones may be short."""
    held = np.zeros(0, np.float32)
    number = 0
    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) > WINDOW:
            yield number, held[:WINDOW], False
            held, number = held[STEP:], number + 1
    if len(held) or not number:
        yield number, held, True


class _Found:
    """Pieces whose prints wait for the channel."""

    def __init__(self, encoder: Encoder) -> None:
        self.windows = 0
        self._encoder = encoder
        self._pieces: list[Piece] = []
        self._speech: list[Frames] = []
        self._both: list[Both] = []

    @property
    def count(self) -> int:
        return len(self._pieces)

    def add(self, number: int, window: Samples, activity: Activity, channel: Channel, *, last: bool) -> None:
        self.windows += 1
        found, both = cut(number, activity, len(window) / RATE, last=last)
        self._both += both
        if not found:
            return
        whole = np.concatenate([window, np.zeros(TRANSFORM, np.float32)])
        offset, frames = number * STEP / RATE, frames_in(whole, TRANSFORM)
        spans = [_within(piece.start - offset, piece.end - offset, frames) for piece in found]
        # What lies around the pieces is not transformed, which is half of a window at least.
        before, until = min(first for first, _ in spans), max(end for _, end in spans)
        part = whole[before * HOP : (until - 1) * HOP + TRANSFORM]
        heard = bands(part)
        given = self._encoder.frames(part, heard)
        channel.add_between(heard[_nobody(activity, before, len(heard))])
        for piece, (first, end) in zip(found, spans, strict=True):
            channel.add(heard[first - before : end - before])
            self._pieces.append(piece)
            self._speech.append(given[first - before : end - before])

    def told(self, done: int, channel: Channel) -> Stretch:
        long_enough = [n for n, piece in enumerate(self._pieces) if piece.seconds >= SHORTEST]
        found = self._encoder.prints([self._speech[n] for n in long_enough], channel)
        prints = np.zeros((len(self._pieces), found.shape[1]), np.float32)
        prints[long_enough] = found
        return Stretch(done, tuple(self._pieces), tuple(self._both), prints, channel.mean, channel.above)


def cut(number: int, activity: Activity, length: float, *, last: bool) -> tuple[list[Piece], list[Both]]:
    """The pieces of the middle of a window (of the whole, at the recording's ends), and where two speak. Pure.

    `length`: seconds of sound in the window.
    """
    first = 0 if number == 0 else _MIDDLE[0]
    end = FRAMES if last else _MIDDLE[1]
    count, offset = activity.sum(axis=1), number * STEP / RATE
    # 0-2: one voice; 3-5: two of them; -1: nobody, or not ours.
    state = np.where(
        count == 1, activity.argmax(axis=1), np.where(count == 2, 3 + (~activity).argmax(axis=1), -1)
    )
    state[:first], state[end:] = -1, -1
    pieces: list[Piece] = []
    both: list[Both] = []
    for begin, until in _runs(state):
        start, stop = max(0.0, seconds(begin)), min(length, seconds(until))
        if stop - start <= 0:
            continue
        what = int(state[begin])
        if what < 3:
            pieces += _shared(start + offset, stop + offset, number, what)
        else:
            silent = what - 3
            both.append(Both(start + offset, stop + offset, number, _others(silent)))
    return pieces, both


def _runs(state: NDArray[np.int64]) -> Sequence[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[-1], state, [-1]])))
    return [(int(a), int(b)) for a, b in pairwise(edges) if state[a] >= 0]


def _shared(start: float, end: float, window: int, voice: int) -> list[Piece]:
    """A run in equal pieces."""
    marks = np.linspace(start, end, 1 + max(1, round((end - start) / LONGEST)))
    return [Piece(float(a), float(b), window, voice) for a, b in pairwise(marks)]


def _others(silent: int) -> tuple[int, int]:
    one, other = (voice for voice in range(3) if voice != silent)
    return one, other


def _nobody(activity: Activity, first: int, count: int) -> NDArray[np.bool_]:
    """In which of so many frames of bands, from the first, nobody speaks."""
    middle = (first + np.arange(count)) * HOP + TRANSFORM // 2
    silent: NDArray[np.bool_] = np.asarray(activity.sum(axis=1) == 0, np.bool_)
    quiet: NDArray[np.bool_] = silent[np.clip((middle - FIRST) // FRAME, 0, FRAMES - 1)]
    return quiet


def _within(start: float, end: float, frames: int) -> tuple[int, int]:
    """The frames of bands of a piece; of a short one with what is around it, as the encoder needs some."""
    least = 80
    first, until = int(start * RATE / HOP), int(end * RATE / HOP)
    if until - first < least:
        first = max(0, min((first + until - least) // 2, frames - least))
        until = first + least
    return first, min(until, frames)
