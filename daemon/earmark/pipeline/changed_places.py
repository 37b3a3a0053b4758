"""Recordings that took each other's names together with their notes: each note is known where it is now.

Where a note should be, the ledger has one of another recording, which is not there any more either. No file is touched: what
is known of the two changes places, and so does each pair of any ring of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import suppress

from earmark.context import Context
from earmark.domain import ArtifactState, Gone, Owed
from earmark.events import Event
from earmark.files import Folder, digest, opened, read_bytes, what_is_at
from earmark.ledger import Artifact, Place
from earmark.notes.comparing import Likeness
from earmark.notes.frontmatter import LIMIT, decoded, recording_of
from earmark.notes.names import belongs, candidates, earlier
from earmark.notes.own_links import compared
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


def change_places(context: Context, folder: Folder, place: Place) -> None:
    """Know the notes of a place in `folder` where they came along to: under paths that were of another recording's notes."""
    artifacts, base = context.ledger.artifacts, name_base(place)
    for artifact in artifacts.of_place(place):
        settled = artifact.path.parent == folder.path and belongs(artifact.path.name, base, artifact.named_as)
        if settled or artifact.state not in _THERE or _is(context, artifact, artifact):
            continue
        other = next(_where_it_is(context, folder, artifact, base), None)
        if other is not None:
            with context.ledger.transaction():
                artifacts.exchange(artifact.path, other.path)
                artifacts.move(other.path, other.path, artifact.sha256, what_is_at(other.path.parent))
                context.tell(Event.NOTE_FOLLOWED, note=str(other.path), before=str(artifact.path))


def came_along_with(context: Context, place: Place) -> None:
    """The same for a place whose own turn has not come."""
    with suppress(OSError), opened(place.path.parent, place.folder) as folder:
        change_places(context, folder, place)


def know_others_there(context: Context, artifact: Artifact) -> None:
    """Where what has a note's path is another recording's, which came there under its name, know that: the note itself is
    not there.
    """
    ledger = context.ledger
    try:
        data = read_bytes(artifact.path)
    except OSError:
        return
    if (sha256 := digest(data)) in (artifact.sha256, artifact.next_sha256):
        return
    of = ledger.artifacts.written_as(sha256)
    if artifact.note:
        says = ledger.lineage.only(recording_of(decoded(data[:LIMIT]), style_of(context.config.notes)))
        of |= {says} if says is not None else set()
    for recording_id in of - ledger.lineage.names_of(artifact.recording_id):
        for place in ledger.places.of(recording_id):
            if place.here:
                came_along_with(context, place)


def _where_it_is(context: Context, folder: Folder, artifact: Artifact, base: str) -> Iterator[Artifact]:
    """Notes of other recordings at whose path this one is."""
    for name in (artifact.path.name, *itertools.islice(candidates(base, artifact.named_as), NAMES)):
        other = context.ledger.artifacts.at(folder.at(name))
        if other is None or other.recording_id == artifact.recording_id:
            continue
        with_folder = name == artifact.path.name and is_renamed(folder, artifact)
        if (with_folder and other.lay_in not in ("", folder.what)) or (
            _is(context, artifact, other) and not _is(context, other, other)
        ):
            yield other
    known = [context.ledger.artifacts.at(path) for path in in_its_folder(context, artifact)]
    # And wherever those lay that went on at the same time.
    for place in context.ledger.places.owed_for(Owed.RENAMED, AT_ONCE):
        known += context.ledger.artifacts.of_place(place)
    for other in known:
        alike = other is not None and (other.named_as, other.note) == (artifact.named_as, artifact.note)
        if other is None or not alike or other.recording_id == artifact.recording_id:
            continue
        if _is(context, artifact, other) and not _is(context, other, other):
            yield other


def _is(context: Context, artifact: Artifact, there: Artifact) -> bool:
    """True if what is at the path of `there` is this note: as we wrote it, or edited, and says so."""
    try:
        data = read_bytes(there.path)
    except OSError:
        return False
    key = style_of(context.config.notes).key("speakers")
    if compared(context.ledger, data, artifact, key) in (Likeness.SAME, Likeness.LINKS):
        return True
    return artifact.note and is_of(context, data, artifact)
