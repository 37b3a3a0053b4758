"""Notes that took each other's names: what stands in one is read for no other recording."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from earmark.cli.main import app
from earmark.context import Context
from earmark.files import opened
from earmark.ledger import Ledger
from earmark.pipeline import changed_places
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


@pytest.mark.shows("transcription:took-names")
def test_of_notes_whose_names_were_swapped_each_is_read_for_its_own_recording(rig: Rig) -> None:
    before, notes = heard(rig), rig.notes().keys()
    swapped(rig)
    for _ in range(2):  # before a run, and after
        answer = found(rig, "number")
        assert {Path(r["path"]).stem for r in answer["results"]} == {"boat", "horse"}
        for result in answer["results"]:
            assert result["snippet"].split()[1] in before[Path(result["path"]).stem]
        assert run_child(rig) == 0
        assert (heard(rig), rig.notes().keys()) == (before, notes)
        assert [*rig.query("SELECT path FROM artifacts WHERE state != 'here'")] == []
    mine = note_of(rig, "boat")
    mine.write_text(mine.read_text().replace("says number 1", "says wombat"))
    for _ in range(2):  # as the search reads it, and after a run
        answer = found(rig, "wombat")
        assert [Path(r["path"]).stem for r in answer["results"]] == ["horse"]
        assert answer["not_read"] == []
        assert run_child(rig) == 0
        assert heard(rig)["boat"] == before["boat"]
        assert heard(rig)["horse"] == before["horse"].replace("says number 1", "says wombat")
    # Put back, it is still what a person made of it.
    swapped(rig)
    assert run_child(rig) == 0
    assert heard(rig)["boat"] == before["boat"]
    assert "says wombat" in heard(rig)["horse"]
    assert rig.notes().keys() - notes <= {"horse (new).md"}
    assert CliRunner().invoke(app, ["forget", str(rig.folder / "boat.m4a"), "--yes"]).exit_code == 0
    assert {path.name.partition(".")[0] for path in rig.folder.iterdir()} <= {"horse", "horse (new)"}
    assert "says wombat" in note_of(rig, "horse").read_text()


@pytest.mark.shows("transcription:took-names")
def test_a_summary_that_was_swapped_with_another_is_known_for_its_own_recording(rig: Rig) -> None:
    notes = rig.notes()
    exchanged([rig.folder / "boat.md"], [rig.folder / "horse.md"])
    of = "SELECT r.path, a.path FROM artifacts a JOIN places r USING (recording_id) WHERE a.path LIKE '%.md'"
    whose = dict(rig.query(of))
    assert run_child(rig) == 0
    assert "it is a note of" in said(rig, "why", str(rig.folder / "boat.md"))
    assert CliRunner().invoke(app, ["retry", str(rig.folder / "boat.m4a")]).exit_code == 0
    assert run_child(rig) == 0
    # Unedited notes go back to their recordings when these are written anew.
    assert rig.notes().keys() == notes.keys()
    assert dict(rig.query(of)) == whose


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
    forgotten = CliRunner().invoke(app, ["forget", str(rig.folder / "boat.m4a"), "--yes"])
    assert forgotten.exit_code in (0, 65)
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


@pytest.mark.shows("privacy:forget", "durability:took-names")
@pytest.mark.parametrize("names", ["ab", "abc", "cba", "dabc"])
@pytest.mark.parametrize("kind", ["folder", "file"])
@pytest.mark.parametrize("edited", [False, True])
def test_notes_stay_with_recordings_that_took_each_others_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: str, kind: str, edited: bool
) -> None:
    rig = Rig(tmp_path, {"notes": FORMATS, "summary": {"endpoint": "none"}})
    monkeypatch.setenv("EARMARK_HOME", str(rig.home))
    stems = [f"{name}/talk" if kind == "folder" else name for name in names]
    for stem in stems:
        (rig.folder / stem).parent.mkdir(exist_ok=True)
        rig.drop(f"{stem}.m4a", stem)
    assert run_child(rig) == 0
    if edited:
        mine = rig.folder / f"{stems[0]}.md"
        mine.write_text(f"{mine.read_text()}\nMy own line.\n")
    (rig.folder / f"{stems[1]}.srt").unlink()  # its owner has removed one
    assert run_child(rig) == 0
    were = [contents(rig, stem) for stem in stems]
    in_a_ring(rig, [stem.partition("/")[0] for stem in stems])
    for _ in range(2):
        assert run_child(rig) == 0
        for stem, was in zip(stems, [*were[1:], were[0]], strict=True):
            there = contents(rig, stem)
            assert there.keys() == was.keys()
            renamed = {".md", ".transcript.md"} if kind == "file" else set()  # which say what it is called
            assert [name for name in there.keys() - renamed if there[name] != was[name]] == []
            heard = was[".txt"].split()[:3]
            assert b" ".join(heard) in there[".transcript.md"]
            assert (b"My own line." in there[".md"]) is (edited and was is were[0])
        states = rig.query("SELECT path, state FROM artifacts WHERE state != 'here'")
        away, theirs = f"{rig.folder / stems[0]}.srt", f"{rig.folder / stems[-1]}.md"
        assert {os.fsdecode(path): state for path, state in states} == (
            {away: "gone"} | ({theirs: "edited"} if edited else {})
        )
    # What is corrected in one of them is its own recording's.
    note = rig.folder / f"{stems[-1]}.transcript.md"
    note.write_text(note.read_text().replace("says number 1", "says wombat"))
    assert run_child(rig) == 0
    assert ["says wombat" in (rig.folder / f"{stem}.txt").read_text() for stem in stems] == [
        stem is stems[-1] for stem in stems
    ]
    told = CliRunner().invoke(app, ["forget", f"{rig.folder / stems[0]}.m4a", "--yes"])
    assert told.exit_code == 0, told.output
    assert contents(rig, stems[0]) == {}
    assert contents(rig, stems[-1])[".m4a"] == were[0][".m4a"]
    assert "says wombat" in note.read_text()


@pytest.mark.shows("durability:took-names")
@pytest.mark.parametrize("aside", ["folder", "file"])
def test_notes_that_went_elsewhere_than_their_recordings_come_after_them(tmp_path: Path, aside: str) -> None:
    rig = Rig(tmp_path, {"notes": FORMATS, "summary": {"endpoint": "none"}})
    stems = ["p/talk", "q/talk", "s/talk"] if aside == "folder" else ["p", "q", "s"]
    for stem in stems:
        (rig.folder / stem).parent.mkdir(exist_ok=True)
        rig.drop(f"{stem}.m4a", stem)
    assert run_child(rig) == 0
    words = [contents(rig, stem)[".txt"] for stem in stems]
    p, q, s = ([rig.folder / f"{stem}{ending}" for ending in contents(rig, stem)] for stem in stems)
    exchanged([path for path in p if path.suffix == ".m4a"], [path for path in q if path.suffix == ".m4a"])
    exchanged(p, s)
    # Now `p` has all of `s`, `q` the recording of `p` beside its own notes, and `s` that of `q` beside those of `p`.
    for _ in range(2):
        assert run_child(rig) == 0
        assert [contents(rig, stem)[".txt"] for stem in stems] == [words[2], words[0], words[1]]
        assert len([path for path in rig.folder.rglob("*") if path.is_file()]) == 3 * len(p)
        assert {state for (state,) in rig.query("SELECT DISTINCT state FROM artifacts")} == {"here"}


def exchanged(one: list[Path], other: list[Path]) -> None:
    """The files at these paths, pair by pair, by their endings."""
    for a, b in zip(sorted(one), sorted(other), strict=True):
        a.rename(a.with_name(".between"))
        b.rename(a)
        a.with_name(".between").rename(b)


def in_a_ring(rig: Rig, names: list[str]) -> None:
    """Each of these folders, or of these recordings with what is called after them, gets the name of the one before it."""
    for name, before in [(names[0], "between"), *zip(names[1:], names, strict=False), ("between", names[-1])]:
        for path in [*rig.folder.iterdir()]:
            if path.name == name or path.name.startswith(f"{name}."):
                path.rename(path.with_name(f"{before}{path.name.removeprefix(name)}"))


def contents(rig: Rig, stem: str) -> dict[str, bytes]:
    """By ending, the recording and its notes."""
    files = [
        path for path in rig.folder.rglob("*") if str(path.relative_to(rig.folder)).startswith(f"{stem}.")
    ]
    return {path.name.removeprefix(Path(stem).name): path.read_bytes() for path in files}


@pytest.mark.shows("privacy:forget")
def test_of_a_note_of_another_recording_that_stands_at_its_own_forget_says_whose_it_is(rig: Rig) -> None:
    """Before a run knows of it."""
    mine = heard(rig)["horse"].split()[1]
    swapped(rig)
    told = said(rig, "forget", str(rig.folder / "boat.m4a"), "--yes")
    assert f"{note_of(rig, 'boat').name} stays: is a note of horse.m4a" in told
    assert mine in note_of(rig, "boat").read_text()
    assert not note_of(rig, "horse").exists()


@pytest.mark.shows("transcription:took-names")
def test_in_a_folder_that_does_not_answer_nobody_looks_whose_notes_were_swapped(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    swapped(rig)
    read: list[Path] = []
    with Ledger(rig.installed.ledger_file) as ledger:
        context = Context(ledger, rig.installed, rig.config(), (rig.folder,), logs=False)
        boat = ledger.artifacts.at(note_of(rig, "boat"))
        assert boat is not None
        assert changed_places.is_swapped(context, boat)
        context.silent = frozenset({rig.folder})
        monkeypatch.setattr(changed_places, "read_bytes", lambda path, **_: read.append(path))
        assert changed_places.know_swapped(context, boat) == boat
        changed_places.know_others_there(context, boat)
        assert not changed_places.is_swapped(context, boat)
        with opened(rig.folder) as folder:
            changed_places.change_places(context, folder, ledger.places.all()[0])
        assert ledger.artifacts.at(boat.path) == boat
    assert read == []


def age(rig: Rig) -> None:
    """As if the last run had begun long after all that was changed."""
    file = rig.installed.status_file
    report = json.loads(file.read_text())
    report["started_at"] += 100
    file.write_text(json.dumps(report))
