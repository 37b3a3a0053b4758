"""Erased content that its owner wants back, while the daemon runs (stand-in workers; tests/standin_worker.py says why)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from earmark.cli.forget import forget
from typer import Typer
from typer.testing import CliRunner

from tests.conftest import wait_for
from tests.daemon_rig import Rig, start_child

app = Typer()
app.command()(forget)


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, words)
    return result.exit_code, result.output


@pytest.mark.shows("retention:tombstone")
def test_a_running_daemon_takes_a_lifted_file_without_waiting_for_its_next_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path, {"intake": {"watch": "off", "scan_seconds": 3600}})
    monkeypatch.setenv("EARMARK_HOME", str(rig.home))
    file = rig.drop("talk.m4a", "a talk about walruses")
    daemon = start_child(rig, once=False)
    try:
        wait_for(lambda: len(rig.notes()) == 2, 30)
        code, output = run(str(file), "--yes")
        assert code == 0, output
        assert rig.notes() == {}
        rig.drop("talk.m4a", "a talk about walruses")
        assert daemon.pid is not None
        os.kill(daemon.pid, signal.SIGUSR1)
        wait_for(lambda: "erased" in rig.troubles().get(str(file), ""), 30)
        code, output = run("--lift", str(file))
        assert code == 0, output
        wait_for(lambda: len(rig.notes()) == 2, 30)
        assert rig.troubles() == {}
        assert run("--lift", str(file))[0] == 66
    finally:
        daemon.terminate()
        daemon.join(20)


def test_the_benchmark_of_retention_plans_explains_itself() -> None:
    script = Path(__file__).parents[2] / "benchmarks" / "retention.py"
    shown = subprocess.run(
        [sys.executable, str(script), "--help"], capture_output=True, text=True, check=True
    )
    assert "usage: retention.py" in shown.stdout
