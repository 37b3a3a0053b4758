"""Notes that their owner moved, renamed or removed: what is corrected in them is found, or it is said that it is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from earmark.assistants.tools import Tools
from earmark.cli.console import here
from earmark.cli.main import app
from earmark.verbs.meaning import MeaningWorker
from typer.testing import CliRunner

from tests.daemon_rig import Rig, run_child
from tests.integration.test_corrected_words import NOTE, talk

SAID = "The note with the transcript of talk.m4a is not where earmark wrote it: what you correct there is not found."


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    made = talk(tmp_path, summary={"endpoint": "none"})
    monkeypatch.setenv("EARMARK_HOME", str(made.home))
    return made


def found(verb: str) -> dict[str, Any]:
    said = CliRunner().invoke(app, [verb, "numbat", "--json"])
    assert said.exit_code == 0, said.output
    answer: dict[str, Any] = json.loads(said.stdout)
    return answer


def said(verb: str) -> str:
    told = CliRunner().invoke(app, [verb, "numbat"], env={"COLUMNS": "60"})
    assert told.exit_code == 0, told.output
    return " ".join(told.stderr.split())


def moved(note: Path, to: Path) -> None:
    to.parent.mkdir(exist_ok=True)
    note.rename(to)
    to.write_text(to.read_text().replace("says number 0", "says numbat"))


@pytest.mark.shows("search:away")
def test_of_notes_that_are_not_where_they_were_it_is_said_that_corrections_in_them_are_not_found(
    rig: Rig,
) -> None:
    assert found("search")["away"] == []
    moved(rig.folder / NOTE, rig.root / "vault" / "My talk.md")
    home, config = here()
    tools = Tools(home, config, "nobody", MeaningWorker(home, config))
    for _ in range(2):  # before a run has seen it, and after
        for verb in ("search", "ask"):
            answer = found(verb)
            assert (answer["away"], answer["not_read"]) == ([str(rig.folder / "talk.m4a")], [])
            assert SAID in said(verb)
        told = tools.call("search", {"query": "numbat"})
        assert told["recordings_whose_notes_are_not_where_they_were"] == 1
        assert run_child(rig) == 0
    went = CliRunner().invoke(app, ["forget", str(rig.folder / "talk.m4a"), "--yes"])
    assert went.exit_code == 0, went.output
    assert found("search")["away"] == []


@pytest.mark.shows("search:moved-read", "transcription:corrected-moved", "transcription:moved-link")
@pytest.mark.parametrize("to", ["My talk.md", "vault/My talk.md"])
@pytest.mark.parametrize("known", [False, True])
def test_a_note_that_was_moved_within_the_drop_folder_is_read_where_a_run_saw_it(
    rig: Rig, to: str, known: bool
) -> None:
    mine = rig.folder / to
    if known:
        mine.parent.mkdir(exist_ok=True)
        (rig.folder / NOTE).rename(mine)
        assert run_child(rig) == 0
        assert found("search")["away"] == []
        mine.write_text(mine.read_text().replace("says number 0", "says numbat"))
    else:
        moved(rig.folder / NOTE, mine)
        assert found("search")["away"] == [str(rig.folder / "talk.m4a")]
        assert run_child(rig) == 0
    files = {path.name for path in rig.folder.rglob("*.md")}
    for word, former in (("numbat", ""), ("wombat", "number 1"), ("bilby", "number 2")):
        if former:
            mine.write_text(mine.read_text().replace(f"says {former}", f"says {word}"))
        for _ in range(2):  # by the verb, and after a run
            answer = json.loads(CliRunner().invoke(app, ["search", word, "--json"]).stdout)
            assert f"says {word} here" in answer["results"][0]["snippet"]
            assert (answer["away"], answer["not_read"]) == ([], [])
            text = mine.read_bytes()
            assert run_child(rig) == 0
            assert mine.read_bytes() == text  # it is the person's own
            assert {path.name for path in rig.folder.rglob("*.md")} == files  # and the only one
    assert "says bilby here" in (rig.folder / "talk.txt").read_text()
    summary = (rig.folder / "talk.md").read_text()
    assert "says bilby here" in summary
    assert 'transcript: "[[My talk]]"\n' in summary  # as Obsidian finds it, in whatever folder
    assert "[[My talk|transcript]]" in summary
    why = " ".join(CliRunner().invoke(app, ["why", str(mine)]).stdout.split())
    assert "words or names that you change in it are read" in why
    # A copy is none, while the note is there; of two nobody knows which it is.
    (rig.folder / "second.md").write_text(mine.read_text().replace("says bilby", "says quoll"))
    assert run_child(rig) == 0
    answer = json.loads(CliRunner().invoke(app, ["search", "quoll", "--json"]).stdout)
    assert (answer["results"], answer["away"]) == ([], [str(rig.folder / "talk.m4a")])


@pytest.mark.shows("transcription:moved-link")
def test_the_link_of_a_summary_leads_to_a_transcript_that_was_moved(tmp_path: Path) -> None:
    rig = talk(tmp_path, summary={"endpoint": "none"}, notes={"dialect": "plain"})
    mine = rig.folder / "my vault" / "The talk.md"
    moved(rig.folder / NOTE, mine)
    assert run_child(rig) == 0
    assert "[transcript](my%20vault/The%20talk.md)" in (rig.folder / "talk.md").read_text()
    mine.rename(rig.folder / NOTE)
    (rig.folder / NOTE).write_text((rig.folder / NOTE).read_text().replace("says number 1", "says wombat"))
    assert run_child(rig) == 0
    assert "[transcript](talk.transcript.md)" in (rig.folder / "talk.md").read_text()
