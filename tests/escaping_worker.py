"""The real workers, which try every way out (tests/escapes.py) when they would begin to work, and then work.

What became of each act goes to stderr, as one line of JSON. Started by COMMAND with `transcription`, `summaries` or `call`
and that worker's arguments.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import mmap
import os
import platform
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from earmark.locality.confinement import calls, seccomp
from earmark.locality.confinement.call_numbers import NEWEST

from tests.escapes import (
    HARMLESS,
    POSSIBLE,
    Act,
    on_files,
    on_processes,
    on_sockets,
    on_the_system,
    over_a_connection,
    result,
    system,
)

COMMAND = (
    "-c",
    f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
    "from tests.escaping_worker import WORKERS; sys.exit(WORKERS[sys.argv[1]](*sys.argv[2:]))",
)


def sweep(groups: Sequence[calls.Group]) -> dict[str, list[int]]:
    """What every call says that is not in the list, without arguments; numbers by result."""
    numbers = seccomp.numbers_of(platform.machine())
    named = {
        numbers[n] for g in groups for n in (*g.calls.split(), *(c.call for c in g.guarded)) if n in numbers
    }
    # uretprobe and uprobe: the kernel asks no filter about the way back from an administrator's probe, and a process that
    # is in none ends.
    named |= {335, 336} if platform.machine() == "x86_64" else set()
    said: dict[str, list[int]] = {}
    for number in range(NEWEST + 1):
        if number not in named:
            said.setdefault(result(lambda n=number: system(n)), []).append(number)  # type: ignore[misc]
    return said


def tried(acts: dict[str, Act], groups: Sequence[calls.Group], confined: bool) -> dict[str, Any]:
    """What became of each act; with nothing to confine, of the harmless ones only."""
    wanted = acts if confined else {name: acts[name] for name in HARMLESS if name in acts}
    found: dict[str, Any] = {name: result(act) for name, act in wanted.items()}
    # Never without the filter: some of these calls end more than the process.
    held = confined and found["chmod"] == found["sethostname"] == found["mount"] == "EPERM"
    return {"acts": found, "sweep": sweep(groups) if held else None}


def _say(what: dict[str, Any]) -> None:
    sys.stderr.write("escapes " + json.dumps(what) + "\n")
    sys.stderr.flush()


def transcription(recording: str, other: str, confined: str) -> int:
    """The transcription worker, with everything tried before its first request; one request then meets a refused call."""
    assignment: Any = importlib.import_module("earmark.transcription.assignment")
    worker: Any = importlib.import_module("earmark.transcription.worker")
    transcribe = worker._transcribe
    to_try = [recording]

    def try_first(*arguments: Any) -> Any:
        if not to_try:
            return transcribe(*arguments)
        acts = on_files(Path(to_try.pop())) | on_processes(int(other)) | on_sockets()
        acts |= on_the_system(Path(recording).parent)
        _say(tried(acts, calls.TRANSCRIPTION, confined == "confined"))
        really_open = assignment.open_recording

        def refused_once(fd: int, *rest: Any) -> Any:
            assignment.open_recording = really_open
            os.fchmod(fd, 0o600)
            return really_open(fd, *rest)

        if confined == "confined":
            assignment.open_recording = refused_once
        return transcribe(*arguments)

    worker._transcribe = try_first
    return int(worker.main())


def summaries(recording: str, other: str, elsewhere: str) -> int:
    """The summarization worker, with everything tried at its first request, over a connection from its door, too."""
    worker: Any = importlib.import_module("earmark.summarization.worker")
    answer = worker.answer

    def try_first(request: Any, say: Any, choose: Any) -> Any:
        worker.answer = answer
        acts = on_files(Path(recording)) | on_processes(int(other)) | on_sockets()
        acts |= on_the_system(Path(recording).parent)
        port = int(request.endpoint.rpartition(":")[2].partition("/")[0])
        with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
            _say(
                tried(acts | over_a_connection(line, int(elsewhere)), calls.SUMMARIES, True)
                | {"memory": _memory()}
            )
        return answer(request, say, choose)

    worker.answer = try_first
    return int(worker.main())


def _memory() -> str:
    try:
        bytearray(3 << 30)
    except MemoryError:
        return "MemoryError"
    return POSSIBLE


def call(how: str) -> int:
    """The summarization worker, which makes one call in another convention at its first request."""
    worker: Any = importlib.import_module("earmark.summarization.worker")

    def foreign(request: Any, say: Any, choose: Any) -> Any:
        del request, say, choose
        if how == "x32":
            system(0x40000000 + 39)
        else:
            code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
            code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")  # mov $20, %eax (getpid); int $0x80; ret
            getpid: Any = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
            getpid()
        os._exit(0)

    worker.answer = foreign
    return int(worker.main())


WORKERS: dict[str, Callable[..., int]] = {
    "transcription": transcription,
    "summaries": summaries,
    "call": call,
}
