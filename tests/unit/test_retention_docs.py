"""docs/retention.md says something of every rule that the schema knows."""

from __future__ import annotations

import re
from pathlib import Path

from earmark.config.retention import Retention, RetentionRule

TESTS = Path(__file__).resolve().parents[1]
TEXT = (TESTS.parent / "docs" / "retention.md").read_text("utf-8")


def test_every_class_and_rule_of_the_schema_is_in_the_document() -> None:
    for name in (*Retention.model_fields, *RetentionRule.model_fields):
        assert re.search(rf"\b{name}\b", TEXT), f"docs/retention.md says nothing of `{name}`"
