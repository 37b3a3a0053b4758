"""Names that are forgotten with `earmark speakers forget NAME --names`: in which notes they stand still, and in which bytes.

The real supervisor on a real folder; only the workers are stand-ins (tests/standin_worker.py says why).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from earmark.cli.main import app
from earmark.files import is_locked
from earmark.retention import plan_now
from earmark.retention.sweep.apply import apply
from earmark.verbs import remembering
from earmark.verbs import trash as verbs_trash
from earmark.verbs.opening import opened_context
from typer.testing import CliRunner

from tests.conftest import wait_for
from tests.daemon_rig import Live, Rig, run_child
from tests.integration.test_named_speakers import change, listed, speak

NOTE = "talk.transcript.md"
UNNAMED = "  - Speaker 1\n  - Speaker 2\n"
FORMATS = ["srt", "vtt", "txt", "json", "html"]


def told(rig: Rig, *verb: str) -> str:
    said = CliRunner().invoke(app, [*verb], env={"EARMARK_HOME": str(rig.home), "COLUMNS": "300"})
    assert said.exit_code in (0, 1, 65), said.output
    return " ".join(said.output.split())


def files_with(rig: Rig, name: str) -> list[str]:
    """Files of the state folder that have these letters in any byte."""
    return [p.name for p in rig.home.rglob("*") if p.is_file() and name.encode() in p.read_bytes()]


def named(rig: Rig) -> None:
    """A person has written both names into the list of the transcript's note, one of them as a link."""
    rig.drop("talk.m4a", "hello")
    speak(rig)
    link = '  - "[[People/Carlotta|Carlotta]]"\n'
    change(rig, NOTE, ("  - Speaker 1\n", "  - Anneliese\n"), ("  - Speaker 2\n", link))
    assert run_child(rig) == 0
    assert listed(rig, NOTE) == listed(rig, "talk.md") == ("Anneliese", "Carlotta")


def forgotten(rig: Rig, name: str | None) -> tuple[list[str], bool]:
    """Forget a name, or all; in which notes it stands still, and whether that is all."""
    with opened_context(rig.installed, rig.config()) as context:
        done = remembering.forget(context, name, lambda _: True, everybody=name is None, names=True)
    assert done is not None
    return [path.name for path in done.named_still], done.complete


def is_out(rig: Rig) -> None:
    """Her name stands in no note and no byte of the state folder, and what else is theirs stays."""
    assert "Anneliese" not in "".join(rig.notes().values())
    assert '  - Speaker 1\n  - "[[People/Carlotta|Carlotta]]"\n' in rig.notes()[NOTE].replace("'", '"')
    assert "**Carlotta** [" in rig.notes()[NOTE]
    assert "**Speaker 1** [" in rig.notes()[NOTE]
    assert set(rig.notes()) == {NOTE, "talk.md"}
    assert files_with(rig, "Anneliese") == []


@pytest.mark.shows("transcription:names-forgotten")
def test_a_forgotten_name_goes_out_of_a_list_with_a_link_in_it_and_out_of_every_byte_of_the_ledger(
    tmp_path: Path,
) -> None:
    rig = Rig(tmp_path)
    named(rig)
    assert files_with(rig, "Anneliese")
    assert "talk" not in told(rig, "speakers", "forget", "Anneliese", "--names", "--yes")
    is_out(rig)
    assert run_child(rig) == 0
    is_out(rig)
    # Whoever was named by a link goes as well, and a tag of theirs stays.
    change(rig, NOTE, ("  - recording\n", "  - recording\n  - mine\n"))
    assert "talk" not in told(rig, "speakers", "forget", "Carlotta", "--names", "--yes")
    assert "Carlotta" not in "".join(rig.notes().values())
    assert "  - mine\n" in rig.notes()[NOTE]
    assert files_with(rig, "Carlotta") == []


@pytest.mark.shows("transcription:names-forgotten")
def test_a_forgotten_name_is_in_no_byte_of_the_ledger_when_the_verb_ends_beside_a_daemon(
    tmp_path: Path,
) -> None:
    rig = Rig(tmp_path)
    named(rig)
    with Live(rig), opened_context(rig.installed, rig.config()) as context:
        wait_for(lambda: is_locked(rig.installed.lock_file))
        done = remembering.forget(context, "Anneliese", lambda _: True, names=True)
        assert done is not None
        assert (done.named_still, done.complete) == ([], True)
        is_out(rig)


