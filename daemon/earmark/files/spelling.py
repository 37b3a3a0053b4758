"""One name in many spellings: a disk that folds case or Unicode form finds a file under each of them and lists one."""

from __future__ import annotations

import os
import string
import unicodedata
from pathlib import Path

from earmark.files.naming import fold


def spelled(path: Path) -> Path:
    """The path as its folders list it, as far as it is there. Follows no link. Where no disk folds, it is the same path."""
    here = Path(path.anchor)
    for part in path.parts[1:] if path.anchor else path.parts:
        here = here / _listed(here, part)
    return here


def really(path: Path) -> Path:
    """Where a path leads, through links, in the spelling of the disk: two paths that lead to one place have one answer. What
    is not there is folded where the disk would fold it, so that this is to be compared, and not shown.
    """
    found = spelled(Path(os.path.realpath(path)))
    there = next((p for p in (found, *found.parents) if os.path.lexists(p)), found)
    rest = found.relative_to(there)
    return there / fold(str(rest)) if rest.parts and folds(there) else found


def folds(folder: Path) -> bool:
    """True if the folder finds a file under its name in another case, as far as what is in it, or its own name, tells."""
    try:
        for name in os.listdir(folder):
            if (other := _in_other_case(name)) is not None:
                return _is_one(folder / name, folder / other)
        if folder.parent.stat().st_dev != folder.stat().st_dev:
            return False
    except OSError:
        return False
    other = _in_other_case(folder.name)
    return other is not None and _is_one(folder, folder.with_name(other))


def _listed(folder: Path, name: str) -> str:
    """The name as the folder lists it; only a disk that folds is asked for its list."""
    other = _in_other_case(name) or _in_other_form(name)
    if other is None or not _is_one(folder / name, folder / other):
        return name
    try:
        names = os.listdir(folder)
    except OSError:
        return name
    if name in names:
        return name
    alike = [there for there in names if fold(there) == fold(name)]
    return alike[0] if len(alike) == 1 else name


def _in_other_case(name: str) -> str | None:
    """The name with its first letter of ASCII in the other case, which any disk that folds case folds; None without one."""
    at = next((number for number, letter in enumerate(name) if letter in string.ascii_letters), None)
    return None if at is None else name[:at] + name[at].swapcase() + name[at + 1 :]


def _in_other_form(name: str) -> str | None:
    forms = (unicodedata.normalize(form, name) for form in ("NFC", "NFD"))
    return next((other for other in forms if other != name), None)


def _is_one(one: Path, other: Path) -> bool:
    try:
        return os.path.samestat(one.lstat(), other.lstat())
    except OSError:
        return False
