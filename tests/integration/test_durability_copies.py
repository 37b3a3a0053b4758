"""A file with the content of another one is said to be a copy, and of which.

The real supervisor on a real folder; only the workers are stand-ins (tests/standin_worker.py says why).
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from earmark.cli.main import app
from earmark.cli.terminal import sentence
from earmark.events import Event
from typer.testing import CliRunner

from tests.daemon_rig import Rig, run_child


def said(rig: Rig, *words: str | Path) -> str:
    done = CliRunner().invoke(app, [*map(str, words)], env={"EARMARK_HOME": str(rig.home), "COLUMNS": "400"})
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.shows("durability:copy-of-which")
def test_a_copy_is_said_to_be_one_and_of_which_recording_by_all_that_speak_of_it(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    first = rig.drop("Monday/talk.m4a", "hello")
    rig.drop("other.m4a", "something else")
    assert run_child(rig) == 0
    again = rig.drop("the same.m4a", "hello")
    assert run_child(rig) == 0
    assert rig.events("same-content") == [
        f"The same content is here as {first}; it is not transcribed a second time."
    ]

    def of(name: Path) -> tuple[str | None, list[str]]:
        found = json.loads(said(rig, "why", name, "--json"))
        rows = json.loads(said(rig, "list", "--json"))["recordings"]
        assert found["copy_of"] == next(row["copy_of"] for row in rows if row["path"] == str(name))
        return found["copy_of"], found["also_at"]

    assert of(again) == (str(first), [str(first)])
    assert of(first) == (None, [str(again)])
    assert of(rig.folder / "other.m4a") == (None, [])
    assert f"the same content as {first}, heard once" in said(rig, "why", again)
    assert f"The same recording is also here: {again}" in said(rig, "why", first)
    assert said(rig, "list").count("copy of") == 1
    status = json.loads(said(rig, "status", "--json"))
    assert [(line["path"], line["reason"]) for line in status["copies"]] == [
        (str(again), "the same content as Monday/talk.m4a, heard once")
    ]
    assert "the same content as Monday/talk.m4a, heard once\n      the same.m4a" in said(rig, "status")
    # Once only one is there, nothing is a copy.
    first.unlink()
    assert run_child(rig) == 0
    assert of(again)[0] is None
    assert "Copies" not in said(rig, "status")


@pytest.mark.shows("durability:copy-of-which")
def test_the_terminal_names_it_on_one_line_whatever_it_is_called() -> None:
    line = sentence(
        None, "info", {"event": Event.SAME_CONTENT, "file": "/r/b.m4a", "of": "/r/a [bold]\nx.m4a"}
    )
    assert line is not None
    assert "\n" not in line
    assert "same content as /r/a \\[bold]\\nx.m4a; not transcribed twice" in line
