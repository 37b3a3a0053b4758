"""What happens to files and folders while the daemon watches them: every file is found, none is heard twice.

The whole daemon with stand-in workers (tests/standin_worker.py says why); real files, real renames.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from earmark.context import Clock
from earmark.domain import Instant, Stage
from earmark.ledger import Ledger
from earmark.ledger.note_ids import short

from tests.conftest import Installation, wait_for
from tests.daemon_rig import Live, Rig, quick_config, run_child, supervisor

MANY = 200
"""Recordings dropped at once here; benchmarks/many_recordings.py drops 10,000."""


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def finished(rig: Rig, notes: int) -> bool:
    return len(rig.notes()) == notes and {state for _, state, _ in rig.jobs()} == {"done"}


@pytest.mark.shows("durability:every-file-found-events")
@pytest.mark.parametrize("watch", ["auto", "off"])
def test_many_recordings_dropped_at_once_are_all_found_with_and_without_events(
    tmp_path: Path, watch: str
) -> None:
    count = MANY if watch == "auto" else MANY // 2
    rig = Rig(tmp_path, {"intake": {"watch": watch}, "transcription": {"workers": 2}})
    with Live(rig):
        rig.drop("first.m4a", "first")
        wait_for(lambda: finished(rig, 2), 20)
        for number in range(count):
            rig.drop(f"d{number % 7}/{number}.m4a", f"recording {number}")
        before = psutil.Process().memory_info().rss
        wait_for(
            lambda: (
                rig.query("SELECT count(*) FROM jobs WHERE stage = 'summarize' AND state = 'done'")
                == [(count + 1,)]
            ),
            120,
        )
        wait_for(lambda: len(rig.notes()) == 2 * (count + 1), 30)
        grown = psutil.Process().memory_info().rss - before
    assert len(rig.events("transcribed")) == count + 1
    assert grown < 60 * 1024 * 1024


@pytest.mark.shows("durability:every-file-found-events")
def test_a_deep_tree_is_searched_to_its_bottom(rig: Rig) -> None:
    deep = "/".join(f"level {n}" for n in range(40))
    with Live(rig):
        rig.drop(f"{deep}/deep.m4a", "deep")
        wait_for(lambda: finished(rig, 2), 20)
    assert (rig.folder / deep / "deep.md").exists()


@pytest.mark.shows("durability:every-file-found-events")
def test_a_folder_moved_in_with_files_in_it_is_searched(rig: Rig) -> None:
    outside = Rig(rig.root / "outside")
    outside.drop("Monday/one.m4a", "one")
    outside.drop("Monday/notes/two.m4a", "two")
    with Live(rig):
        (outside.folder / "Monday").rename(rig.folder / "Monday")
        wait_for(lambda: finished(rig, 4), 20)


@pytest.mark.shows("durability:rename-same-recording-untouched")
def test_a_renamed_folder_takes_its_notes_along_and_nothing_is_heard_again(rig: Rig) -> None:
    with Live(rig):
        for number in range(5):
            rig.drop(f"March/{number}.m4a", f"number {number}")
        wait_for(lambda: finished(rig, 10), 20)
        before = rig.notes()
        (rig.folder / "March").rename(rig.folder / "April")
        wait_for(lambda: len(rig.events("renamed")) == 5, 20)
        wait_for(
            lambda: rig.query("SELECT count(*) FROM artifacts WHERE state = 'here' AND rev > 0") == [(10,)],
            20,
        )
    assert rig.notes() == {name.replace("March", "April"): text for name, text in before.items()}
    assert len(rig.events("transcribed")) == 5


@pytest.mark.shows("durability:rename-same-recording-untouched")
def test_a_renamed_recording_keeps_its_words_and_its_notes_follow(rig: Rig) -> None:
    with Live(rig):
        rig.drop("one.m4a", "one")
        wait_for(lambda: finished(rig, 2), 20)
        (rig.folder / "one.m4a").rename(rig.folder / "Standup.m4a")
        wait_for(lambda: set(rig.notes()) == {"Standup.md", "Standup.transcript.md"}, 20)
        wait_for(lambda: "Standup.m4a" in rig.notes()["Standup.md"], 20)
    assert len(rig.events("transcribed")) == 1


@pytest.mark.shows("durability:edited-notes-yours")
def test_an_edited_note_stays_where_it_is_when_its_recording_is_renamed(rig: Rig) -> None:
    rig.drop("one.m4a", "one")
    assert run_child(rig) == 0
    note = rig.folder / "one.md"
    note.write_text(note.read_text() + "\nMine.\n")
    text = note.read_text()
    (rig.folder / "one.m4a").rename(rig.folder / "two.m4a")
    assert run_child(rig) == 0
    assert note.read_text() == text
    assert (rig.folder / "two.transcript.md").exists()
    assert not (rig.folder / "one.transcript.md").exists()


@pytest.mark.shows("durability:same-content-twice-heard", "architecture:hash")
def test_the_same_content_twice_is_heard_once_and_both_have_notes(rig: Rig) -> None:
    with Live(rig):
        rig.drop("one.m4a", "same")
        rig.drop("sub/copy.m4a", "same")
        wait_for(lambda: finished(rig, 4), 20)
    assert len(rig.events("transcribed")) == 1
    assert len(rig.events("same-content")) == 1


@pytest.mark.shows("durability:written-belongs-was-read")
def test_a_file_replaced_while_it_is_heard_gets_the_words_of_what_it_is_now(rig: Rig) -> None:
    pause = rig.drop("one.m4a", "pause@1\nold").with_name("one.m4a.pause")
    pause.touch()
    with Live(rig):
        wait_for(lambda: rig.query("SELECT upto FROM checkpoints") == [(10.0,)], 20)
        rig.drop("new", "new content").rename(rig.folder / "one.m4a")
        pause.unlink()
        wait_for(lambda: "one.md" in rig.notes() and "one.transcript.md" in rig.notes(), 20)
    import hashlib

    new = hashlib.sha256(b"new content").hexdigest()
    assert all(f"earmark_id: {short(new)}\n" in text for text in rig.notes().values())
    assert len(rig.notes()) == 2


@pytest.mark.shows("durability:written-belongs-was-read")
def test_a_file_replaced_while_it_waits_is_heard_as_what_it_is_now(rig: Rig) -> None:
    rig.sections = {"transcription": {"workers": 1}}
    pause = rig.drop("first.m4a", "pause@0\n").with_name("first.m4a.pause")
    pause.touch()
    with Live(rig):
        wait_for(lambda: ("transcribe", "claimed", 1) in rig.jobs(), 20)
        rig.drop("second.m4a", "old")
        wait_for(lambda: len(rig.events("accepted")) == 2, 20)
        rig.drop("incoming", "new").rename(rig.folder / "second.m4a")
        wait_for(lambda: len(rig.events("replaced")) == 1, 20)
        pause.unlink()
        wait_for(lambda: len(rig.notes()) == 4, 20)
    assert len(rig.events("transcribed")) == 2


@pytest.mark.shows("durability:file-still-written-left")
def test_a_file_that_is_still_growing_is_left_by_a_draining_run_and_taken_by_the_next(rig: Rig) -> None:
    rig.drop("done.m4a", "done")
    with (rig.folder / "growing.m4a").open("w") as file:
        file.write("half")
        file.flush()
        assert rig.run_once() == 0
        assert set(rig.notes()) == {"done.md", "done.transcript.md"}
        file.write(" whole")
    assert rig.run_once() == 0
    assert "growing.md" in rig.notes()


@pytest.mark.shows("durability:link-leads-out-folder")
def test_a_link_that_leads_out_of_the_folder_is_refused_with_a_sentence(rig: Rig) -> None:
    secret = rig.root / "secret.m4a"
    secret.write_text("secret")
    (rig.folder / "link.m4a").symlink_to(secret)
    (rig.folder / "folder").symlink_to(rig.root)
    assert rig.run_once() == 0
    assert "leads out of the folder" in rig.troubles()[str(rig.folder / "link.m4a")]
    assert rig.jobs() == set()


@pytest.mark.shows("durability:file-any-date-heard")
@pytest.mark.parametrize(
    "mtime",
    [0, 1, 2**31 - 1, 2**31, 2_147_483_648.5, 4_102_444_800, -86_400, 32_503_680_000],
    ids=["1970", "1970+1", "2038-1", "2038", "2038.5", "2100", "1969", "3000"],
)
def test_a_file_of_any_date_is_heard(rig: Rig, mtime: float) -> None:
    file = rig.drop("one.m4a", "one")
    try:
        os.utime(file, (mtime, mtime))
    except OSError:
        pytest.skip("this filesystem has no such date")
    assert rig.run_once() == 0
    assert len(rig.notes()) == 2
    assert rig.run_once() == 0
    assert len(rig.events("transcribed")) == 1


def jumping(*jumps: float) -> Callable[[], Instant]:
    """A wall clock that jumps by the next of `jumps` (seconds) at every hundredth question, round and round."""
    asked = 0
    offset = 0.0

    def now() -> Instant:
        nonlocal asked, offset
        asked += 1
        if asked % 100 == 0:
            offset += jumps[(asked // 100) % len(jumps)]
        return Instant(time.time() + offset)

    return now


YEAR = 365 * 86_400.0


@pytest.mark.shows("durability:wall-clock-jumps-hours")
@pytest.mark.parametrize("jumps", [(YEAR, -YEAR), (-5 * YEAR, 5 * YEAR), (3600.0, -3600.0), (-20 * YEAR,)])
def test_a_wall_clock_that_jumps_kills_loses_and_expires_nothing(rig: Rig, jumps: tuple[float, ...]) -> None:
    rig.sections = {"retention": {"audio": {"keep_for": "30d"}}}
    for number in range(12):
        rig.drop(f"{number}.m4a", f"number {number}")
    rig.drop("crashes.m4a", "exit@1\n")
    with Live(rig, clock=Clock(wall=jumping(*jumps))):
        wait_for(lambda: len(rig.notes()) == 24, 30)
    assert len(rig.events("transcribed")) == 12
    assert [e for e in rig.events("worker-died") if "costs the recording nothing" in e] == []
    assert rig.query("SELECT count(*) FROM jobs WHERE state = 'failed' AND reason LIKE '%no progress%'") == [
        (0,)
    ]


@pytest.mark.shows("durability:wall-clock-jumps-hours")
def test_a_wait_set_under_another_clock_does_not_hold_anything_up(rig: Rig) -> None:
    rig.drop("one.m4a", "pause@0\n").with_name("one.m4a.pause").touch()
    with Live(rig):
        wait_for(lambda: ("transcribe", "claimed", 1) in rig.jobs(), 20)
    (rig.folder / "one.m4a.pause").unlink()
    with Ledger(rig.installed.ledger_file) as ledger:
        ledger.db.execute("UPDATE jobs SET not_before = ?", (time.time() + 10 * YEAR,))
    assert rig.run_once() == 0
    assert len(rig.notes()) == 2


@pytest.mark.shows("durability:edited-notes-yours")
def test_a_new_version_goes_beside_a_note_that_was_edited(rig: Rig) -> None:
    rig.drop("one.m4a", "one")
    assert run_child(rig) == 0
    note = rig.folder / "one.transcript.md"
    note.write_text(note.read_text().replace("type: transcript", "type: transcript\nmine: yes") + "\nMine.\n")
    text = note.read_text()
    with Ledger(rig.installed.ledger_file) as ledger:
        ledger.jobs.requeue(ledger.recordings.all()[0].id, Stage.TRANSCRIBE, Instant(1.0))
    assert run_child(rig) == 0
    assert note.read_text() == text
    assert set(rig.notes()) == {"one.md", "one.transcript.md", "one (new).transcript.md"}
    assert any("was edited" in detail for detail in rig.events("written"))


@pytest.mark.shows("durability:every-file-found-events")
def test_recordings_are_found_where_the_system_gives_no_more_change_events(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    from watchdog.observers import Observer

    def limit_reached(*_: object) -> None:
        raise OSError(errno.ENOSPC, "inotify watch limit reached")

    # The real limit belongs to the whole machine; this is what reaching it looks like from here.
    monkeypatch.setattr(Observer, "start", limit_reached)
    with Live(rig):
        rig.drop("sub/one.m4a", "one")
        wait_for(lambda: finished(rig, 2), 20)
        rig.drop("two.m4a", "two")
        wait_for(lambda: finished(rig, 4), 20)


@pytest.mark.shows("durability:time-asleep-time-without")
def test_time_asleep_is_not_time_without_progress(rig: Rig) -> None:
    """The worker's silence is counted on a clock that stands still in sleep: only the wall clock moves by a night."""
    rig.drop("one.m4a", "pause@1\n").with_name("one.m4a.pause").touch()
    night = 0.0
    with Live(rig, clock=Clock(wall=lambda: Instant(time.time() + night))):
        wait_for(lambda: rig.query("SELECT upto FROM checkpoints") == [(10.0,)], 20)
        night = 12 * 3600.0
        rig.drop("two.m4a", "two")
        wait_for(lambda: len(rig.notes()) == 2, 20)
        (rig.folder / "one.m4a.pause").unlink()
        wait_for(lambda: len(rig.notes()) == 4, 20)
    assert {attempts for _, _, attempts in rig.jobs()} == {1}
    assert rig.events("worker-died-retry") == []


