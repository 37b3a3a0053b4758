"""One name in many spellings: a disk that folds case or Unicode form finds a file under each of them and lists one."""

from __future__ import annotations

import ctypes
import os
import string
import struct
import sys
import unicodedata
from contextlib import suppress
from pathlib import Path

from earmark.files.naming import fold

_CASE_SENSITIVE = 11
"""_PC_CASE_SENSITIVE (sys/unistd.h of macOS; man 2 pathconf)."""

_NAME = struct.pack("=HHIIIII", 5, 0, 0x00000001, 0, 0, 0, 0)
"""struct attrlist with ATTR_CMN_NAME, which is kept as it was written (sys/attr.h; man 2 getattrlist)."""

_NOFOLLOW = 0x00000001
"""FSOPT_NOFOLLOW (sys/attr.h)."""

_LONGEST = 12 + 255 * 3 + 1
"""Bytes of an answer: its length, where the name is and how long (attrreference), and the name."""


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
    """True if the folder finds a file under its name in another case, as far as what is in it, or its own name, tells. Of a
    Mac's disk the system knows it.
    """
    if sys.platform == "darwin":
        with suppress(OSError):
            if os.pathconf(folder, _CASE_SENSITIVE) == 0:
                return True
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
    """The name as the folder lists it; only a disk that folds is asked for its list, and on a Mac for the name alone: to
    list a folder that macOS guards waits until somebody has answered its question.
    """
    other = _in_other_case(name) or _in_other_form(name)
    if other is None or not _is_one(folder / name, folder / other):
        return name
    kept = _kept(folder / name)
    if fold(kept) == fold(name):
        return kept
    try:
        names = os.listdir(folder)
    except OSError:
        return name
    if name in names:
        return name
    alike = [there for there in names if fold(there) == fold(name)]
    return alike[0] if len(alike) == 1 else name


def _kept(path: Path) -> str:
    """The name that a Mac's disk keeps of what is there, as realpath(3) asks for it; "" if it does not say, or elsewhere."""
    name = b""
    if sys.platform == "darwin":
        ask = ctypes.CDLL(None, use_errno=True).getattrlist
        ask.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_ulong)
        found = ctypes.create_string_buffer(_LONGEST)
        if ask(os.fsencode(path), _NAME, found, len(found), _NOFOLLOW) == 0:
            offset, length = struct.unpack_from("=iI", found, 4)
            name = found.raw[4 + offset : 4 + offset + length].partition(b"\0")[0]
    return os.fsdecode(name)


def _in_other_case(name: str) -> str | None:
    """The name with one letter in the other case: its first one of ASCII, which any disk that folds case folds, or else of
    any script; None without one.
    """
    letters = [n for n, letter in enumerate(name) if len(other := letter.swapcase()) == 1 and other != letter]
    ascii_first = sorted(letters, key=lambda n: name[n] not in string.ascii_letters)
    at = next((n for n in ascii_first if fold(name[n].swapcase()) == fold(name[n])), None)
    return None if at is None else name[:at] + name[at].swapcase() + name[at + 1 :]


def _in_other_form(name: str) -> str | None:
    forms = (unicodedata.normalize(form, name) for form in ("NFC", "NFD"))
    return next((other for other in forms if other != name), None)


def _is_one(one: Path, other: Path) -> bool:
    try:
        return os.path.samestat(one.lstat(), other.lstat())
    except OSError:
        return False
