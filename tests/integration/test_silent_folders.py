"""A drop folder that does not answer: the loop goes on with the others, says so, and stops when it is told to.

The folder is a disk of our own (FUSE) that does not answer while it is told so; on a Mac it is one that macOS asks about.
"""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from earmark.domain import Instant, Owed, Stage
from earmark.ledger import Ledger
from earmark.pipeline import answering
from earmark.pipeline.answering import Asking
from earmark.report import read_report
from earmark.supervisor import scanning, scans
from earmark.supervisor.loop import Supervisor
from earmark.supervisor.scanning import why_silent
from watchdog.observers import Observer
from watchdog.observers.inotify import InotifyEmitter

from tests.conftest import wait_for
from tests.daemon_rig import Live, Rig, start_child, supervisor
from tests.told_disk import ToldDisk, told_disk


class TwoFolders(Rig):
    """`Recordings`, and the disk."""

    def supervisor(self, **options: Any) -> Supervisor:
        return supervisor(self.installed, (self.folder, self.root / "disk"), self.config(), **options)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[ToldDisk]:
    with told_disk(tmp_path) as mounted:
        yield mounted


@pytest.fixture
def rig(disk: ToldDisk, monkeypatch: pytest.MonkeyPatch) -> TwoFolders:
    monkeypatch.setattr(scans, "PATIENCE", 0.2)
    monkeypatch.setattr(scans, "SILENT", 0.6)
    return TwoFolders(disk.at.parent)