@pytest.mark.shows("transcription:names-forgotten")
def test_a_note_in_which_a_forgotten_name_stays_is_listed_beside_a_daemon_as_without_one(
    tmp_path: Path,
) -> None:
    rig = Rig(tmp_path)
    named(rig)
    change(rig, NOTE, ("![[", "My remark.\n\n![["))
    change(rig, "talk.md", ("tags:\n", "aliases:\n  - Anneliese and I\ntags:\n"))
    with Live(rig), opened_context(rig.installed, rig.config()) as context:
        wait_for(lambda: is_locked(rig.installed.lock_file))
        done = remembering.forget(context, "Anneliese", lambda _: True, names=True)
        assert done is not None
        assert {path.name for path in done.named_still} == {NOTE, "talk.md"}
        assert {path.name for path in done.renewed} == {"talk.md"}
    assert listed(rig, NOTE)[0] == "Anneliese"
    assert listed(rig, "talk.md")[0] == "Speaker 1"


WRITTEN: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "in one line": ({}, NOTE, "\n" + UNNAMED, " [Anneliese, '[[People/Carlotta|Carlotta]]'] # mine\n"),
    "as text": ({}, NOTE, "\n" + UNNAMED, " Anneliese, Carlotta\n"),
    "by their numbers": ({}, NOTE, UNNAMED, "  - 'Speaker 2: Carlotta'\n  - 'Speaker 1: Anneliese'\n"),
    "one person": ({}, NOTE, UNNAMED, "  - '[[Anneliese]]'\n  - Anneliese\n"),
    "longer than it is kept": ({}, NOTE, UNNAMED, f"  - Anneliese {'of ' * 99}\n  - '[[Carlotta]]'\n"),
    "in the summary": ({}, "talk.md", UNNAMED, "  - '[[Anneliese|Anneliese]]'\n  - Carlotta\n"),
    "by another key": ({"key_prefix": "em_"}, NOTE, UNNAMED, "  - Anneliese\n  - '[[Carlotta]]'\n"),
    "in one file": ({"layout": "one-file"}, "talk.md", UNNAMED, "  - Anneliese\n  - '[[Carlotta]]'\n"),
    "with other files": ({"formats": FORMATS}, NOTE, UNNAMED, "  - Anneliese\n  - '[[Carlotta]]'\n"),
    "in Logseq": ({"dialect": "logseq"}, NOTE, "Speaker 1, Speaker 2\n", "Anneliese, Carlotta\n"),
    "by the turns": ({}, NOTE, "**Speaker 1**", "**Anneliese**"),
}
"""Ways to say who speaks, that all go: settings of notes, the note, what stood there, and what a person wrote."""


@pytest.mark.shows("transcription:names-forgotten")
@pytest.mark.parametrize("way", WRITTEN)
def test_a_forgotten_name_goes_however_it_was_written(tmp_path: Path, way: str) -> None:
    notes, note, before, after = WRITTEN[way]
    rig = Rig(tmp_path, {"notes": notes})
    rig.drop("talk.m4a", "hello")
    speak(rig)
    change(rig, note, (before, after))
    assert run_child(rig) == 0
    assert files_with(rig, "Anneliese")
    assert forgotten(rig, None) == ([], True)
    assert not [p.name for p in rig.folder.iterdir() if b"Anneliese" in p.read_bytes()]
    assert files_with(rig, "Anneliese") == files_with(rig, "Carlotta") == []
    assert run_child(rig) == 0
    assert listed(rig, "talk.md", f"{notes.get('key_prefix', '')}speakers") == ("Speaker 1", "Speaker 2")


@pytest.mark.parametrize(
    "after",
    [
        "  - [[Anneliese]]\n  - Carlotta\n",
        "  - *Anneliese*\n  - Carlotta\n",
        "  - Anneliese # Anneliese B.\n  - Carlotta\n",
    ],
)
def test_a_note_in_which_the_name_stays_is_listed(tmp_path: Path, after: str) -> None:
    rig = Rig(tmp_path)
    rig.drop("talk.m4a", "hello")
    speak(rig)
    change(rig, NOTE, (UNNAMED, after))
    assert run_child(rig) == 0
    assert forgotten(rig, None)[0] == [NOTE]
    assert "Anneliese" not in rig.notes()["talk.md"]


