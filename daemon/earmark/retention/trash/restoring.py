"""Bringing a file back from the trash."""

from __future__ import annotations

import os
from pathlib import Path

from earmark.context import Context
from earmark.domain import ArtifactState, Event, Kind, Owed, TrashState
from earmark.errors import RetentionError
from earmark.files import named, why
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
    ledger.protection.hold(row.recording_id, "restored from the trash", context.now())
    if os.path.lexists(row.original):
        raise RetentionError(
            f"{named(row.original)}: something else is there now; move it away, then restore again (held until then)"
        )
    must_be_reachable(row)
    if not lies_in_trash(row):
        ledger.trash.set_state(row.id, TrashState.LOST, context.now())
        raise RetentionError(
            f"{named(row.trashed)}: somebody took it out of the trash; it cannot be restored"
        )
    context.step("before:restoring")
    ledger.trash.set_state(row.id, TrashState.RESTORING)
    context.step("after:restoring")
    try:
        where = bring_back(context, row)
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


def restored(context: Context, row: Trashed) -> None:
    """Write down that the file is back, everywhere at once."""
    ledger, now = context.ledger, context.now()
    with ledger.transaction():
        ledger.trash.set_state(row.id, TrashState.RESTORED, now)
        if row.kind is Kind.AUDIO:
            ledger.places.back(row.original, row.recording_id, now)
            ledger.places.owe(row.place, row.recording_id, Owed.AUDIO_BACK)
        else:
            ledger.artifacts.set_state(row.original, ArtifactState.HERE)
        receipt(context, row, "restored")
        context.tell(
            Event.RESTORED, f"{named(row.original.name)}: back from the trash, and held.", recording=row.recording_id,
            file=row.original,
        )  # fmt: skip
    context.step("after:restored")
