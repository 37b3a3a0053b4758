"""Under which name a note can go without touching anything that is not ours. Reads the folder, changes nothing."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from earmark.errors import EarmarkError
from earmark.files import Folder, sha256_of

MOST_NAMES = 1000
"""Candidates that are tried before a folder counts as full of notes of that name."""


class Action(StrEnum):
    """What is to be done under the name."""

    CREATE = "create"
    """It is free."""
    REPLACE = "replace"
    """The file is ours as we wrote it."""
    UNCHANGED = "unchanged"
    """The very bytes are there."""
    BESIDE = "beside"
    """Ours was edited, so this version goes under a name of its own."""


@dataclass(frozen=True, slots=True)
class Placement:
    """A name, what to do there and why in words; `replaces` is the SHA-256 of the version of ours that is there now."""

    name: str
    action: Action
    reason: str
    replaces: str | None = None


def place_note(
    folder: Folder,
    names: Iterable[str],
    sha256: str,
    ours: Mapping[str, str],
    edited: Sequence[str],
    taken: Callable[[str], bool],
    *,
    telling: bool = True,
) -> Placement:
    """Where a note with the bytes `sha256` can go.

    `names`: candidates, best first (`names.candidates`). `ours`: name to SHA-256 of what is there now and is as we wrote it
    for this recording and this kind of note; `edited`: names of ours that a person changed; `taken`: whether a name is
    (files.Listings). `telling`: the bytes say whose they are, as a note does and a sidecar does not; only then the very
    bytes under a name that is not known as ours are ours. Raises EarmarkError if the folder is full of such names, OSError
    if it cannot be read.
    """
    beside = f"{edited[0]} was edited, so it stays as it is" if edited else ""
    # An own note that is as we left it keeps its name, even if a better one has become free since.
    for name, there in ours.items():
        if there == sha256:
            return Placement(name, Action.UNCHANGED, f"{name} already says this")
        action = Action.BESIDE if edited else Action.REPLACE
        return Placement(name, action, beside or f"{name} is as earmark wrote it", there)
    reason = ""
    for name in itertools.islice(names, MOST_NAMES):
        if not taken(name):
            action = Action.BESIDE if edited else Action.CREATE
            return Placement(name, action, beside or reason or f"{name} is free")
        if name not in edited:
            if telling and sha256_of(name, folder) == sha256:
                return Placement(name, Action.UNCHANGED, f"{name} already says this")
            reason = reason or f"{name} was not written by earmark for this recording"
    raise EarmarkError(
        f"{folder.path} holds {MOST_NAMES} files where a note could go; move some of them elsewhere and it will be written"
    )
