"""What people say in notes of ours - who speaks, and what was really said - is read as soon as it is seen."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path

from earmark.context import Context
from earmark.errors import LedgerBusy
from earmark.events import Event
from earmark.files import Identity
from earmark.ledger import Artifact
from earmark.pipeline.changed_places import is_swapped, know_swapped
from earmark.pipeline.moved_notes import lies_at, moved_here
from earmark.pipeline.names_given import take_names
from earmark.pipeline.names_there import has_names, has_other_names, is_read
from earmark.pipeline.own_fault import own_fault
from earmark.pipeline.words_given import has_other_words, has_words, take_words
from earmark.pipeline.words_unread import say_what_is_not_read, why_not_read


class SaidInNotes:
    """Looks at single notes that have changed; each version of one is read once."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._read: dict[Path, Identity] = {}

    def look_at(self, notes: Iterable[Path]) -> bool:
        """Take what notes say, if it is new. False if somebody else was acting, and some is not taken yet."""
        taken = True
        for path in notes:
            with own_fault(self._context, partial(self._not_taken, path)):
                taken = self._glance(path) and taken
        return taken

    def _not_taken(self, path: Path, sentence: str, charged: bool) -> None:
        if charged:
            self._context.tell(Event.WENT_WRONG, sentence, file=path, level="error", journal=False)

    def _glance(self, path: Path) -> bool:
        context = self._context
        artifact = context.ledger.artifacts.at(path) or moved_here(context, path)
        if artifact is None or not artifact.note:
            return True
        try:
            identity = Identity.of(lies_at(context, artifact).lstat())
        except OSError:
            return True
        if self._read.get(path) == identity:
            return True
        if (swapped := is_swapped(context, artifact)) or is_unread(context, artifact):
            try:
                with context.ledger.acting():
                    now: Artifact | None = artifact
                    if swapped and not _is_under_way(context, artifact):
                        now = know_swapped(context, artifact)
                    if now is not None:
                        take_said(context, now.recording_id)
                        now = context.ledger.artifacts.at(now.path)
                    if now is not None and is_read(context, now) and not _is_under_way(context, now):
                        say_what_is_not_read(context, now)
            except LedgerBusy:
                return False
        self._read[path] = identity
        return True


def _is_under_way(context: Context, artifact: Artifact) -> bool:
    """Whether the recording of a note is not what the ledger says at its place: then the note may have moved with it."""
    place = context.ledger.places.get(artifact.place, artifact.recording_id)
    if place is None or not place.here:
        return False
    try:
        return Identity.of(place.path.lstat()) != place.identity
    except OSError:
        return True


def is_unread(context: Context, artifact: Artifact) -> bool:
    """Whether a note may say what nobody has read, or has what cannot be read."""
    if not is_read(context, artifact):
        return False
    said = has_names(context, artifact) or has_words(context, artifact)
    return said or bool(why_not_read(context, artifact))


def has_news(context: Context, artifact: Artifact) -> bool:
    """Whether a note says anything that was not read; no file that was edited otherwise is unread for that."""
    if not is_read(context, artifact):
        return False
    return has_other_names(context, artifact) or has_other_words(context, artifact)


def take_said(context: Context, recording_id: str) -> None:
    """Read what people have written into the notes of a recording. Call in `ledger.acting`."""
    take_names(context, recording_id)
    take_words(context, recording_id)


def take_first(context: Context, recording_id: str) -> None:
    """Read them before the notes are written anew, if nobody else is acting: then they are read when these are."""
    with suppress(LedgerBusy), context.ledger.acting():
        take_said(context, recording_id)
