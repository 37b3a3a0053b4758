"""The transcription stage: as many workers as the machine and the model bear, each hearing one recording at a time."""

from __future__ import annotations

from pathlib import Path

from earmark.allowance import Allowance, allowance
from earmark.config import FolderSettings
from earmark.domain import Fault, Tick
from earmark.domain import Stage as StageName
from earmark.errors import ModelError
from earmark.events import Event
from earmark.files import may_be_read
from earmark.ledger import Among
from earmark.messages import Failed, Finished, Heard, LoadModel, Progress, PutOff, Ready, Reply, Started
from earmark.pipeline import drafts, endings, plausible, transcribing
from earmark.pipeline.transcribing import Transcribing
from earmark.supervisor.between import MEMO, MOST_BYTES, OTHER_MODEL, PUT_OFF, is_long
from earmark.supervisor.sizing import falls_back, load_order, model_size, serves_for, worker_count
from earmark.supervisor.stages.base import REST_SECONDS
from earmark.supervisor.stages.opening import OpeningStage
from earmark.supervisor.stages.seat import Order, Seat
from earmark.transcription.drafting import describe, draft_model
from earmark.transcription.models import SpeechModel, find_model

MODULE = "earmark.transcription.worker"

GPU_TROUBLE = "[graphics card]"
"""Under which name `status` shows that there is a graphics card which is not used."""

MODEL_TROUBLE = "[model]"
"""Under which name `status` shows that there is no model."""

AGAIN_SECONDS = 30.0
"""How often to look again for a model that was not there, or to start a worker that could not get ready."""


