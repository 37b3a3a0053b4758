"""The path that a person means, as the ledger has it: typed in another case or another Unicode form, or by another way."""

from __future__ import annotations

import os
import shlex
import unicodedata
from pathlib import Path

from earmark.context import Context
from earmark.errors import UsageError
from earmark.files import fold, folds, spelled
from earmark.paths import whole

MOST = 20
"""Paths that are listed where a name stands for several files."""


def known_path(context: Context, file: Path) -> Path:
    """The file that is meant: what the ledger has at the path, however that is spelled, or else the path as the disk spells
    it; for a bare name the only recording or note that is called so, or else the only recording that is but for its ending;
    below a drop folder as it is listed. Raises UsageError, with their paths, where several are called so.
    """
    path = below_its_folder(context, whole(file))
    if is_known(context, path):
        return path
    known, key = _known(context), fold(str(path))
    alike = [Path(each) for each in known if fold(each) == key and _is_alike(Path(each), path)]
    if len(alike) == 1:
        return alike[0]
    if file.is_absolute() or os.path.lexists(path):
        return path
    if len(file.parts) > 1:
        shown = {each for top in tops_of(context) for each in shown_as(top, file) if is_known(context, each)}
        return the_one(shown, file) if shown else path
    called = {Path(each) for each in known if _name_of(each) == file.name}
    if not called:
        key = fold(file.name)
        named = (Path(each) for each in known if fold(_name_of(each)) == key)
        called = {each for each in named if _is_called(each, file.name)}
    called = called or _called_so_but_for_its_ending(context, file)
    return the_one(called, file) if called else path


def folder_meant(context: Context, typed: Path) -> Path:
    """The folder, or file, that a filter names: as it is typed, or as it is listed, with as much as one likes of a drop
    folder's path in front, or without it. What holds no recording is given back as it was typed.
    """
    path = below_its_folder(context, whole(typed))
    places = [Path(each) for each in context.ledger.places.paths()]
    if typed.is_absolute() or any(each.is_relative_to(path) for each in places):
        return path
    listed = {each for top in tops_of(context) for each in shown_as(top, typed)}
    held = {each for each in listed if any(place.is_relative_to(each) for place in places)}
    return the_one(held, typed) if held else path


def _called_so_but_for_its_ending(context: Context, file: Path) -> set[Path]:
    """Recordings whose name is this one with an ending."""
    recordings = [Path(each) for each in dict.fromkeys(context.ledger.places.paths())]
    called = {each for each in recordings if each.stem == file.name}
    return called or {each for each in recordings if fold(each.stem) == fold(file.name)}


def the_one(called: set[Path], file: Path) -> Path:
    """The only one, or the only one that is there. Raises UsageError that lists them."""
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


def shown_as(top: Path, file: Path) -> list[Path]:
    """What a path below a drop folder may stand for: with as much as one likes of the folder's path in front, or without."""
    before = (count for count in range(1, len(file.parts) + 1) if file.parts[:count] == top.parts[-count:])
    return [top / file, *(top / Path(*file.parts[count:]) for count in before)]


def tops_of(context: Context) -> set[Path]:
    """The drop folders, of now and of before."""
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


def is_known(context: Context, path: Path) -> bool:
    """True if the ledger has a recording or a note at this path, or had."""
    ledger = context.ledger
    return bool(ledger.places.at(path) or ledger.artifacts.at(path) or ledger.trash.of_original(path))


def _known(context: Context) -> list[str]:
    """Each path once. They are texts, because of tens of thousands hardly one is looked at closely."""
    return list(dict.fromkeys([*context.ledger.places.paths(), *context.ledger.artifacts.paths()]))


def _name_of(path: str) -> str:
    return path.rpartition("/")[2]


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
