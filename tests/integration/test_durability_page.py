"""docs/durability.md names only tests that exist, and all there are."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "durability.md"


def test_each_sentence_names_a_test_that_exists_and_each_test_is_named() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text()))
    there = {
        name
        for file in (*HERE.glob("test_durability_*.py"), HERE / "test_worker_starts_anywhere.py")
        if file.name not in (Path(__file__).name, "test_durability_state_machine.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(), re.M)
    }
    assert named == there