class TranscriptionStage(OpeningStage[Transcribing]):
    """`model_name` is that of the model found last."""

    name = StageName.TRANSCRIBE
    model_name = ""
    _next_look = 0.0
    _allowance: Allowance | None = None
    _allowance_until = 0.0
    _without_gpu_until = Tick(0.0)
    """Until when a graphics card that is there, and does not compute, is done without."""
    _unfit: tuple[Path, Tick] | None = None
    """A model for drafts that does not get ready here, and until when it is done without."""

    def hand_out(self, now: Tick) -> None:
        context = self._context
        jobs = context.ledger.jobs
        if not any(
            jobs.any_waiting(StageName.TRANSCRIBE, context.now(), a, context.silent)
            for a in (Among.NEW, Among.DRAFTS)
        ):
            if now >= self._next_look and self.missing():
                self._find(context.config.transcription.model)  # what nobody waits for may be there by now
            return
        default = self._find(context.config.transcription.model)
        if default is None:
            return
        auto = default.name if context.config.transcription.model == "auto" else ""
        count, may_use = self._seats_for(default, now)
        for seat in self.seats:
            if seat.work is not None or seat.not_before > now:
                continue
            claimed = self._claim(auto)
            if claimed is None:
                return
            work, model = claimed
            order = self._order(model, count, may_use)
            seat.ensure(self._post, self.starter(order.memory_limit_mb), order, now)
            seat.give(work, work.request, now)
        for seat in self.seats:
            if self._lets_in(seat):
                self._hear_between(seat, auto, count, may_use)

    def _lets_in(self, seat: Seat[Transcribing]) -> bool:
        """True if the worker here hears a long recording, and the turn is not that one's."""
        work, worker = seat.work, seat.worker
        if (
            work is None
            or worker is None
            or seat.ready is None
            or not worker.serves
            or work.better is not None
        ):
            return False
        at, total = seat.progress or (work.request.resume_at, None)
        return not seat.others and not seat.goes_on and is_long(at, total)

    def _hear_between(self, seat: Seat[Transcribing], auto: str, count: int, may_use: Allowance) -> None:
        """Have a short recording that nobody has tried heard between two windows of the one that is heard here."""
        context = self._context
        work = transcribing.claim(context, self._run_id, auto, self._quick, most_bytes=MOST_BYTES)
        if work is None:
            return
        model = work.quick or self._find(work.model)
        if model is None or not serves_for(seat.order, self._load(model, count, may_use)):
            context.ledger.jobs.give_back(work.job.id, OTHER_MODEL if model else None, context.now())
            return
        work.request = work.request.model_copy(update={"most": MEMO})
        seat.give_besides(work, work.request)

    def expect(self, folder: Path | None) -> None:
        """A recording is about to be taken from this drop folder: a worker loads what will hear it, if nobody is here."""
        context, now = self._context, self._context.clock.monotonic()
        if folder is None or any(seat.worker is not None for seat in self.seats):
            return
        settings = context.settings(folder)
        try:
            default, model = self._model(context.config.transcription.model), self._model(settings.model)
        except ModelError:
            return  # that is said when there is something to hear
        count, may_use = self._seats_for(default, now)
        seat = self.seats[0]
        if seat.not_before <= now and not seat.starts_failed:
            order = self._order(self._quick(settings) or model, count, may_use)
            seat.ensure(self._post, self.starter(order.memory_limit_mb), order, now)
            seat.idle_since = now

    def _seats_for(self, default: SpeechModel, now: Tick) -> tuple[int, Allowance]:
        """Set out as many seats as this machine has room for with this model: their number, and what they may use."""
        may_use = self._may_use(now)
        wanted = self._context.config.transcription.workers
        count = worker_count(wanted, may_use.cores, model_size(default), may_use.memory)
        self._seat(count)
        return count, may_use

    def _order(self, model: SpeechModel, count: int, may_use: Allowance) -> LoadModel:
        order = self._load(model, count, may_use)
        self.told_folders(order)
        return order

    def _load(self, model: SpeechModel, count: int, may_use: Allowance) -> LoadModel:
        context = self._context
        known, on_processor = self.known_folders(), context.clock.monotonic() < self._without_gpu_until
        return load_order(context.config, model, context.folders, count, may_use, known, on_processor)

    def _claim(self, auto: str) -> tuple[Transcribing, SpeechModel] | None:
        """The next recording and the model that is to hear it: a new one, else one of which there is a draft, if that may be
        heard again now. None if there is none, or no model for it.
        """
        context = self._context
        while True:
            work = transcribing.claim(context, self._run_id, auto, self._quick)
            if work is None and (among := drafts.may_begin(context)) is not None:
                work = transcribing.claim(context, self._run_id, auto, self._quick, among)
            if work is None:
                return None
            if work.better is None:
                model = work.quick or self._find(work.model)
                if model is None:
                    endings.give_back(context, work.job)
                    return None
                return work, model
            try:
                model = self._model(work.model)
            except ModelError as error:
                drafts.rest(context, work.job, str(error))
                continue
            if model_size(model) > work.better.model_bytes or self._translates(work, model):
                return work, model
            drafts.stays(context, work.job, drafts.NO_LARGER)

    def _translates(self, work: Transcribing, model: SpeechModel) -> bool:
        """True if English is wanted that the draft has not, and this model knows other languages than that."""
        wanted = work.request.to_english and drafts.lacks_english(self._context, work.job.recording_id)
        return wanted and not describe(model.dir, model.name).english_only

    def _quick(self, settings: FolderSettings) -> SpeechModel | None:
        """Who writes the first version of a new recording in a folder, if anybody does."""
        try:
            final = self._model(settings.model)
        except ModelError:
            return None
        models_dir = self._context.home.models
        quick = draft_model(settings.draft, final, settings.language, settings.languages, models_dir)
        if quick is None or self._unfit is None:
            return quick
        unfit, until = self._unfit
        return quick if quick.dir != unfit or self._context.clock.monotonic() >= until else None

    def does_without(self, seat: Seat[Transcribing], order: Order | None, sentence: str, now: Tick) -> bool:
        work = seat.work
        # Whoever died without a word is given a second start: somebody may have killed it.
        if falls_back(order) and (seat.worker is not None or seat.starts_failed):
            self._do_without_gpu(seat, sentence, now)
            return True
        if work is None or (work.quick is None and work.better is None):
            return False
        if work.quick is not None:
            self._unfit = (work.quick.dir, Tick(now + REST_SECONDS))
            endings.give_back(self._context, work.job)
        else:
            drafts.rest(self._context, work.job, sentence)
        what = (
            "The model for drafts does not get ready" if work.quick else "A draft cannot be heard again yet"
        )
        self._context.tell(Event.WORKER_NOT_READY, f"{what}: {sentence}", level="warning", journal=False)
        if seat.worker is not None:
            seat.worker.dismiss()
        seat.free(now)
        return True

    def _do_without_gpu(self, seat: Seat[Transcribing], sentence: str, now: Tick) -> None:
        """A worker that was free to use the graphics card does not get ready: the next one is to use the processor."""
        self._without_gpu_until = Tick(now + REST_SECONDS)
        said = f"{sentence} For an hour recordings are heard on the processor; then the card is tried again."
        if self._context.ledger.journal.trouble(GPU_TROUBLE, "system", said, self._context.now()):
            self._context.tell(Event.WORKER_NOT_READY, said, level="warning", journal=False)
        self._vacate(seat, now)

    def _vacate(self, seat: Seat[Transcribing], now: Tick) -> None:
        """Its work is given back uncharged, and its worker leaves."""
        if seat.work is not None:
            endings.give_back(self._context, seat.work.job)
            seat.free(now)
        if seat.worker is not None:
            seat.worker.dismiss()

    def answer(self, seat: Seat[Transcribing], work: Transcribing, message: Reply, now: Tick) -> None:
        context = self._context
        match message:
            case Started(declared_duration=total):
                seat.reach(work.request.resume_at, total, now, further=True)
                work.began = now
            case Heard():
                transcribing.heard(context, work, message)
                seat.reach(message.upto, None, now, further=True)
                free = any(s.work is None and s.not_before <= now for s in self.seats)
                if work.better is not None and drafts.gives_way(
                    context, work.job.recording_id, free_seat=free
                ):
                    self._stop(seat, work, now)
            case Finished():
                engine = seat.ready.engine if seat.ready else ""
                model = seat.order.model_name if isinstance(seat.order, LoadModel) else self.model_name
                transcribing.finished(context, work, message, model, engine)
                self._free(seat, now)
            case PutOff():
                context.ledger.jobs.give_back(work.job.id, PUT_OFF, context.now())
                self._free(seat, now)
            case Failed():
                transcribing.failed(context, work, message)
                file = work.place.path
                older = message.fault is Fault.ACCESS and context.answers(file) and may_be_read(file)
                if (older or message.fault is Fault.ENVIRONMENT) and seat.worker is not None:
                    seat.worker.dismiss()  # its walls are older than what it was to read, or its graphics card failed
                    self._clear(seat, now)
                else:
                    self._free(seat, now)
            case _:
                pass

    def _stop(self, seat: Seat[Transcribing], work: Transcribing, now: Tick) -> None:
        """It goes on at this checkpoint when its turn comes again."""
        endings.give_back(self._context, work.job)
        if seat.worker is not None:
            seat.worker.kill()
        self._clear(seat, now)

    def _free(self, seat: Seat[Transcribing], now: Tick) -> None:
        """Its work is over. What was put aside for it took no time meanwhile."""
        aside = seat.aside
        if aside is not None and aside.work.began is not None:
            aside.work.began += now - aside.since
        seat.free(now)

    def further(self, seat: Seat[Transcribing], work: Transcribing, message: Progress) -> bool:
        # Skipping to where it goes on; from there on only checkpoints count.
        return message.at <= work.request.resume_at and (
            seat.progress is None or message.at > seat.progress[0]
        )

    def implausible(self, work: Transcribing, message: Reply) -> str | None:
        match message:
            case Heard():
                return plausible.implausible_heard(message, work.told, work.request.max_seconds)
            case Finished():
                return plausible.implausible_finished(message, work.told)
            case Failed():
                return plausible.implausible_failure(message)
            case Started():
                return plausible.implausible_started(work.told)
            case PutOff() if work.request.most is None:
                return "that it hears no more of what it was to hear whole"
            case Progress() | PutOff():
                return None
            case _:
                return "what a transcription does not say"

    def not_ready(self, seat: Seat[Transcribing], message: Failed, now: Tick) -> None:
        seat.not_before = now + AGAIN_SECONDS
        self._vacate(seat, now)

    def reconfigure(self) -> None:
        self._next_look, self._unfit, self._without_gpu_until = 0.0, None, Tick(0.0)
        super().reconfigure()

    def _ready(self, seat: Seat[Transcribing], message: Ready) -> None:
        if self._context.clock.monotonic() >= self._without_gpu_until:
            self._context.ledger.journal.clear(GPU_TROUBLE)
        super()._ready(seat, message)

    def next_at(self, now: Tick) -> float:
        later = super().next_at(now)
        return min(later, self._next_look) if self._next_look > now else later

    def missing(self) -> bool:
        """True if the last look found no model."""
        return any(t.subject == MODEL_TROUBLE for t in self._context.ledger.journal.troubles())

    def _may_use(self, now: Tick) -> Allowance:
        """What the machine or the container allows, which may change while earmark runs."""
        if self._allowance is None or now >= self._allowance_until:
            self._allowance, self._allowance_until = allowance(), now + AGAIN_SECONDS
        return self._allowance

    def _find(self, name: str) -> SpeechModel | None:
        """The model of this name, or None after putting the reason where `status` shows it."""
        context = self._context
        try:
            model = self._model(name)
        except ModelError as error:
            if context.ledger.journal.trouble(MODEL_TROUBLE, "system", str(error), context.now()):
                context.tell(Event.NO_MODEL, str(error), level="error", journal=False)
            self._next_look = context.clock.monotonic() + AGAIN_SECONDS
            return None
        if context.ledger.journal.clear(MODEL_TROUBLE):
            context.tell(Event.MODEL_FOUND, model=model.name)
        self.model_name = model.name
        return model

    def _model(self, name: str) -> SpeechModel:
        """The model of this name. Raises ModelError."""
        context = self._context
        return find_model(name, context.config.transcription.model_dir, context.home.models)

    def _seat(self, count: int) -> None:
        """Have this many seats; one that is busy is not taken away."""
        while len(self.seats) < count:
            self.seats.append(Seat(MODULE))
        for seat in reversed(self.seats):
            if len(self.seats) > count and seat.work is None:
                if seat.worker is not None:
                    seat.worker.dismiss()
                self.seats.remove(seat)
