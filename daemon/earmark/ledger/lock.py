"""One daemon per ledger: a lock that the kernel lets go of when its holder dies."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import socket
from pathlib import Path
from types import TracebackType

from earmark.errors import EnvironmentFault, LedgerBusy
from earmark.files import make_private


class DaemonLock:
    """flock on a file in the state folder, with who holds it written inside. The file is never removed:
    unlinking a lock file lets two processes hold "it" at once.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._fd = -1

    def acquire(self) -> None:
        """Raises LedgerBusy naming the holder if another daemon has it."""
        try:
            make_private(self._file.parent)
            fd = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise EnvironmentFault(f"{self._file}: the lock cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(fd)
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise EnvironmentFault(f"{self._file}: cannot be locked: {error.strerror}") from error
            raise LedgerBusy(
                f"Another earmark daemon ({holder(self._file) or 'unknown process'}) already uses {self._file.parent}. "
                "Stop that one first, or look at it with: earmark status"
            ) from None
        os.ftruncate(fd, 0)
        os.pwrite(fd, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode(), 0)
        self._fd = fd

    def renew(self) -> None:
        """If the lock's file was removed or replaced (with the whole state folder), lock the one that is there now."""
        with contextlib.suppress(OSError):
            here, held = self._file.stat(), os.fstat(self._fd)
            if (here.st_dev, here.st_ino) == (held.st_dev, held.st_ino):
                return
        self.release()
        self.acquire()

    def release(self) -> None:
        if self._fd >= 0:
            os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> DaemonLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def holder(file: Path) -> str | None:
    """`pid 123 on host` as the lock file says, whether or not it is still held."""
    try:
        found = json.loads(file.read_bytes())
        return f"pid {int(found['pid'])} on {found['host']}"
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_held(file: Path) -> bool:
    """True if some process holds the lock right now."""
    try:
        fd = os.open(file, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(fd)
