"""Each test of the journey under a real systemd shows a sentence of docs/service.md."""

from __future__ import annotations

import re

from tests.shown import TESTS, markers


def test_each_test_of_the_journey_shows_a_sentence_of_the_page() -> None:
    shown = {name for key, names in markers().items() if key.startswith("service:") for name in names}
    journey = (TESTS / "acceptance" / "test_under_systemd.py").read_text("utf-8")
    assert sorted(set(re.findall(r"^def (test_\w+)", journey, re.MULTILINE)) - shown) == []
