"""Names that a person writes where turns begin, and lists of speakers that say nothing plain.

The real supervisor on a real folder; only the workers are stand-ins (tests/standin_worker.py says why).
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from earmark.cli.main import app
from earmark.notes.before_times import name_behind
from typer.testing import CliRunner

from tests.daemon_rig import Rig, run_child
from tests.integration.test_named_speakers import UNNAMED, change, listed, speak

NOTE = "talk.transcript.md"


def told(rig: Rig, *verb: str) -> str:
    said = CliRunner().invoke(app, [*verb], env={"EARMARK_HOME": str(rig.home)})
    assert said.exit_code in (0, 1, 65), said.output
    return " ".join(said.output.split())


def talk(tmp_path: Path) -> Rig:
    rig = Rig(tmp_path, {"notes": {"formats": ["txt"]}})
    rig.drop("talk.m4a", "hello")
    speak(rig)
    return rig


def states(rig: Rig) -> set[str]:
    return {row[0] for row in rig.query("SELECT state FROM artifacts")}


def turns(rig: Rig) -> list[str]:
    return re.findall(r"^\*\*(.+?)\*\* \[", rig.notes()[NOTE], re.M)


def another_in_turn(rig: Rig, number: int, name: str) -> str:
    """Write another name where one turn begins."""
    note = rig.folder / NOTE
    parts = re.split(r"(?m)^\*\*.+?\*\*(?= \[)", note.read_text())
    begins = re.findall(r"(?m)^\*\*.+?\*\*(?= \[)", note.read_text())
    begins[number] = f"**{name}**"
    text = parts[0] + "".join(map("".join, zip(begins, parts[1:], strict=True)))
    note.write_text(text)
    return text


@pytest.mark.shows("transcription:names-turns")
def test_a_name_in_the_place_of_a_name_in_all_turns_is_that_voice_s_everywhere(tmp_path: Path) -> None:
    rig = talk(tmp_path)
    files = {path.name for path in rig.folder.iterdir()}
    change(rig, NOTE, ("**Speaker 1** [", "**Eve** ["))
    assert run_child(rig) == 0
    assert listed(rig, NOTE) == listed(rig, "talk.md") == ("Eve", "Speaker 2")
    assert "Eve: " in (rig.folder / "talk.txt").read_text()
    assert "Call Eve" in rig.notes()["talk.md"]
    assert rig.events("speakers-named") == [f"Speaker 1 got a name in {NOTE}."]
    # Of a name, in another spelling, and as Windows ends lines; marks in it are a name's.
    note = rig.folder / NOTE
    note.write_bytes(
        note.read_text().replace("**Eve** [", "**E\u0301ve*: [x]** [").replace("\n", "\r\n").encode()
    )
    assert run_child(rig) == 0
    assert listed(rig, NOTE) == listed(rig, "talk.md") == ("\u00c9ve*: [x]", "Speaker 2")
    # Both at once, one of them in the list as well; then back to a number.
    change(
        rig,
        NOTE,
        ("**Speaker 2** [", "**Bea** ["),
        ("\u00c9ve*: [x]", "Ada"),
        ("\u00c9ve\\*: \\[x\\]", "Ada"),
    )
    assert run_child(rig) == 0
    assert listed(rig, NOTE) == listed(rig, "talk.md") == ("Ada", "Bea")
    change(rig, NOTE, ("**Ada** [", "**Speaker 1** ["))
    assert run_child(rig) == 0
    assert listed(rig, NOTE) == listed(rig, "talk.md") == ("Speaker 1", "Bea")
    # Nothing is edited, and nothing beside it.
    assert states(rig) == {"here"}
    assert {path.name for path in rig.folder.iterdir()} == files
    assert rig.events("names-not-read") == []


@pytest.mark.shows("transcription:names-turns")
@pytest.mark.parametrize(
    "typed",
    ["Eve", "*Eve*", "_Eve_", "`Eve`", "<b>Eve</b>", "==Eve==", "[[People/Eve|Eve]]", "Eve,", "***Eve***"],
)
def test_a_name_is_one_however_it_is_set_before_the_time_of_a_turn(tmp_path: Path, typed: str) -> None:
    rig = talk(tmp_path)
    words = (rig.folder / "talk.txt").read_text()
    mine = change(rig, NOTE, ("**Speaker 1** [", f"{typed} ["))
    assert run_child(rig) == 0
    assert rig.notes()[NOTE] == mine
    assert listed(rig, "talk.md") == ("Eve", "Speaker 2")
    assert (rig.folder / "talk.txt").read_text() == words.replace("Speaker 1", "Eve")
    assert rig.events("corrected") == []


@pytest.mark.shows("transcription:names-turns")
@pytest.mark.parametrize("typed", ["**Eve:**", "__Eve__:", "<b>Eve:</b>", "Eve:", "*Eve:*"])
def test_a_name_with_a_colon_behind_the_time_of_a_turn_is_one_as_before_it(
    tmp_path: Path, typed: str
) -> None:
    rig = talk(tmp_path)
    words = (rig.folder / "talk.txt").read_text()
    mine = re.sub(r"(?m)^(\*\*Speaker 1\*\* )(\[\[.*?\]\]) ", rf"\2 {typed} ", rig.notes()[NOTE])
    (rig.folder / NOTE).write_text(mine)
    assert run_child(rig) == 0
    assert rig.notes()[NOTE] == mine
    assert listed(rig, "talk.md") == ("Eve", "Speaker 2")
    assert (rig.folder / "talk.txt").read_text() == words.replace("Speaker 1", "Eve")
    assert rig.events("corrected") == []


@pytest.mark.shows("transcription:names-turns")
@pytest.mark.parametrize(
    ("text", "heard", "name"),
    [
        (" **Anna:** we go", "we go", "Anna"),
        (" **Anna Maria**: we go", "we go", "Anna Maria"),
        (" ***Dr. Roe:*** other words", "we go", "Dr. Roe"),
        (" __Anna:__ we go", "we go", "Anna"),
        (" **Anna:**", "we go", "Anna"),
        (" Anna: we go", "we go", "Anna"),
        (" *Anna:* we go", "we go", "Anna"),
        (" **Important:** we go", "Important, we go", ""),
        (" **Anna** we go", "we go", ""),
        (" Anna: they went", "we go", ""),
        (" Listen: we go", "Listen we go", ""),
        (" well: we go", "we go", ""),
        (" at 10:30 we go", "we go", ""),
        (" **We left. So:** we go", "we go", ""),
        (" One: two: we go", "we go", ""),
    ],
)
def test_what_is_behind_a_time_is_a_name_where_it_was_not_heard(text: str, heard: str, name: str) -> None:
    assert name_behind(text, heard.split())[0] == name


@pytest.mark.shows("transcription:names-turns")
def test_a_sentence_before_the_time_of_a_turn_is_neither_a_name_nor_said_and_is_told(tmp_path: Path) -> None:
    rig = talk(tmp_path)
    before = (rig.folder / "talk.txt").read_text()
    remark = "We ought to ask them about that once more."
    mine = change(rig, NOTE, ("**Speaker 1** [", f"{remark} ["))
    assert run_child(rig) == 0
    assert rig.notes()[NOTE] == mine
    assert listed(rig, "talk.md") == UNNAMED
    assert (rig.folder / "talk.txt").read_text() == before
    for verb in (
        ("why", str(rig.folder / NOTE)),
        ("export", "recording", str(rig.folder / "talk.m4a"), "-f", "txt"),
    ):
        assert re.search(r"lines? of yours (is|are) in the note only", told(rig, *verb)), verb


@pytest.mark.shows("transcription:corrected-no-speech")
def test_a_name_before_a_time_where_nobody_knows_who_speaks_is_told_and_was_not_said(tmp_path: Path) -> None:
    rig = Rig(tmp_path, {"notes": {"formats": ["txt"]}})
    rig.drop("talk.m4a", "hello")
    assert run_child(rig) == 0
    before = (rig.folder / "talk.txt").read_text()
    mine = change(rig, NOTE, ("\n[[talk.m4a#", "\nEve [[talk.m4a#"))
    assert run_child(rig) == 0
    assert rig.notes()[NOTE] == mine
    assert (rig.folder / "talk.txt").read_text() == before
    assert "of yours" in told(rig, "why", str(rig.folder / NOTE))
    mine = change(
        rig, NOTE, ("\nEve [[talk.m4a#", "\n[[talk.m4a#"), ("]] Recording", "]] **Eve:** Recording")
    )
    assert run_child(rig) == 0
    assert rig.notes()[NOTE] == mine
    assert (rig.folder / "talk.txt").read_text() == before
    assert "1 line of yours is in the note only" in told(rig, "why", str(rig.folder / NOTE))


@pytest.mark.shows("transcription:names-turns")
def test_a_name_throughout_a_note_that_was_edited_otherwise_is_taken_once_and_takes_nothing_back(
    tmp_path: Path,
) -> None:
    rig = talk(tmp_path)
    mine = change(rig, NOTE, ("**Speaker 1** [", "**Eve** ["), ("![[", "My remark.\n\n![["))
    assert run_child(rig) == 0
    assert rig.notes()[NOTE] == mine
    assert listed(rig, "talk.md") == ("Eve", "Speaker 2")
    change(rig, "talk.md", ("  - Eve\n", "  - Zoe\n"))
    assert run_child(rig) == 0
    mine = change(rig, NOTE, ("My remark", "My old remark"))
    assert run_child(rig) == 0
    assert listed(rig, "talk.md") == ("Zoe", "Speaker 2")
    assert rig.notes()[NOTE] == mine
    assert rig.events("names-not-read") == []


@pytest.mark.shows("transcription:names-turns")
def test_names_in_the_turns_of_one_note_for_all_in_logseq_s_form_are_read_as_well(tmp_path: Path) -> None:
    rig = Rig(tmp_path, {"notes": {"dialect": "logseq", "layout": "one-file"}})
    rig.drop("talk.m4a", "hello")
    speak(rig)
    change(rig, "talk.md", ("- **Speaker 1** [", "- **Eve** ["))
    assert run_child(rig) == 0
    assert "speakers:: Eve, Speaker 2\n" in rig.notes()["talk.md"]
    mine = change(rig, "talk.md", ("speakers:: Eve, Speaker 2\n", "speakers:: Speaker 2\n"))
    assert run_child(rig) == 0
    assert rig.notes()["talk.md"] == mine
    assert "its list of speakers has 1 entry" in told(rig, "why", str(rig.folder / "talk.md"))


@pytest.mark.shows("transcription:names-odds")
def test_turns_that_contradict_the_list_or_each_other_name_nobody_and_the_note_stays(tmp_path: Path) -> None:
    rig = talk(tmp_path)
    ours = rig.notes()[NOTE]
    for pairs, said in (
        (
            (("  - Speaker 1\n", "  - Ada\n"), ("**Speaker 1** [", "**Eve** [")),
            "speaker 1 has one name in its list of speakers and another one in the turns, so that nobody is named by either;"
            " write the same in both, or say it with: earmark speakers name FILE NUMBER NAME",
        ),
        (
            (("**Speaker 1** [", "**Eve** ["), ("**Speaker 2** [", "**Eve** [")),
            "the turns of speaker 1 begin with what is another speaker's name or number, so that nobody is named by them",
        ),
        (
            (
                ("**Speaker 1** [", "**? ["),
                ("**Speaker 2** [", "**Speaker 1** ["),
                ("**? [", "**Speaker 2** ["),
            ),
            "the turns of speaker 1 begin with what is another speaker's name or number",
        ),
    ):
        (rig.folder / NOTE).write_text(ours)
        mine = change(rig, NOTE, *pairs)
        assert run_child(rig) == 0
        assert rig.notes()[NOTE] == mine
        assert listed(rig, "talk.md") == UNNAMED
        for told_by in (told(rig, "why", str(rig.folder / NOTE)), told(rig, "status")):
            assert f"of who speaks, {said}" in told_by
        assert f"{NOTE}: " in rig.events("names-not-read")[-1]
    assert "Eve" not in str(rig.query("SELECT * FROM events"))
    # Said in either way that it names, it is plain again.
    (rig.folder / NOTE).write_text(ours)
    change(rig, NOTE, ("  - Speaker 1\n", "  - Eve\n"), ("**Speaker 1** [", "**Eve** ["))
    assert run_child(rig) == 0
    assert listed(rig, "talk.md") == ("Eve", "Speaker 2")
    assert "of who speaks" not in told(rig, "status")
    assert states(rig) == {"here"}


@pytest.mark.shows("transcription:names-one-turn")
def test_one_turn_with_another_name_stays_in_its_note_and_is_told_by_all_that_cannot_say_it(
    tmp_path: Path,
) -> None:
    rig = talk(tmp_path)
    mine = another_in_turn(rig, 2, "Zoe")
    assert run_child(rig) == 0
    assert rig.notes()[NOTE] == mine
    assert listed(rig, "talk.md") == UNNAMED
    said = (
        "begins with another name than speaker 1 has: that stays in this note, and is in no other note, file"
    )
    for verb in (
        ("why", str(rig.folder / NOTE)),
        ("status",),
        ("search", "number"),
        ("export", "recording", str(rig.folder / "talk.m4a"), "-f", "txt"),
    ):
        assert said in told(rig, *verb), verb
    assert rig.query("SELECT state FROM artifacts WHERE kind = 'transcript' AND form = 'md'") == [("edited",)]
    # Where the list has a name that all turns but this one have, the list counts.
    mine = change(rig, NOTE, ("  - Speaker 1\n", "  - Eve\n"), ("**Speaker 1** [", "**Eve** ["))
    assert run_child(rig) == 0
    assert rig.notes()[NOTE] == mine
    assert listed(rig, "talk.md") == ("Eve", "Speaker 2")
    assert said in told(rig, "why", str(rig.folder / NOTE))
    # Later names and words go elsewhere, and it stays what it is.
    change(rig, "talk.md", ("  - Speaker 2\n", "  - Bea\n"))
    assert run_child(rig) == 0
    assert rig.notes()[NOTE] == mine
    assert told(rig, "retry", str(rig.folder / "talk.m4a"))
    assert run_child(rig) == 0
    assert rig.notes()[NOTE] == mine


@pytest.mark.shows("transcription:names-turns")
def test_turns_that_have_a_number_still_get_the_name_of_the_list(tmp_path: Path) -> None:
    rig = talk(tmp_path)
    another_in_turn(rig, 0, "Eve")
    change(rig, NOTE, ("  - Speaker 1\n", "  - Eve\n"))
    assert run_child(rig) == 0
    assert listed(rig, NOTE) == listed(rig, "talk.md") == ("Eve", "Speaker 2")
    assert "Speaker 1" not in turns(rig)
    assert states(rig) == {"here"}
    assert rig.events("names-not-read") == []
    # A number where a name was written is an edit of that turn.
    mine = another_in_turn(rig, 0, "Speaker 1")
    assert run_child(rig) == 0
    assert rig.notes()[NOTE] == mine
    assert "begins with another name than speaker 1 has" in told(rig, "why", str(rig.folder / NOTE))


@pytest.mark.shows("transcription:names-unreadable")
def test_of_a_line_with_two_names_it_is_said_that_one_line_is_one_name(tmp_path: Path) -> None:
    rig = talk(tmp_path)
    change(rig, NOTE, ("  - Speaker 1\n", "  - Ada, Bea\n"))
    assert run_child(rig) == 0
    assert listed(rig, NOTE) == listed(rig, "talk.md") == ("Ada, Bea", "Speaker 2")
    said = "the name of speaker 1 has a comma or semicolon in it: one line is one name"
    assert [said in each for each in rig.events("speakers-named")] == [True, False]
    assert said in told(rig, "why", str(rig.folder / NOTE))
    # Where everybody has a name, nobody else can be meant.
    change(rig, NOTE, ('  - "Ada, Bea"\n  - Speaker 2\n', "  - Lee, Ada\n  - Bea\n"))
    assert run_child(rig) == 0
    assert len([each for each in rig.events("speakers-named") if "comma" in each]) == 1


@pytest.mark.shows("transcription:names-unreadable")
def test_a_list_that_is_no_list_of_names_stays_and_is_told_with_what_would_be_right(tmp_path: Path) -> None:
    rig = talk(tmp_path)
    ours = rig.notes()["talk.md"]
    block = "speakers:\n  - Speaker 1\n  - Speaker 2\n"
    for listing, said in (
        (
            "speakers:\n  - first: Ada\n    last: Lee\n  - first: Bea\n",
            "its list speakers cannot be read as names",
        ),
        ("speakers:\n  Ada: host\n  Bea: guest\n", "its list speakers cannot be read as names"),
        ("speakers: 7\n", "its list speakers cannot be read as names"),
        ("speakers: []\n", "its list speakers is empty, which names nobody"),
        ("speakers:\n  - Speaker 2\n", "its list of speakers has 1 entry, and 2 people speak"),
        ("speakers:\n  - Speaker 2\n  - Speaker 1\n", "have the number of another speaker"),
    ):
        (rig.folder / "talk.md").write_text(ours)
        mine = change(rig, "talk.md", (block, listing))
        assert run_child(rig) == 0
        assert rig.notes()["talk.md"] == mine
        assert listed(rig, NOTE)[0] == "Speaker 1"
        assert said in rig.events("names-not-read")[-1]
        assert rig.events("names-not-read")[-1].startswith("talk.md: ")
        for told_by in (told(rig, "why", str(rig.folder / "talk.md")), told(rig, "status")):
            assert said in told_by, listing
            assert "write one line for each, in their order" in told_by
        # What is said elsewhere since puts nothing beside it, and takes nothing of it.
        other = "Cleo" if listed(rig, NOTE)[1] == "Speaker 2" else "Speaker 2"
        change(rig, NOTE, (f"  - {listed(rig, NOTE)[1]}\n", f"  - {other}\n"))
        assert run_child(rig) == 0
        assert rig.notes()["talk.md"] == mine
        assert set(rig.notes()) == {"talk.md", NOTE}
    (rig.folder / "talk.md").write_text(ours)
    change(rig, "talk.md", (block, "speakers:\n  - 007\n  - Q\n"))
    assert run_child(rig) == 0
    assert listed(rig, NOTE) == listed(rig, "talk.md") == ("007", "Q")
    assert "of who speaks" not in told(rig, "status")


@pytest.mark.shows("transcription:names-written", "transcription:names-unreadable")
def test_no_name_in_a_list_is_passed_over_in_silence(tmp_path: Path) -> None:
    rig = talk(tmp_path)
    ours, first = rig.notes()["talk.md"], "speakers:\n  - Speaker 1\n  - Speaker 2\n"
    for listing, names in (
        ("speakers:\n  * Ada\n  * Bea\n", ("Ada", "Bea")),
        ("speakers:\n  1. Cleo\n  2. Dora\n", ("Cleo", "Dora")),
        ("Speakers:\n  - Eve\n  - Fay\n", ("Eve", "Fay")),
        ("speakers:\n  - Null\n  - null\n", ("Null", "null")),
        ("speakers:\n  - #Gina\n  - 2. Hana\n", ("#Gina", "Hana")),
    ):
        (rig.folder / "talk.md").write_text(ours)
        mine = change(rig, "talk.md", (first, listing))
        assert run_child(rig) == 0
        assert listed(rig, NOTE) == names, listing
        assert listed(rig, "talk.md") == names, mine
    for listing, said in (
        ("speakers:\n  - # Ada\n  - Bea\n", "place 1 of its list speakers is a comment and no name"),
        ("speakers:\n  Ada\n  Bea\n", "its list speakers cannot be read as names"),
        ("speakers:\n  - Ada\n  - Bea\nSpeakers: Cleo\n", "it has both speakers and Speakers"),
    ):
        (rig.folder / "talk.md").write_text(ours)
        mine = change(rig, "talk.md", (first, listing))
        assert run_child(rig) == 0
        assert rig.notes()["talk.md"] == mine
        assert listed(rig, NOTE) == ("#Gina", "Hana")
        assert said in rig.events("names-not-read")[-1]
        for told_by in (told(rig, "why", str(rig.folder / "talk.md")), told(rig, "status")):
            assert said in told_by, listing


@pytest.mark.shows("transcription:names-forgotten")
def test_of_a_note_in_which_words_were_corrected_it_is_not_said_that_a_forgotten_name_stays_in_it(
    tmp_path: Path,
) -> None:
    rig = talk(tmp_path)
    change(rig, NOTE, ("**Speaker 1** [", "**Eve** ["), ("says number 1 here", "says number one here"))
    assert run_child(rig) == 0
    assert listed(rig, NOTE) == listed(rig, "talk.md") == ("Eve", "Speaker 2")
    assert "number one" in (rig.folder / "talk.txt").read_text()
    gone = told(rig, "speakers", "forget", "Eve", "--names", "--yes")
    assert "Eve" not in "".join(rig.notes().values())
    assert "number one" in rig.notes()[NOTE]
    assert "was edited by you" not in gone
    # In what they wrote a name stays; of that note it is said.
    change(rig, "talk.md", ("  - Speaker 1\n", "  - Eve\n"))
    assert run_child(rig) == 0
    mine = change(rig, NOTE, ("![[", "Ask Eve.\n\n![["))
    gone = told(rig, "speakers", "forget", "Eve", "--names", "--yes")
    assert rig.notes()[NOTE] == mine
    assert f"{NOTE} was edited by you and stays as it is" in gone
    assert "talk.md was" not in gone
