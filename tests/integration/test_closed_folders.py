"""A program's own folders, through the commands: refused as drop folders, and left alone in one above them."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from earmark.cli import service
from earmark.cli.main import app
from earmark.context import Context
from earmark.intake.rules import Rules
from earmark.intake.watcher import Hinting
from earmark.ledger import Ledger
from earmark.retention.held import everything_held
from earmark.retention.notes_seen import NotesSeen
from typer.testing import CliRunner
from watchdog.events import (
    DirCreatedEvent,
    DirModifiedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileOpenedEvent,
    FileSystemEvent,
)

from tests.daemon_rig import Rig, quick_config, supervisor

MEMOS = "Library/Group Containers/group.com.apple.VoiceMemos.shared/Recordings"

CLOSED = (
    "Pictures/Photos Library.photoslibrary/originals/0", "Music/Song.band/Media", "Music/Demo.logicx/Media",
    "Movies/Trip.fcpbundle/Event", "Movies/iMovie Library.imovielibrary/Event", "Movies/Take.qtpxcomposition",
    "talk.m4a.download", MEMOS, "Library/Containers/x/Data", "Library/Application Support/com.apple.voicememos/Recordings",
)  # fmt: skip


@pytest.fixture
def user(tmp_path: Path) -> Path:
    """A home with the folders of a Mac in it."""
    for name in CLOSED:
        (tmp_path / "me" / name).mkdir(parents=True)
    os.environ["HOME"] = str(tmp_path / "me")
    return tmp_path / "me"


def say(rig: Rig, *words: str | Path) -> tuple[int, str]:
    """What a command says, in one line."""
    os.environ |= {"EARMARK_HOME": str(rig.home), "COLUMNS": "200", "NO_COLOR": "1"}
    done = CliRunner().invoke(app, [*map(str, words)])
    return done.exit_code, " ".join(done.output.split())


def configure(rig: Rig, *folders: Path) -> None:
    rig.installed.config.mkdir(parents=True)
    rig.installed.config_file.write_text("".join(f"[[folder]]\npath = {str(f)!r}\n" for f in folders))


@pytest.mark.shows("macos:refused")
@pytest.mark.shows("decisions:closed-folders")
def test_a_program_s_own_folder_is_refused_wherever_a_drop_folder_is_named(
    user: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path)
    folders = [user / MEMOS, user / "Library/Containers/x", user / "Pictures/Photos Library.photoslibrary"]
    monkeypatch.setattr(service, "_require_a_manager", lambda _: None)
    monkeypatch.setattr(service, "install_unit", lambda *_: pytest.fail("it was installed"))
    answers = [say(rig, "run", *folders, "--once"), say(rig, "service", "install", *folders)]
    configure(rig, *folders)
    for code, said in (*answers, say(rig, "config", "check")):
        assert code == 78, said
        assert "where Voice Memos keeps its recordings" in said
        assert "(a Shortcut can save them there)" in said
        assert (
            "lies in Library/Containers, which macOS keeps for programs alone; let the program export" in said
        )
        assert "is a library of Photos; export what is to be heard into a folder of your own" in said
    assert not any(file.is_file() for file in user.rglob("*")), "something was written there"


@pytest.mark.shows("macos:packages")
@pytest.mark.shows("decisions:closed-folders")
def test_from_a_folder_above_them_nothing_in_them_is_taken_and_status_says_so(
    user: Path, tmp_path: Path
) -> None:
    rig = Rig(tmp_path)
    for name in (*CLOSED, "Music"):
        (user / name / "one.m4a").write_text(f"in {name}")
    assert supervisor(rig.installed, (user,), quick_config(), once=True).run() == 0
    assert {str(p.relative_to(user)) for p in user.rglob("*.md")} == {
        "Music/one.md",
        "Music/one.transcript.md",
    }
    status = json.loads(say(rig, "status", "--json")[1])
    assert status["counts"]["recordings"] == 1
    assert status["closed"] == {
        ".photoslibrary": 1, ".band": 1, ".logicx": 1, ".fcpbundle": 1, ".imovielibrary": 1, ".qtpxcomposition": 1,
        ".download": 1, "Group Containers": 1, "Containers": 1, "com.apple.voicememos": 1,
    }  # fmt: skip
    configure(rig, user)
    assert "10 folders that belong to programs are not looked into:" in say(rig, "status")[1]
    why = say(rig, "why", user / MEMOS / "one.m4a")[1]
    assert "is not looked into: it is a program's own (Group Containers)" in why
    shutil.rmtree(user / "Library")
    assert supervisor(rig.installed, (user,), quick_config(), once=True).run() == 0
    assert "Containers" not in json.loads(say(rig, "status", "--json")[1])["closed"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        *((name, "a download that is not finished") for name in (
            "talk.m4a.download", "Talk.QTA.Download", "talk.wav.crdownload", "talk.mp3.tmp", "talk.m4a.!ut",
            "talk.mov.aria2", "talk.m4a.sb-12ab34cd-Xy", "talk.m4a.icloud",
        )),
        *((name, "a program's own") for name in (
            "Photos Library.PhotosLibrary", "FILM.FCPBUNDLE", "My Song.Band", "IMG_0001.pvt", "Talk.dvdmedia",
        )),
        *((name, None) for name in ("Band", "talk.m4a", "Talks.download", "tmp", "x.m4a (2)", "a.photoslibrary copy")),
    ],
)  # fmt: skip
def test_a_folder_is_a_program_s_own_by_its_ending_however_that_is_written(
    name: str, why: str | None
) -> None:
    said = Rules().why_not_folder(name, name)
    assert (said is None) if why is None else (why in (said or ""))


def test_of_notes_those_in_documents_count_and_those_in_libraries_do_not(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.drop("one.m4a", "one")
    assert rig.run_once() == 0
    kept = rig.notes()["one.md"].replace("---\n", "---\nkeep: true\n", 1)
    library, document = rig.folder / "Photos.photoslibrary/memo.md", rig.folder / "Diary.textbundle/text.md"
    for note in (library, document):
        note.parent.mkdir()
        note.write_text(kept)
        note.with_name(".earmark-hold").touch()
    with Ledger(rig.installed.ledger_file) as ledger:
        context = Context(ledger, rig.installed, rig.config(), (rig.folder,))
        NotesSeen(context).inspect_everywhere()
        held = {hold.path for hold in everything_held(context)}
    assert held == {document, document.with_name(".earmark-hold")}


@pytest.mark.parametrize(
    ("event", "is_hint"),
    [(FileCreatedEvent("/r/x.photoslibrary/originals/1.m4a"), False), (DirModifiedEvent("/r/x.photoslibrary"), False),
     (FileMovedEvent("/r/x.m4a.download/x.m4a", "/r/x.m4a"), True), (DirCreatedEvent("/r/x.photoslibrary"), True),
     (FileDeletedEvent("/r/x.photoslibrary/1.m4a"), False), (FileModifiedEvent("/private/r/x.band/1.m4a"), True),
     (FileModifiedEvent("/r/a/1.m4a"), True), (FileOpenedEvent("/r/a/1.m4a"), False)],
    ids=lambda value: getattr(value, "src_path", value),
)  # fmt: skip
def test_what_happens_in_them_is_no_hint_to_look(event: FileSystemEvent, is_hint: bool) -> None:
    hints: list[Path] = []
    Hinting(Path("/r"), hints.append).on_any_event(event)
    assert bool(hints) == is_hint
