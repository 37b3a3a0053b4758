"""The detector of voice, which needs no speech model: Silero's, as it comes with faster-whisper."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from earmark.transcription.engine import Samples
from earmark.transcription.windows import FRAME

INAUDIBLE = 1e-4
"""Peak, of full scale, under which a window is silence without asking the detector: three steps of a 16-bit sample."""


class VoiceDetector:
    """The probability that somebody speaks, for each started 512 samples (32 ms)."""

    def __init__(self) -> None:
        os.environ["HF_HUB_OFFLINE"] = "1"
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before the import, as in whisper.py
        from faster_whisper.vad import get_vad_model

        self._model = get_vad_model()

    def __call__(self, samples: Samples) -> NDArray[np.float32]:
        frames = -(-len(samples) // FRAME)
        if frames == 0 or float(np.max(np.abs(samples))) < INAUDIBLE:
            return np.zeros(frames, dtype=np.float32)
        padded = np.zeros(frames * FRAME, dtype=np.float32)  # a copy: the detector writes into its input
        padded[: len(samples)] = samples
        return np.asarray(self._model(padded), dtype=np.float32).reshape(-1)[:frames]
