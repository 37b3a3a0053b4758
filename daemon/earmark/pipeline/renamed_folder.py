"""A folder that was renamed with the notes in it: how that is told from one that is away, and where its notes are now."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from earmark.context import Context
from earmark.domain import Event
from earmark.files import Folder, files_below, opened, read_bytes, sha256_of
from earmark.intake.mounts import why_unmounted
from earmark.ledger import Artifact
from earmark.notes.frontmatter import LIMIT, decoded, recording_of
from earmark.notes.style import style_of


def went_along(context: Context, folder: Folder, artifact: Artifact) -> bool:
    """True if an edited note is in the folder of its recording under its name: its owner moved both, or the whole folder."""
    there = folder.at(artifact.path.name)
    if not came_along(context, folder, artifact):
        return False
    context.ledger.artifacts.move(artifact.path, there, artifact.sha256)
    context.tell(Event.NOTE_FOLLOWED, note=str(there), before=str(artifact.path))
    return True


def came_along(context: Context, folder: Folder, artifact: Artifact) -> bool:
    """True if what has the name in the recording's folder of today is this note: it says so, or, being a sidecar, which says
    nothing, came with a whole folder.
    """
    if artifact.path.parent == folder.path or os.path.lexists(artifact.path):
        return False
    if context.ledger.artifacts.at(folder.at(artifact.path.name)) is not None:
        return False
    try:
        data = read_bytes(artifact.path.name, folder)
    except OSError:
        return False
    if not artifact.note:
        return _was_renamed(context, folder, artifact)
    ids = {artifact.recording_id, *context.ledger.lineage.formers(artifact.recording_id)}
    return recording_of(decoded(data[:LIMIT]), style_of(context.config.notes)) in ids


def _was_renamed(context: Context, folder: Folder, artifact: Artifact) -> bool:
    """True if the note's former folder is this one, under another name: it is gone, and something else of ours that lay in
    it lies here.
    """
    former, artifacts = artifact.path.parent, context.ledger.artifacts
    if former == folder.path or os.path.lexists(former):
        context.renamed.discard((former, folder.path))
        return False
    if (former, folder.path) in context.renamed:
        return True
    place = context.ledger.places.get(artifact.place, artifact.recording_id)
    moved = artifacts.of_place(place) if place is not None else []
    if any(a.path.parent == folder.path and a.on_disk and folder.look_at(a.path.name) for a in moved):
        return True
    left = (a for a in artifacts.in_folder(former) if a.on_disk and a.path != artifact.path)
    return any(_says_so(folder, a) for a in left)


def _says_so(folder: Folder, artifact: Artifact) -> bool:
    """True if a note lies here under its name, as we wrote it."""
    return bool(artifact.sha256) and sha256_of(artifact.path.name, folder) == artifact.sha256


def stayed_away(context: Context, folder: Folder, artifact: Artifact) -> bool:
    """True if a note is not there any more because its owner removed it, and not because its folder is away."""
    return _is_there(context, artifact) or _was_renamed(context, folder, artifact)


def _is_there(context: Context, artifact: Artifact) -> bool:
    """True if the folder that a note lay in is there, and is no mount point without its disk."""
    top = context.top_of(artifact.path)
    try:
        with opened(artifact.path.parent, top):
            return top is None or why_unmounted(context.ledger, top) is None
    except OSError:
        return False


def remember(context: Context, former: Path, now: Path) -> None:
    """A note that lay in one folder was found in another one, as it was."""
    if former != now and not os.path.lexists(former):
        context.renamed.add((former, now))


def left_behind(context: Context, artifact: Artifact) -> Iterator[Path]:
    """Files with the name of a note whose folder is gone, in the folder that it is now, or if nobody knows that, anywhere in
    its drop folder.
    """
    former, name, top = artifact.path.parent, artifact.path.name, context.top_of(artifact.path)
    if os.path.lexists(former) or top is None or not artifact.note:
        return
    folders = [now for gone, now in context.renamed if gone == former]
    if not folders and former not in context.searched:
        context.searched.add(former)
        folders = [path.parent for path, _ in files_below([top]) if path.name == name]
    for folder in folders:
        if context.ledger.artifacts.at(folder / name) is None:
            yield folder / name
