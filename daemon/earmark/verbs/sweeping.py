"""Sweeping by hand: the plan, a person's yes, the act with every guard asked again, and the notes that it concerns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from earmark.context import Context
from earmark.errors import LedgerBusy
from earmark.ledger import DaemonLock, Place
from earmark.pipeline.publishing import publish_owed
from earmark.retention import SweepReport, plan_now, remember_policy, sweep_by_hand
from earmark.retention.rules.decide import Plan
from earmark.retention.sweep.guards import approve
from earmark.retention.sweep.saved_plan import load, narrowed
from earmark.retention.trash.recovery import recover
from earmark.verbs.file_or_folder import require_no_folder

PATIENCE = 5.0
"""Seconds to wait for somebody else who is acting on files."""

ROUNDS = 10_000
"""Batches of notes written before a verb gives up; each writes something or ends it."""


def sweep(
    context: Context, saved: Path | None, confirm: Callable[[Plan], bool]
) -> tuple[Plan, SweepReport] | None:
    """Carry out what is due, or what a saved plan names, if `confirm` says so; None if it does not.

    No lock is held while a person thinks; what came in between is found next to each take. Raises RetentionError,
    UsageError for a folder.
    """
    with context.ledger.acting(PATIENCE):
        recover(context)
    remember_policy(context)
    plan = plan_now(context)
    if saved is not None:
        require_no_folder(saved, "a saved plan")
        plan = narrowed(load(saved), plan)
    if not confirm(plan):
        return None
    approve(context)
    with context.ledger.acting(PATIENCE):
        report = sweep_by_hand(context, plan)
    write_owed(context)
    return plan, report


def owed_of(context: Context, recording_id: str) -> list[Place]:
    """Where a recording is and notes are to be written, now or once what is in the way is over."""
    recording = context.ledger.recordings.get(recording_id)
    if recording is None:
        return []
    now = (recording.transcript_rev, recording.summary_rev)
    places = context.ledger.places.of(recording_id)
    return [p for p in places if p.here and (p.owed or (p.transcript_rev, p.summary_rev) != now)]


def write_owed(context: Context) -> None:
    """Write the notes that are owed, if no daemon runs that would."""
    try:
        with DaemonLock(context.home.lock_file):
            for _ in range(ROUNDS):
                written, more = publish_owed(context)
                if not written and not more:
                    return
    except LedgerBusy:
        return
