"""Who corrects words uses an editor of their own, which does things to a note that nobody typed, and keeps what they typed.

The real supervisor on a real folder; only the workers are stand-ins (tests/standin_worker.py says why).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from earmark.cli.main import app
from earmark.verbs.opening import opened_context
from typer.testing import CliRunner

from tests.daemon_rig import Rig, run_child
from tests.integration.test_corrected_words import EVERYTHING, NOTE, corrections, heard_again, states, talk
from tests.integration.test_named_speakers import change, speak
from tests.older_ledger import take_words_of_notes_out


def windows(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


@pytest.mark.shows("transcription:corrected-ends")
@pytest.mark.parametrize(
    "saved",
    [
        windows,
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: b"\xef\xbb\xbf" + windows(text) + b"\r\n\r\n",
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: text.rstrip("\n").encode(),
        lambda text: text.encode() + b"\n \n\n",
    ],
)
def test_how_lines_end_is_no_edit_and_corrections_in_such_a_note_are_read_before_and_after_retry(
    tmp_path: Path, saved: Callable[[str], bytes]
) -> None:
    rig = talk(tmp_path)
    note, files = rig.folder / NOTE, {path.name for path in rig.folder.iterdir()}
    note.write_bytes(saved(note.read_text()))
    assert run_child(rig) == 0
    heard_again(rig)
    assert {path.name for path in rig.folder.iterdir()} == files
    assert states(rig)[NOTE] == ("here", 0)
    assert rig.events("corrected") == []
    for before, after in (("number 1", "number one"), ("number 2", "number two")):
        note.write_bytes(
            saved(note.read_bytes().decode("utf-8-sig").replace("\r\n", "\n").replace(before, after))
        )
        assert run_child(rig) == 0
        assert states(rig)[NOTE] == ("edited", 1)
        heard_again(rig)
        assert {path.name for path in rig.folder.iterdir()} == files
        assert after in rig.notes()[NOTE]
    assert len(corrections(rig)) == 2


@pytest.mark.shows("transcription:corrected-ends")
@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_note_in_another_unicode_encoding_is_read_and_stays_as_it_is(tmp_path: Path, encoding: str) -> None:
    rig = talk(tmp_path)
    note = rig.folder / NOTE
    theirs = note.read_text().replace("number 1", "number öne").encode(encoding)
    note.write_bytes(theirs)
    assert run_child(rig) == 0
    assert "says number öne here" in (rig.folder / "talk.txt").read_text()
    heard_again(rig)
    assert note.read_bytes() == theirs
    assert "says number öne here" in rig.notes()["talk (new).transcript.md"]


@pytest.mark.shows("transcription:corrected-typed")
def test_what_a_person_typed_is_never_written_otherwise(tmp_path: Path) -> None:
    for n, (typed, said) in enumerate(
        (
            ("number\N{NO-BREAK SPACE}1", "number 1"),
            ("nu\N{COMBINING DIAERESIS}mber 1", "n\N{LATIN SMALL LETTER U WITH DIAERESIS}mber 1"),
            ("number   1", "number 1"),
            ("number\u20281", "number 1"),
            ("number\u200b 1", "number 1"),
            ("number $1", "number $1"),
            ("number\n1", "number 1"),
        )
    ):
        rig = talk(tmp_path / str(n))
        theirs = change(rig, NOTE, ("number 1", typed), ("number 2 here", "number two hear"))
        assert run_child(rig) == 0
        assert f"says {said} here" in (rig.folder / "talk.txt").read_text()
        rig.sections["transcription"] = {"replace": {"number": "NUMBER", "hear": "HEAR", "two": "TWO"}}
        heard_again(rig)
        assert rig.notes()[NOTE] == theirs
        new = rig.notes()["talk (new).transcript.md"]
        assert "says NUMBER 0 here. " in new
        assert "says number two hear." in new


@pytest.mark.shows("transcription:corrected-older-note", "privacy:words-of-notes")
def test_a_note_beside_which_a_later_version_lies_is_read_on_and_takes_nothing_back(tmp_path: Path) -> None:
    rig = talk(tmp_path)
    new = "talk (new).transcript.md"
    change(
        rig,
        NOTE,
        (" Recording 2cf24dba5fb0 says number 1", "\n\nMy own.\n\nRecording 2cf24dba5fb0 says number one"),
    )
    heard_again(rig)
    assert "number one" in rig.notes()[new]
    # Corrected in the later version, and then in their own.
    change(rig, new, ("number 0", "number zero"))
    assert run_child(rig) == 0
    own = change(rig, NOTE, ("number 2", "number two"))
    assert run_child(rig) == 0
    said = " ".join(f"Recording 2cf24dba5fb0 says number {n} here." for n in ("zero", "one", "two"))
    assert (rig.folder / "talk.txt").read_text() == f"{said}\n"
    assert rig.notes()[NOTE] == own
    status = CliRunner().invoke(app, ["status"], env={"EARMARK_HOME": str(rig.home)}).stdout
    assert "not in it" not in " ".join(status.split())
    # Without the later one, which a person took away, their note is read all the same, and nothing comes beside it.
    (rig.folder / new).unlink()
    assert run_child(rig) == 0
    change(rig, NOTE, ("number two", "number TWO"))
    assert run_child(rig) == 0
    assert (
        "says number zero here. Recording 2cf24dba5fb0 says number one here. Recording 2cf24dba5fb0 says number TWO"
        in (rig.folder / "talk.txt").read_text()
    )
    assert set(rig.notes()) == {NOTE, "talk.md"}
    heard_again(rig)
    assert "says number TWO here." in rig.notes()[new]
    assert "says number zero here." in rig.notes()[new]
    # What is kept of its words goes with its recording.
    (recording,) = rig.query("SELECT recording_id FROM words_of_notes")
    with opened_context(rig.installed, rig.config()) as context, context.ledger.transaction():
        context.ledger.erasing.drop_rows(recording[0], [], context.now())
    assert rig.query("SELECT * FROM words_of_notes") == []


@pytest.mark.shows("transcription:corrected-older-note")
def test_in_a_ledger_of_the_version_before_notes_are_read_on_from_the_next_time_words_become_others(
    tmp_path: Path,
) -> None:
    rig = talk(tmp_path)
    change(rig, NOTE, ("number 1", "number ==one=="))
    assert run_child(rig) == 0
    with closing(sqlite3.connect(rig.installed.ledger_file)) as db, db:
        take_words_of_notes_out(db)
        db.execute("PRAGMA user_version = 16")
    heard_again(rig)
    change(rig, NOTE, ("number 2", "number two"))
    assert run_child(rig) == 0
    for note in ("talk.txt", "talk (new).transcript.md"):
        said = (rig.folder / note).read_text()
        assert "says number one here. Recording 2cf24dba5fb0 says number two here." in said


SAID = "Recording 2cf24dba5fb0 says number"


@pytest.mark.shows("transcription:corrected-no-speech")
@pytest.mark.parametrize(
    "typed",
    [
        " ==one==^[ask [[Bob]], says number 2] here[^1] %%c%% #tag.",
        " one (mood:: good) here [mood:: good] [@smith p. 3]{{query (page x)}}<% tp.date %> $E = mc^2$.",
        f" one here.\n\n[^1]: {SAID} 2 here.\n    {SAID} 0 here.\n\n$$\n{SAID} 2 here.\n$$\n",
        f" one %%here.\n\n{SAID} 2 here.\n%%here.",
        f" one here.\n\n<!--\n{SAID} 2 here.\n\n{SAID} 0 here. -->\n",
        " one here.\n---\n\n==========\n* * *\n**Key of it**:: value\n![[image.png]] ![](x.png)\n",
        f" one here. {SAID} 2 here. ^abc-123\n\n",
        " <b>one</b>&nbsp;here.<br><!-- c -->",
    ],
)
def test_markup_that_is_no_speech_is_none(tmp_path: Path, typed: str) -> None:
    rig = talk(tmp_path)
    cut = f"1 here. {SAID} 2 here." if "abc-123" in typed else "1 here."
    theirs = change(rig, NOTE, (f" {cut}", typed), ("[[talk.m4a#t=0", "Anna Smith: [[talk.m4a#t=0"))
    assert run_child(rig) == 0
    assert (rig.folder / "talk.txt").read_text() == f"{SAID} 0 here. {SAID} one here. {SAID} 2 here.\n"
    heard_again(rig)
    assert rig.notes()[NOTE] == theirs


def no_times(text: str) -> str:
    return text.replace("[[talk.m4a#t=0|00:00]] ", "")


def linked(note: Path, text: str) -> None:
    elsewhere = note.parent.parent / "dotfiles.md"
    elsewhere.write_text(text)
    note.unlink()
    note.symlink_to(elsewhere)


@pytest.mark.shows("transcription:corrected-windows")
@pytest.mark.parametrize(
    "saved",
    [
        lambda text: text.encode("latin-1"),
        lambda text: text.replace("Wirsching", "Wirsching’s").encode("cp1252"),
        lambda text: windows(text.replace("ö", "OE")).replace(
            b"OE", b"\xf6"
        ),  # and what stood there is in UTF-8
    ],
)
def test_words_in_a_note_that_an_editor_saved_as_windows_does_are_read_and_the_note_stays_as_it_is(
    tmp_path: Path, saved: Callable[[str], bytes]
) -> None:
    rig = talk(tmp_path)
    note = rig.folder / NOTE
    theirs = saved(
        note.read_text().replace("says number 1", "says Wirsching öne").replace("number 2", "number twö")
    )
    note.write_bytes(theirs)
    assert run_child(rig) == 0
    said = (rig.folder / "talk.txt").read_text()
    assert "öne here" in said
    assert "number twö" in said
    again = CliRunner().invoke(app, ["retry", "talk"], env={"EARMARK_HOME": str(rig.home)})
    assert again.exit_code == 0, again.output
    assert run_child(rig) == 0
    assert note.read_bytes() == theirs
    beside = rig.notes()["talk (new).transcript.md"]
    assert "öne here" in beside
    assert "number twö" in beside
    told = CliRunner().invoke(app, ["why", str(note)], env={"EARMARK_HOME": str(rig.home)}).stdout
    assert "not read" not in told


@pytest.mark.shows("transcription:corrected-besides")
def test_lines_of_a_person_in_a_note_are_said_to_be_nowhere_else_and_stay_where_they_are(
    tmp_path: Path,
) -> None:
    rig = talk(tmp_path)
    note = rig.folder / NOTE

    def say(*words: str) -> str:
        done = CliRunner().invoke(app, [*words], env={"EARMARK_HOME": str(rig.home), "COLUMNS": "300"})
        return " ".join(done.output.split())

    nowhere = "of yours {} in the note only, and in no summary, export or search"
    untouched = note.read_bytes()
    note.write_bytes(untouched + b"\nMine\n")  # which nobody has seen yet
    assert f"1 line {nowhere.format('is')}" in say("why", str(note))
    note.write_bytes(untouched)
    assert "in the note only" not in say("why", str(note))
    note.write_text(note.read_text().replace("number 2", "number two"))
    assert run_child(rig) == 0
    for verb in (["why", str(note)], ["status"], ["export", "recording", "talk", "-f", "txt"]):
        assert "in the note only" not in say(*verb)
    text = note.read_text().replace("![[", "Call the plumber.\n\n![[", 1)
    note.write_text(
        f"{text}\n> [!note] Mine\n> buy milk before that\n\n%% not for others %%\n\n- [ ] ask Ben\n"
    )
    theirs = note.read_bytes()
    for run in (False, True):  # before anybody has read it, and after
        if run:
            assert run_child(rig) == 0
        for verb in (
            ["why", str(note)],
            ["export", "recording", "talk", "-f", "txt"],
            ["status"][: 1 if run else 0],
        ):
            if verb:
                assert f"5 lines {nowhere.format('are')}" in say(*verb), (run, verb)
    assert "plumber" not in (rig.folder / "talk.txt").read_text()
    heard_again(rig)
    assert note.read_bytes() == theirs
    assert f"5 lines {nowhere.format('are')}" in say("why", str(note))
    assert "milk" not in rig.notes()["talk (new).transcript.md"]
    note.write_bytes(
        theirs.replace(b"\n%% not for others %%\n", b"")
        .replace(b"\n- [ ] ask Ben\n", b"")
        .replace(b"> [!note] Mine\n> buy milk before that\n", b"")
    )
    assert f"1 line {nowhere.format('is')}" in say("why", str(note))


@pytest.mark.shows("transcription:corrected-unread")
@pytest.mark.parametrize(
    ("saved", "why"),
    [
        (lambda note, text: note.write_text(no_times(text)), "0 of its 1 times are left"),
        (lambda note, text: note.write_text(no_times(text).partition("![[")[2]), "0 of its 1 times are left"),
        (lambda note, text: note.write_bytes(text.encode("cp850")), "it is not in UTF-8"),
        (
            lambda note, text: note.write_bytes(text.replace("öne", "öneš").encode("cp1250")),
            "it is not in UTF-8",
        ),
        (lambda note, text: note.write_bytes(text.encode("mac_roman")), "it is not in UTF-8"),
        (lambda note, text: note.write_bytes(text.encode("utf-16-le")), "it is not in UTF-8"),
        (linked, "it is a symlink, which is not followed; put the file itself in its place"),
        (
            lambda note, text: note.write_text(
                text.replace("[[talk", "<<<<<<< HEAD\n[[talk") + "=======\nhere.\n>>>>>>> theirs\n"
            ),
            "it has the marks of a merge that is not finished (<<<<<<<)",
        ),
        (
            lambda note, text: note.write_text(text.replace("[[talk", "```\n[[talk")),
            "a block of code in it is not closed",
        ),
        (
            lambda note, text: note.write_text(text + "and so on " * 2_000),
            "one passage of it has more than 5,000 words between",
        ),
        (
            lambda note, text: note.write_text(text + "and so on " * 20_000),
            "a paragraph in it has more than 50,000 characters",
        ),
        (
            lambda note, text: note.write_text(text.replace("model: tiny.en", "model: base")),
            "its property model names base",
        ),
    ],
)
def test_why_corrections_in_a_note_do_not_count_is_said_by_status_and_why_until_they_do(
    tmp_path: Path, saved: Callable[[Path, str], object], why: str
) -> None:
    rig = talk(tmp_path)
    note, heard = rig.folder / NOTE, (rig.folder / "talk.txt").read_text()
    text = note.read_text()
    saved(note, text.replace("number 1", "number \N{LATIN SMALL LETTER O WITH DIAERESIS}ne"))
    assert run_child(rig) == 0
    assert run_child(rig) == 0
    assert (rig.folder / "talk.txt").read_text() == heard
    for verb in (["status"], ["why", str(note)]):
        told = CliRunner().invoke(app, verb, env={"EARMARK_HOME": str(rig.home)}).stdout
        assert f"words that you correct in it are not read: {why}" in " ".join(told.split())
    # Nor are the old words brought beside it unasked.
    refused = CliRunner().invoke(
        app, ["retry", "talk"], env={"EARMARK_HOME": str(rig.home), "COLUMNS": "300"}
    )
    assert refused.exit_code == 1
    assert f"your words in {NOTE} are not read: {why}" in refused.stderr
    assert "earmark retry --anyway" in refused.stderr
    assert len(rig.events("corrections-not-read")) == 1
    assert "ne here" not in rig.events("corrections-not-read")[0]
    # What would be right is.
    note.unlink()
    note.write_text(text.replace("number 1", "number one"))
    assert run_child(rig) == 0
    assert "says number one here" in (rig.folder / "talk.txt").read_text()
    told = CliRunner().invoke(app, ["status"], env={"EARMARK_HOME": str(rig.home)}).stdout
    assert "not read" not in told


@pytest.mark.shows("transcription:corrected-signs")
def test_signs_that_an_editor_puts_for_others_by_itself_correct_nothing_and_stay(tmp_path: Path) -> None:
    rig = talk(tmp_path)
    change(rig, NOTE, ("says number", 'says "it\'s" number'))
    assert run_child(rig) == 0
    said = (rig.folder / "talk.txt").read_text()
    theirs = change(rig, NOTE, ('"it\'s"', "“it’s”"), ("number 2", "number two"))
    assert run_child(rig) == 0
    assert (rig.folder / "talk.txt").read_text() == said.replace("number 2", "number two")
    assert rig.events("corrected")[1:] == ["1 word was corrected in talk.transcript.md."]
    heard_again(rig)
    assert rig.notes()[NOTE] == theirs


@pytest.mark.shows("transcription:corrected-unread")
def test_names_in_a_merge_that_is_not_finished_are_nobodys(tmp_path: Path) -> None:
    rig = Rig(tmp_path, EVERYTHING)
    rig.drop("talk.m4a", "hello")
    speak(rig)
    theirs = change(
        rig, NOTE, ("  - Speaker 2\n", "<<<<<<< HEAD\n  - Anna\n=======\n  - Bob\n>>>>>>> theirs\n")
    )
    assert run_child(rig) == 0
    assert rig.events("speakers-named") == []
    assert rig.notes()[NOTE] == theirs
    change(rig, NOTE, ("<<<<<<< HEAD\n", ""), ("=======\n  - Bob\n>>>>>>> theirs\n", ""))
    assert run_child(rig) == 0
    assert "Anna: Recording" in (rig.folder / "talk.txt").read_text()
