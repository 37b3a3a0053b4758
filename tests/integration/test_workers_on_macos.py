"""Workers on macOS, with the system's part played: what limits their memory from outside, and that a wall is missing."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from earmark.locality.confinement.macos import memory
from earmark.messages import LoadModel
from earmark.report import Report, read_report
from earmark.supervisor.stages import base

from tests.conftest import wait_for
from tests.daemon_rig import Live, Rig, start_standin


@pytest.mark.shows("privacy:macos-memory")
def test_each_worker_is_started_behind_the_tool_with_its_own_limit_which_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefixes: dict[str, list[str]] = {}

    def start(module: str, prefix: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        prefixes[module] = list(prefix)
        return start_standin(module)

    monkeypatch.setattr(base, "start_process", start)
    monkeypatch.setattr(memory, "_works", lambda: True)
    for function in (memory.prefix, memory.told):
        monkeypatch.setattr(function, "__defaults__", ("darwin",))
    rig = Rig(tmp_path)
    rig.drop("one.m4a")
    with Live(rig):
        report = wait_for(lambda: both_measured(rig), 60)
    hearing, summaries = prefixes["earmark.transcription.worker"], prefixes["earmark.summarization.worker"]
    assert summaries == [memory.TOOL, "-m", "1536"]
    assert hearing[:2] == [memory.TOOL, "-m"]
    assert int(hearing[2]) > 1536
    assert report.sandbox[-1] == memory.LIMITED.format(hearing[2])
    assert report.summary_sandbox[-1] == memory.LIMITED.format("1536")


def both_measured(rig: Rig) -> Report | None:
    report = read_report(rig.installed.status_file)
    return report if report and report.sandbox and report.summary_sandbox else None


@pytest.mark.parametrize(
    ("modest", "greedy", "works"),
    [
        (0, -signal.SIGKILL, True),
        (0, 0, False),  # taken, and without an effect
        (64, 64, False),  # an older one, which does not know -m
        (-signal.SIGKILL, -signal.SIGKILL, False),  # nobody could work with it
    ],
)
def test_the_tool_is_used_only_where_it_ends_who_takes_too_much_and_nobody_else(
    modest: int, greedy: int, works: bool
) -> None:
    def run(command: Sequence[str]) -> int:
        assert command[1:3] == ["-m", "64"]
        return greedy if command[-1] else modest

    assert memory.ends_who_takes_too_much(run) is works


@pytest.mark.shows("privacy:macos-memory")
def test_on_linux_nothing_is_put_before_a_worker_and_where_nothing_limits_it_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert (memory.prefix(1536, "linux"), memory.told(1536, "linux")) == ([], ())
    monkeypatch.setattr(memory, "_works", lambda: False)
    assert (memory.prefix(1536, "darwin"), memory.told(1536, "darwin")) == ([], (memory.UNLIMITED,))


@pytest.mark.shows("privacy:macos-tried")
def test_that_a_wall_is_missing_is_a_trouble_until_a_worker_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = {"transcription": "no walls", "summarization": ""}
    monkeypatch.setattr(
        base,
        "not_held",
        lambda said, order: missing["transcription" if isinstance(order, LoadModel) else "summarization"],
    )
    rig, subject = Rig(tmp_path), "[walls of earmark.transcription.worker]"
    rig.drop("one.m4a", "one")
    with Live(rig) as live:
        wait_for(lambda: rig.events("summarized"), 30)
        assert rig.troubles() == {subject: "no walls"}
        missing["transcription"] = ""
        live.reload()
        rig.drop("two.m4a", "two")
        wait_for(lambda: not rig.troubles(), 30)
