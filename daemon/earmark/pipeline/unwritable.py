"""Folders whose notes could not be written: a look from outside, every few seconds, whether that may have ended."""

from __future__ import annotations

import os
from pathlib import Path

from earmark.context import Context
from earmark.domain import Instant

State = tuple[object, ...]


class Unwritable:
    """What such folders looked like when it was found out. Notes wait longer and longer until they are tried again; a
    folder that looks different by now has its notes tried at once, and what cannot be seen (a quota) waits as before. The
    first look of a run finds all of them different: whoever starts a daemon may have mended something.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._states: dict[Path, State | None] = {}
        self._first = True

    def look(self) -> bool:
        """Have the notes of folders that changed tried again. True if there are any such folders."""
        ledger, now = self._context.ledger, self._context.now()
        places = [place for place in ledger.places.held_up(now) if self._context.answers(place.path)]
        states = {folder: state_of(folder) for folder in {place.path.parent for place in places}}
        changed = {f for f, state in states.items() if self._first or self._states.get(f, state) != state}
        if changed:
            with ledger.transaction():
                for place in places:
                    if place.path.parent in changed:
                        ledger.places.not_written(place, None, Instant(now))
        self._states, self._first = states, False
        return bool(places)


def state_of(folder: Path) -> State | None:
    """What says whether a file could be made in a folder: which folder it is, its permissions, whether its disk is
    read-only, and its free space, in powers of two. None: it is not there.
    """
    try:
        found, disk = folder.stat(), os.statvfs(folder)
    except OSError:
        return None
    return (
        found.st_dev, found.st_ino, found.st_mode, found.st_uid, found.st_gid, os.access(folder, os.W_OK | os.X_OK),
        disk.f_flag & os.ST_RDONLY, (disk.f_bfree * disk.f_frsize).bit_length(),
        (disk.f_bavail * disk.f_frsize).bit_length(), disk.f_favail > 0,
    )  # fmt: skip
