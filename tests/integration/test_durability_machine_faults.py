"""Trouble of the machine: disk full, read-only, no permission, folder or ledger gone, locked or damaged.

The daemon goes on, says what is wrong, charges nobody, and catches up by itself. Real mounts, real permissions, real
SQLite; only the workers are stand-ins (tests/standin_worker.py says why).
"""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from earmark.cli.main import app
from earmark.domain import Instant
from earmark.errors import EnvironmentFault, LedgerTooNew
from earmark.events import Event
from earmark.ledger import Ledger, connection
from earmark.log import configure_logging
from earmark.pipeline import publishing
from earmark.report import read_report
from earmark.supervisor import arriving, loop
from typer.testing import CliRunner

from tests.conftest import Installation, wait_for
from tests.daemon_rig import Live, Rig, run_child, without_privileges


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    # The waits of a real daemon are seconds; what happens after them is the same.
    monkeypatch.setattr(loop, "PAUSE", 0.2)
    monkeypatch.setattr(publishing, "RETRY_SECONDS", 0.2)
    monkeypatch.setattr(connection, "BUSY_MS", 200)
    return Rig(tmp_path)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MiB."""
    at = tmp_path / "disk"
    at.mkdir()
    if sys.platform != "linux":
        pytest.skip("needs a tmpfs")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(at)], capture_output=True)
    if made.returncode:
        pytest.skip(f"mounting is not allowed here: {made.stderr.decode().strip()}")
    yield at
    subprocess.run(["umount", "-l", str(at)], check=True)


def fill(disk: Path) -> Path:
    """Leave not one block free."""
    filler = disk / "filler.bin"
    with filler.open("wb", buffering=0) as file:
        try:
            for size in (1 << 16, 1 << 12):
                while True:
                    file.write(b"x" * size)
        except OSError:
            pass
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass
    return filler


def done(rig: Rig, count: int) -> bool:
    return len(rig.notes()) == count and rig.jobs() <= {("transcribe", "done", 1), ("summarize", "done", 1)}


def paused(rig: Rig) -> str:
    report = read_report(rig.installed.status_file)
    return (report and report.paused) or ""


@pytest.mark.shows("durability:disk-full-under-notes")
def test_a_full_disk_under_the_notes_delays_them_and_nothing_else(rig: Rig, small_disk: Path) -> None:
    rig.folder.rmdir()
    rig.folder.symlink_to(small_disk)
    real = Rig(rig.root, rig.sections)
    real.drop("one.m4a", "one")
    filler = fill(small_disk)
    with Live(real):
        sentence = wait_for(
            lambda: next((s for s in real.troubles().values() if "disk is full" in s), None), 20
        )
        assert "Free some space" in sentence
        assert real.notes() == {}
        wait_for(lambda: real.litter() == [], 20, "the end of a try to write")
        filler.unlink()
        wait_for(lambda: done(real, 2), 20)
        wait_for(lambda: real.troubles() == {}, 20)


@pytest.mark.shows("durability:disk-full-under-notes")
def test_a_full_disk_under_the_ledger_pauses_the_daemon_until_there_is_room(
    rig: Rig, small_disk: Path
) -> None:
    rig.home.mkdir(exist_ok=True)
    (rig.home / "state").symlink_to(small_disk)
    rig.drop("one.m4a", "one")
    with Live(rig) as live:
        wait_for(lambda: done(rig, 2), 20)
        filler = fill(small_disk)
        for number in range(20):
            rig.drop(f"more-{number}.m4a", f"more {number}")
        wait_for(lambda: any("Paused" in s for s in live.notifier.said), 20)
        wait_for(lambda: "full" in paused(rig), 20)
        asked = ("why", str(rig.folder / "more-19.m4a"))
        told = CliRunner().invoke(app, asked, env={"EARMARK_HOME": str(rig.home), "COLUMNS": "400"}).output
        assert "nothing speaks against it; the daemon is paused: " in told
        filler.unlink()
        wait_for(lambda: done(rig, 42), 30)
        wait_for(lambda: not paused(rig), 20)


@pytest.mark.shows("durability:read-only-without-permission")
def test_a_disk_that_became_read_only_is_written_to_again_when_it_can_be(rig: Rig, small_disk: Path) -> None:
    rig.folder.rmdir()
    rig.folder.symlink_to(small_disk)
    rig.drop("one.m4a", "one")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with Live(rig):
        wait_for(lambda: any("read-only" in s for s in rig.troubles().values()), 20)
        subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
        wait_for(lambda: done(rig, 2), 20)
        wait_for(lambda: rig.troubles() == {}, 20)


@pytest.mark.shows("durability:read-only-without-permission")
def test_a_disk_is_written_to_within_seconds_of_being_writable_however_long_it_was_not(
    rig: Rig, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As after hours: only what is seen of the folder from outside brings the notes before the next try.
    monkeypatch.setattr(publishing, "RETRY_SECONDS", 300.0)
    rig.folder.rmdir()
    rig.folder.symlink_to(small_disk)
    rig.drop("one.m4a", "one")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with structlog.testing.capture_logs() as told, Live(rig):
        wait_for(lambda: any("read-only" in s for s in rig.troubles().values()), 20)
        assert rig.query("SELECT count(*) FROM places WHERE not_before > unixepoch() + 60") == [(1,)]
        subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
        wait_for(lambda: done(rig, 2), 20)
        wait_for(lambda: rig.troubles() == {}, 20)
        wait_for(lambda: any(event["event"] == Event.CAUGHT_UP for event in told), 20)
    names = [event["event"] for event in told]
    assert names.index(Event.CAUGHT_UP) > names.index(Event.WRITTEN), "something is left while it is owed"


@pytest.mark.shows("durability:read-only-without-permission")
def test_a_folder_that_may_not_be_written_to_gets_its_notes_when_it_may(rig: Rig) -> None:
    rig.drop("sub/one.m4a", "one")
    (rig.folder / "sub").chmod(0o500)
    with Live(rig, plain=True):
        wait_for(lambda: any("may not write" in s for s in rig.troubles().values()), 20)
        assert rig.notes() == {}
        (rig.folder / "sub").chmod(0o700)
        wait_for(lambda: done(rig, 2), 20)
        wait_for(lambda: rig.troubles() == {}, 20)


@pytest.mark.shows("durability:read-only-without-permission")
def test_a_recording_that_may_not_be_read_is_named_and_taken_when_it_may(rig: Rig) -> None:
    rig.drop("good.m4a", "good")
    rig.drop("secret.m4a", "secret").chmod(0)
    with Live(rig, plain=True):
        wait_for(lambda: done(rig, 2), 20)
        sentence = wait_for(lambda: rig.troubles().get(str(rig.folder / "secret.m4a")), 20)
        assert "Permission denied" in sentence
        (rig.folder / "secret.m4a").chmod(0o600)
        wait_for(lambda: done(rig, 4), 20)
        wait_for(lambda: rig.troubles() == {}, 20)


@pytest.mark.shows("durability:read-only-without-permission")
def test_a_subfolder_that_may_not_be_entered_loses_nothing_and_is_looked_into_later(rig: Rig) -> None:
    rig.drop("sub/one.m4a", "one")
    with Live(rig, plain=True):
        wait_for(lambda: done(rig, 2), 20)
        (rig.folder / "sub").chmod(0)
        wait_for(lambda: str(rig.folder / "sub") in rig.troubles(), 20)
        assert rig.query("SELECT count(*) FROM places WHERE gone_at IS NOT NULL") == [(0,)]
        (rig.folder / "sub").chmod(0o700)
        wait_for(lambda: rig.troubles() == {}, 20)
    assert rig.jobs() == {("transcribe", "done", 1), ("summarize", "done", 1)}


@pytest.mark.shows("durability:folder-goes-away-comes")
def test_a_folder_that_goes_away_and_comes_back_is_the_same_folder(rig: Rig) -> None:
    rig.drop("one.m4a", "one")
    with Live(rig):
        wait_for(lambda: done(rig, 2), 20)
        before = rig.notes()
        rig.folder.rename(rig.root / "away")
        sentence = wait_for(lambda: rig.troubles().get(str(rig.folder)), 20)
        assert "it will be watched again" in sentence
        assert rig.query("SELECT count(*) FROM places WHERE gone_at IS NOT NULL") == [(0,)]
        (rig.root / "away").rename(rig.folder)
        wait_for(lambda: rig.troubles() == {}, 20)
        rig.drop("two.m4a", "two")
        wait_for(lambda: done(rig, 4), 20)
        assert before.items() <= rig.notes().items()
    assert len(rig.events("transcribed")) == 2


@pytest.mark.shows("durability:folder-goes-away-comes")
def test_an_empty_mount_point_is_a_disk_that_is_away_and_not_an_empty_folder(
    rig: Rig, small_disk: Path
) -> None:
    rig.folder.rmdir()
    rig.folder.symlink_to(small_disk)
    rig.drop("one.m4a", "one")
    with Live(rig):
        wait_for(lambda: done(rig, 2), 20)
        subprocess.run(["umount", "-l", str(small_disk)], check=True)
        wait_for(lambda: "mount its disk" in rig.troubles().get(str(rig.folder), ""), 20)
        assert rig.query("SELECT count(*) FROM places WHERE gone_at IS NOT NULL") == [(0,)]
    subprocess.run(
        ["mount", "-t", "tmpfs", "tmpfs", str(small_disk)], check=True
    )  # for the fixture to unmount


@pytest.mark.shows("durability:folder-goes-away-comes")
def test_draining_the_queue_ends_although_a_folder_is_away(rig: Rig) -> None:
    rig.drop("one.m4a", "pause@0\none").with_name("one.m4a.pause").touch()
    with Live(rig):
        wait_for(lambda: ("transcribe", "claimed", 1) in rig.jobs(), 20)
    rig.folder.rename(rig.root / "away")
    assert rig.run_once() == 74
    assert rig.jobs() == {("transcribe", "waiting", 0)}
    (rig.root / "away").rename(rig.folder)
    (rig.folder / "one.m4a.pause").unlink()
    assert rig.run_once() == 0
    assert done(rig, 2)


@pytest.mark.shows("durability:state-folder-removed-while")
def test_a_state_folder_that_is_removed_while_the_daemon_runs_is_made_anew(rig: Rig) -> None:
    rig.drop("one.m4a", "one")
    with Live(rig) as live:
        wait_for(lambda: done(rig, 2), 20)
        before = rig.notes()
        shutil.rmtree(
            rig.home.rename(rig.root / "removed"), ignore_errors=True
        )  # at once, whatever is written meanwhile
        wait_for(lambda: any("was removed while" in s for s in live.notifier.said), 20)
        rig.drop("two.m4a", "two")
        wait_for(lambda: len(rig.notes()) == 4, 20)
        assert before.items() <= rig.notes().items()
        assert len(rig.events("transcribed")) == 1, "only the new one: the old one's notes are there"
        assert rig.installed.lock_file.exists()


@pytest.mark.shows("durability:ledger-locked-long")
def test_a_ledger_that_another_process_locks_for_long_is_waited_for(rig: Rig) -> None:
    rig.drop("one.m4a", "one")
    with Live(rig) as live:
        wait_for(lambda: done(rig, 2), 20)
        other = sqlite3.connect(rig.installed.ledger_file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        rig.drop("two.m4a", "two")
        wait_for(lambda: any("locked" in s for s in live.notifier.said), 20)
        other.execute("ROLLBACK")
        other.close()
        wait_for(lambda: done(rig, 4), 20)
        wait_for(lambda: not paused(rig), 20)


def aside(rig: Rig) -> list[Path]:
    return sorted(
        p for p in rig.installed.state.glob("ledger.db.damaged-*") if not p.name.endswith(("-wal", "-shm"))
    )


def flip(file: Path, seed: int) -> None:
    """Overwrite a few hundred bytes in many places, header included."""
    dice = random.Random(seed)
    data = bytearray(file.read_bytes())
    for _ in range(40):
        at = dice.randrange(len(data))
        data[at : at + 16] = dice.randbytes(16)
    file.write_bytes(data[: len(data)])


@pytest.mark.shows("durability:recording-whose-notes-beside")
def test_a_damaged_ledger_is_set_aside_and_its_notes_are_known_again(rig: Rig) -> None:
    for number in range(4):
        rig.drop(f"{number}.m4a", f"number {number}")
    assert run_child(rig) == 0
    before = rig.notes()
    rig.installed.ledger_file.write_bytes(b"this is no database" * 1000)
    with Live(rig) as live:
        wait_for(lambda: len(rig.events("notes-found")) == 4, 20)
        assert any("damaged" in said for said in live.notifier.said)
        assert str(aside(rig)[0]) in rig.troubles()["[ledger]"]
        assert rig.notes() == before
        assert rig.events("transcribed") == []
        rig.drop("new.m4a", "new")
        wait_for(lambda: len(rig.notes()) == 10, 20)
        for file in aside(rig):
            file.unlink()
        wait_for(lambda: rig.troubles() == {}, 20, "the trouble's end once the kept ledger is deleted")


@pytest.mark.shows("durability:recording-whose-notes-beside")
def test_notes_found_after_a_loss_are_nobody_elses_and_are_not_touched(rig: Rig) -> None:
    rig.drop("one.m4a", "one")
    assert run_child(rig) == 0
    note = rig.folder / "one.md"
    note.write_text(note.read_text() + "\nMine.\n")
    before = rig.notes()
    shutil.rmtree(rig.home)
    assert run_child(rig) == 0
    assert rig.notes() == before
    (rig.folder / "one.m4a").rename(rig.folder / "two.m4a")
    assert run_child(rig) == 0
    assert before.items() <= rig.notes().items()


@pytest.mark.shows("durability:recording-whose-notes-beside")
def test_a_note_that_is_missing_after_a_loss_is_made_again_beside_the_other(rig: Rig) -> None:
    rig.drop("one.m4a", "one")
    assert run_child(rig) == 0
    before = rig.notes()
    (rig.folder / "one.md").unlink()
    shutil.rmtree(rig.home)
    assert run_child(rig) == 0
    assert rig.notes() == before


@pytest.mark.shows("durability:damaged-ledger-start-while")
@pytest.mark.parametrize("seed", range(8))
def test_flipped_bytes_anywhere_cost_at_most_the_ledger(rig: Rig, seed: int) -> None:
    for number in range(6):
        rig.drop(f"{number}.m4a", f"number {number}")
    assert run_child(rig) == 0
    before = rig.notes()
    flip(rig.installed.ledger_file, seed)
    assert run_child(rig) == 0, (rig.root / "child.log").read_text()[-3000:]
    rig.drop("new.m4a", "new")
    assert run_child(rig) == 0
    after = rig.notes()
    assert before.items() <= after.items()
    assert set(after) - set(before) == {"new.md", "new.transcript.md"}


@pytest.mark.shows("durability:damaged-ledger-start-while")
@pytest.mark.parametrize("seed", range(4))
def test_bytes_flipped_while_the_daemon_runs_cost_at_most_the_ledger(rig: Rig, seed: int) -> None:
    for number in range(6):
        rig.drop(f"{number}.m4a", f"number {number}")
    with Live(rig):
        wait_for(lambda: done(rig, 12), 20)
        before = rig.notes()
        data = rig.installed.ledger_file.read_bytes()
        dice = random.Random(seed)
        # In place, as a failing disk would: the daemon has this very file open.
        with rig.installed.ledger_file.open("r+b") as file:
            for _ in range(60):
                file.seek(dice.randrange(len(data)))
                file.write(dice.randbytes(16))
        for name in ("ledger.db-wal",):
            log = rig.installed.state / name
            if log.exists():
                with log.open("r+b") as file:
                    file.write(dice.randbytes(64))
        rig.drop("new.m4a", "new")
        wait_for(lambda: {"new.md", "new.transcript.md"} <= set(rig.notes()), 30)
        assert before.items() <= rig.notes().items()


@pytest.mark.shows("durability:damaged-ledger-start-while")
def test_what_can_be_read_of_a_damaged_ledger_is_kept(rig: Rig) -> None:
    """Holds, tombstones and words of the recordings on the pages that are whole."""
    for number in range(40):
        rig.drop(f"{number}.m4a", f"number {number}")
    assert run_child(rig) == 0
    with Ledger(rig.installed.ledger_file) as ledger:
        for recording in ledger.recordings.all():
            ledger.protection.hold(recording.id, "because", Instant(1.0))
        ledger.protection.tombstone("keyed", Instant(1.0))
        ledger.protection.key()
        ledger.db.fold()
        page = ledger.db.all("SELECT rootpage FROM sqlite_master WHERE name = 'events'")[0][0]
        size = ledger.db.all("PRAGMA page_size")[0][0]
        key = ledger.db.all("SELECT value FROM keys")[0][0]
    with rig.installed.ledger_file.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    assert run_child(rig) == 0
    assert len(aside(rig)) == 1
    assert rig.query("SELECT count(*) FROM holds") == [(40,)]
    assert rig.query("SELECT keyed_id FROM tombstones") == [("keyed",)]
    assert rig.query("SELECT value FROM keys") == [(key,)]
    assert rig.query("SELECT count(*) FROM transcripts") == [(40,)]
    assert rig.query("SELECT count(*) FROM artifacts WHERE state = 'here'") == [(80,)]
    assert rig.events("transcribed") == []


@pytest.mark.shows("durability:notes-not-written")
def test_a_run_that_is_to_end_says_which_notes_it_could_not_write_and_the_next_one_tries_them_at_once(
    rig: Rig, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "RETRY_SECONDS", 300.0)
    rig.folder.rmdir()
    rig.folder.symlink_to(small_disk)
    rig.drop("one.m4a", "one")
    filler = fill(small_disk)
    with structlog.testing.capture_logs() as told:
        assert rig.run_once() == 74
    (sentence,) = (event["sentence"] for event in told if event["event"] == Event.LEFT)
    assert "The notes of 1 recording are not written yet: Cannot write notes in" in sentence
    filler.unlink()
    assert rig.run_once() == 0
    assert len(rig.notes()) == 2


def run_earmark(home: Path, *arguments: str | Path, seconds: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "earmark", *map(str, arguments)],
        env={"PATH": "/usr/bin:/bin", "HOME": str(home)}, capture_output=True, text=True, timeout=seconds,
    )  # fmt: skip


@pytest.mark.shows("durability:no-room-at-start")
def test_a_run_that_is_to_end_ends_with_74_where_the_state_folder_has_no_room(
    rig: Rig, small_disk: Path
) -> None:
    rig.drop("one.m4a", "one")
    fill(small_disk)
    ended = run_earmark(small_disk, "run", "--once", rig.folder)
    assert ended.returncode == 74
    assert "Traceback" not in ended.stderr
    assert "earmark: " in ended.stderr
    assert len(ended.stderr.splitlines()) <= 3


@pytest.mark.shows("durability:no-room-at-start")
def test_a_daemon_that_finds_no_room_for_its_state_waits_for_it(rig: Rig, small_disk: Path) -> None:
    rig.home.mkdir(exist_ok=True)
    (rig.home / "state").symlink_to(small_disk)
    rig.drop("one.m4a", "one")
    filler = fill(small_disk)
    with Live(rig) as live:
        wait_for(lambda: any("Paused" in s for s in live.notifier.said), 20)
        filler.unlink()
        wait_for(lambda: done(rig, 2), 20)


@pytest.mark.shows("durability:home-read-only")
@pytest.mark.parametrize("once", [(), ("--once",)])
@pytest.mark.shows("durability:read-only-home")
def test_a_home_that_is_read_only_is_one_sentence(rig: Rig, small_disk: Path, once: tuple[str, ...]) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    ended = run_earmark(small_disk, "run", *once, rig.folder)
    assert ended.returncode == 74
    (sentence,) = ended.stderr.splitlines()
    assert "cannot keep its ledger there: Read-only file system. Allow it to write there" in sentence


@pytest.mark.shows("durability:left-is-said")
def test_a_run_that_is_to_end_says_what_it_could_not_read(rig: Rig) -> None:
    rig.drop("good.m4a", "good")
    rig.drop("secret.m4a", "secret").chmod(0)
    rig.drop("closed/one.m4a", "one")
    (rig.folder / "closed").chmod(0)
    codes: list[int] = []
    told: list[Any] = []

    def run() -> None:
        without_privileges()
        with structlog.testing.capture_logs() as seen:
            codes.append(rig.run_once())
        told.extend(seen)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    (rig.folder / "closed").chmod(0o700)
    assert codes == [74]
    (sentence,) = (event["sentence"] for event in told if event["event"] == Event.LEFT)
    assert "2 files or folders could not be taken" in sentence
    assert len(rig.notes()) == 2


@pytest.mark.shows("durability:left-is-said")
def test_a_run_that_is_to_end_does_not_wait_for_a_file_that_never_stays_the_same(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arriving, "RESTLESS", 1.0)
    rig.drop("good.m4a", "good")
    growing, stop = rig.drop("growing.m4a", "x"), threading.Event()

    def grow() -> None:
        while not stop.is_set():
            with growing.open("ab") as file:
                file.write(b"x")

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        assert rig.run_once() == 0
    finally:
        stop.set()
        thread.join()
    assert len(rig.notes()) == 2


@pytest.mark.shows("durability:read-only-home")
def test_a_state_folder_that_is_a_link_to_itself_is_one_sentence(rig: Rig) -> None:
    (rig.root / "loop").mkdir()
    (rig.root / "loop" / ".local").symlink_to(rig.root / "loop" / ".local")
    for verb in (["run", "--once", str(rig.folder)], ["doctor"], ["status"]):
        ended = run_earmark(rig.root / "loop", *verb)
        assert "Traceback" not in ended.stderr, verb
    assert run_earmark(rig.root / "loop", "run", "--once", rig.folder).returncode == 74


@pytest.mark.shows("durability:no-more-threads")
@pytest.mark.parametrize("which", ["reader", "worker-", "to-worker-", "APScheduler"])
def test_where_the_system_refuses_a_thread_nobody_is_charged_and_it_goes_on(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    start, refused = threading.Thread.start, threading.Event()

    def start_unless_refused(thread: threading.Thread) -> None:
        if refused.is_set() and thread.name.startswith(which):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_unless_refused)
    monkeypatch.setattr(loop, "PAUSE", 0.1)
    rig.drop("one.m4a", "one")
    refused.set()
    with pytest.raises(EnvironmentFault, match="thread"):
        rig.run_once()
    with Live(rig) as live:
        wait_for(lambda: any("Paused" in s and "thread" in s for s in live.notifier.said), 20)
        refused.clear()
        wait_for(lambda: done(rig, 2), 20)
    assert rig.jobs() == {("transcribe", "done", 1), ("summarize", "done", 1)}
    assert not [t for t in threading.enumerate() if t.name in ("reader", "APScheduler") and t.is_alive()]


@pytest.mark.shows("durability:newer-ledger")
def test_a_ledger_of_a_newer_earmark_ends_the_daemon_with_a_sentence_and_is_left_alone(rig: Rig) -> None:
    rig.drop("one.m4a", "one")
    assert rig.run_once() == 0
    db = sqlite3.connect(rig.installed.ledger_file, isolation_level=None)
    db.execute("PRAGMA user_version = 99")
    db.close()
    before = rig.installed.ledger_file.read_bytes()
    for once in (True, False):
        with pytest.raises(LedgerTooNew, match="upgrade earmark") as raised:
            rig.supervisor(once=once).run()
        assert raised.value.exit_code == 76
    assert rig.installed.ledger_file.read_bytes() == before


VERBS_WITH_A_LEDGER: tuple[tuple[str, ...], ...] = (
    ("status",), ("list",), ("why", "one.m4a"), ("hold",), ("hold", "one.m4a"), ("hold", "--release", "one.m4a"),
    ("retry", "--failed"), ("resummarize", "--outdated"), ("retention", "plan"), ("retention", "status"),
    ("retention", "apply", "--yes"), ("retention", "trust"), ("retention", "accept", "one.m4a"), ("trash", "list"),
    ("trash", "empty", "--yes"), ("restore", "one.m4a"), ("forget", "one.m4a", "--dry-run"), ("forget", "--all", "--yes"),
    ("receipts", "list"), ("receipts", "verify"), ("export", "--out", "all.zip"), ("privacy",), ("privacy", "allow"),
)  # fmt: skip


@pytest.mark.shows("durability:newer-ledger")
@pytest.mark.parametrize(
    ("version", "words", "codes"),
    [
        (99, "written by a newer earmark (version 99 against", {76}),
        (3, "written by an older earmark (version 3 against", {74}),
        (0, "is no ledger yet: its making was not finished", {74}),
    ],
)
def test_every_verb_says_so_where_the_ledger_is_another_versions_and_it_may_not_change_it(
    rig: Rig, version: int, words: str, codes: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.sections["retention"] = {"audio": {"keep_for": "10d"}}
    rig.drop("one.m4a", "one")
    assert rig.run_once() == 0
    Installation(rig.root).configure(f"[[folder]]\npath = '{rig.folder}'\n[summary]\nendpoint = 'none'\n")
    db = sqlite3.connect(rig.installed.ledger_file, isolation_level=None)
    db.execute(f"PRAGMA user_version = {version}")
    db.close()
    before = rig.installed.ledger_file.read_bytes()
    monkeypatch.chdir(rig.folder)
    looking = {("status",), ("list",), ("why", "one.m4a"), ("hold",), ("trash", "list"), ("receipts", "list")}
    for verb in VERBS_WITH_A_LEDGER if version > 90 else sorted(looking):
        ended = CliRunner().invoke(app, verb, env={"EARMARK_HOME": str(rig.home), "COLUMNS": "400"})
        assert ended.exit_code in codes, (verb, ended.exit_code, ended.output)
        assert words in ended.output, (verb, ended.output)
        if version < 90:
            assert "`earmark run` finishes it" in ended.output, "no daemon runs"
            assert "try again in a moment" not in ended.output
    structlog.reset_defaults()
    assert rig.installed.ledger_file.read_bytes() == before


@pytest.mark.shows("durability:left-is-said")
def test_a_run_that_is_to_end_says_what_waits_for_a_model(
    rig: Rig, capfd: pytest.CaptureFixture[str]
) -> None:
    rig.sections["transcription"] = {"model": "nosuch"}
    file = rig.drop("one.m4a", "one")
    configure_logging(sys.stdout, json=False)
    try:
        assert rig.run_once() == 69
    finally:
        structlog.reset_defaults()
    told = capfd.readouterr().out
    assert "1 recording still waits: There is no speech model named 'nosuch'" in told
    assert Event.CAUGHT_UP not in told
    file.unlink()
    assert rig.run_once() == 0, "nothing waits for a model any more"


@pytest.mark.shows("durability:left-is-said")
def test_a_file_that_is_still_written_is_named_and_nothing_else_is_said_to_be_left(
    installation: Installation,
) -> None:
    installation.drop("grows.m4a")
    with (installation.folder / "grows.m4a").open("ab"):
        done = installation.earmark("run", installation.folder, "--once")
    assert done.returncode == 0
    assert "grows.m4a  is still being written" in done.stderr
    assert "Nothing left" not in done.stderr
    assert "Nothing left" in installation.earmark("run", installation.folder, "--once").stderr
