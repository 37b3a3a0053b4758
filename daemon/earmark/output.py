"""What a process prints, line by line: until its output ends, or it does. What it started may hold the pipe open."""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Iterator

LOOK = 0.5
"""Seconds between two looks whether a process that prints nothing is still there."""

LAST_WORDS = 1 << 20
"""Bytes that are read after a process has ended: as much as a pipe holds at most."""

CHUNK = 1 << 16


def lines(process: subprocess.Popen[bytes], longest: int) -> Iterator[bytes]:
    """Each line of its stdout with its end; one of more than `longest` bytes is cut there, and the last may have no end."""
    assert process.stdout is not None
    fd, readable, kept, left = process.stdout.fileno(), select.poll(), bytearray(), LAST_WORDS
    readable.register(fd, select.POLLIN)
    while left > 0:
        gone = is_gone(process)  # asked first: what it printed until then is in the pipe
        if not readable.poll(0 if gone else LOOK * 1000):
            if gone:
                break
            continue
        read = os.read(fd, CHUNK)
        if not read:
            break
        left -= len(read) if gone else 0
        searched = len(kept)
        kept += read
        while (end := kept.find(b"\n", searched) + 1) or len(kept) >= longest:
            end = min(end or longest, longest)
            yield bytes(kept[:end])
            del kept[:end]
            searched = 0
    if kept:
        yield bytes(kept)


def is_gone(process: subprocess.Popen[bytes]) -> bool:
    """True once it has ended. Where the system allows it, its number stays its own until somebody waits for it."""
    if not hasattr(os, "waitid"):  # macOS, before Python 3.13
        return process.poll() is not None
    try:
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True
