"""Taking files, bringing them back, letting them go for good. Every move is announced in the ledger before it happens
and confirmed after; `recover` finishes or undoes what a kill left in between.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from earmark.domain import Instant, Kind
from earmark.errors import RetentionError
from earmark.ledger import Identity, Ledger, Trashed
from earmark.retention import receipts
from earmark.retention.look import hash_of
from earmark.retention.moves import (
    Step,
    bring_back,
    hand_over,
    move,
    place_in_trash,
    quiet,
    remove_folder,
    remove_for_good,
)
from earmark.retention.plan import Decision
from earmark.retention.wording import named
from earmark.retention.words import drop_unneeded


def take(
    ledger: Ledger,
    decision: Decision,
    now: Instant,
    *,
    to: Literal["earmark", "system"] = "earmark",
    step: Step = quiet,
) -> Trashed:
    """Move one file to the trash. It must have been looked at: `item.identity` is what it must still be.

    Raises RetentionError if it changed since, OSError if it cannot be moved; then it is where it was.
    """
    item = decision.item
    step("before:announce")
    with ledger.transaction():
        row = ledger.trash.moving(
            item.recording_id,
            item.kind,
            item.path,
            item.place,
            item.size,
            item.sha256,
            decision.rule,
            decision.reason,
            now,
        )
        target = place_in_trash(ledger, row, item.path, item.folder) if to == "earmark" else None
        ledger.trash.aim(row, target)
    step("after:announce")
    try:
        if target is None:
            hand_over(item.path)
        else:
            move(ledger, row, item.path, target, item.folder)
    except OSError:
        ledger.trash.drop(row)
        raise
    step("after:move")
    found = ledger.trash.get(row)
    assert found is not None
    if found.trashed is not None and Identity.of(found.trashed.lstat()) != item.identity:
        # Not what was looked at, whatever it is. If its place is taken by now, it waits in the trash to be restored.
        if _put_back(found):
            ledger.trash.drop(row)
        else:
            ledger.trash.set_state(row, "here")
        raise RetentionError(
            f"{named(item.path)}: changed while it was being moved to the trash; nothing of it was lost"
        )
    return _taken(ledger, found, now, step)


def recover(ledger: Ledger, now: Instant, step: Step = quiet) -> int:
    """Finish or undo what was under way when a process died; returns how many rows there were."""
    rows = ledger.trash.in_state("moving", "restoring", "purging")
    for row in rows:
        if not _reachable(row) and (row.state != "moving" or not os.path.lexists(row.original)):
            continue  # a disk that is away; neither the file nor its trash can be seen
        if row.state == "moving":
            _recover_moving(ledger, row, now, step)
        elif row.state == "restoring":
            _recover_restoring(ledger, row, now, step)
        else:
            purge(ledger, row, now, step)
    return len(rows)


def restore(ledger: Ledger, row: Trashed, now: Instant, step: Step = quiet) -> Path:
    """Bring a file back to where it was, and hold its recording so that the next sweep does not take it again.

    Raises RetentionError if it is not in our trash any more, or if something else has its place.
    """
    if row.state != "here" or row.trashed is None:
        where = (
            "the system's trash; bring it back from there" if row.state == "handed" else "no trash of ours"
        )
        raise RetentionError(f"{named(row.original)}: is in {where} ({row.state})")
    if os.path.lexists(row.original):
        raise RetentionError(
            f"{named(row.original)}: something else is there now; move it away, then restore again"
        )
    _must_be_reachable(row)
    if not os.path.lexists(row.trashed):
        ledger.trash.set_state(row.id, "lost", now)
        raise RetentionError(
            f"{named(row.trashed)}: somebody took it out of the trash; it cannot be restored"
        )
    step("before:restoring")
    ledger.trash.set_state(row.id, "restoring")
    step("after:restoring")
    row.original.parent.mkdir(parents=True, exist_ok=True)
    try:
        bring_back(row.trashed, row.original, step)
    except OSError as error:
        ledger.trash.set_state(row.id, "here")
        raise RetentionError(f"{named(row.original)}: cannot be restored: {error.strerror}") from error
    step("after:restore")
    _restored(ledger, row, now, step)
    return row.original


def purge(ledger: Ledger, row: Trashed, now: Instant, step: Step = quiet) -> None:
    """Remove a file from our trash for good, with a receipt, and its words from the ledger if nothing else has them.

    Raises OSError if it cannot be removed, RetentionError if the disk that the trash is on is not there.
    """
    _must_be_reachable(row)
    step("before:purging")
    ledger.trash.set_state(row.id, "purging")
    step("after:purging")
    if row.trashed is not None:
        remove_for_good(row.trashed)
    step("after:unlink")
    with ledger.transaction():
        ledger.trash.set_state(row.id, "purged", now)
        _receipt(ledger, row, "purged", now)
        ledger.journal.note(
            now,
            "purged",
            f"{named(row.original.name)}: removed from the trash for good.",
            row.recording_id,
            row.original,
        )
        drop_unneeded(ledger, row.recording_id, now)
    step("after:purged")


def _reachable(row: Trashed) -> bool:
    """False if the trash that the file went to is not there at all, as on a disk that is not mounted."""
    return row.trashed is None or row.trashed.parent.parent.is_dir()


def _must_be_reachable(row: Trashed) -> None:
    if row.trashed is not None and not _reachable(row):
        trash = named(row.trashed.parent.parent)
        raise RetentionError(f"{trash}: the trash folder is not there; mount its disk, then try again")


def _put_back(row: Trashed) -> bool:
    """Undo a move; false if something else has the file's place."""
    assert row.trashed is not None
    try:
        bring_back(row.trashed, row.original)
    except FileExistsError:
        return False
    return True


