"""A stage of work that worker processes do: who sits where, who is hung or idle, and what becomes of work cut short."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from earmark.context import Context
from earmark.domain import Event, Tick
from earmark.ledger.jobs import backoff
from earmark.messages import Confine, Failed, LoadModel, Message, Progress, Ready, Reply
from earmark.pipeline import endings
from earmark.pipeline.summarizing import Summarizing
from earmark.pipeline.transcribing import Transcribing
from earmark.pipeline.verdict import LONGEST_REST, End
from earmark.report import Working
from earmark.workers import Left, Said, Starter, Worker

Work = TypeVar("Work", Transcribing, Summarizing)

WORKER_TROUBLE = "[worker]"
"""Under which name `status` shows that a worker said that it cannot work here (no memory for the model, no sandbox)."""


NEVER = Tick(0.0)


@dataclass(slots=True)
class Seat(Generic[Work]):
    """A seat for one worker. `work` is what it is busy with. `leaving`: it was told to go and has not gone yet."""

    module: str
    worker: Worker | None = None
    order: LoadModel | Confine | None = None
    ready: Ready | None = None
    needs_ready: bool = False
    work: Work | None = None
    sign_of_life: Tick = NEVER
    idle_since: Tick = NEVER
    hung_for: float | None = None
    progress: tuple[float, float | None] | None = None
    starts_failed: int = 0
    not_before: float = 0.0
    leaving: bool = False

    def ensure(
        self,
        post: Callable[[Said | Left], None],
        start: Starter,
        order: LoadModel | Confine | None,
        now: Tick,
    ) -> None:
        """Make sure that a worker with the right model (or way out) sits here."""
        if self.worker is not None and self.worker.serves and self.order == order:
            return
        if self.worker is not None:
            self.worker.dismiss()
        self.worker = Worker(self.module, post, start)
        self.order, self.ready, self.needs_ready = order, None, order is not None
        self.sign_of_life, self.hung_for = now, None
        if order is not None:
            self.worker.send(order)

    def give(self, work: Work, request: Message, now: Tick) -> None:
        """Put the worker to work. If it has just died, its `Left` settles what becomes of the work."""
        self.work, self.progress, self.sign_of_life = work, None, now
        if self.worker is not None:
            self.worker.send(request)

    def free(self, now: Tick) -> None:
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
        self.worker, self.ready, self.order, self.hung_for, self.leaving = None, None, None, None, False
        return result


class Stage(ABC, Generic[Work]):
    """All seats of one stage. Only the loop's thread calls it; workers answer through the inbox."""

    def __init__(
        self, context: Context, run_id: str, post: Callable[[Said | Left], None], start: Starter
    ) -> None:
        self._context = context
        self._run_id = run_id
        self._post = post
        self._start = start
        self.seats: list[Seat[Work]] = []
        self.sandbox: tuple[str, ...] = ()
        self.refused = False
        """The last worker that was started said that it cannot work here."""

    @abstractmethod
    def hand_out(self, now: Tick) -> None:
        """Give work that is due to whoever has none."""

    @abstractmethod
    def answer(self, seat: Seat[Work], work: Work, message: Reply, now: Tick) -> None:
        """Take what a worker says about its work; in a transaction, with the job still in the ledger."""

    @abstractmethod
    def not_ready(self, seat: Seat[Work], message: Failed, now: Tick) -> None:
        """A worker said that it cannot get ready, which is no recording's fault."""

    @abstractmethod
    def shown(self, work: Work) -> tuple[str, str]:
        """Stage and name of a piece of work, for the report."""

    @abstractmethod
    def file_of(self, work: Work) -> Path | None:
        """The recording that is worked on, as far as it is a file."""

    @property
    def patience(self) -> float:
        """Seconds without a sign of life after which a worker counts as hung."""
        return self._context.config.transcription.hang_seconds

    def turn(self) -> None:
        """Hand out work, and send away who is hung or has been idle too long."""
        now = self._context.clock.monotonic()
        self.hand_out(now)
        for seat in self.seats:
            if seat.worker is None:
                continue
            silent = now - seat.sign_of_life
            if seat.work is not None and silent >= self.patience and seat.hung_for is None:
                seat.hung_for = silent
                seat.worker.kill()
            elif (
                seat.work is None and now - seat.idle_since >= self._context.config.transcription.idle_seconds
            ):
                seat.worker.dismiss()

    def said(self, post: Said) -> bool:
        """A message from a worker; true if it sits here."""
        now = self._context.clock.monotonic()
        for seat in self.seats:
            if seat.worker is not None and seat.worker.number == post.worker:
                seat.sign_of_life = now
                self._said(seat, post.message, now)
                return True
        return False

    def left(self, post: Left) -> bool:
        """A worker is gone; true if it sat here."""
        now = self._context.clock.monotonic()
        for seat in self.seats:
            if seat.worker is None or seat.worker.number != post.worker:
                continue
            end = seat.end(post)
            if not end.ready:
                seat.starts_failed += 1
                seat.not_before = now + min(LONGEST_REST, backoff(seat.starts_failed, 1.0, base=2.0))
            if seat.work is not None and not self._erased(seat.work):
                # Of one that was erased nothing is left that could be charged, and its name is not written down again.
                file = self.file_of(seat.work)
                endings.worker_died(self._context, seat.work.job, end, file, self.shown(seat.work)[1])
            seat.free(now)
            return True
        return False

    def reconfigure(self) -> None:
        """Idle workers leave, so that the next one starts with the new configuration."""
        for seat in self.seats:
            if seat.work is None and seat.worker is not None:
                seat.worker.dismiss()

    def busy(self) -> bool:
        return any(seat.work is not None for seat in self.seats)

    def working(self) -> list[Working]:
        """What is being done right now, for the report."""
        found = []
        for seat in self.seats:
            if seat.work is not None:
                at, total = seat.progress or (0.0, None)
                stage, name = self.shown(seat.work)
                found.append(Working(stage=stage, file=name, at=at, total=total))
        return found

    def next_at(self, now: Tick) -> float:
        """When something is due here, on the monotonic clock."""
        times = [now + 60.0]
        for seat in self.seats:
            if seat.worker is not None and seat.work is None:
                times.append(seat.idle_since + self._context.config.transcription.idle_seconds)
            elif seat.work is not None:
                times.append(seat.sign_of_life + self.patience)
            if seat.not_before > now:
                times.append(seat.not_before)
        return min(times)

    def kill(self) -> None:
        """Down at once. Killing takes a fraction of a second; asking takes as long as a window of speech."""
        workers = [seat.worker for seat in self.seats if seat.worker is not None]
        for worker in workers:
            worker.kill()
        for worker in workers:
            worker.wait(1.0)
        for seat in self.seats:
            seat.worker = None

    def give_back(self) -> None:
        """What is being done is given back uncharged."""
        for seat in self.seats:
            if seat.work is not None:
                endings.give_back(self._context, seat.work.job)
                seat.work = None

    def _said(self, seat: Seat[Work], message: Reply, now: Tick) -> None:
        work = seat.work
        if isinstance(message, Ready):
            self._ready(seat, message)
        elif isinstance(message, Failed) and (work is None or message.job != work.job.id):
            self.refused = True
            self._context.ledger.journal.trouble(
                WORKER_TROUBLE, "system", message.sentence, self._context.now()
            )
            self._context.tell(Event.WORKER_NOT_READY, message.sentence, level="error", journal=False)
            self.not_ready(seat, message, now)
        elif work is None:
            pass
        elif isinstance(message, Progress):
            seat.progress = (message.at, message.total or (seat.progress[1] if seat.progress else None))
        else:
            # In one transaction, so that `earmark forget` comes before or after it, never in between.
            with self._context.ledger.transaction():
                erased = self._erased(work)
                if not erased:
                    self.answer(seat, work, message, now)
            if erased and seat.worker is not None:
                # Not a word more of it is to be heard or kept.
                seat.worker.kill()
                seat.free(now)

    def _ready(self, seat: Seat[Work], message: Ready) -> None:
        seat.ready, seat.starts_failed, self.refused = message, 0, False
        if self._context.ledger.journal.clear(WORKER_TROUBLE):
            self._context.tell(Event.WORKER_WELL)
        if message.sandbox != self.sandbox:
            self.sandbox = message.sandbox
            self._context.tell(Event.SANDBOX, enforced=list(message.sandbox) or "nothing")

    def _erased(self, work: Work) -> bool:
        """True if the recording that is worked on was erased by a verb meanwhile, or goes on as another content."""
        job = self._context.ledger.jobs.get(work.job.id)
        # SQLite gives the number of a row that is gone to the next one.
        return job is None or job.recording_id != work.job.recording_id
