"""Recordings that took each other's names together with their notes: each note is known where it is now.

Where a note should be, the ledger has one of another recording, which is not there any more either. No file is touched: what
is known of the two changes places, and so does each pair of any ring of them.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from earmark.context import Context
from earmark.domain import ArtifactState, Gone, Owed
from earmark.events import Event
from earmark.files import Folder, digest, opened, read_bytes, what_is_at
from earmark.ledger import Artifact, Place
from earmark.notes.frontmatter import LIMIT, decoded, recording_of
from earmark.notes.names import candidates, earlier
from earmark.notes.own_links import is_as_written
from earmark.notes.style import style_of
from earmark.pipeline.renamed_folder import in_its_folder, is_of, is_renamed

NAMES = 12
"""Under so many of the names that a note may have it is looked for."""

AT_ONCE = 100
"""Under the names of the notes of so many recordings that went elsewhere at the same time it is looked for."""

_THERE = (ArtifactState.HERE, ArtifactState.EDITED, ArtifactState.WRITING)


def name_base(place: Place) -> str:
    """The name that the notes of a place are called after: its file's, unless that has other content now."""
    return earlier(place.path.name) if place.gone_why is Gone.REPLACED else place.path.name


def likely_names(artifact: Artifact, base: str) -> Iterator[str]:
    """The name that a note has, and the best that it may have for the recording `base`: under these it is looked for."""
    yield artifact.path.name
    yield from itertools.islice(candidates(base, artifact.named_as), NAMES)


def change_places(context: Context, folder: Folder, place: Place) -> None:
    """Know the notes of a place in `folder` where they are by now: under paths that were of other recordings' notes."""
    artifacts = context.ledger.artifacts
    for artifact in artifacts.of_place(place):
        if artifact.state not in _THERE or _is(context, artifact, artifact.path):
            continue
        other = next(_where_it_is(context, folder, artifact, name_base(place)), None)
        if other is not None:
            with context.ledger.transaction():
                artifacts.exchange(artifact.path, other.path)
                artifacts.move(other.path, other.path, artifact.sha256, what_is_at(other.path.parent))
                context.tell(Event.NOTE_FOLLOWED, note=str(other.path), before=str(artifact.path))


def came_along_with(context: Context, place: Place) -> None:
    """The same for a place whose own turn has not come."""
    if context.answers(place.path):
        with suppress(OSError), opened(place.path.parent, place.folder) as folder:
            change_places(context, folder, place)


def know_swapped(context: Context, artifact: Artifact) -> Artifact | None:
    """Where a note's path is another recording's, because their owner exchanged their names, know each where it is; returns
    whose note is at that path then. Call in `ledger.acting`.
    """
    place = context.ledger.places.get(artifact.place, artifact.recording_id)
    if place is not None:
        came_along_with(context, place)
    return context.ledger.artifacts.at(artifact.path)


def is_swapped(context: Context, artifact: Artifact) -> bool:
    """Whether the file at a note's path is a note of another recording."""
    return bool(_whose(context, artifact))


def know_others_there(context: Context, artifact: Artifact) -> None:
    """Where what has a note's path is another recording's, which came there under its name, know that: the note itself is
    not there.
    """
    for recording_id in _whose(context, artifact):
        for place in context.ledger.places.of(recording_id):
            if place.here:
                came_along_with(context, place)


def _whose(context: Context, artifact: Artifact) -> set[str]:
    """The other recordings of which the file at a note's path is a note."""
    ledger = context.ledger
    if not context.answers(artifact.path):
        return set()
    try:
        data = read_bytes(artifact.path)
    except OSError:
        return set()
    if artifact.has_bytes(sha256 := digest(data)):
        return set()
    own = ledger.lineage.names_of(artifact.recording_id)
    says = recording_of(decoded(data[:LIMIT]), style_of(context.config.notes)) if artifact.note else None
    if says in own:
        return set()
    meant = ledger.lineage.only(says)
    return (ledger.artifacts.written_as(sha256) | ({meant} if meant is not None else set())) - own


def _where_it_is(context: Context, folder: Folder, artifact: Artifact, base: str) -> Iterator[Artifact]:
    """Notes of other recordings at whose path this one is."""
    for name in likely_names(artifact, base):
        path, other = folder.at(name), context.ledger.artifacts.at(folder.at(name))
        with_folder = name == artifact.path.name and is_renamed(folder, artifact)
        if other is None:
            if os.path.lexists(path) and (with_folder or _is(context, artifact, path)):
                return  # under a name that was nobody's: it is moved, or is with its recording
            continue
        if other.recording_id == artifact.recording_id:
            continue
        if (with_folder and other.lay_in not in ("", folder.what)) or _took(context, artifact, other):
            yield other
    seen = (each.path for each in context.ledger.protection.seen(artifact.recording_id))
    known = map(context.ledger.artifacts.at, itertools.chain(in_its_folder(context, artifact), seen))
    for other in itertools.chain(known, _in_turn(context, artifact), _at_once(context, artifact)):
        if other is None or other.recording_id == artifact.recording_id or not _is_alike(other, artifact):
            continue
        if _took(context, artifact, other):
            yield other


def _in_turn(context: Context, artifact: Artifact) -> Iterator[Artifact]:
    """The notes of whose is at its path, of whose is at theirs, and so on."""
    seen, found = {artifact.id}, [artifact]
    while found and len(seen) < AT_ONCE:
        for recording_id in sorted(_whose(context, found.pop())):
            for other in context.ledger.artifacts.of_recording(recording_id):
                if other.id not in seen and _is_alike(other, artifact):
                    seen.add(other.id)
                    found.append(other)
                    yield other


def _at_once(context: Context, artifact: Artifact) -> Iterator[Artifact]:
    """Those of recordings that went elsewhere at the same time, if somebody's note is at its path."""
    if context.answers(artifact.path) and os.path.lexists(artifact.path):
        for place in context.ledger.places.owed_for(Owed.RENAMED, AT_ONCE):
            yield from context.ledger.artifacts.of_place(place)


def _is_alike(one: Artifact, other: Artifact) -> bool:
    return (one.named_as, one.note) == (other.named_as, other.note)


def _took(context: Context, artifact: Artifact, other: Artifact) -> bool:
    """Whether a note is at the path of another one, which is not there."""
    return _is(context, artifact, other.path) and not _is(context, other, other.path)


def _is(context: Context, artifact: Artifact, path: Path) -> bool:
    """Whether what is at a path is this note: as we wrote it, or edited, and says so."""
    if not context.answers(path):
        return False
    try:
        data = read_bytes(path)
    except OSError:
        return False
    key = style_of(context.config.notes).key("speakers")
    return is_as_written(context.ledger, data, artifact, key) or (
        artifact.note and is_of(context, data, artifact)
    )
