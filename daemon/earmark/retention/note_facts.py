"""What a note says about its audio: when it may go, or when and by which rule it went."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from earmark.context import Context
from earmark.domain import Instant, Kind, TrashState
from earmark.ledger import Place
from earmark.ledger.candidates import BETTER_OWED
from earmark.retention.gate import verdict
from earmark.retention.holds import why_held
from earmark.retention.notes_seen import NotesSeen
from earmark.retention.rules.decide import Decider
from earmark.retention.rules.policy import policy_of


def expires_on(context: Context, place: Place) -> str | None:
    """Local date "YYYY-MM-DD" from which rules let the audio go; None if something keeps it, or nobody can say yet.

    The same decider that the sweep asks. A recording that is not done yet counts as done now.
    """
    ledger, now = context.ledger, context.now()
    policy = policy_of(context.config)
    item = ledger.retention.candidate(Kind.AUDIO, place.path, place.recording_id, policy.tags_of_notes)
    if not place.here or item is None or (policy.empty and item.item_rule is None):
        return None
    if item.unfinished == BETTER_OWED:
        return None
    if item.done_at is None:
        item = replace(item, done_at=now)
    when = Decider(policy, now).expires(item)
    if when is None:
        return None
    recording = ledger.recordings.get(place.recording_id)
    accepted = recording is not None and ledger.retention.quality_accepted(
        recording.id, recording.transcript_rev
    )
    if not accepted and verdict(context, place.recording_id):
        return None
    files = [(place.path, place.folder)]
    if why_held(context, NotesSeen(context), place.recording_id, files, ()) is not None:
        return None
    return _day(when)


def how_it_went(context: Context, place: Place) -> str | None:
    """A sentence if a rule took the audio of this place, else None."""
    taken = [
        row
        for row in context.ledger.trash.of_original(place.path)
        if row.kind is Kind.AUDIO
        and row.recording_id == place.recording_id
        and row.state is not TrashState.RESTORED
    ]
    if not taken:
        return None
    row = taken[-1]
    if row.state is TrashState.PURGED:
        return f"The audio was deleted on {_day(row.ended_at or row.trashed_at)} by the rule {row.rule}."
    where = "the system's trash" if row.state is TrashState.HANDED else "the trash"
    return f"The audio went to {where} on {_day(row.trashed_at)} by the rule {row.rule}."


def _day(instant: Instant) -> str:
    return datetime.fromtimestamp(instant).astimezone().strftime("%Y-%m-%d")
