"""When was it recorded? One date per recording, from the best source that is believable. Pure.

The container's own date, else the one in the file's name, else the file's modification time, else when it came. Never the
inode change or birth time: on a copied file those are the copy's. Recorders without a clock begin in 1970, 1980 or 2000,
and one bad date in the far future would stay the newest for ever; so what lies before 1990 or ahead of the clock counts as
unknown.
"""

from __future__ import annotations

import re
from datetime import datetime, tzinfo

from earmark.domain import Date, Dated, Instant

_DAY = r"(?P<month>0[1-9]|1[0-2])[-_. ]?(?P<day>0[1-9]|[12]\d|3[01])"
_TIME = (
    r"(?P<hour>[01]\d|2[0-3]|\d(?=[-_.:h]))[-_.:h]?(?P<minute>[0-5]\d)(?:[-_.:m]?(?P<second>[0-5]\d))?"
    r"(?:[\s_]?(?P<half>[ap])\.?m\b\.?)?"
)
_IN_NAME = (
    re.compile(rf"(?<!\d)(?P<year>20\d\d){_DAY}{_TIME}(?!\d)", re.IGNORECASE),
    re.compile(
        rf"(?<!\d)(?P<year>20\d\d)[-_. ]?{_DAY}(?:[-_\sT.,]{{1,4}}(?:(?:at|um|à|a las|alle)\s)?{_TIME})?(?!\d)",
        re.IGNORECASE,
    ),
    re.compile(rf"(?<!\d)(?P<year>\d\d){_DAY}[-_]{_TIME}(?!\d)", re.IGNORECASE),
)
"""`20260504103015`; `2026-05-04 10.30.15`, `Recording 2026-05-04 at 1.05.09 PM`; `260504_1030`: so phones, recorders and
screen recorders name files. `\\s` is also the narrow space that macOS puts before PM."""

_CONFLICT = re.compile(
    r"""(?ix) [\s._-]* \( [^()]* conflict [^()]* \)
      | [._-] (sync-)? conflict (ed[ ]copy)? [-_. ]* \d{4}-?\d\d-?\d\d ([-_. ]* \d{4,6})? (-\w+)?"""
)
"""What Syncthing, Nextcloud, ownCloud and Dropbox put into the name of the copy that lost: the time of the conflict."""

DAY = "YYYY-MM-DD"
"""A date of which only the day is known."""

EARLIEST = datetime(1990, 1, 1)  # noqa: DTZ001 - a wall time
"""Before this nobody had a digital recorder; the epochs of clocks that were never set lie before it."""

AHEAD = 86_400.0
"""Seconds that a date may lie ahead of the clock: a wall time may be another zone's, FAT keeps local times."""


def date_of(
    from_container: str | None,
    name: str,
    modified_at: Instant,
    arrived_at: Instant,
    zone: tzinfo | None = None,
) -> Date:
    """The one date of a recording that came at `arrived_at`.

    `from_container`: local wall time "YYYY-MM-DDTHH:MM:SS", or a day, from the file's metadata. `zone`: where wall times
    are meant (default: this machine's).
    """
    latest = arrived_at + AHEAD
    said = [(from_container, Dated.CONTAINER), (_in_name(name), Dated.NAME)]
    # A day is a day, and not midnight; who knows the time knows better.
    for text, source in sorted(said, key=lambda date: len(date[0] or "") == len(DAY)):
        at = _instant(text, zone) if text else None
        if text and at is not None and at <= latest:
            return Date(at, text, source)
    text = _local(modified_at, zone)
    if text and modified_at <= latest and _instant(text, zone) is not None:
        return Date(modified_at, text, Dated.FILE)
    return Date(arrived_at, _local(arrived_at, zone), Dated.ARRIVAL)


def _instant(text: str, zone: tzinfo | None) -> Instant | None:
    """The instant of a wall time that is believable, else None."""
    try:
        wall = datetime.fromisoformat(text)
        return Instant(wall.replace(tzinfo=zone).timestamp()) if wall >= EARLIEST else None
    except (OverflowError, ValueError, TypeError, OSError):
        return None


def _local(instant: Instant, zone: tzinfo | None) -> str:
    try:
        return datetime.fromtimestamp(instant, zone).replace(microsecond=0, tzinfo=None).isoformat()
    except (OverflowError, ValueError, OSError):
        return ""


def _in_name(name: str) -> str | None:
    own = _CONFLICT.sub("", name)
    for pattern in _IN_NAME:
        found = pattern.search(own)
        if found is None:
            continue
        part = {name: int(text or 0) for name, text in found.groupdict().items() if name != "half"}
        hour = part["hour"]
        if found["half"] and 1 <= hour <= 12:
            hour = hour % 12 + (12 if found["half"].lower() == "p" else 0)
        year = part["year"] + (2000 if part["year"] < 100 else 0)
        try:
            # A wall time as written in the name; its zone is unknown.
            moment = datetime(year, part["month"], part["day"], hour, part["minute"], part["second"])  # noqa: DTZ001
            return moment.isoformat()[: None if found["hour"] else len(DAY)]
        except ValueError:
            continue  # 30 February; not a date after all
    return None
