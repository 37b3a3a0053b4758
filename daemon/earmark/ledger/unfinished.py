"""What is so of a ledger that is not of this program's version, and why nobody has brought it up to date yet."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

ROOM = 1 << 20
"""Bytes that have to be free for a ledger to be made: its file (209 KB), as much of a log beside it, and its index (33 KB)
are there at once, and a daemon's first rows."""


def what_is_so(file: Path, db: sqlite3.Connection, done: int, here: int) -> str:
    """What keeps a ledger of version `done` from being read by a program of version `here`. Raises sqlite3's errors."""
    if done == 0:
        what = "is no ledger yet: its making was not finished"
    elif _is_empty(db):
        what = f"its making was not finished (version {done} of {here})"
    else:
        what = f"written by an older earmark (version {done} against {here} here), and not brought up to date yet"
    return f"{file}: {what}{for_want_of_room(file.parent)}"


def _is_empty(db: sqlite3.Connection) -> bool:
    """True if no daemon ever wrote into it: its first look at a folder leaves a fact."""
    for table in ("recordings", "events", "facts"):
        with closing(db.execute(f"SELECT 1 FROM {table} LIMIT 1")) as found:
            if found.fetchone() is not None:
                return False
    return True


def for_want_of_room(folder: Path) -> str:
    """A part of a sentence: that the disk of the state folder is full, or nearly; "" where it is not."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return ""
    free = disk.f_bavail * disk.f_frsize
    if free >= ROOM:
        return ""
    return (
        f", because its disk has too little room ({free >> 10} KiB are free, and {ROOM >> 10} KiB should be):"
        " make room there"
    )
