"""What is a recording, by its name alone."""

from __future__ import annotations

import pytest
from earmark.formats import ENDINGS
from earmark.intake.rules import Rules
from hypothesis import given
from hypothesis import strategies as st

RULES = Rules()


@pytest.mark.parametrize(
    "name",
    ["standup.m4a", "TALK.MP3", "a b.wav", "12:30 meeting.wav", "réunion #1 [v2].flac", "x.mp4", "clip.webm", "a.part2.ogg",
     "x.sync-conflict-20260101-120000-ABCDEFG.m4a", "temp.m4a", "my.tmp.recording.opus",
     "Lecture.part.wav", "Temp-20260302.wav"],
)  # fmt: skip
def test_recordings_are_taken(name: str) -> None:
    assert RULES.why_not(name, name) is None


@pytest.mark.parametrize(
    "name",
    [".hidden.m4a", "._standup.m4a", "standup.m4a.part", "standup.m4a.crdownload", "standup.m4a.download", "x.m4a.tmp",
     ".syncthing.standup.m4a.tmp", "~syncthing~standup.m4a.tmp", "~$standup.m4a", "standup.m4a~", ".standup.m4a.icloud",
     "standup.m4a.filepart", "standup.m4a.!qB", "standup.m4a.ocdownload", "real.wav.ocTransferId123.part",
     ".~standup.m4a", "Thumbs.db", "desktop.ini", "standup.md", "standup.transcript.md", "standup.srt", "standup.json",
     "playlist.m3u8", "notes.txt", "noending", "Unconfirmed 123.crdownload"],
)  # fmt: skip
def test_what_is_no_recording_or_not_finished_is_left_alone_with_a_reason(name: str) -> None:
    assert RULES.why_not(name, name)


@pytest.mark.parametrize(
    "name", ["@eaDir", "#recycle", ".stversions", ".stfolder", "$RECYCLE.BIN", "__MACOSX", ".git"]
)
def test_folders_of_the_system_are_not_looked_into(name: str) -> None:
    assert RULES.why_not_folder(name, name)


def test_ignore_patterns_work_as_in_gitignore() -> None:
    rules = Rules(("drafts/", "*.raw.wav", "/top.m4a", "!keep.raw.wav"))
    assert rules.why_not_folder("drafts", "drafts")
    assert rules.why_not("a.raw.wav", "deep/a.raw.wav")
    assert rules.why_not("keep.raw.wav", "keep.raw.wav") is None
    assert rules.why_not("top.m4a", "top.m4a")
    assert rules.why_not("top.m4a", "deep/top.m4a") is None


@given(st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=60))
def test_every_name_gets_an_answer_and_only_known_endings_are_taken(name: str) -> None:
    if RULES.why_not(name, name) is None:
        assert name.rpartition(".")[2].lower() in ENDINGS
