"""The stage that finds out who says what: one worker, one recording at a time. No trouble of its own holds anybody up."""

from __future__ import annotations

from collections.abc import Callable

from earmark.context import Context
from earmark.diarization.models import NAME, SpeakerModel, find_speaker_model
from earmark.domain import Fault, Tick
from earmark.domain import Stage as StageName
from earmark.errors import ModelError
from earmark.events import Event
from earmark.ledger.jobs import backoff
from earmark.messages import Failed, Progress, Reply, Started, Stretch, ToldApart
from earmark.pipeline import diarizing, endings, plausible
from earmark.pipeline.diarizing import Diarizing
from earmark.supervisor.sizing import speakers_order
from earmark.supervisor.stages.base import MOST_STARTS, REST_SECONDS
from earmark.supervisor.stages.opening import OpeningStage
from earmark.supervisor.stages.seat import Order, Seat
from earmark.workers import Left, Said, Starter

MODULE = "earmark.diarization.worker"

NOT_HERE = f"the models for it are not here (earmark models download {NAME})"

TROUBLE = "[speakers]"
"""Under which name `status` shows why nobody is told apart."""


class DiarizationStage(OpeningStage[Diarizing]):
    """Where its worker does not get ready, recordings are done without it until the configuration is read again, or for an
    hour.
    """

    name = StageName.DIARIZE

    def __init__(
        self, context: Context, run_id: str, post: Callable[[Said | Left], None], start: Starter
    ) -> None:
        super().__init__(context, run_id, post, start)
        self.seats = [Seat(MODULE)]
        self._unfit: tuple[str, Tick] | None = None

    def hand_out(self, now: Tick) -> None:
        context, seat = self._context, self.seats[0]
        if seat.work is not None or seat.not_before > now or seat.leaving:
            return
        if not context.ledger.jobs.any_waiting(StageName.DIARIZE, context.now(), but=context.silent):
            return
        models, why_none = self._models(now)
        work = diarizing.claim(context, self._run_id, models, why_none)
        if work is None or models is None:
            return
        order = speakers_order(context.config, models, context.folders, self.known_folders())
        self.told_folders(order)
        seat.ensure(self._post, self.starter(order.memory_limit_mb), order, now)
        seat.give(work, work.request, now)

    def _models(self, now: Tick) -> tuple[SpeakerModel | None, str]:
        """What tells voices apart, or why nothing does; the second is shown, but where it was never here."""
        journal = self._context.ledger.journal
        if self._unfit is not None and now < self._unfit[1]:
            return None, self._unfit[0]
        try:
            models = find_speaker_model(self._context.home.models)
        except ModelError as error:
            journal.trouble(TROUBLE, "system", str(error), self._context.now())
            return None, str(error).rstrip(".")
        if models is not None and self._unfit is None:
            journal.clear(TROUBLE)
        self._unfit = None
        return models, NOT_HERE

    def answer(self, seat: Seat[Diarizing], work: Diarizing, message: Reply, now: Tick) -> None:
        context = self._context
        match message:
            case Started(declared_duration=total):
                seat.reach(0.0, total, now, further=True)
            case Stretch():
                diarizing.stretch(context, work, message)
                seat.reach(message.upto, None, now, further=True)
            case ToldApart():
                diarizing.told(context, work, message)
                seat.free(now)
                context.ledger.journal.clear(TROUBLE)
            case Failed():
                diarizing.failed(context, work, message)
                if message.fault is Fault.ACCESS and seat.worker is not None:
                    seat.worker.dismiss()  # its walls may be older than what it was to read
                seat.free(now)
            case _:
                pass

    def further(self, seat: Seat[Diarizing], work: Diarizing, message: Progress) -> bool:
        # Whole seconds of the recording, and no more of them than it has.
        most = work.told.duration + plausible.LONGEST_STEP
        return message.at <= most and (seat.progress is None or message.at >= seat.progress[0] + 1.0)

    def implausible(self, work: Diarizing, message: Reply) -> str | None:
        match message:
            case Stretch():
                return plausible.implausible_stretch(message, work.told)
            case ToldApart():
                duration, voices = work.told.duration, work.request.voices
                return plausible.implausible_turns(message, duration, voices=voices)
            case Failed():
                return plausible.implausible_failure(message)
            case Started():
                return plausible.implausible_started(work.told)
            case Progress():
                return None
            case _:
                return "what telling voices apart does not say"

    def does_without(self, seat: Seat[Diarizing], order: Order | None, sentence: str, now: Tick) -> bool:
        """A worker that does not get ready is tried a few times, and then done without."""
        work, context = seat.work, self._context
        seat.starts_failed += 1
        seat.not_before = now + backoff(seat.starts_failed, 1.0, base=2.0)
        again = seat.starts_failed < MOST_STARTS
        if not again:
            seat.starts_failed, seat.not_before = 0, 0.0
            self._unfit = (sentence.rstrip("."), Tick(now + REST_SECONDS))
            context.ledger.journal.trouble(
                TROUBLE, "system", f"Nobody is told apart: {sentence}", context.now()
            )
            context.tell(Event.WORKER_NOT_READY, sentence, level="warning", journal=False)
        if work is not None:
            if again:
                endings.give_back(context, work.job)
            else:
                diarizing.over(context, work.job, sentence.rstrip("."))
        if seat.worker is not None:
            seat.worker.dismiss()
        seat.free(now)
        return True

    def not_ready(self, seat: Seat[Diarizing], message: Failed, now: Tick) -> None:
        """It is always done without."""

    def reconfigure(self) -> None:
        self._unfit = None
        super().reconfigure()
