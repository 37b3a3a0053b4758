"""Folders that belong to a program: not watched, and not entered from above."""

from __future__ import annotations

from pathlib import Path

import pytest
from earmark.config.closed import containers_below, package, why_no_drop_folder
from earmark.intake.rules import Rules
from earmark.intake.untaken import closed_in_words

ANNA = Path("/Users/anna")

MEMOS = "Voice Memos keeps its recordings"


@pytest.mark.parametrize(
    ("folder", "why"),
    [
        ("/Users/anna/Library/Group Containers/group.com.apple.VoiceMemos.shared/Recordings", MEMOS),
        ("/Users/anna/library/Application Support/com.apple.voicememos/Recordings", MEMOS),
        ("/Users/anna/Library/Containers/com.apple.VoiceMemos/Data", MEMOS),
        ("/Users/anna/Library/Containers/com.hogbaysoftware.app/Data/Documents", "lies in Library/Containers,"),
        ("/Users/anna/Library/Group Containers", "is Library/Group Containers,"),
        ("/Users/bob/Library/Containers/x", "lies in Library/Containers,"),
        ("/Volumes/Old Mac/Users/anna/Library/Containers/x", "lies in Library/Containers,"),
        ("/Users/anna/Pictures/Photos Library.photoslibrary", "is a library of Photos;"),
        ("/mnt/usb/Photos Library.photoslibrary/originals/0", "lies in Photos Library.photoslibrary, a library of Photos;"),
        ("/Users/anna/Music/Logic/Demo.logicx", "is a project of Logic Pro;"),
        ("/Users/anna/Movies/Trip.FCPBundle", "is a library of Final Cut Pro;"),
    ],
)  # fmt: skip
def test_what_a_program_keeps_for_itself_is_no_drop_folder_and_what_is_one_is_said(
    folder: str, why: str
) -> None:
    said = why_no_drop_folder(Path(folder), ANNA)
    assert said is not None
    assert why in said
    assert "into a folder of your own, and watch that one" in said


@pytest.mark.parametrize(
    "folder",
    [
        "/Users/anna", "/Users/anna/Library", "/Users/anna/Recordings", "/Users/anna/Movies/.photoslibrary",
        "/Users/anna/Library/Mobile Documents/com~apple~CloudDocs/Recordings", "/srv/music/Library/Containers",
        "/Users/anna/Library/CloudStorage/Dropbox/Recordings", "/Users/anna/Library/Application Support/Recorder",
        "/home/bob/dev/my.app/recordings",
    ],
)  # fmt: skip
def test_any_other_folder_is_one(folder: str) -> None:
    assert why_no_drop_folder(Path(folder), ANNA) is None


@pytest.mark.parametrize(
    ("top", "relative"),
    [("/Users/anna", "Library/Containers"), ("/users/Anna", "Library/Group Containers"),
     ("/", "Users/anna/Library/Containers"), ("/Users/anna/Library", "Application Support/com.apple.voicememos")],
)  # fmt: skip
def test_from_a_folder_above_them_containers_are_not_entered(top: str, relative: str) -> None:
    rules = Rules((), containers_below(Path(top), ANNA))
    assert "a program's own" in str(rules.why_not_folder(relative.rpartition("/")[2], relative))
    assert rules.why_not_folder("Library", relative.split("/")[0]) is None


def test_elsewhere_a_folder_may_have_the_name_of_one() -> None:
    assert containers_below(Path("/Users/anna/Recordings"), ANNA) == frozenset()
    assert (
        Rules((), containers_below(Path("/srv"), ANNA)).why_not_folder("Containers", "Library/Containers")
        is None
    )


@pytest.mark.parametrize(
    ("name", "kind"),
    [("Trip.imovielibrary", ".imovielibrary"), ("Rehearsal.BAND", ".band"), ("Take.qtpxcomposition", ".qtpxcomposition"),
     ("Diary.rtfd", ".rtfd"), ("iMovie.app", ".app"), ("talk.m4a.download", ".download"), ("talk.MOV.part", ".part")],
)  # fmt: skip
def test_packages_and_unfinished_downloads_are_closed_by_their_endings(name: str, kind: str) -> None:
    assert Rules().closed(name, name) == kind
    assert Rules().why_not_folder(name, name)
    assert Rules((name,)).closed(name, name) is None, "it is not looked into for another reason"


@pytest.mark.parametrize(
    "name", ["band", ".app", "2026.03.04", "my.download", "Interviews Dr. Key", "talk.part", "x.bands"]
)
def test_folders_of_people_are_not(name: str) -> None:
    assert package(name) == ""
    assert Rules().closed(name, name) is None


@pytest.mark.parametrize(
    ("found", "sentence"),
    [({}, ""), ({".band": 1}, "1 folder that belongs to a program is not looked into: .band"),
     ({".app": 2, "Containers": 1}, "3 folders that belong to programs are not looked into: .app (2), Containers")],
)  # fmt: skip
def test_closed_folders_are_counted_by_their_endings(found: dict[str, int], sentence: str) -> None:
    assert closed_in_words(found) == sentence
