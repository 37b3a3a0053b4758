"""Whole lives of recordings on disks that fold case and Unicode form, as a Mac's, a stick's and a share's do: one file is
one recording with one pair of notes, however its name is written by the Finder, in the configuration, or by hand.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import typer
from earmark.cli import export, receipts, retention, retry, trash, why
from earmark.cli.forget import forget
from earmark.cli.hold import hold
from earmark.config import folder_problems
from earmark.files import spelled
from earmark.intake.rules import Rules
from typer.testing import CliRunner

from tests.daemon_rig import Rig, run_child, supervisor
from tests.folding_disk import clobbered, folding_disk

app = typer.Typer()
for verb in (why.why, retry.retry, hold, forget):
    app.command()(verb)
for name, verbs in (("retention", retention), ("trash", trash), ("export", export), ("receipts", receipts)):
    app.add_typer(verbs.app, name=name)


def composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def decomposed(name: str) -> str:
    return unicodedata.normalize("NFD", name)


@contextmanager
def on_a_disk(root: Path, like: str, **sections: dict[str, Any]) -> Iterator[Rig]:
    """The drop folder is the disk; nothing with something in it may be written over."""
    with folding_disk(root / "backing", root / "Recordings", like):
        yield Rig(root, sections)
        assert clobbered(root / "backing") == []


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Say a verb in the installation of `tmp_path`; returns what it prints."""
    monkeypatch.setenv("EARMARK_HOME", str(tmp_path / "home"))
    config = tmp_path / "home" / "config" / "config.toml"

    def run(*words: str | Path, answers: int = 0, configured: str = "") -> str:
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text(configured)
        result = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "300"})
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert result.exit_code == answers, result.output
        return composed(result.output)

    return run


def seen(rig: Rig) -> set[str]:
    """What a person sees in the drop folder."""
    files = (p for p in rig.folder.rglob("*") if p.is_file() and ".earmark-trash" not in p.parts)
    return {composed(str(p.relative_to(rig.folder))) for p in files}


def heard(rig: Rig) -> int:
    return len(rig.events("transcribed"))


@pytest.mark.shows("macos:spelling")
@pytest.mark.parametrize("like", ["apfs", "hfs", "exfat"])
def test_a_recording_lives_under_many_spellings_and_is_one(tmp_path: Path, say: Any, like: str) -> None:
    with on_a_disk(tmp_path, like) as rig:
        # The Finder decomposes names, and an app composes them.
        file = rig.drop(decomposed("Gespräch.m4a"))
        rig.drop("Other.m4a", "another")
        assert run_child(rig) == 0
        before = {"Other.m4a", "Other.md", "Other.transcript.md"}
        assert seen(rig) == before | {"Gespräch.m4a", "Gespräch.md", "Gespräch.transcript.md"}

        # Renamed by case, by form and by ending at once.
        file.rename(rig.folder / composed("gespräch.MP4"))
        assert run_child(rig) == 0
        assert seen(rig) == before | {"gespräch.MP4", "gespräch.md", "gespräch.transcript.md"}

        # Edited, and then renamed: the edited note stays under the name that its owner knows.
        note = rig.folder / "gespräch.md"
        note.write_text(note.read_text() + "mine\n")
        (rig.folder / "gespräch.MP4").rename(rig.folder / decomposed("GESPRÄCH.m4a"))
        assert run_child(rig) == 0
        assert seen(rig) == before | {"GESPRÄCH.m4a", "gespräch.md", "GESPRÄCH.transcript.md"}
        assert note.read_text().endswith("mine\n")

        # Asked for as one types it.
        typed = rig.folder / composed("Gespräch.m4a")
        assert "GESPRÄCH.m4a: done" in say("why", typed)
        assert "you edited this note" in say("why", rig.folder / "GESPRÄCH.MD")
        assert "GESPRÄCH.m4a: held" in say("hold", typed)
        say("hold", "--release", typed)
        assert "will be tried again" in say("retry", rig.folder / "OTHER.transcript.MD")
        assert run_child(rig) == 0

        # Taken away and brought back in another spelling.
        sound = typed.read_bytes()
        typed.unlink()
        assert run_child(rig) == 0
        assert "GESPRÄCH.m4a: done" in say("why", typed)
        typed.write_bytes(sound)
        assert run_child(rig) == 0
        assert len(seen(rig)) == 6
        assert len(rig.query("SELECT 1 FROM places WHERE gone_at IS NULL")) == 2
        assert (heard(rig), rig.litter()) == (3, [])

        # Forgotten, by the name that it has no longer.
        said = say("forget", "--yes", rig.folder / "gespräch.M4A")
        assert "delete it yourself" not in said
        assert seen(rig) == before
        assert run_child(rig) == 0
        assert seen(rig) == before


