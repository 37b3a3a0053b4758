"""Carrying out a plan, and purging what has lain in the trash long enough; one file's trouble never stops the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from earmark.context import Context
from earmark.domain import TrashState
from earmark.errors import EarmarkError, EnvironmentFault, RetentionError
from earmark.events import Event
from earmark.files import OtherContent, counted, named, why
from earmark.ledger import Swept
from earmark.retention.notes_seen import NotesSeen
from earmark.retention.rules.decide import Decision, Plan
from earmark.retention.rules.policy import policy_of
from earmark.retention.sweep.inspect import Inspector
from earmark.retention.trash.purging import purge, why_not_purge
from earmark.retention.trash.taking import take

NOT_PURGED = "could not be purged:"


@dataclass(slots=True)
class SweepReport:
    """What a sweep came to. `planned`: files that would go; `more`: it ran out of time, call again. `errors`: one sentence
    per file that would not go.
    """

    outcome: Swept
    sentence: str
    planned: int = 0
    trashed: int = 0
    purged: int = 0
    bytes: int = 0
    errors: list[str] = field(default_factory=list)
    more: bool = False

    def counts(self) -> tuple[int, int, int, int]:
        """As they are written down: files trashed, files purged, bytes trashed, errors."""
        return self.trashed, self.purged, self.bytes, len(self.errors)


def apply(context: Context, plan: Plan, *, until: Callable[[], bool] = lambda: False) -> SweepReport:
    """Carry out a plan: everything in it goes to the trash, if at that moment it still may.

    Every guard is asked again for each file, of the ledger and of the disk, before it is taken and with the file in hand.
    `until` says when time is up. The machine's trouble is raised (EnvironmentFault of the ledger). Call in `ledger.acting`.
    """
    report = SweepReport(Swept.SWEPT, "", planned=len(plan.goes))
    tags, notes = policy_of(context.config).tags_of_notes, NotesSeen(context)
    for decision in plan.goes:
        if until():
            report.more, report.outcome = True, Swept.PARTIAL
            break
        try:
            reason = _take(context, decision, tags, notes)
        except EnvironmentFault:
            raise
        except (OSError, EarmarkError) as error:
            reason = why(error)
        if reason is None:
            report.trashed += 1
            report.bytes += decision.item.size
            continue
        sentence = f"{named(decision.item.path)}: stays: {reason}"
        report.errors.append(sentence)
        context.tell(
            Event.NOT_TRASHED,
            sentence,
            recording=decision.item.recording_id,
            file=decision.item.path,
            level="warning",
        )
    report.sentence = sentence_of(report)
    return report


def _take(context: Context, decision: Decision, tags: frozenset[str], notes: NotesSeen) -> str | None:
    """Take one file; a reason if it stays after all."""
    item = decision.item
    inspector = Inspector(context, notes, remember=False, thorough=False)

    def confirm() -> str | None:
        return inspector.facts_changed(item, tags) or inspector.guards(item)

    reason = inspector.facts_changed(item, tags) or inspector(decision)
    if reason is not None:
        return reason
    try:
        take(context, decision, confirm)
    except OtherContent as other:
        where = "" if other.where == item.path else f"; it is at {named(other.where)} now"
        return f"{other.reason}{where}"
    return None


def purge_due(context: Context, *, until: Callable[[], bool] = lambda: False) -> tuple[int, list[str]]:
    """Let go for good what has lain in the trash long enough and is not held; returns how many and what went wrong."""
    rule, now, ledger = context.config.retention.trash, context.now(), context.ledger
    if rule.never or rule.keep_for is None:
        return 0, []
    count, errors, notes = 0, [], NotesSeen(context)
    for row in ledger.trash.in_state(TrashState.HERE):
        if until():
            break
        if row.trashed_at > now or now < rule.keep_for.after(row.trashed_at):
            continue
        if why_not_purge(context, row, notes) is not None:
            continue
        try:
            purge(context, row, notes=notes)
            count += 1
        except (OSError, RetentionError) as error:
            errors.append(f"{named(row.original)}: {NOT_PURGED} {why(error)}")
            context.tell(
                Event.NOT_PURGED, errors[-1], recording=row.recording_id, file=row.original, level="warning"
            )
    if count:
        # Purging may have taken words out of the ledger; they must not stay in its log.
        ledger.db.fold()
    return count, errors


def sentence_of(report: SweepReport) -> str:
    """What a sweep did, for a person."""
    parts = [
        f"{report.trashed} of {counted(report.planned, 'file')} moved to the trash ({counted(report.bytes, 'byte')})"
    ]
    if report.purged:
        parts.append(f"{report.purged} purged")
    if report.errors:
        parts.append(f"{len(report.errors)} stayed")
    if report.more:
        parts.append("more to come")
    return ", ".join(parts) + "."
