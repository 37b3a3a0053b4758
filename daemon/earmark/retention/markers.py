"""Hold markers: a file of that name holds everything in its folder and below. What cannot be looked at may hold, too."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from earmark.context import Context
from earmark.files import files_below
from earmark.intake.mounts import why_unmounted

HOLD_MARKER = ".earmark-hold"

SPELLINGS = (
    HOLD_MARKER, f"{HOLD_MARKER}.txt", f"{HOLD_MARKER}.md", ".earmark_hold", ".EARMARK-HOLD", "earmark-hold",
    "earmark-hold.txt", "earmark-hold.md",
)  # fmt: skip
"""What a person may have called it where an editor adds an ending or hides no file with a dot."""


def why_folder_holds(context: Context, path: Path, top: Path) -> str | None:
    """Why the folders of a file keep it, or None: a marker in one of them, up to the root of the file system, or doubt,
    because one of them is away or may not be looked at. `top`: its drop folder.
    """
    try:
        away = why_unmounted(context.ledger, top)
    except OSError as error:
        away = f"{top} cannot be looked at for a hold: {error.strerror}"
    if away is not None:
        return f"held, as long as nobody can see whether a marker lies in its folder: {away}"
    gone = False
    for folder in _chain(path, top):
        try:
            marker = marker_in(folder)
        except NotADirectoryError:
            gone = True
            continue
        except OSError as error:
            return f"held, as long as {folder} cannot be looked at for a hold: {error.strerror}"
        if marker is not None:
            return f"held by {marker}"
        gone = gone or (folder.is_relative_to(top) and not os.path.lexists(folder))
    return _may_be_held(context, path, top) if gone else None


def marker_in(folder: Path) -> Path | None:
    """The marker in a folder, under whichever of its spellings. Raises OSError if nobody may look, or it is no folder."""
    for name in SPELLINGS:
        try:
            os.lstat(folder / name)
        except FileNotFoundError:
            continue
        return folder / name
    return None


def _chain(path: Path, top: Path) -> Iterator[Path]:
    """The file's folder and all above it, by the names that they are called and by those that links lead to."""
    yield from path.parents
    real = Path(os.path.realpath(path.parent))
    if real != path.parent:
        yield from (real, *real.parents)


def _may_be_held(context: Context, path: Path, top: Path) -> str | None:
    """The file's folder is not there under its name. It may have been renamed, with a marker in it."""
    tops = {top, *context.folders, *(folder.path for folder in context.config.folder)}
    unread: list[Path] = []
    markers = [found for found, _ in files_below(sorted(tops), unread) if found.name in SPELLINGS]
    why = f"{path.parent} is not there under its name"
    if markers:
        return f"held, as long as {why}: {markers[0]} may lie in it"
    if unread:
        return f"held, as long as {why} and {unread[0]} cannot be looked at for a hold"
    return None
