"""When a recording was made: from the container, else the name, else the file."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone

import pytest
from earmark.notes.dates import recorded_at

NOON = 1_772_712_000.0
"""2026-03-05 12:00:00 UTC."""


def test_what_the_container_says_comes_first() -> None:
    assert recorded_at("2026-01-02T03:04:05", "2025-01-01.m4a", NOON, UTC) == "2026-01-02T03:04:05"


@pytest.mark.parametrize(
    ("name", "wall_time"),
    [
        ("2026-05-04 10.30.15.m4a", "2026-05-04T10:30:15"),
        ("20260504_103015.wav", "2026-05-04T10:30:15"),
        ("Recording 2026-05-04 at 10.30.m4a", "2026-05-04T10:30:00"),
        ("standup 2026-05-04.m4a", "2026-05-04T00:00:00"),
    ],
)
def test_a_date_in_the_name_counts_next(name: str, wall_time: str) -> None:
    assert recorded_at(None, name, NOON, UTC) == wall_time


@pytest.mark.parametrize("name", ["standup.m4a", "2026-02-30.m4a", "call 120260504123.m4a", "1999-01-01.m4a"])
def test_else_the_files_own_time_in_the_local_zone(name: str) -> None:
    assert recorded_at(None, name, NOON, UTC) == "2026-03-05T12:00:00"
    assert recorded_at(None, name, NOON, timezone(timedelta(hours=9))) == "2026-03-05T21:00:00"


def test_a_time_that_no_calendar_holds_is_left_out() -> None:
    assert recorded_at(None, "standup.m4a", 1e30, UTC) == ""
