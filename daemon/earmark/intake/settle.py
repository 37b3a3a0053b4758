"""When is a file complete? When nothing about it has changed for a while and nobody has it open for writing."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from earmark.ledger.places import Identity


@dataclass(slots=True)
class Settling:
    """Files that were seen and are not taken yet. Nothing is ever dropped from here but by being taken or vanishing.

    Times are of a monotonic clock, in seconds.
    """

    settle_seconds: float
    _since: dict[bytes, tuple[Identity, float]] = field(default_factory=dict)

    def see(self, path: bytes, identity: Identity, now: float) -> bool:
        """Note how a file looks now; true if it has looked the same for the settle time."""
        known = self._since.get(path)
        if known is None or known[0] != identity:
            self._since[path] = (identity, now)
            return False
        return now - known[1] >= self.settle_seconds

    def again(self, path: bytes, now: float) -> None:
        """It looked settled but was not (somebody writes to it): start its wait anew."""
        if path in self._since:
            self._since[path] = (self._since[path][0], now)

    def leave(self, path: bytes) -> None:
        """It was taken, or it is not there any more."""
        self._since.pop(path, None)

    def next_at(self) -> float | None:
        """When the next of them could be settled."""
        return min((since for _, since in self._since.values()), default=None)

    def waiting(self) -> Iterable[bytes]:
        return list(self._since)

    def identity(self, path: bytes) -> Identity | None:
        known = self._since.get(path)
        return known[0] if known else None

    def __len__(self) -> int:
        return len(self._since)


def being_written(path: Path) -> bool:
    """True if the operating system says that some process has the file open for writing.

    Linux grants a read lease (F_SETLEASE, own files, local filesystems) only while nobody writes. Where the question
    cannot be asked the answer is False, and the settle time alone decides.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # The kernel would tell us by SIGIO about a writer who comes during the lease; the default action kills.
        if signal.getsignal(signal.SIGIO) is signal.SIG_DFL:
            signal.signal(signal.SIGIO, signal.SIG_IGN)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    except ValueError:  # not the main thread: SIGIO could not be ignored, so no lease was asked for
        return False
    else:
        return False
    finally:
        os.close(fd)
