"""Notes with a transcript that their owner moved or renamed within the watched folders: where they lie now.

Known by what a scan saw of them (`notes_seen`); a copy is none, as the note is where it was then, and of two that may be it
nobody knows which it is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from earmark.context import Context
from earmark.domain import ArtifactState, Kind
from earmark.files import read_bytes
from earmark.ledger import Artifact
from earmark.notes.frontmatter import LIMIT
from earmark.pipeline.renamed_folder import is_of

MAY_BE_MOVED = (ArtifactState.HERE, ArtifactState.EDITED, ArtifactState.GONE)
"""What earmark takes a note for that was moved: until a run looks, and then that its owner removed it."""


def moved_to(context: Context, artifact: Artifact) -> Path | None:
    """Where a note is that is not where it was; None where it is there, or nobody knows."""
    if artifact.state not in MAY_BE_MOVED or not artifact.note or os.path.lexists(artifact.path):
        return None
    if not context.answers(artifact.path):
        return None
    found = {*_seen(context, artifact)}
    return found.pop() if len(found) == 1 else None


def lies_at(context: Context, artifact: Artifact) -> Path:
    """Where a note is: where it was, as far as anybody knows."""
    return moved_to(context, artifact) or artifact.path


def moved_here(context: Context, path: Path) -> Artifact | None:
    """The note that lies at a path at which earmark wrote none; None if it is none of ours, or a copy."""
    for seen in context.ledger.protection.at(path):
        recording_id = context.ledger.lineage.only(seen.recording_id)
        for artifact in context.ledger.artifacts.of_recording(recording_id) if recording_id else ():
            if seen_as(context, artifact.kind) == seen.kind and moved_to(context, artifact) == path:
                return artifact
    return None


def seen_as(context: Context, kind: Kind) -> str:
    """As what a scan sees a note of this kind: one file with summary and transcript is neither to it."""
    return "" if context.config.notes.layout == "one-file" else kind


def _seen(context: Context, artifact: Artifact) -> Iterator[Path]:
    for seen in context.ledger.protection.seen(artifact.recording_id):
        if seen.kind == seen_as(context, artifact.kind) and _is_it(context, seen.path, artifact):
            yield seen.path


def _is_it(context: Context, path: Path, artifact: Artifact) -> bool:
    if context.top_of(path) is None or context.ledger.artifacts.at(path) is not None:
        return False
    try:
        return is_of(context, read_bytes(path, most=LIMIT), artifact)
    except OSError:
        return False
