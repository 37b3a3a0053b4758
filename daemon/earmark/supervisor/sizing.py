"""How many workers, threads and MiB a model gets on this machine, and the order that tells a worker so."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from earmark.config import Config
from earmark.files import pack_path
from earmark.messages import LoadModel
from earmark.transcription.models import SpeechModel

SMALL_MODEL = 200 * 1024 * 1024
"""Bytes of model.bin up to which two copies in memory are no burden (tiny and base are, small is not)."""


def worker_count(configured: int, cores: int, model_bytes: int) -> int:
    """How many recordings are transcribed at once. Two processes of one thread each were measured 2.5 times as fast as
    one process of two threads (facts.md), so small models get two workers where there are two cores.
    """
    if configured:
        return configured
    return 2 if cores >= 2 and model_bytes <= SMALL_MODEL else 1


def thread_count(configured: int, cores: int, workers: int) -> int:
    """Threads per worker; beyond four, faster-whisper gains little on a CPU."""
    return configured or max(1, min(4, cores // max(1, workers)))


def memory_limit(configured: int, model_bytes: int, threads: int, device: str) -> int:
    """MiB of address space a transcription worker may have; 0 for no limit.

    tiny.en (72 MiB) was measured at a peak of 816 MiB of address space with one thread, over any length of audio, and
    gets 2.2 GiB: a recording that wants more than that is no ordinary recording. Larger models are converted while they
    load, which takes several times their size. On a GPU the driver reserves more address space than there is memory.
    """
    if configured:
        return configured
    if device == "cuda" or (device == "auto" and Path("/dev/nvidiactl").exists()):
        return 0
    return 1536 + 6 * (model_bytes >> 20) + 256 * threads


def load_order(config: Config, model: SpeechModel, readable: Iterable[Path], workers: int = 1) -> LoadModel:
    """The first request to a transcription worker that is to use this model, beside so many others; it may read
    recordings from the folders `readable`.
    """
    configured = config.transcription
    size = model_size(model)
    threads = thread_count(configured.threads, cores(), workers)
    return LoadModel(
        model_dir=pack_path(model.dir),
        model_name=model.name,
        device=configured.device,
        compute_type=configured.compute_type,
        cpu_threads=threads,
        sandbox=config.sandbox,
        readable=tuple(pack_path(folder) for folder in readable),
        memory_limit_mb=memory_limit(configured.memory_limit_mb, size, threads, configured.device),
    )


def model_size(model: SpeechModel) -> int:
    """Bytes of the model's weights."""
    return (model.dir / "model.bin").stat().st_size


def cores() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
