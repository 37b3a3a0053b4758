"""Notes that their owner removed while the recording stayed, and notes that were put back."""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from earmark.context import Context
from earmark.domain import ArtifactState
from earmark.errors import LedgerBusy
from earmark.files import read_bytes, sha256_of
from earmark.ledger import Artifact
from earmark.pipeline.renamed_folder import is_of
from earmark.retention import NotesSeen


def look_for_removed(
    context: Context,
    seen: NotesSeen,
    folder: Path,
    notes: Collection[bytes],
    unsure: Collection[bytes],
) -> None:
    """Write down which notes of a drop folder went without their recording, so that they stay removed if it leaves and comes
    back later; and which are there again.

    `seen` reads notes; `notes`: all that a complete look at the folder found; `unsure`: recordings that were not where they
    were, or changed.
    A note that an editor is just saving may not be there for a moment: it is there again at the next look.
    """
    artifacts = context.ledger.artifacts
    gone = [
        known.note
        for known in artifacts.notes_below(folder, (ArtifactState.HERE, ArtifactState.EDITED))
        if known.note not in notes
        and known.place not in unsure
        and os.path.dirname(known.note) == os.path.dirname(known.place)  # noqa: PTH120 - bytes
    ]
    back = [
        known.note for known in artifacts.notes_below(folder, (ArtifactState.GONE,)) if known.note in notes
    ]
    if not gone and not back:
        return
    with suppress(LedgerBusy), context.ledger.acting(), context.ledger.transaction():
        for path in map(Path, map(os.fsdecode, gone)):
            artifact = artifacts.at(path)
            if artifact is None or not artifact.on_disk or os.path.lexists(path):
                continue
            if not _has_a_successor(context, artifact) and not _is_elsewhere(context, seen, artifact, notes):
                artifacts.owner_removed(artifact)
        for path in map(Path, map(os.fsdecode, back)):
            artifact = artifacts.at(path)
            if artifact is not None and artifact.state is ArtifactState.GONE and os.path.lexists(path):
                _put_back(context, artifact)


def _has_a_successor(context: Context, artifact: Artifact) -> bool:
    """True if another version of the same note is there: a later one, or one that its owner put this one in place of."""
    artifacts = context.ledger.artifacts
    place = context.ledger.places.get(artifact.place, artifact.recording_id)
    for other in artifacts.of_place(place) if place is not None else ():
        same = (other.kind, other.form) == (artifact.kind, artifact.form) and other.path != artifact.path
        if not same or not other.on_disk or not os.path.lexists(other.path):
            continue
        if artifact.sha256 and sha256_of(other.path) == artifact.sha256:
            artifacts.as_written(other.path, artifact)
        elif (other.rev, other.id) < (artifact.rev, artifact.id):
            continue
        artifacts.forget(artifact.path)
        return True
    return False


def _is_elsewhere(context: Context, seen: NotesSeen, artifact: Artifact, notes: Collection[bytes]) -> bool:
    """True if a note of the kind lies somewhere that nobody knew of: moved, perhaps ahead of its recording."""
    if _is_known_elsewhere(context, artifact, notes):
        return True
    # Once for each that is missing: it is known by then, or removed.
    for path in map(Path, map(os.fsdecode, notes)):
        if context.ledger.artifacts.at(path) is None:
            seen.glance(path)
    return _is_known_elsewhere(context, artifact, notes)


def _is_known_elsewhere(context: Context, artifact: Artifact, notes: Collection[bytes]) -> bool:
    return any(
        note.kind == artifact.kind
        and os.fsencode(note.path) in notes
        and context.ledger.artifacts.at(note.path) is None
        for note in context.ledger.protection.seen(artifact.recording_id)
    )


def _put_back(context: Context, artifact: Artifact) -> None:
    """A person's act on a note of ours, so it is theirs from now on; what else has the name is not."""
    try:
        if not is_of(context, read_bytes(artifact.path), artifact):
            return
    except OSError:
        return
    context.ledger.artifacts.set_state(artifact.path, ArtifactState.EDITED)
    place = context.ledger.places.get(artifact.place, artifact.recording_id)
    if place is not None:
        context.ledger.artifacts.not_removed(place, artifact.kind, artifact.form)
