"""The titles of the notes in a folder: only names are looked at, no note is opened."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from earmark.domain import Kind
from earmark.notes.names import NOTE_ENDINGS, SUFFIX

MOST = 2_000
"""Titles that are used, those of the notes that were changed last: each is compared with every word of a recording."""

MOST_LOOKED_AT = 50_000
"""Entries of folders that are looked at: a quarter of a second on a disk of this machine."""


def titles(folder: Path) -> list[str]:
    """The titles of the notes below a folder, in alphabetical order. Hidden folders, links and earmark's own transcripts are
    left out. Raises OSError if the folder itself cannot be read; one below it that cannot be is left out.
    """
    found = sorted(_notes(folder), reverse=True)[:MOST]
    return sorted({title for _, title in found})


def _notes(folder: Path) -> Iterator[tuple[float, str]]:
    left, waiting = MOST_LOOKED_AT, [folder]
    while waiting:
        here = waiting.pop()
        try:
            entries = os.scandir(here)
        except OSError:
            if here == folder:
                raise
            continue
        with entries:
            for entry in entries:
                left -= 1
                if left < 0:
                    return
                if entry.name.startswith(".") or entry.is_symlink():
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                elif entry.name.lower().endswith(NOTE_ENDINGS) and not entry.name.endswith(
                    SUFFIX[Kind.TRANSCRIPT]
                ):
                    title = os.fsencode(entry.name).decode("utf-8", "replace").rpartition(".")[0]
                    yield entry.stat(follow_symlinks=False).st_mtime, title
