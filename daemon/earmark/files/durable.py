"""Bringing bytes and names to the medium, with what differs between systems and filesystems."""

from __future__ import annotations

import errno
import fcntl
import os
import sys

NO_SUCH_CALL = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
"""How systems and filesystems say that they do not know a call. ENOTSUP and EOPNOTSUPP are one number on Linux (95) and two
on macOS (45 and 102, sys/errno.h).
"""

LOST = frozenset({errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.ENXIO, errno.ESTALE})
"""What is no refusal of a call: the bytes are not on the medium. Asked once more, a system may say that all is well."""

_NO_FOLDERS = NO_SUCH_CALL | {errno.ENOTTY, errno.EBADF, errno.EPERM, errno.EACCES, errno.EISDIR}
"""How filesystems say that a folder has nothing to be brought to the medium: EINVAL (SMB on Linux, FUSE), ENOTSUP (SMB on
macOS), ENOTTY (exFAT on macOS), EBADF and EACCES (where no folder may be synced: PostgreSQL, fsync_fname), EPERM, EISDIR
(servers and drivers in user space, which answer what they like).
"""


def write_all(fd: int, data: bytes) -> None:
    """Write every byte; `os.write` may take only some of them without an error."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def flush_file(fd: int) -> None:
    """Bring a file's bytes to the medium. Raises OSError.

    On macOS fsync(2) stops at the drive's cache, and F_FULLFSYNC does not (man 2 fsync). Not every filesystem there knows
    that: ENOTSUP (SMB, NTFS), EINVAL (WebDAV, macFUSE), ENOTTY (exFAT, ZFS), says libuv's change 2135, and no page lists
    them. So unless the bytes are lost, fsync is asked, which is what there is then.
    """
    if sys.platform == "darwin":
        try:
            fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
        except OSError as error:
            if error.errno in LOST:
                raise
        else:
            return
    os.fsync(fd)


def flush_folder(fd: int) -> None:
    """Bring a folder's entries to the medium, where the filesystem has such a thing. Raises OSError."""
    try:
        flush_file(fd)
    except OSError as error:
        if error.errno not in _NO_FOLDERS:
            raise
