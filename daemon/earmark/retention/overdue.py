"""What a rule should have let go by now and has not: each file, since when, and why it is still there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from earmark.context import Context
from earmark.domain import Instant, TrashState
from earmark.events import Event
from earmark.files import counted, is_locked, named
from earmark.ledger import Candidate, Swept
from earmark.retention.notes_seen import NotesSeen
from earmark.retention.rules.decide import Decider, Decision, Plan
from earmark.retention.rules.policy import policy_of
from earmark.retention.sweep.apply import NOT_PURGED
from earmark.retention.sweep.guards import REFLECTION, TROUBLE
from earmark.retention.sweep.housekeeping import due_in_index, due_voices
from earmark.retention.sweep.schedule import next_sweep
from earmark.retention.trash.purging import why_not_purge
from earmark.retention.trash.rows import lies_in_trash, purged_from, reachable

NO_DAEMON = "no daemon runs"
"""How the reason begins where nobody sweeps."""

STOPPED = "the last sweep stopped"
NEW_RULES = "the rules are new"
OTHER_RULES = "the daemon still goes by other rules"
NEXT_SWEEP = "the next sweep takes it"
FAILED = "the last sweep could not take it"
TRASH_AWAY = "its trash folder is not there"
NOT_IN_TRASH = "it is not in the trash any more"


@dataclass(frozen=True, slots=True)
class Overdue:
    """Something that a rule should have let go by now. `path` None: stored voices, or recordings in the index of search, of
    which the ledger has `count`.

    `since`: None where the rules rank and nobody can say. `about`: its class, `trash` for what waits there. `item`: what the
    plan decided about, None for what is in the trash.
    """

    path: Path | None
    about: str
    rule: str
    since: Instant | None
    why: str
    item: Candidate | None = None
    count: int = 1

    @property
    def counted(self) -> str:
        """What it is, where it is no file: `3 stored voices`."""
        if self.about == "voiceprints":
            return counted(self.count, "stored voice")
        return f"{counted(self.count, 'recording')} in the index of search"


def overdue(context: Context, plan: Plan) -> list[Overdue]:
    """All of it, the longest overdue first. `plan`: of this moment. Reads the ledger and the disk, changes nothing."""
    decider = Decider(policy_of(context.config), plan.now)
    waits = why_it_waits(context, plan)
    found = [_of(decider, d, d.reason) for d in plan.blocked]
    for d in plan.goes:
        item = d.item
        failed = _failed(context, item.recording_id, item.path, Event.NOT_TRASHED, "stays:")
        found.append(_of(decider, d, failed or waits))
    found += _in_trash(context, waits)
    if (voices := _voices(context, waits)) is not None:
        found.append(voices)
    if (indexed := _indexed(context, waits)) is not None:
        found.append(indexed)
    return sorted(found, key=lambda o: (o.since is None, o.since or 0.0))


def why_it_waits(context: Context, plan: Plan) -> str:
    """Why no sweep has taken yet what only has to be taken."""
    ledger, now = context.ledger, context.now()
    stopped = next((t.sentence for t in ledger.journal.troubles() if t.subject == TROUBLE), None)
    if stopped is not None:
        return f"{STOPPED}: {stopped}"
    if not is_locked(context.home.lock_file):
        return f"{NO_DAEMON}, which would sweep; start it, or say: earmark retention apply"
    policy = ledger.retention.policy()
    if policy is not None and policy.digest != plan.policy:
        return f"{OTHER_RULES}; it reads the configuration again at SIGHUP and at its start"
    if policy is not None and policy.approved_at is None:
        if policy.reported_at is None:
            return f"{NEW_RULES}: the next sweep, {_minute(next_sweep(context))}, only reports"
        last = ledger.trash.last_sweep()
        ends = Instant(policy.reported_at + REFLECTION)
        if policy.reported_at <= now < ends and last is not None and last.outcome is Swept.REPORTED:
            return f"{NEW_RULES}: the first sweep after {_minute(ends)} takes it"
    return f"{NEXT_SWEEP}, {_minute(max(now, next_sweep(context)))}"


def _of(decider: Decider, d: Decision, why: str) -> Overdue:
    return Overdue(d.item.path, d.about, d.rule, decider.due_from(d.item), why, d.item)


def _failed(context: Context, recording_id: str, path: Path, what: Event, begin: str) -> str | None:
    """What went wrong when the last sweep wanted this file. `begin`: how what tells it begins, after the path."""
    last = context.ledger.trash.last_sweep()
    if last is None or not last.errors:
        return None
    told = [
        entry.detail
        for entry in context.ledger.journal.events(recording_id, limit=20)
        if entry.what == what and entry.at >= last.began_at
    ]
    begin = f"{named(path)}: {begin} "
    reason = next((detail.removeprefix(begin) for detail in reversed(told) if detail.startswith(begin)), None)
    return None if reason is None else f"{FAILED}: {reason}"


def _in_trash(context: Context, waits: str) -> Iterator[Overdue]:
    notes, now = NotesSeen(context, writes=False), context.now()
    rule = f"trash: keep_for {context.config.retention.trash.keep_for} (class)"
    for row in context.ledger.trash.in_state(TrashState.HERE, TrashState.PURGING):
        due = purged_from(context.config, row)
        if due is None or due > now:
            continue
        if row.trashed_at > now:
            why = "dated in the future"
        elif not reachable(row):
            why = f"{TRASH_AWAY}: mount its disk"
        else:
            gone = None
            if not lies_in_trash(row):
                asked_again = context.ledger.trash.get(row.id)
                if asked_again is None or asked_again.state is not row.state:
                    continue  # a sweep took it out meanwhile
                gone = f"{NOT_IN_TRASH}: somebody took it out; {waits}"
            failed = _failed(context, row.recording_id, row.original, Event.NOT_PURGED, NOT_PURGED)
            why = why_not_purge(context, row, notes) or gone or failed or waits
        yield Overdue(row.original, "trash", rule, due, why)


def _voices(context: Context, waits: str) -> Overdue | None:
    rule = context.config.retention.voiceprints.keep_for
    count = due_voices(context, context.now())
    return (
        Overdue(None, "voiceprints", f"voiceprints: keep_for {rule}", None, waits, count=count)
        if count
        else None
    )


def _indexed(context: Context, waits: str) -> Overdue | None:
    rule = context.config.retention.index.keep_for
    count = due_in_index(context, context.now())
    return Overdue(None, "index", f"index: keep_for {rule}", None, waits, count=count) if count else None


def _minute(instant: float) -> str:
    return datetime.fromtimestamp(instant).astimezone().strftime("%Y-%m-%d %H:%M")
