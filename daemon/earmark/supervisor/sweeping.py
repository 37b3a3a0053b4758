"""When the retention sweep is due. APScheduler only leaves a note; the loop does the work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from earmark.pipeline.context import Context


@dataclass(frozen=True, slots=True)
class SweepDue:
    """A note: the daily sweep is due."""


class Sweeping:
    """The daily clock and the sweep that follows it. Missed while asleep or down: made up for at start."""

    def __init__(self, context: Context, post: Callable[[SweepDue], None]) -> None:
        self._context = context
        self._post = post
        self._due = True
        # misfire_grace_time=None and coalesce: a night that was slept through is swept once, in the morning.
        self._scheduler: Any = BackgroundScheduler(
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )
        self._scheduler.start()
        self._job: Any = None
        self.reconfigure()

    def reconfigure(self) -> None:
        """The time of day may have changed."""
        hour, minute = self._context.config.retention.sweep_at.split(":")
        trigger = CronTrigger(hour=int(hour), minute=int(minute))
        self._job = self._scheduler.add_job(
            self._post, trigger, args=[SweepDue()], id="sweep", replace_existing=True
        )

    def due(self) -> None:
        self._due = True

    def next_at(self) -> float | None:
        """When the next sweep is due, Unix seconds."""
        when = self._job.next_run_time
        return when.timestamp() if when else None

    def turn(self, idle: bool) -> None:
        """Sweep if it is due."""
        if self._due:
            self._due = False

    def stop(self) -> None:
        self._scheduler.shutdown(wait=False)