@pytest.mark.shows("transcription:names-forgotten")
def test_a_note_that_was_moved_is_listed_where_it_lies_or_as_one_that_is_not_there(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    named(rig)
    (rig.folder / NOTE).rename(rig.folder / "moved.md")
    assert forgotten(rig, "Carlotta")[0] == [NOTE]
    assert run_child(rig) == 0
    assert forgotten(rig, "Anneliese")[0] == ["moved.md"]
    assert run_child(rig) == 0
    # Nor does it name anybody again.
    assert listed(rig, "talk.md") == ("Speaker 1", "Speaker 2")


def test_a_forgotten_name_is_nowhere_in_the_older_words_of_a_note_and_not_in_the_index(
    tmp_path: Path,
) -> None:
    rig = Rig(tmp_path)
    rig.drop("talk.m4a", "hello")
    speak(rig)
    change(rig, NOTE, ("![[", "My remark.\n\n![["))
    change(rig, "talk.md", (UNNAMED, "  - Anneliese\n  - Carlotta\n"))
    assert run_child(rig) == 0
    with opened_context(rig.installed, rig.config()) as context, context.ledger.transaction():
        for recording in context.ledger.recordings.all():
            context.ledger.words.of_notes.keep(recording.id)  # as when it is heard again
    assert "Anneliese" in told(rig, "search", "says", "number")
    assert rig.query("SELECT count(*) FROM words_of_notes WHERE body LIKE '%Anneliese%'") == [(1,)]
    assert forgotten(rig, "Anneliese") == ([], True)
    assert files_with(rig, "Anneliese") == []
    assert rig.query("SELECT count(*) FROM words_of_notes WHERE body LIKE '%Carlotta%'") == [(1,)]


def test_nothing_is_known_of_a_forgotten_name_by_notes_that_their_owner_removed(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    named(rig)
    (rig.folder / "talk.md").unlink()
    assert run_child(rig) == 0
    told(rig, "speakers", "forget", "Anneliese", "--names", "--yes")
    assert set(rig.notes()) == {NOTE}
    assert files_with(rig, "Anneliese") == []


def going(rig: Rig) -> None:
    """Both names are given, there are sidecars, and a rule takes these and the summary to the trash."""
    rig.sections = {"notes": {"formats": FORMATS[:4]}}
    named(rig)
    gone = {"delete_after_done": True}
    rig.sections["retention"] = {"summary": gone, "sidecar": gone, "fuse_items": 0, "fuse_percent": 0}
    with opened_context(rig.installed, rig.config()) as context, context.ledger.acting():
        apply(context, plan_now(context))
    assert {p.name for p in rig.folder.iterdir()} == {"talk.m4a", NOTE}


def done(rig: Rig, name: str | None) -> remembering.Forgotten:
    with opened_context(rig.installed, rig.config()) as context:
        found = remembering.forget(context, name, lambda _: True, everybody=name is None, names=True)
    assert found is not None
    return found


SIDECARS = {"talk.srt", "talk.vtt", "talk.txt", "talk.json"}


@pytest.mark.shows("transcription:names-left")
def test_a_forgotten_name_that_stands_in_the_trash_is_said_each_time_until_the_trash_is_emptied(
    tmp_path: Path,
) -> None:
    rig = Rig(tmp_path)
    going(rig)
    first = done(rig, "Anneliese")
    assert {row.original.name for row in first.in_trash} == {*SIDECARS, "talk.md"}
    assert (first.named_still, first.others, first.complete) == ([], [], False)
    said = told(rig, "speakers", "forget", "Anneliese", "--names", "--yes")
    assert "talk.srt lies in the trash, with the name in it: earmark trash empty" in said
    assert "is not where it was" not in said
    # What is brought back is named where it lies, and nobody has the name again for it.
    with opened_context(rig.installed, rig.config()) as context:
        verbs_trash.bring_back(context, [str(rig.folder / "talk.srt")], lambda _: None)
    assert "Anneliese" in (rig.folder / "talk.srt").read_text()
    again = done(rig, "Anneliese")
    assert [path.name for path in (*again.named_still, *again.others)] == ["talk.srt"]
    assert {row.original.name for row in again.in_trash} == {*SIDECARS, "talk.md"} - {"talk.srt"}
    (rig.folder / "talk.srt").unlink()
    told(rig, "trash", "empty", "--even-held", "--yes")
    assert run_child(rig) == 0
    assert files_with(rig, "Anneliese") == []
    assert "nobody was given this name" in told_none(rig, "Anneliese")


def told_none(rig: Rig, name: str) -> str:
    said = CliRunner().invoke(
        app,
        ["speakers", "forget", name, "--names", "--yes"],
        env={"EARMARK_HOME": str(rig.home), "COLUMNS": "300"},
    )
    assert said.exit_code == 66, said.output
    return said.output


@pytest.mark.shows("transcription:names-left")
@pytest.mark.parametrize("way", ["taken out", "removed"])
def test_what_is_kept_of_a_forgotten_name_goes_once_it_stands_in_no_note_any_more(
    tmp_path: Path, way: str
) -> None:
    rig = Rig(tmp_path)
    named(rig)
    change(rig, NOTE, ("![[", "My remark of Anneliese.\n\n![["))
    assert done(rig, "Anneliese").named_still == [rig.folder / NOTE]
    # Whoever says it again is told the same.
    assert done(rig, "Anneliese").named_still == [rig.folder / NOTE]
    assert done(rig, "Carlotta").named_still == done(rig, None).named_still == [rig.folder / NOTE]
    assert run_child(rig) == 0
    assert files_with(rig, "Anneliese")
    note = rig.folder / NOTE
    if way == "removed":
        note.unlink()
        assert run_child(rig) == 0  # which finds that it is gone; what was kept goes at the sweep after that
    else:
        text = (
            note.read_text()
            .replace("Anneliese", "Speaker 1")
            .replace("[[People/Carlotta|Carlotta]]", "Speaker 2")
        )
        note.write_text(text)
    assert run_child(rig) == 0
    assert files_with(rig, "Anneliese") == []
    assert "nobody was given this name" in told_none(rig, "Anneliese")
    assert files_with(rig, "Carlotta") == []
    assert listed(rig, "talk.md") == ("Speaker 1", "Speaker 2")


@pytest.mark.shows("transcription:names-left")
def test_every_file_below_the_drop_folders_in_which_a_forgotten_name_stands_is_named(tmp_path: Path) -> None:
    rig = Rig(tmp_path, {"notes": {"formats": FORMATS[:4]}})
    named(rig)
    keep = rig.folder / "keep"
    keep.mkdir()
    (keep / "mine.srt").write_bytes((rig.folder / "talk.srt").read_bytes())
    (rig.folder / "talk.vtt").rename(keep / "moved.vtt")
    (rig.folder / "talk copy.md").write_bytes((rig.folder / NOTE).read_bytes())
    text = rig.folder / "talk.txt"
    text.write_text(text.read_text() + "mine\n")
    assert run_child(rig) == 0
    found = {"mine.srt", "moved.vtt", "talk copy.md", "talk.txt"}
    for _ in "twice":
        now = done(rig, "Anneliese")
        assert {path.name for path in (*now.named_still, *now.others)} == found
        assert now.complete
    assert "one is called so: Carlotta" in told_none(rig, "carlotta")
    assert not [
        p.name
        for p in rig.folder.rglob("*")
        if p.is_file() and p.name not in found and b"Anneliese" in p.read_bytes()
    ]


@pytest.mark.shows("transcription:names-again")
def test_an_older_note_that_is_put_back_gives_a_forgotten_name_again_and_that_is_said(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    named(rig)
    backup = rig.notes()["talk.md"]
    assert "was forgotten" not in told(rig, "why", str(rig.folder / "talk.m4a"))
    assert done(rig, "Anneliese").complete
    (rig.folder / "talk.md").write_text(backup)
    assert run_child(rig) == 0
    assert listed(rig, NOTE) == listed(rig, "talk.md") == ("Anneliese", "Carlotta")
    why = told(rig, "why", str(rig.folder / "talk.m4a"))
    assert why.count("that was forgotten, and gave it back") == 1
    assert "speaker 1 that was forgotten" in why
    # Said again, it goes but out of that note, which is its owner's, and is named.
    again = done(rig, "Anneliese")
    assert [p.name for p in (*again.named_still, *again.others)] == ["talk.md"]
    assert listed(rig, NOTE) == ("Speaker 1", "Carlotta")
