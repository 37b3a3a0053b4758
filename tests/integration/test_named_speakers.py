"""Who writes another name into a note's list of speakers has named somebody, and edited nothing.

The real supervisor on a real folder; only the workers are stand-ins (tests/standin_worker.py says why). Speakers are put
into the ledger here, as their stage does.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from earmark.domain import Instant
from earmark.ledger import Ledger
from earmark.notes.naming import given, names_in
from earmark.retention.erasure.matching import matching
from earmark.speaking import Turn, with_speakers
from earmark.verbs.opening import opened_context

from tests.daemon_rig import Rig, run_child

TURNS = (Turn(0.0, 9.5, 1), Turn(9.5, 19.5, 2), Turn(19.5, 30.0, 1))
NOTES = {"talk.md", "talk.transcript.md"}


def speak(rig: Rig, *names: str) -> None:
    """Say who speaks in the recording, as the stage and the verb do."""
    with Ledger(rig.installed.ledger_file) as ledger:
        for recording in ledger.recordings.all():
            transcript, summary = ledger.words.transcript(recording.id), ledger.words.summary(recording.id)
            assert transcript is not None
            assert summary is not None
            ledger.words.store_transcript(with_speakers(transcript, TURNS, names), "", Instant(1.0))
            ledger.words.store_summary(summary, Instant(1.0))
    assert run_child(rig) == 0


def change(rig: Rig, name: str, before: str, after: str) -> str:
    note = rig.folder / name
    text = note.read_text().replace(before, after)
    assert text != note.read_text()
    note.write_text(text)
    return text


@pytest.mark.shows("transcription:speakers-named")
def test_a_name_that_a_person_writes_into_the_list_is_kept_and_no_edit(tmp_path: Path) -> None:
    rig = Rig(tmp_path, {"notes": {"key_prefix": "em_"}})
    rig.drop("talk.m4a", "hello")
    assert run_child(rig) == 0
    kept = rig.query("SELECT length(plain_sha256), length(words_sha256) FROM artifacts")
    assert set(kept) == {(64, 64)}, "what is kept of notes without speakers is what was always kept"
    speak(rig)
    assert "**Speaker 2** [" in rig.notes()["talk.transcript.md"]
    text = {name: change(rig, name, "  - Speaker 2\n", "  - Wilhelmina\n") for name in NOTES}
    # Nothing is written over a name that nobody has read yet, and no second note beside it.
    speak(rig)
    assert rig.notes() == text
    with opened_context(rig.installed, rig.config()) as context:
        assert len(matching(context, "wilhelmina")) == 1
        assert matching(context, "speaker 1") == []
    # Once it is known, the whole note has it.
    speak(rig, *given(names_in(text["talk.md"], "em_speakers")))
    assert set(rig.notes()) == NOTES
    assert {row[0] for row in rig.query("SELECT state FROM artifacts")} == {"here"}
    transcript = rig.notes()["talk.transcript.md"]
    assert "**Speaker 1** [" in transcript
    assert "**Wilhelmina** [" in transcript
    assert "Speaker 2" not in transcript
    # What a person writes is theirs, and is found, but for the names that are ours.
    edited = change(rig, "talk.transcript.md", "Recording", "The tape")
    speak(rig, "", "Anna")
    assert rig.notes()["talk.transcript.md"] == edited
    with opened_context(rig.installed, rig.config()) as context:
        assert len(matching(context, "wilhelmina")) == 1
        assert len(matching(context, "anna")) == 1
        assert matching(context, "speaker 1") == []