def _taken(ledger: Ledger, row: Trashed, now: Instant, step: Step) -> Trashed:
    """The file lies in the trash: say so everywhere, at once."""
    state = "here" if row.trashed is not None else "handed"
    with ledger.transaction():
        ledger.trash.set_state(row.id, state, now if state == "handed" else None)
        if row.kind is Kind.AUDIO:
            ledger.places.gone(row.original, now, "trashed")
            ledger.retention.relook(row.place, "its audio went")
        else:
            ledger.artifacts.set_state(row.original, "trashed")
        _receipt(ledger, row, "trashed" if state == "here" else "handed-to-system-trash", now)
        ledger.journal.note(
            now,
            "trashed",
            f"{named(row.original.name)}: to the trash by {row.rule}.",
            row.recording_id,
            row.original,
        )
        if state == "handed":
            drop_unneeded(ledger, row.recording_id, now)
    step("after:taken")
    found = ledger.trash.get(row.id)
    assert found is not None
    return found


def _restored(ledger: Ledger, row: Trashed, now: Instant, step: Step) -> None:
    with ledger.transaction():
        ledger.trash.set_state(row.id, "restored", now)
        if row.kind is Kind.AUDIO:
            ledger.trash.back(row.original)
            ledger.retention.relook(row.place, "its audio is back")
        else:
            ledger.artifacts.set_state(row.original, "here")
        ledger.retention.hold(row.recording_id, "restored from the trash", now)
        _receipt(ledger, row, "restored", now)
        ledger.journal.note(
            now,
            "restored",
            f"{named(row.original.name)}: back from the trash, and held.",
            row.recording_id,
            row.original,
        )
    step("after:restored")


def _recover_moving(ledger: Ledger, row: Trashed, now: Instant, step: Step) -> None:
    if row.trashed is not None and os.path.lexists(row.trashed):
        try:
            as_known = hash_of(row.trashed)[0] == row.sha256
        except OSError:
            as_known = False
        if not as_known and not os.path.lexists(row.original) and _put_back(row):
            ledger.trash.drop(row.id)
        else:
            _taken(ledger, row, now, step)
    elif os.path.lexists(row.original):
        if row.trashed is not None:
            remove_folder(row.trashed.parent)
        ledger.trash.drop(row.id)
    elif row.trashed is None:
        _taken(ledger, row, now, step)
    else:
        with ledger.transaction():
            ledger.trash.set_state(row.id, "lost", now)
            ledger.journal.note(
                now,
                "lost",
                f"{named(row.original.name)}: neither in its place nor in the trash.",
                row.recording_id,
            )


def _recover_restoring(ledger: Ledger, row: Trashed, now: Instant, step: Step) -> None:
    assert row.trashed is not None
    if not os.path.lexists(row.trashed):
        if os.path.lexists(row.original):
            _restored(ledger, row, now, step)
        else:
            ledger.trash.set_state(row.id, "lost", now)
    elif not os.path.lexists(row.original):
        bring_back(row.trashed, row.original)
        _restored(ledger, row, now, step)
    elif row.original.lstat().st_ino == row.trashed.lstat().st_ino:
        row.trashed.unlink()
        remove_folder(row.trashed.parent)
        _restored(ledger, row, now, step)
    else:
        ledger.trash.set_state(row.id, "here")


def _receipt(ledger: Ledger, row: Trashed, act: str, now: Instant) -> None:
    receipts.issue(
        ledger,
        now,
        act,
        recording=receipts.keyed(ledger, row.recording_id),
        file=receipts.keyed(ledger, row.original),
        kind=row.kind.value,
        bytes=row.size,
        rule=row.rule,
    )
