"""Stopping, reloading and being asked to stop at the wrong moment. Real daemon, real signals; stand-in or real workers."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from tests.conftest import Installation, wait_for
from tests.daemon_rig import Rig, run_child, start_child

DEADLINE = 2.0
"""Seconds that the promise gives."""

GRACE = 3.0
"""Seconds that a busy test machine gets on top."""


@pytest.mark.shows("durability:sigterm-ctrl-c-end")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_in_the_middle_of_a_recording_gives_the_work_back(tmp_path: Path, number: int) -> None:
    rig = Rig(tmp_path)
    pause = rig.drop("one.m4a", "pause@1\n").with_name("one.m4a.pause")
    pause.touch()
    process = start_child(rig, once=False)
    wait_for(lambda: rig.query("SELECT upto FROM checkpoints") == [(10.0,)], 20)
    assert process.pid is not None
    os.kill(process.pid, number)
    process.join(DEADLINE + GRACE)
    assert process.exitcode == 0
    assert rig.jobs() == {("transcribe", "waiting", 0)}
    assert rig.query("SELECT interruptions FROM jobs") == [(0,)]
    pause.unlink()
    assert run_child(rig) == 0
    assert len(rig.notes()) == 2
    assert rig.query("SELECT count(*) FROM events WHERE what = 'transcribed'") == [(1,)]


@pytest.mark.shows("durability:left-is-said")
def test_a_run_that_is_to_end_and_is_stopped_before_says_so(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.drop("one.m4a", "pause@1\n").with_name("one.m4a.pause").touch()
    process = start_child(rig)
    wait_for(lambda: rig.query("SELECT upto FROM checkpoints") == [(10.0,)], 20)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGTERM)
    process.join(DEADLINE + GRACE)
    assert process.exitcode == 74
    assert '"event": "left"' in (tmp_path / "child.log").read_text()
    assert rig.jobs() == {("transcribe", "waiting", 0)}


@pytest.mark.shows("durability:sigterm-ctrl-c-end")
def test_a_stop_while_another_process_locks_the_ledger_is_not_lost(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.drop("one.m4a", "pause@1\n").with_name("one.m4a.pause").touch()
    process = start_child(rig, once=False)
    wait_for(lambda: rig.query("SELECT upto FROM checkpoints") == [(10.0,)], 20)
    other = sqlite3.connect(rig.installed.ledger_file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    rig.drop("two.m4a", "two")  # makes the loop want to write
    time.sleep(0)  # the stop may come before, while or after it waits for the lock: each must do
    assert process.pid is not None
    os.kill(process.pid, signal.SIGTERM)
    process.join(15)
    assert process.exitcode == 0
    other.execute("ROLLBACK")
    other.close()
    (rig.folder / "one.m4a.pause").unlink()
    assert run_child(rig) == 0
    assert len(rig.notes()) == 4


@pytest.mark.shows("durability:worker-outlives-daemon")
@pytest.mark.speech
def test_no_worker_outlives_a_stopped_or_killed_daemon(installation: Installation) -> None:
    mark = f"EARMARK_HOME={installation.root / 'home'}".encode()

    def ours() -> list[int]:
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if (
                    entry.name.isdigit()
                    and mark in (entry / "environ").read_bytes()
                    and b".worker\0" in (entry / "cmdline").read_bytes()
                ):
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    if not Path("/proc/self").exists():
        pytest.skip("looks for processes in /proc")
    for number in (signal.SIGTERM, signal.SIGKILL):
        daemon = installation.daemon()
        installation.drop(f"standup-{number}.m4a")
        with (installation.folder / f"standup-{number}.m4a").open("ab") as file:
            file.write(bytes(number))  # other content than the one before
        wait_for(ours, 30, "a worker")
        daemon.send_signal(number)
        daemon.wait(15)
        wait_for(lambda: not ours(), 20, "the workers' end")


@pytest.mark.shows("durability:sighup-reads-configuration-again")
def test_a_broken_configuration_keeps_the_old_one_and_a_mended_one_is_taken(
    installation: Installation,
) -> None:
    daemon = installation.daemon()
    config = installation.configure("[intake]\nsetle_seconds = 1\n")
    daemon.send_signal(signal.SIGHUP)

    def said() -> str:
        status = installation.state / "status.json"
        return (json.loads(status.read_text()).get("config_error") or "") if status.exists() else ""

    wait_for(said, 20, "the sentence in the status")
    assert "settle_seconds" in said()
    assert daemon.poll() is None
    other = installation.root / "Other"
    other.mkdir()
    config.write_text("[intake]\nsettle_seconds = 0.3\n[summary]\nendpoint = 'none'\n")
    daemon.send_signal(signal.SIGHUP)
    wait_for(lambda: not said(), 20, "the end of the complaint")
    assert installation.stop(daemon) == 0
