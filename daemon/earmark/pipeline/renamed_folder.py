"""A folder that was renamed with the notes in it: how that is told from one that is away, and where its notes are now.

A folder is what it is, and not what it is called: each note is known with the inode of the folder in which it lies.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from earmark.context import Context
from earmark.events import Event
from earmark.files import Folder, opened, read_bytes, what_is_at
from earmark.intake.mounts import why_unmounted
from earmark.ledger import Artifact
from earmark.notes.frontmatter import LIMIT, decoded, recording_of
from earmark.notes.style import style_of


def went_along(context: Context, folder: Folder, artifact: Artifact) -> bool:
    """True if an edited note is in the folder of its recording under its name: its owner moved both, or the whole folder."""
    there = folder.at(artifact.path.name)
    if not came_along(context, folder, artifact):
        return False
    _is_at(context, artifact, there, folder.what)
    return True


def came_along(context: Context, folder: Folder, artifact: Artifact) -> bool:
    """True if what has the name in the recording's folder of today is this note: it says so, or, being a sidecar, which says
    nothing, came with the whole folder.
    """
    if artifact.path.parent == folder.path or os.path.lexists(artifact.path):
        return False
    if context.ledger.artifacts.at(folder.at(artifact.path.name)) is not None:
        return False
    try:
        data = read_bytes(artifact.path.name, folder)
    except OSError:
        return False
    return is_of(context, data, artifact) if artifact.note else is_renamed(folder, artifact)


def is_of(context: Context, data: bytes, artifact: Artifact) -> bool:
    """True if a note says that it is of the artifact's recording, or of what that was."""
    ids = context.ledger.lineage.names_of(artifact.recording_id)
    return recording_of(decoded(data[:LIMIT]), style_of(context.config.notes)) in ids


def stayed_away(context: Context, folder: Folder, artifact: Artifact) -> bool:
    """True if a note is not there any more because its owner removed it, and not because its folder is away or is another
    one now: the very folder in which it lay is there.
    """
    return is_renamed(folder, artifact) or _is_there(context, artifact)


def left_behind(context: Context, artifact: Artifact) -> Iterator[Path]:
    """Files with the name of a note, in the folder in which it lay, which is called otherwise now; none that is known."""
    for path in in_its_folder(context, artifact):
        if context.ledger.artifacts.at(path) is None:
            yield path


def in_its_folder(context: Context, artifact: Artifact) -> Iterator[Path]:
    """The same, those included that are known as another recording's."""
    top = context.top_of(artifact.path)
    if top is None or not artifact.lay_in or not context.answers(artifact.path):
        return
    ending = b"/" + os.fsencode(artifact.path.name)
    for found in context.notes_found.get(top, ()):
        path = Path(os.fsdecode(found))
        if found.endswith(ending) and path != artifact.path and what_is_at(path.parent) == artifact.lay_in:
            yield path


def found_behind(context: Context, artifact: Artifact) -> bool:
    """The same for an edited note, which stays where its owner has it; true if it is known there from now on."""
    for path in left_behind(context, artifact):
        try:
            if is_of(context, read_bytes(path), artifact):
                _is_at(context, artifact, path, artifact.lay_in)
                return True
        except OSError:
            continue
    return False


def is_renamed(folder: Folder, artifact: Artifact) -> bool:
    """True if the note lay in this very folder, under another name of it."""
    return artifact.path.parent != folder.path and artifact.lay_in == folder.what


def _is_there(context: Context, artifact: Artifact) -> bool:
    """True if the folder that a note lay in is there, and is no other one, nor a mount point without its disk."""
    top = context.top_of(artifact.path)
    try:
        with opened(artifact.path.parent, top) as former:
            same = artifact.lay_in in ("", former.what)
            return same and (top is None or why_unmounted(context.ledger, top) is None)
    except OSError:
        return False


def _is_at(context: Context, artifact: Artifact, path: Path, lay_in: str) -> None:
    context.ledger.artifacts.move(artifact.path, path, artifact.sha256, lay_in)
    context.tell(Event.NOTE_FOLLOWED, note=str(path), before=str(artifact.path))
