"""What comes into a folder on a Mac: unfinished copies under their final names, and names that only its programs give."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import quote

import pytest
from earmark.context import Clock
from earmark.domain import Instant
from earmark.intake.copying import GIVEN_UP, is_busy_birth

from tests.conftest import wait_for
from tests.daemon_rig import Live, Rig
from tests.mac_files import Mac, mac

__all__ = ["mac"]

HOUR = 3600


@pytest.mark.shows("macos:finder")
@pytest.mark.parametrize(
    ("birth", "busy"),
    [(443_779_200, True), (443_779_200 - 8 * HOUR, True), (443_779_200 + 14 * HOUR, True), (443_779_201, False),
     (443_779_200 + 15 * HOUR, False), (-2_082_844_800, True), (-2_082_844_799, False), (-753_578_704, True),
     (-753_578_704 + 8 * HOUR, True), (-753_578_704 - 5 * HOUR - 1800, True), (-753_578_700, False), (0, False),
     (1_790_000_000, False)],
)  # fmt: skip
def test_births_that_the_finder_gives_what_it_copies_are_told_in_every_zone(birth: int, busy: bool) -> None:
    assert is_busy_birth(birth) == busy


@pytest.mark.shows("macos:finder")
@pytest.mark.shows("architecture:settle")
@pytest.mark.parametrize("birth", [443_779_200.0, -753_578_704.0])
def test_a_file_that_the_finder_copies_waits_and_is_said_to_until_it_is_whole(
    tmp_path: Path, mac: Mac, birth: float
) -> None:
    rig = Rig(tmp_path)
    half, folder = rig.drop("lecture.m4a", "half"), rig.drop("Monday/one.m4a", "one").parent
    mac.copying(half, birth)
    mac.copying(folder, birth)
    with Live(rig):
        wait_for(lambda: len(rig.troubles()) == 2, 20, "the sentences")
        assert all("still being copied by the Finder" in said for said in rig.troubles().values())
        with half.open("a") as finder:
            finder.write(" and half")
        rig.drop("other.m4a", "other")
        wait_for(lambda: len(rig.notes()) == 2, 20, "the notes of another one")
        assert rig.query("SELECT count(*) FROM recordings") == [(1,)]
        mac.copied(half)
        mac.copied(folder)
        wait_for(lambda: len(rig.notes()) == 6, 20, "the notes of what was copied")
    assert rig.troubles() == {}
    assert len(rig.events("accepted")) == 3


def test_a_mark_that_a_program_left_on_a_whole_file_does_not_hold_it_up_for_ever(
    tmp_path: Path, mac: Mac
) -> None:
    rig = Rig(tmp_path)
    mac.copying(rig.drop("photo app.m4a", "whole"), 443_779_200)
    assert rig.run_once() == 0
    assert rig.notes() == {}
    later = Clock(wall=lambda: Instant(time.time() + GIVEN_UP + 60))
    assert rig.run_once(clock=later) == 0
    assert len(rig.notes()) == 2


def test_a_screen_recording_and_a_voice_memo_are_dated_and_their_notes_named_and_linked(
    tmp_path: Path,
) -> None:
    """Since macOS 13 a narrow no-break space stands before PM; Voice Memos of macOS 15 ends in .qta."""
    rig = Rig(tmp_path)
    screen = rig.drop("Screen Recording 2025-11-26 at 3.04.05\u202fPM.mov", "one")
    rig.drop("20250509 121919-F88397C6.qta", "two")
    assert rig.run_once() == 0
    notes, name = rig.notes(), "Screen Recording 2025-11-26 at 3.04.05 PM"
    memo = "20250509 121919-F88397C6"
    assert set(notes) == {f"{n}{end}" for n in (name, memo) for end in (".md", ".transcript.md")}
    assert "\nrecorded: 2025-11-26T15:04:05\nrecorded_from: name\n" in notes[f"{name}.md"]
    assert "\nrecorded: 2025-05-09T12:19:19\n" in notes[f"{memo}.md"]
    assert f"]({quote(screen.name)})\n" in notes[f"{name}.transcript.md"]
    assert f"[00:10]({quote(screen.name)}#t=10)" in notes[f"{name}.md"]
