"""When the next sweep is due: computed from the ledger, so that no timer can forget it."""

from __future__ import annotations

from datetime import datetime, timedelta

from earmark.context import Context
from earmark.domain import Instant
from earmark.ledger import Swept

AGAIN = 3600.0
"""Seconds until a sweep that failed, or found somebody else at work, is tried again."""


def next_sweep(context: Context) -> Instant:
    """When the next sweep is due: at once if none was ever done or one was missed, else at the next `sweep_at`."""
    now, last = context.now(), context.ledger.trash.last_sweep()
    if last is None or last.began_at > now:
        return now
    if last.outcome is Swept.PARTIAL:
        return now
    if last.outcome in (Swept.FAILED, Swept.BUSY):
        return Instant(last.began_at + AGAIN)
    hour, minute = (int(part) for part in context.config.retention.sweep_at.split(":"))
    before = datetime.fromtimestamp(last.began_at)  # noqa: DTZ006 - local wall time is what `sweep_at` means
    due = before.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if due <= before:
        due += timedelta(days=1)
    return Instant(due.timestamp())


def sweep_due(context: Context) -> bool:
    """True if a sweep should run now; computed from the ledger, so that no timer can forget it."""
    return next_sweep(context) <= context.now()
