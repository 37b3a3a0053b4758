"""Notes follow their recording: to another name or folder, and out of the way of another content under its old name."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from earmark.context import Context
from earmark.domain import ArtifactState, Kind, Owed
from earmark.events import Event
from earmark.files import (
    Folder,
    NotRegular,
    OtherContent,
    SymlinkInTheWay,
    digest,
    fold,
    move_without_loss,
    opened,
    read_bytes,
    remove,
    respelled,
    sha256_of,
    what_is_at,
)
from earmark.ledger import Artifact, Digests, Place
from earmark.notes.comparing import digests
from earmark.notes.names import belongs, candidates, earlier
from earmark.notes.own_links import is_as_written
from earmark.notes.placement import MOST_NAMES
from earmark.notes.style import style_of
from earmark.pipeline.changed_places import (
    came_along_with,
    change_places,
    know_others_there,
    likely_names,
    name_base,
)
from earmark.pipeline.doubles import drop_doubles
from earmark.pipeline.renamed_folder import (
    came_along,
    found_behind,
    left_behind,
    stayed_away,
    went_along,
)


def bring_along(context: Context, folder: Folder, place: Place) -> None:
    """Give the untouched notes of a place the names that they should have in its folder; edited ones stay where their
    owner knows them. Raises OtherContent if somebody saves one at this very moment, FileExistsError, OSError.
    """
    _respell(context, folder, place)
    change_places(context, folder, place)
    drop_doubles(context, place)
    for known in context.ledger.artifacts.of_place(place):
        kind = known.named_as
        if known.path.parent == folder.path and belongs(known.path.name, name_base(place), kind):
            continue
        artifact: Artifact | None = known
        if known.state is ArtifactState.WRITING:
            artifact = _as_it_came_out(context, folder, known)
        if artifact is not None and artifact.state is ArtifactState.EDITED:
            _edited_one(context, folder, artifact)
        if artifact is None or artifact.state is not ArtifactState.HERE:
            continue
        know_others_there(context, artifact)
        _make_way(context, folder, place, kind)
        now = context.ledger.artifacts.at(artifact.path)
        if now is not None and now.id == artifact.id:  # else its path is another's
            _follow(context, folder, artifact, name_base(place))


def _respell(context: Context, folder: Folder, place: Place) -> None:
    """A note that lies in this very folder is known by the folder's name of today: a disk that folds case has it under its
    former one as well, and so has a drop folder that was reached through a link.
    """
    for artifact in context.ledger.artifacts.of_place(place):
        if artifact.path.parent != folder.path and folder.is_at(artifact.path.parent):
            context.ledger.artifacts.move(
                artifact.path, folder.at(artifact.path.name), artifact.sha256, folder.what
            )


def _as_it_came_out(context: Context, folder: Folder, artifact: Artifact) -> Artifact | None:
    """A note that was being written when a kill came, or its editor held it open: the version that is there now, None if
    none is.
    """
    ledger = context.ledger
    if came_along(context, folder, artifact):
        # With its folder; what it is, its bytes say below.
        ledger.artifacts.move(artifact.path, folder.at(artifact.path.name), artifact.sha256, folder.what)
        artifact = replace(artifact, path=folder.at(artifact.path.name))
    path = artifact.path
    try:
        data = read_bytes(path)
    except NotRegular:
        ledger.artifacts.set_state(path, ArtifactState.EDITED)
        return ledger.artifacts.at(path)
    except OSError:
        if artifact.sha256 and stayed_away(context, folder, artifact):
            ledger.artifacts.owner_removed(artifact)  # it was there before
        else:
            ledger.artifacts.forget(path)
        return None
    sha256 = digest(data)
    if sha256 == artifact.next_sha256:
        text, key = data.decode("utf-8", "replace"), style_of(context.config.notes).key("speakers")
        known = digests(text, key) if artifact.note else Digests(sha256)
        # In what a person's changes were merged into, not all properties are ours.
        known = replace(known, top=artifact.top) if artifact.mergeable else known
        ledger.artifacts.written(path, known, context.now())
    elif sha256 == artifact.sha256:
        ledger.artifacts.not_written(path, artifact.rev - 1)
    else:
        ledger.artifacts.set_state(path, ArtifactState.EDITED)
    return ledger.artifacts.at(path)


def _edited_one(context: Context, folder: Folder, artifact: Artifact) -> None:
    """An edited note stays where its owner has it: in the folder that the recording went to, or nowhere, if removed."""
    if os.path.lexists(artifact.path) or artifact.path.parent == folder.path:
        return
    if went_along(context, folder, artifact) or found_behind(context, artifact):
        return
    if stayed_away(context, folder, artifact):
        context.ledger.artifacts.owner_removed(artifact)


def _follow(context: Context, folder: Folder, artifact: Artifact, base: str) -> None:
    """Move one note into `folder`, under the first free name that it may have for the recording `base`."""
    ledger = context.ledger
    try:
        with opened(artifact.path.parent, context.top_of(artifact.path)) as old:
            try:
                sha256 = _as_we_wrote_it(context, old, artifact.path.name, artifact)
            except _Edited:
                if artifact.lay_in not in ("", old.what):
                    raise FileNotFoundError from None  # another folder that took the name, and somebody else's note
                raise
            target = _move(context, old, folder, artifact, sha256, base)
    except (FileNotFoundError, NotADirectoryError, SymlinkInTheWay):
        # Gone, or moved just before a kill or with its folder: then it lies under one of its new names as we know it.
        found = _found(context, folder, artifact, base) or _left_behind(context, artifact)
        if found is None and went_along(context, folder, artifact):
            ledger.artifacts.set_state(folder.at(artifact.path.name), ArtifactState.EDITED)
            return
        if found is None:
            if artifact.path.parent == folder.path or stayed_away(context, folder, artifact):
                ledger.artifacts.owner_removed(artifact)
            else:
                ledger.artifacts.forget(artifact.path)  # where it lay may be away; it is written anew here
            return
        now, sha256 = found
        if now.parent != folder.path or not belongs(now.name, base, artifact.named_as):
            ledger.artifacts.move(artifact.path, now, sha256, what_is_at(now.parent))
            moved = ledger.artifacts.at(now)
            _follow(context, folder, moved or artifact, base)
            return
        target = now.name
    except _Edited:
        ledger.artifacts.set_state(artifact.path, ArtifactState.EDITED)
        return
    with ledger.transaction():
        ledger.artifacts.move(artifact.path, folder.at(target), sha256, folder.what)
        context.tell(Event.NOTE_FOLLOWED, note=str(folder.at(target)), before=str(artifact.path))


class _Edited(Exception):
    """The note is not as we wrote it."""


def _as_we_wrote_it(context: Context, folder: Folder, name: str, artifact: Artifact) -> str:
    """SHA-256 of what has this name, if an app has changed no more than its links, and a person no more than names that are
    known. Raises _Edited, OSError.
    """
    try:
        data = read_bytes(name, folder)
    except NotRegular:
        raise _Edited from None
    key = style_of(context.config.notes).key("speakers")
    if not is_as_written(context.ledger, data, artifact, key):
        raise _Edited
    return digest(data)


def _move(context: Context, old: Folder, new: Folder, artifact: Artifact, sha256: str, base: str) -> str:
    name = artifact.path.name
    here = new.is_at(old.path)
    for target in _names(artifact, base):
        if target == name and here:
            return target
        if context.listings.taken(new, target, but=name if here else ""):
            if respelled(old, name, new, target):
                continue  # the very file, which nothing but its own move may touch
            there = artifact.note and sha256_of(target, new) == sha256
            if there and context.ledger.artifacts.at(new.at(target)) is None:
                # Copied there just before a kill: only the old one has still to go. A sidecar may be anybody's.
                remove(old, name, sha256, step=context.step)
                return target
            continue
        moved = move_without_loss(old, name, new, target, sha256, step=context.step)
        context.listings.changed(new, added=target, removed=name if here else "")
        if moved.doubt is not None:
            doubt = f"A power cut now might undo its move: {moved.doubt}"
            context.tell(Event.NOTE_FOLLOWED, doubt, file=moved.where, level="warning")
        return target
    raise OtherContent(artifact.path, "every name that it could have is taken")


def _make_way(context: Context, folder: Folder, place: Place, kind: Kind | str) -> None:
    """If the best name is held by the untouched note of another recording that has another file now, that note steps
    aside; it follows its own recording when its turn comes.
    """
    other = _known_as(context, folder, next(iter(candidates(name_base(place), kind))))
    if other is None or other.state is not ArtifactState.HERE or other.recording_id == place.recording_id:
        return
    theirs = context.ledger.places.get(other.place, other.recording_id)
    if theirs is None or (
        other.place.parent == folder.path
        and belongs(other.path.name, name_base(theirs), other.named_as)
        # Not if a scan has only not missed it yet, and the disk finds this very file under its name.
        and not respelled(folder, place.path.name, folder, theirs.path.name)
    ):
        return
    came_along_with(context, theirs)
    if _known_as(context, folder, other.path.name) != other:
        return
    _follow(context, folder, other, earlier(place.path.name))
    context.ledger.places.owe(
        theirs.path, theirs.recording_id, Owed.RENAMED if theirs.here else Owed.REPLACED
    )


def _known_as(context: Context, folder: Folder, name: str) -> Artifact | None:
    """The note of this name, also in another spelling of it where the disk folds case or form."""
    known = context.ledger.artifacts.at(folder.at(name))
    if known is not None or folder.look_at(name) is None:
        return known
    alike = (a for a in context.ledger.artifacts.in_folder(folder.path) if fold(a.path.name) == fold(name))
    return next((a for a in alike if respelled(folder, a.path.name, folder, name)), None)


def _found(context: Context, folder: Folder, artifact: Artifact, base: str) -> tuple[Path, str] | None:
    """Where a note lies that was moved just before a kill, or with its folder, and its SHA-256."""
    for target in likely_names(artifact, base):
        if context.ledger.artifacts.at(folder.at(target)) is not None:
            continue
        with suppress(OSError, _Edited):
            return folder.at(target), _as_we_wrote_it(context, folder, target, artifact)
    return None


def _left_behind(context: Context, artifact: Artifact) -> tuple[Path, str] | None:
    """The same for one whose folder was renamed, and whose recording then left that."""
    for path in left_behind(context, artifact):
        with suppress(OSError, _Edited), opened(path.parent, context.top_of(path)) as there:
            return path, _as_we_wrote_it(context, there, path.name, artifact)
    return None


def _names(artifact: Artifact, base: str) -> Iterator[str]:
    return itertools.islice(candidates(base, artifact.named_as), MOST_NAMES)
