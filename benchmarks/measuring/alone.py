"""One transcription worker on some files, without folder, ledger or notes: its speed and its peak memory.

    python benchmarks/measuring/alone.py MODEL_DIR THREADS FILE...

Prints one JSON object: seconds until the worker is ready, seconds for each file, its processor seconds and peak memory.
The worker is spoken to as the supervisor does it, with the sandbox on.
"""

from __future__ import annotations

import json
import queue
import resource
import sys
import time
from pathlib import Path
from typing import TypeVar

from earmark.files import content_of, pack_path
from earmark.messages import Failed, Finished, Heard, LoadModel, Ready, TranscribeRequest
from earmark.workers import Left, Said, Worker

Reply = TypeVar("Reply", Ready, Finished)


def main(model_dir: str, threads: str, *names: str) -> None:
    files = [Path(name).absolute() for name in names]
    contents = [content_of(file) for file in files]
    inbox: queue.SimpleQueue[Said | Left] = queue.SimpleQueue()
    began = time.perf_counter()
    worker = Worker("earmark.transcription.worker", inbox.put)
    worker.send(
        LoadModel(
            model_dir=pack_path(Path(model_dir)), model_name="tiny.en", cpu_threads=int(threads),
            readable=tuple({pack_path(file.parent) for file in files}),
        )
    )  # fmt: skip
    _until(inbox, worker, Ready)
    ready = time.perf_counter()
    took: list[float] = []
    durations: list[float] = []
    for job, (file, content) in enumerate(zip(files, contents, strict=True), 1):
        start = time.perf_counter()
        worker.send(TranscribeRequest(job=job, path=pack_path(file), recording_id=content.sha256))
        finished = _until(inbox, worker, Finished)
        took.append(time.perf_counter() - start)
        durations.append(finished.duration)
    worker.dismiss()
    worker.wait(30)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    json.dump(
        {
            "ready": ready - began,
            "took": took,
            "durations": durations,
            "cpu": usage.ru_utime + usage.ru_stime,
            "peak": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
        },
        sys.stdout,
    )


def _until(inbox: queue.SimpleQueue[Said | Left], worker: Worker, kind: type[Reply]) -> Reply:
    hour = 1
    while True:
        note = inbox.get()
        if isinstance(note, Left):
            raise SystemExit(f"the worker left with status {note.exit_status}")
        if isinstance(note.message, Failed):
            raise SystemExit(note.message.sentence)
        if isinstance(note.message, Heard) and note.message.upto >= hour * 3600:
            print(f"  {hour} h heard; {_peak_so_far(worker.pid)}", file=sys.stderr, flush=True)
            hour += 1
        if isinstance(note.message, kind):
            return note.message


def _peak_so_far(pid: int) -> str:
    """The kernel's own line on the highest resident memory of a live process (Linux)."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return "peak unknown"
    return " ".join(next((line for line in lines if line.startswith("VmHWM")), "peak unknown").split())


if __name__ == "__main__":
    main(*sys.argv[1:])
