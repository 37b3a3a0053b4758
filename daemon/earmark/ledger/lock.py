"""One daemon per ledger."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from pathlib import Path

from earmark.errors import EnvironmentFault, LedgerBusy
from earmark.files import Busy, FileLock, holders

UNKNOWN = "which process is not known"
"""What is said where `holder` says nothing."""

STARTING = 20.0
"""Seconds in which a daemon that has just started may not have said anything of itself yet: it does within one on a machine
at rest."""


class DaemonLock:
    """A lock in the state folder, with who holds it written inside."""

    def __init__(self, file: Path) -> None:
        self._lock = FileLock(file)

    def acquire(self) -> None:
        """Raises LedgerBusy naming the holder if another daemon has it."""
        file = self._lock.file
        try:
            self._lock.acquire()
        except Busy:
            raise LedgerBusy(
                f"Another earmark daemon ({holder(file) or 'unknown process'}) already uses {file.parent}. "
                "Stop that one first, or look at it with: earmark status"
            ) from None
        except OSError as error:
            raise EnvironmentFault(f"{file}: the lock cannot be opened: {error.strerror}") from error
        with contextlib.suppress(OSError):  # a full disk keeps nobody from holding it
            self._lock.write(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode())

    def renew(self) -> None:
        """If the lock's file was removed or replaced (with the whole state folder), lock the one that is there now."""
        if not self._lock.still_the_file():
            self._lock.release()
            self.acquire()

    def release(self) -> None:
        with contextlib.suppress(OSError):
            self._lock.write(b"")
        self._lock.release()

    def __enter__(self) -> DaemonLock:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def holder_pid(file: Path) -> int:
    """The process that the lock file names, whether or not it still holds it; 0 for none. Asked without trying the lock,
    which would keep a daemon that just starts from it.
    """
    try:
        return int(json.loads(file.read_bytes())["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def just_taken(file: Path, now: float) -> bool:
    """Whether the process that the lock file names took the lock less than STARTING before `now` (Unix seconds)."""
    try:
        return holder_pid(file) > 0 and now - file.stat().st_mtime < STARTING
    except OSError:
        return False


def holder(file: Path) -> str | None:
    """`pid 123 on host` as the lock file says, whether or not it is still held. Where it says nothing, as on a full disk,
    `pid 123` by the kernel's word.
    """
    try:
        found = json.loads(file.read_bytes())
        return f"pid {int(found['pid'])} on {found['host']}"
    except (OSError, ValueError, KeyError, TypeError):
        now = [pid for pid in holders(file) or () if pid > 0]
        return f"pid {now[0]}" if now else None
