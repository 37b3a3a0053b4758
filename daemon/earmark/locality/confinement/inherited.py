"""What the daemon was given by whoever started it: it keeps stdout and stderr, and closes the rest. Standard library only.
So does `earmark mcp`, which keeps its stdin, too.

A terminal, an IDE, `make -j` or a server leave pipes, sockets and files open in what they start. The daemon has no use for
them, and words could go through each.
"""

from __future__ import annotations

import contextlib
import fcntl
import os


def close_inherited(*, stdin: bool = False) -> tuple[int, ...]:
    """Close every descriptor that this process was started with but stdout and stderr, and `stdin` if that is read; returns
    which.

    To be called early, once: what is open and not marked to be closed at the next program (FD_CLOEXEC) was open before this
    one began, because Python marks whatever it opens (PEP 446); daemon(7) asks for the same. A stdin that nobody reads
    becomes /dev/null. A lock that a starter left in a descriptor (setlock, `flock --no-fork`) goes, too. Of the three
    standard streams those that were missing are there by now (`cli/standard_streams.py`).
    """
    given = tuple(fd for fd in _open_beyond_stderr() if _is_inherited(fd))
    for fd in given:
        with contextlib.suppress(OSError):
            os.close(fd)
    if stdin:
        return given
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    return given


def _open_beyond_stderr() -> list[int]:
    """All open descriptors from 3 on; where the system does not list them, all that there may be."""
    try:
        return sorted(int(name) for name in os.listdir("/dev/fd") if int(name) > 2)  # noqa: PTH208
    except (OSError, ValueError):
        most = os.sysconf("SC_OPEN_MAX")
        return list(range(3, min(most, 1 << 16) if most > 0 else 1 << 16))


def _is_inherited(fd: int) -> bool:
    try:
        return not fcntl.fcntl(fd, fcntl.F_GETFD) & fcntl.FD_CLOEXEC
    except OSError:
        return False
