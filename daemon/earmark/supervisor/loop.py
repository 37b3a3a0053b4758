"""The daemon: its lock, its signals, the machine's faults, and a ledger that turns out to be damaged."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from earmark import __version__
from earmark.config import Config, digest_of
from earmark.context import Clock, Context
from earmark.errors import (
    ConfigError,
    EarmarkError,
    EnvironmentFault,
    LedgerError,
    LedgerTooNew,
    NoState,
    place_of,
)
from earmark.events import Event
from earmark.files import Step, counted, make_private, quiet, why
from earmark.ledger import DaemonLock, Ledger
from earmark.ledger.mending import mend
from earmark.ledger.repair import Repaired, finish, repair
from earmark.log import get_logger
from earmark.paths import Home
from earmark.pipeline.own_fault import machine_fault, of_the_machine
from earmark.pipeline.rebuild import say_repaired
from earmark.power import KeepAwake, keep_awake, on_battery
from earmark.report import Report, in_a_line, write_report
from earmark.service.systemd import SystemdNotifier
from earmark.supervisor.inbox import Inbox, Signaled
from earmark.supervisor.indexing import check, made_anew
from earmark.supervisor.scans import Scans
from earmark.supervisor.session import Session
from earmark.workers import Starter, start_process

log = get_logger(__name__)

PAUSE = 5.0
"""Seconds to wait before trying again after a fault of the environment."""

LONGEST_PAUSE = 300.0
"""Seconds to wait at most after a mistake of earmark's own, which costs more each time."""

TRIES_ONCE = 2
"""How often a run with `once` meets a fault of the machine before it ends with it: another program may have held the
ledger for a moment, but a full disk stays full."""

MOST_REPAIRS = 3
"""How often a run with `once` repairs a ledger."""

FOR_A_PERSON = (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST, errno.ELOOP)
"""Why there can be no state folder until a person has done something about it."""

ENDS = (signal.SIGTERM, signal.SIGINT)


