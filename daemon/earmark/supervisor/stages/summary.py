"""The summary stage: one worker, with one way out to one checked address; and looking whether a server is there again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from earmark.context import Context
from earmark.domain import Fault, Tick
from earmark.domain import Stage as StageName
from earmark.locality.confinement.process import SUMMARIZER_MEMORY as MEMORY
from earmark.messages import Confine, Failed, Progress, Reply, Summarized, SummarizeRequest
from earmark.pipeline import fitting, plausible, summarizing
from earmark.pipeline.summarizing import Summarizing
from earmark.supervisor.knocking import Knocking
from earmark.supervisor.stages.base import Stage
from earmark.supervisor.stages.seat import Seat
from earmark.workers import Left, Said, Starter

MOST_PARTS = 100
"""Parts that a summary may be made in, beside one for each segment; it may be cut and begun again a few times."""

MODULE = "earmark.summarization.worker"


class SummaryStage(Stage[Summarizing]):
    """Summaries that wait for a server are parked; they go back to the queue when somebody answers."""

    def __init__(
        self, context: Context, run_id: str, post: Callable[[Said | Left], None], start: Starter
    ) -> None:
        super().__init__(context, run_id, post, start)
        self.seats = [Seat(MODULE)]
        self._knocking = Knocking(context)
        self._scout = True
        """The next one that is handed out finds out whether another model is there than the one that does not fit."""

    @property
    def patience(self) -> float:
        return max(super().patience, self._context.config.summary.timeout_seconds + 60.0)

    def turn(self) -> None:
        super().turn()
        if self._knocking.answered(self._context.clock.monotonic()):
            self._scout = bool(fitting.unfit(self._context))
            self.unpark(most=1 if self._scout else -1)

    def unpark(self, most: int = -1) -> None:
        """Whatever waits for a server may be tried."""
        fitting.begin_anew_if_set_otherwise(self._context)
        self._context.ledger.jobs.unpark(StageName.SUMMARIZE, self._context.now(), most)

    def hand_out(self, now: Tick) -> None:
        seat = self.seats[0]
        if seat.work is not None or seat.not_before > now or seat.leaving:
            return
        work = summarizing.claim(self._context, self._run_id, scout=self._scout)
        if work is not None:
            self._scout = False
            seat.ensure(self._post, self.starter(MEMORY), self._confine(work.request), now)
            seat.give(work, work.request, now)

    def answer(self, seat: Seat[Summarizing], work: Summarizing, message: Reply, now: Tick) -> None:
        match message:
            case Summarized(meanwhile=True):
                summarizing.meanwhile(self._context, work, message)
            case Summarized():
                summarizing.summarized(self._context, work, message)
                seat.free(now)
                if not (work.fallback or message.unfit) and summarizing.by_a_server(message):
                    self._knocking.made()
                    self.unpark()
            case Failed(fault=fault):
                again = summarizing.failed(self._context, work, message)
                if fault is Fault.ENDPOINT:
                    self._knocking.rest(now)
                if again is None:
                    seat.free(now)
                    self._let_go_of_a_stale_lookup(fault)
                else:
                    seat.give(work, again, now)
            case _:
                pass

    def further(self, seat: Seat[Summarizing], work: Summarizing, message: Progress) -> bool:
        # Whole parts of the recording, and no more of them than it can have.
        most = MOST_PARTS + len(work.request.transcript.segments)
        return message.at <= most and (seat.progress is None or message.at >= seat.progress[0] + 1)

    def implausible(self, work: Summarizing, message: Reply) -> str | None:
        match message:
            case Summarized():
                asked, duration = work.request.template, work.request.transcript.duration
                return plausible.implausible_summary(message, work.job.recording_id, asked, duration)
            case Failed():
                return plausible.implausible_failure(message)
            case Progress():
                return None
            case _:
                return "what a summary does not say"

    def not_ready(self, seat: Seat[Summarizing], message: Failed, now: Tick) -> None:
        """The worker could not give up the network, and the configuration requires it."""
        if seat.work is not None:
            self._context.ledger.jobs.park(seat.work.job.id, message.sentence, self._context.now())
            seat.free(now)

    def shown(self, work: Summarizing) -> tuple[str, str]:
        return StageName.SUMMARIZE, work.name

    def file_of(self, work: Summarizing) -> Path | None:
        return None

    def memory_of(self, seat: Seat[Summarizing]) -> int:
        return MEMORY

    def reconfigure(self) -> None:
        self.unpark()
        super().reconfigure()

    def next_at(self, now: Tick) -> float:
        knock = self._knocking.next_at(now)
        later = super().next_at(now)
        return later if knock is None else min(later, knock)

    def kill(self) -> None:
        super().kill()
        self._knocking.stop()

    def _let_go_of_a_stale_lookup(self, fault: Fault) -> None:
        """A confined worker knows its endpoint's name as it was when it started; the next one looks it up again."""
        seat, ledger = self.seats[0], self._context.ledger
        waiting = ledger.jobs.any_waiting(StageName.SUMMARIZE, self._context.now())
        if fault in (Fault.ENDPOINT, Fault.LOCALITY) and not waiting and seat.worker is not None:
            seat.worker.dismiss()
            seat.leaving = True

    def _confine(self, request: SummarizeRequest) -> Confine:
        """The one way out that the worker is left with."""
        return Confine(
            endpoint=request.endpoint,
            privacy=request.privacy,
            allowed_hosts=request.allowed_hosts,
            consent=request.consent,
            template_dir=request.template_dir,
            require=self._context.config.require_sandbox,
        )
