"""A stretch of each day as people write it: `22:00-06:00`, by this machine's own clock."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from earmark.domain import Instant

_PATTERN = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)\s*(?:-|–)\s*([01]?\d|2[0-4]):([0-5]\d)")

DAY = 24 * 60
"""Minutes."""


@dataclass(frozen=True, slots=True)
class Between:
    """From one minute of the day up to another one, past midnight where that comes first; without both, the whole day."""

    start: int | None = None
    end: int | None = None

    def holds(self, minute: int) -> bool:
        """True if this minute of the day (0 to 1439) is within."""
        if self.start is None or self.end is None:
            return True
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end

    def now(self, instant: Instant) -> bool:
        """True if the clock on this machine's wall is within at that instant, whatever was done to it for the summer."""
        wall = datetime.fromtimestamp(instant).astimezone()
        return self.holds(wall.hour * 60 + wall.minute)

    @property
    def always(self) -> bool:
        return self.start is None

    def __str__(self) -> str:
        if self.start is None or self.end is None:
            return ""
        return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in (self.start, self.end))


def parse_between(text: object) -> Between:
    """`22:00-06:00`, or "" for the whole day; raises ValueError with what would be right."""
    if isinstance(text, Between):
        return text
    if isinstance(text, str) and not text.strip():
        return Between()
    match = _PATTERN.fullmatch(text.strip()) if isinstance(text, str) else None
    hours = [int(number) for number in match.groups()] if match is not None else [0] * 4
    start, end = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
    if start == end or start >= DAY or end > DAY:
        raise ValueError(f'{text!r} is no stretch of a day; write "22:00-06:00", or "" for any time')
    return Between(start, end)


def _validate(value: Any) -> Between:
    return parse_between(value)


BetweenField = Annotated[Between, BeforeValidator(_validate), PlainSerializer(str, return_type=str)]
"""A pydantic field that reads the notation and writes it back."""