@pytest.mark.parametrize("like", ["apfs", "smb"])
def test_what_a_rule_took_is_restored_by_whichever_spelling(tmp_path: Path, say: Any, like: str) -> None:
    rules = {"audio": {"keep_last": 1}}
    configured = "[retention.audio]\nkeep_last = 1\n"
    with on_a_disk(tmp_path, like, retention=rules) as rig:
        rig.drop("Calls/Talk 2026-01-01.m4a", "one")
        rig.drop("Calls/Talk 2026-02-01.m4a", "two")
        assert run_child(rig) == 0
        (rig.folder / "Calls").rename(rig.folder / "calls")
        assert run_child(rig) == 0
        say("retention", "apply", "--yes", configured=configured)
        assert len([name for name in seen(rig) if name.endswith(".m4a")]) == 1
        # What the plan says of a folder, and what the trash has, is found by other spellings, too.
        say("retention", "plan", rig.folder / "CALLS", configured=configured)
        receipt = say("receipts", "list", rig.folder / "CALLS" / "talk 2026-01-01.M4A", configured=configured)
        assert "trashed" in receipt
        say("trash", "restore", rig.folder / "Calls" / "TALK 2026-01-01.m4a", configured=configured)
        assert len([name for name in seen(rig) if name.endswith(".m4a")]) == 2
        assert run_child(rig) == 0
        assert sorted(seen(rig)) == sorted(
            f"calls/Talk 2026-0{n}-01.{end}" for n in (1, 2) for end in ("m4a", "md", "transcript.md")
        )
        assert (heard(rig), rig.litter()) == (2, [".earmark-trash"])


@pytest.mark.parametrize("like", ["exfat", "smb"])
def test_an_export_goes_onto_a_stick_as_a_folder_and_as_a_zip(tmp_path: Path, say: Any, like: str) -> None:
    rig = Rig(tmp_path)
    rig.drop(composed("Gespräch.m4a"))
    assert run_child(rig) == 0
    with folding_disk(tmp_path / "backing", tmp_path / "stick", like) as stick:
        for name in ("export", "export.zip"):
            say("export", "--out", stick / name)
            assert "as exported" in say("export", "verify", stick / name.upper())
            assert "is there already" in say("export", "--out", stick / name.upper(), answers=2)
        say("receipts", "export", "--out", stick / "receipts.jsonl")
        assert "exists already" in say("receipts", "export", "--out", stick / "Receipts.jsonl", answers=2)
        assert sorted(p.name for p in stick.iterdir()) == ["export", "export.zip", "receipts.jsonl"]
        assert clobbered(tmp_path / "backing") == []


def test_a_folder_in_two_spellings_is_one(tmp_path: Path, say: Any) -> None:
    with on_a_disk(tmp_path, "apfs") as rig:
        (rig.folder / "Calls").mkdir()
        calls, same = rig.folder / "Calls", rig.folder / "calls"
        assert folder_problems((calls, same), rig.installed) == [
            f"{same}: is the same folder as {calls}; name it once"
        ]
        missing, again = rig.folder / "Later", rig.folder / "later"
        assert folder_problems((missing, again), rig.installed)
        assert spelled(rig.folder / "CALLS" / "not there.m4a") == calls / "not there.m4a"
        # One that lies in another and is written otherwise than the disk has it: its recordings are met once.
        rig.drop("Calls/a.m4a")
        for _ in range(2):
            assert supervisor(rig.installed, (rig.folder, same), rig.config(), once=True).run() == 0
        assert seen(rig) == {"Calls/a.m4a", "Calls/a.md", "Calls/a.transcript.md"}
        assert len(rig.query("SELECT 1 FROM places")) == 1
        # An export into a folder from which recordings are taken is refused, however that is written.
        said = say("export", "--out", rig.folder / "CALLS" / "out.zip", answers=2, configured=(
            f"[[folder]]\npath = '{rig.folder}'\n"
        ))  # fmt: skip
        assert "lies in the drop folder" in said


