"""Bringing a file back from the trash."""

from __future__ import annotations

import os
from pathlib import Path

from earmark.context import Context
from earmark.domain import ArtifactState, Kind, Owed, TrashState
from earmark.errors import RetentionError
from earmark.events import Event
from earmark.files import named, what_is_at, why
from earmark.ledger import Trashed
from earmark.retention.trash.rows import bring_back, lies_in_trash, must_be_reachable, receipt


def restore(context: Context, row: Trashed) -> Path:
    """Bring a file back to where it was, and hold its recording so that no sweep takes it again.

    The hold comes first and stays whatever becomes of the file: who wants it back does not want it purged. Raises
    RetentionError if it is not in our trash any more, or if something else has its place.
    """
    ledger = context.ledger
    if row.state is not TrashState.HERE or row.trashed is None:
        desktop = row.state is TrashState.HANDED
        trash = "the system's trash; bring it back from there" if desktop else "no trash of ours"
        raise RetentionError(f"{named(row.original)}: is in {trash} ({row.state})")
    # What it holds may be what its recording was before it went on, and comes back as a recording of its own.
    for held in {row.recording_id, row.sha256} if row.kind is Kind.AUDIO else {row.recording_id}:
        ledger.protection.hold(held, "restored from the trash", context.now())
    row = _beside_its_recording(context, row)
    if os.path.lexists(row.original):
        raise RetentionError(
            f"{named(row.original)}: something else is there now; move it away, then restore again (held until then)"
        )
    must_be_reachable(row)
    if not lies_in_trash(row):
        ledger.trash.set_state(row.id, TrashState.LOST, context.now())
        raise RetentionError(
            f"{named(row.trashed or row.original)}: somebody took it out of the trash; it cannot be restored"
        )
    context.step("before:restoring")
    ledger.trash.set_state(row.id, TrashState.RESTORING)
    context.step("after:restoring")
    try:
        where = bring_back(context, row, alone=True)
    except OSError as error:
        ledger.trash.set_state(row.id, TrashState.HERE)
        raise RetentionError(
            f"{named(row.original)}: cannot be restored: {why(error)}; it stays in the trash, and is held"
        ) from error
    if where != row.original:
        ledger.trash.set_state(row.id, TrashState.RESTORED, context.now())
        raise RetentionError(
            f"{named(row.original)}: something else took the name meanwhile; the file is at {named(where)} now, and is held"
        )
    context.step("after:restore")
    restored(context, row)
    return row.original


def _beside_its_recording(context: Context, row: Trashed) -> Trashed:
    """A note whose folder was renamed with its recording in it comes back into the folder of today."""
    ledger, artifact = context.ledger, context.ledger.artifacts.at(row.original)
    if artifact is None or artifact.recording_id != row.recording_id or os.path.lexists(row.original.parent):
        return row
    place = ledger.places.get(artifact.place, artifact.recording_id)
    if place is None or not place.here or not place.watched:
        return row
    now = place.path.with_name(row.original.name)
    if ledger.artifacts.at(now) is None:
        with ledger.transaction():
            ledger.trash.goes_to(row.id, now)
            ledger.artifacts.move(row.original, now, artifact.sha256, what_is_at(now.parent))
    return ledger.trash.get(row.id) or row


def _note_is_back(context: Context, row: Trashed) -> None:
    """It follows its recording again. If a later version was written meanwhile, this one is its owner's: they wanted it
    beside that.
    """
    artifacts = context.ledger.artifacts
    mine = artifacts.at(row.original)
    if mine is None or mine.recording_id != row.recording_id:
        # Its name was another recording's meanwhile, whose note is not there any more.
        if context.ledger.recordings.get(row.recording_id) is not None:
            artifacts.forget(row.original)
            artifacts.adopt(
                row.recording_id,
                row.place,
                row.kind,
                row.original,
                context.now(),
                what_is_at(row.original.parent),
            )
        return
    same = (mine.kind, mine.form, mine.place)
    others = [a for a in artifacts.of_recording(mine.recording_id) if (a.kind, a.form, a.place) == same]
    later = any(a.on_disk for a in others if a.path != mine.path)
    artifacts.set_state(row.original, ArtifactState.EDITED if later else ArtifactState.HERE)
    context.ledger.places.owe(mine.place, mine.recording_id, Owed.RENAMED)


def restored(context: Context, row: Trashed) -> None:
    """Write down that the file is back, everywhere at once."""
    ledger, now = context.ledger, context.now()
    with ledger.transaction():
        ledger.trash.set_state(row.id, TrashState.RESTORED, now)
        if row.kind is Kind.AUDIO:
            ledger.places.back(row.original, row.recording_id, now)
            ledger.places.owe(row.place, row.recording_id, Owed.AUDIO_BACK)
        else:
            _note_is_back(context, row)
        receipt(context, row, "restored")
        context.tell(
            Event.RESTORED, f"{named(row.original.name)}: back from the trash, and held.", recording=row.recording_id,
            file=row.original,
        )  # fmt: skip
    context.step("after:restored")
