"""What a sweep that nobody watches may take for granted: that the clock is right, and that a person has seen the policy."""

from __future__ import annotations

from collections.abc import Callable

from earmark.config import Config
from earmark.domain import Instant
from earmark.ledger import Ledger
from earmark.retention.clock import Reading, boot_clock, disbelief
from earmark.retention.policy import policy_of

TROUBLE = "[retention]"
"""Under which name `status` shows that a sweep stopped and asks."""

REPORTED = "retention.reported"
BELIEVED = "retention.clock"


def read_clock(ledger: Ledger, now: Instant, clock: Callable[[], tuple[float, str]] = boot_clock) -> Reading:
    """The clocks and the last event of this moment."""
    since_boot, boot = clock()
    row = ledger.db.one("SELECT coalesce(max(id), 0) AS id FROM events")
    return Reading(now, since_boot, boot, row["id"] if row else 0)


def believe(ledger: Ledger, reading: Reading, now: Instant) -> None:
    """The clock is right at this reading; a person who applies a plan by hand says so, too."""
    fresh = read_clock(ledger, now, lambda: (reading.since_boot, reading.boot))
    ledger.journal.set_fact(BELIEVED, fresh.dump(), now)


def why_not_believed(ledger: Ledger, reading: Reading) -> str | None:
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
