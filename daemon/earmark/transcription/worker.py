"""The transcription worker: `python -m earmark.transcription.worker`, JSON lines in on stdin, out on stdout.

The first line must be LoadModel. Before the model or any recording is opened the worker gives up the network and all
other files. The end of stdin ends it at once, in the middle of whatever it does: everything that matters has been said.
A model that cannot be loaded is answered with Failed for job 0, and the worker leaves with 69.

Libraries are imported inside functions, after the doors are shut: what they do when loaded is held by them too.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from earmark.errors import ModelError
from earmark.files import unpack_path
from earmark.locality.confinement.sandbox import if_refused, may_use_gpu, shut_the_doors
from earmark.messages import LoadModel, Ready, TranscribeRequest, parse_transcription_request
from earmark.transcription import limits
from earmark.transcription.serving import Pulse, Say, answered, serve

if TYPE_CHECKING:
    from earmark.transcription.between import Between
    from earmark.transcription.whisper import WhisperEngine


def main() -> int:
    """Serve requests until stdin ends; the return value is the exit status."""
    return serve(parse_transcription_request, LoadModel, prepare, _transcribe, _too_large)


def prepare(load: LoadModel) -> tuple[WhisperEngine, Ready]:
    """Shut the doors, then load the model. Raises EarmarkError or MemoryError."""
    model_dir = unpack_path(load.model_dir)
    readable = [unpack_path(p) for p in load.readable]
    limits.cap_memory(load.memory_limit_mb)  # behind the doors no limit but that of processor time can be set
    sandbox = shut_the_doors(readable, model_dir, load.sandbox, gpu=may_use_gpu(load.device))
    limits.keep_freed_memory()
    limits.allow_cpu(0.0, _threads(load))
    from earmark.transcription.models import require_files

    require_files(model_dir)
    try:
        from earmark.transcription.whisper import WhisperEngine

        with ThreadPoolExecutor(1) as meanwhile:
            # The library that reads the weights lets other threads run; a sixth of the start goes into what follows them.
            rest = meanwhile.submit(_get_the_rest)
            engine = WhisperEngine(model_dir, load.device, load.compute_type, load.cpu_threads, load.at_once)
        rest.result()
    except ImportError as error:
        what_to_do = if_refused(error) or "Install earmark again."
        raise ModelError(f"The speech engine cannot be loaded: {error}. {what_to_do}") from error
    ready = Ready(engine=engine.name, device=engine.device, compute_type=engine.compute_type, sandbox=sandbox)
    return engine, ready


def _get_the_rest() -> None:
    """Import what the first recording is heard with, and load the detector of voice, which is kept for the engine."""
    from earmark.transcription import assignment
    from earmark.transcription.voice import VoiceDetector

    del assignment
    VoiceDetector()


def _transcribe(
    engine: WhisperEngine, load: LoadModel, request: TranscribeRequest, say: Say, between: Between
) -> None:
    from earmark.transcription.assignment import transcribe

    pulse = Pulse(request.job, request.resume_at, say)
    with answered(request.job, say, "transcribing"):
        at_once = load.at_once if engine.device == "cpu" else engine.batch
        if request.careful:
            at_once = 1
        transcribe(engine, request, say, pulse.at, _threads(load), at_once, between)


def _threads(load: LoadModel) -> int:
    """All threads that hear."""
    return max(1, load.cpu_threads) * load.at_once


def _too_large(load: LoadModel) -> str:
    return f"The model {load.model_name} does not fit into {load.memory_limit_mb} MiB of memory."


if __name__ == "__main__":
    sys.exit(main())
