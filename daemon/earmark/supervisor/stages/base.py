"""A stage of work that worker processes do: who sits where, who is hung or idle, and what becomes of work cut short."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Generic

from earmark.context import Context
from earmark.domain import Tick
from earmark.events import Event
from earmark.ledger.jobs import backoff
from earmark.locality.confinement.macos import memory
from earmark.messages import Failed, Progress, Ready, Reply
from earmark.pipeline import endings
from earmark.pipeline.own_fault import own_fault
from earmark.pipeline.verdict import LONGEST_REST, End
from earmark.report import Working
from earmark.supervisor.stages.seat import GRACE, Order, Seat, Work
from earmark.supervisor.stages.starting import not_held, why_not_started
from earmark.workers import Left, Said, Starter, start_process

WORKER_TROUBLE = "[worker]"
"""Under which name `status` shows that a worker said that it cannot work here (no memory for the model, no sandbox)."""


MOST_STARTS = 3
"""Workers in a row that end while they start, before that is a trouble."""

REST_SECONDS = 3600.0
"""Until one is started again after that; reading the configuration again does it at once."""


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
    def further(self, seat: Seat[Work], work: Work, message: Progress) -> bool:
        """True if what it says counts as getting further with its work, and not only as being alive."""

    @abstractmethod
    def implausible(self, work: Work, message: Reply) -> str | None:
        """What cannot be of what a worker says about its work, as the end of "the worker said ..."; None if all can."""

    @abstractmethod
    def not_ready(self, seat: Seat[Work], message: Failed, now: Tick) -> None:
        """A worker said that it cannot get ready, which is no recording's fault."""

    @abstractmethod
    def shown(self, work: Work) -> tuple[str, str]:
        """Stage and name of a piece of work, for the report."""

    @abstractmethod
    def file_of(self, work: Work) -> Path | None:
        """The recording that is worked on, as far as it is a file."""

    @abstractmethod
    def memory_of(self, seat: Seat[Work]) -> int:
        """MiB that the worker who sits here may take; 0 for no limit."""

    def does_without(self, seat: Seat[Work], order: Order | None, sentence: str, now: Tick) -> bool:
        """True if a worker that does not get ready with this order, for the reason that the sentence says, is no trouble:
        what it was for can wait, or others do it. Its work is settled then.
        """
        del seat, order, sentence, now
        return False

    def slack(self, work: Work) -> float:
        """Seconds for which a worker may get no further with this work, beyond what any may."""
        del work
        return 0.0

    @property
    def patience(self) -> float:
        """Seconds without a sign of life after which a worker counts as hung."""
        return self._context.config.transcription.hang_seconds

    def starter(self, mebibytes: int) -> Starter:
        """Starts a worker that may take so much memory, where the system can limit it from outside only (macOS)."""
        prefix = memory.prefix(mebibytes)
        return partial(start_process, prefix=prefix) if prefix else self._start

    def turn(self) -> None:
        """Hand out work, and send away who is hung or has been idle too long."""
        now = self._context.clock.monotonic()
        self.hand_out(now)
        for seat in self.seats:
            if seat.worker is None:
                continue
            hung_for = None
            if seat.work is not None:
                hung_for = seat.silent_for(now, self.patience, self.slack(seat.work))
            if hung_for is not None and seat.hung_for is None:
                seat.hung_for = hung_for
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
                with own_fault(self._context, partial(self._went_wrong, seat, now)):
                    self._said(seat, post.message, now)
                return True
        return False

    def left(self, post: Left) -> bool:
        """A worker is gone; true if it sat here."""
        now = self._context.clock.monotonic()
        for seat in self.seats:
            if seat.worker is None or seat.worker.number != post.worker:
                continue
            order, excused = seat.order, seat.excused
            end = seat.end(post)
            if not (
                end.ready or excused or self.does_without(seat, order, why_not_started(end, order, 1), now)
            ):
                self._not_started(seat, end, order, now)
            with own_fault(self._context, partial(self._went_wrong, seat, now)):
                if seat.work is not None:
                    self._died(seat.work, end)
            self._clear(seat, now)
            return True
        return False

    def reconfigure(self) -> None:
        """Idle workers leave, so that the next one starts with the new configuration; what rested may be tried again."""
        self._context.ledger.jobs.try_now()
        for seat in self.seats:
            seat.starts_failed, seat.not_before = 0, 0.0
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
            if seat.aside is not None:
                at, total = seat.aside.progress or (0.0, None)
                stage, name = self.shown(seat.aside.work)
                found.append(Working(stage=stage, file=name, at=at, total=total, aside=True))
        return found

    def next_at(self, now: Tick) -> float:
        """When something is due here, on the monotonic clock."""
        times = [now + 60.0]
        for seat in self.seats:
            if seat.worker is not None and seat.work is None:
                times.append(seat.idle_since + self._context.config.transcription.idle_seconds)
            elif seat.work is not None:
                since = seat.sign_of_life if seat.suspected is None else seat.suspected
                times.append(since + (self.patience if seat.suspected is None else min(GRACE, self.patience)))
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
            for other in seat.others:
                endings.give_back(self._context, other.job)
            seat.work = seat.coming = seat.aside = None

    def _clear(self, seat: Seat[Work], now: Tick) -> None:
        """Nobody goes on with what sat here. What its worker had besides its work is given back uncharged."""
        for other in seat.others:
            if not self._erased(other):
                endings.give_back(self._context, other.job)
        seat.clear(now)

    def _said(self, seat: Seat[Work], message: Reply, now: Tick) -> None:
        coming = seat.coming
        if coming is not None and not isinstance(message, Ready) and message.job == coming.job.id:
            seat.begin_coming(now)
        work = seat.work
        if isinstance(message, Ready) and seat.ready is None:
            self._ready(seat, message)
        elif isinstance(message, Failed) and message.job == 0 and seat.ready is None:
            seat.excused = self.does_without(seat, seat.order, message.sentence, now)
            if seat.excused:
                return
            self.refused = True
            self._context.ledger.journal.trouble(
                WORKER_TROUBLE, "system", message.sentence, self._context.now()
            )
            self._context.tell(Event.WORKER_NOT_READY, message.sentence, level="error", journal=False)
            self.not_ready(seat, message, now)
        elif work is None:
            pass  # what it says of what is not its own any more
        elif not isinstance(message, Ready) and message.job in seat.given and message.job != work.job.id:
            # It goes on about a recording before; this one has nothing to do with it.
            self._end(seat, "something about a recording that it had done with")
            endings.give_back(self._context, work.job)
            self._clear(seat, now)
        elif (cannot_be := self._cannot_be(work, message)) is not None:
            self._end(seat, cannot_be)
        elif isinstance(message, Progress):
            seat.reach(message.at, message.total, now, further=self.further(seat, work, message))
        else:
            # In one transaction, so that `earmark forget` comes before or after it, never in between.
            with self._context.ledger.transaction():
                erased = self._erased(work)
                if not erased:
                    self.answer(seat, work, message, now)
            if erased and seat.worker is not None:
                # Not a word more of it is to be heard or kept.
                seat.worker.kill()
                self._clear(seat, now)

    def _end(self, seat: Seat[Work], cannot_be: str) -> None:
        if seat.worker is not None:
            seat.worker.end_for(cannot_be)

    def _cannot_be(self, work: Work, message: Reply) -> str | None:
        if isinstance(message, Ready):
            return "that it is ready, twice"
        if message.job != work.job.id:
            return "something about a job that is not its own"
        return self.implausible(work, message)

    def _died(self, work: Work, end: End) -> None:
        # In one transaction with the look, so that the name of what a verb erases is not written down again.
        with self._context.ledger.transaction():
            if not self._erased(work):
                file, name = self.file_of(work), self.shown(work)[1]
                endings.worker_died(self._context, work.job, end, file, name)

    def _went_wrong(self, seat: Seat[Work], now: Tick, sentence: str, charged: bool) -> None:
        """earmark itself could not do what followed from what a worker said, or from its end."""
        work = seat.work
        if work is not None:
            file, name = self.file_of(work), self.shown(work)[1]
            endings.went_wrong(self._context, work.job, file, name, sentence, charged)
        if seat.worker is not None:
            seat.worker.kill()
        self._clear(seat, now)

    def _not_started(self, seat: Seat[Work], end: End, order: Order | None, now: Tick) -> None:
        """A worker ended before it was ready. After a few in a row there is no point in loading a model again and again,
        unless others of its kind work: then there are fewer of them.
        """
        seat.starts_failed += 1
        seat.not_before = now + min(LONGEST_REST, backoff(seat.starts_failed, 1.0, base=2.0))
        if seat.starts_failed < MOST_STARTS:
            return
        seat.not_before = now + REST_SECONDS
        if any(other.ready is not None for other in self.seats):
            return
        for other in self.seats:
            other.not_before = seat.not_before
        self.refused = True
        sentence = why_not_started(end, order, seat.starts_failed)
        self._context.ledger.journal.trouble(WORKER_TROUBLE, "system", sentence, self._context.now())
        self._context.tell(Event.WORKER_NOT_READY, sentence, level="error", journal=False)

    def _ready(self, seat: Seat[Work], message: Ready) -> None:
        seat.ready, seat.starts_failed, self.refused = message, 0, False
        if self._context.ledger.journal.clear(WORKER_TROUBLE):
            self._context.tell(Event.WORKER_WELL)
        self._say_what_does_not_hold(seat, message.sandbox)
        held = (*message.sandbox, *memory.told(self.memory_of(seat)))
        if held != self.sandbox:
            self.sandbox = held
            self._context.tell(Event.SANDBOX, enforced=list(held) or "nothing")

    def _say_what_does_not_hold(self, seat: Seat[Work], said: Sequence[str]) -> None:
        journal, subject = self._context.ledger.journal, f"[walls of {seat.module}]"
        if sentence := not_held(said, seat.order):
            journal.trouble(subject, "system", sentence, self._context.now())
        else:
            journal.clear(subject)

    def _erased(self, work: Work) -> bool:
        """True if the recording that is worked on was erased by a verb meanwhile, or goes on as another content."""
        job = self._context.ledger.jobs.get(work.job.id)
        # SQLite gives the number of a row that is gone to the next one.
        return job is None or job.recording_id != work.job.recording_id
