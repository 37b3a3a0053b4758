"""Is somebody writing to a file? Asked through a read lease, where the system grants one."""

from __future__ import annotations

import errno
import fcntl
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from earmark.files.content import open_regular


@dataclass(frozen=True, slots=True)
class Lease:
    """A read lease on an open file, if one was granted (Linux: one's own files on local filesystems).

    While it is held, nobody can begin to write without being noticed: whoever opens the file for writing waits in the
    kernel until the lease ends.
    """

    fd: int
    granted: bool

    def undisturbed(self) -> bool:
        """False if somebody has asked to write since the lease was granted; True also where there is no lease."""
        return not self.granted or fcntl.fcntl(self.fd, fcntl.F_GETLEASE) == fcntl.F_RDLCK


class BeingWritten(OSError):
    """Some process has the file open for writing."""

    def __init__(self) -> None:
        super().__init__(errno.ETXTBSY, "another program has it open for writing")


@contextmanager
def leased(fd: int) -> Iterator[Lease]:
    """Hold a read lease while the block runs. Raises BeingWritten if the file is open for writing anywhere.

    Where the question cannot be asked (another user's file, network folders, macOS) the lease is not granted and nothing
    is known.
    """
    granted = _ask(fd)
    try:
        yield Lease(fd, granted)
    finally:
        if granted:
            fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)


def being_written(path: object) -> bool:
    """True if the system says that some process has the file open for writing; False also where it cannot say."""
    try:
        with open_regular(path, None) as fd, leased(fd):  # type: ignore[arg-type]
            return False
    except BeingWritten:
        return True
    except OSError:
        return False


def _ask(fd: int) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    try:
        # Who comes to write during the lease is told by a signal; this one is ignored unless somebody asks for it,
        # while SIGIO, the default, would end the process.
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        if error.errno == errno.EAGAIN:
            raise BeingWritten from None
        return False
    return True
