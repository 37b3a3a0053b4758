"""What is not English stands in English beside it: in the ledger, in the note, in files of its own, until it is erased.

The real supervisor on real folders; only the workers are stand-ins (tests/standin_worker.py says why). That real speech is
translated shows in test_transcription_languages.py.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path

import pytest
from earmark.domain import Instant, Kind, Stage
from earmark.export.export import export
from earmark.ledger import Ledger
from earmark.retention import plan_now
from earmark.retention.erasure.copies import find
from earmark.retention.erasure.erase import erase
from earmark.verbs.opening import opened_context

from tests.daemon_rig import Rig, run_child, steps_of
from tests.older_ledger import take_speakers_out

FORMS = ["srt", "vtt", "txt", "json"]
SIDECARS = {"talk.srt", "talk.vtt", "talk.txt", "talk.json"}
IN_ENGLISH = {"talk.en.srt", "talk.en.vtt", "talk.en.txt"}
TRANSLATION = "In English, number 0. In English, number 1."
HEADING = "\n## In English\n"


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path, {"transcription": {"task": "translate"}, "notes": {"formats": FORMS}})


def files(rig: Rig) -> set[str]:
    return {p.name for p in rig.folder.iterdir() if p.suffix not in (".m4a", ".md")}


def retry(rig: Rig) -> None:
    """What `earmark retry` does to a recording."""
    with Ledger(rig.installed.ledger_file) as ledger:
        for recording in ledger.recordings.all():
            ledger.jobs.requeue(recording.id, Stage.TRANSCRIBE, Instant(1.0))


@pytest.mark.shows("transcription:translate", "transcription:translate-files")
def test_the_note_and_the_files_have_the_words_that_were_said_and_the_same_in_english(rig: Rig) -> None:
    rig.drop("talk.m4a", "one")
    assert run_child(rig) == 0
    note = rig.notes()["talk.transcript.md"]
    said, english = note.split(HEADING)
    assert "\ntranslated: en\n" in said
    assert "says number 0" in said
    assert TRANSLATION not in said
    assert TRANSLATION in english
    assert "says number 2" in english, "what was said in English stands in both"
    assert "says number 1" not in english
    assert "#t=0" in english, "its times lead into the recording"
    assert HEADING not in rig.notes()["talk.md"]
    assert files(rig) == SIDECARS | IN_ENGLISH
    original, translated = ((rig.folder / name).read_text() for name in ("talk.srt", "talk.en.srt"))
    assert "In English" not in original
    assert "says number 1" not in translated
    assert "In English,\nnumber 1." in translated
    sidecar = json.loads((rig.folder / "talk.json").read_text())
    assert [s["text"] for s in sidecar["english"]] == ["In English, number 0.", "In English, number 1."]
    assert sidecar["english_text"].startswith(TRANSLATION)
    assert "In English" not in sidecar["text"]


def test_a_kill_after_a_checkpoint_loses_and_doubles_no_english(rig: Rig) -> None:
    rig.drop("talk.m4a", "one")
    rig.keep("before")
    steps = steps_of(rig)
    undisturbed = rig.notes()
    at = [number for number, name in enumerate(steps, start=1) if name == "after:checkpoint"][1:]
    for number in at:
        rig.bring_back("before")
        assert run_child(rig, kill_at=number) == -9
        assert run_child(rig) == 0
        assert rig.notes() == undisturbed


def test_a_recording_in_the_middle_of_which_the_ledger_was_of_the_version_before_goes_on(rig: Rig) -> None:
    del rig.sections["transcription"]
    rig.drop("talk.m4a", "one")
    rig.keep("before")
    steps = steps_of(rig)
    undisturbed = rig.notes()
    rig.bring_back("before")
    assert run_child(rig, kill_at=steps.index("after:checkpoint") + 1) == -9
    with contextlib.closing(sqlite3.connect(rig.installed.ledger_file)) as db, db:
        db.execute("ALTER TABLE heard DROP COLUMN english")
        db.execute("DROP TABLE drafts")
        take_speakers_out(db)
        db.execute("PRAGMA user_version = 9")
    assert run_child(rig) == 0
    assert rig.notes() == undisturbed


@pytest.mark.shows("transcription:translate-from-then-on")
def test_what_was_transcribed_before_stays_until_it_is_tried_again(rig: Rig) -> None:
    rig.sections["transcription"] = {}
    rig.drop("talk.m4a", "one")
    assert run_child(rig) == 0
    before = rig.notes()
    rig.sections["transcription"] = {"task": "translate"}
    assert run_child(rig) == 0
    assert (rig.notes(), files(rig)) == (before, SIDECARS)
    retry(rig)
    assert run_child(rig) == 0
    assert HEADING in rig.notes()["talk.transcript.md"]
    assert files(rig) == SIDECARS | IN_ENGLISH


@pytest.mark.shows("transcription:translate")
def test_a_folder_can_say_for_itself_whether_it_is_translated(rig: Rig) -> None:
    rig.sections["folder"] = [{"path": str(rig.folder), "task": "transcribe"}]  # type: ignore[assignment]
    rig.drop("talk.m4a", "one")
    assert run_child(rig) == 0
    assert HEADING not in rig.notes()["talk.transcript.md"]
    assert files(rig) == SIDECARS


def test_an_edited_note_stays_its_owners_and_the_english_files_follow_the_recording(rig: Rig) -> None:
    recording = rig.drop("talk.m4a", "one")
    assert run_child(rig) == 0
    note = rig.folder / "talk.transcript.md"
    mine = note.read_text().replace("In English, number 1.", "In proper English, one.")
    note.write_text(mine)
    recording.rename(rig.folder / "call.m4a")
    assert run_child(rig) == 0
    assert files(rig) == {name.replace("talk", "call") for name in SIDECARS | IN_ENGLISH}
    retry(rig)
    assert run_child(rig) == 0
    assert "In proper English, one." in note.read_text()
    assert files(rig) == {name.replace("talk", "call") for name in SIDECARS | IN_ENGLISH}


def test_a_recording_of_the_very_name_keeps_its_files_apart(rig: Rig) -> None:
    rig.drop("talk.m4a", "one")
    rig.drop("talk.en.m4a", "two")
    rig.sections["notes"]["formats"] = ["srt"]
    assert run_child(rig) == 0
    before = {name: (rig.folder / name).read_text() for name in files(rig)}
    assert len(before) == len(set(before.values())) == 4
    retry(rig)
    assert run_child(rig) == 0
    assert {name: (rig.folder / name).read_text() for name in files(rig)} == before


def test_english_is_exported_goes_by_the_rule_for_its_kind_and_is_erased_with_its_recording(rig: Rig) -> None:
    rig.drop("talk.m4a", "one")
    rig.sections["retention"] = {"sidecar": {"keep_for": "10d"}}
    assert run_child(rig) == 0
    with opened_context(rig.installed, rig.config()) as context:
        context.folders = (rig.folder,)
        later = Instant(context.now() + 20 * 86_400)
        goes = [d.item for d in plan_now(context, at=later).goes]
        due = {c.path.name for c in goes if c.kind is Kind.SIDECAR}
        assert due == SIDECARS | IN_ENGLISH
        exported = export(context, rig.root / "out")
        names = {Path(e.name).name for e in exported.entries}
        assert names >= SIDECARS | IN_ENGLISH
        transcript = next((rig.root / "out").rglob("transcript.json"))
        assert [s["text"] for s in json.loads(transcript.read_text())["english"]][
            1
        ] == "In English, number 1."
        (recording_id,) = (r.id for r in context.ledger.recordings.all())
        assert erase(context, find(context, [recording_id]), [recording_id]).complete
    assert files(rig) == set()
    assert rig.notes() == {}
    assert b"In English, number" not in rig.installed.ledger_file.read_bytes()
