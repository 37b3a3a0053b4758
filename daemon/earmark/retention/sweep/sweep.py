"""The daily sweep, which nobody watches and which therefore trusts nothing: not the clock, not the policy, not its luck."""

from __future__ import annotations

from collections.abc import Callable

from earmark.context import Context
from earmark.errors import EnvironmentFault, LedgerBusy, LedgerError, place_of
from earmark.events import Event
from earmark.files import named, why
from earmark.ledger import Swept
from earmark.log import get_logger
from earmark.retention.doubt import reconcile
from earmark.retention.erasure.erase import recover as recover_erasures
from earmark.retention.notes_seen import NotesSeen
from earmark.retention.rules.decide import Plan, fuse
from earmark.retention.rules.policy import policy_of
from earmark.retention.sweep.apply import SweepReport, apply, purge_due, sentence_of
from earmark.retention.sweep.clock import boot_clock
from earmark.retention.sweep.guards import (
    TROUBLE,
    BootClock,
    only_report,
    read_clock,
    trust_clock,
    why_clock_is_doubted,
)
from earmark.retention.sweep.housekeeping import tidy, tidy_index
from earmark.retention.sweep.planning import plan_now, remember_policy
from earmark.retention.trash.recovery import recover

log = get_logger(__name__)


def sweep_by_clock(context: Context, *, budget: float = 20.0, boot: BootClock = boot_clock) -> SweepReport:
    """The sweep that nobody watches. Safe to call at any time and again after any kill; never raises but for the ledger.

    A sweep that has used up `budget` seconds returns with `more=True` and goes on at the next call. `boot`: seconds since
    boot and boot id, to notice that the wall clock jumped.

    In order: finish what a kill left; stop if the clock cannot be trusted; only report if the policy is new; stop if
    the fuse blows; move to the trash; purge what has been there long enough; tidy journal, checkpoints and receipts.
    """
    ledger, start = context.ledger, context.clock.monotonic()
    row = ledger.trash.begin_sweep(context.now())
    try:
        with ledger.acting():
            report = _sweep(context, lambda: context.clock.monotonic() - start > budget, boot)
    except LedgerBusy as busy:
        report = SweepReport(Swept.BUSY, str(busy))
    except (EnvironmentFault, LedgerError):
        raise
    except Exception as error:
        # A sweep that dies once must not die for ever: say so, and let the next one try.
        log.error(Event.SWEEP_FAILED, error=type(error).__name__, where=place_of(error))
        report = SweepReport(Swept.FAILED, f"The sweep failed: {type(error).__name__}: {why(error)}")
    if report.outcome in (Swept.STOPPED, Swept.FAILED):
        ledger.journal.trouble(TROUBLE, "system", report.sentence, context.now())
    else:
        ledger.journal.clear(TROUBLE)
    ledger.trash.end_sweep(row, context.now(), report.outcome, report.sentence, report.counts())
    context.tell(
        Event.SWEEP,
        outcome=report.outcome.value,
        trashed=report.trashed,
        purged=report.purged,
        errors=len(report.errors),
    )
    return report


def sweep_by_hand(context: Context, plan: Plan) -> SweepReport:
    """Carry out a plan that a person has seen, and purge what is due. Call in `ledger.acting`."""
    ledger = context.ledger
    ledger.check()
    reconcile(context)
    NotesSeen(context).inspect_everywhere()
    row = ledger.trash.begin_sweep(context.now())
    report = apply(context, plan)
    report.purged, errors = purge_due(context)
    report.errors += errors
    tidy_index(context)
    _clean_index(context)
    report.sentence = sentence_of(report)
    ledger.trash.end_sweep(row, context.now(), report.outcome, f"By hand: {report.sentence}", report.counts())
    return report


def _sweep(context: Context, until: Callable[[], bool], boot: BootClock) -> SweepReport:
    context.ledger.check()
    reconcile(context)
    recover(context)
    for path, why_so in recover_erasures(context).stays:
        sentence = f"{named(path)} stays, although its recording was erased: {why_so}"
        context.tell(Event.NOT_PURGED, sentence, file=path, level="warning")
    NotesSeen(context).inspect_everywhere()
    remember_policy(context)
    reading = read_clock(context, boot)
    if (reason := why_clock_is_doubted(context, reading)) is not None:
        return SweepReport(
            Swept.STOPPED,
            f"Nothing was deleted: {reason}. If the date is right now, say so with: earmark retention apply",
        )
    if policy_of(context.config).empty and not _own_rules(context):
        report = SweepReport(Swept.NOTHING, "No rule lets anything go.")
    else:
        # Nobody waits for a sweep, but the daemon does: no gigabytes are hashed for a plan that a guard may stop.
        report = _guarded(
            context, plan_now(context, thorough=False, most=context.config.retention.fuse_items), until
        )
    if report.outcome is Swept.STOPPED:
        return report
    report.purged, errors = purge_due(context, until=until)
    report.errors += errors
    tidy(context)
    _clean_index(context)
    trust_clock(context, reading)
    if report.purged and report.outcome is Swept.NOTHING:
        report.outcome = Swept.SWEPT
    if report.outcome in (Swept.SWEPT, Swept.PARTIAL):
        report.sentence = sentence_of(report)
    return report


def _clean_index(context: Context) -> None:
    """What went out of the index of search goes out of its pages."""
    if context.ledger.index.clean_due():
        context.ledger.index.clean()


def _own_rules(context: Context) -> bool:
    """True if some recording has a rule of its own, which may let it go although no policy does."""
    return context.ledger.protection.any_item_rule()


def _guarded(context: Context, plan: Plan, until: Callable[[], bool]) -> SweepReport:
    """A plan under the two guards of a sweep nobody watches: a new policy only reports, and the fuse."""
    if (sentence := only_report(context, plan)) is not None:
        return SweepReport(Swept.REPORTED, sentence, planned=len(plan.goes))
    limits = context.config.retention
    blown = fuse(plan, limits.fuse_items, limits.fuse_percent)
    if blown is not None:
        return SweepReport(
            Swept.STOPPED,
            f"Nothing was deleted: {blown}. Look with `earmark retention plan`, go ahead with `earmark retention apply`",
            planned=len(plan.goes),
        )
    if not plan.goes:
        return SweepReport(Swept.NOTHING, "Nothing is due.")
    return apply(context, plan, until=until)
