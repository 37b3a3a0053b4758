"""Which file do you mean? One answer for all verbs."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from earmark.context import Context
from earmark.errors import NotFound, UsageError
from earmark.files import Identity, read_bytes, sha256_of
from earmark.ledger import Artifact, Place
from earmark.notes.frontmatter import LIMIT, decoded, recording_of
from earmark.notes.names import is_note
from earmark.notes.style import style_of
from earmark.notes.whose import LARGEST, known_as, written_for
from earmark.verbs.file_or_folder import require_no_folder
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
    By its path, or a bare name if only one is called so, where nothing is any more. Raises NotFound; UsageError for a
    folder, and for a note that is known as another recording's than it says, be it put in the place of that one's.
    """
    path = known_path(context, file)
    require_no_folder(path)
    if (odds := at_odds(context, path)) is not None:
        raise UsageError(f"{path}: {odds}")
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


def at_odds(context: Context, path: Path) -> str | None:
    """The sentence for a note whose `earmark_id` is of another recording than the one whose note it is known to be; None for
    any other file.
    """
    says = _recording_said(context, path) if is_note(path.name) else None
    if says is None:
        return None
    known = written_for(context.ledger, path, says)
    try:
        known = known or known_as(context.ledger, path, read_bytes(path, most=LARGEST), says)
    except OSError:
        return None
    if known is None:
        return None
    return (
        f"earmark knows it as a note of {_named(context, known)}, and its `earmark_id` is of {_named(context, says)};"
        " name the recording that you mean, or let the note say"
        f" `earmark_id: {context.ledger.lineage.note_id(known)}` again"
    )


def _named(context: Context, recording_id: str) -> str:
    places = context.ledger.places.of(recording_id)
    place = next((p for p in places if p.here), next(iter(places), None))
    return str(place.path) if place is not None else recording_id[:12]


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
        recording_id = _recording_said(context, path)
    else:
        # A file of terabytes takes hours to be read, and most are no recording that is known, by their size.
        recording_id = _present(context, sha256_of(path) if ledger.lineage.has_size(_size(path)) else None)
    if recording_id is None:
        return None
    return Meant(path, recording_id, next(iter(ledger.places.of(recording_id)), None))


def _recording_said(context: Context, path: Path) -> str | None:
    """The recording of the ledger that a note names, be it by what that was before it went on."""
    return _present(context, context.ledger.lineage.only(_says(context, path)))


def _present(context: Context, recording_id: str | None) -> str | None:
    """The recording of the ledger that a content is, or went on as."""
    if recording_id is None or context.ledger.recordings.get(recording_id) is not None:
        return recording_id
    successors = context.ledger.lineage.successors(recording_id)
    return successors[0] if len(successors) == 1 else None
