"""Numbers that a process sets for itself and that every program of the machine can read: limits, and what it has locked.

/proc/PID/limits and /proc/locks are open to everybody (proc(5)), and a limit or the place of a lock has room for a word.
"""

from __future__ import annotations

import resource
import struct

LOCKS = frozenset({6, 7, 37, 38})
"""fcntl(2): F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW (asm-generic/fcntl.h)."""

_UNLOCK = 2  # F_UNLCK
_FLOCK = struct.Struct("=hh4xqq")
"""struct flock: type, whence, first byte, how many."""

_SQLITES = (range(0x40000000, 0x40000000 + 512), range(120, 129))
"""The bytes that SQLite locks: of the database (os.h, PENDING_BYTE to the end of the shared ones), and of its shared memory
(walformat.html, 2.3)."""

WORKERS = frozenset({"RLIMIT_AS", "RLIMIT_CPU"})
"""The limits that a worker sets for itself (process.cap_memory, transcription/limits.py)."""

_SET_DUMPABLE = 4  # PR_SET_DUMPABLE
_HARMLESS_PRCTL = frozenset(
    {1, 2, 3, 7, 16, 21, 23, 25, 27, 30, 34, 36, 37, 38, 39, 41, 42, 46, 51, 52, 54, 55, 56, 66, 0x41555856}
)
"""prctl(2): PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_SET_THP_DISABLE, what aarch64's C library sets
(PR_PAC_RESET_KEYS, PR_SET_TAGGED_ADDR_CTRL), and those that only ask.
"""

_NAMES = {getattr(resource, name): name for name in dir(resource) if name.startswith("RLIMIT_")}
_CORE = _NAMES.get(4, "RLIMIT_CORE")


def lock_told(flock: bytes, path: str, is_ledger: bool) -> str | None:
    """What is to be told of a lock that is put on a file; None for letting go, and for what SQLite locks of the ledger."""
    if len(flock) < _FLOCK.size:
        return f"a lock on {path}"
    kind, _, first, count = _FLOCK.unpack_from(flock)
    if kind == _UNLOCK or (
        is_ledger and count > 0 and any(first in own and first + count - 1 in own for own in _SQLITES)
    ):
        return None
    return f"a lock on bytes {first} to {first + count - 1 if count else 'the end'} of {path}"


def limit_told(pid: int, whose: int, which: int, limit: bytes) -> tuple[str, str]:
    """What a limit is told as: the act and about what. `whose`: 0 or the process that it is set for."""
    name = _NAMES.get(which, f"limit {which}")
    if whose not in (0, pid):
        return "odd", f"{name} of pid {whose}"
    if name == _CORE:
        return ("odd", _CORE) if any(limit[:8]) else ("wall", "no core")
    return "odd", name


def prctl_told(option: int, value: int) -> tuple[str, str] | None:
    """What prctl(2) is told as: the act and about what; None where it says nothing to anybody."""
    if option == _SET_DUMPABLE:
        return ("odd", "PR_SET_DUMPABLE") if value else ("wall", "not dumpable")
    return None if option in _HARMLESS_PRCTL else ("odd", f"prctl {option}")
