"""Hold markers: a file of that name holds everything in its folder and below. What cannot be looked at may hold, too.

A folder is what it is, and not what it is called: which ones had a marker is written down with what they are, so that one
that was renamed, and another one that took its name, are told apart.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from earmark.context import Context
from earmark.files import names_below, pack_path, unpack_path, what_is_at
from earmark.intake.folder import where_notes_may_be
from earmark.intake.mounts import why_unmounted
from earmark.intake.rules import HOLD_MARKERS
from earmark.ledger.second_copy import MARKED


@dataclass(frozen=True, slots=True)
class Chain:
    """What a look at a folder and all above it came to: `why` it holds, `gone` if one is not there, `marked` if one had a
    marker and is another one now.
    """

    why: str | None = None
    gone: Path | None = None
    marked: Path | None = None


@dataclass(slots=True)
class FoldersSeen:
    """What was found of folders while a plan is made, so that it is looked for once and not for each of their files. Next to
    an act there is none of it.
    """

    chains: dict[tuple[Path, Path], Chain] = field(default_factory=dict)
    markers: dict[frozenset[Path], tuple[list[Path], list[Path]]] = field(default_factory=dict)


def why_folder_holds(context: Context, path: Path, top: Path, seen: FoldersSeen | None = None) -> str | None:
    """Why the folders of a file keep it, or None: a marker in one of them, up to the root of the file system, or doubt,
    because one of them is away, is another one than had a marker, or may not be looked at. `top`: its drop folder.
    """
    chain = seen.chains.get((path.parent, top)) if seen is not None else None
    if chain is None:
        chain = _looked_at(context, path, top)
        if seen is not None:
            seen.chains[path.parent, top] = chain
    if chain.why is not None:
        return chain.why
    gone, marked = chain.gone, chain.marked
    lay_in = context.ledger.artifacts.lay_in(path)
    if lay_in and lay_in != what_is_at(path.parent):
        gone = gone or path.parent  # another folder of that name
    if gone is None and marked is None:
        return None
    return _may_be_held(context, path, top, seen) or (
        f"held: {marked} had a marker and is not the folder that it was; put one there and take it away again to let go"
        if marked is not None
        else None
    )


def _looked_at(context: Context, path: Path, top: Path) -> Chain:
    """The folders of a file, by what lies in them at this moment."""
    try:
        away = why_unmounted(context.ledger, top)
    except OSError as error:
        away = f"{top} cannot be looked at for a hold: {error.strerror}"
    if away is not None:
        return Chain(f"held, as long as nobody can see whether a marker lies in its folder: {away}")
    gone: Path | None = None
    marked: Path | None = None
    for folder in _chain(path, top):
        try:
            marker = marker_in(folder)
        except NotADirectoryError:
            gone = gone or folder
            marked = marked or (None if look(context, folder, marked=False) else folder)
            continue
        except OSError as error:
            return Chain(f"held, as long as {folder} cannot be looked at for a hold: {error.strerror}")
        if marker is not None:
            look(context, folder, marked=True)
            return Chain(f"held by {marker}")
        if not look(context, folder, marked=False):
            marked = marked or folder
        if folder.is_relative_to(top) and not os.path.lexists(folder):
            gone = gone or folder
    return Chain(None, gone, marked)


def look(context: Context, folder: Path, *, marked: bool) -> bool:
    """Write down whether a folder has a marker; false if the one of that name that had one is gone, or another one now."""
    ledger, name = context.ledger, MARKED + pack_path(folder)
    known = ledger.journal.fact(name)
    before = known[0] if known is not None else None
    if not marked and before is None:
        return True
    now = what_is_at(folder)
    if marked and now and now != before and not ledger.db.read_only:
        with ledger.transaction():
            ledger.protection.second.changing("facts")
            ledger.journal.set_fact(name, now, context.now())
    if not marked and now == before and not ledger.db.read_only:
        # A person took it away; whatever else that folder was called has it no longer, either.
        with ledger.transaction():
            ledger.protection.second.changing("facts")
            ledger.journal.drop_facts(MARKED, now)
    return marked or now == before


def look_at_markers(context: Context, top: Path, marked: Collection[bytes]) -> None:
    """Write down what a look at a drop folder found: `marked` are the folders with a marker. Those that had one and in which
    none was found are looked at once more, for a look may not have come there.
    """
    for path in marked:
        look(context, Path(os.fsdecode(path)), marked=True)
    for name in context.ledger.journal.facts(MARKED):
        folder = unpack_path(name)
        if folder.is_relative_to(top) and os.fsencode(folder) not in marked:
            with suppress(OSError):
                look(context, folder, marked=marker_in(folder) is not None)


def out_of_reach(context: Context) -> list[Path]:
    """Folders that had a marker and are gone, or are other ones now."""
    return [
        folder
        for folder in map(unpack_path, context.ledger.journal.facts(MARKED))
        if _marker_or_none(folder) is None and not look(context, folder, marked=False)
    ]


def marker_in(folder: Path) -> Path | None:
    """The marker in a folder, under whichever of its spellings. Raises OSError if nobody may look, or it is no folder."""
    for name in HOLD_MARKERS:
        try:
            os.lstat(folder / name)
        except FileNotFoundError:
            continue
        return folder / name
    return None


def _marker_or_none(folder: Path) -> Path | None:
    try:
        return marker_in(folder)
    except OSError:
        return None


def has_marker(folder: Path) -> bool:
    """Whether a marker lies in a folder or in one above it, as far as one can look."""
    return any(_marker_or_none(each) is not None for each in _chain(folder / "-", folder))


def _chain(path: Path, top: Path) -> Iterator[Path]:
    """The file's folder and all above it, by the names that they are called and by those that links lead to."""
    yield from path.parents
    real = Path(os.path.realpath(path.parent))
    if real != path.parent:
        yield from (real, *real.parents)


def _may_be_held(context: Context, path: Path, top: Path, seen: FoldersSeen | None) -> str | None:
    """The file's folder is not there under its name. It may have been renamed, with a marker in it."""
    tops = frozenset((top, *context.folders, *(folder.path for folder in context.config.folder)))
    found = seen.markers.get(tops) if seen is not None else None
    if found is None:
        unread: list[Path] = []
        found = list(names_below(sorted(tops), HOLD_MARKERS, unread, where_notes_may_be(tops))), unread
        if seen is not None:
            seen.markers[tops] = found
    markers, unread = found
    why = f"{path.parent} is not there under its name, or is another folder"
    if markers:
        return f"held, as long as {why}: {markers[0]} may lie in it"
    if unread:
        return f"held, as long as {why} and {unread[0]} cannot be looked at for a hold"
    return None
