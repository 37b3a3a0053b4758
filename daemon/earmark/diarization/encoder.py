"""What a voice sounds like as numbers: voices of one person lie close together. Another encoder stands in by `Encoder`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from earmark.diarization.features import BANDS, Bands
from earmark.diarization.segmentation import session

Prints = NDArray[np.float32]
"""One print a row, of length 1; their dot product is the likeness of two voices, from -1 to 1."""


class Encoder(Protocol):
    """A speaker encoder with its model loaded."""

    @property
    def size(self) -> int:
        """Numbers of a print."""

    def prints(self, speech: Sequence[Bands]) -> Prints:
        """A print for each stretch of speech, whatever its length."""


class DVector:
    """Encoder of stretches of 0.8 s, of which a longer one is the mean (Wan and others, "Generalized end-to-end loss for
    speaker verification", 2018).
    """

    FRAMES = 80
    STRIDE = 40
    BATCH = 16
    """Stretches at once: with 64 it takes no less time, and twice the memory."""
    size = 256

    def __init__(self, file: Path, threads: int = 1) -> None:
        self._session = session(file, threads)

    def prints(self, speech: Sequence[Bands]) -> Prints:
        owners: list[int] = []
        windows: list[Bands] = []
        for number, frames in enumerate(speech):
            long_enough = frames if len(frames) >= self.FRAMES else _repeated(frames, self.FRAMES)
            rest = len(long_enough) - self.FRAMES
            for start in np.unique(np.linspace(0, rest, 1 + round(rest / self.STRIDE)).round().astype(int)):
                windows.append(long_enough[start : start + self.FRAMES])
                owners.append(number)
        found = np.zeros((len(speech), self.size), np.float32)
        for at in range(0, len(windows), self.BATCH):
            batch = np.stack(windows[at : at + self.BATCH])
            (answer,) = self._session.run(None, {"mel_window": batch})
            np.add.at(found, owners[at : at + self.BATCH], unit(np.asarray(answer, np.float32)))
        return unit(found)


def unit(rows: Prints) -> Prints:
    """Each row with the length 1; rows of nothing stay what they are."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Prints = (rows / np.where(length > 0, length, 1.0)).astype(np.float32)
    return scaled


def _repeated(frames: Bands, wanted: int) -> Bands:
    if not len(frames):
        return np.zeros((wanted, BANDS), np.float32)
    return np.tile(frames, (-(-wanted // len(frames)), 1))[:wanted]
