"""Plain faster-whisper on one file, in a process of its own: what there would be without earmark.

    python benchmarks/measuring/plain.py MODEL_DIR THREADS FILE      (THREADS 0: the library's default)

Prints one JSON object: seconds to import and load, seconds to transcribe, processor seconds, peak memory, the text.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time


def main(model_dir: str, threads: str, file: str) -> None:
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.nice(10)  # as earmark's workers, or a busy machine would treat the two differently
    began = time.perf_counter()
    from faster_whisper import WhisperModel

    model = WhisperModel(model_dir, compute_type="int8", cpu_threads=int(threads))
    loaded = time.perf_counter()
    cpu_loaded = time.process_time()
    segments, _ = model.transcribe(file, vad_filter=True, condition_on_previous_text=False)
    text = " ".join(segment.text.strip() for segment in segments)
    done = time.perf_counter()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    json.dump(
        {
            "load": loaded - began,
            "transcribe": done - loaded,
            "cpu": usage.ru_utime + usage.ru_stime,
            "cpu_transcribe": time.process_time() - cpu_loaded,
            "peak": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
            "text": text,
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
