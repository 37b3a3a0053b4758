"""What a folder is, whatever it is called: its handle, which no later folder has, where the system gives one."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

_AT_EMPTY_PATH = 0x1000
"""linux/fcntl.h: the descriptor itself is meant."""

_MOST = 128
"""MAX_HANDLE_SZ, bytes (fcntl.h)."""


class _FileHandle(ctypes.Structure):
    """struct file_handle (man 2 name_to_handle_at)."""

    _fields_ = (
        ("handle_bytes", ctypes.c_uint),
        ("handle_type", ctypes.c_int),
        ("f_handle", ctypes.c_ubyte * _MOST),
    )


def what_is(fd: int) -> str:
    """A name for an open folder that it keeps when it is renamed, and that no other folder of its disk gets: the handle by
    which it could be exported (inode and generation), else its inode and, where the system knows it, its birth.

    On macOS nothing is said of the disk: its number there changes with the order in which disks are plugged in (statvfs(3)
    calls it not meaningful), and a birth is good to a millionth of a second.
    """
    found = os.fstat(fd)
    disk = "" if sys.platform == "darwin" else f"{os.fstatvfs(fd).f_fsid:x}"
    handle = _handle(fd)
    if handle:
        return f"{disk}:{handle}"
    return f"{disk}:{found.st_ino}:{getattr(found, 'st_birthtime', '')}"


def what_is_at(folder: Path) -> str:
    """The same for the folder at a path; "" if there is none, or nobody may look."""
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return what_is(fd)
    except OSError:
        return ""
    finally:
        os.close(fd)


def _handle(fd: int) -> str:
    """The handle in hexadecimal digits; "" where the system or the filesystem has none (FUSE, overlays, macOS)."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "name_to_handle_at", None)  # Linux has it
    if call is None:
        return ""
    handle, mount = _FileHandle(handle_bytes=_MOST), ctypes.c_int()
    call.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
    if call(fd, b"", ctypes.byref(handle), ctypes.byref(mount), _AT_EMPTY_PATH) != 0:
        return ""
    return f"{handle.handle_type:x}-{bytes(handle.f_handle[: handle.handle_bytes]).hex()}"
