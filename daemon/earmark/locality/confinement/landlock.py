"""Landlock: give up all files but the named ones, for good (Linux 5.13 and later; landlock(7)).

The numbers are those of linux/landlock.h; the calls have the same numbers on every architecture.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION_FLAG, _PATH_BENEATH, _NET_PORT, PR_SET_NO_NEW_PRIVS = 1, 1, 2, 38

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
"""Rights that a rule about a single file may name; the others are about folders."""
_FILES = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
"""All rights over files that the kernel's version (the greatest key not above it) can take away."""
_TCP, _TCP_CONNECT = 0b11, 0b10  # bind, connect: from version 4
_SCOPES = 0b11  # abstract unix sockets, signals: from version 6
_O_PATH = 0o10000000  # asm-generic/fcntl.h


def version() -> int:
    """Landlock's version for this process; 0 if there is none (`why_absent` says why)."""
    return max(0, _asked()[0])


def handled() -> int:
    """The rights over files that are taken away here; 0 where there is no Landlock."""
    found = version()
    return _FILES[max(v for v in _FILES if v <= found)] if found else 0


def why_absent() -> OSError:
    """Why there is no Landlock for this process: the kernel's word for it, and what that means."""
    number = _asked()[1]
    if number in (errno.EPERM, errno.EACCES):
        # Docker's, podman's and nspawn's filters do so, and the kernel may well have it.
        return OSError(
            number,
            "a system call filter, of the container or the service that this runs in, refuses Landlock",
        )
    if number == errno.EOPNOTSUPP:
        return OSError(number, "Landlock is turned off on this machine (the kernel's lsm= does not name it)")
    return OSError(errno.ENOSYS, "this kernel has no Landlock")


def _asked() -> tuple[int, int]:
    """Landlock's version, or a negative number and errno."""
    found, number = -1, errno.ENOSYS
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        found = int(libc.syscall(_CREATE, None, ctypes.c_size_t(0), _VERSION_FLAG))
        number = ctypes.get_errno()
    return found, number


def restrict(
    readable: Iterable[Path],
    usable: Iterable[Path],
    *,
    writable: Iterable[Path] = (),
    ports: Iterable[int] | None = (),
) -> int:
    """Leave only reading beneath `readable` and reading and writing of the devices `usable`; returns the version.

    Files beneath `writable` may be made, changed and removed too. TCP connections (from version 4) may be made to
    `ports` of any address; None leaves TCP as it is.

    Paths that do not exist are passed over. Raises OSError if the kernel refuses. Holds for the calling thread and all
    that it starts: call it before there are others.
    """
    found = version()
    if not found:
        raise why_absent()
    libc = ctypes.CDLL(None, use_errno=True)
    every = handled()
    attributes = struct.pack("<Q", every)
    if found >= 4:
        attributes += struct.pack("<Q", _TCP if ports is not None else 0)
    if found >= 6:
        attributes += struct.pack("<Q", _SCOPES)
    ruleset = libc.syscall(_CREATE, attributes, ctypes.c_size_t(len(attributes)), 0)
    if ruleset < 0:
        raise OSError(ctypes.get_errno(), f"landlock: {os.strerror(ctypes.get_errno())}")
    try:
        for path in readable:
            _allow(libc, ruleset, path, (_READ_FILE | _READ_DIR) & every)
        for path in usable:
            _allow(
                libc, ruleset, path, (_READ_FILE | _WRITE_FILE | _READ_DIR | _TRUNCATE | _IOCTL_DEV) & every
            )
        for path in writable:
            _allow(libc, ruleset, path, every & ~_EXECUTE)
        for port in (ports or ()) if found >= 4 else ():
            # struct landlock_net_port_attr
            if libc.syscall(_ADD, ruleset, _NET_PORT, struct.pack("<QQ", _TCP_CONNECT, port), 0) != 0:
                raise OSError(ctypes.get_errno(), f"landlock, port {port}: {os.strerror(ctypes.get_errno())}")
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        if libc.syscall(_RESTRICT, ruleset, 0) != 0:
            raise OSError(ctypes.get_errno(), f"landlock: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(ruleset)
    return found


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path, rights: int) -> None:
    try:
        fd = os.open(path, _O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(fd).st_mode):
            rights &= _FILE_RIGHTS
        rule = struct.pack("<Qi", rights, fd)  # struct landlock_path_beneath_attr is packed
        if libc.syscall(_ADD, ruleset, _PATH_BENEATH, rule, 0) != 0:
            raise OSError(ctypes.get_errno(), f"landlock, {path}: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(fd)
