"""The nights on which local time jumps: no sweep is missed or done twice in a row, in any zone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from earmark.config import parse_config
from earmark.context import Clock, Context
from earmark.domain import Instant
from earmark.ledger import Ledger, Swept
from earmark.paths import Home
from earmark.retention import next_sweep

HOUR = 3600.0
NIGHTS = {
    "Europe/Berlin": (datetime(2027, 3, 28, tzinfo=UTC), datetime(2027, 10, 31, tzinfo=UTC)),
    "America/New_York": (datetime(2027, 3, 14, tzinfo=UTC), datetime(2027, 11, 7, tzinfo=UTC)),
    "Australia/Lord_Howe": (datetime(2027, 4, 3, tzinfo=UTC), datetime(2027, 10, 2, tzinfo=UTC)),
}


@pytest.fixture(params=sorted(NIGHTS))
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.shows("durability:change-from-summer-time")
@pytest.mark.parametrize("sweep_at", ["00:00", "01:30", "02:00", "02:30", "03:00", "03:30", "23:59"])
def test_a_change_of_local_time_neither_skips_nor_repeats_a_sweep(
    tmp_path: Path, zone: str, sweep_at: str
) -> None:
    config = parse_config({"retention": {"sweep_at": sweep_at}}, "test")
    home = Home(tmp_path, tmp_path, tmp_path)
    with Ledger(home.ledger_file) as ledger:
        for night in NIGHTS[zone]:
            now = Instant(night.timestamp() - 40 * HOUR)
            swept: list[float] = []
            while now < night.timestamp() + 60 * HOUR:
                row = ledger.trash.begin_sweep(now)
                ledger.trash.end_sweep(row, now, Swept.NOTHING, "", (0, 0, 0, 0))
                swept.append(now)
                clock = Clock(wall=lambda now=now: now)  # type: ignore[misc]
                following = next_sweep(Context(ledger, home, config, (), clock=clock))
                assert now < following <= now + 25.5 * HOUR
                now = following
            gaps = [b - a for a, b in pairwise(swept[1:])]
            assert all(gap >= 22.5 * HOUR for gap in gaps), (gaps, sweep_at)
            days = [time.localtime(instant).tm_yday for instant in swept[1:]]
            assert days == list(range(days[0], days[0] + len(days))), "one sweep for each local day"
            ledger.db.execute("DELETE FROM sweeps")
