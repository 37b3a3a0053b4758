"""The outline of the verbs, from which a wheel's man page and completions are made."""

from __future__ import annotations

from pathlib import Path

import pytest
from earmark.cli.manual.outline import as_text, from_text
from earmark.cli.manual.parser import outline

STORED = Path(__file__).parents[2] / "packaging" / "commands.json"


@pytest.mark.shows("decisions:outline")
def test_the_stored_outline_is_what_the_parser_takes() -> None:
    assert STORED.read_text("utf-8") == as_text(outline()), (
        "run: python -m earmark.cli.manual > /tmp/commands.json && mv /tmp/commands.json packaging/"
    )
    assert from_text(as_text(outline())) == outline()
