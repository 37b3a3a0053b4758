"""A note whose words a person changed stays theirs to the byte, and what in it is earmark's does not become wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from earmark.cli.why import _story
from earmark.verbs.deciding import hold, release
from earmark.verbs.opening import opened_context
from earmark.verbs.resolve import resolve

from tests.daemon_rig import Rig

RULES = {"audio": {"keep_for": "90d"}, "fuse_items": 0, "fuse_percent": 0}
THEIRS = "\n\nAnna asks whether this is right.  \n\ttabs, and no end of a line"
SAID = " has held another recording since "


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    made = Rig(tmp_path, {"retention": dict(RULES)})
    made.drop("a.m4a", "what was said in a")
    assert made.run_once() == 0
    return made


def edited(note: Path, ends: str = "\n") -> str:
    """Change words of a note; returns what it is by then."""
    text = (note.read_text() + THEIRS).replace("\n", ends)
    note.write_bytes(text.encode())
    return text


def without(text: str, *keys: str) -> str:
    """A note without these properties, and without the line that says whose it is."""
    for key in keys:
        text = re.sub(rf"^{key}:[^\n]*\n", "", text, flags=re.M)
    return re.sub(rf"^\*[^\n]*{SAID}[^\n]*\n\r?\n", "", text, flags=re.M)


def run(rig: Rig) -> None:
    assert rig.run_once() == 0


def notes_of(rig: Rig) -> list[Path]:
    return [rig.folder / "a.md", rig.folder / "a.transcript.md"]


def read(note: Path) -> str:
    return note.read_bytes().decode()


@pytest.mark.shows("durability:edited-of-replaced")
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_an_edited_note_of_a_replaced_file_says_so_and_its_property_links_it_no_more(
    rig: Rig, ends: str
) -> None:
    before = {note: edited(note, ends) for note in notes_of(rig)}
    rig.drop("a.m4a", "something else that was said")
    for _ in range(2):
        run(rig)
        for note, text in before.items():
            now = read(note)
            assert f"*a.m4a{SAID}" in now
            assert now.count(SAID) == 1
            assert "recording: a.m4a" in now.replace('"', "")
            assert re.search(r"^recording: .*\[\[", now, re.M) is None
            assert without(now, "recording", "audio_expires") == without(text, "recording", "audio_expires")
    assert len(rig.notes()) == 4, "the other recording has notes of its own"
    with opened_context(rig.installed, rig.config()) as context:
        for note in before:
            assert f"a.m4a{SAID}" in _story(context, note).reason


@pytest.mark.shows("durability:edited-of-replaced")
def test_when_the_former_content_is_back_its_edited_note_is_what_it_was(rig: Rig) -> None:
    before = {note: edited(note) for note in notes_of(rig)}
    rig.drop("a.m4a", "something else that was said")
    run(rig)
    rig.drop("a.m4a", "what was said in a")
    run(rig)
    for note, text in before.items():
        assert without(read(note), "audio_expires") == without(text, "audio_expires")
        assert SAID not in read(note)


@pytest.mark.shows("durability:edited-of-replaced")
def test_a_note_whose_properties_alone_were_changed_links_no_other_recording_either(rig: Rig) -> None:
    for note in notes_of(rig):
        note.write_text(note.read_text().replace("---\n", "---\nproject: mine\n", 1))
    rig.drop("a.m4a", "something else that was said")
    run(rig)
    theirs = [text for text in rig.notes().values() if "project: mine" in text]
    assert len(theirs) == 2
    for text in theirs:
        assert "[[a.m4a" not in text
        assert SAID in text


def decide(rig: Rig, *, held: bool) -> None:
    with opened_context(rig.installed, rig.config()) as context:
        context.folders = (rig.folder,)
        meant = resolve(context, rig.folder / "a.m4a")
        if held:
            hold(context, meant, "")
        else:
            release(context, meant)
    run(rig)


@pytest.mark.shows("retention:edited-notes-say")
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_an_edited_note_promises_no_day_on_which_nothing_goes(rig: Rig, ends: str) -> None:
    before = {note: edited(note, ends) for note in notes_of(rig)}
    run(rig)
    assert all(re.search(r"^audio_expires: \d", text, re.M) for text in before.values())
    rig.sections["retention"] = RULES | {"audio": {"keep_for": "30d"}}
    run(rig)
    for note, text in before.items():
        days = [re.findall(r"^audio_expires: (\S+)", each, re.M) for each in (text, read(note))]
        assert days[0] != days[1]
        assert len(days[1]) == 1
        assert without(read(note), "audio_expires") == without(text, "audio_expires")
        assert read(note).endswith(THEIRS.replace("\n", ends))
    for held in (True, False):  # what is out is not put in again
        decide(rig, held=held)
        for note, text in before.items():
            assert read(note) == without(text, "audio_expires")


@pytest.mark.shows("retention:edited-notes-say")
def test_a_day_that_a_person_wrote_and_their_comments_stay(rig: Rig) -> None:
    summary, transcript = notes_of(rig)
    edited(summary)
    own = re.sub(r"^audio_expires: .*$", "audio_expires: 2031-01-01", summary.read_text(), flags=re.M)
    summary.write_text(own)
    edited(transcript)
    commented = re.sub(r"^(audio_expires: .*)$", r"\1  # ask Bob", transcript.read_text(), flags=re.M)
    transcript.write_text(commented)
    decide(rig, held=True)
    assert summary.read_text() == own
    assert "audio_expires" not in transcript.read_text()
    assert "# ask Bob" in transcript.read_text()
    assert transcript.read_text().endswith(THEIRS)
