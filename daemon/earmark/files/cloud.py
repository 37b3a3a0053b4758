"""Files of which a cloud has the bytes and this disk only the name: they are not opened, because that would download them.

iCloud Drive and other file providers of macOS leave size, times and inode of what they evict, and a flag; before macOS 14
iCloud put `.NAME.icloud` in its place.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path

SF_DATALESS = 0x40000000
"""Of st_flags: "file is dataless object" (sys/stat.h of xnu)."""

_PROVIDERS = "/Library/CloudStorage/"
"""Where other providers than iCloud have their folders, as `Dropbox` or `OneDrive-Personal`."""


class InCloud(OSError):
    """The bytes of a file are not here; nothing of it was opened. What the system says where it may not download, as in a
    job of launchd: EDEADLK (launchd.plist(5), MaterializeDatalessFiles; setiopolicy_np(3)).
    """

    def __init__(self, path: Path | str) -> None:
        super().__init__(errno.EDEADLK, where(path), str(path))


def has_flags() -> bool:
    """True if the system has flags of files (macOS, BSD): elsewhere no file is dataless."""
    return hasattr(os.stat_result, "st_flags")


def is_dataless(status: os.stat_result) -> bool:
    """True if a cloud has the bytes of the file, or the names in the folder, and this disk has not."""
    return bool(getattr(status, "st_flags", 0) & SF_DATALESS)


def where(path: Path | str | bytes) -> str:
    """The sentence for a file that is not here: `is in iCloud only; ...`."""
    _, _, provided = os.fsdecode(path).partition(_PROVIDERS)
    provider = provided.partition("/")[0].partition("-")[0] or "iCloud"
    return f"is in {provider} only; choose Keep Downloaded in the Finder"


def placeholder(name: str) -> str:
    """What iCloud puts in place of a file, before macOS 14."""
    return f".{name}.icloud"


def evicted_name(name: str) -> str | None:
    """The name of the file that a placeholder stands for; None for any other file."""
    inner = name.removeprefix(".").removesuffix(".icloud")
    return inner if inner and name == placeholder(inner) else None


def in_cloud(path: Path | str, dir_fd: int | None = None) -> bool:
    """True if a file is not here but its cloud has it. Opens nothing."""
    if not has_flags():
        return False
    folder, _, name = os.fspath(path).rpartition("/")
    try:
        return is_dataless(os.stat(path, dir_fd=dir_fd, follow_symlinks=False))
    except FileNotFoundError:
        instead = f"{folder}/{placeholder(name)}" if folder else placeholder(name)
        try:
            os.stat(instead, dir_fd=dir_fd, follow_symlinks=False)
        except OSError:
            return False
        return True
    except OSError as error:
        return error.errno == errno.EDEADLK  # its folder is not here, either


def says_in_cloud(error: BaseException) -> bool:
    """True if what went wrong is that bytes are in a cloud only; also of errors that a library made of the system's."""
    return getattr(error, "errno", None) == errno.EDEADLK


def went_to_cloud(fd: int) -> None:
    """Raises OSError (EDEADLK) if an open file's bytes are here no more, although its size and time say nothing of it."""
    status = os.fstat(fd)
    if is_dataless(status):
        raise OSError(errno.EDEADLK, os.strerror(errno.EDEADLK))
    try:
        os.pread(fd, 1, max(0, status.st_size - 1))
    except OSError as error:
        if says_in_cloud(error):
            raise


def never_download() -> None:
    """From now on nothing that this process opens, lists or looks up is downloaded: that says EDEADLK instead. launchd has
    it so for its jobs; a shell has not.
    """
    if sys.platform == "darwin":
        # <sys/resource.h>: IOPOL_TYPE_VFS_MATERIALIZE_DATALESS_FILES, IOPOL_SCOPE_PROCESS, ..._OFF. Where it fails, the flag
        # is looked at all the same.
        ctypes.CDLL(None).setiopolicy_np(3, 0, 1)
