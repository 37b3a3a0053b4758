"""`earmark retry` beside a busy daemon."""

from __future__ import annotations

from pathlib import Path

import pytest
from earmark.domain import Stage
from earmark.verbs.opening import opened_context
from earmark.verbs.retrying import Again, retry

from tests.conftest import wait_for
from tests.daemon_rig import Live, Rig


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path, {"transcription": {"workers": 2}})


@pytest.mark.shows("durability:retry-while-heard")
def test_what_is_heard_at_this_moment_is_not_given_to_a_second_worker(rig: Rig) -> None:
    (rig.folder / "a.wav.pause").touch()
    file = rig.drop("a.wav", "pause@1")
    rig.drop("b.wav", "two")
    with Live(rig):
        wait_for(lambda: rig.query("SELECT 1 FROM checkpoints WHERE upto = 10") and "b.md" in rig.notes())
        with opened_context(rig.installed, rig.config()) as context:
            (recording,) = [p.recording_id for p in context.ledger.places.all() if p.path == file]
            queued, said = retry(context, Again(recording, Stage.TRANSCRIBE, "a.wav"))
        rig.drop("c.wav", "three")  # whoever is free would take the first one before it
        wait_for(lambda: "c.md" in rig.notes())
        (rig.folder / "a.wav.pause").unlink()
        wait_for(lambda: "a.md" in rig.notes())
        wait_for(lambda: not rig.query("SELECT 1 FROM jobs WHERE state != 'done'"))
    assert not queued
    assert "is being transcribed at this moment" in said
    assert rig.notes()["a.transcript.md"].count("says number") == 3
    assert len(rig.events("transcribed")) == 3
    with opened_context(rig.installed, rig.config()) as context:
        assert "will be tried again" in retry(context, Again(recording, Stage.TRANSCRIBE, "a.wav"))[1]
