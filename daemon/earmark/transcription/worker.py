"""The transcription worker: `python -m earmark.transcription.worker`, JSON lines in on stdin, out on stdout.

The first line must be LoadModel. Before the model or any recording is opened the worker gives up the network and all
other files. The end of stdin ends it at once, in the middle of whatever it does: everything that matters has been said.
A model that cannot be loaded is answered with Failed for job 0, and the worker leaves with 69.

Libraries are imported inside functions, after the doors are shut: what they do when loaded is held by them too.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NoReturn

from pydantic import ValidationError

from earmark.domain import Fault
from earmark.errors import EarmarkError, ModelError, no_more_threads
from earmark.files import unpack_path
from earmark.locality.confinement.process import die_with_parent, harden_process
from earmark.locality.confinement.sandbox import if_refused, may_use_gpu, shut_the_doors
from earmark.messages import (
    LINE_LIMIT,
    Failed,
    LoadModel,
    Message,
    Progress,
    Ready,
    TranscribeRequest,
    parse_transcription_request,
)
from earmark.transcription import limits

if TYPE_CHECKING:
    from earmark.transcription.engine import Engine

EX_UNAVAILABLE, EX_PROTOCOL = 69, 76

Say = Callable[[Message], None]
Requests = queue.SimpleQueue[TranscribeRequest | LoadModel]


def main() -> int:
    """Serve requests until stdin ends; the return value is the exit status."""
    die_with_parent()
    harden_process()
    limits.step_back()
    replies = take_stdout()
    lock = threading.Lock()

    def say(message: Message) -> None:
        try:
            with lock:
                replies.write(message.line())
                replies.flush()
        except OSError:
            os._exit(0)  # nobody listens any more

    requests = os.fdopen(os.dup(0), "rb")
    load = _read(requests)
    if load is None:
        return 0
    if not isinstance(load, LoadModel):
        print("earmark worker: the first request must load a model", file=sys.stderr)  # noqa: T201
        return EX_PROTOCOL
    try:
        engine, ready = prepare(load)
    except EarmarkError as error:
        say(Failed(job=0, fault=Fault.ENVIRONMENT, sentence=str(error)))
        return error.exit_code
    except MemoryError:
        sentence = f"The model {load.model_name} does not fit into {load.memory_limit_mb} MiB of memory."
        say(Failed(job=0, fault=Fault.ENVIRONMENT, sentence=sentence))
        return EX_UNAVAILABLE
    waiting = _listening(requests)  # where the system refuses a thread, this worker never was ready
    say(ready)
    _serve(waiting, engine, load, say)
    return 0


def prepare(load: LoadModel) -> tuple[Engine, Ready]:
    """Shut the doors, then load the model. Raises EarmarkError or MemoryError."""
    model_dir = unpack_path(load.model_dir)
    readable = [unpack_path(p) for p in load.readable]
    limits.cap_memory(load.memory_limit_mb)  # behind the doors no limit but that of processor time can be set
    sandbox = shut_the_doors(readable, model_dir, load.sandbox, gpu=may_use_gpu(load.device))
    limits.keep_freed_memory()
    limits.allow_cpu(0.0, load.cpu_threads)
    from earmark.transcription.models import require_files

    require_files(model_dir)
    try:
        from earmark.transcription.whisper import WhisperEngine
    except ImportError as error:
        what_to_do = if_refused(error) or "Install earmark again."
        raise ModelError(f"The speech engine cannot be loaded: {error}. {what_to_do}") from error
    engine = WhisperEngine(model_dir, load.device, load.compute_type, load.cpu_threads)
    ready = Ready(engine=engine.name, device=engine.device, compute_type=engine.compute_type, sandbox=sandbox)
    return engine, ready


def take_stdout() -> BinaryIO:
    """Keep the real stdout for the protocol and point descriptor 1 at stderr: C libraries print where they like."""
    kept = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(kept, "wb")


def _listening(requests: BinaryIO) -> Requests:
    """Requests as they come, read in a thread."""
    waiting: Requests = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests, waiting), name="stdin", daemon=True).start()
    return waiting


def _serve(waiting: Requests, engine: Engine, load: LoadModel, say: Say) -> None:
    from earmark.transcription.assignment import transcribe

    while True:
        request = waiting.get()
        if isinstance(request, LoadModel):
            sentence = "This worker has a model already; start another one for another model."
            say(Failed(job=0, fault=Fault.INTERNAL, sentence=sentence))
            continue
        pulse = Pulse(request.job, request.resume_at, say)
        try:
            transcribe(engine, request, say, pulse.at, load.cpu_threads)
        except MemoryError:
            sentence = "The recording needs more memory than the worker may have."
            say(Failed(job=request.job, fault=Fault.MEMORY, sentence=sentence))
        except Exception as error:
            if no_more_threads(error):
                raise  # with what the supervisor knows it by, as where a C library ends the process for it
            # The place, never the text or the locals: they may hold what was said.
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}"
            print(f"earmark worker: {where}", file=sys.stderr)  # noqa: T201
            sentence = f"earmark itself went wrong while transcribing ({where}). {if_refused(error)}".strip()
            say(Failed(job=request.job, fault=Fault.INTERNAL, sentence=sentence))


class Pulse:
    """Says Progress at most every EVERY seconds, however often it is asked to."""

    EVERY = 2.0

    def __init__(self, job: int, at: float, say: Say) -> None:
        self._job, self._say, self._reached = job, say, at
        self._last = time.monotonic()

    def at(self, seconds: float, total: float | None) -> None:
        """The recording has been heard up to `seconds`; it never goes back to less."""
        self._reached = max(self._reached, seconds)
        now = time.monotonic()
        if now - self._last >= self.EVERY:
            self._last = now
            self._say(Progress(job=self._job, at=self._reached, total=total))


def _listen(requests: BinaryIO, waiting: Requests) -> NoReturn:
    """Read requests in a thread of its own, so that the end of stdin is noticed in the middle of a recording."""
    while (request := _read(requests)) is not None:
        waiting.put(request)
    os._exit(0)


def _read(requests: BinaryIO) -> TranscribeRequest | LoadModel | None:
    """The next valid request, or None at the end. A line that is not one is named on stderr, not quoted."""
    while True:
        line = requests.readline(LINE_LIMIT)
        if not line.endswith(b"\n"):
            return None
        try:
            return parse_transcription_request.validate_json(line)
        except ValidationError as error:
            print(f"earmark worker: bad request ({error.error_count()} errors)", file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
