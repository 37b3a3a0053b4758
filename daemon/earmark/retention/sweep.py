"""Carrying out a plan: a person's (`apply`) and the daily one (`scheduled_sweep`), which trusts nothing and nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from earmark.config import Config
from earmark.domain import Instant, Kind
from earmark.errors import EarmarkError, EnvironmentFault
from earmark.ledger import Ledger
from earmark.log import get_logger
from earmark.retention import erase, marks
from earmark.retention.clock import Reading, boot_clock, disbelief
from earmark.retention.housekeeping import tidy
from earmark.retention.look import Frontmatter, Inspector, hash_of
from earmark.retention.plan import Decider, Decision, Plan, fuse, make_plan
from earmark.retention.policy import policy_of, read_policy
from earmark.retention.single import one_at_a_time
from earmark.retention.trash import Step, purge, quiet, recover, take
from earmark.retention.wording import named, why

log = get_logger(__name__)

TROUBLE = "[retention]"
"""Under which name `status` shows that a sweep stopped and asks."""

REPORTED = "retention.reported"
BELIEVED = "retention.clock"
AGAIN = 3600.0
"""Seconds until a sweep that failed is tried again."""

REFLECTION = 6 * 3600.0
"""Seconds that the report of a new policy stands before a sweep acts on it; a daemon that is restarted twice must not
count as somebody who has read it."""


@dataclass(slots=True)
class SweepReport:
    """What a sweep came to. `outcome`: nothing, reported, swept, partial, stopped, failed.

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


def keep_keys(config: Config) -> frozenset[str]:
    """The frontmatter keys that hold a recording: `keep`, and what the configuration calls it."""
    named = config.notes.key_prefix + config.notes.keys.get("keep", "keep")
    return frozenset({"keep", named.lower(), config.notes.keys.get("keep", "keep").lower()})


def remember_policy(ledger: Ledger, config: Config, now: Instant) -> bool:
    """Write down the policy in force; true if it is a new one. The supervisor calls this at start and after each reload
    of the configuration, before it accepts anything: recordings then remember it by themselves (a trigger).
    """
    policy = policy_of(config)
    first = ledger.retention.latest_policy() is None
    with ledger.transaction():
        new = ledger.retention.remember_policy(policy.digest, policy.body, now)
        if new and not first:
            ledger.retention.relook_all("the retention policy changed")
            ledger.journal.note(now, "policy-changed", "Another retention policy is in force from now on.")
    return new


def plan_now(
    ledger: Ledger,
    config: Config,
    now: Instant,
    frontmatter: Frontmatter,
    *,
    at: Instant | None = None,
    retroactive: bool = False,
    keep_all: bool = False,
    remember: bool = True,
    only: Callable[[Path], bool] | None = None,
) -> Plan:
    """The plan of this moment, or of `at`. `remember=False` for a ledger that is open read-only.

    `keep_all` lists what stays, too; `only` narrows the plan to paths, without changing who ranks where.
    """
    policy = policy_of(config)
    if remember and policy.reads_tags:
        marks.refresh(ledger, frontmatter, keep_keys(config))
    accepted_under = {row: read_policy(body) for row, body in ledger.retention.policies().items()}
    moment = now if at is None else at
    decider = Decider(policy, accepted_under, moment, retroactive=retroactive)
    look = Inspector(ledger, frontmatter, keep_keys(config), remember=remember)
    weighs = policy.weighs.union(*(p.weighs for p in accepted_under.values()))

    def decisions() -> Iterable[Decision]:
        for kind in Kind:
            items = ledger.retention.candidates(kind)
            if kind is not Kind.AUDIO and kind.value in weighs:
                items = marks.weighed(items)
            for decision in decider.decide_all(items):
                if only is None or only(decision.item.path):
                    yield decision

    return make_plan(decisions(), policy, moment, look, keep_all=keep_all)


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
    report.sentence = _sentence(report)
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
        except OSError as error:
            errors.append(f"{named(row.original)}: could not be purged: {why(error)}")
    if count:
        # Purging may have taken words out of the ledger; they must not stay in its log.
        ledger.db.fold()
    return count, errors


