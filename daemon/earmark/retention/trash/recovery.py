"""Finishing or undoing what a kill left between announcing an act on the trash and confirming it."""

from __future__ import annotations

import os

from earmark.context import Context
from earmark.domain import TrashState
from earmark.errors import RetentionError
from earmark.events import Event
from earmark.files import (
    Identity,
    OtherContent,
    drop_claim,
    is_beginning,
    named,
    opened,
    remove,
    remove_empty,
    remove_own,
    sha256_of,
)
from earmark.ledger import Trashed
from earmark.retention.trash.purging import finish_purge
from earmark.retention.trash.restoring import restored
from earmark.retention.trash.rows import (
    bring_back,
    folder_of,
    forget_row,
    lies_in_trash,
    reachable,
    top_of,
)
from earmark.retention.trash.taking import taken


def recover(context: Context) -> int:
    """Finish or undo what was under way when a process died; returns how many rows there were. Call in `ledger.acting`."""
    rows = context.ledger.trash.in_state(TrashState.MOVING, TrashState.RESTORING, TrashState.PURGING)
    for row in rows:
        if not reachable(row) and (row.state is not TrashState.MOVING or not os.path.lexists(row.original)):
            continue  # a disk that is away; neither the file nor its trash can be seen
        try:
            if row.state is TrashState.MOVING:
                _recover_moving(context, row)
            elif row.state is TrashState.RESTORING:
                _recover_restoring(context, row)
            else:
                finish_purge(context, row)
        except (OSError, RetentionError) as error:
            context.tell(Event.NOT_PURGED, str(error), file=row.original, level="warning", journal=False)
    return len(rows)


def _recover_moving(context: Context, row: Trashed) -> None:
    """Nobody may have confirmed with the file in hand, so it goes back if it can; the next sweep decides anew."""
    if lies_in_trash(row):
        try:
            with opened(row.original.parent, top_of(context, row)) as folder:
                drop_claim(folder, row.original.name)
        except OSError:
            pass  # no folder, or none that may be opened
        try:
            bring_back(context, row)
        except OSError:
            taken(context, row)
        else:
            forget_row(context, row.id)
    elif os.path.lexists(row.original):
        forget_row(context, row.id)
    else:
        with context.ledger.transaction():
            context.ledger.trash.set_state(row.id, TrashState.LOST, context.now())
            context.tell(
                Event.LOST, f"{named(row.original.name)}: neither in its place nor in the trash.",
                recording=row.recording_id,
            )  # fmt: skip


def _recover_restoring(context: Context, row: Trashed) -> None:
    there, here = lies_in_trash(row), os.path.lexists(row.original)
    if there and here and row.trashed is not None:
        if Identity.of(row.original.lstat()).is_file(Identity.of(row.trashed.lstat())):
            # Linked back, where exclusive renames are unknown, and killed before the name in the trash went.
            with folder_of(row) as at:
                remove_own(at, row.trashed.name, row.sha256)
            remove_empty(row.trashed.parent)
            restored(context, row)
            return
        if not _remove_unfinished(context, row):
            context.ledger.trash.set_state(row.id, TrashState.HERE)
            return
    if there:
        if bring_back(context, row, alone=True) == row.original:
            restored(context, row)
        else:
            context.ledger.trash.set_state(row.id, TrashState.RESTORED, context.now())
    elif here and sha256_of(row.original) == row.sha256:
        restored(context, row)
    else:
        context.ledger.trash.set_state(row.id, TrashState.LOST, context.now())


def _remove_unfinished(context: Context, row: Trashed) -> bool:
    """Where it was copied back, because the disk knows neither exclusive renames nor links, a kill leaves a beginning of it
    under the name that was free when the act was announced. True if that went; false if something else has the name.
    """
    assert row.trashed is not None
    with folder_of(row) as at, opened(row.original.parent, top_of(context, row)) as folder:
        begun = sha256_of(row.original.name, folder)
        if begun is None or not is_beginning(folder, row.original.name, at, row.trashed.name):
            return False
        try:
            remove(folder, row.original.name, begun, step=context.step)
        except OtherContent:
            return False
    return True