@pytest.mark.parametrize("name", ["Встречи", "ΚΛΉΣΕΙΣ", "Éé", "회의"])
def test_a_folder_without_a_latin_letter_is_one_in_two_spellings_as_well(tmp_path: Path, name: str) -> None:
    other = decomposed(composed(name).swapcase())
    with on_a_disk(tmp_path, "apfs") as rig:
        file = rig.drop(f"{name}/1.m4a")
        same = rig.folder / other
        assert spelled(same / "1.M4A") == file
        assert folder_problems((file.parent, same), rig.installed)
        for _ in range(2):
            assert supervisor(rig.installed, (rig.folder, same), rig.config(), once=True).run() == 0
        assert seen(rig) == {composed(f"{name}/1.{end}") for end in ("m4a", "md", "transcript.md")}
        assert len(rig.query("SELECT 1 FROM places")) == 1


def test_a_drop_folder_that_is_written_otherwise_keeps_its_notes(tmp_path: Path) -> None:
    with on_a_disk(tmp_path, "apfs") as rig:
        rig.drop("Voice/a.m4a")
        rig.drop("Voice/Sub/b.m4a", "another")
        voice = rig.folder / "Voice"
        assert supervisor(rig.installed, (voice,), rig.config(), once=True).run() == 0
        edited, removed = voice / "a.md", voice / "Sub" / "b.md"
        edited.write_text(edited.read_text() + "mine\n")
        removed.unlink()
        assert supervisor(rig.installed, (voice,), rig.config(), once=True).run() == 0
        voice.rename(rig.folder / "voice")
        expected = {
            f"voice/{name}"
            for name in ("a.m4a", "a.md", "a.transcript.md", "Sub/b.m4a", "Sub/b.transcript.md")
        }
        for name in ("voice", "VOICE", "voice"):
            assert supervisor(rig.installed, (rig.folder / name,), rig.config(), once=True).run() == 0
            assert seen(rig) == expected
            assert edited.read_text().endswith("mine\n")
        assert (heard(rig), len(rig.query("SELECT 1 FROM places"))) == (2, 2)


def test_what_looks_the_same_in_a_pattern_is_the_same() -> None:
    for pattern in (composed("Entwürfe/"), decomposed("Entwürfe/")):
        rules = Rules((pattern,))
        for name in (composed("Entwürfe"), decomposed("Entwürfe")):
            assert rules.why_not_folder(name, name) is not None


def test_on_a_disk_that_tells_case_apart_names_in_other_case_are_other_names(
    tmp_path: Path, say: Any
) -> None:
    rig = Rig(tmp_path)
    file = rig.drop(decomposed("Gespräch.m4a"))
    assert run_child(rig) == 0
    assert "done" in say("why", rig.folder / composed("Gespräch.m4a"))  # the same to the eye
    for there in (True, False):
        assert "no such file" in say("why", rig.folder / decomposed("gespräch.m4a"), answers=66)
        assert "no such file" in say("why", rig.folder / "GESPRÄCH.md", answers=66)
        if there:
            file.unlink()
            assert run_child(rig) == 0


@pytest.mark.parametrize("like", ["apfs", "hfs", "exfat"])
def test_names_that_are_changed_about_and_taken_up_again_in_another_case_are_the_same_names(
    tmp_path: Path, like: str
) -> None:
    with on_a_disk(tmp_path, like) as rig:
        one, two = rig.drop("überblick.m4a", "one"), rig.drop("Talk.m4a", "two")
        assert run_child(rig) == 0

        # Two recordings change names, and each is written otherwise.
        one.rename(rig.folder / "aside")
        two.rename(rig.folder / "ÜBERBLICK.m4a")
        (rig.folder / "aside").rename(rig.folder / "talk.m4a")
        assert run_child(rig) == 0
        swapped = {
            f"{stem}.{end}" for stem in ("ÜBERBLICK", "talk") for end in ("m4a", "md", "transcript.md")
        }
        assert seen(rig) == swapped
        for note, text in rig.notes().items():
            said = next(line for line in composed(text).splitlines() if line.startswith("recording: "))
            assert f"{composed(note).partition('.')[0]}.m4a" in said

        # A copy, whose original goes, is put in its place.
        copy = rig.drop("Calls/Talk.m4a", "one")
        assert run_child(rig) == 0
        (rig.folder / "talk.m4a").unlink()
        assert run_child(rig) == 0
        copy.rename(rig.folder / "TALK.m4a")
        assert run_child(rig) == 0
        here = {name for name in seen(rig) if "/" not in name}
        assert here == {name.replace("talk", "TALK") for name in swapped}
        assert (heard(rig), rig.litter(), rig.troubles()) == (2, [], {})
