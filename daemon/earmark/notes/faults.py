"""The sentence for a note that could not be written: which folder, what is wrong, what would be right."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from earmark.errors import EnvironmentFault

_REMEDY = {
    errno.ENOSPC: "the disk is full. Free some space there",
    errno.EDQUOT: "your disk quota is used up. Free some space there",
    errno.EROFS: "it is on a read-only disk. Make it writable",
    errno.EIO: "the disk reports an error (EIO). Check the disk and its cable",
    errno.EACCES: "earmark may not write there. Give it permission to write to that folder",
    errno.EPERM: "earmark may not write there. Give it permission to write to that folder",
    errno.ENOENT: "the folder is not there. Put it back, or mount its disk",
    errno.ENOTDIR: "it is not a folder any more. Put the folder back",
    errno.ELOOP: "it lies behind a symlink. Put the recordings into a real folder",
    errno.ESTALE: "the network folder has gone away. Mount it again",
    errno.ENOTCONN: "the network folder has gone away. Mount it again",
    errno.ENAMETOOLONG: "that disk does not take file names this long. Give the recording a shorter name",
    errno.EDEADLK: "notes there are in iCloud only. Choose Keep Downloaded for them in the Finder",
    errno.EMFILE: "too many files are open. Restart earmark",
    errno.ENFILE: "too many files are open on this machine. Close some programs",
}


_ON_A_MAC: Mapping[int, str] = {
    errno.EPERM: "macOS does not let earmark write there. Unlock what is locked (Get Info in the Finder), or allow Python"
    " the folder under System Settings, Privacy & Security, Files and Folders",
    errno.EACCES: f"{_REMEDY[errno.EACCES]}, and to replace the notes in it (Get Info in the Finder, Sharing & Permissions)",
}
"""macOS says EPERM of a locked file and of a folder that its user has not allowed, and EACCES of "deny delete" in a list."""


def environment_fault(error: OSError, folder: Path, system: str = sys.platform) -> EnvironmentFault:
    """Nobody's attempt is charged for it."""
    remedy = (_ON_A_MAC if system == "darwin" else {}).get(error.errno or 0) or _REMEDY.get(error.errno or 0)
    if remedy is None:
        remedy = f"{os.strerror(error.errno or 0)} ({errno.errorcode.get(error.errno or 0, '?')})"
    return EnvironmentFault(f"Cannot write notes in {folder}: {remedy}, and earmark goes on by itself.")
