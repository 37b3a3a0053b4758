"""A seat for one worker: who sits there, with which order, and what it is busy with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from earmark.domain import Tick
from earmark.messages import Confine, LoadModel, LoadSpeakers, Message, Ready
from earmark.pipeline.diarizing import Diarizing
from earmark.pipeline.summarizing import Summarizing
from earmark.pipeline.transcribing import Transcribing
from earmark.pipeline.verdict import End
from earmark.workers import Left, Said, Starter, Worker

Work = TypeVar("Work", Transcribing, Diarizing, Summarizing)

Order = LoadModel | LoadSpeakers | Confine
"""The first request to a worker: what to load, or the one way out that it is left with."""

NEVER = Tick(0.0)

GRACE = 5.0
"""Seconds that a worker has to show that it lives, after it was found silent for too long; it says so every two."""

STANDSTILL = 12
"""How many times as long as it may be silent a worker may say that it is alive without getting any further. Skipping to
where a day-long recording goes on takes two minutes; a slow summary server may take as many for one answer."""


@dataclass(frozen=True, slots=True)
class Aside(Generic[Work]):
    """Work that its worker has put aside for another piece of work, how far it was, and since when."""

    work: Work
    progress: tuple[float, float | None] | None
    since: Tick


@dataclass(slots=True)
class Seat(Generic[Work]):
    """A seat for one worker. `work` is what it is busy with. `leaving`: it was told to go and has not gone yet."""

    module: str
    worker: Worker | None = None
    order: Order | None = None
    ready: Ready | None = None
    needs_ready: bool = False
    work: Work | None = None
    coming: Work | None = None
    """What its worker was given besides, and has not begun."""
    aside: Aside[Work] | None = None
    goes_on: bool = False
    """It has put its work aside once, and has not got further with it since: now that has its turn."""
    sign_of_life: Tick = NEVER
    idle_since: Tick = NEVER
    advanced: Tick = NEVER
    """When it last got further with its work, or said so."""
    suspected: Tick | None = None
    """When it was first seen to have been silent for too long. Whoever was stopped with the daemon (a container that was
    paused) has a moment to show that it lives."""
    hung_for: float | None = None
    progress: tuple[float, float | None] | None = None
    starts_failed: int = 0
    not_before: float = 0.0
    leaving: bool = False
    excused: bool = False
    """Why its worker does not get ready is known, and no trouble."""
    given: set[int] = field(default_factory=set)
    """The jobs that the worker who sits here was given."""

    def ensure(
        self,
        post: Callable[[Said | Left], None],
        start: Starter,
        order: Order | None,
        now: Tick,
    ) -> None:
        """Make sure that a worker with the right model (or way out) sits here."""
        if self.worker is not None and self.worker.serves and self.order == order:
            return
        if self.worker is not None:
            self.worker.dismiss()
        self.worker = Worker(self.module, post, start)
        self.order, self.ready, self.needs_ready = order, None, order is not None
        self.given.clear()
        self.sign_of_life, self.hung_for, self.excused = now, None, False
        if order is not None:
            self.worker.send(order)

    def give(self, work: Work, request: Message, now: Tick) -> None:
        """Put the worker to work. If it has just died, its `Left` settles what becomes of the work."""
        self.given.add(work.job.id)
        self.work, self.progress, self.sign_of_life, self.advanced = work, None, now, now
        self.suspected = None
        if self.worker is not None:
            self.worker.send(request)

    def give_besides(self, work: Work, request: Message) -> None:
        """Have the worker do this as soon as it can, and then go on with what it is busy with."""
        self.given.add(work.job.id)
        self.coming = work
        if self.worker is not None:
            self.worker.send(request)

    def begin_coming(self, now: Tick) -> None:
        """The worker speaks of what it was given besides: the rest is put aside."""
        if self.work is not None:
            self.aside = Aside(self.work, self.progress, now)
        self._turn_to(self.coming, now)

    @property
    def others(self) -> list[Work]:
        """What its worker has besides what it is busy with."""
        aside = [self.aside.work] if self.aside is not None else []
        return aside + ([self.coming] if self.coming is not None else [])

    def _turn_to(self, work: Work | None, now: Tick) -> None:
        self.work, self.coming, self.progress, self.suspected = work, None, None, None
        self.sign_of_life = self.advanced = now

    def reach(self, at: float, total: float | None, now: Tick, *, further: bool) -> None:
        """It has got so far with its work, or says so. `further`: that counts as getting further."""
        if further:
            self.advanced, self.goes_on = now, False
        self.progress = (at, total or (self.progress[1] if self.progress else None))

    def silent_for(self, now: Tick, patience: float, slack: float = 0.0) -> float | None:
        """Seconds without a sign of life, or without getting any further, if that is too long. `slack`: seconds that it may
        stand longer.
        """
        silent, standing = now - self.sign_of_life, now - self.advanced
        if silent < patience and standing < STANDSTILL * patience + slack:
            self.suspected = None
            return None
        if self.suspected is None:
            self.suspected = now
        if now - self.suspected < min(GRACE, patience):
            return None
        return silent if silent >= patience else standing

    def free(self, now: Tick) -> None:
        """The work is over, one way or the other; the worker goes on with what it has besides."""
        if self.aside is not None:
            progress, coming = self.aside.progress, self.coming
            self._turn_to(self.aside.work, now)
            self.progress, self.aside, self.coming, self.goes_on = progress, None, coming, True
        elif self.coming is not None:
            self._turn_to(self.coming, now)
        else:
            self.clear(now)

    def clear(self, now: Tick) -> None:
        """Whoever sat here goes on with nothing."""
        self.work, self.progress, self.idle_since = None, None, now
        self.coming, self.aside, self.goes_on = None, None, False

    def end(self, left: Left) -> End:
        """The worker is gone: what is known of how."""
        result = End(
            left.exit_status,
            left.oom_kills,
            ready=self.ready is not None or not self.needs_ready,
            hung_for=self.hung_for,
            broke=left.broke,
            no_threads=left.no_threads,
        )
        self.worker, self.ready, self.order, self.hung_for, self.leaving = None, None, None, None, False
        return result
