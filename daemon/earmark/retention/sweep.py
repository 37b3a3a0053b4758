"""The daily sweep, which nobody watches and which therefore trusts nothing: not the clock, not the policy, not its luck."""

from __future__ import annotations

from collections.abc import Callable

from earmark.config import Config
from earmark.domain import Instant
from earmark.errors import EnvironmentFault, LedgerBusy
from earmark.ledger import Ledger
from earmark.log import get_logger
from earmark.retention import erase
from earmark.retention.applying import SweepReport, apply, purge_due, sentence_of
from earmark.retention.clock import boot_clock
from earmark.retention.consent import REPORTED, TROUBLE, believe, read_clock, why_not_believed
from earmark.retention.housekeeping import tidy
from earmark.retention.look import Frontmatter
from earmark.retention.moves import Step, quiet
from earmark.retention.plan import Decision, Plan, fuse
from earmark.retention.planning import plan_now, remember_policy
from earmark.retention.policy import policy_of
from earmark.retention.schedule import next_sweep, sweep_due
from earmark.retention.single import one_at_a_time
from earmark.retention.trash import recover
from earmark.retention.wording import why

__all__ = ["SweepReport", "next_sweep", "remember_policy", "scheduled_sweep", "sweep_due"]

log = get_logger(__name__)

REFLECTION = 6 * 3600.0
"""Seconds that the report of a new policy stands before a sweep acts on it; a daemon that is restarted twice must not
count as somebody who has read it."""


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
    except LedgerBusy as busy:
        report = SweepReport("busy", str(busy))
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
    if (reason := why_not_believed(ledger, reading)) is not None:
        return SweepReport(
            "stopped",
            f"Nothing was deleted: {reason}. If the date is right now, say so with: earmark retention apply",
        )
    policy = policy_of(config)
    if policy.empty:
        report = SweepReport("nothing", "No rule lets anything go.")
    else:
        # Nobody waits for a sweep, but the daemon does: no gigabytes are hashed for a plan that a guard may stop.
        most = config.retention.fuse_items
        plan = plan_now(ledger, config, now, frontmatter, thorough=False, most=most)
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
        report.sentence = sentence_of(report)
    return report


def _guarded(
    ledger: Ledger, config: Config, plan: Plan, now: Instant, until: Callable[[], bool], step: Step
) -> SweepReport:
    """A plan under the two guards of a sweep nobody watches: a new policy only reports, and the fuse."""
    known = ledger.journal.fact(REPORTED)
    new = known is None or known[0] != plan.policy
    if new and plan.goes:
        # An empty plan shows nobody anything: the first one that takes something is still to be reported.
        ledger.journal.set_fact(REPORTED, plan.policy, now)
    unread = known is not None and known[1] <= now < known[1] + REFLECTION and _last_only_reported(ledger)
    if plan.goes and (new or unread):
        sentence = (
            f"The retention policy is new: {'at least ' if plan.cut else ''}{len(plan.goes)} files would go at the"
            " next sweep."
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