def notes(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*.md")}


def scans_under_way() -> int:
    return sum(thread.name == "scan" for thread in threading.enumerate())


@pytest.mark.shows("macos:asking")
@pytest.mark.shows("architecture:silent")
def test_a_folder_that_does_not_answer_holds_up_no_other_and_is_taken_up_when_it_does(
    rig: TwoFolders, disk: ToldDisk
) -> None:
    (disk.backing / "there.m4a").write_text("there")
    disk.hang()
    with Live(rig) as live:
        rig.drop("one.m4a", "one")
        wait_for(lambda: len(rig.notes()) == 2, 20, "the notes in the other folder")
        said = wait_for(lambda: rig.troubles().get(str(disk.at)), 20, "the sentence")
        assert said.startswith(f"{disk.at} does not answer: its disk or network folder hangs.")
        wait_for(lambda: any("does not answer" in line for line in live.notifier.said), 20, "the status line")
        rig.drop("two.m4a", "two")
        wait_for(lambda: len(rig.notes()) == 4, 20, "the notes of what came later")
        # The other folder may be read at this very moment, by a thread that ends.
        wait_for(lambda: scans_under_way() == 1, 20, "one thread for it, however often it was to be read")
        disk.answer()
        wait_for(lambda: notes(disk.backing) == {"there.md", "there.transcript.md"}, 20, "its notes")
        wait_for(lambda: not rig.troubles(), 20, "the end of the trouble")
    assert rig.query("SELECT count(*) FROM events WHERE what = 'missing'") == [(0,)]


@pytest.mark.shows("architecture:silent")
def test_a_disk_that_answers_nothing_at_all_loses_nothing_and_the_daemon_stops_all_the_same(
    rig: TwoFolders, disk: ToldDisk
) -> None:
    """Notes are owed in it, work waits in it, a sweep is due: none of it is touched, and all of it goes on afterwards."""
    rig.sections = {"retention": {"audio": {"keep_for": "1d"}}}
    for number in range(3):
        (disk.backing / f"{number}.m4a").write_text(f"number {number}")
    assert rig.run_once() == 0
    before = notes(disk.backing)
    for path in disk.backing.glob("1*.md"):
        path.unlink()
    (disk.backing / "late.m4a").write_text("late")
    with Live(rig) as live:
        wait_for((disk.backing / "late.md").exists, 20, "what is new there")
        # What the loop itself was doing there at that moment would hang with the disk (docs/macos.md).
        owed = "SELECT count(*) FROM places WHERE summary_rev = 0"
        wait_for(lambda: rig.query(owed) == [(0,)], 20, "the rest of it")
        disk.hang("hang-all")
        wait_for(lambda: str(disk.at) in rig.troubles(), 20, "the sentence")
        rig.drop("one.m4a", "one")
        wait_for(lambda: len(rig.notes()) == 2, 20, "the notes in the other folder")
        began = time.monotonic()
        live.supervisor.stop()
        wait_for(lambda: not live.alive(), 20, "the end")
        assert time.monotonic() - began < 5
    with Ledger(rig.installed.ledger_file) as ledger:
        first = next(p for p in ledger.places.all() if p.path.name == "0.m4a")
        ledger.jobs.requeue(first.recording_id, Stage.TRANSCRIBE, Instant(1.0))
        ledger.places.owe_all(Owed.POLICY)
        ledger.journal.clear(disk.at)
    sweeps = rig.query("SELECT count(*) FROM sweeps")
    with Live(rig):
        wait_for(lambda: "does not answer" in rig.troubles().get(str(disk.at), ""), 20, "the sentence")
        rig.drop("two.m4a", "two")
        wait_for(lambda: len(rig.notes()) == 4, 20, "the notes in the other folder")
        assert rig.query("SELECT count(*) FROM sweeps") == sweeps
        assert ("transcribe", "waiting", 0) in rig.jobs()
        disk.answer()
        wait_for(lambda: not rig.troubles() and len(rig.events("transcribed")) == 7, 30, "all of it")
        wait_for(lambda: {state for _, state, _ in rig.jobs()} == {"done"}, 20, "the rest")
    assert notes(disk.backing) >= before - {"1.md", "1.transcript.md"}
    assert rig.query("SELECT count(*) FROM places WHERE gone_at IS NOT NULL") == [(0,)]
    assert {state for _, state, _ in rig.jobs()} == {"done"}
    assert len(rig.events("transcribed")) == 7


def test_a_folder_that_takes_long_and_gives_names_all_the_time_is_taken_once_and_holds_nobody_up(
    rig: TwoFolders, disk: ToldDisk
) -> None:
    for number in range(6):
        (disk.backing / f"{number}").mkdir()
        (disk.backing / f"{number}" / "talk.m4a").write_text(f"number {number}")
    disk.hang("slow")
    with Live(rig):
        rig.drop("one.m4a", "one")
        wait_for(lambda: len(rig.notes()) == 2 and len(notes(disk.backing)) == 2, 30, "the first notes")
        wait_for(lambda: len(rig.events("summarized")) == 7, 30, "all of it")
        (disk.backing / "0" / "talk.m4a").rename(disk.backing / "5" / "moved.m4a")
        wait_for((disk.backing / "5" / "moved.md").exists, 30, "the notes that followed")
    assert len(rig.events("accepted")) == len(rig.events("transcribed")) == 7
    assert rig.query("SELECT count(*) FROM removed") == [(0,)]
    assert rig.troubles() == {}


@pytest.mark.shows("architecture:silent")
def test_a_run_that_is_to_end_does_not_wait_for_it_for_ever(
    rig: TwoFolders, disk: ToldDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "STALLED", 1.0)
    rig.sections = {"transcription": {"model": "none of this name"}}
    (disk.backing / "there.m4a").write_text("there")
    assert rig.run_once() == 69
    rig.sections = {}
    disk.hang()
    rig.drop("one.m4a", "one")
    assert rig.run_once() == 74
    assert len(rig.notes()) == 2
    assert ("transcribe", "waiting", 0) in rig.jobs()
    disk.answer()
    assert rig.run_once() == 0
    assert len(notes(disk.backing)) == 2


@pytest.mark.shows("architecture:silent")
def test_the_process_ends_when_it_is_told_to_although_a_scan_hangs(disk: ToldDisk) -> None:
    rig = Rig(disk.at.parent)
    rig.folder.rmdir()
    rig.folder.symlink_to(disk.at)
    (disk.backing / "one.m4a").write_text("one")
    process = start_child(rig, once=False)
    log = rig.root / "child.log"
    wait_for(lambda: log.exists() and '"caught-up"' in log.read_text(), 30, "the end of the work")
    for _ in range(20):
        disk.freeze()
        wait_for(lambda: hangs(process.pid), 20, "a scan that hangs")
        if not hangs(process.pid, "the loop"):
            break
        # What the loop itself was doing there at that moment hangs with the disk (docs/macos.md): that is another case.
        disk.thaw()
        wait_for(lambda: not hangs(process.pid), 20, "the answer")
    process.terminate()
    wait_for(lambda: '"stopped"' in log.read_text(), 20, "the end of the daemon's work")
    disk.thaw()  # the kernel lets no process go of which the disk has taken a call and not answered it
    process.join(15)
    assert process.exitcode == 0


def hangs(pid: int | None, which: str = "any") -> bool:
    """True if a thread of a process, or the one that loops, waits for an answer of a FUSE disk."""
    threads = "*" if which == "any" else str(pid)
    waits = [path.read_text() for path in Path(f"/proc/{pid}/task").glob(f"{threads}/wchan")]
    return any("fuse" in wait or "request_wait_answer" in wait for wait in waits)


@pytest.mark.shows("macos:asking")
@pytest.mark.parametrize(
    ("platform", "answered", "words"),
    [("darwin", False, "macOS is waiting for your permission to let earmark read /r: answer its question on the screen, "
      "which names Python, or allow Python there in System Settings, Privacy & Security, Files and Folders"),
     ("darwin", True, "/r does not answer"), ("linux", False, "/r does not answer")],
)  # fmt: skip
def test_what_a_folder_waits_for_is_said_as_far_as_it_is_known(
    platform: str, answered: bool, words: str
) -> None:
    assert why_silent(Path("/r"), answered, platform).startswith(words)


def test_a_folder_of_names_that_does_not_answer_is_asked_by_one_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answering, "PATIENCE", 0.05)
    goes_on, asked = threading.Event(), list[Path]()

    def ask(folder: Path) -> list[str]:
        asked.append(folder)
        goes_on.wait(20)
        return ["Anna"]

    names = Asking(ask)
    for _ in range(3):
        with pytest.raises(TimeoutError, match="/v does not answer"):
            names(Path("/v"))
    assert asked == [Path("/v")]
    goes_on.set()
    wait_for(lambda: not any(thread.name == "ask" for thread in threading.enumerate()), 20)
    assert names(Path("/v")) == ["Anna"]


