"""A daemon's report, and the signal that tells it of a changed ledger: whoever else has its number is left alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from earmark.files import FileLock, holders
from earmark.paths import Home, platform_home
from earmark.report import Report, read_report, write_report
from earmark.verbs.opening import wake_daemon


def _home(root: Path, pid: int) -> Home:
    home = platform_home({"EARMARK_HOME": str(root)})
    home.state.mkdir(parents=True, mode=0o700)
    write_report(home.status_file, Report(pid=pid, version="0", started_at=0, folders=(), config_file=""))
    return home


@pytest.mark.skipif(sys.platform != "linux", reason="who holds a lock is told by /proc, which is Linux's")
def test_a_program_that_has_the_number_of_an_earlier_daemon_gets_no_signal(tmp_path: Path) -> None:
    """SIGUSR1 would end it."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        home = _home(tmp_path, other.pid)
        with FileLock(home.lock_file):
            assert holders(home.lock_file) == [os.getpid()]
            wake_daemon(home)
        other.communicate(b"\n")
    assert other.returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="who holds a lock is told by /proc, which is Linux's")
def test_a_daemon_that_holds_the_lock_is_woken(tmp_path: Path) -> None:
    """It says so before it ends."""
    here = (
        "import signal, sys, time; from pathlib import Path; from earmark.files import FileLock\n"
        "signal.signal(signal.SIGUSR1, lambda *_: sys.exit(7))\n"
        "FileLock(Path(sys.argv[1])).acquire(); print('held', flush=True); time.sleep(60)"
    )
    home = platform_home({"EARMARK_HOME": str(tmp_path)})
    with subprocess.Popen(
        [sys.executable, "-c", here, str(home.lock_file)], stdout=subprocess.PIPE, text=True
    ) as daemon:
        assert daemon.stdout is not None
        assert daemon.stdout.readline() == "held\n"
        report = Report(pid=daemon.pid, version="0", started_at=0, folders=(), config_file="")
        write_report(home.status_file, report)
        assert json.loads(home.status_file.read_bytes())["pid"] == daemon.pid
        wake_daemon(home)
        assert daemon.wait(20) == 7


def test_a_report_with_a_folder_that_no_path_can_be_is_none(tmp_path: Path) -> None:
    home = _home(tmp_path, 1)
    assert read_report(home.status_file) is not None
    said = json.loads(home.status_file.read_bytes())
    home.status_file.write_text(json.dumps(said | {"folders": ["a\0b"]}))
    assert read_report(home.status_file) is None
