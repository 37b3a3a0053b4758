"""kill -9 at the system calls themselves: each write to a file's place, sync, rename, link and unlink, SQLite's too.

The steps of test_durability_crash_points.py are the daemon's own; here strace's fault injection stops it at the kernel's
door, just before the call is carried out. EARMARK_EVERY_CALL=1 tries every call instead of every few.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.daemon_rig import Rig, run_child

CALLS = "fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,pwrite64"
DRIVER = "import os, sys; from tests.daemon_rig import _child; _child(sys.argv[1], {}, 0, '', True, dict(os.environ))"
STRIDE = 1 if os.environ.get("EARMARK_EVERY_CALL") else 41


def traced(rig: Rig, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["strace", "-q", "-e", f"trace={CALLS}", *options, sys.executable, "-c", DRIVER, str(rig.root)],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@pytest.mark.shows("durability:same-holds-system-calls")
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_a_kill_at_any_durable_system_call_changes_nothing_about_how_it_ends(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.drop("standup.m4a", "one")
    rig.keep("before")
    log = tmp_path / "calls"
    first = traced(rig, "-o", str(log))
    if first.returncode and "ptrace" in first.stderr.lower():
        pytest.skip(f"tracing is not allowed here: {first.stderr.strip()}")
    assert first.returncode == 0, first.stderr
    calls = [line for line in log.read_text().splitlines() if line.split("(")[0] in CALLS.split(",")]
    undisturbed, jobs = rig.notes(), rig.jobs()
    assert len(undisturbed) == 2
    assert len(calls) > 30
    killed = 0
    for number in range(1, len(calls) + 1, STRIDE):
        rig.bring_back("before")
        # strace counts each name's calls for itself, so every call is named with its own number.
        name = calls[number - 1].split("(")[0]
        nth = sum(line.split("(")[0] == name for line in calls[:number])
        where = f"killed at call {number}: {calls[number - 1][:80]}"
        ended = traced(rig, "-o", "/dev/null", "-e", f"inject={name}:signal=SIGKILL:when={nth}")
        killed += ended.returncode in (-9, 137)
        assert run_child(rig) == 0, where
        assert rig.notes() == undisturbed, where
        assert rig.litter() == [], where
        assert rig.jobs() == jobs, where
    # Checkpoints may come in other batches in another run, so the last few calls need not exist in each.
    assert killed >= 0.8 * len(range(1, len(calls) + 1, STRIDE))
