"""docs/retention.md names a test behind what it promises; a renamed test must not leave an empty promise."""

from __future__ import annotations

import re
from pathlib import Path

from earmark.config.schema import Retention, RetentionRule

TESTS = Path(__file__).resolve().parents[1]
TEXT = (TESTS.parent / "docs" / "retention.md").read_text("utf-8")


def test_every_test_that_the_document_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", TEXT))
    files = re.findall(r"`(tests/[\w/]+\.py)`", TEXT)
    written = set(
        re.findall(
            r"^def (test_\w+)", "\n".join(p.read_text("utf-8") for p in TESTS.rglob("test_*.py")), re.M
        )
    )
    assert len(named) > 10
    assert named <= written
    assert all((TESTS.parent / file).exists() for file in files)


def test_every_class_and_rule_of_the_schema_is_in_the_document() -> None:
    for name in (*Retention.model_fields, *RetentionRule.model_fields):
        assert re.search(rf"\b{name}\b", TEXT), f"docs/retention.md says nothing of `{name}`"
