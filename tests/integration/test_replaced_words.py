"""What the configuration spells otherwise than it is heard, in notes and files: from the next hearing on, and said in json.

The real supervisor on a real folder; only the workers are stand-ins (tests/standin_worker.py says why).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from earmark.retention.erasure.matching import matching
from earmark.verbs.opening import opened_context

from tests.daemon_rig import Rig, run_child
from tests.integration.test_corrected_words import EVERYTHING, NOTE, corrections, heard_again
from tests.integration.test_named_speakers import change, speak

TABLE = {"number 1": "No. one", "recording": "memo"}


def with_table(tmp_path: Path, table: dict[str, str]) -> Rig:
    return Rig(tmp_path, EVERYTHING | {"transcription": {"replace": table}})


def segments(rig: Rig) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((rig.folder / "talk.json").read_text())["segments"]
    return found


@pytest.mark.shows(
    "transcription:replace", "transcription:replace-json", "transcription:replace-from-then-on"
)
def test_what_is_heard_wrongly_is_written_rightly_everywhere_and_a_change_of_the_table_counts_from_then_on(
    tmp_path: Path,
) -> None:
    rig = with_table(tmp_path, TABLE)
    rig.drop("talk.m4a", "hello")
    assert run_child(rig) == 0
    for text in (*rig.notes().values(), (rig.folder / "talk.txt").read_text()):
        assert "Memo 2cf24dba5fb0 says No. one here." in text
    for form in ("srt", "vtt"):
        assert "says No. one\nhere." in (rig.folder / f"talk.{form}").read_text()
    assert segments(rig)[1]["heard"] == "Recording 2cf24dba5fb0 says number 1 here."
    assert segments(rig)[1]["replaced"] == [
        {"heard": "Recording", "written": "Memo"},
        {"heard": "number 1", "written": "No. one"},
    ]
    with opened_context(rig.installed, rig.config()) as context:
        found = [len(matching(context, word)) for word in ("number 1", "no. one", "number one")]
    assert found == [1, 1, 0]
    # Another table changes nothing that is written, and what is heard from then on.
    before = rig.notes()
    rig.sections["transcription"] = {"replace": {"number 1": "nr. 1"}}
    assert run_child(rig) == 0
    assert rig.notes() == before
    speak(rig)
    assert "Memo 2cf24dba5fb0 says No. one here." in (rig.folder / "talk.txt").read_text()
    heard_again(rig)
    assert "Recording 2cf24dba5fb0 says nr. 1 here." in (rig.folder / "talk.txt").read_text()
    assert "Recording 2cf24dba5fb0 says nr. 1 here." in rig.notes()[NOTE]


@pytest.mark.shows("transcription:replace-theirs")
def test_a_persons_words_are_never_replaced_and_what_was_heard_stays_known(tmp_path: Path) -> None:
    rig = with_table(tmp_path, TABLE)
    rig.drop("talk.m4a", "hello")
    assert run_child(rig) == 0
    change(rig, NOTE, ("Memo 2cf24dba5fb0 says No. one here", "Recording 2cf24dba5fb0 says number 1 today"))
    assert run_child(rig) == 0
    theirs = {"Recording 2cf24dba5fb0 says number 1 here.": "Recording 2cf24dba5fb0 says number 1 today."}
    assert corrections(rig).items() >= theirs.items()
    assert "replaced" not in segments(rig)[1]
    heard_again(rig)
    assert corrections(rig).items() >= theirs.items()
    assert [segment["text"] for segment in segments(rig)] == [
        "Memo 2cf24dba5fb0 says number 0 here.",
        "Recording 2cf24dba5fb0 says number 1 today.",
        "Memo 2cf24dba5fb0 says number 2 here.",
    ]
    assert "Recording 2cf24dba5fb0 says number 1 today." in rig.notes()[NOTE]
