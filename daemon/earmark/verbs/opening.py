"""The context that a verb works in, and telling a running daemon that the ledger was changed under it."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from earmark.config import Config
from earmark.context import Context
from earmark.errors import EarmarkError, IndexMadeAnew, LedgerError, LedgerTooNew, LedgerTooOld, NeverRan
from earmark.files import has_own_processes, holders, is_locked
from earmark.ledger import DaemonLock, Ledger, index_saved
from earmark.paths import Home
from earmark.report import other_config, read_report
from earmark.retention.doubt import reconcile


@contextmanager
def opened_context(home: Home, config: Config, *, read_only: bool = False) -> Iterator[Context]:
    """The ledger of this installation with its configuration. Raises NeverRan, with what to do, if there is none yet."""
    if not home.ledger_file.exists():
        raise NeverRan(
            f"earmark has not run here yet (no ledger in {home.state}); start it with: earmark run FOLDER"
        )
    with Ledger(home.ledger_file, read_only=True) if read_only else _to_write(home) as ledger:
        context = Context(ledger, home, config, watched_folders(home, config), logs=False)
        if not read_only:
            if not ledger.index.is_whole():
                ledger.index.made_sound()  # else no words could be changed or go, which goes through the index
            # Before anything is decided: a ledger from a backup may know less than the copy of what protects.
            reconcile(context)
        try:
            yield context
        except LedgerError as error:
            if read_only or not ledger.index.made_sound(pages=True):
                raise
            raise IndexMadeAnew(
                "The index of search was damaged, and nothing else was; it is made anew. Say it again"
            ) from error


def _to_write(home: Home) -> Ledger:
    try:
        return Ledger(home.ledger_file)
    except LedgerError as error:
        if not cut_index_made_anew(home, error):
            raise
    return Ledger(home.ledger_file)


def cut_index_made_anew(home: Home, error: LedgerError) -> bool:
    """Make an empty index where the ledger cannot be opened, for this reason, as the end of its file is missing; false where
    something else is missing, too, or a daemon runs, which does this itself.
    """
    if isinstance(error, LedgerTooNew | LedgerTooOld):
        return False
    try:
        with DaemonLock(home.lock_file):
            return index_saved(home.ledger_file, lambda: None)
    except (EarmarkError, OSError, sqlite3.Error):
        return False


def watched_folders(home: Home, config: Config) -> tuple[Path, ...]:
    """The drop folders that a daemon watches, or watched last; else those of the configuration."""
    report = read_report(home.status_file)
    if report is not None and report.folders:
        return tuple(Path(folder) for folder in report.folders)
    return tuple(folder.path for folder in config.folder)


def wake_daemon(home: Home) -> None:
    """Tell a running daemon that the ledger was changed under it."""
    _signal(home, signal.SIGUSR1)


def reload_daemon(home: Home) -> bool:
    """Tell a running daemon to read the configuration again, if it is this one that it reads; True if one was told."""
    report = read_report(home.status_file)
    if report is None or other_config(report, home.config_file) is not None:
        return False
    return _signal(home, signal.SIGHUP)


def _signal(home: Home, number: signal.Signals) -> bool:
    report = read_report(home.status_file)
    if report is None or not is_locked(home.lock_file):
        return False
    # What a report of an earlier daemon, or one from inside of a container, calls its number is another process here.
    known = holders(home.lock_file)
    if known is None or (report.pid in known and has_own_processes()):
        with contextlib.suppress(OSError):
            os.kill(report.pid, number)
            return True
    return False
