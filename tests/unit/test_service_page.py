"""docs/service.md names only tests that exist, and each test of the journey under a real systemd."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "service.md"


def test_each_sentence_of_the_page_names_a_test_that_exists_and_each_test_of_the_journey_is_named() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text()))
    there = {
        name: file.stem
        for file in TESTS.rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)
    }
    assert named - set(there) == set()
    assert {name for name, file in there.items() if file == "test_under_systemd"} <= named
