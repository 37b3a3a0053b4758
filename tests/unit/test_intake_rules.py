"""What is a recording, by its name alone."""

from __future__ import annotations

import pytest
from earmark.formats import ENDINGS
from earmark.intake.rules import Rules
from earmark.intake.untaken import in_words
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
    "name",
    [
        "@eaDir",
        "#recycle",
        ".stversions",
        ".stfolder",
        "$RECYCLE.BIN",
        "__MACOSX",
        ".git",
        "talk.m4a.download",
    ],
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


@pytest.mark.parametrize(
    ("name", "ending"),
    [("call.dvf", "dvf"), ("TALK.XYZ", "xyz"), ("noending", ""), ("a.ds2", "ds2"), ("a.wav", None), ("a.md", None),
     ("a.PDF", None), (".hidden.xyz", None), ("a.wav.part", None), ("~$a.xyz", None), ("Thumbs.db", None), ("a.srt", None),
     ("my/a.skip.xyz", None), ("earmark-hold", None), ("Call with Dr. Miller", ""), ("mail.miller@example.net", "net"),
     ("2026.wörter", ""), ("a.wav.!sync", None), ("a.wav.incomplete", None), ("a.m4a.part-Frag12", None),
     ("a.m4a.ytdl", None), ("Makefile", None), ("a.pyc", None), ("a.tsx", None), ("a.reapeaks", None), ("a.insv", "insv")],
)  # fmt: skip
def test_what_may_be_a_recording_of_an_unknown_kind_is_told_by_its_ending(
    name: str, ending: str | None
) -> None:
    assert Rules(("*.skip.xyz",)).untaken(name.rpartition("/")[2], name) == ending


@pytest.mark.parametrize(
    ("found", "sentence"),
    [({}, ""), ({"xyz": 1}, "1 file with an ending that earmark does not take: .xyz"),
     ({"xyz": 3}, "3 files with endings that earmark does not take: .xyz"),
     ({"xyz": 2, "": 1}, "3 files with endings that earmark does not take: .xyz (2), none at all"),
     (dict.fromkeys("abcdefg", 1), "7 files with endings that earmark does not take: .a, .b, .c, .d, .e and 2 others")],
)  # fmt: skip
def test_files_that_are_not_taken_are_counted_by_their_endings(found: dict[str, int], sentence: str) -> None:
    assert in_words(found) == sentence


@given(st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=60))
def test_every_name_gets_an_answer_and_only_known_endings_are_taken(name: str) -> None:
    if RULES.why_not(name, name) is None:
        assert name.rpartition(".")[2].lower() in ENDINGS
