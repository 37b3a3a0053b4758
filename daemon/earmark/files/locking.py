"""A lock that the kernel lets go of when its holder dies."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from pathlib import Path

from earmark.files.folders import make_private


class Busy(Exception):
    """Another process holds the lock."""


class FileLock:
    """flock on a file of ours. The file is never removed: unlinking a lock file lets two processes hold "it" at once."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._fd = -1

    def acquire(self, seconds: float = 0.0) -> None:
        """Take the lock, waiting for it at most so long. Raises Busy, or OSError if the file cannot be locked."""
        make_private(self.file.parent)
        fd = os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        deadline = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                busy = error.errno in (errno.EWOULDBLOCK, errno.EACCES)
                if busy and time.monotonic() < deadline:
                    time.sleep(0.02)
                    continue
                os.close(fd)
                if busy:
                    raise Busy(str(self.file)) from None
                raise
        self._fd = fd

    def release(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def write(self, words: bytes) -> None:
        """Say in the file who holds it, if the lock is held."""
        if self._fd >= 0:
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, words, 0)

    def only_read(self) -> None:
        """Go on holding it by a descriptor that cannot write, for a process that is to have no file open for writing. Raises
        Busy if another one was quicker.
        """
        fd = os.open(self.file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        self.release()
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            raise Busy(str(self.file)) from None
        self._fd = fd

    def still_the_file(self) -> bool:
        """False if the file was removed or replaced since it was locked."""
        try:
            return os.path.samestat(os.stat(self.file), os.fstat(self._fd))
        except OSError:
            return False

    def __enter__(self) -> FileLock:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def has_own_processes(proc: Path = Path("/proc")) -> bool:
    """Whether /proc shows the processes of this one's pid namespace: another's numbers are other processes here."""
    try:
        return os.readlink(proc / "self") == str(os.getpid())
    except OSError:
        return False


def holders(file: Path, proc: Path = Path("/proc"), kind: str = "FLOCK") -> list[int] | None:
    """Who holds a lock on this file (`kind`: FLOCK, POSIX), by the kernel's word (proc_locks(5)); None where it says none.

    The device is passed over: btrfs and overlayfs name another there than stat(2). A holder in another pid namespace
    is 0, or not there at all.
    """
    try:
        lines = (proc / "locks").read_text().splitlines()
        inode = str(file.stat().st_ino)
    except OSError:
        return None
    columns = [line.split() for line in lines]
    return sorted(
        {int(c[4]) for c in columns if c[1:2] == [kind] and len(c) > 5 and c[5].rpartition(":")[2] == inode}
    )


def is_locked(file: Path) -> bool:
    """True if some process holds the lock right now. A process that may open nothing for writing can ask, too."""
    way = fcntl.LOCK_EX  # of which a network's file system makes one that needs a file open for writing
    try:
        fd = os.open(file, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        way = fcntl.LOCK_SH
        try:
            fd = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return False
    try:
        fcntl.flock(fd, way | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(fd)
