"""What is known of the voices of a recording so far, as it is said and kept, and back again. Pure.

Prints are rounded to 16 bits at once, so that a recording that was gone on with is told apart like any other.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from earmark.diarization.encoder import Prints
from earmark.diarization.pieces import Both, Piece, Stretch
from earmark.messages import Stretch as Told
from earmark.messages import VoicePrint


def told(job: int, stretch: Stretch, upto: float) -> Told:
    """A stretch as a message. `upto`: seconds up to which the recording is read."""
    return Told(
        job=job,
        windows=stretch.windows,
        upto=upto,
        pieces=tuple((p.start, p.end, p.window, p.voice) for p in stretch.pieces),
        both=tuple((b.start, b.end, b.window, *b.voices) for b in stretch.both),
        size=stretch.prints.shape[1],
        prints=base64.b64encode(stretch.prints.astype("<f2").tobytes()).decode(),
        mean=tuple(float(band) for band in stretch.mean),
        above=stretch.above,
    )


def known(message: Told) -> Stretch:
    """The stretch of a message. Raises ValueError for one that is none."""
    numbers = np.frombuffer(base64.b64decode(message.prints, validate=True), "<f2").astype(np.float32)
    prints = np.nan_to_num(numbers).reshape(len(message.pieces), message.size)
    return Stretch(
        message.windows,
        tuple(Piece(*piece) for piece in message.pieces),
        tuple(Both(start, end, window, (one, other)) for start, end, window, one, other in message.both),
        prints,
        np.array(message.mean, np.float64),
        message.above,
    )


class Kept:
    """All stretches of a recording together."""

    def __init__(self, done: Iterable[Told] = ()) -> None:
        self.windows = 0
        self.mean: NDArray[np.float64] | None = None
        self.above: float | None = None
        self.pieces: list[Piece] = []
        self.both: list[Both] = []
        self._prints: list[Prints] = []
        for message in done:
            self.add(message)

    def add(self, message: Told) -> None:
        stretch = known(message)
        self.windows, self.mean, self.above = stretch.windows, stretch.mean, stretch.above
        self.pieces += stretch.pieces
        self.both += stretch.both
        self._prints.append(stretch.prints)

    @property
    def prints(self) -> Prints:
        """A row for each piece."""
        return np.concatenate(self._prints) if self._prints else np.zeros((0, 1), np.float32)


def voices(prints: Prints, seconds: Iterable[float]) -> tuple[VoicePrint, ...]:
    """The print of each person, a row each, as it is told."""
    rows = [base64.b64encode(row.astype("<f4").tobytes()).decode() for row in prints]
    return tuple(VoicePrint(print=row, seconds=s) for row, s in zip(rows, seconds, strict=True))
