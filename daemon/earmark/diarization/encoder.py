"""What a voice sounds like as numbers: voices of one person lie close together. Another encoder stands in by `Encoder`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from earmark.diarization.features import Bands, Channel
from earmark.diarization.likeness import D_VECTOR, D_VECTOR_NARROW, Likeness
from earmark.diarization.segmentation import session
from earmark.transcription.engine import Samples

Prints = NDArray[np.float32]
"""One print a row, of length 1; their dot product is the likeness of two voices, from -1 to 1."""

Frames = NDArray[np.float32]
"""What an encoder is given of every 10 ms, shape (frames, numbers)."""


class Encoder(Protocol):
    """A speaker encoder with its model loaded."""

    @property
    def name(self) -> str:
        """What it is, in a few words."""

    def likeness(self, *, narrow: bool) -> Likeness:
        """What the likenesses of its prints mean; `narrow`: of voices that were heard over a telephone."""

    def frames(self, window: Samples, heard: Bands) -> Frames:
        """What it is given of a window, of which `heard` are the bands."""

    def prints(self, speech: Sequence[Frames], channel: Channel) -> Prints:
        """A print for each stretch of speech, whatever its length; all of them were heard over the channel."""


class DVector:
    """Encoder of stretches of 0.8 s, of which a longer one is the mean (Wan and others, "Generalized end-to-end loss for
    speaker verification", 2018).
    """

    FRAMES = 80
    STRIDE = 40
    BATCH = 16
    """Stretches at once: with 64 it takes no less time, and twice the memory."""
    size = 256
    name = "d-vector"

    def __init__(self, file: Path, threads: int = 1) -> None:
        self._session = session(file, threads)
        taken = self._session.get_inputs()[0]
        self._input, self._batch = taken.name, 1 if taken.shape[:1] == [1] else self.BATCH

    def likeness(self, *, narrow: bool) -> Likeness:
        return D_VECTOR_NARROW if narrow else D_VECTOR

    def frames(self, window: Samples, heard: Bands) -> Frames:
        return heard

    def prints(self, speech: Sequence[Frames], channel: Channel) -> Prints:
        owners: list[int] = []
        windows: list[Frames] = []
        for number, heard in enumerate(speech):
            for window in windows_of(channel.undone(heard), self.FRAMES, self.STRIDE):
                windows.append(window)
                owners.append(number)
        found = np.zeros((len(speech), self.size), np.float32)
        for at in range(0, len(windows), self._batch):
            batch = np.stack(windows[at : at + self._batch])
            (answer,) = self._session.run(None, {self._input: batch})
            np.add.at(found, owners[at : at + self._batch], unit(np.asarray(answer, np.float32)))
        return unit(found)


def windows_of(frames: Frames, wanted: int, stride: int) -> list[Frames]:
    """So many frames each, about so far apart, evenly over all; where there are fewer they are repeated."""
    frames = repeated(frames, wanted)
    rest = len(frames) - wanted
    starts = np.unique(np.linspace(0, rest, 1 + round(rest / stride)).round().astype(int))
    return [frames[start : start + wanted] for start in starts.tolist()]


def repeated(frames: Frames, least: int) -> Frames:
    """The frames, again and again until there are so many, if there are fewer; of none silence."""
    if len(frames) >= least:
        return frames
    if not len(frames):
        return np.zeros((least, frames.shape[1]), np.float32)
    return np.tile(frames, (-(-least // len(frames)), 1))[:least]


def unit(rows: Prints) -> Prints:
    """Each row with the length 1; rows of nothing stay what they are."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Prints = (rows / np.where(length > 0, length, 1.0)).astype(np.float32)
    return scaled
