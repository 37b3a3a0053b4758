"""Notes belong to a content: they follow it to other names and folders, and describe what is in the file of their name.

The real supervisor on real folders; only the workers are stand-ins (tests/standin_worker.py says why).
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
import subprocess
import unicodedata
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path
from time import time
from urllib.parse import quote

import pytest
from earmark.domain import Instant, Owed, Summary, TrashState
from earmark.ledger import Ledger
from earmark.ledger.note_ids import short
from earmark.retention import plan_now
from earmark.retention.sweep.apply import apply
from earmark.retention.trash.restoring import restore
from earmark.verbs.opening import opened_context

from tests.conftest import wait_for
from tests.daemon_rig import Live, Rig, moments_of, run_child, steps_of, supervisor
from tests.folding_disk import folding_disk
from tests.older_ledger import take_speakers_out

ID = re.compile(r"""^earmark_id: ["']?(em-\w{20})["']?$""", re.M)
AUDIO = re.compile(r'^recording: "?(?:\[\[)?(.+?)(?:\]\])?"?$', re.M)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def described(rig: Rig) -> dict[str, str]:
    """By note: which of the files that are there now it describes ("" if none)."""
    contents = {
        short(sha256(p.read_bytes()).hexdigest()): p.name
        for p in rig.folder.rglob("*")
        if p.is_file() and p.suffix != ".md"
    }
    found = {}
    for name, text in rig.notes().items():
        match = ID.search(text)
        found[name] = contents.get(match[1], "") if match else "nothing"
    return found


def linked(rig: Rig) -> dict[str, str]:
    """By note: the recording that it links to ("" if to none)."""
    return {n: found[1] if (found := AUDIO.search(text)) else "" for n, text in rig.notes().items()}


def both(base: str) -> set[str]:
    return {f"{base}.md", f"{base}.transcript.md"}


def has(rig: Rig, names: set[str]) -> bool:
    """Whether notes of these names are there, among others."""
    return names <= set(rig.notes())


def has_only(rig: Rig, names: set[str]) -> bool:
    """Whether notes of these names are there, and no others, also none that is just being replaced."""
    return names == set(rig.notes())


def states(rig: Rig) -> set[str]:
    return {row[0] for row in rig.query("SELECT state FROM artifacts")}


def test_swapped_names_swap_their_notes(rig: Rig) -> None:
    a, b = rig.drop("a.m4a", "the first"), rig.drop("b.m4a", "the second")
    assert run_child(rig) == 0
    before = {sha256(p.read_bytes()).hexdigest(): p for p in (a, b)}
    a.rename(rig.root / "aside")
    b.rename(a)
    (rig.root / "aside").rename(b)
    for _ in range(2):
        assert run_child(rig) == 0
        assert described(rig) == dict.fromkeys(both("a"), "a.m4a") | dict.fromkeys(both("b"), "b.m4a")
        assert linked(rig) == described(rig)
    assert len(before) == 2
    assert len(rig.events("transcribed")) == 2, "no word was heard twice"


def test_a_rotation_of_three_names_rotates_their_notes(rig: Rig) -> None:
    for name in "abc":
        rig.drop(f"{name}.m4a", f"what {name} said")
    assert run_child(rig) == 0
    for old, new in (("a", "x"), ("c", "a"), ("b", "c"), ("x", "b")):
        (rig.folder / f"{old}.m4a").rename(rig.folder / f"{new}.m4a")
    for _ in range(2):
        assert run_child(rig) == 0
    assert described(rig) == {n: f"{base}.m4a" for base in "abc" for n in both(base)}
    assert linked(rig) == described(rig)


@pytest.mark.shows("architecture:write")
def test_a_recording_that_moves_to_another_folder_takes_its_notes_along(rig: Rig) -> None:
    rig.drop("talk.m4a", "hello")
    assert run_child(rig) == 0
    (rig.folder / "deep" / "er").mkdir(parents=True)
    (rig.folder / "talk.m4a").rename(rig.folder / "deep" / "er" / "call.m4a")
    assert run_child(rig) == 0
    assert set(rig.notes()) == {"deep/er/call.md", "deep/er/call.transcript.md"}
    assert set(linked(rig).values()) == {"call.m4a"}


@pytest.mark.shows("readme:edited")
def test_an_edited_note_keeps_the_name_that_its_owner_knows(rig: Rig) -> None:
    rig.drop("talk.m4a", "hello")
    assert run_child(rig) == 0
    note = rig.folder / "talk.md"
    note.write_text(note.read_text() + "\nMine.\n")
    (rig.folder / "talk.m4a").rename(rig.folder / "call.m4a")
    assert run_child(rig) == 0
    assert "Mine." in rig.notes()["talk.md"]
    assert "call.transcript.md" in rig.notes()


def test_a_note_of_the_users_own_in_the_way_is_not_touched(rig: Rig) -> None:
    rig.drop("talk.m4a", "hello")
    assert run_child(rig) == 0
    (rig.folder / "call.md").write_text("mine")
    (rig.folder / "call.transcript.md").write_text("mine, too")
    (rig.folder / "talk.m4a").rename(rig.folder / "call.m4a")
    assert run_child(rig) == 0
    assert rig.notes()["call.md"] == "mine"
    assert rig.notes()["call.transcript.md"] == "mine, too"
    assert len(rig.notes()) == 4
    assert sorted(described(rig).values()) == ["call.m4a", "call.m4a", "nothing", "nothing"]


def _new_name(text: str) -> str:
    return text.replace("[[talk.", "[[call.").replace("](talk.", "](call.")


def _path_in_the_vault(text: str) -> str:
    return text.replace("[[talk.", "[[notes/call.").replace("](talk.", "](notes/call.")


def _labels_too(text: str) -> str:
    return _new_name(text).replace("[talk.m4a]", "[call.m4a]").replace("[[talk", "[[call")


def _properties_anew(text: str) -> str:
    """As apps do that read the properties and write them out again: another order, other quotes."""
    _, top, body = _new_name(text).split("---\n", 2)
    lists = re.findall(r"^\w+:\n(?:  - .*\n)+", top, re.M)
    for found in lists:
        top = top.replace(found, "")
    lines = [line.replace("'", '"') if "[[" in line else line.replace('"', "") for line in top.splitlines()]
    return f"---\n{''.join(lists)}" + "\n".join(reversed(lines)) + f"\n---\n{body}"


def test_content_that_comes_back_over_what_replaced_it_has_its_name_again(rig: Rig) -> None:
    file = rig.drop("a.m4a", "the first")
    assert run_child(rig) == 0
    file.write_bytes(b"the second")
    assert run_child(rig) == 0
    for content in (b"the first", b"the second", b"the first"):
        file.write_bytes(content)
        for _ in range(2):
            assert run_child(rig) == 0
            notes = described(rig)
            assert {name for name, of in notes.items() if of == "a.m4a"} == both("a")
            assert len(notes) == 4, "those of the other content are there, too"
    assert len(rig.events("transcribed")) == 2


@pytest.mark.parametrize("before", ["the daemon knows", "the daemon has not seen it"])
def test_a_note_that_its_owner_removed_stays_removed_when_the_recording_is_renamed(
    rig: Rig, before: str
) -> None:
    file = rig.drop("a.m4a", "the first")
    assert run_child(rig) == 0
    (rig.folder / "a.md").unlink()
    if before == "the daemon knows":
        assert run_child(rig) == 0
    for name in ("b.m4a", "c.m4a"):
        file = file.rename(rig.folder / name)
        assert run_child(rig) == 0
        assert set(rig.notes()) == {f"{file.stem}.transcript.md"}


@pytest.mark.parametrize(
    ("dialect", "rewrite"),
    [
        ("obsidian", _new_name), ("obsidian", _path_in_the_vault), ("obsidian", _properties_anew),
        ("plain", _new_name), ("plain", _labels_too), ("plain", _properties_anew), ("logseq", _new_name),
    ],
)  # fmt: skip
def test_links_that_a_notes_app_rewrites_are_no_edit(
    rig: Rig, dialect: str, rewrite: Callable[[str], str]
) -> None:
    """Obsidian renames the recording and the links in every note at once; then the notes follow, and are not "edited"."""
    rig.sections = {"notes": {"dialect": dialect}}
    rig.drop("talk.m4a", "hello")
    assert run_child(rig) == 0
    (rig.folder / "talk.m4a").rename(rig.folder / "call.m4a")
    for name in both("talk"):
        note = rig.folder / name
        changed = rewrite(note.read_text())
        assert changed != note.read_text()
        note.write_text(changed)
    assert run_child(rig) == 0
    assert set(rig.notes()) == both("call")
    assert all("call.m4a" in text and "talk.m4a" not in text for text in rig.notes().values())
    assert states(rig) == {"here"}


@pytest.mark.parametrize("dialect", ["obsidian", "plain"])
@pytest.mark.parametrize(
    ("former", "latter"),
    [("e\u0301.m4a", "\u00e9 now.m4a"), ("e\u0301.m4a", "e\u0301 now.m4a"), ("talk.m4a", "talk.wav")],
)
def test_links_to_names_in_pieces_and_to_another_ending_are_no_edit_either(
    rig: Rig, dialect: str, former: str, latter: str
) -> None:
    """Names come in pieces from a Mac; a link to one is written with its bytes as numbers, and its label composed."""
    rig.sections = {"notes": {"dialect": dialect}}
    rig.drop(former, "hello")
    assert run_child(rig) == 0
    (rig.folder / former).rename(rig.folder / latter)
    for name, text in rig.notes().items():
        linked = text.replace(f"({quote(former)}", f"({quote(latter)}").replace(f"[[{former}", f"[[{latter}")
        (rig.folder / name).write_text(linked.replace("\n  - recording\n", "\n- recording\n"))
        assert linked != text
    assert run_child(rig) == 0
    assert set(rig.notes()) == both(unicodedata.normalize("NFC", latter).rpartition(".")[0])
    assert states(rig) == {"here"}


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace("---\n", "---\n# a remark of mine\n", 1),
        lambda text: text.replace("---\n", "---\nmood: good\n", 1),
        lambda text: text.replace("[00:00]", "[the beginning]").replace("|00:00]]", "|the beginning]]"),
        lambda text: text + "see [[elsewhere]]\n",
        lambda text: text.replace("![[talk.m4a]]", "![[my whiteboard.png]]"),
    ],
    ids=["a comment", "a property", "a label", "a link", "another target"],
)
def test_what_a_person_adds_is_an_edit_and_stays(rig: Rig, edit: Callable[[str], str]) -> None:
    rig.drop("talk.m4a", "hello")
    assert run_child(rig) == 0
    (rig.folder / "talk.m4a").rename(rig.folder / "call.m4a")
    edited = {name: edit(text) for name, text in rig.notes().items()}
    for name, text in edited.items():
        (rig.folder / name).write_text(text)
    for _ in range(2):
        assert run_child(rig) == 0
        assert edited.items() <= rig.notes().items()