@pytest.mark.shows("durability:recording-appended-while-heard")
def test_a_recording_that_grows_while_it_is_heard_is_heard_anew_and_ends_nothing(rig: Rig) -> None:
    """SQLite gives the number of the job that is gone to the one that takes its place."""
    file = rig.drop("talk.m4a", "pause@1\n")
    pause = rig.folder / "talk.m4a.pause"
    pause.touch()
    with Live(rig):
        wait_for(lambda: rig.query("SELECT 1 FROM heard"), 20, "a word")
        with file.open("a") as recorder:
            recorder.write("more\n")
        wait_for(lambda: rig.events("continued"), 20, "the file to go on")
        pause.unlink()
        wait_for(lambda: len(rig.events("transcribed")) == 1, 30, "the longer one to be heard")
        wait_for(lambda: set(rig.notes()) == {"talk.md", "talk.transcript.md"}, 30, "its notes")


@pytest.mark.shows("durability:folders-whose-names-are-no-text")
@pytest.mark.parametrize("above", [False, True])
def test_a_folder_whose_name_is_no_text_is_one_like_any_other(tmp_path: Path, above: bool) -> None:
    """Its recordings are heard, its rules hold, it goes away and comes back, and what is erased is erased."""
    rig = Rig(tmp_path / os.fsdecode(b"R\xff\xfe") if above else tmp_path)
    folder = rig.folder if above else rig.root / os.fsdecode(b"Re\xffcordings")
    folder.mkdir(exist_ok=True)
    installation = Installation(rig.root)
    if not above:
        installation.configure("[summary]\nendpoint = 'none'\n[retention]\naudio = { keep_for = '1d' }\n")
    config = quick_config(retention={"audio": {"keep_for": "1d"}})
    for name in ("one.m4a", os.fsdecode(b"tw\xffo.m4a")):
        (folder / name).write_text(name.encode("utf-8", "surrogateescape").hex())
        os.utime(folder / name, (1.5e9, 1.5e9))
    for _ in range(2):
        assert supervisor(rig.installed, (folder,), config, once=True).run() == 0
    assert len(list(folder.glob("*.md"))) == 4
    assert rig.events("sweep-failed") == []
    assert not [s for s in rig.query("SELECT sentence FROM troubles") if "wrong" in s[0]]
    folder.rename(rig.root / "away")
    assert supervisor(rig.installed, (folder,), config, once=True).run() == 74
    assert rig.query("SELECT sentence FROM troubles WHERE kind = 'folder'")
    (rig.root / "away").rename(folder)
    assert supervisor(rig.installed, (folder,), config, once=True).run() == 0
    for verb in (
        ["status"],
        ["list"],
        ["retention", "status"],
        ["retention", "plan"],
        ["privacy"],
        ["doctor"],
    ):
        ended = installation.earmark(*verb)
        assert ended.returncode in (0, 1), ended.stderr
        assert "went wrong" not in ended.stderr
    ended = installation.earmark("forget", "--all", "--yes", "--even-held")
    assert ended.returncode == 0, ended.stderr
    assert list(folder.iterdir()) == []
