"""The workers there are, what each is busy with, and when one has to go."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from earmark.messages import Confine, LoadModel, Message, Ready
from earmark.pipeline.summarizing import Summarizing
from earmark.pipeline.transcribing import Transcribing
from earmark.pipeline.verdict import End
from earmark.workers import Left, Said, Starter, Worker

TRANSCRIPTION_WORKER = "earmark.transcription.worker"
SUMMARIZATION_WORKER = "earmark.summarization.worker"

Work = TypeVar("Work", Transcribing, Summarizing)

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


@dataclass(slots=True)
class Slot(Generic[Work]):
    """A seat for one worker. `work` is what it is busy with; times are monotonic seconds."""

    module: str
    worker: Worker | None = None
    load: LoadModel | Confine | None = None
    ready: Ready | None = None
    needs_ready: bool = False
    work: Work | None = None
    sign_of_life: float = 0.0
    idle_since: float = 0.0
    hung_for: float | None = None
    progress: tuple[float, float | None] | None = None
    starts_failed: int = 0
    not_before: float = 0.0
    leaving: bool = False
    """It was told to go and has not gone yet; nothing is given to it."""

    def ensure(
        self,
        post: Callable[[Said | Left], None],
        start: Starter,
        load: LoadModel | Confine | None,
        now: float,
    ) -> bool:
        """Make sure that a worker with the right model (or way out) sits here; true if a new one was started."""
        if self.worker is not None and self.worker.serves and self.load == load:
            return False
        if self.worker is not None:
            self.worker.dismiss()
        self.worker = Worker(self.module, post, start)
        self.load, self.ready, self.needs_ready = load, None, load is not None
        self.sign_of_life, self.hung_for = now, None
        if load is not None:
            self.worker.send(load)
        return True

    def give(self, work: Work, request: Message, now: float) -> None:
        """Put the worker to work. If it has just died, its `Left` settles what becomes of the work."""
        self.work, self.progress, self.sign_of_life = work, None, now
        if self.worker is not None:
            self.worker.send(request)

    def free(self, now: float) -> None:
        """The work is over, one way or the other."""
        self.work, self.progress, self.idle_since = None, None, now

    def end(self, left: Left) -> End:
        """The worker is gone: what is known of how."""
        result = End(
            left.exit_status,
            left.oom_kills,
            ready=self.ready is not None or not self.needs_ready,
            hung_for=self.hung_for,
        )
        self.worker, self.ready, self.load, self.hung_for, self.leaving = None, None, None, None, False
        return result


@dataclass(slots=True)
class Crew:
    """All seats. The number of transcription seats follows the configuration and the machine."""

    transcribers: list[Slot[Transcribing]] = field(default_factory=list)
    summarizer: Slot[Summarizing] = field(default_factory=lambda: Slot[Summarizing](SUMMARIZATION_WORKER))

    def seat(self, count: int) -> None:
        """Have this many transcription seats; one that is busy is not taken away."""
        while len(self.transcribers) < count:
            self.transcribers.append(Slot(TRANSCRIPTION_WORKER))
        for slot in reversed(self.transcribers):
            if len(self.transcribers) > count and slot.work is None:
                if slot.worker is not None:
                    slot.worker.dismiss()
                self.transcribers.remove(slot)

    def slots(self) -> Iterator[Slot[Transcribing] | Slot[Summarizing]]:
        yield from self.transcribers
        yield self.summarizer

    def busy(self) -> bool:
        return any(slot.work is not None for slot in self.slots())

    def kill_all(self) -> None:
        """Down at once. Killing takes a fraction of a second; asking takes as long as a window of speech."""
        workers = [slot.worker for slot in self.slots() if slot.worker is not None]
        for worker in workers:
            worker.kill()
        for worker in workers:
            worker.wait(1.0)
        for slot in self.slots():
            slot.worker = None


def cores() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
