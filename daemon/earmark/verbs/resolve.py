"""Which file do you mean? One answer for all verbs."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from earmark.context import Context
from earmark.errors import NotFound
from earmark.files import Identity, read_bytes, sha256_of
from earmark.ledger import Artifact, Place
from earmark.notes.frontmatter import LIMIT, decoded, recording_of
from earmark.notes.names import is_note
from earmark.notes.style import style_of
from earmark.verbs.known import known_path


@dataclass(frozen=True, slots=True)
class Meant:
    """What a person means by a path. `place`: where its recording is, or was last; `artifact`: the note, if it is one."""

    path: Path
    recording_id: str
    place: Place | None
    artifact: Artifact | None = None

    @property
    def shown(self) -> Path:
        """The recording's file, as a name for people."""
        return self.place.path if self.place is not None else self.path


def resolve(context: Context, file: Path) -> Meant:
    """By what is in a file: a recording, a note that says whose it is, or one that is as it was when it was last looked at.
    By its path, or a bare name if only one is called so, where nothing is any more. Raises NotFound.
    """
    path = known_path(context, file)
    if not os.path.lexists(path) or _as_known(context, path):
        found = _by_path(context, path) or _by_content(context, path)
    else:
        found = _by_content(context, path)
    if found is not None:
        return found
    if _by_path(context, path) is not None:
        raise NotFound(
            f"{path}: holds something else than when earmark last looked at it; wait until that is taken in (earmark"
            " status), or name what you mean by its present place"
        )
    raise NotFound(f"{path}: earmark does not know this recording; see: earmark why {shlex.quote(str(file))}")


def _as_known(context: Context, path: Path) -> bool:
    """True if a file is what the ledger has at its path, as far as a look from outside and a note's own word tell."""
    artifact, place = context.ledger.artifacts.at(path), context.ledger.places.at(path)
    if artifact is not None:
        says = _says(context, path) if artifact.note else None
        ids = context.ledger.lineage.names_of(artifact.recording_id)
        return says is None or says in ids
    try:
        return place is not None and place.here and place.identity == Identity.of(path.lstat())
    except OSError:
        return True


def _says(context: Context, path: Path) -> str | None:
    """The recording that a note names as its own, if it can be read."""
    try:
        return recording_of(decoded(read_bytes(path, most=LIMIT)), style_of(context.config.notes))
    except OSError:
        return None


def _by_path(context: Context, path: Path) -> Meant | None:
    ledger = context.ledger
    artifact = ledger.artifacts.at(path)
    if artifact is not None:
        return Meant(path, artifact.recording_id, ledger.place_of(path), artifact)
    place = ledger.places.at(path)
    if place is not None:
        return Meant(path, place.recording_id, place)
    taken = ledger.trash.of_original(path)
    if taken:
        return Meant(path, taken[-1].recording_id, ledger.places.get(taken[-1].place, taken[-1].recording_id))
    return None


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return -1


def _by_content(context: Context, path: Path) -> Meant | None:
    """A copy that the ledger does not know, or a note that was moved or renamed."""
    ledger = context.ledger
    if is_note(path.name):
        recording_id = ledger.lineage.only(_says(context, path))
    else:
        # A file of terabytes takes hours to be read, and most are no recording that is known, by their size.
        recording_id = sha256_of(path) if ledger.lineage.has_size(_size(path)) else None
    if recording_id is None:
        return None
    if ledger.recordings.get(recording_id) is None:
        # A note of a recording that went on since names what it was.
        successors = ledger.lineage.successors(recording_id)
        if len(successors) != 1:
            return None
        (recording_id,) = successors
    return Meant(path, recording_id, next(iter(ledger.places.of(recording_id)), None))
