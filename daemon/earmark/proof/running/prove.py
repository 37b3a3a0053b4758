"""The claims about the running daemon: it is watched while it hears and summarizes a recording that the check drops."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from earmark import __version__
from earmark.config import Config
from earmark.errors import EarmarkError
from earmark.files import why
from earmark.locality.confinement import landlock
from earmark.locality.policy import forwarding
from earmark.paths import Home
from earmark.proof.outcome import Outcome
from earmark.proof.running import leftovers, recording, whereabouts
from earmark.proof.running.descriptors import is_stopped
from earmark.proof.running.folders import untold
from earmark.proof.running.heard import heard
from earmark.proof.running.journal import log_of
from earmark.proof.running.known import consent_of, readable
from earmark.proof.running.leads import Leads
from earmark.proof.running.recording import Dropped, Standing
from earmark.proof.running.rules import LEDGER, Judge
from earmark.proof.running.seen import Seen
from earmark.proof.running.setting import Setting
from earmark.proof.running.watching import Watcher
from earmark.proof.running.words import phrases_of, runs_of
from earmark.report import Report, other_config, read_report
from earmark.supervisor.knocking import knock_addresses
from earmark.verbs.opening import opened_context

EVERY = 0.1
"""Seconds between two looks at the ledger."""

AFTERWARDS = 1.0
"""Seconds that the daemon is watched on, when everything is written, and again when it is erased."""

WITHOUT = 3.0
"""Seconds that it is watched where no recording is dropped."""

MISSED = 10.0
"""Seconds, and twice the time for settling, in which a recording that was given another name is taken under that one."""

Say = Callable[[str], None]


@dataclass
class Running:
    """The daemon of `report`, watched by `watcher`. `wait`: seconds that its recording may take. `follow`: its system
    calls, too.
    """

    config: Config
    home: Home
    report: Report
    watcher: Watcher
    wait: float
    say: Say
    follow: bool = True
    phrases: list[str] = field(default_factory=list)
    """A few of the recording's words as they were heard, once `prove` has come to its end."""
    _meanwhile: Callable[[], None] = lambda: None

    def prove(self, with_recording: bool = True) -> Iterator[Outcome]:
        """Watch, and judge what was seen. The recording is taken away again, whatever happens."""
        folders = tuple(Path(os.path.realpath(f)) for f in self.report.folders)
        state = Path(os.path.realpath(self.home.state))
        quiet = [f"{state}/{name}" for name in LEDGER]
        leads = Leads(self.config, consent_of(self.config, self.home))
        leads.look()
        why_not = self.watcher.begin(folders, quiet, self.follow, self.report.started_at)
        # Else a lookup would be among the packets that are counted.
        self._meanwhile = (lambda: None) if why_not else leads.look
        owner = self.home.state.stat().st_uid
        elsewhere = whereabouts.Elsewhere(self.home.status_file, owner, bool(why_not))
        reason = "none was asked for (--no-recording)"
        if with_recording:
            reason = why_not_now(self.config, self.report.next_sweep, time.time(), self.wait)
        folder = next((f for f in folders if os.access(f, os.W_OK | os.X_OK)), None)
        if folder is None:
            reason = reason or "no drop folder can be written to"
        dropped, came, erased = None, "", (False, "")
        found = whereabouts.Found()
        try:
            if folder is not None and not reason:
                for line in leftovers.clear(self.home, self.config, folders):
                    self.say(line)
                try:
                    dropped = recording.drop(folder)
                except OSError as error:
                    reason = f"{folder} takes no recording: {why(error)}"
            if dropped is None:
                self._look(elsewhere, WITHOUT)
            else:
                self.say(f"{dropped.path} was dropped; it is erased again")
                came = self._wait_for(dropped, elsewhere)
                self._made(dropped, found)
                found.read((*folders, state), (Path.home(),), elsewhere)
        finally:
            if dropped is not None:
                erased = recording.take_away(self.home, self.config, dropped)
        try:
            self._look(elsewhere, AFTERWARDS)
            seen = self.watcher.end()
        finally:
            self.watcher.close()
        found.logged = log_of(self.report.pid, seen.began)
        if dropped is not None:
            self._others_made(dropped, found)
        leads.look()
        yield from self._claims(seen, self._setting(seen, folders, state, leads), found, came)
        if dropped is None:
            yield Outcome("The running daemon heard a recording of this check", None, reason)
        else:
            yield Outcome("The recording of this check is erased, with all that was made of it", *erased)

    def _look(self, elsewhere: whereabouts.Elsewhere, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            elsewhere.look()
            self._meanwhile()
            time.sleep(EVERY)

    def _wait_for(self, dropped: Dropped, elsewhere: whereabouts.Elsewhere) -> str:
        """Until its notes are written: "done", "gone", "busy: ..." or "failed: ..."."""
        until, told, there = time.monotonic() + self.wait, 0.0, time.monotonic()
        with opened_context(self.home, self.config, read_only=True) as context:
            while time.monotonic() < until:
                elsewhere.look()
                self._meanwhile()
                if not Path(f"/proc/{self.report.pid}").is_dir():
                    return "gone"
                standing = recording.standing(context, dropped)
                if standing.failed:
                    return f"failed: {standing.failed}"
                if standing.done:
                    self._look(elsewhere, AFTERWARDS)
                    return "done"
                if standing.known or os.path.lexists(dropped.path):
                    there = time.monotonic()
                if time.monotonic() - there > MISSED + 2 * self.config.intake.settle_seconds:
                    return "busy: somebody removed it before the daemon took it"
                if time.monotonic() - told > 10:
                    told = time.monotonic()
                    self.say(self._doing(standing, dropped))
                time.sleep(EVERY)
            return f"busy: {self._doing(standing, dropped)}"

    def _doing(self, standing: Standing, dropped: Dropped) -> str:
        """What keeps it from being done, in words."""
        if is_stopped(self.report.pid):
            return f"the daemon is stopped (SIGSTOP); kill -CONT {self.report.pid} lets it go on"
        report = read_report(self.home.status_file)
        others = [w for w in report.working if Path(w.file).name != dropped.path.name] if report else []
        if report is not None and report.paused:
            return f"the daemon is paused: {report.paused}"
        if report is not None and report.wrong and not standing.heard:
            return f"the daemon says: {report.wrong[0]}"
        if others and not standing.heard:
            at, total = others[0].at, others[0].total
            far = f" ({at:.0f} of {total:.0f} s)" if total else ""
            return f"the daemon is working on {others[0].file}{far}"
        return "it is being worked on" if standing.known else "the daemon has not taken it yet"

    def _made(self, dropped: Dropped, found: whereabouts.Found) -> None:
        with (
            contextlib.suppress(EarmarkError),
            opened_context(self.home, self.config, read_only=True) as context,
        ):
            found.texts, found.notes = recording.texts(context, dropped), recording.notes(context, dropped)
            heard = context.ledger.words.transcript(dropped.recording_id)
            self.phrases = phrases_of(heard.text) if heard else []

    def _others_made(self, dropped: Dropped, found: whereabouts.Found) -> None:
        """Notes of recordings in which the same is said, that were written after ours were."""
        with (
            contextlib.suppress(EarmarkError),
            opened_context(self.home, self.config, read_only=True) as context,
        ):
            found.notes |= recording.notes(context, dropped)

    def _claims(self, seen: Seen, setting: Setting, found: whereabouts.Found, came: str) -> Iterator[Outcome]:
        if self.report.pid not in seen.processes or not seen.processes[self.report.pid].looks:
            yield Outcome(f"The running daemon (pid {self.report.pid}) can be looked at", None, "it was gone")
            return
        yield self._says_who_it_is(seen)
        judge = Judge(seen, setting)
        yield from judge.claims()
        if came:
            yield heard(judge, came, self.wait)
        if found.texts:
            yield from whereabouts.words_stay(judge, runs_of(found.texts), found)

    def _says_who_it_is(self, seen: Seen) -> Outcome:
        """A report of a process that holds no lock is not the daemon's, one of folders that nobody named is not true."""
        report = read_report(self.home.status_file)
        claim = f"The running daemon (pid {self.report.pid}), which holds the lock, says itself that it is this process"
        if report is None:
            return Outcome(claim, None, "it says nothing: its report (status.json) is not there, or is none")
        if report.pid != self.report.pid:
            return Outcome(claim, False, f"its report names pid {report.pid}")
        arguments = seen.processes[self.report.pid].arguments
        strange = untold(report.folders, arguments, seen.cwd, (f.path for f in self.config.folder))
        if strange and (other := other_config(report, self.home.config_file)):
            return Outcome(claim, None, f"which folders it is to watch is not known: {other}")
        if strange:
            untrue = f"{', '.join(strange)}, which neither its command line nor the configuration names"
            return Outcome(claim, False, f"its report says that it watches {untrue}")
        return Outcome(claim, True, f"its report names pid {report.pid}")

    def _setting(self, seen: Seen, folders: tuple[Path, ...], state: Path, leads: Leads) -> Setting:
        report = read_report(self.home.status_file) or self.report
        return Setting(
            self.report.pid, folders, state, leads.everywhere, named=leads.named, within=leads.within,
            manager="" if seen.stranger else seen.manager,
            resolvers=tuple(leads.resolvers), landlock=bool(landlock.version()), lms=forwarding.lms_tool(),
            account=report.sockets, home=Path(os.path.realpath(Path.home())),
            readable=readable(self.config, self.home, folders),
            installation=str(Path(sys.executable).parent),
            knocks=tuple(knock_addresses(self.config.summary.endpoint, self.config.privacy)),
            other_version="" if report.version == __version__ else f"earmark {report.version}",
        )  # fmt: skip


def why_not_now(config: Config, next_sweep: float | None, now: float, wait: float) -> str:
    """Why no recording is dropped now, or "": a rule that counts would count it, too. `wait`: seconds that it may take."""
    if next_sweep is not None and _has_rules(config) and next_sweep - now < wait + 60:
        return "a sweep is due, and a rule that counts recordings would count this one; ask again after it"
    return ""


def _has_rules(config: Config) -> bool:
    """True if anything may be deleted at all."""
    retention = config.retention
    rules = [retention.audio, retention.transcript, retention.summary, retention.sidecar, retention.failed]
    return (
        bool(retention.tags)
        or any(not rule.empty for rule in rules)
        or any(getattr(folder, "retention", None) for folder in config.folder)
    )