def test_killed_at_any_step_notes_follow_all_the_same(rig: Rig) -> None:
    rig.drop("a.m4a", "the first")
    rig.drop("b.m4a", "the second")
    assert run_child(rig) == 0
    (rig.folder / "a.m4a").rename(rig.root / "aside")
    (rig.folder / "b.m4a").rename(rig.folder / "a.m4a")
    (rig.root / "aside").rename(rig.folder / "sub.m4a")
    rig.keep("renamed")
    steps = steps_of(rig)
    expected = rig.notes()
    assert set(expected) == both("a") | both("sub")
    # Whether both files are read before the first one's notes follow is the reader's; the run has more steps if not.
    killed = 0
    for number in moments_of(steps):
        rig.bring_back("renamed")
        killed += run_child(rig, kill_at=number) < 0
        assert run_child(rig) == 0
        assert rig.notes() == expected, f"killed at step {number}, {steps[number - 1]}"
        assert rig.litter() == []
    assert killed > 45


def test_notes_follow_to_another_disk(rig: Rig) -> None:
    other = rig.root / "other disk"
    other.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(other)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        rig.drop("talk.m4a", "hello")
        folders = (rig.folder, other)
        assert supervisor(rig.installed, folders, rig.config(), once=True).run() == 0
        (other / "call.m4a").write_bytes((rig.folder / "talk.m4a").read_bytes())
        (rig.folder / "talk.m4a").unlink()
        assert supervisor(rig.installed, folders, rig.config(), once=True).run() == 0
        assert sorted(p.name for p in other.iterdir()) == ["call.m4a", "call.md", "call.transcript.md"]
        assert rig.notes() == {}
        assert "[[call.m4a]]" in (other / "call.md").read_text()
    finally:
        subprocess.run(["umount", str(other)], check=True)


# --- where the recording is not, nothing is written ---


def test_no_note_is_written_into_the_bare_mount_point_of_a_disk_that_is_away(rig: Rig) -> None:
    disk = rig.folder / "stick"
    disk.mkdir()

    def mount() -> int:
        return subprocess.run(
            ["mount", "--bind", str(rig.root / "backing"), str(disk)], capture_output=True
        ).returncode

    (rig.root / "backing").mkdir()
    if mount():
        pytest.skip("mounting is not allowed here")
    try:
        rig.drop("stick/talk.m4a", "hello")
        rig.drop("stick/later.m4a", "pause@1\n").with_name("later.m4a.pause").touch()
        with Live(rig):
            wait_for((disk / "talk.md").exists, 20)
            wait_for(lambda: rig.query("SELECT 1 FROM heard"), 20, "the other one being heard")
            (disk / "later.m4a.pause").unlink()
            subprocess.run(["umount", "-l", str(disk)], check=True)
            wait_for(lambda: ("transcribe", "done", 1) in rig.jobs() or rig.events("transcribed"), 20)
        assert list(disk.iterdir()) == [], "the folder under the disk"
        assert mount() == 0
        # Whether its notes were tried, and wait for the next try, depends on what the daemon was at when the disk went.
        with Live(rig):
            wait_for(lambda: both("stick/later") <= set(rig.notes()), 60, "the notes of the other one")
    finally:
        subprocess.run(["umount", "-l", str(disk)], capture_output=True)


def test_a_new_folder_of_the_same_name_gets_no_notes_of_the_recordings_that_went_with_the_old(
    rig: Rig,
) -> None:
    rig.drop("calls/talk.m4a", "hello")
    rig.sections = {"notes": {"layout": "one-file"}}
    assert run_child(rig) == 0
    (rig.folder / "calls").rename(rig.root / "taken home")
    (rig.folder / "calls").mkdir()
    rig.sections = {}
    for _ in range(2):
        assert run_child(rig) == 0
        assert list((rig.folder / "calls").iterdir()) == []


def test_a_folder_that_is_no_longer_watched_is_left_alone_and_its_troubles_end(rig: Rig) -> None:
    other = rig.root / "other"
    other.mkdir()
    (other / "talk.m4a").write_bytes(b"hello")
    (other / "bad.m4a").symlink_to("nowhere")
    rig.drop("here.m4a", "here")
    config = rig.config()
    assert supervisor(rig.installed, (rig.folder, other), config, once=True).run() == 0
    assert any("bad.m4a" in subject for subject in rig.troubles())
    (other / "talk.m4a").rename(other / "renamed.m4a")
    before = {p.name: p.read_bytes() for p in other.iterdir() if p.is_file()}
    rig.sections = {"notes": {"layout": "one-file"}}
    assert supervisor(rig.installed, (rig.folder,), rig.config(), once=True).run() == 0
    assert {p.name: p.read_bytes() for p in other.iterdir() if p.is_file()} == before
    assert rig.troubles() == {}


# --- one file, however its name is spelled ---


@pytest.fixture
def folding(tmp_path: Path) -> Iterator[Rig]:
    with folding_disk(tmp_path / "backing", tmp_path / "Recordings"):
        yield Rig(tmp_path)


