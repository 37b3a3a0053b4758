"""Can the clock be trusted? A wrong clock is the quickest way to delete everything. Pure but for `boot_clock`."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from earmark.domain import Instant

DRIFT = 3600.0
"""Seconds by which wall clock and time since boot may part between two sweeps. Time servers correct by far less, and
daylight saving does not touch Unix time."""

BACK = 120.0
"""Seconds by which the clock may have been set back since the last sweep."""

LONGEST_GAP = 60 * 86400.0
"""Seconds between two sweeps across a reboot, after which a person should say that the date is right."""


@dataclass(frozen=True, slots=True)
class Reading:
    """When the clock was last trusted: wall time, seconds since boot, which boot, and the last event by then."""

    wall: Instant
    since_boot: float
    boot: str
    event: int

    def dump(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> Reading | None:
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError):
            return None


def boot_clock() -> tuple[float, str]:
    """Seconds since boot, sleep included, and the id of this boot."""
    if sys.platform == "darwin":
        # CLOCK_MONOTONIC goes on in sleep there, other than on Linux (clock_gettime(3) of macOS).
        found = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"], capture_output=True, text=True
        )
        return time.clock_gettime(time.CLOCK_MONOTONIC), found.stdout.strip()
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        boot = ""
    return time.clock_gettime(time.CLOCK_BOOTTIME), boot


def clock_doubt(trusted: Reading | None, now: Reading, earliest_since: Instant | None) -> str | None:
    """Why the clock cannot be trusted, or None.

    `earliest_since`: the earliest date of anything written down after the last trusted reading. It cannot lie before
    that reading unless the clock was set back in between ("the newest item is older than the last sweep").
    """
    if trusted is None:
        return None
    if now.wall < trusted.wall - BACK:
        return f"the clock is {_span(trusted.wall - now.wall)} behind the last sweep"
    if earliest_since is not None and earliest_since < trusted.wall - BACK:
        return (
            f"something newer than the last sweep is dated {_span(trusted.wall - earliest_since)} before it"
        )
    wall = now.wall - trusted.wall
    if now.boot and now.boot == trusted.boot:
        drift = wall - (now.since_boot - trusted.since_boot)
        if abs(drift) > DRIFT:
            way = "forward" if drift > 0 else "back"
            return f"the clock has jumped {way} by {_span(abs(drift))} since the last sweep"
    elif wall > LONGEST_GAP:
        return f"the last sweep was {_span(wall)} ago, in an earlier boot; the date may be wrong"
    return None


def _span(seconds: float) -> str:
    if seconds < 7200:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.0f} hours" if seconds < 172800 else f"{seconds / 86400:.0f} days"
