"""Two notes of one file: where a recording came back over another file of its own, each had notes; one pair is enough."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

from earmark.context import Context
from earmark.domain import ArtifactState
from earmark.events import Event
from earmark.files import NotRegular, SymlinkInTheWay, digest, opened, read_bytes, remove
from earmark.ledger import Artifact, Place
from earmark.notes.own_links import is_as_written
from earmark.notes.style import style_of
from earmark.retention.markers import why_folder_holds


def drop_doubles(context: Context, place: Place) -> None:
    """Remove notes of a place that are as we wrote them if another one of it says the same, or is what its owner made of
    that. What a person edited stays; a later version beside an edited one is no double; of what is held nothing goes. Call
    before any of them is moved.

    Raises OtherContent if somebody saves one at this very moment, OSError.
    """
    same = defaultdict(list)
    for artifact in context.ledger.artifacts.of_place(place):
        if artifact.on_disk:
            same[artifact.kind, artifact.form].append(artifact)
    for artifacts in same.values():
        if len(artifacts) < 2 or _is_held(context, place, artifacts):
            continue
        found = [_as_it_is(context, artifact) for artifact in artifacts]
        for double in doubles([artifact for artifact in found if artifact is not None], place):
            _drop(context, double)


def doubles(artifacts: Iterable[Artifact], place: Place) -> list[Artifact]:
    """Which of the notes of one kind and form need not be there. Pure.

    The best one stays: a person's, then the later one, then one that lies beside the recording. Of those that were written
    for a content that has gone on since (revision 0), none is better than another.
    """
    ranked = sorted(
        artifacts,
        key=lambda a: (
            a.state is ArtifactState.EDITED, a.rev, a.path.parent == place.path.parent,
            a.path.name.startswith(place.path.stem),
        ),
        reverse=True,
    )  # fmt: skip
    return [
        artifact
        for number, artifact in enumerate(ranked)
        if artifact.state is ArtifactState.HERE
        and any(a.rev >= max(artifact.rev, 1) for a in ranked[:number])
    ]


def _is_held(context: Context, place: Place, artifacts: Iterable[Artifact]) -> bool:
    """True if a person holds the recording, or a folder with one of the notes in it."""
    if context.ledger.protection.held(place.recording_id) is not None:
        return True
    return any(why_folder_holds(context, a.path, place.folder) is not None for a in artifacts)


def _as_it_is(context: Context, artifact: Artifact) -> Artifact | None:
    """The note as a look at it finds it: with the bytes that are there, or edited; None if nothing is there."""
    try:
        data = read_bytes(artifact.path)
    except NotRegular:
        data = b""
    except (FileNotFoundError, NotADirectoryError):
        return None
    edited, key = artifact.state is ArtifactState.EDITED, style_of(context.config.notes).key("speakers")
    if not edited and is_as_written(context.ledger, data, artifact, key):
        return replace(artifact, sha256=digest(data))
    context.ledger.artifacts.set_state(artifact.path, ArtifactState.EDITED)
    return replace(artifact, state=ArtifactState.EDITED)


def _drop(context: Context, artifact: Artifact) -> None:
    path = artifact.path
    with (
        suppress(FileNotFoundError, NotADirectoryError, SymlinkInTheWay),
        opened(path.parent, context.top_of(path)) as folder,
    ):
        remove(folder, path.name, artifact.sha256, step=context.step)
        context.listings.changed(folder, removed=path.name)
    context.ledger.artifacts.forget(path)
    context.tell(Event.NOTE_FOLLOWED, "The recording has another note that says the same.", before=str(path))