def scheduled_sweep(
    ledger: Ledger,
    config: Config,
    now: Instant,
    monotonic: Callable[[], float],
    *,
    frontmatter: Frontmatter,
    budget: float = 20.0,
    clock: Callable[[], tuple[float, str]] = boot_clock,
    step: Step = quiet,
) -> SweepReport:
    """The sweep that nobody watches. Safe to call at any time and again after any kill; never raises but for the ledger.

    `now`: wall clock, Unix seconds. `monotonic`: seconds for the time budget (a sweep that has used up `budget` seconds
    returns with `more=True` and goes on at the next call). `frontmatter`: `earmark.notes.frontmatter.read_frontmatter`.
    `clock`: seconds since boot and boot id, to notice that the wall clock jumped.

    In order: finish what a kill left; stop if the clock cannot be believed; only report if the policy is new; stop if
    the fuse blows; move to the trash; purge what has been there long enough; tidy journal, checkpoints and receipts.
    """
    start = monotonic()
    row = ledger.trash.begin_sweep(now)
    try:
        with one_at_a_time(ledger):
            report = _sweep(
                ledger, config, now, lambda: monotonic() - start > budget, frontmatter, clock, step
            )
    except EnvironmentFault:
        raise
    except Exception as error:
        # A sweep that dies once must not die for ever: say so, and let the next one try.
        log.exception("sweep-failed")
        report = SweepReport("failed", f"The sweep failed: {type(error).__name__}: {why(error)}")
    if report.outcome in ("stopped", "failed"):
        ledger.journal.trouble(TROUBLE, "system", report.sentence, now)
    else:
        ledger.journal.clear(TROUBLE)
    counts = (report.trashed, report.purged, report.bytes, len(report.errors))
    ledger.trash.end_sweep(row, now, report.outcome, report.sentence, counts)
    log.info(
        "sweep",
        outcome=report.outcome,
        trashed=report.trashed,
        purged=report.purged,
        errors=len(report.errors),
    )
    return report


def _sweep(
    ledger: Ledger,
    config: Config,
    now: Instant,
    until: Callable[[], bool],
    frontmatter: Frontmatter,
    clock: Callable[[], tuple[float, str]],
    step: Step,
) -> SweepReport:
    recover(ledger, now, step)
    erase.recover(ledger, now, step)
    remember_policy(ledger, config, now)
    reading = read_clock(ledger, now, clock)
    if (reason := _disbelief(ledger, reading)) is not None:
        return SweepReport(
            "stopped",
            f"Nothing was deleted: {reason}. If the date is right now, say so with: earmark retention apply",
        )
    policy = policy_of(config)
    if policy.empty:
        report = SweepReport("nothing", "No rule lets anything go.")
    else:
        plan = plan_now(ledger, config, now, frontmatter)
        report = _guarded(ledger, config, plan, now, until, step)
    if report.outcome == "stopped":
        return report
    report.purged, errors = purge_due(ledger, config, now, frontmatter, until=until, step=step)
    report.errors += errors
    tidy(ledger, config, now)
    believe(ledger, reading, now)
    if report.purged and report.outcome == "nothing":
        report.outcome = "swept"
    if report.outcome in ("swept", "partial"):
        report.sentence = _sentence(report)
    return report


