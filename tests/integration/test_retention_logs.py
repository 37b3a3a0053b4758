"""The log file that launchd keeps in the state folder: its own retention, in place, while somebody appends to it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from earmark.config import Config, parse_config
from earmark.context import Clock, Context
from earmark.domain import Instant
from earmark.ledger import Ledger
from earmark.paths import Home
from earmark.retention.logs import log_files, trim
from earmark.retention.sweep.housekeeping import tidy
from hypothesis import given, settings
from hypothesis import strategies as st

NOW = Instant(1_790_000_000.0)
DAY = 86_400.0


def tidied(state: Path, config: Config) -> None:
    with Ledger(state / "ledger.db") as ledger:
        tidy(Context(ledger, Home(state, state, state), config, (), clock=Clock(wall=lambda: NOW)))


def line(at: float, event: str = "written") -> bytes:
    stamp = datetime.fromtimestamp(at, UTC).isoformat()
    return json.dumps({"event": event, "timestamp": stamp}).encode() + b"\n"


def test_old_lines_go_with_their_tracebacks_and_whoever_appends_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "earmark.log"
    appending = log.open("ab")
    appending.write(line(NOW - 40 * DAY) + b"Traceback of old\n" + line(NOW - DAY) + b"Traceback of new\n")
    appending.flush()
    config = parse_config({"retention": {"logs": {"keep_for": "30d"}}}, "test")
    tidied(tmp_path, config)
    appending.write(line(NOW, "later"))
    appending.close()
    text = log.read_text()
    assert "of old" not in text
    assert "of new" in text
    assert text.endswith('"timestamp": "2026-09-21T14:13:20+00:00"}\n')
    assert len(text.splitlines()) == 3


def test_without_a_rule_a_log_is_kept_whole(tmp_path: Path) -> None:
    log = tmp_path / "earmark.log"
    log.write_bytes(line(0.0))
    tidied(tmp_path, parse_config({}, "test"))
    assert log.read_bytes() == line(0.0)


def test_only_logs_in_the_state_folder_itself_are_taken_for_logs(tmp_path: Path) -> None:
    (tmp_path / "earmark.log").touch()
    (tmp_path / "ledger.db").touch()
    outside = tmp_path.parent / "elsewhere.log"
    outside.touch()
    (tmp_path / "link.log").symlink_to(outside)
    assert log_files(tmp_path) == [tmp_path / "earmark.log"]


@settings(max_examples=60)
@given(st.lists(st.integers(-100, 100), max_size=30), st.integers(-100, 100))
def test_no_line_that_is_new_enough_ever_goes(tmp_path_factory: object, days: list[int], limit: int) -> None:
    log = tmp_path_factory.mktemp("log") / "earmark.log"  # type: ignore[attr-defined]
    log.write_bytes(b"".join(line(NOW + day * DAY, str(number)) for number, day in enumerate(days)))
    trim(log, Instant(NOW + limit * DAY))
    left = [int(json.loads(text)["event"]) for text in log.read_text().splitlines()]
    assert left == [number for number, day in enumerate(days) if day >= limit]
