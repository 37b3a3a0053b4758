"""Keeping the crew at work: claims handed out, answers taken, hung and idle workers sent away, notes written."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from earmark.context import Context
from earmark.domain import Fault, JobState, Stage
from earmark.ledger.jobs import backoff
from earmark.log import get_logger
from earmark.messages import (
    Confine,
    Failed,
    Finished,
    Heard,
    LoadModel,
    Progress,
    Ready,
    Started,
    Summarized,
    SummarizeRequest,
)
from earmark.pipeline import endings, summarizing, transcribing
from earmark.pipeline.publishing import publish_owed
from earmark.pipeline.summarizing import Summarizing
from earmark.pipeline.transcribing import Transcribing
from earmark.pipeline.verdict import LONGEST_REST
from earmark.supervisor.crew import Crew, Slot
from earmark.supervisor.knocking import Knocking
from earmark.supervisor.loading import AGAIN_SECONDS, Loading
from earmark.supervisor.report import Working
from earmark.workers import Left, Said, Starter, start_process

log = get_logger(__name__)


OWED_GLANCE = 30.0
"""Seconds after which is looked for owed notes whatever happened."""


class Shifts:
    """Only the loop's thread calls it; workers answer through the inbox."""

    def __init__(
        self, context: Context, run_id: str, post: Callable[[Said | Left], None], start: Starter
    ) -> None:
        self._context = context
        self._run_id = run_id
        self._post = post
        self._start = start
        self._crew = Crew()
        self._knocking = Knocking(context)
        self._loading = Loading(context)
        self._more_owed = False
        self._nothing_owed: tuple[int, int] | None = None
        self._next_owed: float | None = None
        self._owed_glance = 0.0
        self._failed_at_start: set[int] = set()
        self.sandbox: tuple[str, ...] = ()
        self.summary_sandbox: tuple[str, ...] = ()
        self._refused = False
        """The last worker that was started said that it cannot work here (no memory for the model, no sandbox)."""

    @property
    def model_name(self) -> str:
        """The speech model that is used."""
        return self._loading.name

    def take_over(self) -> None:
        """Claims in the ledger are those of a daemon that died: nobody is to blame, the work goes back."""
        jobs, now = self._context.ledger.jobs, self._context.now()
        for job in jobs.claimed():
            jobs.give_back(job.id, "the daemon was ended while it was being worked on", now, interrupted=True)
        jobs.unpark(Stage.SUMMARIZE, now)
        self._failed_at_start = {j.id for j in jobs.all() if j.state is JobState.FAILED}

    def reconfigure(self) -> None:
        """Idle workers leave, so that the next one starts with the new configuration."""
        self._loading.next_look = 0.0
        self._context.ledger.jobs.unpark(Stage.SUMMARIZE, self._context.now())
        for slot in self._crew.slots():
            if slot.work is None and slot.worker is not None:
                slot.worker.dismiss()

    def turn(self) -> None:
        """One round: hand out work, write notes, send away who is hung or has been idle too long."""
        now = self._context.clock.monotonic()
        # Work first: workers are busy while notes are written.
        self._hand_out_transcriptions(now)
        self._hand_out_summary(now)
        self._publish()
        self._check(now)
        if self._knocking.answered(now):
            self._context.ledger.jobs.unpark(Stage.SUMMARIZE, self._context.now())

    def busy(self) -> bool:
        return self._crew.busy()

    def idle(self) -> bool:
        """True if nothing waits, nothing is being done and nothing is owed that could be written now."""
        if self._crew.busy() or self._more_owed:
            return False
        ledger = self._context.ledger
        counts = ledger.jobs.count()
        waiting = counts.get((Stage.TRANSCRIBE, JobState.WAITING), 0) + counts.get(
            (Stage.SUMMARIZE, JobState.WAITING), 0
        )
        stuck = ledger.jobs.without_file() + (waiting if self._loading.missing() or self._refused else 0)
        return waiting <= stuck and not ledger.places.owed(self._context.now())

    def exit_code(self) -> int:
        """For `run --once`: 65 if a recording failed in this run, 69 if a worker refused to work."""
        if self._refused:
            return 69
        failed = {j.id for j in self._context.ledger.jobs.all() if j.state is JobState.FAILED}
        return 65 if failed - self._failed_at_start or self._loading.missing() else 0

    def next_at(self) -> float:
        """When something is due here, on the monotonic clock."""
        clock = self._context.clock
        now = clock.monotonic()
        if self._more_owed:
            return now
        times = [now + 60.0]
        transcription = self._context.config.transcription
        for slot in self._crew.slots():
            if slot.worker is not None and slot.work is None:
                times.append(slot.idle_since + transcription.idle_seconds)
            elif slot.work is not None:
                times.append(slot.sign_of_life + transcription.hang_seconds)
            if slot.not_before > now:
                times.append(slot.not_before)
        wall = self._context.now()
        for due in (self._context.ledger.jobs.next_due(wall), self._context.ledger.places.next_due(wall)):
            if due is not None:
                times.append(now + max(0.05, due - wall))
        if self._loading.next_look > now:
            times.append(self._loading.next_look)
        if (knock := self._knocking.next_at(now)) is not None:
            times.append(knock)
        return min(times)

    def working(self) -> tuple[Working, ...]:
        """What is being done right now, for the report."""
        found = []
        for slot in self._crew.slots():
            at, total = slot.progress or (0.0, None)
            if isinstance(slot.work, Transcribing):
                found.append(Working(Stage.TRANSCRIBE, str(slot.work.place.path), at, total))
            elif isinstance(slot.work, Summarizing):
                found.append(Working(Stage.SUMMARIZE, slot.work.name, at, total))
        return tuple(found)

    def stop(self) -> None:
        """Everybody goes home now; what they were doing is given back uncharged."""
        self._crew.kill_all()
        self._knocking.stop()
        for slot in self._crew.transcribers:
            if slot.work is not None:
                endings.give_back(self._context, slot.work.job)
                slot.work = None
        if self._crew.summarizer.work is not None:
            endings.give_back(self._context, self._crew.summarizer.work.job)
            self._crew.summarizer.work = None

    # --- what workers say ---

    def said(self, note: Said) -> None:
        """A message from a worker; one from a worker that no longer sits anywhere is dropped."""
        now = self._context.clock.monotonic()
        for slot in self._crew.slots():
            if slot.worker is not None and slot.worker.number == note.worker:
                slot.sign_of_life = now
                if self._erased(slot):
                    # `earmark forget` came in between: not a word more of it is to be heard or kept.
                    slot.worker.kill()
                    slot.free(now)
                elif isinstance(note.message, Ready):
                    self._ready(slot, note.message)
                elif slot is self._crew.summarizer:
                    self._summary_said(note, now)
                else:
                    self._transcriber_said(slot, note, now)  # type: ignore[arg-type]
                return

    def left(self, note: Left) -> None:
        """A worker is gone."""
        now = self._context.clock.monotonic()
        for slot in self._crew.slots():
            if slot.worker is None or slot.worker.number != note.worker:
                continue
            end = slot.end(note)
            if not end.ready:
                slot.starts_failed += 1
                slot.not_before = now + min(LONGEST_REST, backoff(slot.starts_failed, 1.0, base=2.0))
            if self._erased(slot):
                pass  # nothing is left that could be charged, and its name is not to be written down again
            elif isinstance(slot.work, Transcribing):
                path = slot.work.place.path
                endings.worker_died(self._context, slot.work.job, end, path, str(path))
            elif isinstance(slot.work, Summarizing):
                endings.worker_died(self._context, slot.work.job, end, None, slot.work.name)
            slot.free(now)

    def _erased(self, slot: Slot[Transcribing] | Slot[Summarizing]) -> bool:
        """True if the recording that this worker is busy with was erased by a verb meanwhile."""
        return slot.work is not None and self._context.ledger.jobs.get(slot.work.job.id) is None

    def _ready(self, slot: Slot[Transcribing] | Slot[Summarizing], message: Ready) -> None:
        slot.ready, slot.starts_failed, self._refused = message, 0, False
        if self._context.ledger.journal.clear("[worker]"):
            log.info("worker-well")
        if slot is self._crew.summarizer:
            self.summary_sandbox = message.sandbox
        elif message.sandbox != self.sandbox:
            self.sandbox = message.sandbox
            log.info("sandbox", enforced=list(message.sandbox) or "nothing")

    def _transcriber_said(self, slot: Slot[Transcribing], note: Said, now: float) -> None:
        work, context = slot.work, self._context
        match note.message:
            case Failed() as message if work is None or message.job != work.job.id:
                # Not about a recording: the worker itself could not get ready.
                self._refused = True
                context.ledger.journal.trouble("[worker]", "system", message.sentence, context.now())
                log.error("worker-not-ready", reason=message.sentence)
                slot.not_before = now + AGAIN_SECONDS
                if work is not None:
                    endings.give_back(context, work.job)
                    slot.free(now)
                if slot.worker is not None:
                    slot.worker.dismiss()
            case _ if work is None:
                pass
            case Started(declared_duration=total):
                slot.progress = (work.request.resume_at, total)
                work.began = now
            case Progress(at=at, total=total):
                slot.progress = (at, total or (slot.progress[1] if slot.progress else None))
            case Heard() as message:
                transcribing.heard(context, work, message)
                slot.progress = (message.upto, slot.progress[1] if slot.progress else None)
            case Finished() as message:
                engine = slot.ready.engine if slot.ready else ""
                model = slot.load.model_name if isinstance(slot.load, LoadModel) else self.model_name
                transcribing.finished(context, work, message, model, engine)
                slot.free(now)
            case Failed() as message:
                transcribing.failed(context, work, message)
                slot.free(now)

    def _summary_said(self, note: Said, now: float) -> None:
        slot = self._crew.summarizer
        work = slot.work
        if work is None:
            return
        match note.message:
            case Failed() as message if message.job != work.job.id:
                # Not about a recording: the worker could not give up the network, and the configuration requires it.
                context = self._context
                self._refused = True
                context.ledger.journal.trouble("[worker]", "system", message.sentence, context.now())
                log.error("worker-not-ready", reason=message.sentence)
                context.ledger.jobs.park(work.job.id, message.sentence, context.now())
                slot.free(now)
            case Progress(at=at, total=total):
                slot.progress = (at, total)
            case Summarized() as message:
                summarizing.summarized(self._context, work, message)
                slot.free(now)
                if work.fallback is None and work.request.endpoint != summarizing.EXTRACTIVE:
                    # A server answers: whatever waited for one may go.
                    self._context.ledger.jobs.unpark(Stage.SUMMARIZE, self._context.now())
            case Failed(fault=fault) as message:
                again = summarizing.failed(self._context, work, message)
                if fault is Fault.ENDPOINT:
                    self._knocking.rest(now)
                if again is None:
                    slot.free(now)
                    self._let_go_of_a_stale_lookup(fault)
                else:
                    slot.give(work, again, now)

    def _let_go_of_a_stale_lookup(self, fault: Fault) -> None:
        """A confined worker knows its endpoint's name as it was when it started; the next one looks it up again."""
        slot, ledger = self._crew.summarizer, self._context.ledger
        waiting = ledger.jobs.any_waiting(Stage.SUMMARIZE, self._context.now())
        if fault in (Fault.ENDPOINT, Fault.LOCALITY) and not waiting and slot.worker is not None:
            slot.worker.dismiss()
            slot.leaving = True

    # --- handing out ---

    def _hand_out_transcriptions(self, now: float) -> None:
        context = self._context
        if not context.ledger.jobs.any_waiting(Stage.TRANSCRIBE, context.now()):
            return
        default = self._loading.find(context.config.transcription.model)
        if default is None:
            return
        seats = self._loading.seats(default)
        self._crew.seat(seats)
        for slot in self._crew.transcribers:
            if slot.work is not None or slot.not_before > now:
                continue
            work = transcribing.claim(context, self._run_id)
            if work is None:
                return
            model = self._loading.find(work.model)
            if model is None:
                endings.give_back(context, work.job)
                return
            prefix = self._loading.prefix(model, slot.starts_failed)
            start = partial(start_process, prefix=prefix) if prefix else self._start
            slot.ensure(self._post, start, self._loading.order(model, seats), now)
            slot.give(work, work.request, now)

    def _hand_out_summary(self, now: float) -> None:
        slot = self._crew.summarizer
        if slot.work is not None or slot.not_before > now or slot.leaving:
            return
        work = summarizing.claim(self._context, self._run_id)
        if work is not None:
            slot.ensure(self._post, self._start, self._confine(work.request), now)
            slot.give(work, work.request, now)

    def _confine(self, request: SummarizeRequest) -> Confine:
        """The one way out that the summarization worker is left with."""
        return Confine(
            endpoint=request.endpoint,
            privacy=request.privacy,
            allowed_hosts=request.allowed_hosts,
            template_dir=request.template_dir,
            require=self._context.config.require_sandbox,
        )

    def _publish(self) -> None:
        """Write what is owed. In a large ledger it costs to find that nothing is, so that is found out again only after
        a change to the ledger, when a wait is over, or after a while (the wall clock may have been set).
        """
        ledger, now, clock = self._context.ledger, self._context.now(), self._context.clock.monotonic()
        version = ledger.db.version()
        waiting = self._next_owed is None or now < self._next_owed
        if self._nothing_owed == version and waiting and clock < self._owed_glance:
            return
        self._owed_glance = clock + OWED_GLANCE
        written, self._more_owed = publish_owed(self._context)
        nothing = not written and not self._more_owed and ledger.db.version() == version
        self._nothing_owed = version if nothing else None
        self._next_owed = ledger.places.next_due(now)

    def _check(self, now: float) -> None:
        configured = self._context.config.transcription
        for slot in self._crew.slots():
            if slot.worker is None:
                continue
            silent = now - slot.sign_of_life
            patience = configured.hang_seconds
            if isinstance(slot.work, Summarizing):
                patience = max(patience, self._context.config.summary.timeout_seconds + 60.0)
            if slot.work is not None and silent >= patience and slot.hung_for is None:
                slot.hung_for = silent
                slot.worker.kill()
            elif slot.work is None and now - slot.idle_since >= configured.idle_seconds:
                slot.worker.dismiss()
