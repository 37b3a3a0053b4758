"""What larger speaker encoders are given: the logarithms of 80 of Kaldi's filter banks every 10 ms. Pure.

The form is Kaldi's `compute-fbank-feats` with 80 bins and without dither (src/feat/feature-window.cc, feature-fbank.cc and
mel-computations.cc of https://github.com/kaldi-asr/kaldi), as torchaudio.compliance.kaldi.fbank and kaldi-native-fbank
compute it: frames of 25 ms that lie in the samples wholly, of each its mean taken away, a pre-emphasis of 0.97, a window, a
transform of 512, and triangles on the mel scale of HTK from 20 Hz to half of the rate. Tested against kaldi-native-fbank.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from earmark.diarization.features import framed, frames_in
from earmark.transcription.engine import RATE, Samples

FilterBanks = NDArray[np.float32]
"""Natural logarithm of the energy in each bank, shape (frames, 80)."""

WINDOW, TRANSFORM, BANKS = 400, 512, 80
"""Samples of a frame and in its transform; filter banks. Frames begin where those of the other features do."""

PREEMPHASIS, LOWEST = 0.97, 20.0
"""Kaldi's defaults: of a sample so much of the one before it is taken away; the first bank begins at so many hertz."""

FLOOR = float(np.finfo(np.float32).eps)
"""Energies are taken for this at least, before their logarithm: torchaudio and Kaldi do the same."""


@dataclass(frozen=True, slots=True)
class Toolkit:
    """Where toolkits differ: the window, and the number of which a sample of full scale is."""

    window: Literal["povey", "hamming"]
    scale: float


SPEAKER_3D = Toolkit("povey", 1.0)
"""3D-Speaker's models (CAM++, ERes2Net): torchaudio's defaults on samples up to 1 (speakerlab/process/processor.py)."""

WESPEAKER = Toolkit("hamming", 32_768.0)
"""WeSpeaker's (ResNet, ECAPA, its CAM++): a Hamming window on 16-bit samples (wespeaker/bin/infer_onnx.py)."""


def filter_banks(samples: Samples, toolkit: Toolkit) -> FilterBanks:
    """The banks of each frame that fits into the samples."""
    found = np.empty((frames_in(samples, WINDOW), BANKS), np.float32)
    for at, cut in framed(samples, WINDOW):
        frame = cut.astype(np.float64) * toolkit.scale
        frame -= frame.mean(axis=1, keepdims=True)
        before = np.concatenate([frame[:, :1], frame[:, :-1]], axis=1)
        spectrum = np.fft.rfft((frame - PREEMPHASIS * before) * _window(toolkit.window), TRANSFORM, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        found[at : at + len(cut)] = np.log(np.maximum(power @ _banks().T, FLOOR))
    return found


def centered(speech: FilterBanks) -> FilterBanks:
    """The same with a mean of 0 in each bank, as both toolkits do it to what they give to a model."""
    found: FilterBanks = speech - speech.mean(axis=0, keepdims=True) if len(speech) else speech
    return found


@functools.cache
def _window(kind: Literal["povey", "hamming"]) -> NDArray[np.float64]:
    """Povey's is Hann's to the power of 0.85."""
    cosine = np.cos(2 * np.pi * np.arange(WINDOW) / (WINDOW - 1))
    found: NDArray[np.float64] = (0.5 - 0.5 * cosine) ** 0.85 if kind == "povey" else 0.54 - 0.46 * cosine
    return found


@functools.cache
def _banks() -> NDArray[np.float64]:
    """Triangles between points that are equally far apart in mels, with sides that are straight in mels, too."""
    edges = np.linspace(_mels(LOWEST), _mels(RATE / 2), BANKS + 2)
    at = _mels(np.arange(TRANSFORM // 2 + 1, dtype=np.float64) * (RATE / TRANSFORM))
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    found = np.maximum(0.0, np.minimum((at - low) / (middle - low), (high - at) / (high - middle)))
    found[:, -1] = 0.0  # Kaldi leaves out the last of a transform
    return found


def _mels(hertz: float | NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1127.0 * np.log1p(np.asarray(hertz) / 700.0))
