"""The path that a person means, as the ledger has it: typed in another case or another Unicode form, or by another way."""

from __future__ import annotations

import os
import shlex
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from earmark.context import Context
from earmark.domain import ArtifactState
from earmark.errors import UsageError
from earmark.files import fold, folds, spelled
from earmark.paths import whole

MOST = 20
"""Paths that are listed where a name stands for several files."""


def known_path(context: Context, file: Path) -> Path:
    """The file that is meant: what the ledger has at the path, however that is spelled, or else the path as the disk spells
    it; for a bare name the only recording or note that is called so; below a drop folder as it is listed. Raises UsageError,
    with their paths, where several are called so.
    """
    path = below_its_folder(context, whole(file))
    if _is_known(context, path):
        return path
    alike = [known for known in _known(context) if _is_alike(known, path)]
    if len(alike) == 1:
        return alike[0]
    if file.is_absolute() or os.path.lexists(path):
        return path
    if len(file.parts) > 1:
        shown = {
            known for top in _tops(context) for known in _shown_as(top, file) if _is_known(context, known)
        }
        return _the_one(shown, file) if shown else path
    called = {known for known in _known(context) if known.name == file.name}
    called = called or {known for known in _known(context) if _is_called(known, file.name)}
    return _the_one(called, file) if called else path


def _the_one(called: set[Path], file: Path) -> Path:
    there = {
        path for path in called if os.path.lexists(path)
    }  # what was moved is known by its former path, too
    if len(called) == 1 or len(there) == 1:
        return (there or called).pop()
    lines = [
        f"{file}: {len(called)} files are called so; which of them? Say its path:",
        *map(shlex.quote, sorted(map(str, called))),
    ]
    raise UsageError(
        "\n".join(lines[: MOST + 1] + ([f"and {len(called) - MOST} more"] if len(called) > MOST else []))
    )


def _shown_as(top: Path, file: Path) -> list[Path]:
    """What a path below a drop folder may stand for: with the folder's name in front, or without it."""
    return [top / file, *([top.parent / file] if file.parts[0] == top.name else [])]


def _tops(context: Context) -> set[Path]:
    folders = {folder.path for folder in context.config.folder}
    return {*context.folders, *folders, *context.ledger.places.folders()}


def below_its_folder(context: Context, path: Path) -> Path:
    """The path as the disk spells it, below its drop folder as that is configured, whichever way it was named by."""
    tops = {*context.folders, *(folder.path for folder in context.config.folder)}
    for above in (path, *path.parents):
        if above in tops:
            return above / spelled(path).relative_to(spelled(above))
    for above in (path, *path.parents):
        for top in tops:
            if _same(above, top):
                return top / spelled(path).relative_to(spelled(above))
    return spelled(path)


def _is_known(context: Context, path: Path) -> bool:
    ledger = context.ledger
    return bool(ledger.places.at(path) or ledger.artifacts.at(path) or ledger.trash.of_original(path))


def _known(context: Context) -> Iterator[Path]:
    ledger = context.ledger
    yield from {place.path for place in ledger.places.all()}
    yield from {a.path for a in ledger.artifacts.all() if a.state is not ArtifactState.GONE}


def _is_alike(known: Path, path: Path) -> bool:
    """True if both are spellings of one path: one file, or, where nothing is, one name to the eye or to the disk."""
    if fold(str(known)) != fold(str(path)):
        return False
    if known == path or os.path.lexists(path):
        return _same(known, path)
    if not _is_called(known, path.name):
        return False
    return (
        known.parent == path.parent
        or _same(known.parent, path.parent)
        or _is_alike(known.parent, path.parent)
    )


def _is_called(known: Path, name: str) -> bool:
    if unicodedata.normalize("NFC", known.name) == unicodedata.normalize("NFC", name):
        return True
    return fold(known.name) == fold(name) and folds(known.parent)


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False
