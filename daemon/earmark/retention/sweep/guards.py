"""What a sweep that nobody watches must not take for granted: that the clock is right, and that a person has seen what the
policy takes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from earmark.context import Context
from earmark.files import counted
from earmark.ledger import Swept
from earmark.retention.rules.decide import Plan
from earmark.retention.sweep.clock import Reading, boot_clock, clock_doubt
from earmark.retention.sweep.planning import remember_policy

TROUBLE = "[retention]"
"""Under which name `status` shows that a sweep stopped and asks."""

TRUSTED_CLOCK = "retention.clock"

REFLECTION = 6 * 3600.0
"""Seconds that the report of a new policy stands before a sweep acts on it; a daemon that is restarted twice must not
count as somebody who has read it."""

BootClock = Callable[[], tuple[float, str]]
"""Seconds since boot, and which boot."""


def read_clock(context: Context, clock: BootClock = boot_clock) -> Reading:
    """The clocks and the last journal entry of this moment."""
    since_boot, boot = clock()
    return Reading(context.now(), since_boot, boot, context.ledger.journal.last_entry())


def trust_clock(context: Context, reading: Reading) -> None:
    """The clock is right at this reading; a person who applies a plan by hand says so, too."""
    fresh = Reading(reading.wall, reading.since_boot, reading.boot, context.ledger.journal.last_entry())
    context.ledger.journal.set_fact(TRUSTED_CLOCK, fresh.dump(), context.now())


def why_clock_is_doubted(context: Context, reading: Reading) -> str | None:
    """Why the clock cannot be trusted, or None."""
    journal = context.ledger.journal
    known = journal.fact(TRUSTED_CLOCK)
    trusted = Reading.load(known[0]) if known else None
    if trusted is None:
        return None
    return clock_doubt(trusted, reading, journal.earliest_since(trusted.event))


def approve(context: Context, clock: BootClock = boot_clock) -> None:
    """A person has seen the plan: the policy counts as reported, the clock as right, the trouble as over."""
    remember_policy(context)
    policy, now = context.ledger.retention.policy(), context.now()
    if policy is not None:
        context.ledger.retention.approved(policy.id, now)
    trust_clock(context, read_clock(context, clock))
    context.ledger.journal.clear(TROUBLE)


def only_report(context: Context, plan: Plan) -> str | None:
    """Why this plan is only to be reported: the policy is new and nobody may have read the report yet. None: go on.

    An empty plan shows nobody anything: the first one that takes something is still to be reported.
    """
    policy, now = context.ledger.retention.policy(), context.now()
    reported = now if policy is None or policy.reported_at is None else policy.reported_at
    if policy is None or not plan.goes or policy.approved_at is not None:
        return None
    if policy.reported_at is None:
        context.ledger.retention.reported(policy.id, now)
    elif not (policy.reported_at <= now < policy.reported_at + REFLECTION and _last_only_reported(context)):
        return None
    files = counted(len(plan.goes), "file")
    return (
        f"The retention policy is new: {'at least ' if plan.cut else ''}{files} would go, by the first sweep"
        f" after {_minute(reported + REFLECTION)}. Look with: earmark retention plan"
    )


def _minute(instant: float) -> str:
    return datetime.fromtimestamp(instant).astimezone().strftime("%Y-%m-%d %H:%M")


def _last_only_reported(context: Context) -> bool:
    sweep = context.ledger.trash.last_sweep()
    return sweep is not None and sweep.outcome is Swept.REPORTED