def test_a_name_that_changes_in_case_alone_takes_its_notes_along(rig: Rig) -> None:
    talk = rig.drop("Talk.m4a", "one")
    rig.drop("Sub/x.m4a", "two")
    assert rig.run_once() == 0
    talk.rename(rig.folder / "talk.M4A")
    (rig.folder / "Sub").rename(rig.folder / "sub")
    assert rig.run_once() == 0
    assert set(rig.notes()) == {"talk.md", "talk.transcript.md", "sub/x.md", "sub/x.transcript.md"}
    assert described(rig)["talk.md"] == linked(rig)["talk.md"] == "talk.M4A"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Meeting.m4a", "meeting.m4a"),
        ("Meeting.m4a", "meeting.mp4"),
        ("Meeting.m4a", "MEETING.MP4"),
        (unicodedata.normalize("NFC", "Gespräch.m4a"), unicodedata.normalize("NFD", "Gespräch.m4a")),
        (unicodedata.normalize("NFC", "Gespräch.m4a"), unicodedata.normalize("NFD", "gespräch.mp4")),
    ],
)
def test_another_spelling_of_a_name_on_a_disk_that_folds_case_costs_no_note(
    folding: Rig, old: str, new: str
) -> None:
    folding.drop(old, "hello")
    assert run_child(folding) == 0
    assert len(folding.notes()) == 2
    (folding.folder / old).rename(folding.folder / new)
    for _ in range(2):
        assert run_child(folding) == 0
        assert set(described(folding).values()) == {new}
        assert len(folding.notes()) == 2
        shown = {unicodedata.normalize("NFC", name) for name in linked(folding).values()}
        assert shown == {unicodedata.normalize("NFC", new)}
    assert len(folding.events("transcribed")) == 1
    assert folding.query("SELECT count(*) FROM places WHERE gone_at IS NULL") == [(1,)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Calls", "calls"), ("Work/Calls", "work/Calls"),
        (unicodedata.normalize("NFC", "Gespräche"), unicodedata.normalize("NFD", "Gespräche")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("edited", [False, True])
def test_another_spelling_of_a_folder_on_a_disk_that_folds_case_costs_no_note(
    folding: Rig, old: str, new: str, edited: bool
) -> None:
    folding.sections = {"notes": {"formats": ["srt"]}}
    folding.drop(f"{old}/a.m4a", "hello")
    assert run_child(folding) == 0
    if edited:
        note = folding.folder / old / "a.md"
        note.write_text(note.read_text() + "mine\n")
    first, _, _ = old.partition("/")
    (folding.folder / first).rename(folding.folder / "aside")
    (folding.folder / "aside").rename(folding.folder / new.partition("/")[0])
    for _ in range(2):
        assert run_child(folding) == 0
        there = sorted(p.name for p in (folding.folder / new).iterdir())
        assert there == ["a.m4a", "a.md", "a.srt", "a.transcript.md"]
        assert not edited or "mine" in (folding.folder / new / "a.md").read_text()


@pytest.mark.parametrize("then", ["at once", "after it was away"])
@pytest.mark.parametrize("edited", ["", "edited", "removed"])
def test_a_drop_folder_that_was_a_link_and_is_called_by_its_own_name_keeps_its_notes(
    rig: Rig, then: str, edited: str
) -> None:
    file = rig.drop("a.m4a", "hello")
    link = rig.root / "link"
    link.symlink_to(rig.folder)
    assert supervisor(rig.installed, (link,), rig.config(), once=True).run() == 0
    note = rig.folder / "a.md"
    if edited == "edited":
        note.write_text(note.read_text() + "mine\n")
    elif edited == "removed":
        note.unlink()
    if then == "after it was away":
        file.rename(rig.root / "away.m4a")
        assert supervisor(rig.installed, (link,), rig.config(), once=True).run() == 0
        (rig.root / "away.m4a").rename(file)
    for _ in range(2):
        assert run_child(rig) == 0
        if edited != "removed" or then == "at once":
            assert set(rig.notes()) == both("a") - ({"a.md"} if edited == "removed" else set())
        assert edited != "edited" or "mine" in rig.notes()["a.md"]
    assert len(rig.query("SELECT 1 FROM places")) == 1


def test_killed_at_any_step_of_a_replacement_without_exchange_no_note_is_missing(folding: Rig) -> None:
    file = folding.drop("a.m4a", "hello")
    assert run_child(folding) == 0
    before = folding.notes()
    shutil.copytree(folding.home, folding.root / "kept home")
    more = b"hello and more"

    def bring_back() -> None:
        shutil.rmtree(folding.home)
        shutil.copytree(folding.root / "kept home", folding.home)
        for found in list(folding.folder.iterdir()):
            found.unlink()
        for name, text in before.items():
            (folding.folder / name).write_text(text)
        file.write_bytes(more)

    bring_back()
    steps = steps_of(folding)
    expected = set(folding.notes())
    taken = [
        number for number, name in enumerate(steps, start=1) if name in ("after:take", "before:drop-old")
    ]
    assert taken
    for number in taken:
        bring_back()
        assert run_child(folding, kill_at=number) < 0
        for _ in range(2):
            assert run_child(folding) == 0
            assert set(folding.notes()) == expected
            assert folding.litter() == []


def test_to_and_fro_on_a_disk_that_folds_case_there_are_two_notes(folding: Rig) -> None:
    folding.drop("Talk.m4a", "hello")
    folding.drop("other.m4a", "another")
    assert run_child(folding) == 0
    for name in ("TALK.m4a", "talk.m4a", "Talk.m4a"):
        old = next(p for p in folding.folder.iterdir() if p.name.casefold() == "talk.m4a")
        old.rename(folding.folder / name)
        assert run_child(folding) == 0
        assert len(folding.notes()) == 4
        assert sorted(described(folding).values()) == sorted([name, name, "other.m4a", "other.m4a"])
    assert len(folding.events("transcribed")) == 2


def test_a_note_is_replaced_and_an_edit_kept_where_names_cannot_be_exchanged_or_linked(folding: Rig) -> None:
    folding.drop("talk.m4a", "hello")
    assert run_child(folding) == 0
    note = folding.folder / "talk.md"
    note.write_text(note.read_text() + "\nMine.\n")
    folding.sections = {"notes": {"dialect": "logseq"}}
    (folding.folder / "talk.m4a").rename(folding.folder / "call.m4a")
    assert run_child(folding) == 0
    assert "Mine." in folding.notes()["talk.md"]
    assert "call.transcript.md" in folding.notes()
    assert folding.litter() == []


def test_a_recording_whose_name_is_no_text_stops_nothing(rig: Rig) -> None:
    rig.drop("good.m4a", "good")
    Path(os.fsdecode(os.fsencode(rig.folder) + b"/\xe4.m4a")).write_bytes(b"no text")
    deep = Path(os.fsdecode(os.fsencode(rig.folder) + b"/\xff"))
    deep.mkdir()
    (deep / "x.m4a").write_bytes(b"below no text")
    assert run_child(rig) == 0
    assert both("good") <= {name for name in rig.notes() if name.isascii()}
    assert len(rig.notes()) == 6


def test_a_recording_whose_former_folder_is_away_gets_notes_where_it_is(rig: Rig) -> None:
    rig.drop("calls/talk.m4a", "hello")
    assert run_child(rig) == 0
    (rig.folder / "calls").rename(rig.root / "unplugged")
    rig.drop("talk.m4a", "hello")
    for _ in range(2):
        assert run_child(rig) == 0
        assert set(rig.notes()) == both("talk")


@pytest.mark.parametrize("instead", ["a symlink", "a file"])
def test_a_former_folder_that_became_something_else_keeps_no_notes_from_being_written(
    rig: Rig, instead: str
) -> None:
    rig.drop("calls/talk.m4a", "hello")
    assert run_child(rig) == 0
    (rig.folder / "calls" / "talk.m4a").rename(rig.folder / "talk.m4a")
    (rig.folder / "calls").rename(rig.root / "vault")
    if instead == "a symlink":
        (rig.folder / "calls").symlink_to(rig.root / "vault")
    else:
        (rig.folder / "calls").write_text("a file")
    assert run_child(rig) == 0
    assert both("talk") <= set(rig.notes())


def test_a_folder_that_is_renamed_in_a_notes_app_keeps_its_notes(rig: Rig) -> None:
    rig.drop("calls/talk.m4a", "hello")
    assert run_child(rig) == 0
    (rig.folder / "calls").rename(rig.folder / "old")
    for name in rig.notes():
        note = rig.folder / name
        note.write_text(note.read_text().replace("[[talk.", "[[old/talk."))
    assert run_child(rig) == 0
    (rig.folder / "old" / "talk.m4a").rename(rig.folder / "old" / "b.m4a")
    assert run_child(rig) == 0
    assert set(rig.notes()) == {f"old/{name}" for name in both("b")}


def test_other_content_under_the_name_of_a_recording_that_went_has_the_name_for_its_notes(rig: Rig) -> None:
    file = rig.drop("memo.m4a", "the first")
    assert run_child(rig) == 0
    file.unlink()
    assert run_child(rig) == 0
    rig.drop("memo.m4a", "the second")
    for _ in range(2):
        assert run_child(rig) == 0
        assert {name for name, of in described(rig).items() if of == "memo.m4a"} == both("memo")
        assert both("memo (earlier)") <= set(rig.notes())


def test_a_label_that_a_person_wrote_stays_although_it_ends_like_a_file(rig: Rig) -> None:
    rig.sections = {"notes": {"dialect": "plain"}}
    rig.drop("talk.m4a", "hello")
    assert run_child(rig) == 0
    note = rig.folder / "talk.md"
    note.write_text(note.read_text().replace("[talk.m4a](", "[ask Bob before sharing talk.m4a]("))
    (rig.folder / "talk.m4a").rename(rig.folder / "call.m4a")
    assert run_child(rig) == 0
    assert "[ask Bob before sharing talk.m4a]" in rig.notes()["talk.md"]


@pytest.mark.parametrize("then", ["to another folder", "the next takes its name", "both"])
def test_a_note_that_its_owner_removed_stays_removed_wherever_the_recording_goes(rig: Rig, then: str) -> None:
    a = rig.drop("calls/a.m4a", "the first")
    b = rig.drop("calls/b.m4a", "the second")
    assert run_child(rig) == 0
    (rig.folder / "calls" / "a.md").unlink()
    (rig.folder / "done").mkdir()
    if then != "to another folder":
        a = a.rename(rig.folder / "calls" / "c.m4a")
        b.rename(rig.folder / "calls" / "a.m4a")
        assert run_child(rig) == 0
    if then != "the next takes its name":
        a = a.rename(rig.folder / "done" / a.name)
        assert run_child(rig) == 0
    a = a.rename(a.with_name("z.m4a"))
    for _ in range(2):
        assert run_child(rig) == 0
        of_a = {name for name, of in described(rig).items() if of == "z.m4a"}
        assert of_a == {str(a.relative_to(rig.folder).with_suffix(".transcript.md"))}


def test_a_folder_that_is_renamed_beside_an_edited_note_gets_no_second_one(rig: Rig) -> None:
    rig.drop("c/talk.m4a", "hello")
    assert run_child(rig) == 0
    note = rig.folder / "c" / "talk.md"
    note.write_text(note.read_text() + "\nMine\n")
    (rig.folder / "c" / "talk.m4a").rename(rig.folder / "c" / "b.m4a")
    assert run_child(rig) == 0
    for name in ("d", "e"):
        note.parent.rename(rig.folder / name)
        note = rig.folder / name / "talk.md"
        assert run_child(rig) == 0
        assert set(rig.notes()) == {f"{name}/talk.md", f"{name}/b.transcript.md"}
    assert note.read_text().endswith("\nMine\n")
    assert rig.query("SELECT state FROM artifacts WHERE path = ?", os.fsencode(note)) == [("edited",)]


def test_two_copies_that_are_appended_alike_both_go_on(rig: Rig) -> None:
    files = [rig.drop(name, "hello") for name in ("a.m4a", "b.m4a")]
    assert run_child(rig) == 0
    for file in files:
        with file.open("ab") as recorder:
            recorder.write(b" and more")
        assert run_child(rig) == 0
    assert set(rig.notes()) == both("a") | both("b")
    assert set(described(rig).values()) <= {"a.m4a", "b.m4a"}


def open_while_it_grows(rig: Rig, then: Callable[[Path], object], name: str = "a.m4a") -> None:
    """The summary's note is open in an editor while its recording grows; then something happens, and it is closed."""
    file = rig.drop(name, "hello")
    assert run_child(rig) == 0
    with Live(rig), file.with_suffix(".md").open("r+"):
        with file.open("a") as recorder:
            recorder.write(" and more")
        writing = "SELECT 1 FROM artifacts WHERE kind = 'summary' AND state = 'writing'"
        wait_for(lambda: rig.query(writing), 20, "an announced note")
        then(file)
        there = "SELECT 1 FROM places WHERE gone_at IS NULL AND path = ?"
        wait_for(lambda: not rig.query(there, os.fsencode(file)) or file.exists(), 20, "a look")
    assert run_child(rig) == 0
    assert run_child(rig) == 0


@pytest.mark.parametrize("new", ["b.m4a", "d/b.m4a"])
def test_a_note_that_an_editor_holds_open_follows_when_it_is_closed(rig: Rig, new: str) -> None:
    (rig.folder / "d").mkdir()
    open_while_it_grows(rig, lambda file: file.rename(rig.folder / new))
    assert set(rig.notes()) == both(new.removesuffix(".m4a"))


def test_a_note_that_is_removed_while_it_is_open_stays_removed(rig: Rig) -> None:
    open_while_it_grows(rig, lambda _: (rig.folder / "a.md").unlink())
    assert set(rig.notes()) == {"a.transcript.md"}


@pytest.mark.parametrize("step", ["after:announce", "before:create-temp", "after:fsync", "before:exchange"])
def test_a_note_that_is_removed_while_it_is_replaced_stays_removed_and_is_nobody_s_trouble(
    rig: Rig, step: str
) -> None:
    file = rig.drop("a.m4a", "hello")
    assert run_child(rig) == 0
    note = rig.folder / "a.md"
    with file.open("a") as recorder:
        recorder.write(" and more")
    writing = "SELECT 1 FROM artifacts WHERE kind = 'summary' AND state = 'writing'"

    def remove_it(now: str) -> None:
        if now == step and rig.query(writing):
            note.unlink(missing_ok=True)

    assert rig.run_once(step=remove_it) == 0
    assert not note.exists()
    assert rig.troubles() == {}
    assert run_child(rig) == 0
    assert set(rig.notes()) == {"a.transcript.md"}


@pytest.mark.parametrize("new", ["b.m4a", "d/b.m4a"])
@pytest.mark.parametrize("grown", [False, True])
def test_killed_while_its_notes_are_written_and_then_moved_there_is_one_pair(
    rig: Rig, new: str, grown: bool
) -> None:
    def first() -> Path:
        file = rig.drop("a.m4a", "hello")
        (rig.folder / "d").mkdir(exist_ok=True)
        if grown:
            assert run_child(rig) == 0
            with file.open("a") as recorder:
                recorder.write(" and more")
        return file

    first()
    rig.keep("before")
    count = len(steps_of(rig))
    for number in range(8, count + 1, 3):
        rig.bring_back("before")
        run_child(rig, kill_at=number)
        (rig.folder / "a.m4a").rename(rig.folder / new)
        assert run_child(rig) == 0
        assert run_child(rig) == 0
        assert set(rig.notes()) == both(new.removesuffix(".m4a")), number


@pytest.mark.parametrize("how", ["the folder is renamed", "a new one has its name", "both are moved"])
def test_an_edit_that_nobody_has_looked_at_goes_along_with_its_folder(rig: Rig, how: str) -> None:
    file = rig.drop("calls/talk.m4a")
    assert run_child(rig) == 0
    note = rig.folder / "calls" / "talk.md"
    note.write_text(note.read_text() + "\nMine.\n")
    (rig.folder / "done").mkdir()
    if how == "both are moved":
        for path in (file, note):
            path.rename(rig.folder / "done" / path.name)
    else:
        (rig.folder / "done").rmdir()
        note.parent.rename(rig.folder / "done")
        if how == "a new one has its name":
            note.parent.mkdir()
    for _ in range(2):
        assert run_child(rig) == 0
        assert set(rig.notes()) == {f"done/{name}" for name in both("talk")}
    assert rig.notes()["done/talk.md"].endswith("\nMine.\n")


def test_an_edited_note_that_was_removed_stays_removed_when_the_recording_moves_on(rig: Rig) -> None:
    file = rig.drop("talk.m4a")
    assert run_child(rig) == 0
    note = rig.folder / "talk.md"
    note.write_text(note.read_text() + "\nMine.\n")
    file = file.rename(rig.folder / "b.m4a")
    assert run_child(rig) == 0
    note.unlink()
    (rig.folder / "done").mkdir()
    file.rename(rig.folder / "done" / "b.m4a")
    for _ in range(2):
        assert run_child(rig) == 0
        assert set(rig.notes()) == {"done/b.transcript.md"}


@pytest.mark.parametrize("known", [False, True])
def test_a_removed_note_stays_removed_when_the_recording_goes_on(rig: Rig, known: bool) -> None:
    file = rig.drop("a.m4a", "hello")
    assert run_child(rig) == 0
    (rig.folder / "a.md").unlink()
    if known:
        file = file.rename(rig.folder / "b.m4a")
        assert run_child(rig) == 0
    with file.open("a") as recorder:
        recorder.write(" and more")
    for _ in range(2):
        assert run_child(rig) == 0
        assert set(rig.notes()) == {f"{file.stem}.transcript.md"}


def test_a_copy_of_a_recording_that_was_only_touched_takes_nothing_of_it(rig: Rig) -> None:
    file = rig.drop("b.m4a", "hello")
    assert run_child(rig) == 0
    note = rig.folder / "b.transcript.md"
    note.write_text(note.read_text() + "\nMine.\n")
    (rig.folder / "b.md").unlink()
    (rig.folder / "a.m4a").write_bytes(file.read_bytes())
    os.utime(file)
    for _ in range(2):
        assert run_child(rig) == 0
        assert set(rig.notes()) == {"b.transcript.md", *both("a")}


def test_what_was_only_renamed_is_known_before_what_begins_like_it(rig: Rig) -> None:
    data = os.urandom(70_000)
    file = rig.drop("a.m4a", data)
    assert run_child(rig) == 0
    note = rig.folder / "a.md"
    note.write_text(note.read_text() + "\nMine.\n")
    file.rename(rig.folder / "zb.m4a")
    rig.drop("j.m4a", data + b"more" * 100)
    assert run_child(rig) == 0
    assert described(rig) == {
        "a.md": "zb.m4a", "zb.transcript.md": "zb.m4a", "j.md": "j.m4a", "j.transcript.md": "j.m4a",
    }  # fmt: skip


def test_a_folder_that_becomes_a_drop_folder_of_its_own_loses_nothing_and_gets_nothing_back(rig: Rig) -> None:
    rig.drop("s/a.m4a", "hello")
    assert run_child(rig) == 0
    (rig.folder / "s" / "a.md").unlink()
    folders = (rig.folder, rig.folder / "s")
    for _ in range(2):
        assert supervisor(rig.installed, folders, rig.config(), once=True).run() == 0
        assert set(rig.notes()) == {"s/a.transcript.md"}
    assert rig.events("missing") == []


@pytest.mark.parametrize("then", ["leaves and comes back", "is renamed and comes back", "its folder leaves"])
def test_a_note_that_its_owner_removed_stays_removed_when_the_recording_leaves(rig: Rig, then: str) -> None:
    file = rig.drop("calls/a.m4a", "hello")
    assert run_child(rig) == 0
    (rig.folder / "calls" / "a.md").unlink()
    assert run_child(rig) == 0
    moved, back = (file.parent, rig.root / "away") if "folder" in then else (file, rig.root / "away.m4a")
    moved.rename(back)
    assert run_child(rig) == 0
    back.rename(file.with_name("b.m4a") if "renamed" in then else moved)
    for _ in range(2):
        assert run_child(rig) == 0
        (name,) = rig.notes()
        assert name == ("calls/b.transcript.md" if "renamed" in then else "calls/a.transcript.md")


def test_a_recording_that_comes_back_without_its_notes_has_them_written_again(rig: Rig) -> None:
    file = rig.drop("calls/a.m4a", "hello")
    assert run_child(rig) == 0
    file.parent.rename(rig.root / "away")
    assert run_child(rig) == 0
    file.parent.mkdir()
    (rig.root / "away" / "a.m4a").rename(file)
    assert run_child(rig) == 0
    assert set(rig.notes()) == both("calls/a")


def test_a_note_that_its_owner_put_back_is_theirs_and_no_other_is_written(rig: Rig) -> None:
    file = rig.drop("a.m4a", "hello")
    assert run_child(rig) == 0
    note = (rig.folder / "a.md").rename(rig.root / "aside.md")
    assert run_child(rig) == 0
    note = note.rename(rig.folder / "a.md")
    note.write_text(note.read_text() + "mine\n")
    assert run_child(rig) == 0
    folder = (rig.folder / "done").resolve()
    folder.mkdir()
    for each in (file, note):
        each.rename(folder / each.name)
    for _ in range(2):
        assert run_child(rig) == 0
        assert set(rig.notes()) == both("done/a")
        assert "mine" in rig.notes()["done/a.md"]


@pytest.mark.parametrize("edited", ["", "copy.md", "a (earlier).md"])
def test_a_recording_that_is_brought_back_from_its_copy_has_its_notes_once(rig: Rig, edited: str) -> None:
    file, copy = rig.drop("a.m4a", "the first"), rig.drop("copy.m4a", "the first")
    assert run_child(rig) == 0
    file.write_bytes(b"the second")
    assert run_child(rig) == 0
    if edited:
        note = rig.folder / edited
        note.write_text(note.read_text() + "mine\n")
    copy.rename(file)
    for _ in range(2):
        assert run_child(rig) == 0
        of_a = {name for name, of in described(rig).items() if of == "a.m4a"}
        assert of_a == {edited or "a.md", "a.transcript.md"}
        assert not edited or "mine" in rig.notes()[edited]
        assert len(rig.notes()) == 4, "those of the other content are there, too"


@pytest.mark.parametrize("how", ["renamed", "swapped"])
def test_a_summary_and_a_transcript_that_want_one_name_come_to_rest(rig: Rig, how: str) -> None:
    """The summary of x.transcript.m4a is called as the transcript of x.m4a is."""
    rig.drop("x.m4a", "the first")
    other = rig.drop("x.transcript.m4a" if how == "swapped" else "y.m4a", "the second")
    assert run_child(rig) == 0
    if how == "swapped":
        other.rename(rig.root / "aside")
        (rig.folder / "x.m4a").rename(other)
        (rig.root / "aside").rename(rig.folder / "x.m4a")
    else:
        other.rename(rig.folder / "x.transcript.m4a")
    for _ in range(2):
        assert run_child(rig) == 0
        notes = described(rig)
        assert sorted(notes.values()) == ["x.m4a", "x.m4a", "x.transcript.m4a", "x.transcript.m4a"]
        assert linked(rig) == notes
        assert not any("earlier" in name for name in notes)


# --- several versions of one note ---


@pytest.mark.parametrize(
    "how", ["the edited one is deleted", "the later one is put over it", "the edit is taken back"]
)
@pytest.mark.parametrize("seen", [False, True])
def test_the_version_that_is_left_is_kept_up_to_date(rig: Rig, how: str, seen: bool) -> None:
    file = rig.drop("a.m4a", "hello")
    assert run_child(rig) == 0
    note, beside = rig.folder / "a.md", rig.folder / "a (new).md"
    written = note.read_text()
    note.write_text(written + "mine\n")
    if how == "the edit is taken back":
        file = file.rename(rig.folder / "b.m4a")
        assert run_child(rig) == 0
        note.write_text(written)
        left = "a.md"
    else:
        file.write_text("hello and more")
        assert run_child(rig) == 0
        assert beside.exists()
        if how == "the edited one is deleted":
            note.unlink()
            left = "a (new).md"
        else:
            beside.rename(note)
            left = "a.md"
    if seen:
        assert run_child(rig) == 0
    file.write_text("hello and more, and even more")
    for _ in range(2):
        assert run_child(rig) == 0
        assert set(described(rig).values()) == {file.name}
        (summary,) = (name for name in rig.notes() if "transcript" not in name)
        assert summary == left


def test_the_later_version_that_its_owner_removed_stays_removed_beside_the_edited_one(rig: Rig) -> None:
    file = rig.drop("a.m4a", "hello")
    assert run_child(rig) == 0
    note = rig.folder / "a.md"
    note.write_text(note.read_text() + "mine\n")
    file.write_text("hello and more")
    assert run_child(rig) == 0
    (rig.folder / "a (new).md").unlink()
    file = file.rename(rig.folder / "b.m4a")
    for _ in range(2):
        assert run_child(rig) == 0
        assert set(rig.notes()) == {"a.md", "b.transcript.md"}


# --- notes that a rule took ---

SUMMARIES_GO = {"retention": {"summary": {"delete_after_done": True}, "fuse_items": 0, "fuse_percent": 0}}


def take_what_is_due(rig: Rig) -> None:
    with opened_context(rig.installed, rig.config()) as context, context.ledger.acting():
        apply(context, plan_now(context))


def bring_back(rig: Rig) -> Path:
    """Its owner wants the note back that was taken."""
    with opened_context(rig.installed, rig.config()) as context:
        (row,) = context.ledger.trash.in_state(TrashState.HERE)
        return restore(context, row)


@pytest.mark.parametrize("then", ["renamed", "its folder is renamed", "nothing"])
@pytest.mark.parametrize("summarized_again", [False, True])
def test_a_note_that_a_rule_took_stays_away_and_comes_back_beside_its_recording(
    rig: Rig, then: str, summarized_again: bool
) -> None:
    rig.sections = SUMMARIES_GO
    file = rig.drop("f/x.m4a", "hello")
    assert run_child(rig) == 0
    take_what_is_due(rig)
    assert set(rig.notes()) == {"f/x.transcript.md"}
    match then:
        case "renamed":
            file = file.rename(file.with_name("y.m4a"))
        case "its folder is renamed":
            file.parent.rename(rig.folder / "g")
            file = rig.folder / "g" / "x.m4a"
        case _:
            with Ledger(rig.installed.ledger_file) as ledger:
                ledger.places.owe_all(Owed.POLICY)
    folder = file.parent.name
    for _ in range(2):
        assert run_child(rig) == 0
        assert set(rig.notes()) == {f"{folder}/{file.stem}.transcript.md"}
    if summarized_again:
        another_summary(rig, "A later one.")
        assert run_child(rig) == 0
        assert set(rig.notes()) == both(f"{folder}/{file.stem}")
        if file.stem == "x":
            return  # its name is taken; the restore says so
    bring_back(rig)
    for _ in range(2):
        assert run_child(rig) == 0
        expected = both(f"{folder}/{file.stem}")
        assert set(rig.notes()) == (expected | {"f/x.md"} if summarized_again else expected)
        assert not (rig.folder / "f").exists() or folder == "f"


# --- what happened before a folder was renamed, and nobody looked ---


@pytest.mark.parametrize(
    "what", ["removed", "renamed", "edited and renamed", "both removed beside another", "appended"]
)
def test_what_its_owner_did_to_a_note_before_the_folder_was_renamed_counts(rig: Rig, what: str) -> None:
    file = rig.drop("c/a.m4a", "hello" * 20_000)
    rig.drop("c/other.m4a", "another")
    assert run_child(rig) == 0
    note = rig.folder / "c" / "a.md"
    expected = {"d/a.transcript.md", *both("d/other")}
    match what:
        case "removed":
            note.unlink()
        case "renamed":
            note.rename(note.with_name("Meeting with Bob.md"))
            expected |= {"d/Meeting with Bob.md"}
        case "edited and renamed":
            note.write_text(note.read_text() + "mine\n")
            note.rename(note.with_name("Meeting with Bob.md"))
            expected |= {"d/Meeting with Bob.md"}
        case "both removed beside another":
            note.unlink()
            note.with_name("a.transcript.md").unlink()
            expected = both("d/other")
        case _:
            note.unlink()
            with file.open("a") as recorder:
                recorder.write(" and more")
    file.parent.rename(rig.folder / "d")
    for _ in range(2):
        assert run_child(rig) == 0
        assert set(rig.notes()) == expected


@pytest.mark.parametrize("what", ["removed", "edited"])
def test_a_sidecar_goes_with_its_folder_as_its_owner_left_it(rig: Rig, what: str) -> None:
    rig.sections = {"notes": {"formats": ["srt"]}}
    rig.drop("c/a.m4a", "hello")
    assert run_child(rig) == 0
    sidecar = rig.folder / "c" / "a.srt"
    if what == "removed":
        sidecar.unlink()
    else:
        sidecar.write_text("mine")
    (rig.folder / "c").rename(rig.folder / "d")
    for _ in range(2):
        assert run_child(rig) == 0
        found = {p.name: p.read_text() for p in (rig.folder / "d").glob("*.srt")}
        assert found == ({} if what == "removed" else {"a.srt": "mine"})


def test_notes_beside_a_recording_that_alone_was_saved_from_its_folder_are_written_again(rig: Rig) -> None:
    file = rig.drop("c/a.m4a", "hello")
    assert run_child(rig) == 0
    file.rename(rig.folder / "a.m4a")
    shutil.rmtree(rig.folder / "c")
    assert run_child(rig) == 0
    assert set(rig.notes()) == both("a")


def test_a_note_that_is_open_while_its_recording_grows_goes_along_with_its_folder(rig: Rig) -> None:
    open_while_it_grows(rig, lambda file: file.parent.rename(rig.folder / "d"), "c/a.m4a")
    assert set(rig.notes()) == both("d/a")
    assert set(linked(rig).values()) == {"a.m4a"}
    assert set(described(rig).values()) == {"a.m4a"}


@pytest.mark.parametrize("renamed_too", [False, True])
def test_killed_while_notes_are_written_and_then_the_folder_renamed_there_is_one_pair(
    rig: Rig, renamed_too: bool
) -> None:
    file = rig.drop("c/a.m4a", "hello" * 20_000)
    assert run_child(rig) == 0
    rig.keep("before")

    def grow() -> None:
        file.unlink()
        file.write_text("hello" * 20_000 + " and more")

    grow()
    steps = steps_of(rig)
    for number in moments_of(steps):
        rig.bring_back("before")
        grow()
        run_child(rig, kill_at=number)
        (rig.folder / "c").rename(rig.folder / "d")
        if renamed_too:
            (rig.folder / "d" / "a.m4a").rename(rig.folder / "d" / "b.m4a")
        for _ in range(2):
            assert run_child(rig) == 0
            where = f"killed at step {number}, {steps[number - 1]}"
            assert set(rig.notes()) == both("d/b" if renamed_too else "d/a"), where
            assert set(described(rig).values()) == {"b.m4a" if renamed_too else "a.m4a"}, where
            assert rig.litter() == [], where


@pytest.mark.parametrize("others", [False, True])
@pytest.mark.parametrize("name", ["a.m4a", "b.m4a"])
def test_a_recording_that_moves_on_from_a_renamed_folder_takes_its_notes_along(
    rig: Rig, others: bool, name: str
) -> None:
    file = rig.drop("june/a.m4a", "hello")
    if others:
        rig.drop("june/other.m4a", "another")
    assert run_child(rig) == 0
    file.parent.rename(rig.folder / "juli")
    (rig.folder / "juli" / "a.m4a").rename(rig.folder / name)
    for _ in range(2):
        assert run_child(rig) == 0
        stem = name.removesuffix(".m4a")
        assert set(rig.notes()) == both(stem) | (both("juli/other") if others else set())


# --- copies that bring notes along ---


@pytest.mark.parametrize("name", ["d/a", "b"])
@pytest.mark.parametrize("edited", ["", "before", "after"])
def test_notes_that_are_copied_with_their_recording_are_known(rig: Rig, name: str, edited: str) -> None:
    rig.drop("c/a.m4a", "hello")
    assert run_child(rig) == 0

    def edit(path: Path) -> None:
        path.write_text(path.read_text() + "mine\n")

    if edited == "before":
        edit(rig.folder / "c" / "a.md")
        assert run_child(rig) == 0
    (rig.folder / "d").mkdir()
    for ending in (".md", ".transcript.md", ".m4a"):
        shutil.copy(rig.folder / "c" / f"a{ending}", rig.folder / f"{name}{ending}")
    if edited == "after":
        edit(rig.folder / f"{name}.md")
    for _ in range(2):
        assert run_child(rig) == 0
        assert set(rig.notes()) == both("c/a") | both(name)
        assert ("mine" in rig.notes()[f"{name}.md"]) == bool(edited)
        file = Path(name).name + ".m4a"
        assert linked(rig)[f"{name}.transcript.md"] == file
    (rig.folder / f"{name}.m4a").rename(rig.folder / "z.m4a")
    assert run_child(rig) == 0
    assert "z.transcript.md" in rig.notes()


def test_after_the_ledger_was_lost_every_copy_has_its_notes(rig: Rig) -> None:
    for name in ("a.m4a", "copy.m4a"):
        rig.drop(name, "hello")
    assert run_child(rig) == 0
    shutil.rmtree(rig.home)
    for _ in range(2):
        assert run_child(rig) == 0
        assert set(rig.notes()) == both("a") | both("copy")
    assert len(rig.query("SELECT 1 FROM artifacts")) == 4


@pytest.mark.parametrize("edited", [False, True])
def test_a_slow_move_that_was_seen_half_done_leaves_nothing_of_the_half(rig: Rig, edited: bool) -> None:
    whole = "hello" * 20_000
    file = rig.drop("a.m4a", whole)
    assert run_child(rig) == 0
    copy = rig.drop("done/b.m4a", whole[:70_000])
    assert run_child(rig) == 0
    assert len(rig.notes()) == 4
    if edited:
        note = rig.folder / "done" / "b.md"
        note.write_text(note.read_text() + "mine\n")
    with copy.open("a") as sync:
        sync.write(whole[70_000:])
    file.unlink()
    for _ in range(2):
        assert run_child(rig) == 0
        assert set(rig.notes()) == both("done/b") | ({"done/b.m4a.md"} if edited else set())
        assert not edited or "mine" in rig.notes()["done/b.md"]


# --- a folder is what it is, and not what it is called ---


def test_a_new_folder_under_the_name_of_a_renamed_one_has_its_own_notes(rig: Rig) -> None:
    rig.drop("c/a.m4a", "hello")
    with Live(rig):
        wait_for(lambda: both("c/a") <= set(rig.notes()), 20, "the notes")
        (rig.folder / "c").rename(rig.folder / "d")
        wait_for(
            lambda: rig.query("SELECT 1 FROM places WHERE path = ?", os.fsencode(rig.folder / "d/a.m4a")), 20
        )
        rig.drop("c/x.m4a", "another")
        wait_for(lambda: both("c/x") <= set(rig.notes()), 20, "its notes")
        (rig.folder / "c" / "x.m4a").rename(rig.folder / "d" / "x.m4a")
        (rig.folder / "c").rename(rig.root / "taken home")
        wait_for(lambda: both("d/x") <= set(rig.notes()), 20, "notes where it is")


def test_every_renamed_folder_of_one_name_has_its_notes_followed(rig: Rig) -> None:
    expected: set[str] = set()
    with Live(rig):
        for number, name in enumerate(("juli", "august", "sept")):
            rig.drop(f"june/{name}.m4a", f"number {number}")
            wait_for(partial(has, rig, both(f"june/{name}")), 20, "the notes")
            (rig.folder / "june").rename(rig.folder / name)
            (rig.folder / name / f"{name}.m4a").rename(rig.folder / f"{name}.m4a")
            expected |= both(name)
            wait_for(partial(has_only, rig, expected), 20, "they follow, and nothing else is there")


@pytest.mark.parametrize("edited", [False, True])
def test_a_folder_whose_name_is_used_again_at_once_leaves_no_note_behind(rig: Rig, edited: bool) -> None:
    rig.drop("Inbox/a.m4a", "hello")
    assert run_child(rig) == 0
    if edited:
        note = rig.folder / "Inbox" / "a.md"
        note.write_text(note.read_text() + "mine\n")
        assert run_child(rig) == 0
    (rig.folder / "Inbox").rename(rig.folder / "June")
    (rig.folder / "Inbox").mkdir()
    (rig.folder / "June" / "a.m4a").rename(rig.folder / "a.m4a")
    for _ in range(2):
        assert run_child(rig) == 0
        assert set(rig.notes()) == both("a") | ({"June/a.md"} if edited else set())
        assert not edited or "mine" in rig.notes()["June/a.md"]


@pytest.mark.parametrize("how", ["to another folder", "to another name", "in two steps"])
@pytest.mark.parametrize("edited", [False, True])
def test_notes_that_move_ahead_of_their_recording_are_not_removed(rig: Rig, how: str, edited: bool) -> None:
    file = rig.drop("c/a.m4a", "hello")
    assert run_child(rig) == 0
    if edited:
        note = rig.folder / "c" / "a.md"
        note.write_text(note.read_text() + "mine\n")
    new = "c/b" if how == "to another name" else "d/a"
    (rig.folder / "d").mkdir()
    for ending in (".md", ".transcript.md"):
        (rig.folder / "c" / f"a{ending}").rename(rig.folder / f"{new}{ending}")
        if how == "in two steps":
            assert run_child(rig) == 0
    assert run_child(rig) == 0
    file = file.rename(rig.folder / f"{new}.m4a")
    for _ in range(2):
        assert run_child(rig) == 0
        assert set(rig.notes()) == both(new)
    with file.open("a") as recorder:
        recorder.write(" and more")
    assert run_child(rig) == 0
    assert set(described(rig)) >= both(new)
    assert f"{new}.m4a".endswith(described(rig)[f"{new}.transcript.md"] or "nothing")


@pytest.mark.parametrize("where", ["archive", ".trash"])
def test_copies_of_notes_that_a_person_keeps_stay_where_they_are(rig: Rig, where: str) -> None:
    file = rig.drop("c/a.m4a", "hello")
    assert run_child(rig) == 0
    archive = rig.folder / where
    archive.mkdir()
    for name in ("a.md", "a.transcript.md"):
        shutil.copy2(rig.folder / "c" / name, archive / name)
    file.rename(rig.folder / "a.m4a")
    shutil.rmtree(rig.folder / "c")
    for _ in range(2):
        assert run_child(rig) == 0
        assert {p.name for p in archive.iterdir()} == {"a.md", "a.transcript.md"}
        assert both("a") <= set(rig.notes())


def test_a_note_is_no_double_of_one_that_is_not_there(rig: Rig) -> None:
    file, copy = rig.drop("a.m4a", "the first"), rig.drop("b0.m4a", "the first")
    assert run_child(rig) == 0
    edited = rig.folder / "b0.md"
    edited.write_text(edited.read_text() + "mine\n")
    copy = copy.rename(rig.folder / "b.m4a")
    assert run_child(rig) == 0
    file.write_bytes(b"the second")
    assert run_child(rig) == 0
    edited.unlink()
    copy.rename(file)
    for _ in range(2):
        assert run_child(rig) == 0
        assert {name for name, of in described(rig).items() if of == "a.m4a"} == both("a")


def test_what_a_rule_took_stays_away_whoever_has_its_name_now(rig: Rig) -> None:
    rig.sections = SUMMARIES_GO
    file = rig.drop("a.m4a", "the first")
    assert run_child(rig) == 0
    take_what_is_due(rig)
    file = file.rename(rig.folder / "z.m4a")
    rig.sections = {}
    assert run_child(rig) == 0
    rig.drop("a.m4a", "the second")
    assert run_child(rig) == 0
    assert set(rig.notes()) == both("a") | {"z.transcript.md"}
    file.rename(rig.folder / "y.m4a")
    assert run_child(rig) == 0
    assert set(rig.notes()) == both("a") | {"y.transcript.md"}
    (rig.folder / "a.md").unlink()
    assert run_child(rig) == 0
    note = bring_back(rig)
    for _ in range(2):
        assert run_child(rig) == 0
        assert described(rig)[note.name] == "y.m4a"
        assert set(rig.notes()) == {note.name, "a.transcript.md", "y.transcript.md"}


@pytest.mark.parametrize("what", ["another recording's note", "a diary"])
def test_what_takes_the_name_of_a_removed_note_is_not_that_note(rig: Rig, what: str) -> None:
    file = rig.drop("a.m4a", "hello")
    assert run_child(rig) == 0
    (rig.folder / "a.md").unlink()
    assert run_child(rig) == 0
    other = "0" * 64
    text = f"---\nearmark_id: {other}\ntype: summary\n---\nmine\n" if "another" in what else "dear diary\n"
    (rig.folder / "a.md").write_text(text)
    assert run_child(rig) == 0
    file.rename(rig.folder / "b.m4a")
    for _ in range(2):
        assert run_child(rig) == 0
        assert set(rig.notes()) == {"a.md", "b.transcript.md"}
        assert rig.notes()["a.md"] == text


def test_a_link_to_the_former_name_of_its_own_transcript_is_no_edit(rig: Rig) -> None:
    file = rig.drop("a.m4a", "the first")
    assert run_child(rig) == 0
    note = rig.folder / "a.transcript.md"
    note.write_text(note.read_text() + "mine\n")
    file.write_bytes(b"the second")
    assert run_child(rig) == 0
    file.rename(rig.folder / "b.m4a")
    for name in rig.notes():
        path = rig.folder / name
        path.write_text(path.read_text().replace("[[a.m4a]]", "[[b.m4a]]").replace("[[a.m4a#", "[[b.m4a#"))
    for _ in range(2):
        assert run_child(rig) == 0
        assert "b.md" in rig.notes()
        assert described(rig)["b.md"] == "b.m4a"


# --- links that a person lets lead elsewhere ---


@pytest.mark.parametrize("how", ["one", "all", "the property", "the transcript"])
@pytest.mark.parametrize("then", ["a later summary", "renamed"])
@pytest.mark.parametrize("dialect", ["obsidian", "plain"])
def test_a_link_that_a_person_lets_lead_to_another_recording_stays(
    rig: Rig, how: str, then: str, dialect: str
) -> None:
    rig.sections = {"notes": {"dialect": dialect}}
    rig.drop("talk.m4a", "hello")
    rig.drop("other.m4a", "another one")
    assert run_child(rig) == 0
    note = rig.folder / "talk.md"
    text = note.read_text()
    name, to = (
        ("talk.transcript", "other.transcript") if how == "the transcript" else ("talk.m4a", "other.m4a")
    )
    property_, rest = re.split(r"(?<=\n---\n)", text, maxsplit=1)
    if how == "the property":
        text = property_.replace(name, to) + rest
    elif how == "one":
        text = property_ + rest.replace(name, to, 1)
    else:
        text = text.replace(name, to)
    assert text != note.read_text()
    note.write_text(text)
    if then == "renamed":
        assert run_child(rig) == 0
        with Ledger(rig.installed.ledger_file) as ledger:
            ledger.places.owe_all(Owed.POLICY)
        assert run_child(rig) == 0
        (rig.folder / "talk.m4a").rename(rig.folder / "call.m4a")
    else:
        another_summary(rig, "A later one.")
    in_properties = (how, dialect, then) == ("the property", "plain", "a later summary")
    for _ in range(2):
        assert run_child(rig) == 0
        if in_properties:
            # A property of theirs stays in the later version.
            assert re.search(rf"^\w+: \"?{re.escape(to)}", rig.notes()["talk.md"], re.MULTILINE)
            assert "A later one." in rig.notes()["talk.md"]
        else:
            assert rig.notes()["talk.md"] == text


def test_names_that_are_swapped_in_a_notes_app_swap_their_notes(rig: Rig) -> None:
    rig.drop("a.m4a", "the first")
    rig.drop("b.m4a", "the second")
    assert run_child(rig) == 0
    for old, new in (("a", "aside"), ("b", "a"), ("aside", "b")):
        (rig.folder / f"{old}.m4a").rename(rig.folder / f"{new}.m4a")
        for name in rig.notes():
            note = rig.folder / name
            note.write_text(note.read_text().replace(f"[[{old}.m4a", f"[[{new}.m4a"))
    for _ in range(2):
        assert run_child(rig) == 0
        assert described(rig) == dict.fromkeys(both("a"), "a.m4a") | dict.fromkeys(both("b"), "b.m4a")
        assert linked(rig) == described(rig)
        assert states(rig) == {"here"}


# --- another layout than before ---


def another_summary(rig: Rig, text: str) -> None:
    """A better summary of each recording has been made."""
    with Ledger(rig.installed.ledger_file) as ledger:
        for recording in ledger.recordings.all():
            ledger.words.store_summary(Summary(recording.id, "extractive", "t", text), Instant(time()))


@pytest.mark.parametrize(("before", "after"), [("one-file", "two-files"), ("two-files", "one-file")])
@pytest.mark.parametrize("edited", [False, True])
def test_a_later_summary_is_written_in_whichever_layout_is_asked_for_now(
    rig: Rig, before: str, after: str, edited: bool
) -> None:
    rig.drop("talk.m4a", "hello")
    rig.sections = {"notes": {"layout": before}}
    assert run_child(rig) == 0
    if edited:
        note = rig.folder / "talk.md"
        note.write_text(note.read_text() + "mine\n")
    rig.sections = {"notes": {"layout": after}}
    another_summary(rig, "A later one.")
    for _ in range(2):
        assert run_child(rig) == 0
        notes = rig.notes()
        summary = notes["talk (new).md" if edited else "talk.md"]
        assert "A later one." in summary
        assert ("## Transcript" in summary) == (after == "one-file")
        assert set(notes) == {"talk.md", "talk.transcript.md", *(["talk (new).md"] if edited else [])}
        assert not edited or "mine" in notes["talk.md"]


@pytest.mark.parametrize("layout", ["one-file", "two-files"])
@pytest.mark.parametrize("then", ["edited", "removed"])
def test_notes_of_a_version_that_counted_them_otherwise_are_as_current_as_they_were(
    rig: Rig, layout: str, then: str
) -> None:
    rig.drop("talk.m4a", "hello")
    rig.sections = {"notes": {"layout": layout}}
    assert run_child(rig) == 0
    note = rig.folder / "talk.md"
    if then == "edited":
        note.write_text(note.read_text() + "mine\n")
    else:
        note.unlink()
    (rig.folder / "talk.m4a").rename(rig.folder / "call.m4a")
    assert run_child(rig) == 0
    was = rig.notes()
    with contextlib.closing(sqlite3.connect(rig.installed.ledger_file)) as db, db:
        for table in ("artifacts", "removed"):
            db.execute(
                f"UPDATE {table} SET rev = ? WHERE kind = 'summary'", (2 if layout == "one-file" else 1,)
            )
        db.execute("ALTER TABLE artifacts DROP COLUMN lay_in")
        db.execute("ALTER TABLE heard DROP COLUMN language")
        db.execute("ALTER TABLE heard DROP COLUMN english")
        db.execute("DROP TABLE drafts")
        take_speakers_out(db)
        db.execute("PRAGMA user_version = 6")
    (rig.folder / "call.m4a").rename(rig.folder / "again.m4a")
    assert run_child(rig) == 0
    assert set(rig.notes()) == {name.replace("call", "again") for name in was}
    another_summary(rig, "A later one.")
    assert run_child(rig) == 0
    assert any("A later one." in text for text in rig.notes().values())