def _guarded(
    ledger: Ledger, config: Config, plan: Plan, now: Instant, until: Callable[[], bool], step: Step
) -> SweepReport:
    """A plan under the two guards of a sweep nobody watches: a new policy only reports, and the fuse."""
    known = ledger.journal.fact(REPORTED)
    new = known is None or known[0] != plan.policy
    if new:
        ledger.journal.set_fact(REPORTED, plan.policy, now)
    unread = known is not None and known[1] <= now < known[1] + REFLECTION and _last_only_reported(ledger)
    if plan.goes and (new or unread):
        sentence = (
            f"The retention policy is new: {len(plan.goes)} files would go at the next sweep."
            " Look with: earmark retention plan"
        )
        return SweepReport("reported", sentence, planned=len(plan.goes))
    blown = fuse(plan, config.retention.fuse_items, config.retention.fuse_percent)
    if blown is not None:
        return SweepReport(
            "stopped",
            f"Nothing was deleted: {blown}. Look with `earmark retention plan`, go ahead with `earmark retention apply`",
            planned=len(plan.goes),
        )
    if not plan.goes:
        return SweepReport("nothing", "Nothing is due.")
    report = apply(ledger, config, plan, now, until=until, taken=_log_taken, step=step)
    for sentence in report.errors:
        log.warning("not-trashed", reason=sentence)
    return report


def _log_taken(decision: Decision) -> None:
    log.info("trashed", file=str(decision.item.path), rule=decision.rule)


def _last_only_reported(ledger: Ledger) -> bool:
    last = ledger.trash.last_sweep()
    return last is not None and last.outcome == "reported"


def read_clock(ledger: Ledger, now: Instant, clock: Callable[[], tuple[float, str]] = boot_clock) -> Reading:
    """The clocks and the last event of this moment."""
    since_boot, boot = clock()
    row = ledger.db.one("SELECT coalesce(max(id), 0) AS id FROM events")
    return Reading(now, since_boot, boot, row["id"] if row else 0)


def believe(ledger: Ledger, reading: Reading, now: Instant) -> None:
    """The clock is right at this reading; a person who applies a plan by hand says so, too."""
    fresh = read_clock(ledger, now, lambda: (reading.since_boot, reading.boot))
    ledger.journal.set_fact(BELIEVED, fresh.dump(), now)


def _disbelief(ledger: Ledger, reading: Reading) -> str | None:
    known = ledger.journal.fact(BELIEVED)
    believed = Reading.load(known[0]) if known else None
    if believed is None:
        return None
    row = ledger.db.one("SELECT min(at) AS at FROM events WHERE id > ?", (believed.event,))
    return disbelief(believed, reading, row["at"] if row else None)


def approve(
    ledger: Ledger, config: Config, now: Instant, clock: Callable[[], tuple[float, str]] = boot_clock
) -> None:
    """A person has seen the plan: the policy counts as reported, the clock as right, the trouble as over."""
    ledger.journal.set_fact(REPORTED, policy_of(config).digest, now)
    believe(ledger, read_clock(ledger, now, clock), now)
    ledger.journal.clear(TROUBLE)


def next_sweep(ledger: Ledger, config: Config, now: Instant) -> Instant:
    """When the next sweep is due: at once if none was ever done or one was missed, else at the next `sweep_at`."""
    last = ledger.trash.last_sweep()
    if last is None or last.began_at > now:
        return now
    if last.outcome == "partial":
        return now
    if last.outcome == "failed":
        return last.began_at + AGAIN
    hour, minute = (int(part) for part in config.retention.sweep_at.split(":"))
    before = datetime.fromtimestamp(last.began_at)  # noqa: DTZ006 - local wall time is what `sweep_at` means
    due = before.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if due <= before:
        due += timedelta(days=1)
    return due.timestamp()


def sweep_due(ledger: Ledger, config: Config, now: Instant) -> bool:
    """True if a sweep should run now; computed from the ledger, so that no timer can forget it."""
    return next_sweep(ledger, config, now) <= now


def _sentence(report: SweepReport) -> str:
    parts = [f"{report.trashed} of {report.planned} files moved to the trash ({report.bytes} bytes)"]
    if report.purged:
        parts.append(f"{report.purged} purged")
    if report.errors:
        parts.append(f"{len(report.errors)} stayed because of errors")
    if report.more:
        parts.append("more to come")
    return ", ".join(parts) + "."
