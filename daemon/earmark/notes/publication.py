"""The system calls behind a durable write, with what differs between systems and filesystems."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path

from earmark.errors import EnvironmentFault

_RENAME_NOREPLACE = 1
"""linux/fs.h"""
_RENAME_EXCL = 4
"""macOS sys/stdio.h"""

NO_HARD_LINKS = frozenset(
    {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EACCES, errno.EINVAL}
)
"""How FAT, exFAT, some FUSE, SMB and Android filesystems say that they know no hard links (man 2 link)."""

_NO_SUCH_CALL = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})

_REMEDY = {
    errno.ENOSPC: "the disk is full. Free some space there",
    errno.EDQUOT: "your disk quota is used up. Free some space there",
    errno.EROFS: "it is on a read-only disk. Make it writable",
    errno.EIO: "the disk reports an error (EIO). Check the disk and its cable",
    errno.EACCES: "earmark may not write there. Give it permission to write to that folder",
    errno.EPERM: "earmark may not write there. Give it permission to write to that folder",
    errno.ENOENT: "the folder is not there. Put it back, or mount its disk",
    errno.ENOTDIR: "it is not a folder any more. Put the folder back",
    errno.ESTALE: "the network folder has gone away. Mount it again",
    errno.ENOTCONN: "the network folder has gone away. Mount it again",
    errno.ENAMETOOLONG: "that disk does not take file names this long. Give the recording a shorter name",
    errno.EMFILE: "too many files are open. Restart earmark",
    errno.ENFILE: "too many files are open on this machine. Close some programs",
}


def environment_fault(error: OSError, folder: Path) -> EnvironmentFault:
    """The sentence for a note that could not be written; nobody's attempt is charged for it."""
    remedy = _REMEDY.get(error.errno or 0)
    if remedy is None:
        remedy = f"{os.strerror(error.errno or 0)} ({errno.errorcode.get(error.errno or 0, '?')})"
    return EnvironmentFault(f"Cannot write notes in {folder}: {remedy}, and earmark goes on by itself.")


def write_all(fd: int, data: bytes) -> None:
    """Write every byte; `os.write` may take only some of them without an error."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def flush_file(fd: int) -> None:
    """Bring a file's bytes to the medium; on macOS fsync alone stops at the drive's cache."""
    if sys.platform == "darwin":
        import fcntl

        try:
            fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
        except OSError as error:
            if error.errno not in _NO_SUCH_CALL and error.errno != errno.ENOTTY:
                raise
        else:
            return
    os.fsync(fd)


def flush_folder(fd: int) -> None:
    """Bring a folder's entries to the medium, where the filesystem has such a thing (SMB and some FUSE do not)."""
    try:
        flush_file(fd)
    except OSError as error:
        if error.errno not in _NO_SUCH_CALL and error.errno != errno.EBADF:
            raise


def create_without_clobbering(folder: int, temp: str, name: str) -> None:
    """Give the finished file `temp` the name `name` in the same folder (an open descriptor).

    Raises FileExistsError if the name is taken. `temp` may or may not be left; the caller removes it.
    """
    try:
        os.link(temp, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
        return
    except OSError as error:
        if error.errno not in NO_HARD_LINKS:
            raise
    if not _rename_exclusively(folder, temp, name):
        _rename_over_placeholder(folder, temp, name)


def _rename_exclusively(folder: int, temp: str, name: str) -> bool:
    """renameat2(RENAME_NOREPLACE) or renameatx_np(RENAME_EXCL); False where the system or filesystem has neither."""
    libc = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "darwin":
        call, flag = getattr(libc, "renameatx_np", None), _RENAME_EXCL
    else:
        call, flag = getattr(libc, "renameat2", None), _RENAME_NOREPLACE
    if call is None:
        return False
    call.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    if call(folder, os.fsencode(temp), folder, os.fsencode(name), flag) == 0:
        return True
    number = ctypes.get_errno()
    if number in _NO_SUCH_CALL:
        return False
    raise OSError(number, os.strerror(number), name)


def _rename_over_placeholder(folder: int, temp: str, name: str) -> None:
    """Last resort: claim the name with an empty file, then rename over it. A crash between leaves the empty file."""
    os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666, dir_fd=folder))
    if os.stat(name, dir_fd=folder, follow_symlinks=False).st_size:
        raise FileExistsError(errno.EEXIST, "somebody wrote to the new file at once", name)
    os.rename(temp, name, src_dir_fd=folder, dst_dir_fd=folder)
