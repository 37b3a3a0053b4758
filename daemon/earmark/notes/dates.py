"""When was it recorded? The container's own date, else the one in the file's name, else the file's modification time.

Never the inode change or birth time: on a copied file those are the copy's.
"""

from __future__ import annotations

import re
from datetime import datetime, tzinfo

from earmark.domain import Instant

_IN_NAME = re.compile(
    r"(?<!\d)(20\d\d)[-_. ]?(0[1-9]|1[0-2])[-_. ]?(0[1-9]|[12]\d|3[01])"
    r"(?:[-_ T.]{1,4}(?:at )?([01]\d|2[0-3])[-_.:h]?([0-5]\d)(?:[-_.:m]?([0-5]\d))?)?(?!\d)"
)
"""`2026-05-04 10.30.15`, `20260504_103015`, `Recording 2026-05-04 at 10.30`, as phones and recorders name files."""


FILE = "file date"
"""Said in the note where nothing better is known: on a copied file this may be the time of the copying."""


def recorded_from(from_container: str | None, name: str) -> str | None:
    """`FILE` where `recorded_at` has only the file's own date to go by, else None."""
    return None if from_container or _in_name(name) else FILE


def recorded_at(
    from_container: str | None, name: str, modified_at: Instant, zone: tzinfo | None = None
) -> str:
    """Local wall time "YYYY-MM-DDTHH:MM:SS" (the machine's zone, or `zone`)."""
    if known := from_container or _in_name(name):
        return known
    try:
        return datetime.fromtimestamp(modified_at, zone).replace(microsecond=0, tzinfo=None).isoformat()
    except (OverflowError, ValueError, OSError):
        return ""


def _in_name(name: str) -> str | None:
    found = _IN_NAME.search(name)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(group or 0) for group in found.groups())
    try:
        # A wall time as written in the name; its zone is unknown.
        return datetime(year, month, day, hour, minute, second).isoformat()  # noqa: DTZ001
    except ValueError:
        return None  # 30 February; not a date after all
