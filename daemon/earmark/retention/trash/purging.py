"""Letting a file in the trash go for good: only the content that was taken, and nothing that is held."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from earmark.context import Context
from earmark.domain import Kind, Owed, TrashState
from earmark.errors import RetentionError
from earmark.events import Event
from earmark.files import OtherContent, named, opened, put_back, remove_empty, remove_own, take_out
from earmark.ledger import Trashed
from earmark.retention.holds import why_held
from earmark.retention.notes_seen import NotesSeen
from earmark.retention.trash.ledger_copy import drop_unneeded
from earmark.retention.trash.rows import must_be_reachable, receipt, top_of

GOING = ".going"
"""The name that a file in the trash gets on its way out for good."""


def why_not_purge(context: Context, row: Trashed, notes: NotesSeen | None = None) -> str | None:
    """Why a file in the trash is not to go for good, or None: whatever holds its recording holds it there, too."""
    top = top_of(context, row) or row.original.parent
    files = [(row.original, top)]
    if row.trashed is not None and os.path.lexists(row.trashed):
        files.append((row.trashed, row.trashed.parent))
    return why_held(context, notes or NotesSeen(context), row.recording_id, files, (row.kind.value,))


def purge(context: Context, row: Trashed, *, even_held: bool = False, notes: NotesSeen | None = None) -> None:
    """Remove a file from our trash for good, with a receipt, and its words from the ledger if nothing else has them.

    Only the content that was taken goes, and what holds it is asked with the file in hand. Raises OSError if it cannot be
    removed, RetentionError if it is held, is another by now or the disk that the trash is on is not there; call in
    `ledger.acting`.
    """
    must_be_reachable(row)
    now = context.ledger.trash.get(row.id)
    if now is None or now.state is not TrashState.HERE:
        raise RetentionError(f"{named(row.original)}: is not in the trash any more")
    context.step("before:purging")
    context.ledger.trash.set_state(row.id, TrashState.PURGING)
    context.step("after:purging")
    finish_purge(context, row, even_held=even_held, notes=notes)


def finish_purge(
    context: Context, row: Trashed, *, even_held: bool = False, notes: NotesSeen | None = None
) -> None:
    """From the announcement on. Raises OSError, RetentionError."""

    def confirm() -> str | None:
        return None if even_held else why_not_purge(context, row, notes)

    try:
        if row.trashed is not None:
            _remove_for_good(context, row.trashed, row.sha256, confirm)
    except OtherContent as other:
        context.ledger.trash.set_state(row.id, TrashState.HERE)
        raise RetentionError(
            f"{named(row.trashed or row.original)}: {other.reason}; it stays in the trash"
        ) from None
    except OSError:
        context.ledger.trash.set_state(row.id, TrashState.HERE)
        raise
    context.step("after:unlink")
    ledger = context.ledger
    with ledger.transaction():
        ledger.trash.set_state(row.id, TrashState.PURGED, context.now())
        receipt(context, row, "purged")
        context.tell(
            Event.PURGED, f"{named(row.original.name)}: removed from the trash for good.", recording=row.recording_id,
            file=row.original,
        )  # fmt: skip
        if row.kind is Kind.AUDIO:
            ledger.places.owe(row.place, row.recording_id, Owed.AUDIO_WENT)
        drop_unneeded(context, row.recording_id)
    context.step("after:purged")


def _remove_for_good(context: Context, trashed: Path, sha256: str, confirm: Callable[[], str | None]) -> None:
    """Out of the row's folder: moved aside, recognized, unlinked. Raises OtherContent, OSError."""
    try:
        with opened(trashed.parent, trashed.parent.parent, follow_top=False) as folder:
            if folder.look_at(trashed.name) is not None:
                take_out(folder, trashed.name, sha256, folder, GOING, step=context.step)
            if folder.look_at(GOING) is not None:
                try:
                    # Asked here and not in `take_out`, so that one that a kill left on its way is asked about, too.
                    if (reason := confirm()) is not None:
                        raise OtherContent(trashed, reason)
                    remove_own(folder, GOING, sha256)
                except OtherContent:
                    put_back(folder, GOING, folder, trashed.name)
                    raise
    except FileNotFoundError:
        return
    remove_empty(trashed.parent)
