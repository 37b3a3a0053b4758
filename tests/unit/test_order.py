"""What takes long begins first, in as many processes as there are; no test is lost or run twice."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.conftest import takes_as_long_as
from tests.order import SECONDS, long_first

TESTS = [(f"test_{name}", n) for name in ("a", "all_pairs", "b", "daemon", "speakers", "z") for n in range(7)]


@pytest.mark.parametrize("processes", [1, 2, 3, 4, 5, 100])
def test_each_share_begins_with_what_takes_long_and_every_test_is_in_one_of_them(processes: int) -> None:
    ordered = long_first(TESTS, processes, lambda test: test[0])
    assert sorted(ordered) == sorted(TESTS)
    if processes in (2, 3):
        size = len(TESTS) // processes
        first = [ordered[n * size][0] for n in range(processes)]
        assert (
            first
            == sorted(("test_speakers", "test_daemon", "test_all_pairs"), key=lambda n: -SECONDS[n])[
                :processes
            ]
        )
        assert [n for name, n in ordered if name == "test_daemon"] == list(range(7))


@pytest.mark.parametrize(("skipped", "as_long_as"), [(True, ""), (False, "test_daemon")])
def test_what_is_skipped_takes_no_share_of_the_time(skipped: bool, as_long_as: str) -> None:
    marks = [pytest.mark.skipif(skipped, reason="because").mark]
    item = SimpleNamespace(path=Path("tests/test_daemon.py"), iter_markers=lambda name: marks)
    assert takes_as_long_as(cast(Any, item)) == as_long_as


def test_the_files_that_take_long_are_files_of_tests() -> None:
    there = {file.stem for file in Path(__file__).parents[1].rglob("test_*.py")}
    assert set(SECONDS) <= there
