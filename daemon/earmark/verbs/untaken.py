"""Which file do you mean, of those that were not taken? It is known from what is wrong with it, or lies in a drop folder."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from earmark.context import Context
from earmark.files import fold
from earmark.verbs.known import is_known, known_path, shown_as, the_one, tops_of

MOST_LOOKED_AT = 100_000
"""Names in the drop folders that are looked at for one that was typed alone."""

PATIENCE = 5.0
"""Seconds that this may take: a folder on a network can be slow."""


def path_meant(context: Context, file: Path) -> Path:
    """As `known_path`; where that names no file, the file that was not taken and is called so: one that something is said
    of, or one that lies in a drop folder. Raises UsageError, with their paths, where several are called so.
    """
    path = known_path(context, file)
    if file.is_absolute() or is_known(context, path) or os.path.lexists(path):
        return path
    told = [Path(t.subject) for t in context.ledger.journal.troubles() if t.subject.startswith("/")]
    if len(file.parts) > 1:
        listed = {each for top in tops_of(context) for each in shown_as(top, file)}
        found = {each for each in listed if each in told or os.path.lexists(each)}
    else:
        found = _called(file.name, [*told, *_lying(context)])
    return the_one(found, file) if found else path


def _called(name: str, paths: list[Path]) -> set[Path]:
    """The files of this name; else those of it in another case or form, else those whose name is this one with an ending."""
    key = fold(name)
    return (
        {path for path in paths if path.name == name}
        or {path for path in paths if fold(path.name) == key}
        or {path for path in paths if fold(path.stem) == key}
    )


def _lying(context: Context) -> Iterator[Path]:
    """What lies in the folders that are watched, as far as there is time to look."""
    until, looked = time.monotonic() + PATIENCE, 0
    for top in context.folders:
        for folder, folders, files in os.walk(top):
            for name in (*folders, *files):
                yield Path(folder, name)
            looked += len(folders) + len(files)
            if looked > MOST_LOOKED_AT or time.monotonic() > until:
                return
