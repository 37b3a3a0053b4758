"""One opened ledger, from a start to a stop or a fault: every fault of the machine ends a session and begins another."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from earmark.context import Context
from earmark.domain import Fault, JobState
from earmark.errors import EarmarkError, EnvironmentFault, ModelError
from earmark.events import Event
from earmark.files import counted
from earmark.locality.confinement.sandbox import OFF
from earmark.locality.confinement.sockets import own_families
from earmark.messages import Failed
from earmark.pipeline import drafts
from earmark.pipeline.rebuild import date_recordings
from earmark.power import KeepAwake
from earmark.report import STALLED, Report, Working, how_far
from earmark.retention.doubt import reconcile
from earmark.supervisor.arriving import Phase
from earmark.supervisor.awake import Awake
from earmark.supervisor.embedding import Embedding
from earmark.supervisor.inbox import Hint, Inbox, Post, Read, Scanned, Signaled, SweepDue
from earmark.supervisor.indexing import Indexing
from earmark.supervisor.outlook import Outlook
from earmark.supervisor.owing import Owing
from earmark.supervisor.scanning import Scanning
from earmark.supervisor.scans import Scans
from earmark.supervisor.stages.base import WORKER_TROUBLE
from earmark.supervisor.stages.diarization import DiarizationStage
from earmark.supervisor.stages.summary import SummaryStage
from earmark.supervisor.stages.transcription import MODEL_TROUBLE, TranscriptionStage
from earmark.supervisor.sweeping import Sweeping
from earmark.supervisor.unfinished import is_open
from earmark.workers import Left, Said, Starter

LONGEST_WAIT = 30.0
"""Seconds the loop sleeps at most, so that a clock that jumped or a post that got lost delays nothing for long."""


NOBODY_WORKS = (MODEL_TROUBLE, WORKER_TROUBLE)
"""Under which names `status` shows why."""


class Daemon(Protocol):
    """What a session asks of the daemon it belongs to."""

    once: bool
    stopping: bool
    unfinished: bool
    watchdog_seconds: float | None

    def reload(self, session: Session) -> None:
        """Read the configuration again."""

    def about(self) -> dict[str, object]:
        """What a report says of the daemon itself."""

    def ping(self) -> None:
        """Give the service manager a sign of life, if it is time."""

    def say(self, report: Report) -> None:
        """Tell `earmark status` and the terminal, if anything has changed."""


class Session:
    """The parts that work on one opened ledger, and their turns. `run` returns the exit code of a run with `once`."""

    def __init__(
        self,
        context: Context,
        daemon: Daemon,
        inbox: Inbox,
        scans: Scans,
        run_id: str,
        start: Starter,
        keep_awake: KeepAwake,
    ) -> None:
        self.context = context
        self._awake = Awake(context, keep_awake)
        self._daemon = daemon
        self._inbox = inbox
        self._scanning = Scanning(context, inbox.put, scans)
        self._transcription = TranscriptionStage(context, run_id, inbox.put, start)
        self._summary = SummaryStage(context, run_id, inbox.put, start)
        self._diarization = DiarizationStage(context, run_id, inbox.put, start)
        self._stages = (self._transcription, self._diarization, self._summary)
        self._owing = Owing(context)
        self._indexing = Indexing(context)
        self._embedding = Embedding(context, inbox.put, start)
        self._outlook = Outlook(context)
        try:
            self._sweeping = Sweeping(context, inbox.put)
        except BaseException:
            self._scanning.stop()  # its thread would stay, one more with each session that cannot begin
            raise
        self._caught_up = False
        self._failed_at_start: set[int] = set()
        self._interrupted_at_start: dict[int, int] = {}

    def run(self) -> int:
        """Take over, then take turns until told to stop (or, with `once`, until nothing is left to do)."""
        self._take_over()
        while not self._daemon.stopping:
            if not self.context.ledger.db.is_there():
                raise EnvironmentFault(
                    f"{self.context.ledger.file} was removed while earmark was running; a new ledger will be filled from"
                    " the folders and the notes in them"
                )
            more = self._turn()
            if self._daemon.once and self._scanning.idle() and self._idle() and self._owing.done_with():
                return self._exit_code()
            self._handle(self._inbox.receive(0.0 if more else self._patience()))
        self._daemon.unfinished = is_open(self.context, self._scanning.arriving.in_phase(*Phase))
        return self._exit_code() if self._daemon.once else 0

    def stop(self) -> None:
        """Everybody goes home now; what they were doing is given back uncharged."""
        self._scanning.stop()
        self._sweeping.stop()
        self.context.ledger.db.hurry()
        for stage in self._stages:
            stage.kill()
        self._embedding.kill()
        self._awake.stop()
        # Claims that cannot be given back now are found and given back at the next start.
        with contextlib.suppress(EarmarkError, sqlite3.Error):
            for stage in self._stages:
                stage.give_back()
        with contextlib.suppress(EarmarkError, sqlite3.Error):
            self._say(())

    def reconfigure(self) -> None:
        """The configuration was replaced."""
        self._watch()
        self._scanning.reconfigure()
        for stage in self._stages:
            stage.reconfigure()
        self._embedding.reconfigure()
        self._sweeping.reconfigure()

    def _take_over(self) -> None:
        """Claims in the ledger are those of a daemon that died: nobody is to blame, the work goes back."""
        context, jobs = self.context, self.context.ledger.jobs
        reconcile(context)
        self._watch()
        date_recordings(context)
        for job in jobs.claimed():
            jobs.give_back(
                job.id, "the daemon was ended while it was being worked on", context.now(), interrupted=True
            )
        self._summary.unpark()
        context.ledger.places.try_all_now()
        if self._daemon.once:
            jobs.try_now()
        self._interrupted_at_start = jobs.interruptions()
        self._failed_at_start = {j.id for j in jobs.all() if j.state is JobState.FAILED}
        folders, state = [str(f) for f in context.folders], str(context.home.state)
        context.tell(Event.WATCHING, folders=folders, state=state, once=self._daemon.once)

    def _watch(self) -> None:
        """Nothing is written, heard or wrong in a folder that is not watched any more."""
        with self.context.ledger.transaction():
            self.context.ledger.places.watch(self.context.folders)
            self.context.ledger.journal.clear_outside(self.context.folders)

    def _turn(self) -> bool:
        """One round of everybody; true if there is more to do at once."""
        self._scanning.turn()
        self._transcription.expect(self._scanning.arriving.soon(self.context.clock.monotonic()))
        # Work first: workers are busy while notes are written.
        for stage in self._stages:
            stage.turn()
        self._awake.turn(any(stage.busy() for stage in self._stages))
        self._owing.turn()
        self._indexing.turn()
        # A sweep reads all notes that were not, and takes as long as that in one turn.
        more = self._scanning.notes_read() and self._sweeping.turn()
        self._embedding.turn(lambda: not (more or self._busy()))
        self._indexing.look(lambda: not (more or self._busy() or self._embedding.busy()))
        self._say(tuple(w for stage in self._stages for w in stage.working()))
        self._say_caught_up()
        return more or self._owing.more or self._indexing.more

    def _patience(self) -> float:
        """Seconds until somebody has something to do."""
        now, wall = self.context.clock.monotonic(), self.context.now()
        times = [
            self._scanning.next_at(),
            self._owing.next_at(),
            self._embedding.next_at(now),
            *(stage.next_at(now) for stage in self._stages),
        ]
        for due in (self.context.ledger.jobs.next_due(wall), self.context.ledger.places.next_due(wall)):
            if due is not None:
                times.append(now + max(0.05, due - wall))
        watchdog = self._daemon.watchdog_seconds
        longest = LONGEST_WAIT if watchdog is None else min(LONGEST_WAIT, watchdog / 2)
        return max(0.0, min(min(times) - now, longest))

    def _handle(self, posts: list[Post]) -> None:
        # Signals first: what follows may fail, and then a wish to stop must not be lost with the rest.
        for post in posts:
            match post:
                case Signaled(number=signal.SIGHUP):
                    self._daemon.reload(self)
                case Signaled(number=signal.SIGUSR1):
                    # A verb changed the ledger; a file that was refused may be wanted now.
                    self._scanning.hint()
                case Signaled():
                    self._daemon.stopping = True
                case _:
                    pass
        reads = [post for post in posts if isinstance(post, Read)]
        if reads:
            self._scanning.take(reads)
        for post in posts:
            match post:
                case Hint():
                    self._scanning.hint()
                case Scanned():
                    self._scanning.scanned()
                case Said():
                    any(part.said(post) for part in (*self._stages, self._embedding))
                    if isinstance(post.message, Failed) and post.message.fault in (Fault.CHANGED, Fault.GONE):
                        self._scanning.scan_again()
                case Left():
                    any(part.left(post) for part in (*self._stages, self._embedding))
                case SweepDue():
                    self._sweeping.due()
                case _:
                    pass

    def _idle(self) -> bool:
        """True if nothing waits, nothing is being done and nothing is owed that could be written now."""
        if self._busy() or (self._daemon.once and (self._embedding.busy() or self._embedding.more)):
            return False
        without = self._transcription.missing() or self._nobody_works()
        if not without and drafts.any_now(self.context):
            return False
        jobs, waiting = self.context.ledger.jobs, self._waiting()
        stuck = self._without_file() + (waiting if self._nobody_works() else 0)
        if self._daemon.once:
            stuck += len(jobs.put_off(self._interrupted_at_start))
        return waiting <= stuck and self._owing.idle()

    def _busy(self) -> bool:
        return any(stage.busy() for stage in self._stages) or self._owing.more or self._indexing.more

    def _waiting(self) -> int:
        """How many jobs wait, but for those that are to replace a draft."""
        return self.context.ledger.jobs.waiting()

    def _without_file(self) -> int:
        """How many of them wait for their file, or for its folder to answer."""
        return self.context.ledger.jobs.without_file(self.context.silent)

    def _nobody_works(self) -> bool:
        """True if there is no model for what waits, or no worker that gets ready."""
        without_model = self._transcription.missing() and self._waiting() > self._without_file()
        return without_model or any(stage.refused for stage in self._stages)

    def _exit_code(self) -> int:
        """For `run --once`: 69 if there is no model or a worker refused to work, 65 if a recording failed in this run, 74 if
        anything is left.
        """
        if said := drafts.waiting(self.context, self.context.ledger.drafts.all()):
            self.context.tell(Event.DRAFTS_WAIT, f"{said[0].upper()}{said[1:]}.", journal=False)
        for name in [] if self._daemon.stopping else self._scanning.arriving.in_phase(Phase.SETTLING):
            self.context.tell(Event.STILL_WRITTEN, file=Path(name))
        left = list(self._left())
        for sentence in left:
            self.context.tell(Event.LEFT, sentence, level="error", journal=False, by_worker=True)
        if self._nobody_works():
            return ModelError.exit_code
        failed = {j.id for j in self.context.ledger.jobs.all() if j.state is JobState.FAILED}
        if failed - self._failed_at_start or self._scanning.went_wrong:
            return 65
        return EnvironmentFault.exit_code if left else 0

    def _left(self) -> Iterator[str]:
        """What this run leaves undone, a sentence a kind."""
        if self._daemon.stopping and not (self._scanning.idle() and self._idle()):
            yield "It was told to stop before all was done"
        if self._nobody_works() and (waiting := self._waiting() - self._without_file()) > 0:
            why = next(
                (t.sentence for t in self.context.ledger.journal.troubles() if t.subject in NOBODY_WORKS), ""
            )
            yield f"{counted(waiting, 'recording')} still wait{'s' * (waiting == 1)}: {why or 'nobody can work on them'}"
        elif waits := self.context.ledger.jobs.put_off(self._interrupted_at_start):
            yield f"{counted(len(waits), 'recording')} still wait{'s' * (len(waits) == 1)}: {waits[0]}"
        for reading in self._scanning.taking.under_way():
            if self._daemon.stopping or reading.waits or reading.silent >= STALLED:
                yield f"{reading.file} is not taken yet: {how_far(reading)}"
        if owed := self._owing.still_owed():
            why = next((place.trouble for place in owed if place.trouble), "another program has them open")
            yield f"The notes of {counted(len(owed), 'recording')} are not written yet: {why}"
        if out := self._scanning.left_out:
            name, why = next(iter(out.items()))
            yield f"{counted(len(out), 'file or folder', 'files or folders')} could not be taken: {name}: {why}"

    def _say(self, working: tuple[Working, ...]) -> None:
        """Tell the service manager and `earmark status`. The ping comes from here, from the loop that does the work."""
        self._daemon.ping()
        arriving, reading = self._scanning.arriving, tuple(self._scanning.taking.under_way())
        found: dict[str, object] = {
            "working": working,
            "reading": reading[:50],
            "settling": [
                name
                for name in arriving.in_phase(Phase.SETTLING, Phase.READING)
                if name not in {r.file for r in reading}
            ][:50],
            "being_written": arriving.in_phase(Phase.WRITTEN_TO),
            "sandbox": self._transcription.sandbox
            or ((OFF,) if self.context.config.sandbox == "off" else ()),
            "speakers_sandbox": self._diarization.sandbox,
            "search_sandbox": self._embedding.sandbox,
            "summary_sandbox": self._summary.sandbox,
            "sockets": own_families(),
            "model": self._transcription.model_name,
            "unwatched": tuple(self._scanning.unwatched.values()),
            "next_sweep": self._sweeping.next_at(),
            "waiting": self._waiting(),
            "queue": self._outlook.queue(len(self._transcription.seats)),
            "workers": len(self._transcription.seats),
            "wrong": tuple(t.whole for t in self.context.ledger.journal.troubles() if t.kind != "file"),
        }
        self._daemon.say(Report.model_validate(found | self._daemon.about()))

    def _say_caught_up(self) -> None:
        """One event whenever the last thing there was to do is done."""
        # What is left is asked for only when it would be news: in a large ledger it costs to find that nothing is.
        idle = self._scanning.idle() and self._idle()
        if self._daemon.once and self._scanning.arriving.in_phase(Phase.SETTLING, Phase.WRITTEN_TO):
            return  # it is not waited for, and named at the end
        caught_up = idle and (self._caught_up or not any(self._left()))
        if caught_up and not self._caught_up:
            self.context.tell(Event.CAUGHT_UP)
        self._caught_up = caught_up
