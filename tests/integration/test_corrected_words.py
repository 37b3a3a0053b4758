"""Who corrects words in a transcript's note has corrected the transcript: all that rests on it says so from then on.

The real supervisor on a real folder; only the workers are stand-ins (tests/standin_worker.py says why).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from earmark.cli.main import app
from earmark.cli.terminal import sentence
from earmark.ledger import Ledger
from earmark.retention.erasure.matching import matching
from earmark.verbs.opening import opened_context
from earmark.verbs.retrying import resummarize, retry, to_retry
from typer.testing import CliRunner, Result

from tests.daemon_rig import Rig, run_child
from tests.integration.test_named_speakers import change, speak

EVERYTHING = {"notes": {"formats": ["srt", "vtt", "txt", "json"]}}
NOTE = "talk.transcript.md"


def corrections(rig: Rig) -> dict[str, str]:
    """What was heard, to what a person made of it."""
    document = json.loads((rig.folder / "talk.json").read_text())
    return {s["heard"]: s["text"] for s in document["segments"] if "heard" in s}


def heard_again(rig: Rig) -> None:
    """`earmark retry`, and a run."""
    with opened_context(rig.installed, rig.config()) as context:
        for each in to_retry(context, [rig.folder / "talk.m4a"], failed=False):
            retry(context, each)
    assert run_child(rig) == 0


def states(rig: Rig) -> dict[str, tuple[str, int]]:
    """Of each note its state, and whether all that a person changed there is known."""
    rows = rig.query("SELECT path, state, mergeable FROM artifacts WHERE form = 'md'")
    return {Path(os.fsdecode(path)).name: (state, corrected) for path, state, corrected in rows}


def talk(tmp_path: Path, **sections: dict[str, object]) -> Rig:
    rig = Rig(tmp_path, EVERYTHING | sections)
    rig.drop("talk.m4a", "hello")
    assert run_child(rig) == 0
    return rig


@pytest.mark.shows("transcription:corrected-moved")
def test_of_a_copy_of_a_note_why_says_that_its_words_are_not_read_and_which_are(tmp_path: Path) -> None:
    rig = talk(tmp_path)
    mine = rig.folder / "My talk.md"
    (rig.folder / NOTE).rename(mine)
    mine.write_text(mine.read_text().replace("says number 0", "says number zero"))
    assert run_child(rig) == 0
    assert "number zero" in (rig.folder / "talk.txt").read_text()
    why = CliRunner().invoke(app, ["why", str(mine)], env={"EARMARK_HOME": str(rig.home)})
    said = " ".join(why.stdout.split())
    assert "it is a note of" in said
    assert "talk.m4a that somebody moved or renamed" in said
    assert "words or names that you change in it are read" in said
    # Of a copy both say which note is read.
    note = rig.folder / NOTE
    mine.rename(note)
    (rig.folder / "b").mkdir()
    (rig.folder / "b" / "copy.md").write_text(note.read_text().replace("number 2", "number two"))
    assert run_child(rig) == 0
    assert (
        "number zero here. Recording 2cf24dba5fb0 says number 1 here. Recording 2cf24dba5fb0 says number 2"
        in (rig.folder / "talk.txt").read_text()
    )
    for verb in (["why", str(rig.folder / "b" / "copy.md")], ["status"]):
        told = CliRunner().invoke(app, verb, env={"EARMARK_HOME": str(rig.home)}).stdout
        assert "words or names that you change in it are not read; those in" in " ".join(told.split())
        assert "talk.transcript.md are" in " ".join(told.split())


@pytest.mark.shows("transcription:corrected", "transcription:corrected-kept", "readme:corrected")
def test_a_word_that_a_person_corrects_in_the_note_is_what_was_said_in_all_that_rests_on_it(
    tmp_path: Path,
) -> None:
    rig = talk(tmp_path)
    files = {path.name for path in rig.folder.iterdir()}
    text = change(
        rig,
        NOTE,
        ("says number 2 here", "says Wirsching, no. two, here"),
        ("says number 0", "says number zero"),
    )
    assert run_child(rig) == 0
    # The note is the person's own, byte for byte, and the words are everywhere else.
    assert rig.notes()[NOTE] == text
    assert {path.name for path in rig.folder.iterdir()} == files
    assert "says Wirsching, no. two, here." in rig.notes()["talk.md"]
    for form in ("srt", "vtt", "txt"):
        said = " ".join((rig.folder / f"talk.{form}").read_text().split())
        assert "says Wirsching, no. two, here." in said
        assert "says number zero here." in said
    assert [*corrections(rig).values()] == [
        "Recording 2cf24dba5fb0 says number zero here.",
        "Recording 2cf24dba5fb0 says Wirsching, no. two, here.",
    ]
    assert rig.events("corrected") == ["4 words were corrected in talk.transcript.md."]
    assert "Wirsching" not in (rig.root / "child.log").read_text()
    why = CliRunner().invoke(app, ["why", str(rig.folder / NOTE)], env={"EARMARK_HOME": str(rig.home)})
    assert "your words and properties are kept in each later version" in " ".join(why.stdout.split())
    with opened_context(rig.installed, rig.config()) as context:
        assert [len(matching(context, word)) for word in ("wirsching", "number 2 here", "number 7")] == [
            1,
            1,
            0,
        ]
    # Heard anew, the words stay what the person made of them; nothing goes beside the note, which is written again.
    heard_again(rig)
    assert {path.name for path in rig.folder.iterdir()} == files
    assert "says Wirsching, no. two, here." in rig.notes()[NOTE]
    assert "says Wirsching, no. two, here." in rig.notes()["talk.md"]
    assert len(corrections(rig)) == 2
    # It counts as edited all the while, so that no rule takes it.
    assert states(rig) == {NOTE: ("edited", 1), "talk.md": ("here", 0)}
    # Taken back, it is what was heard.
    change(rig, NOTE, ("says Wirsching, no. two, here", "says number 2 here"))
    assert run_child(rig) == 0
    assert "says number 2 here." in rig.notes()["talk.md"]
    assert "says number 2 here." in (rig.folder / "talk.txt").read_text()


@pytest.mark.shows("transcription:corrected-own")
def test_what_is_none_of_what_was_said_stays_the_persons_own_and_the_words_count_all_the_same(
    tmp_path: Path,
) -> None:
    rig = talk(tmp_path)
    text = change(
        rig,
        NOTE,
        ("\n[[talk.m4a#t=0", "\nMy own remark, before it all.\n\n[[talk.m4a#t=0"),
        (
            "says number 1 here.",
            "says number ==one== here. #quote %%ask him%%\n\n> Recording 2cf24dba5fb0 says number 1\n\n",
        ),
    )
    text += "\nAnd another one, at the end.\n"
    (rig.folder / NOTE).write_text(text)
    assert run_child(rig) == 0
    assert rig.notes()[NOTE] == text
    assert (rig.folder / "talk.txt").read_text() == (
        "Recording 2cf24dba5fb0 says number 0 here. Recording 2cf24dba5fb0 says number one here. Recording"
        " 2cf24dba5fb0 says number 2 here.\n"
    )
    assert states(rig)[NOTE] == ("edited", 0)
    names = {path.name for path in rig.folder.iterdir()}
    # Read again it is no news, and nothing goes beside it, until somebody asks for it to be heard anew.
    (rig.folder / NOTE).touch()
    assert run_child(rig) == 0
    assert len(rig.events("corrected")) == 1
    assert {path.name for path in rig.folder.iterdir()} == names
    heard_again(rig)
    assert rig.notes()[NOTE] == text
    assert "says number one here." in rig.notes()["talk (new).transcript.md"]


@pytest.mark.shows("transcription:corrected-markup")
def test_what_a_person_quotes_lists_or_highlights_is_still_said_in_all_that_is_written(
    tmp_path: Path,
) -> None:
    rig = talk(tmp_path)
    text = change(
        rig,
        NOTE,
        ("[[talk.m4a#t=0", "> [!quote] As it was said\n> ==[[talk.m4a#t=0"),
        (
            " Recording 2cf24dba5fb0 says number 1 here. ",
            "==\n\n## The best of it\n- Recording 2cf24dba5fb0 says number 1 here.\n- ",
        ),
        ("number 2", "<u>number two</u>"),
    )
    text += "\nRecording number 1 says it.\n"
    (rig.folder / NOTE).write_text(text)
    assert run_child(rig) == 0
    assert rig.notes()[NOTE] == text
    said = " ".join(f"Recording 2cf24dba5fb0 says number {n} here." for n in ("0", "1", "two"))
    for form in ("srt", "vtt", "txt"):
        assert said in " ".join(
            line
            for line in (rig.folder / f"talk.{form}").read_text().split("\n")
            if line and "-->" not in line and not line.isdigit()
        )
    assert rig.events("corrected") == ["1 word was corrected in talk.transcript.md."]
    heard_again(rig)
    assert rig.notes()[NOTE] == text
    assert "says number two here." in rig.notes()["talk (new).transcript.md"]


@pytest.mark.shows("transcription:corrected-struck")
def test_what_a_person_strikes_out_beside_its_correction_is_in_nothing_that_is_written(
    tmp_path: Path,
) -> None:
    rig = talk(tmp_path)
    text = change(
        rig,
        NOTE,
        ("number 0", "~~number 0~~ <ins>number zero</ins>"),
        ("number 1", "number {~~1~>one~~}{>>so he said<<}"),
        ("says number 2", "<s>says</s> tells <strike>number 2</strike>"),
    )
    assert run_child(rig) == 0
    assert rig.notes()[NOTE] == text
    for form in ("srt", "vtt", "txt"):
        lines = (rig.folder / f"talk.{form}").read_text().split("\n")
        words = " ".join(line for line in lines if line and "-->" not in line and not line.isdigit())
        assert "2cf24dba5fb0 says number zero here." in words
        assert "2cf24dba5fb0 says number one here." in words
        assert "2cf24dba5fb0 tells here." in words
        assert not {*"~{}"}.intersection(words)
    heard_again(rig)
    assert rig.notes()[NOTE] == text
    assert "2cf24dba5fb0 tells here." in rig.notes()["talk (new).transcript.md"]
    change(rig, "talk (new).transcript.md", ("tells here", "~~tells~~ says here"))
    assert run_child(rig) == 0
    heard_again(rig)
    assert "2cf24dba5fb0 says here." in rig.notes()["talk (new 2).transcript.md"]


@pytest.mark.shows("transcription:corrected-half")
@pytest.mark.parametrize("what", ["emptied", "no times", "a line of a megabyte"])
def test_a_note_that_hardly_holds_the_words_any_more_is_no_correction_of_them(
    tmp_path: Path, what: str
) -> None:
    rig = talk(tmp_path)
    text = rig.notes()[NOTE]
    head, said = text[: text.index("[[talk.m4a#t=0")], text[text.index("[[talk.m4a#t=0") :]
    made = {
        "emptied": "",
        "no times": said.replace("[[talk.m4a#t=0|00:00]] ", "").replace("number 1", "number one"),
        "a line of a megabyte": said.rstrip("\n") + " and so on" * 100_000,
    }[what]
    (rig.folder / NOTE).write_text(head + made)
    heard = (rig.folder / "talk.txt").read_text()
    assert run_child(rig) == 0
    assert (rig.folder / "talk.txt").read_text() == heard
    assert rig.notes()[NOTE] == head + made
    assert rig.events("corrected") == []


@pytest.mark.shows("transcription:corrected-out")
def test_a_sentence_that_a_person_takes_out_is_in_nothing_that_is_written(tmp_path: Path) -> None:
    rig = talk(tmp_path)
    change(rig, NOTE, (" Recording 2cf24dba5fb0 says number 1 here.", ""))
    assert run_child(rig) == 0
    assert "number 1" not in "".join(rig.notes().values())
    for form in ("srt", "vtt", "txt"):
        assert "number 1" not in (rig.folder / f"talk.{form}").read_text()
    # What was heard is known all the same.
    assert "number 1" in " ".join(corrections(rig))
    heard_again(rig)
    assert "number 1" not in (rig.folder / "talk.txt").read_text()


@pytest.mark.shows("transcription:corrected-summary")
def test_the_summary_that_needs_no_server_says_corrected_words_where_no_server_answers(
    tmp_path: Path,
) -> None:
    rig = talk(tmp_path, summary={"endpoint": "http://127.0.0.1:9/v1"})
    change(rig, NOTE, ("number 2", "number two"))
    assert run_child(rig) == 0
    assert "says number two here." in rig.notes()["talk.md"]


@pytest.mark.shows("transcription:corrected-summary")
def test_an_edited_summary_stays_alone_when_words_are_corrected_and_resummarize_uses_them(
    tmp_path: Path,
) -> None:
    rig = talk(tmp_path)
    mine = change(rig, "talk.md", ("## Key points", "## What matters"))
    assert run_child(rig) == 0
    change(rig, NOTE, ("number 2", "number two"))
    assert run_child(rig) == 0
    assert set(rig.notes()) == {NOTE, "talk.md"}
    assert rig.notes()["talk.md"] == mine
    with opened_context(rig.installed, rig.config()) as context:
        resummarize(context, context.ledger.recordings.all()[0].id, "talk.m4a", None)
    assert run_child(rig) == 0
    assert "number two" in rig.notes()["talk (new).md"]
    assert rig.notes()["talk.md"] == mine


@pytest.mark.shows("transcription:corrected-named")
def test_corrected_words_and_names_of_speakers_are_both_kept(tmp_path: Path) -> None:
    rig = Rig(tmp_path, EVERYTHING)
    rig.drop("talk.m4a", "hello")
    speak(rig)
    change(rig, NOTE, ("says number 1 here", "says number one here"))
    assert run_child(rig) == 0
    assert states(rig)[NOTE] == ("edited", 1)
    change(rig, NOTE, ("  - Speaker 2\n", "  - Anna\n"))
    assert run_child(rig) == 0
    assert "**Anna** [[talk.m4a#t=10|00:10]] Recording 2cf24dba5fb0 says number one" in rig.notes()[NOTE]
    assert "says number one here" in rig.notes()[NOTE]
    assert "Anna: Recording 2cf24dba5fb0 says number one here." in (rig.folder / "talk.txt").read_text()
    # Both at once.
    change(rig, NOTE, ("  - Speaker 1\n", "  - Bob\n"), ("says number 0", "says number zero"))
    assert run_child(rig) == 0
    assert "**Bob** [[talk.m4a#t=0|00:00]] Recording 2cf24dba5fb0 says number zero" in rig.notes()[NOTE]
    assert set(rig.notes()) == {NOTE, "talk.md"}


@pytest.mark.shows("transcription:corrected-two-notes")
def test_of_two_copies_the_note_that_holds_older_words_takes_nothing_back(tmp_path: Path) -> None:
    rig = Rig(tmp_path, EVERYTHING)
    for folder in ("a", "b"):
        rig.drop(f"{folder}/talk.m4a", "hello")
    assert run_child(rig) == 0
    # Both are edited; the one of `b` holds what was heard where `a` is right.
    change(
        rig,
        "b/talk.transcript.md",
        (
            "Recording 2cf24dba5fb0 says number 0 here.",
            "My note. Recording 2cf24dba5fb0 says number 0 here.\n\nMore.",
        ),
    )
    assert run_child(rig) == 0
    change(rig, "a/talk.transcript.md", ("number 2", "number two"))
    assert run_child(rig) == 0
    kept = change(rig, "b/talk.transcript.md", ("number 1", "number one"))
    assert run_child(rig) == 0
    assert "number two" in rig.notes()["a/talk.transcript.md"]
    assert rig.notes()["b/talk.transcript.md"] == kept
    assert len(rig.notes()) == 4
    with Ledger(rig.installed.ledger_file) as ledger:
        transcript = ledger.words.transcript(ledger.recordings.all()[0].id)
    assert transcript is not None
    assert "number one here. Recording 2cf24dba5fb0 says number two" in transcript.text
    # Where nobody knows which words it held, it is not read, and that is said to who looks.
    with sqlite3.connect(rig.installed.ledger_file) as db:
        db.execute("DELETE FROM words_of_notes")
    change(rig, "b/talk.transcript.md", ("number one", "number ONE"))
    assert run_child(rig) == 0
    assert "number one" in rig.notes()["a/talk.transcript.md"]
    for verb in (["status"], ["why", str(rig.folder / "b/talk.transcript.md")]):
        told = CliRunner().invoke(app, verb, env={"EARMARK_HOME": str(rig.home)}).stdout
        assert "words that you correct are read in the newest" in " ".join(told.split())


@pytest.mark.shows("transcription:properties-kept")
def test_a_note_in_which_only_properties_and_links_changed_is_written_again_with_them(tmp_path: Path) -> None:
    rig = talk(tmp_path)
    change(
        rig,
        NOTE,
        ("tags:\n  - recording\n", "tags:\n  - recording\n  - Projects/Würth\naliases: [Monday's talk]\n"),
        ("language: en\n", "language: en  # he said so\n"),
        ("recorded_from: file date\n", ""),
        ("seconds: 30\n", "seconds: 31\nrating: 5\nnested:\n  a: [1, 2]\n"),
    )
    assert run_child(rig) == 0
    names = set(rig.notes())
    heard_again(rig)
    # The text is what is known now, and the properties are what the person made of them.
    text = rig.notes()[NOTE]
    assert set(rig.notes()) == names
    for kept in (
        "  - Projects/Würth\n",
        "aliases: [Monday's talk]\n",
        "language: en  # he said so\n",
        "seconds: 31\n",
        "rating: 5\n",
    ):
        assert kept in text
    assert "nested:\n  a: [1, 2]\n" in text
    assert "recorded_from" not in text
    assert states(rig)[NOTE] == ("edited", 1)
    # Words and properties in one note, and speakers that are known later.
    change(rig, NOTE, ("number 2", "number two"), ("rating: 5\n", "rating: 6\n"))
    assert run_child(rig) == 0
    assert states(rig)[NOTE] == ("edited", 1)
    speak(rig)
    text = rig.notes()[NOTE]
    assert "rating: 6\n" in text
    assert "speakers:\n  - Speaker 1\n  - Speaker 2\n" in text
    assert "**Speaker 1** [[talk.m4a#t=20|00:20]] Recording 2cf24dba5fb0 says number two" in text
    assert text.index("earmark_id") > text.index("speakers:")
    assert set(rig.notes()) == names


ADDED = 'aliases: [Monday\'s talk]\ncssclasses:\n  - wide\ndue:: friday\nup: "[[Projects]]"\n'
"""What people put above a note: names that it goes by, its looks, a field of Dataview, a link."""


def reordered(text: str) -> str:
    lines = text.split("\n")
    end = lines.index("---", 1)
    return "\n".join(
        ["---", *reversed([line for line in lines[1:end] if line[:1] not in " -"]), *lines[end:]]
    )


@pytest.mark.shows("transcription:properties-no-edit")
@pytest.mark.parametrize(
    ("change_it", "kept"),
    [
        (
            lambda text: text.replace("tags:\n", "tags:\n  - Projects/Würth\n").replace(
                "duration:", f"{ADDED}duration:"
            ),
            [ADDED, "  - Projects/Würth\n"],
        ),
        (lambda text: re.sub(r"duration: .*\n", "", text), []),
        (reordered, []),
    ],
    ids=["added", "removed", "reordered"],
)
def test_a_note_in_which_no_word_was_changed_is_not_edited_and_each_later_version_keeps_what_was(
    tmp_path: Path, change_it: Callable[[str], str], kept: list[str]
) -> None:
    rig = talk(tmp_path)
    notes = {rig.folder / NOTE, rig.folder / "talk.md"}
    for note in notes:
        before = note.read_text()
        note.write_text(change_it(before))
        assert note.read_text() != before
    assert run_child(rig) == 0
    heard_again(rig)

    def told(*words: str) -> str:
        return CliRunner().invoke(app, [*words], env={"EARMARK_HOME": str(rig.home), "COLUMNS": "300"}).output

    def as_it_was() -> None:
        assert {*rig.folder.glob("*.md")} == notes
        for note in notes:
            assert all(key in note.read_text() for key in kept)
            assert ("duration:" in note.read_text()) is bool(kept or change_it is reordered)

    as_it_was()
    for note in notes:
        assert "edited" not in told("why", str(note)).splitlines()[0]
    assert "Edited by you" not in told("status")
    assert "edited" not in told("list")
    # What is said now comes from another note: the later versions have it, and what the person made of the properties.
    (rig.folder / "b").mkdir()
    shutil.copy2(rig.folder / "talk.m4a", rig.folder / "b" / "other.m4a")
    assert run_child(rig) == 0
    change(rig, "b/other.transcript.md", ("number 1", "number one"))
    assert run_child(rig) == 0
    as_it_was()
    for note in notes:
        assert "number one" in note.read_text()


@pytest.mark.shows("transcription:properties-no-edit")
def test_a_comment_beside_a_property_stays_and_does_not_keep_what_earmark_says_there(tmp_path: Path) -> None:
    rig = talk(tmp_path)
    text = change(
        rig,
        NOTE,
        ("---\ntype:", "---\n# On top #1\ntype:"),
        ("model: tiny.en", "model: tiny.en # the quick one\n# as it was"),
        ("  - recording\n", "  - recording # ours\n  - mine\n"),
    )
    assert run_child(rig) == 0
    rig.model("base", 100)
    rig.sections["transcription"] = {"model": "base"}
    heard_again(rig)
    assert {*rig.notes()} == {"talk.md", NOTE}
    known = text.replace("model: tiny.en #", "model: base  #")
    assert rig.notes()[NOTE].partition("\n---\n")[0] == known.partition("\n---\n")[0]
    # What is corrected in it is read.
    change(rig, NOTE, ("says number 2", "says number two"))
    assert run_child(rig) == 0
    assert "number two" in (rig.folder / "talk.txt").read_text()


@pytest.mark.shows("transcription:later-replaced")
def test_a_later_version_that_nobody_has_edited_takes_the_place_of_the_one_beside_an_edited_note(
    tmp_path: Path,
) -> None:
    rig = talk(tmp_path)
    names = {NOTE, "talk.md", "talk (new).transcript.md", "talk (new).md"}
    for n in range(3):
        for note in (NOTE, "talk.md"):
            (rig.folder / note).write_text(f"{rig.notes()[note]}\nRemark {n}\n")
        if n:
            assert run_child(rig) == 0
        heard_again(rig)
        assert set(rig.notes()) == names
    # One that was edited stays as well.
    beside = rig.folder / "talk (new).md"
    beside.write_text(f"{beside.read_text()}\nMine, too\n")
    theirs = beside.read_bytes()
    heard_again(rig)
    heard_again(rig)
    assert set(rig.notes()) == names | {"talk (new 2).md"}
    assert beside.read_bytes() == theirs


@pytest.mark.shows("transcription:corrected-kept")
def test_a_corrected_note_stays_a_persons_wherever_its_very_bytes_lie(tmp_path: Path) -> None:
    rig = talk(tmp_path)
    change(rig, NOTE, ("number 1", "number one"), ("language: en\n", "language: en\nrating: 5\n"))
    assert run_child(rig) == 0
    once = rig.notes()[NOTE]
    assert states(rig)[NOTE] == ("edited", 1)
    # Copied to another folder with its recording.
    (rig.folder / "b").mkdir()
    for name in ("talk.m4a", NOTE):
        shutil.copy2(rig.folder / name, rig.folder / "b" / name)
    assert run_child(rig) == 0
    rows = rig.query("SELECT state, mergeable FROM artifacts WHERE form = 'md' AND kind = 'transcript'")
    assert rows == [("edited", 1)] * 2
    # A remark in it and another word, both taken back.
    (rig.folder / NOTE).write_text(f"{once.replace('number 2', 'number two')}\nMy remark.\n")
    assert run_child(rig) == 0
    (rig.folder / NOTE).write_text(once)
    assert run_child(rig) == 0
    heard_again(rig)
    rows = rig.query("SELECT path, state FROM artifacts WHERE form = 'md' AND kind = 'transcript'")
    theirs = {os.fsdecode(path): state for path, state in rows if os.fsdecode(path).endswith(f"/{NOTE}")}
    assert [*theirs.values()] == ["edited"] * 2
    assert all("rating: 5\n" in Path(path).read_text() for path in theirs)


@pytest.mark.shows("transcription:corrected-own")
def test_what_would_do_nothing_any_more_if_it_were_written_anew_stays_as_it_stands(tmp_path: Path) -> None:
    rig = talk(tmp_path)
    text = change(rig, NOTE, ("number 1", "number $x^2$"))
    assert run_child(rig) == 0
    assert states(rig)[NOTE] == ("edited", 0)
    heard_again(rig)
    assert rig.notes()[NOTE] == text


@pytest.mark.shows("transcription:corrected-older")
def test_an_older_note_that_is_put_back_says_what_another_model_heard_and_corrects_nothing(
    tmp_path: Path,
) -> None:
    rig = talk(tmp_path)
    text = change(rig, NOTE, ("model: tiny.en", "model: base"), ("number 1", "number one"))
    assert run_child(rig) == 0
    assert rig.events("corrected") == []
    assert "number 1 here" in (rig.folder / "talk.txt").read_text()
    assert rig.notes()[NOTE] == text


@pytest.mark.shows("transcription:corrected-appended")
def test_a_note_with_corrections_stays_as_it_is_when_its_recording_goes_on(tmp_path: Path) -> None:
    rig = talk(tmp_path)
    text = change(rig, NOTE, ("number 1", "number one"), ("language: en\n", "language: en\nrating: 5\n"))
    assert run_child(rig) == 0
    assert states(rig)[NOTE] == ("edited", 1)
    with (rig.folder / "talk.m4a").open("a") as file:
        file.write(" and more")
    assert run_child(rig) == 0
    assert rig.notes()[NOTE] == text
    assert states(rig)[NOTE] == ("edited", 0)
    assert "Recording 30e77d5a1b3f" in rig.notes()["talk (new).transcript.md"]


@pytest.mark.shows("transcription:corrected-logseq")
@pytest.mark.parametrize("why", ["logseq", "of an earlier version"])
def test_where_nobody_can_tell_whose_the_properties_are_the_later_version_goes_beside(
    tmp_path: Path, why: str
) -> None:
    dialect = "logseq" if why == "logseq" else "obsidian"
    rig = talk(tmp_path, notes={"formats": ["json", "txt"], "dialect": dialect})
    if dialect == "obsidian":
        with sqlite3.connect(rig.installed.ledger_file) as ledger:
            ledger.execute("UPDATE artifacts SET top = ''")
    theirs = change(rig, NOTE, ("number 2", "number two"))
    assert run_child(rig) == 0
    assert "number two" in (rig.folder / "talk.txt").read_text()
    heard_again(rig)
    assert rig.notes()[NOTE] == theirs
    assert "number two" in rig.notes()["talk (new).transcript.md"]


@pytest.mark.shows("transcription:times-read")
@pytest.mark.parametrize("before", ["paragraph", "sentence"])
def test_words_are_taken_whatever_the_times_stand_before_and_another_setting_is_no_edit(
    tmp_path: Path, before: str
) -> None:
    after = {"paragraph": "sentence", "sentence": "paragraph"}[before]
    formats = {"formats": ["txt", "json"]}
    rig = Rig(tmp_path, {"notes": formats | {"times": before}})
    rig.drop("talk.m4a", "hello")
    assert run_child(rig) == 0
    heard = rig.notes()[NOTE]
    assert heard.count("#t=") == {"paragraph": 1, "sentence": 3}[before]
    # The other setting is for what is written from then on: nothing is written anew, taken for a person's, or read as words.
    rig.sections = {"notes": formats | {"times": after}}
    (rig.folder / NOTE).touch()
    assert run_child(rig) == 0
    assert rig.notes()[NOTE] == heard
    assert states(rig)[NOTE] == ("here", 0)
    assert rig.events("corrected") == []
    # A word corrected in a note of the kind of before is one word; the note is the person's, and can be written again.
    text = change(rig, NOTE, ("says number 2", "says number two"))
    assert run_child(rig) == 0
    assert rig.notes()[NOTE] == text
    assert rig.events("corrected") == ["1 word was corrected in talk.transcript.md."]
    assert [*corrections(rig).values()] == ["Recording 2cf24dba5fb0 says number two here."]
    assert states(rig)[NOTE] == ("edited", 1)
    heard_again(rig)
    assert set(rig.notes()) == {NOTE, "talk.md"}
    assert rig.notes()[NOTE].count("#t=") == {"paragraph": 1, "sentence": 3}[after]
    # And in the one of now.
    change(rig, NOTE, ("says number 1", "says number one"))
    assert run_child(rig) == 0
    assert rig.events("corrected")[1:] == ["1 word was corrected in talk.transcript.md."]
    assert (rig.folder / "talk.txt").read_text() == (
        "Recording 2cf24dba5fb0 says number 0 here. Recording 2cf24dba5fb0 says number one here."
        " Recording 2cf24dba5fb0 says number two here.\n"
    )
    assert states(rig)[NOTE] == ("edited", 1)


@pytest.mark.shows("transcription:export-one")
def test_one_recording_goes_out_in_any_format_with_its_corrections_and_lies_in_it_beside_its_notes(
    tmp_path: Path,
) -> None:
    rig = Rig(tmp_path, {"notes": {"formats": ["html", "docx"]}})
    rig.drop("talk.m4a", "hello")
    assert run_child(rig) == 0
    change(rig, NOTE, ("says number 2", "says number <two>"))
    assert run_child(rig) == 0
    assert "says number &lt;two&gt; here." in (rig.folder / "talk.html").read_text()
    with zipfile.ZipFile(rig.folder / "talk.docx") as package:
        assert "says number &lt;two&gt; here." in package.read("word/document.xml").decode()

    def export(*words: str | Path) -> Result:
        return CliRunner().invoke(
            app, ["export", "recording", *map(str, words)], env={"EARMARK_HOME": str(rig.home)}
        )

    for form in ("html", "docx"):
        # What goes out is what lies there, byte for byte, whatever stands for the recording.
        for named in ("talk.m4a", NOTE):
            assert (
                export(rig.folder / named, "-f", form).stdout_bytes
                == (rig.folder / f"talk.{form}").read_bytes()
            )
    assert "number <two> here." in export(rig.folder / "talk.m4a", "-f", "txt").stdout
    out = tmp_path / "out.srt"
    assert export(rig.folder / "talk.m4a", "-f", "srt", "-o", out).exit_code == 0
    assert "-->" in out.read_text()
    taken = export(rig.folder / "talk.m4a", "-f", "srt", "-o", out)
    assert (taken.exit_code, "exists already" in taken.stderr) == (2, True)
    assert export(rig.folder / "nothing.m4a").exit_code == 66


@pytest.mark.shows("transcription:corrected-unseen")
def test_what_no_run_has_read_yet_is_read_by_the_verbs_that_go_by_it_or_they_say_that_it_is_not(
    tmp_path: Path,
) -> None:
    rig = talk(tmp_path)

    def earmark(*words: str | Path) -> Result:
        return CliRunner().invoke(app, [*map(str, words)], env={"EARMARK_HOME": str(rig.home)})

    change(rig, NOTE, ("says number 0", "says number zero"))
    one = earmark("export", "recording", rig.folder / "talk.m4a", "-f", "txt")
    assert (one.exit_code, one.stderr) == (0, "")
    assert "says number zero" in one.stdout
    change(rig, NOTE, ("says number 1", "says number one"))
    assert earmark("export", "--out", tmp_path / "all").exit_code == 0
    (package,) = (tmp_path / "all" / "recordings").iterdir()
    for name in ("transcript.json", NOTE):
        assert "says number one" in (package / name).read_text()
    change(rig, NOTE, ("says number 2", "says number two"))
    with Ledger(rig.installed.ledger_file) as ledger, ledger.acting():
        busy = earmark("export", "recording", rig.folder / "talk.m4a", "-f", "txt")
    assert busy.exit_code == 0
    assert "number 2" in busy.stdout
    assert "what you changed in notes since they were read last is not in this" in " ".join(
        busy.stderr.split()
    )
    assert earmark("resummarize", rig.folder / "talk.m4a").exit_code == 0
    assert rig.events("corrected") == [f"1 word was corrected in {NOTE}."] * 3
    change(rig, NOTE, ("[[talk.m4a#t=0", "<<<<<<< HEAD\n[[talk.m4a#t=0"))
    unread = earmark("export", "recording", rig.folder / "talk.m4a", "-f", "txt")
    assert "number two" in unread.stdout
    assert f"{NOTE}: it has the marks of a merge" in " ".join(unread.stderr.split())
    (told,) = rig.events("corrections-not-read")
    line = sentence(
        None, "warning", {"event": "corrections-not-read", "file": f"/drop/{NOTE}", "sentence": told}
    )
    assert (line or "").count(NOTE) == 1


@pytest.mark.shows("transcription:properties-broken")
def test_of_a_note_with_broken_properties_it_is_said_that_newer_versions_go_beside_it(tmp_path: Path) -> None:
    rig = talk(tmp_path)
    text = change(rig, NOTE, ("says number 0", "says number zero"), ("---\ntype", "---\nmood: [good\ntype"))
    assert run_child(rig) == 0
    for verb in (["status"], ["why", str(rig.folder / NOTE)]):
        told = CliRunner().invoke(app, verb, env={"EARMARK_HOME": str(rig.home)}).stdout
        assert "stays as it is" in (said := " ".join(told.split()))
        assert "newer versions go beside it" in said
        assert "kept in each later version" not in said
    heard_again(rig)
    assert rig.notes()[NOTE] == text
    assert "says number zero here." in rig.notes()["talk (new).transcript.md"]


@pytest.mark.shows("search:unseen", "transcription:corrected-unseen")
def test_what_no_run_has_read_yet_is_found_or_it_is_said_that_it_is_not(tmp_path: Path) -> None:
    rig = talk(tmp_path)

    def search(*words: str) -> tuple[list[str], list[str]]:
        said = CliRunner().invoke(app, ["search", *words, "--json"], env={"EARMARK_HOME": str(rig.home)})
        assert said.exit_code == 0, said.output
        found = json.loads(said.stdout)
        return [result["snippet"] for result in found["results"]], found["not_read"]

    assert search("numbat") == ([], [])
    change(rig, NOTE, ("says number 0", "says numbat"))
    (snippet,), unread = search("numbat")
    assert ("says numbat here" in snippet, unread) == (True, [])
    asked = CliRunner().invoke(app, ["ask", "Which numbat?", "--json"], env={"EARMARK_HOME": str(rig.home)})
    assert "says numbat here" in json.loads(asked.stdout)["passages"][0]["snippet"]

    # One in which something else was changed as well, and that was read, is none that has to be read.
    change(rig, NOTE, ("[[talk.m4a#t=0", "My own line.\n\n[[talk.m4a#t=0"), ("says number 1", "says wombat"))
    assert len(search("wombat")[0]) == 1
    with Ledger(rig.installed.ledger_file) as ledger, ledger.acting():
        assert search("wombat")[1] == []
        change(rig, NOTE, ("says number 2", "says quokka"))
        found, (why,) = search("quokka")
    assert found == []
    assert "what you changed in notes since they were read last is not in this; try again" in why
    assert len(search("quokka")[0]) == 1
    assert rig.events("corrected") == [f"1 word was corrected and 1 word was taken out in {NOTE}."] * 3

    note = rig.folder / NOTE
    # What Windows saves is read; what a Mac did once, nobody can tell from it.
    typed = note.read_text().replace("quokka", "possum é")
    note.write_bytes(typed.encode("latin-1"))
    assert len(search("possum")[0]) == 1
    note.write_bytes(typed.replace("possum", "bilby").encode("mac-roman"))
    found, (why,) = search("bilby")
    assert found == []
    assert why.startswith(f"{NOTE}: it is not in UTF-8")
    shown = CliRunner().invoke(app, ["search", "bilby"], env={"EARMARK_HOME": str(rig.home)})
    assert f"not read: {NOTE}: it is not in UTF-8" in " ".join(shown.stderr.split())
