"""Real speech and both real models: the quick one's note at once, and the better one in its place, also after a kill."""

from __future__ import annotations

import signal

import pytest

from tests.conftest import MODELS, QUICK, SAMPLE_WORDS, Installation, wait_for, word_errors, words

pytestmark = pytest.mark.speech


@pytest.mark.shows("transcription:draft", "transcription:draft-killed", "transcription:speed")
def test_the_note_of_the_quick_model_is_there_first_and_the_better_one_takes_its_place(
    installation: Installation,
) -> None:
    both = installation.root / "both"
    both.mkdir()
    for name in ("tiny.en", "base"):
        (both / name).symlink_to(MODELS / name / name)
    installation.model = str(both)
    installation.configure(f"{QUICK}[transcription]\nlanguage = 'en'\n")
    daemon = installation.daemon()
    installation.drop("standup.m4a")
    note, summary = installation.folder / "standup.transcript.md", installation.folder / "standup.md"
    wait_for(summary.exists, 60, "the draft")
    assert "draft: true\n" in summary.read_text()
    assert "This is a draft. A better version follows when nothing else waits" in note.read_text()
    installation.stop(daemon, signal.SIGKILL)  # while base is loading or hearing
    installation.daemon()
    wait_for(
        lambda: "model: base\n" in note.read_text() and "draft" not in summary.read_text(),
        90,
        "the better one",
    )
    # What stood there is under a hidden name for a moment after the new one has its place.
    both_notes = ["standup.md", "standup.transcript.md"]
    wait_for(lambda: installation.notes() == both_notes, 20, "nothing but the two notes")
    body = note.read_text().partition("![[")[2].partition("]]")[2]
    said = words(" ".join(line.partition(": ")[2] for line in SAMPLE_WORDS.read_text().splitlines()))
    heard = words(" ".join(part.partition("]]")[2] or part for part in body.splitlines()))
    assert word_errors(said, heard) <= len(said) // 10
    listed = installation.earmark("models", "list").stdout
    assert "Used: base; drafts by tiny.en." in listed
    assert listed.count("x real time") == 2, "both were measured here, at work"
