"""The one loop. Threads and signal handlers only leave notes in its inbox; it alone looks, decides and acts."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from earmark import __version__
from earmark.config import Config
from earmark.context import Clock, Context
from earmark.domain import Fault
from earmark.errors import ConfigError, EarmarkError, EnvironmentFault, LedgerError
from earmark.ledger import DaemonLock, Ledger
from earmark.locality.sockets import own_families
from earmark.log import get_logger
from earmark.messages import Failed
from earmark.paths import Home
from earmark.pipeline import rebuild
from earmark.pipeline.publishing import clear_litter
from earmark.service.systemd import SystemdNotifier
from earmark.supervisor.looking import Looking
from earmark.supervisor.reader import Read, Reader
from earmark.supervisor.report import Report, Working, write_report
from earmark.supervisor.shifts import Shifts
from earmark.supervisor.sweeping import SweepDue, Sweeping
from earmark.workers import Left, Said, Starter, start_process

log = get_logger(__name__)

PAUSE = 5.0
"""Seconds to wait before trying again after a fault of the environment."""

LONGEST_WAIT = 30.0
"""Seconds the loop sleeps at most, so that a clock that jumped or a note that got lost delays nothing for long."""

BATCH = 200
"""Notes taken from the inbox before the loop looks at its other duties."""


@dataclass(frozen=True, slots=True)
class Hint:
    """A note: something changed in this folder."""

    folder: Path


@dataclass(frozen=True, slots=True)
class Signal:
    """A note: the process got this signal."""

    number: int


@dataclass
class Supervisor:
    """The daemon. `load_config` is called at SIGHUP; `once` drains the queue and returns.

    `run` returns 0, or 65 if `once` and a recording of this run failed. Raises LedgerBusy if another daemon runs.
    """

    home: Home
    config: Config
    folders: tuple[Path, ...]
    load_config: Callable[[], tuple[Config, tuple[Path, ...]]]
    once: bool = False
    clock: Clock = field(default_factory=Clock)
    start: Starter = start_process
    notifier: SystemdNotifier = field(default_factory=SystemdNotifier)
    watchdog_seconds: float | None = None
    on_progress: Callable[[tuple[Working, ...]], None] = lambda _: None
    step: Callable[[str], None] = lambda _: None

    def __post_init__(self) -> None:
        self._inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._first: Any = None
        self._stopping = False
        self._started_at = self.clock.wall()
        self._run_id = f"{os.getpid()}-{int(self._started_at)}"
        self._config_error: str | None = None
        self._paused: str | None = None
        self._reported: Report | None = None
        self._next_ping = 0.0
        self._caught_up = False
        self._ledgers_lost = 0

    def run(self) -> int:
        """Work until told to stop (or, with `once`, until nothing is left to do)."""
        with DaemonLock(self.home.lock_file) as lock, self._signals():
            result = 0
            damage: LedgerError | None = None
            while not self._stopping:
                try:
                    lock.renew()
                    if damage is not None:
                        self._set_ledger_aside(damage)
                        damage = None
                    result = self._session()
                    if self.once:
                        break
                except EnvironmentFault as fault:
                    self._pause(str(fault))
                except LedgerError as error:
                    damage = error
                except EarmarkError:
                    raise
                except Exception:
                    # Rows that make no sense come out as errors of any kind; only a look at the whole file tells
                    # damage from a bug of ours.
                    damage = self._damage()
                    if damage is None:
                        raise
            self.notifier.stopping()
            log.info("stopped", once=self.once)
            return result

    def stop(self) -> None:
        """Leave the loop at the next turn. May be called from anywhere."""
        self._inbox.put(Signal(signal.SIGTERM))

    def _session(self) -> int:
        """From opening the ledger to a stop or a fault; every fault of the machine ends one and begins another."""
        with Ledger(self.home.ledger_file) as ledger:
            ledger.db.check()
            context = Context(ledger, self.home, self.config, self.folders, clock=self.clock, step=self.step)
            reader = Reader(self._inbox.put)
            looking = Looking(context, reader, lambda folder: self._inbox.put(Hint(folder)))
            shifts = Shifts(context, self._run_id, self._inbox.put, self.start)
            sweeping = Sweeping(context, self._inbox.put)
            try:
                shifts.take_over()
                clear_litter(context)
                self._paused = None
                log.info("watching", folders=[str(f) for f in self.folders], state=str(self.home.state))
                self.notifier.ready(f"Watching {len(self.folders)} folder(s)")
                while not self._stopping:
                    if not ledger.db.is_there():
                        raise EnvironmentFault(
                            f"{self.home.ledger_file} was removed while earmark was running; a new ledger will be "
                            "filled from the folders and the notes in them"
                        )
                    looking.turn()
                    shifts.turn()
                    more = sweeping.turn()
                    self._say(context, looking, shifts, sweeping)
                    self._say_caught_up(looking, shifts)
                    if self.once and looking.idle() and shifts.idle():
                        return shifts.exit_code()
                    self._wait(0.0 if more else min(looking.next_at(), shifts.next_at()))
                    self._handle(context, looking, shifts, sweeping)
                return 0
            finally:
                looking.stop()
                reader.stop()
                sweeping.stop()
                ledger.db.hurry()
                # Claims that cannot be given back now are found and given back at the next start.
                with contextlib.suppress(EarmarkError, sqlite3.Error):
                    shifts.stop()
                with contextlib.suppress(EarmarkError, sqlite3.Error):
                    self._say(context, looking, shifts, sweeping, final=True)

    def _wait(self, until: float) -> None:
        """Sleep until a note arrives or it is time, and put the note back."""
        now = self.clock.monotonic()
        longest = (
            LONGEST_WAIT if self.watchdog_seconds is None else min(LONGEST_WAIT, self.watchdog_seconds / 2)
        )
        timeout = max(0.0, min(until - now, longest))
        with contextlib.suppress(queue.Empty):
            self._first = self._inbox.get(timeout=timeout) if timeout else self._inbox.get_nowait()
            return
        self._first = None

    def _handle(self, context: Context, looking: Looking, shifts: Shifts, sweeping: Sweeping) -> None:
        notes = [self._first] if self._first is not None else []
        while len(notes) < BATCH:
            try:
                notes.append(self._inbox.get_nowait())
            except queue.Empty:
                break
        # Signals first: what follows may fail, and then a wish to stop must not be lost with the rest.
        for note in notes:
            match note:
                case Signal(number=signal.SIGHUP):
                    self._reload(context, looking, shifts, sweeping)
                case Signal(number=signal.SIGUSR1):
                    # A verb changed the ledger; a file that was refused may be wanted now.
                    looking.hint(self.clock.monotonic())
                case Signal():
                    self._stopping = True
        reads = [note for note in notes if isinstance(note, Read)]
        if reads:
            looking.take(reads)
        for note in notes:
            match note:
                case Hint():
                    looking.hint(self.clock.monotonic())
                case Said():
                    shifts.said(note)
                    if isinstance(note.message, Failed) and note.message.fault in (Fault.CHANGED, Fault.GONE):
                        looking.look_again(self.clock.monotonic())
                case Left():
                    shifts.left(note)
                case SweepDue():
                    sweeping.due()

    def _reload(self, context: Context, looking: Looking, shifts: Shifts, sweeping: Sweeping) -> None:
        """Read the configuration again; a broken one changes nothing and its error is shown."""
        self.notifier.reloading()
        try:
            self.config, self.folders = self.load_config()
        except ConfigError as error:
            self._config_error = str(error)
            log.error("config-kept", reason=str(error))
        else:
            self._config_error = None
            context.config, context.folders = self.config, self.folders
            looking.reconfigure()
            shifts.reconfigure()
            sweeping.reconfigure()
            log.info("config-reloaded", folders=[str(f) for f in self.folders])
        self.notifier.ready(
            "Configuration read again" if self._config_error is None else "Kept the old configuration"
        )

    def _say(
        self, context: Context, looking: Looking, shifts: Shifts, sweeping: Sweeping, final: bool = False
    ) -> None:
        """Tell the service manager and `earmark status`. The ping comes from here, from the loop that does the work."""
        now = self.clock.monotonic()
        if self.watchdog_seconds is not None and now >= self._next_ping:
            self.notifier.watchdog()
            self._next_ping = now + self.watchdog_seconds / 2
        working = () if final else shifts.working()
        self.on_progress(working)
        report = Report(
            pid=os.getpid(),
            version=__version__,
            started_at=self._started_at,
            folders=tuple(str(f) for f in self.folders),
            config_file=str(self.home.config_file),
            working=working,
            settling=tuple(os.fsdecode(p) for p in list(looking.settling.waiting())[:50]),
            being_written=tuple(os.fsdecode(p) for p in sorted(looking.written_to)),
            sandbox=shifts.sandbox,
            summary_sandbox=shifts.summary_sandbox,
            sockets=own_families(),
            model=shifts.model_name,
            paused=self._paused,
            config_error=self._config_error,
            next_sweep=sweeping.next_at(),
        )
        # `forget` removes the file, because it may name what was erased; `status` is to have it again at once.
        if report != self._reported or not self.home.status_file.exists():
            write_report(self.home.status_file, report)
            self._reported = report

    def _say_caught_up(self, looking: Looking, shifts: Shifts) -> None:
        """One event whenever the last thing there was to do is done."""
        caught_up = looking.idle() and not shifts.busy() and shifts.idle()
        if caught_up and not self._caught_up:
            log.info("caught-up")
        self._caught_up = caught_up

    def _pause(self, reason: str) -> None:
        """The machine is in trouble: say so, wait, try again. Nobody is charged for it."""
        log.error("paused", reason=reason)
        self._paused = reason
        self.notifier.status(f"Paused: {reason}")
        write_report(
            self.home.status_file,
            Report(
                os.getpid(), __version__, self._started_at, tuple(str(f) for f in self.folders),
                str(self.home.config_file), paused=reason,
            ),
        )  # fmt: skip
        until = self.clock.monotonic() + PAUSE
        later = []
        while not self._stopping and (left := until - self.clock.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                note = self._inbox.get(timeout=left)
                if isinstance(note, Signal) and note.number in (signal.SIGTERM, signal.SIGINT):
                    self._stopping = True
                elif isinstance(note, Signal):
                    later.append(note)
            self.notifier.watchdog()
        for note in later:
            self._inbox.put(note)

    def _damage(self) -> LedgerError | None:
        """What is wrong with the ledger's file, if anything is."""
        try:
            with Ledger(self.home.ledger_file) as ledger:
                ledger.db.check(thorough=True)
        except LedgerError as error:
            return error
        return None

    def _set_ledger_aside(self, error: LedgerError) -> None:
        """A damaged ledger is kept for whoever wants to look at it. A new one gets what can still be read of it; the rest
        comes from folders and notes.
        """
        if "newer earmark" in str(error):
            raise error
        if self._ledgers_lost:
            self._pause(f"{error}. That is the second time; the disk may be failing")
        self._ledgers_lost += 1
        aside = rebuild.set_aside(self.home.ledger_file, self.clock.wall())
        log.error("ledger-set-aside", reason=str(error), kept=str(aside))
        self.notifier.status(f"The ledger was damaged and is being rebuilt: {error}")
        with Ledger(self.home.ledger_file) as ledger:
            rebuild.refill(ledger, aside, self.clock.wall())

    @contextlib.contextmanager
    def _signals(self) -> Any:
        """SIGTERM and SIGINT stop, SIGHUP reloads, SIGUSR1 wakes; the handlers only leave a note."""

        def leave_note(number: int, _: FrameType | None) -> None:
            self._inbox.put(Signal(number))

        before = {}
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
            with contextlib.suppress(ValueError):  # not the main thread (tests)
                before[number] = signal.signal(number, leave_note)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
