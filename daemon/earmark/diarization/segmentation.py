"""Where voices begin and end within ten seconds: pyannote's segmentation 3.0, which tells up to three apart, two at a time.

Bredin and Laurent, "Powerset multi-class cross entropy loss for neural speaker diarization" (2023). The voices of one window
have nothing to do with those of the next; who they are is found out elsewhere.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from earmark.transcription.engine import RATE, Samples

WINDOW = 10 * RATE
"""Samples that the model looks at."""

STEP = 5 * RATE
"""Samples between windows: of each its middle half counts, which is where the model sees what comes before and after."""

FRAMES, FRAME, FIRST = 589, 270, 495
"""Frames of a window, samples from one to the next, and the middle of the first (its receptive field has 991)."""

_CLASSES = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]], np.bool_)

Activity = NDArray[np.bool_]
"""Whether each of three voices speaks, shape (FRAMES, 3)."""


class Segmentation:
    """The model, loaded. `of` gives the same for the same window, always."""

    def __init__(self, file: Path, threads: int = 1) -> None:
        self._session = session(file, threads)

    def of(self, window: Samples) -> Activity:
        """Who speaks in a window of at most WINDOW samples; what is missing of it is silence."""
        padded = np.zeros((1, 1, WINDOW), np.float32)
        padded[0, 0, : len(window)] = window
        (answer,) = self._session.run(None, {"input": padded})
        found: Activity = _CLASSES[np.asarray(answer)[0].argmax(axis=1)]
        return found


def session(file: Path, threads: int):  # type: ignore[no-untyped-def]
    """An ONNX model, loaded, for so many threads."""
    os.environ["ORT_DISABLE_TELEMETRY"] = (
        "1"  # before the import: it reports to its makers unless told not to
    )
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.enable_cpu_mem_arena = False  # it keeps what the largest batch took
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def seconds(frame: int) -> float:
    """Where a frame of a window begins, in seconds from the window's start."""
    return (FIRST + (frame - 0.5) * FRAME) / RATE
