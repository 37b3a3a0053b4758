"""The transcription worker: `python -m earmark.transcription.worker`, JSON lines in on stdin, out on stdout.

The first line must be LoadModel. Before the model or any recording is opened the worker gives up the network and all
other files. The end of stdin ends it at once, in the middle of whatever it does: everything that matters has been said.
A model that cannot be loaded is answered with Failed for job 0, and the worker leaves with 69.

Libraries are imported inside functions, after the doors are shut: what they do when loaded is held by them too.
"""

from __future__ import annotations

import queue
import sys
from typing import TYPE_CHECKING

from earmark.domain import Fault
from earmark.errors import EarmarkError, ModelError
from earmark.files import unpack_path
from earmark.locality.confinement.sandbox import if_refused, may_use_gpu, shut_the_doors
from earmark.messages import Failed, LoadModel, Ready, TranscribeRequest, parse_transcription_request
from earmark.transcription import limits
from earmark.transcription.serving import (
    EX_PROTOCOL,
    EX_UNAVAILABLE,
    Pulse,
    Say,
    answered,
    begin,
    listening,
    read,
)

if TYPE_CHECKING:
    from earmark.transcription.engine import Engine

Requests = queue.SimpleQueue[TranscribeRequest | LoadModel]


def main() -> int:
    """Serve requests until stdin ends; the return value is the exit status."""
    requests, say = begin()
    load = read(requests, parse_transcription_request)
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
    waiting = listening(
        requests, parse_transcription_request
    )  # where the system refuses a thread, this worker never was ready
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


def _serve(waiting: Requests, engine: Engine, load: LoadModel, say: Say) -> None:
    from earmark.transcription.assignment import transcribe

    while True:
        request = waiting.get()
        if isinstance(request, LoadModel):
            sentence = "This worker has a model already; start another one for another model."
            say(Failed(job=0, fault=Fault.INTERNAL, sentence=sentence))
            continue
        pulse = Pulse(request.job, request.resume_at, say)
        with answered(request.job, say, "transcribing"):
            transcribe(engine, request, say, pulse.at, load.cpu_threads)


if __name__ == "__main__":
    sys.exit(main())
