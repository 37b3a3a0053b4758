"""Who writes another name into a note's list of speakers has named somebody, and edited nothing.

The real supervisor on a real folder; only the workers are stand-ins (tests/standin_worker.py says why). Speakers are put
into the ledger here, as their stage does.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from earmark.cli.main import app
from earmark.domain import Instant, Task
from earmark.ledger import Ledger
from earmark.notes.name_lists import names_in
from earmark.notes.naming import news
from earmark.retention.erasure.matching import matching
from earmark.speaking import Turn, with_speakers
from earmark.verbs.opening import opened_context
from earmark.verbs.retrying import retry, to_retry
from typer.testing import CliRunner

from tests.conftest import wait_for
from tests.daemon_rig import Live, Rig, run_child

TURNS = (Turn(0.0, 9.5, 1), Turn(9.5, 19.5, 2), Turn(19.5, 30.0, 1))
NOTES = {"talk.md", "talk.transcript.md"}
UNNAMED = ("Speaker 1", "Speaker 2")


def speak(rig: Rig, names: Sequence[str] = (), turns: Sequence[Turn] = TURNS) -> None:
    """Say who speaks in the recordings, as the stage does; a server has made the summaries, in which they own tasks."""
    assert run_child(rig) == 0
    with Ledger(rig.installed.ledger_file) as ledger, ledger.transaction():
        for recording in ledger.recordings.all():
            transcript, summary = ledger.words.transcript(recording.id), ledger.words.summary(recording.id)
            assert transcript is not None
            assert summary is not None
            ledger.words.store_transcript(with_speakers(transcript, turns, names), "", Instant(1.0))
            tasks = tuple(Task(f"Call {name}.", 1.0, owner=name) for name in UNNAMED)
            ledger.words.store_summary(replace(summary, by="lm-studio", tasks=tasks), Instant(1.0))
    assert run_child(rig) == 0


def change(rig: Rig, name: str, *pairs: tuple[str, str], at: float | None = None) -> str:
    """What a person does in an editor. `at`: when they saved it."""
    note = rig.folder / name
    text = note.read_text()
    for before, after in pairs:
        assert before in text
        text = text.replace(before, after)
    note.write_text(text)
    if at is not None:
        os.utime(note, (at, at))
    return text


def listed(rig: Rig, name: str, key: str = "speakers") -> tuple[str, ...]:
    return names_in(rig.notes()[name], key)


def states(rig: Rig) -> set[str]:
    return {row[0] for row in rig.query("SELECT state FROM artifacts")}


@pytest.mark.shows(
    "transcription:speakers-named", "transcription:names-everywhere", "transcription:names-back",
    "transcription:names-long",
)  # fmt: skip
def test_a_name_that_a_person_writes_into_the_list_is_theirs_in_all_that_is_written_of_it(
    tmp_path: Path,
) -> None:
    rig = Rig(tmp_path, {"notes": {"key_prefix": "em_", "formats": ["srt", "vtt", "txt", "json"]}})
    rig.drop("talk.m4a", "hello")
    speak(rig)
    files = {path.name for path in rig.folder.iterdir()}
    assert "**Speaker 2** [" in rig.notes()["talk.transcript.md"]
    hostile = 'Ann<b> [x](y) & "Co": no#1 --> {{y}}'
    change(rig, "talk.transcript.md", ("  - Speaker 2\n", f"  - '{hostile}'\n"))
    assert run_child(rig) == 0
    # Wherever it stands it is a name, and nothing else.
    transcript, summary = rig.notes()["talk.transcript.md"], rig.notes()["talk.md"]
    assert "Speaker 2" not in transcript + summary
    assert "**Ann\\<\u2060b> \\[x" in transcript
    assert "[x](" not in transcript + summary
    assert "{{" not in transcript + summary
    assert summary.count("Call Ann") == 1
    vtt, srt = (rig.folder / "talk.vtt").read_text(), (rig.folder / "talk.srt").read_text()
    assert "<v Ann&lt;b&gt; [x](y) &amp; " in vtt
    assert all(re.fullmatch(r"[\d:,]+ --> [\d:,]+", line) for line in srt.splitlines() if "-->" in line)
    assert json.loads((rig.folder / "talk.json").read_text())["speakers"][1].startswith("Ann<b> [x](y) &")
    # A plain one, and of the other by the summary's list; what was too long before is cut, and that is said.
    change(rig, "talk.md", ("  - Speaker 1\n", f"  - {'Bob ' * 50}\n"))
    change(
        rig,
        "talk.transcript.md",
        (rig.notes()["talk.transcript.md"].split("\n  - ")[2].split("\n")[0], "Anna"),
    )
    assert run_child(rig) == 0
    bob = listed(rig, "talk.md", "em_speakers")[0]
    assert (len(bob), bob[:3], bob[-1]) == (120, "Bob", "…")
    assert "talk.md: the name of speaker 1 has 199 characters, and is cut to 120" in " ".join(
        rig.events("speakers-named")
    )
    assert (
        listed(rig, "talk.md", "em_speakers")
        == listed(rig, "talk.transcript.md", "em_speakers")
        == (bob, "Anna")
    )
    assert "Call Anna" in rig.notes()["talk.md"]
    # One name for both is one person: there is one turn. Names that are taken back are numbers again.
    change(rig, "talk.md", (f'  - "{bob}"\n', "  - Anna\n"))
    assert run_child(rig) == 0
    assert rig.notes()["talk.transcript.md"].count("**Anna** [") == 1
    assert (rig.folder / "talk.txt").read_text().count("Anna: ") == 1
    assert json.loads((rig.folder / "talk.json").read_text())["speakers"] == ["Anna", "Anna"]
    change(rig, "talk.transcript.md", ("  - Anna\n  - Anna\n", "  - \n  - Speaker 2\n"))
    assert run_child(rig) == 0
    assert listed(rig, "talk.md", "em_speakers") == UNNAMED
    assert rig.notes()["talk.transcript.md"].count("**Speaker 1** [") == 2
    # All of it is what it was: no other file, nothing edited, and why is told without the names.
    assert {path.name for path in rig.folder.iterdir()} == files
    assert states(rig) == {"here"}
    told = rig.events("speakers-named")
    assert told[0] == "Speaker 2 got a name in talk.transcript.md."
    assert told[-1] == "Speakers 1, 2 went back to a number in talk.transcript.md."
    assert "Ann" not in (rig.root / "child.log").read_text()
    assert "".join(told).count("Anna") == 0
    assert "".join(told).count("is cut to") == 1


@pytest.mark.shows("transcription:names-long")
def test_a_long_name_stays_as_it_was_typed(tmp_path: Path) -> None:
    rig = Rig(tmp_path, {"notes": {"formats": ["srt", "vtt", "txt"]}})
    rig.drop("talk.m4a", "hello")
    speak(rig)
    long = "Professor Maria-Magdalena von und zu Hohenstein-Wallenburg, Institut für Zeitgeschichte, München"
    change(rig, "talk.transcript.md", ("  - Speaker 2\n", f"  - {long}\n"))
    assert run_child(rig) == 0
    assert listed(rig, "talk.transcript.md") == listed(rig, "talk.md") == ("Speaker 1", long)
    assert f"**{long}** [" in rig.notes()["talk.transcript.md"]
    for ending, shown in (
        ("vtt", f"<v {long}>"),
        ("txt", f"{long}: "),
        ("srt", "\nProfessor Maria-Magdalena von und zu…:"),
    ):
        assert shown in (rig.folder / f"talk.{ending}").read_text()
    assert "is cut to" not in "".join(rig.events("speakers-named"))


@pytest.mark.shows("transcription:names-edited")
def test_what_a_person_wrote_is_never_lost_and_what_they_removed_stays_away(tmp_path: Path) -> None:
    rig = Rig(tmp_path, {"notes": {"formats": ["txt", "srt"]}})
    rig.drop("talk.m4a", "hello")
    speak(rig)
    (rig.folder / "talk.srt").unlink()
    (rig.folder / "talk.txt").write_text("mine")
    edited = change(
        rig, "talk.transcript.md", ("  - Speaker 2\n", "  - Anna\n"), ("![[", "My remark.\n\n![[")
    )
    assert run_child(rig) == 0
    # The name is taken, the note stays as it is, and none is put beside it.
    assert rig.notes()["talk.transcript.md"] == edited
    assert listed(rig, "talk.md") == ("Speaker 1", "Anna")
    assert (rig.folder / "talk.txt").read_text() == "mine"
    assert sorted(p.name for p in rig.folder.iterdir()) == [
        "talk.m4a",
        "talk.md",
        "talk.transcript.md",
        "talk.txt",
    ]
    # What an edited note said before takes nothing back that another one said since.
    change(rig, "talk.md", ("  - Anna\n", "  - Annika\n"))
    assert run_child(rig) == 0
    edited = change(rig, "talk.transcript.md", ("My remark", "My old remark"))
    assert run_child(rig) == 0
    assert listed(rig, "talk.md") == ("Speaker 1", "Annika")
    assert rig.notes()["talk.transcript.md"] == edited
    with opened_context(rig.installed, rig.config()) as context:
        assert len(matching(context, "annika")) == 1
    # A note whose folder gets another name before anybody has read it is known with its new names.
    change(rig, "talk.md", ("  - Annika\n", "  - Anne\n"))
    (rig.folder / "talk.m4a").rename(rig.folder / "chat.m4a")
    assert run_child(rig) == 0
    assert listed(rig, "chat.md") == ("Speaker 1", "Anne")
    assert set(rig.notes()) == {"chat.md", "talk.transcript.md"}
    # A link is more than a name: it stays where it is.
    linked = change(rig, "chat.md", ("  - Speaker 1\n", '  - "[[People/Bea|Bea]]"\n'))
    assert run_child(rig) == 0
    assert rig.notes()["chat.md"] == linked
    assert rig.query("SELECT json_extract(body, '$.speakers[0]') FROM transcripts") == [("Bea",)]


@pytest.mark.shows("transcription:names-two-notes", "transcription:names-misfit")
def test_of_two_notes_the_one_counts_that_was_written_last_and_of_a_list_what_fits(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.drop("talk.m4a", "hello")
    speak(rig)
    change(rig, "talk.md", ("  - Speaker 1\n  - Speaker 2\n", "  - Ada\n  - Bea\n"), at=2_000.0)
    change(rig, "talk.transcript.md", ("  - Speaker 1\n", "  - Cleo\n"), at=1_000.0)
    assert run_child(rig) == 0
    assert listed(rig, "talk.md") == listed(rig, "talk.transcript.md") == ("Ada", "Bea")
    assert rig.events("speakers-named")[0] == (
        "talk.transcript.md and talk.md say different things of speaker 1; talk.md was written last and counts."
    )
    for text, there in (
        ("speakers:\n  - Ada\n", ("Ada", "Bea")),
        ("speakers:\n  - Ada\n  - Bo\n  - Cy\n", ("Ada", "Bo")),
        ("speakers:\n  - [[Eve]]\n  - Speaker 7\n", ("Eve", "Bo")),
    ):
        note = rig.notes()["talk.md"]
        block = note[note.index("speakers:") : note.index("summary_by")]
        change(rig, "talk.md", (block, text))
        assert run_child(rig) == 0
        assert listed(rig, "talk.transcript.md") == there, text
    assert set(rig.notes()) == NOTES
    assert rig.events("names-not-read")[0].startswith(
        "talk.md: its list of speakers has 1 entry, and 2 people speak"
    )
    assert rig.events("names-not-read")[2].startswith(
        "talk.md: place 2 of its list of speakers has the number of another"
    )
    assert rig.events("names-not-read")[1:2] == [
        "talk.md: a name in its list of speakers is nobody's, because 2 people speak and 3 are listed; write one line for "
        "each, in their order, or say it with: earmark speakers name FILE NUMBER NAME"
    ]
    assert "Cy" not in str(rig.query("SELECT * FROM events")), (
        "names are forgotten elsewhere, and would stay here"
    )


@pytest.mark.shows("transcription:names-said")
def test_a_summary_is_made_anew_where_a_name_that_goes_is_a_word_that_was_said_as_well(
    tmp_path: Path,
) -> None:
    rig = Rig(tmp_path)
    rig.drop("talk.m4a", "hello")
    speak(rig)
    said = rig.notes()["talk.md"].split("\nRecording ")[1].split("\n")[0]
    change(rig, "talk.md", ("  - Speaker 1\n", "  - Recording\n"))
    assert run_child(rig) == 0
    assert len(rig.events("summarized")) == 1
    assert "Call Recording" in rig.notes()["talk.md"]
    change(rig, "talk.md", ("  - Recording\n", "  - Bob\n"))
    assert run_child(rig) == 0
    assert f"\nRecording {said}\n" in rig.notes()["talk.md"]
    assert len(rig.events("summarized")) == 2
    assert set(rig.notes()) == NOTES


def test_what_is_news_in_a_list_is_what_stands_where_something_else_stood() -> None:
    for odd in ("speakers: []\n", "speakers:\n  - a: b\n  - - c\n    - d\n", "speakers: 7\n"):
        assert names_in(f"---\n{odd}---\n") == ()
    guess = names_in("---\nspeakers:\n  - Speaker 1 (Bea?)\n  - Anna\n---\n")
    assert guess == ("Speaker 1", "Anna"), "a guess is no name"
    assert news(("Anna", "Bea", "Cy"), ("Bea", "Cy")) == {}, (
        "whoever was taken out of the list keeps the name"
    )
    assert news(("Anna", "Bea"), ("Zoe", "Anna", "Bea")) == {}
    assert news(("Anna", "Bea", "Cy"), ("Anna", "Dee", "Cy", "Eve")) == {2: "Dee"}
    assert news(("Anna", "Bea", "Cy"), ("Anna", "Dee")) == {}, "nobody knows who was taken out"
    assert news(("Anna", "Anna", "Cy"), ("Anna", "Dee")) == {3: "Dee"}, "one name of two may stand there once"
    assert news(("Anna", "Anna", "Cy"), ("Bea", "Cy")) == {1: "Bea", 2: "Bea"}
    assert news(("Anna", "Bea"), ("", "sprecher 2")) == {1: "", 2: ""}
    assert news(("Anna", "Bea"), ("Speaker 2", "Bea")) == {}, "the number of another is nobody's name"
    assert news(None, ("Speaker 1", "Anna", "")) == {2: "Anna"}


@pytest.mark.shows("transcription:names-seen")
def test_a_running_daemon_takes_a_name_as_soon_as_it_is_saved(tmp_path: Path) -> None:
    rig = Rig(tmp_path, {"notes": {"dialect": "logseq", "layout": "one-file"}})
    rig.drop("talk.m4a", "hello")
    rig.drop("copy.m4a", "hello")
    speak(rig)
    with Live(rig):
        wait_for(lambda: rig.query("SELECT 1 FROM facts WHERE name = 'notes.seen_upto'"))
        change(rig, "copy.md", ("speakers:: Speaker 1, Speaker 2\n", "speakers:: Speaker 1, Anna\n"))
        wait_for(lambda: all("**Anna** [" in text for text in rig.notes().values()), 20)
    assert set(rig.notes()) == {"copy.md", "talk.md"}
    assert rig.events("speakers-named") == ["Speaker 2 got a name in copy.md."]
    said = CliRunner().invoke(app, ["why", str(rig.folder / "talk.m4a")], env={"EARMARK_HOME": str(rig.home)})
    assert "Speaker 2 got a name in copy.md." in " ".join(said.output.split())


@pytest.mark.shows("transcription:names-lost-ledger")
def test_names_come_back_out_of_the_notes_where_the_ledger_was_lost(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.speakers()
    file = rig.drop("talk.m4a", "hello")
    assert run_child(rig) == 0
    change(rig, "talk.md", ("  - Speaker 2\n", "  - Anna\n"))
    assert run_child(rig) == 0
    shutil.rmtree(rig.installed.state)
    assert run_child(rig) == 0
    with opened_context(rig.installed, rig.config()) as context:
        (again,) = to_retry(context, [file], failed=False, only=None)
        retry(context, again)
    assert run_child(rig) == 0
    assert rig.query("SELECT json_extract(body, '$.speakers') FROM transcripts") == [('["","Anna"]',)]
