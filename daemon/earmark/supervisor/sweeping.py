"""When the retention sweep is due. APScheduler only leaves a post; the loop does the work."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from earmark.context import Context
from earmark.domain import Instant
from earmark.errors import LedgerBusy
from earmark.pipeline.names_kept import drop_kept
from earmark.retention import next_sweep, remember_policy, sweep_by_clock, sweep_due
from earmark.supervisor.inbox import SweepDue

BUDGET = 10.0
"""Seconds of sweeping before the loop looks at its other duties; the rest goes on in its next turn."""

GLANCE = 60.0
"""Seconds between two looks at the ledger whether a sweep is due, whatever the scheduler says."""


class Sweeping:
    """The daily clock and the sweep that follows it. Missed while asleep or down: made up for at start."""

    def __init__(self, context: Context, post: Callable[[SweepDue], None]) -> None:
        self._context = context
        self._post = post
        self._due = True
        self._next_glance = 0.0
        # misfire_grace_time=None and coalesce: a night that was slept through is swept once, in the morning.
        self._scheduler: Any = BackgroundScheduler(
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )
        self._scheduler.start()
        self.reconfigure()

    def reconfigure(self) -> None:
        """The time of day or the rules may have changed."""
        remember_policy(self._context)
        hour, minute = self._context.config.retention.sweep_at.split(":")
        trigger = CronTrigger(hour=int(hour), minute=int(minute))
        self._scheduler.add_job(self._post, trigger, args=[SweepDue()], id="sweep", replace_existing=True)

    def due(self) -> None:
        self._due = True

    def next_at(self) -> Instant:
        """When the next sweep is due, as the ledger tells it: from the last sweep that was done."""
        return next_sweep(self._context)

    def turn(self) -> bool:
        """Sweep if it is due, for a bounded time; true if there is more to sweep right now."""
        now = self._context.clock.monotonic()
        if not self._due and now < self._next_glance:
            return False
        if self._context.silent:
            return False  # a sweep looks into all folders; what is due stays due
        self._next_glance = now + GLANCE
        if not self._due and not sweep_due(self._context):
            return False
        report = sweep_by_clock(self._context, budget=BUDGET)
        with suppress(LedgerBusy), self._context.ledger.acting():
            drop_kept(self._context)
        self._due = report.more
        return report.more

    def stop(self) -> None:
        self._scheduler.shutdown(wait=False)
