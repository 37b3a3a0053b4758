"""The path that a person means, as the ledger has it: typed in another case or another Unicode form, or by another way."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from earmark.context import Context
from earmark.domain import ArtifactState
from earmark.files import fold, folds, spelled
from earmark.paths import whole


def known_path(context: Context, file: Path) -> Path:
    """The file that is meant: what the ledger has at the path, however that is spelled, or else the path as the disk spells
    it; for a bare name the only recording or note that is called so.
    """
    path = below_its_folder(context, whole(file))
    if _is_known(context, path):
        return path
    alike = [known for known in _known(context) if _is_alike(known, path)]
    if len(alike) == 1:
        return alike[0]
    if len(file.parts) > 1 or os.path.lexists(path):
        return path
    called = {known for known in _known(context) if known.name == file.name}
    called = called or {known for known in _known(context) if _is_called(known, file.name)}
    return called.pop() if len(called) == 1 else path


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
