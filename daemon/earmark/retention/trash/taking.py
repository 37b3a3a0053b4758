"""Taking a file to the trash: announced, moved, confirmed with the file in hand, written down."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

from earmark.context import Context
from earmark.domain import ArtifactState, Gone, Kind, Owed, TrashState
from earmark.events import Event
from earmark.files import Folder, OtherContent, named, opened, remove_empty, take_out
from earmark.ledger import Trashed
from earmark.paths import TRASH
from earmark.retention.rules.decide import Decision
from earmark.retention.trash.rows import forget_row, made_folder, own_trash, receipt

Confirm = Callable[[], str | None]
"""Asked last, with the file in hand: a reason to put it back, or None."""


def take(context: Context, decision: Decision, confirm: Confirm) -> Trashed:
    """Move one file to the trash. Its content must be `item.sha256`; `confirm` is asked with the file in hand.

    Raises OtherContent, RetentionError or OSError; then it is where it was, or where OtherContent says.
    """
    item, ledger = decision.item, context.ledger
    context.step("before:announce")
    with ledger.transaction():
        row = ledger.trash.moving(
            item.recording_id, item.kind, item.path, item.place, item.size, item.sha256, decision.rule,
            decision.reason, context.now(),
        )  # fmt: skip
        ledger.trash.aim(row, own_trash(context) / str(row) / item.path.name)
    context.step("after:announce")
    try:
        with opened(item.path.parent, item.folder, follow_top=False) as folder:
            _move(context, row, folder, item.path.name, item.sha256, item.folder, confirm)
    except (OtherContent, OSError) as error:
        found = ledger.trash.get(row)
        if isinstance(error, OtherContent) and found is not None and error.where == found.trashed:
            # Its folder is gone, so it could not be put back: it waits in the trash to be restored.
            ledger.trash.set_state(row, TrashState.HERE)
        else:
            forget_row(context, row)
        raise
    context.step("after:move")
    found = ledger.trash.get(row)
    assert found is not None
    return taken(context, found)


def _move(
    context: Context, row: int, folder: Folder, name: str, sha256: str, top: Path, confirm: Confirm
) -> None:
    """Into the state folder's trash; where the kernel says that it is another filesystem, into the drop folder's."""
    try:
        _move_into(context, row, own_trash(context), folder, name, sha256, confirm)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        context.ledger.trash.aim(row, top / TRASH / str(row) / name)
        _move_into(context, row, top / TRASH, folder, name, sha256, confirm)


def _move_into(
    context: Context, row: int, trash: Path, folder: Folder, name: str, sha256: str, confirm: Confirm
) -> None:
    with made_folder(trash, row) as into:
        out = None
        try:
            out = take_out(folder, name, sha256, into, name, confirm=confirm, step=context.step)
        finally:
            if out is None:
                remove_empty(into.path)
    if out.doubt is not None:
        doubt = f"A power cut now might bring it back: {out.doubt}"
        context.tell(Event.TRASHED, doubt, file=folder.at(name), level="warning")


def taken(context: Context, row: Trashed) -> Trashed:
    """Write down that the file lies in the trash, everywhere at once."""
    ledger, now = context.ledger, context.now()
    with ledger.transaction():
        ledger.trash.set_state(row.id, TrashState.HERE)
        if row.kind is Kind.AUDIO:
            ledger.places.gone(row.original, row.recording_id, now, Gone.TRASHED)
            ledger.places.owe(row.place, row.recording_id, Owed.AUDIO_WENT)
        else:
            ledger.artifacts.set_state(row.original, ArtifactState.TRASHED)
        receipt(context, row, "trashed")
        context.tell(
            Event.TRASHED, f"{named(row.original.name)}: to the trash by {row.rule}.", recording=row.recording_id,
            file=row.original, rule=row.rule,
        )  # fmt: skip
    context.step("after:taken")
    found = ledger.trash.get(row.id)
    assert found is not None
    return found
