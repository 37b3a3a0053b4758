"""Corrections teach: a name that was corrected in two sentences is offered, and heard rightly once somebody accepts it.

The real supervisor on a real folder; only the workers are stand-ins (tests/standin_worker.py says why), but for one test.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from earmark.cli.main import app
from typer.testing import CliRunner, Result

from tests.conftest import QUICK, Installation, wait_for
from tests.daemon_rig import Live, Rig, run_child
from tests.integration.test_corrected_words import EVERYTHING
from tests.integration.test_named_speakers import change

NAMES = Path(__file__).parents[1] / "fixtures" / "names.opus"


def earmark(rig: Rig, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments], env={"EARMARK_HOME": str(rig.home), "COLUMNS": "300"})


def said(rig: Rig, *arguments: str, status: int = 0) -> str:
    found = earmark(rig, *arguments)
    assert found.exit_code == status, found.output
    return " ".join(found.output.split())


def listed(rig: Rig) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(earmark(rig, "vocabulary", "list", "--json").stdout)
    assert found.pop("version") == 1
    return found


def expected_in(rig: Rig, name: str) -> str | None:
    """What a recording that begins with `expects` was heard with, once it was."""
    file = rig.folder / f"{name}.txt"
    return file.read_text().partition("Expects ")[2].partition(".")[0] if file.exists() else None


def corrected(tmp_path: Path) -> Rig:
    """A name that was corrected in two recordings."""
    rig = Rig(tmp_path, {**EVERYTHING})
    rig.drop("talk.m4a", "hello")
    rig.drop("call.m4a", "another")
    assert run_child(rig) == 0
    change(rig, "talk.transcript.md", ("says number 1", "Seyes number 1"))
    change(rig, "call.transcript.md", ("says number 0", "Seyes number 0"))
    assert run_child(rig) == 0
    return rig


@pytest.mark.shows("transcription:offered", "transcription:vocabulary-list", "readme:vocabulary")
def test_a_name_that_was_corrected_twice_is_offered_until_somebody_has_said_what_to_do(
    tmp_path: Path,
) -> None:
    rig = Rig(tmp_path, {**EVERYTHING})
    rig.drop("talk.m4a", "hello")
    rig.drop("call.m4a", "another")
    assert run_child(rig) == 0
    change(rig, "talk.transcript.md", ("says number 1", "Seyes number 1"))
    assert run_child(rig) == 0
    assert "Nothing is offered" in said(rig, "vocabulary", "list")
    assert "vocabulary" not in said(rig, "status")
    change(rig, "call.transcript.md", ("says number 0", "Seyes number 0"))
    assert run_child(rig) == 0
    line = "A name or term that you corrected more than once can be heard rightly: earmark vocabulary list"
    assert said(rig, "status").count(line) == 1
    assert json.loads(earmark(rig, "status", "--json").stdout)["words_offered"] == 1
    (offer,) = listed(rig)["offered"]
    assert (offer["word"], offer["heard"], offer["times"]) == ("Seyes", ["says"], 2)
    assert {each["path"] for each in offer["recordings"]} == {
        str(rig.folder / f"{n}.m4a") for n in ("talk", "call")
    }
    shown = said(rig, "vocabulary", "list")
    assert "Seyes says 2" in shown
    assert "and 1 other" in shown
    # Ignored it is not offered again, forgotten it is, and a configured one needs no offer.
    assert said(rig, "vocabulary", "ignore", "Seyes") == "Seyes: not offered any more, and not expected"
    assert said(rig, "vocabulary", "ignore", "Seyes") == "Seyes: was ignored before"
    assert "vocabulary list" not in said(rig, "status")
    found = listed(rig)
    assert (found["offered"], found["accepted"], found["ignored"]) == ([], [], ["Seyes"])
    assert "Ignored: Seyes" in said(rig, "vocabulary", "list")
    said(rig, "vocabulary", "forget", "seyes")
    assert [each["word"] for each in listed(rig)["offered"]] == ["Seyes"]
    assert "was neither accepted nor ignored" in said(rig, "vocabulary", "forget", "seyes", status=66)
    for setting in ('vocabulary = ["seyes"]', 'replace = { "says" = "Seyes" }'):
        (rig.home / "config" / "config.toml").write_text(f"[transcription]\n{setting}\n")
        assert listed(rig)["offered"] == []


@pytest.mark.shows("transcription:offered-often")
def test_every_name_that_was_corrected_again_and_again_is_offered_however_it_sounds(tmp_path: Path) -> None:
    rig = Rig(tmp_path, {**EVERYTHING})
    rig.drop("talk.m4a", "hello")
    assert run_child(rig) == 0
    change(
        rig,
        "talk.transcript.md",
        ("Recording", "Nguyen"),
        ("says", "Priya"),
        ("number", "Ng"),
        ("here", "Jo"),
    )
    assert run_child(rig) == 0
    found = {each["word"]: (each["heard"], each["times"]) for each in listed(rig)["offered"]}
    assert found == {
        "Nguyen": (["Recording"], 3),
        "Priya": (["says"], 3),
        "Ng": (["number"], 3),
        "Jo": (["here"], 3),
    }


@pytest.mark.shows("transcription:accepted", "transcription:vocabulary-file")
def test_an_accepted_word_is_expected_by_a_running_daemon_and_lives_in_a_file_that_a_person_may_edit(
    tmp_path: Path,
) -> None:
    rig = corrected(tmp_path)
    rig.sections["transcription"] = {"vocabulary": ["Helstone"]}
    file = rig.installed.vocabulary_file
    with Live(rig):
        assert "Seyes: expected from" in said(rig, "vocabulary", "accept", "seyes", "Annika Lindqvist")
        assert file.stat().st_mode & 0o777 == 0o600
        rig.drop("third.m4a", "expects\nthird")
        wait_for(lambda: expected_in(rig, "third"), 20, "the third transcript")
        assert expected_in(rig, "third") == "Helstone, Seyes, Annika Lindqvist"
        # What a person writes there counts; their remarks and their order stay.
        file.write_text("# of my own\r\nSeyes\r\n\nWu\u0308rth\n- Annika Lindqvist\n")
        file.chmod(0o640)
        said(rig, "vocabulary", "accept", "Nowak")
        assert "Seyes: was accepted before" in said(rig, "vocabulary", "accept", "Seyes")
        assert (
            file.read_bytes() == "# of my own\r\nSeyes\r\n\nWu\u0308rth\n- Annika Lindqvist\nNowak\n".encode()
        )
        assert file.stat().st_mode & 0o777 == 0o640
        rig.drop("fourth.m4a", "expects\nfourth")
        wait_for(lambda: expected_in(rig, "fourth"), 20, "the fourth transcript")
        assert expected_in(rig, "fourth") == "Helstone, Seyes, Würth, Nowak"
        # Recordings that were heard before stay as they are, and what was expected is written down nowhere else.
        assert expected_in(rig, "third") == "Helstone, Seyes, Annika Lindqvist"
        assert "Nowak" not in str(rig.query("SELECT settings FROM transcripts"))
    rig.installed.ledger_file.unlink()
    assert "Accepted: Seyes, Würth, Nowak Ignored: Annika Lindqvist" in said(rig, "vocabulary", "list")
    said(rig, "vocabulary", "ignore", "Nowak")
    assert listed(rig)["accepted"] == ["Seyes", "Würth"]
    # A link, as keepers of settings make it, stays one.
    elsewhere = file.rename(tmp_path / "dotfile")
    file.symlink_to(elsewhere)
    said(rig, "vocabulary", "forget", "Nowak", "Seyes")
    assert file.is_symlink()
    assert "Seyes" not in elsewhere.read_text()
    for word in ("", "12", "#x", "a\0b", "x" * 101):
        assert "one word or name" in said(rig, "vocabulary", "accept", "--", word, status=2) or word in (
            "#x",
            "a\0b",
        )


@pytest.mark.shows("privacy:vocabulary")
def test_an_offer_goes_with_the_recordings_it_comes_from_and_an_accepted_word_when_it_is_forgotten(
    tmp_path: Path,
) -> None:
    rig = corrected(tmp_path)
    said(rig, "vocabulary", "accept", "Seyes")
    assert "vocabulary.txt" in said(rig, "privacy")
    told = said(rig, "forget", "--yes", str(rig.folder / "talk.m4a"))
    assert "`earmark vocabulary forget` takes one out" in told
    assert listed(rig)["accepted"] == ["Seyes"]
    said(rig, "vocabulary", "forget", "Seyes")
    assert "Seyes" not in rig.installed.vocabulary_file.read_text()
    assert listed(rig)["offered"] == []


@pytest.mark.shows("transcription:vocabulary-broken")
@pytest.mark.parametrize("what", ["bytes", "a pipe", "a folder", "too large", "odd lines"])
def test_a_file_of_words_that_cannot_be_read_stops_nothing_and_is_named(tmp_path: Path, what: str) -> None:
    rig, file = Rig(tmp_path, {**EVERYTHING}), Rig(tmp_path).installed.vocabulary_file
    file.parent.mkdir(parents=True)
    match what:
        case "bytes":
            file.write_bytes(b"Meier\n\xff\xfe\n")
        case "a pipe":
            os.mkfifo(file)
        case "a folder":
            file.mkdir()
        case "too large":
            file.write_text("Meier\n" * 100_000)
        case _:
            file.write_text(f"Meier\n{'x' * 200}\n12\n\x07bell\n")
    rig.drop("talk.m4a", "expects\nhello")
    assert run_child(rig) == 0
    if what == "odd lines":
        assert expected_in(rig, "talk") == "Meier"
        assert "line 2: has more than 100 characters" in said(rig, "vocabulary", "list")
        assert "vocabulary.txt, line 3: has no letter in it" in said(rig, "doctor", status=1)
        return
    assert expected_in(rig, "talk") == "None"
    assert "vocabulary.txt cannot be read" in said(rig, "why", str(rig.folder / "talk.m4a"))
    assert "vocabulary.txt cannot be read" in said(rig, "doctor", status=1)
    before = file.read_bytes() if file.is_file() else b""
    for verb in (("list",), ("accept", "Anna"), ("ignore", "Anna")):
        assert "vocabulary.txt: cannot be" in said(rig, "vocabulary", *verb, status=74)
    assert said(rig, "status")
    assert (file.read_bytes() if file.is_file() else b"") == before


@pytest.mark.speech
@pytest.mark.shows("transcription:accepted")
def test_a_name_that_was_corrected_in_two_recordings_is_heard_in_the_third(
    installation: Installation,
) -> None:
    installation.configure(QUICK)
    installation.daemon()

    def recorded(name: str, number: int) -> Path:
        # Bytes behind the sound make it another recording.
        (installation.folder / f"{name}.opus").write_bytes(NAMES.read_bytes() + b"\0" * number)
        note = installation.folder / f"{name}.transcript.md"
        wait_for(note.exists, 60, "its note")
        return note

    def corrections() -> int:
        return sum(event["event"] == "corrected" for event in installation.events())

    def corrected_in(name: str, number: int) -> None:
        note = recorded(name, number)
        text = note.read_text()
        assert "lunch with Anakin Vist, and" in text
        note.write_text(text.replace("Anakin Vist", "Annika Lindqvist"))
        wait_for(lambda: corrections() > number, 30, "the correction")

    corrected_in("one", 0)
    corrected_in("two", 1)
    offered = json.loads(installation.earmark("vocabulary", "list", "--json").stdout)["offered"]
    assert [(offer["word"], offer["heard"]) for offer in offered] == [("Annika Lindqvist", ["Anakin Vist"])]
    assert installation.earmark("vocabulary", "accept", "annika lindqvist").returncode == 0
    assert "lunch with Annika Lindqvist" in recorded("three", 3).read_text()
