"""Seconds of a voice without words are told wherever somebody looks for what is wrong, not in the notes only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from earmark.cli import main
from earmark.domain import Mark, Segment
from typer.testing import CliRunner

from tests.retention_world import World

pytest_plugins = ("tests.retention_root",)

SAID = (Segment(0.0, 6.0, "The walrus sleeps.", 0.9), Segment(20.0, 30.0, "It sleeps again.", 0.9))
SILENT = Segment(7.0, 12.4, "", 0.0, Mark.WORDLESS), Segment(13.0, 18.0, "", 0.0, Mark.WORDLESS)


def told(*words: str) -> str:
    result = CliRunner().invoke(main.app, [*words], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return " ".join(result.stdout.split())


def answer(*words: str) -> Any:
    return json.loads(CliRunner().invoke(main.app, [*words, "--json"]).stdout)


@pytest.mark.shows("transcription:wordless-told")
def test_where_no_words_were_made_out_list_why_and_status_say_it_and_for_how_long(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EARMARK_HOME", str(root))
    world = World(root, {})
    world.record("good.wav", segments=SAID, duration=30.0)
    assert (answer("status")["wordless"], answer("status")["wordless_seconds"]) == (0, 0.0)
    assert "no words were made out" not in told("status") + told("list") + told("why", "good.wav")
    world.record("one.wav", segments=(*SAID, *SILENT), duration=30.0)
    assert "In 1 recording somebody speaks for 10 seconds, and no words were made out there" in told("status")
    world.record("two.wav", segments=(*SAID, SILENT[1]), duration=30.0, truncated=True)
    assert "In 2 recordings somebody speaks for 15 seconds in all, and no words" in told("status")
    status = answer("status")
    assert (status["wordless"], status["wordless_seconds"], status["not_whole"]) == (2, 15.4, 2)
    rows = {Path(row["path"]).name: row for row in answer("list")["recordings"]}
    assert {name: row["wordless_seconds"] for name, row in rows.items()} == {
        "good.wav": 0.0, "one.wav": 10.4, "two.wav": 5.0,
    }  # fmt: skip
    assert {name for name, row in rows.items() if not row["whole"]} == {"one.wav", "two.wav"}
    listed = told("list")
    assert "1 file, somebody speaks for 10 seconds of it, and no words were made out there" in listed
    assert "1 file, not all of it heard" in listed
    assert "speaks for 10 seconds" in told("why", "one.wav")
    assert answer("why", "one.wav")["wordless_seconds"] == 10.4
    assert {Path(r["path"]).name for r in answer("list", "--state", "damaged")["recordings"]} == {
        "one.wav",
        "two.wav",
    }
