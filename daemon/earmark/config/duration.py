"""Spans of time as people write them: `36h`, `30d`, `2y5m7d` (restic's notation, where m is a month)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from dateutil.relativedelta import relativedelta
from pydantic import BeforeValidator, PlainSerializer

from earmark.domain import Instant

_PATTERN = re.compile(r"(?:(\d{1,4})y)?(?:(\d{1,5})m)?(?:(\d{1,5})w)?(?:(\d{1,6})d)?(?:(\d{1,7})h)?")

EVER_BEFORE, EVER_AFTER = (Instant(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (2, 9998))
"""The ends of Python's calendar, a year within, so that any time zone can show them."""


@dataclass(frozen=True, slots=True)
class Duration:
    """A calendar span. Months and years are the calendar's: one month before March 31 is the last of February."""

    years: int = 0
    months: int = 0
    days: int = 0
    hours: int = 0

    def before(self, instant: Instant) -> Instant:
        """The instant this long before `instant`; `EVER_BEFORE` where the calendar ends before that."""
        try:
            return Instant((_utc(instant) - self._delta()).timestamp())
        except (OverflowError, ValueError, OSError):
            return EVER_BEFORE

    def after(self, instant: Instant) -> Instant:
        """The instant this long after `instant`; `EVER_AFTER` where the calendar ends before that."""
        try:
            return Instant((_utc(instant) + self._delta()).timestamp())
        except (OverflowError, ValueError, OSError):
            return EVER_AFTER

    def _delta(self) -> relativedelta:
        return relativedelta(years=self.years, months=self.months, days=self.days, hours=self.hours)

    def __str__(self) -> str:
        parts = ((self.years, "y"), (self.months, "m"), (self.days, "d"), (self.hours, "h"))
        return "".join(f"{n}{unit}" for n, unit in parts if n) or "0h"


def parse_duration(text: object) -> Duration:
    """`2y5m7d` and the like; raises ValueError with what would be right."""
    if isinstance(text, Duration):
        return text
    match = _PATTERN.fullmatch(text.strip()) if isinstance(text, str) and text.strip() else None
    if match is None:
        raise ValueError(
            f"{text!r} is not a length of time; write 36h, 30d, 6m or 2y5m7d (y, m = months, w, d, h)"
        )
    years, months, weeks, days, hours = (int(g) if g else 0 for g in match.groups())
    return Duration(years, months, weeks * 7 + days, hours)


def _utc(instant: Instant) -> datetime:
    return datetime.fromtimestamp(instant, UTC)


def _validate(value: Any) -> Duration:
    return parse_duration(value)


DurationField = Annotated[Duration, BeforeValidator(_validate), PlainSerializer(str, return_type=str)]
"""A pydantic field that reads the notation and writes it back."""
