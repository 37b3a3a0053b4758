"""Bringing bytes and names to the medium, with what differs between systems and filesystems."""

from __future__ import annotations

import errno
import fcntl
import os
import sys

NO_SUCH_CALL = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
"""How systems and filesystems say that they do not know a call (EOPNOTSUPP is 95 on Linux; macOS has 45 and 102)."""


def write_all(fd: int, data: bytes) -> None:
    """Write every byte; `os.write` may take only some of them without an error."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def flush_file(fd: int) -> None:
    """Bring a file's bytes to the medium; on macOS fsync alone stops at the drive's cache."""
    if sys.platform == "darwin":
        try:
            fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
        except OSError as error:
            if error.errno not in NO_SUCH_CALL and error.errno != errno.ENOTTY:
                raise
        else:
            return
    os.fsync(fd)


def flush_folder(fd: int) -> None:
    """Bring a folder's entries to the medium, where the filesystem has such a thing (SMB and some FUSE do not)."""
    try:
        flush_file(fd)
    except OSError as error:
        if error.errno not in NO_SUCH_CALL and error.errno != errno.EBADF:
            raise
