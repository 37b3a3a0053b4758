"""Plain faster-whisper on several files, one after the other, in a process of its own: what there would be without earmark.

    python benchmarks/measuring/library.py MODEL_DIR default|voice|batched < LIST OF FILES

`default`: `transcribe(FILE)` as it is. `voice`: with voice detection, and no text carried over to the next window.
`batched`: `BatchedInferencePipeline` with 8 windows. All in English, with the library's own number of threads. Prints one
JSON object: `wall` and `cpu`, seconds of the whole process but the start of Python; `peak`, bytes; `texts`, one a file.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

WINDOWS = 8
"""Windows in a batch: what the library has where nobody says."""


def _way(model: Any, way: str) -> Callable[[str], str]:
    from faster_whisper import BatchedInferencePipeline

    batched = BatchedInferencePipeline(model)

    def hear(file: str) -> str:
        if way == "batched":
            segments, _ = batched.transcribe(file, language="en", batch_size=WINDOWS)
        elif way == "voice":
            segments, _ = model.transcribe(
                file, language="en", vad_filter=True, condition_on_previous_text=False
            )
        else:
            segments, _ = model.transcribe(file, language="en")
        return " ".join(segment.text.strip() for segment in segments)

    return hear


def main(model_dir: str, way: str) -> None:
    """Transcribe what stands in the standard input."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.nice(10)  # as earmark's workers, or a busy machine would treat the two differently
    began = time.perf_counter()
    from faster_whisper import WhisperModel

    hear = _way(WhisperModel(model_dir, compute_type="int8"), way)
    texts = [hear(file) for file in sys.stdin.read().splitlines()]
    usage = resource.getrusage(resource.RUSAGE_SELF)
    json.dump(
        {
            "wall": time.perf_counter() - began,
            "cpu": usage.ru_utime + usage.ru_stime,
            "peak": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
            "texts": texts,
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
