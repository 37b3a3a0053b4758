"""How many workers, threads and MiB a model gets on this machine, and the order that tells a worker so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from earmark.allowance import Allowance, allowance
from earmark.config import Config
from earmark.diarization.models import SpeakerModel
from earmark.files import pack_path
from earmark.locality.confinement.sandbox import may_use_gpu
from earmark.messages import LoadModel, LoadSpeakers
from earmark.transcription.models import SpeechModel

RESERVED = 256 * 1024 * 1024
"""Bytes left to the daemon itself (60 MB) and the summary worker."""

SMALL_MODEL = 200 * 1024 * 1024
"""Bytes of model.bin up to which two copies in memory are no burden (tiny and base are, small is not)."""


MOST_AT_ONCE = 8
"""Windows that one worker hears side by side at most: all wait for the memory of one machine."""

WINDOW = 32 * 1024 * 1024
"""Bytes that a window takes while it is heard, with any model; see `per_window`."""

SPEAKERS_MEMORY = 3072
"""MiB of address space of a worker that tells voices apart."""


def worker_count(configured: int, cores: int, model_bytes: int, memory: int | None = None) -> int:
    """How many recordings are transcribed at once. Two processes of one thread each were measured 2.5 times as fast as
    one process of two threads (docs/measurements.md), so small models get two workers where there are two cores, and
    `memory` (bytes that may be used, None if nobody knows) is enough for both.
    """
    if configured:
        return configured
    wanted = 2 if cores >= 2 and model_bytes <= SMALL_MODEL else 1
    if memory is None:
        return wanted
    return max(1, min(wanted, (memory - RESERVED) // resident(model_bytes)))


def resident(model_bytes: int) -> int:
    """Bytes of memory that a worker with such a model needs, roughly: 356 MB were measured for tiny.en (72 MB), 374 for base
    (145 MB) as int8; while it is converted there is more of it.
    """
    return 350 * 1024 * 1024 + model_bytes * 3 // 2


def thread_count(configured: int, cores: int, workers: int, model_bytes: int) -> int:
    """Threads that hear one window. With a small model two of them were slower than one (29 against 39 times real time for
    tiny.en); with a larger one, faster-whisper gains little beyond four.
    """
    if model_bytes <= SMALL_MODEL:
        return 1
    return min(4, configured or max(1, cores // max(1, workers)))


def windows_at_once(configured: int, may_use: Allowance, threads: int, workers: int, model_bytes: int) -> int:
    """Windows of a recording that a worker hears side by side, with so many threads each: as many as there are cores and
    memory for. Where `configured` says how many threads a worker has, they are shared out among its windows.
    """
    wanted = max(1, min(MOST_AT_ONCE, (configured or may_use.cores) // threads))
    if configured or may_use.memory is None:
        return wanted
    room = (may_use.memory - RESERVED) // max(1, workers) - resident(model_bytes)
    return max(1, min(wanted, 1 + room // per_window(model_bytes)))


def per_window(model_bytes: int) -> int:
    """Bytes that each window after the first takes while they are heard side by side, roughly: 44 MB for tiny.en (72 MB);
    what the encoder makes of it grows with the model.
    """
    return WINDOW + model_bytes // 5


def memory_limit(configured: int, model_bytes: int, threads: int, device: str, at_once: int = 1) -> int:
    """MiB of address space a transcription worker may have; 0 for no limit.

    tiny.en (72 MiB) was measured at a peak of 816 MiB of address space with one thread, over any length of audio, and
    gets 2.2 GiB: a recording that wants more than that is no ordinary recording. Larger models are converted while they
    load, which takes several times their size. On a GPU the driver reserves more address space than there is memory.
    """
    if configured:
        return configured
    if may_use_gpu(device):
        return 0
    more = (at_once - 1) * 2 * per_window(model_bytes) >> 20
    return 1536 + 6 * (model_bytes >> 20) + 256 * threads * at_once + more


def load_order(
    config: Config,
    model: SpeechModel,
    readable: Iterable[Path],
    workers: int = 1,
    may_use: Allowance | None = None,
    known: Mapping[Path, str] = {},
    on_processor: bool = False,
) -> LoadModel:
    """The first request to a transcription worker that is to use this model, one of so many that may use so much; it
    may read recordings from the folders `readable`. `known`: what those of them are that do not answer. `on_processor`:
    whatever the configuration says, because the graphics card does not compute.
    """
    configured, folders = config.transcription, list(readable)
    if on_processor:
        configured = configured.model_copy(update={"device": "cpu", "compute_type": "auto"})
    size = model_size(model)
    may_use = may_use or allowance()
    threads = thread_count(configured.threads, may_use.cores, workers, size)
    at_once = windows_at_once(configured.threads, may_use, threads, workers, size)
    return LoadModel(
        model_dir=pack_path(model.dir),
        model_name=model.name,
        device=configured.device,
        compute_type=configured.compute_type,
        cpu_threads=threads,
        at_once=at_once,
        sandbox=config.sandbox,
        readable=tuple(pack_path(folder) for folder in folders),
        readable_as=tuple(known[folder] if folder in known else _what_is(folder) for folder in folders),
        memory_limit_mb=memory_limit(configured.memory_limit_mb, size, threads, configured.device, at_once),
    )


def falls_back(order: object) -> bool:
    """True for an order that may have ended on a graphics card that nobody asked for: the processor is there, too."""
    return isinstance(order, LoadModel) and order.device == "auto" and may_use_gpu(order.device)


def serves_for(order: object, wanted: LoadModel) -> bool:
    """True if a worker with this order may do what one with that order is wanted for: only what it may take differs."""
    if not isinstance(order, LoadModel):
        return False
    sizes = {
        "cpu_threads": order.cpu_threads,
        "at_once": order.at_once,
        "memory_limit_mb": order.memory_limit_mb,
    }
    return order == wanted.model_copy(update=sizes)


def speakers_order(
    config: Config, models: SpeakerModel, readable: Iterable[Path], known: Mapping[Path, str] = {}
) -> LoadSpeakers:
    """The first request to a worker that is to tell voices apart in recordings of the folders `readable`. `known`: as for
    `load_order`.
    """
    folders = list(readable)
    return LoadSpeakers(
        segmentation=pack_path(models.segmentation),
        encoder=pack_path(models.encoder),
        features=models.features,
        sandbox=config.sandbox,
        readable=tuple(pack_path(folder) for folder in folders),
        readable_as=tuple(known[folder] if folder in known else _what_is(folder) for folder in folders),
        memory_limit_mb=config.transcription.memory_limit_mb or SPEAKERS_MEMORY,
    )


def model_size(model: SpeechModel) -> int:
    """Bytes of the model's weights."""
    return (model.dir / "model.bin").stat().st_size


def _what_is(folder: Path) -> str:
    """Device and inode of what is at a path now."""
    try:
        status = folder.stat()
    except OSError:
        return ""
    return f"{status.st_dev}:{status.st_ino}"
