"""Notes that took each other's names: what stands in one is read for no other recording."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from earmark.cli.main import app
from typer.testing import CliRunner

from tests.daemon_rig import Rig, run_child

FORMATS: dict[str, Any] = {"formats": ["srt", "vtt", "txt", "json"]}
BOAT, HORSE = "boat.transcript.md", "horse.transcript.md"


@pytest.fixture(params=["obsidian", "logseq", "one-file"])
def rig(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    style = {"layout": "one-file"} if request.param == "one-file" else {"dialect": request.param}
    made = Rig(tmp_path, {"notes": FORMATS | style, "summary": {"endpoint": "none"}})
    monkeypatch.setenv("EARMARK_HOME", str(made.home))
    made.installed.config_file.parent.mkdir(parents=True)
    lines = "".join(f"{key} = {value!r}\n" for key, value in style.items())
    made.installed.config_file.write_text(f"[summary]\nendpoint = 'none'\n[notes]\n{lines}")
    for name in ("boat", "horse"):
        made.drop(f"{name}.m4a", name)
    assert run_child(made) == 0
    return made


def note_of(rig: Rig, name: str) -> Path:
    return rig.folder / (f"{name}.md" if rig.sections["notes"].get("layout") else f"{name}.transcript.md")


def said(rig: Rig, *arguments: str) -> str:
    told = CliRunner().invoke(app, [*arguments], env={"COLUMNS": "300"})
    return " ".join(told.output.split())


def found(rig: Rig, word: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(CliRunner().invoke(app, ["search", word, "--json"]).stdout)
    return answer


def heard(rig: Rig) -> dict[str, str]:
    """What the exports say."""
    return {name: (rig.folder / f"{name}.txt").read_text() for name in ("boat", "horse")}


def swapped(rig: Rig) -> None:
    boat, horse = note_of(rig, "boat"), note_of(rig, "horse")
    words = boat.read_bytes(), horse.read_bytes()
    boat.rename(rig.root / "aside")
    horse.rename(boat)
    (rig.root / "aside").rename(horse)
    assert (boat.read_bytes(), horse.read_bytes()) == words[::-1]


@pytest.mark.shows("transcription:swapped")
def test_of_notes_whose_names_were_swapped_neither_is_read_for_the_other(rig: Rig) -> None:
    before, notes = heard(rig), rig.notes()
    swapped(rig)
    for edited in (False, True):
        if edited:
            mine = note_of(rig, "boat")
            mine.write_text(mine.read_text().replace("says number 1", "says wombat"))
        for _ in range(2):  # before a run, and after
            answer = found(rig, "number")
            assert {Path(r["path"]).stem for r in answer["results"]} == {"boat", "horse"}
            for result in answer["results"]:
                assert result["snippet"].split()[1] in before[Path(result["path"]).stem]
            assert found(rig, "wombat")["results"] == []
            assert run_child(rig) == 0
            assert heard(rig) == before
    told = found(rig, "wombat")["not_read"]
    assert len(told) == 2, told
    assert all("is the note of another recording" in sentence for sentence in told)
    for note in ("boat", "horse"):
        assert "earmark knows it as a note of" in said(rig, "why", str(note_of(rig, note)))
        assert note_of(rig, note).name in said(rig, "status")
    # Put back, what a person wrote there is theirs.
    swapped(rig)
    assert run_child(rig) == 0
    assert "says wombat" in heard(rig)["horse"]
    assert heard(rig)["boat"] == before["boat"]
    assert rig.notes().keys() - notes.keys() <= {"horse (new).md"}


@pytest.mark.shows("transcription:swapped", "privacy:forget")
@pytest.mark.parametrize("plain", [False, True])
def test_a_note_that_was_copied_over_another_keeps_no_word_alive_that_is_forgotten(
    rig: Rig, plain: bool
) -> None:
    boat, horse = note_of(rig, "boat"), note_of(rig, "horse")
    mine = heard(rig)["horse"]
    words = boat.read_text()
    theirs = mine.split()[1]
    digest = words.split("Recording ")[1].split()[0]
    horse.write_text("\n".join(line for line in words.splitlines() if not plain or "earmark_id" not in line))
    assert [Path(r["path"]).stem for r in found(rig, digest)["results"]] == ["boat"]
    if plain:  # it does not say whose it is: known by its words, while these are
        assert run_child(rig) == 0
        assert heard(rig)["horse"] == mine
        assert [Path(r["path"]).stem for r in found(rig, digest)["results"]] == ["boat"]
        return
    assert CliRunner().invoke(app, ["forget", str(rig.folder / "boat.m4a"), "--yes"]).exit_code in (0, 65)
    for _ in range(2):
        assert found(rig, digest)["results"] == []
        assert {Path(r["path"]).stem for r in found(rig, theirs)["results"]} == {"horse"}
        said_so = f"{digest} says".encode()
        assert not [f for f in (rig.home / "state").rglob("*") if f.is_file() and said_so in f.read_bytes()]
        assert run_child(rig) == 0
    assert (rig.folder / "horse.txt").read_text() == mine


@pytest.mark.shows("search:moved-read", "transcription:corrected-moved")
def test_a_note_of_each_kind_is_read_where_its_owner_moved_it(rig: Rig) -> None:
    mine = rig.folder / "sub" / "My own name.md"
    mine.parent.mkdir()
    note_of(rig, "boat").rename(mine)
    for word, former in (("wombat", "number 1"), ("numbat", "number 2")):
        mine.write_text(mine.read_text().replace(f"says {former}", f"says {word}"))
        assert run_child(rig) == 0
        answer = found(rig, word)
        assert [(Path(r["path"]).stem, r["note"]) for r in answer["results"]] == [("boat", str(mine))]
        assert (answer["away"], answer["not_read"]) == ([], [])
        assert f"says {word}" in heard(rig)["boat"]
    assert "words or names that you change in it are read" in said(rig, "why", str(mine))


@pytest.mark.shows("search:unseen")
def test_what_search_does_not_read_it_says_after_any_number_of_runs(rig: Rig) -> None:
    note = note_of(rig, "boat")
    elsewhere = rig.root / "elsewhere.md"
    note.rename(elsewhere)
    elsewhere.write_text(elsewhere.read_text().replace("says number 1", "says wombat"))
    note.symlink_to(elsewhere)
    for _ in range(3):
        answer = found(rig, "wombat")
        assert answer["results"] == []
        assert [said for said in answer["not_read"] if "it is a symlink" in said], answer
        assert run_child(rig) == 0
        age(rig)


def age(rig: Rig) -> None:
    """As if the last run had begun long after all that was changed."""
    file = rig.installed.status_file
    report = json.loads(file.read_text())
    report["started_at"] += 100
    file.write_text(json.dumps(report))