@dataclass
class Supervisor:
    """`load_config` is called at SIGHUP; `once` drains the queue and returns.

    `run` returns 0, or with `once` what `Session` says of its run. Raises LedgerBusy if another daemon runs, and with `once`
    EnvironmentFault if the machine does not let it work. `own_faults` counts the mistakes of earmark's own.
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
    on_progress: Callable[[Report], None] = lambda _: None
    step: Step = quiet
    on_battery: Callable[[], bool] = on_battery
    keep_awake: KeepAwake = keep_awake

    def __post_init__(self) -> None:
        self.stopping = False
        self.unfinished = True  # until a session says otherwise
        self._inbox = Inbox()
        self._scans = Scans(self._inbox.put, self.clock)
        self._started_at = self.clock.wall()
        self._run_id = f"{os.getpid()}-{int(self._started_at)}"
        self._config_error: str | None = None
        self._config_digest = digest_of(self.home.config_file)
        self._paused: str | None = None
        self._reported: Report | None = None
        self._next_ping = 0.0
        self._repairs = 0
        self._faults = 0
        self.own_faults = 0

    def run(self) -> int:
        """Work until told to stop (or, with `once`, until nothing is left to do)."""
        with self._signals(), contextlib.ExitStack() as held:
            lock: DaemonLock | None = None
            result = EnvironmentFault.exit_code if self.once else 0  # told to stop before it came to work
            damage: LedgerError | None = None
            while not self.stopping:
                try:
                    if lock is None:
                        lock = self._locked()
                        held.callback(lock.release)
                    lock.renew()
                    finish(self.home.ledger_file, self.clock.wall())
                    if damage is not None:
                        self._repair(damage)
                        damage = None
                    result = self._session()
                    if self.once:
                        break
                except (NoState, LedgerTooNew):
                    raise
                except EnvironmentFault as fault:
                    self._trouble(fault)
                except LedgerError as error:
                    damage = None if self._index_made_anew() else error
                except EarmarkError:
                    raise
                except Exception as error:
                    # Rows that make no sense come out as errors of any kind; only a look at the whole file tells
                    # damage from a bug of ours.
                    if self._index_made_anew():
                        continue
                    damage = self._damage()
                    if damage is None and not self._mended():
                        self._own_fault(error)
            self.notifier.stopping()
            log.info(Event.STOPPED, once=self.once and not self.stopping, unfinished=self.unfinished)
            return result

    def _locked(self) -> DaemonLock:
        """The lock of the state folder. Raises NoState where no waiting helps, EnvironmentFault where it may."""
        lock = DaemonLock(self.home.lock_file)
        try:
            make_private(self.home.state)
            lock.acquire()
        except (OSError, EnvironmentFault) as error:
            cause = error if isinstance(error, OSError) else error.__cause__
            number = cause.errno if isinstance(cause, OSError) else None
            fault = f"{self.home.state}: earmark cannot keep its ledger there: {why(cause or error)}"
            if number in FOR_A_PERSON:
                raise NoState(
                    f"{fault}. Allow it to write there, or set EARMARK_HOME to another folder"
                ) from error
            raise EnvironmentFault(fault) from error
        return lock

    def stop(self) -> None:
        """Leave the loop at the next turn. May be called from anywhere."""
        self._inbox.put(Signaled(signal.SIGTERM))

    def reload(self, session: Session) -> None:
        """Read the configuration again; a broken one changes nothing and its error is shown."""
        self.notifier.reloading()
        digest = digest_of(self.home.config_file)
        try:
            self.config, self.folders = self.load_config()
        except ConfigError as error:
            self._config_error = str(error)
            session.context.tell(Event.CONFIG_KEPT, str(error), level="error", journal=False)
        else:
            self._config_error, self._config_digest = None, digest
            session.context.config, session.context.folders = self.config, self.folders
            session.reconfigure()
            session.context.tell(Event.CONFIG_RELOADED, folders=[str(f) for f in self.folders])
        self._reported = None  # what comes next is said, changed or not
        self.notifier.ready(
            "Configuration read again" if self._config_error is None else "Kept the old configuration"
        )

    def about(self) -> dict[str, object]:
        """What a report says of the daemon itself."""
        return {
            "pid": os.getpid(),
            "version": __version__,
            "started_at": self._started_at,
            "folders": tuple(str(f) for f in self.folders),
            "config_file": str(self.home.config_file),
            "paused": self._paused,
            "config_error": self._config_error,
            "config_digest": self._config_digest,
        }

    def ping(self) -> None:
        """Give the service manager a sign of life, if it is time."""
        now = self.clock.monotonic()
        if self.watchdog_seconds is not None and now >= self._next_ping:
            self.notifier.watchdog()
            self._next_ping = now + self.watchdog_seconds / 2

    def say(self, report: Report) -> None:
        """Tell `earmark status` and the terminal, if anything has changed."""
        self.on_progress(report)
        # `forget` removes the file, because it may name what was erased; `status` is to have it again at once.
        if report != self._reported or not self.home.status_file.exists():
            self.notifier.status(in_a_line(report))
            write_report(self.home.status_file, report)
            self._reported = report

    def _session(self) -> int:
        with Ledger(self.home.ledger_file, alive=self.ping) as ledger:
            check(ledger)
            ledger.index.was_checked(self.clock.wall())
            context = Context(
                ledger, self.home, self.config, self.folders, clock=self.clock, step=self.step,
                on_battery=self.on_battery,
            )  # fmt: skip
            session = Session(
                context, self, self._inbox, self._scans, self._run_id, self.start, self.keep_awake
            )
            try:
                self._paused = None
                self.notifier.ready(f"Watching {counted(len(self.folders), 'folder')}")
                return session.run()
            finally:
                session.stop()

    def _trouble(self, fault: EnvironmentFault) -> None:
        """Wait for the machine's trouble to end; with `once`, not for ever."""
        self._faults += 1
        if self.once and self._faults >= TRIES_ONCE:
            raise fault
        self._pause(str(fault), told=not self.once)
        if self.once and self.stopping:
            log.error(Event.PAUSED, sentence=str(fault))  # nothing else says why it came to nothing

    def _own_fault(self, error: Exception) -> None:
        """A mistake of earmark's own that no recording brought to light: said, and tried again, less and less often."""
        if isinstance(error, OSError) or of_the_machine(error):
            return self._trouble(EnvironmentFault(machine_fault(error)))
        self.own_faults += 1
        where = place_of(error)
        log.error(Event.WENT_WRONG, error=type(error).__name__, where=where)
        what = f"{type(error).__name__} at {where[-1]}"
        sentence = f"earmark itself went wrong ({what}). Please report it"
        if self.once:
            raise EarmarkError(sentence) from error
        return self._pause(
            f"{sentence}; it goes on by itself", min(LONGEST_PAUSE, PAUSE * 2.0 ** (self.own_faults - 1))
        )

    def _pause(self, reason: str, seconds: float = PAUSE, told: bool = True) -> None:
        """The machine is in trouble: say so, wait, try again. Nobody is charged for it. `told`: not to whoever waits for the
        end of this process, who is told then.
        """
        if told and reason != self._paused:
            log.error(Event.PAUSED, sentence=reason)
        self._paused = reason
        self.notifier.status(f"Paused: {reason}")
        write_report(self.home.status_file, Report.model_validate(self.about()))
        self._reported = None  # that it is over is said, even if all is as before
        until = self.clock.monotonic() + seconds
        later_posts: list[Signaled] = []
        while not self.stopping and (left := until - self.clock.monotonic()) > 0:
            for post in self._inbox.receive(left):
                if isinstance(post, Signaled) and post.number in ENDS:
                    self.stopping = True
                elif isinstance(post, Signaled):
                    later_posts.append(post)
            self.notifier.watchdog()
        for post in later_posts:
            self._inbox.put(post)

    def _damage(self) -> LedgerError | None:
        """What is wrong with the ledger's file, if anything is."""
        try:
            with Ledger(self.home.ledger_file, alive=self.ping) as ledger:
                ledger.db.check()
        except LedgerTooNew:
            raise
        except LedgerError as error:
            return error
        except (EarmarkError, OSError, sqlite3.Error):
            return None  # it cannot be looked at now; the next session finds out why
        return None

    def _index_made_anew(self) -> bool:
        """True if there is nothing more to do about a damage: it was the index alone, or has to wait for the machine."""
        try:
            return made_anew(self.home.ledger_file, self.ping)
        except EnvironmentFault as fault:
            self._trouble(fault)
            return True

    def _mended(self) -> bool:
        """True if rows of the ledger made no sense, and were taken out."""
        try:
            with Ledger(self.home.ledger_file, alive=self.ping) as ledger:
                count = mend(ledger)
        except (EarmarkError, OSError, sqlite3.Error):
            return False
        if count:
            log.error(Event.LEDGER_MENDED, rows=count)
        return count > 0

    def _repair(self, error: LedgerError) -> None:
        """A damaged ledger is kept for whoever wants to look at it. A new one gets what can still be read of it; the rest
        comes from folders and notes. One that is found damaged again at once gets only what protects.
        """
        self._repairs += 1
        if self.once and self._repairs > MOST_REPAIRS:
            raise EnvironmentFault(f"{error}. It was repaired {MOST_REPAIRS} times; the disk may be failing")
        if self._repairs > 1:
            self._pause(f"{error}. That is number {self._repairs} since the start; the disk may be failing")
        self.notifier.status(f"The ledger was damaged and is being rebuilt: {error}")
        now = self.clock.wall()

        def told(ledger: Ledger, result: Repaired) -> None:
            say_repaired(ledger, result, now)

        result = repair(self.home.ledger_file, now, told, self.ping, bare=self._repairs > 2)
        log.error(
            Event.LEDGER_SET_ASIDE, sentence=str(error), kept=str(result.aside),
            recordings=result.copied.get("recordings", 0), doubtful=sorted(result.doubtful),
        )  # fmt: skip

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT stop, SIGHUP reloads, SIGUSR1 wakes; the handlers only leave a post."""

        def leave_post(number: int, _: FrameType | None) -> None:
            self._inbox.put(Signaled(number))

        before = {}
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
            with contextlib.suppress(ValueError):  # not the main thread (tests)
                before[number] = signal.signal(number, leave_post)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