@pytest.mark.shows("architecture:scan")
def test_a_watch_that_died_is_said_by_status_and_begun_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path, {"intake": {"scan_seconds": 1.0}})
    monkeypatch.setattr(scanning, "WATCH_AGAIN", 0.1)

    def unwatched() -> tuple[str, ...]:
        report = read_report(rig.installed.status_file)
        return report.unwatched if report is not None else ()

    with Live(rig) as live:
        rig.drop("one.m4a", "one")
        wait_for(lambda: len(rig.notes()) == 2, 20, "the notes")
        with monkeypatch.context() as patch:
            patch.setattr(Observer, "start", limit_reached)
            watch = live.supervisor._scans._watcher._watches[rig.folder]
            next(iter(watch._observer.emitters)).stop()
            wait_for(unwatched, 20, "that no change is told")
            assert str(rig.folder) in unwatched()[0]
            assert "is read through on a timer instead" in unwatched()[0]
            rig.drop("two.m4a", "two")
            wait_for(lambda: len(rig.notes()) == 4, 20, "the notes of what no event told of")
        wait_for(lambda: not unwatched(), 20, "another watch")
        assert live.supervisor._scans.unwatched() == []


@pytest.mark.shows("architecture:scan")
@pytest.mark.parametrize("how", ["run", "on_thread_start"])
def test_a_watch_that_never_lives_is_none_and_costs_no_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """FSEvents gives its thread an error and it ends, or raises SystemError to who starts it."""
    rig = Rig(tmp_path, {"intake": {"scan_seconds": 1.0}})

    def refused(_: object) -> None:
        if how == "on_thread_start":
            raise SystemError("Cannot start fsevents stream")

    monkeypatch.setattr(InotifyEmitter, how, refused)

    def unwatched() -> tuple[str, ...]:
        report = read_report(rig.installed.status_file)
        return report.unwatched if report is not None else ()

    with Live(rig):
        rig.drop("one.m4a", "one")
        wait_for(lambda: len(rig.notes()) == 2 and unwatched(), 20, "the notes, and that no change is told")
        assert "it is read through on a timer instead" in unwatched()[0]
        rounds = rig.installed.status_file.stat().st_mtime_ns
        rig.drop("two.m4a", "two")
        wait_for(lambda: len(rig.notes()) == 4, 20, "the notes of another one")
        wait_for(lambda: rig.installed.status_file.stat().st_mtime_ns > rounds, 20, "another report")
        assert unwatched()
    assert rig.troubles() == {}


def limit_reached(*_: object) -> None:
    raise OSError(errno.ENOSPC, "inotify watch limit reached")
