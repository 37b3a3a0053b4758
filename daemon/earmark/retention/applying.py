"""Carrying out a plan, and purging what has lain in the trash long enough; one file's trouble never stops the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from earmark.config import Config
from earmark.domain import Instant
from earmark.errors import EarmarkError, EnvironmentFault, RetentionError
from earmark.ledger import Ledger
from earmark.retention.look import Frontmatter, Inspector, hash_of
from earmark.retention.moves import Step, quiet
from earmark.retention.plan import Decision, Plan
from earmark.retention.planning import keep_keys
from earmark.retention.trash import purge, take
from earmark.retention.wording import named, why


@dataclass(slots=True)
class SweepReport:
    """What a sweep came to. `outcome`: nothing, reported, swept, partial, stopped, busy, failed.

    `planned`: files that would go; `more`: it ran out of time, call again. `errors`: one sentence per file that would
    not go.
    """

    outcome: str
    sentence: str
    planned: int = 0
    trashed: int = 0
    purged: int = 0
    bytes: int = 0
    errors: list[str] = field(default_factory=list)
    more: bool = False


def apply(
    ledger: Ledger,
    config: Config,
    plan: Plan,
    now: Instant,
    *,
    until: Callable[[], bool] = lambda: False,
    taken: Callable[[Decision], None] = lambda _: None,
    step: Step = quiet,
) -> SweepReport:
    """Carry out a plan that a person has seen: everything in it goes to the trash, each file looked at once more.

    `until` says when time is up; `taken` is told of each file that went. One file's trouble does not stop the others; the
    machine's does (EnvironmentFault of the ledger is raised). Call inside `one_at_a_time`.
    """
    report = SweepReport("swept", "", planned=len(plan.goes))
    for decision in plan.goes:
        if until():
            report.more, report.outcome = True, "partial"
            break
        item = decision.item
        try:
            digest, identity = hash_of(item.path)
            if digest != item.sha256 or (item.identity is not None and identity != item.identity):
                report.errors.append(f"{named(item.path)}: changed since the plan was made; it stays")
                continue
            item.identity = identity
            take(ledger, decision, now, to=config.retention.trash_to, step=step)
        except EnvironmentFault:
            raise
        except (OSError, EarmarkError) as error:
            sentence = f"{named(item.path)}: could not be moved to the trash: {why(error)}"
            report.errors.append(sentence)
            ledger.journal.note(now, "not-trashed", sentence, item.recording_id, item.path)
            continue
        report.trashed += 1
        report.bytes += item.size
        taken(decision)
    report.sentence = sentence_of(report)
    return report


def purge_due(
    ledger: Ledger,
    config: Config,
    now: Instant,
    frontmatter: Frontmatter,
    *,
    until: Callable[[], bool] = lambda: False,
    step: Step = quiet,
) -> tuple[int, list[str]]:
    """Let go for good what has lain in the trash long enough and is not held; returns how many and what went wrong."""
    rule = config.retention.trash
    if rule.never or rule.keep_for is None:
        return 0, []
    look = Inspector(ledger, frontmatter, keep_keys(config))
    count, errors = 0, []
    for row in ledger.trash.in_state("here"):
        if until():
            break
        if row.trashed_at > now or now < rule.keep_for.after(row.trashed_at):
            continue
        place = ledger.places.at(row.place)
        if look.hold_on(row.recording_id, row.original, place.folder if place else row.original.parent):
            continue
        try:
            purge(ledger, row, now, step)
            count += 1
        except (OSError, RetentionError) as error:
            errors.append(f"{named(row.original)}: could not be purged: {why(error)}")
    if count:
        # Purging may have taken words out of the ledger; they must not stay in its log.
        ledger.db.fold()
    return count, errors


def sentence_of(report: SweepReport) -> str:
    parts = [f"{report.trashed} of {report.planned} files moved to the trash ({report.bytes} bytes)"]
    if report.purged:
        parts.append(f"{report.purged} purged")
    if report.errors:
        parts.append(f"{len(report.errors)} stayed because of errors")
    if report.more:
        parts.append("more to come")
    return ", ".join(parts) + "."
