"""When the next sweep is due: computed from the ledger, so that no timer can forget it."""

from __future__ import annotations

from datetime import datetime, timedelta

from earmark.config import Config
from earmark.domain import Instant
from earmark.ledger import Ledger

AGAIN = 3600.0
"""Seconds until a sweep that failed, or found somebody else at work, is tried again."""


def next_sweep(ledger: Ledger, config: Config, now: Instant) -> Instant:
    """When the next sweep is due: at once if none was ever done or one was missed, else at the next `sweep_at`."""
    last = ledger.trash.last_sweep()
    if last is None or last.began_at > now:
        return now
    if last.outcome == "partial":
        return now
    if last.outcome in ("failed", "busy"):
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
