"""Installing and removing the service. systemctl, loginctl and launchctl are stand-ins that write down how they were
called: a test must not start services in the session of whoever runs it."""

from __future__ import annotations

import os
import plistlib
import subprocess
from pathlib import Path
from typing import Any

import pytest
from earmark.errors import EarmarkError, EnvironmentFault
from earmark.service.install import MARK, install, kind_for, lingers, uninstall, unit_path


class Manager:
    def __init__(self, **answers: tuple[int, str]) -> None:
        self.calls: list[str] = []
        self.answers = answers

    def __call__(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        self.calls.append(" ".join(command))
        code, words = next((self.answers[word] for word in command if word in self.answers), (0, ""))
        return subprocess.CompletedProcess(command, code, stdout=words, stderr=words)


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path)}


PROGRAM = Path("/opt/earmark/bin/earmark")


def test_installing_writes_the_unit_and_starts_it(home: dict[str, str], tmp_path: Path) -> None:
    manager = Manager()
    done = install("systemd", PROGRAM, [Path("/srv/rec")], run=manager, environ=home)
    unit = tmp_path / ".config/systemd/user/earmark.service"
    assert done[0] == f"Wrote {unit}."
    assert 'ExecStart="/opt/earmark/bin/earmark" run --service "/srv/rec"\n' in unit.read_text()
    assert MARK in unit.read_text()
    assert manager.calls[:2] == [
        "systemctl --user daemon-reload",
        "systemctl --user enable --now earmark.service",
    ]


def test_installing_again_replaces_what_the_last_time_wrote(home: dict[str, str]) -> None:
    install("systemd", PROGRAM, run=Manager(), environ=home)
    manager = Manager()
    install("systemd", Path("/elsewhere/earmark"), run=manager, environ=home)
    assert "/elsewhere/earmark" in unit_path("systemd", home).read_text()
    assert "systemctl --user try-restart earmark.service" in manager.calls
    assert [path.name for path in unit_path("systemd", home).parent.iterdir()] == ["earmark.service"]


def test_the_service_finds_the_ledger_that_the_shell_uses(home: dict[str, str]) -> None:
    install("systemd", PROGRAM, run=Manager(), environ={**home, "EARMARK_HOME": "/data/ear mark"})
    assert 'Environment="EARMARK_HOME=/data/ear mark"' in unit_path("systemd", home).read_text()


def test_somebody_s_own_unit_is_neither_replaced_nor_removed(home: dict[str, str]) -> None:
    unit = unit_path("systemd", home)
    unit.parent.mkdir(parents=True)
    unit.write_text("[Service]\nExecStart=/mine\n")
    manager = Manager()
    with pytest.raises(EarmarkError, match="was not written by earmark"):
        install("systemd", PROGRAM, run=manager, environ=home)
    with pytest.raises(EarmarkError, match="was not written by earmark"):
        uninstall("systemd", run=manager, environ=home)
    assert unit.read_text() == "[Service]\nExecStart=/mine\n"
    assert manager.calls == []


def test_a_service_that_would_stop_at_logout_is_said_to(home: dict[str, str]) -> None:
    no = install("systemd", PROGRAM, run=Manager(loginctl=(0, "no\n")), environ=home)
    yes = install("systemd", PROGRAM, run=Manager(loginctl=(0, "yes\n")), environ=home)
    assert any("loginctl enable-linger" in sentence for sentence in no)
    assert not any("linger" in sentence for sentence in yes)


def test_a_machine_without_a_user_session_is_told_what_systemctl_said(home: dict[str, str]) -> None:
    refusal = Manager(systemctl=(1, "Failed to connect to bus: No medium found\n"))
    with pytest.raises(EnvironmentFault, match="Failed to connect to bus: No medium found"):
        install("systemd", PROGRAM, run=refusal, environ=home)


def test_a_machine_without_systemctl_is_told_so(home: dict[str, str]) -> None:
    def absent(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        raise FileNotFoundError(command[0])

    with pytest.raises(EnvironmentFault, match="systemctl is not on this machine"):
        install("systemd", PROGRAM, run=absent, environ=home)
    assert lingers(absent) is None


def test_removing_the_service_stops_it_first(home: dict[str, str]) -> None:
    install("systemd", PROGRAM, run=Manager(), environ=home)
    manager = Manager()
    uninstall("systemd", run=manager, environ=home)
    assert not unit_path("systemd", home).exists()
    assert manager.calls == [
        "systemctl --user disable --now earmark.service",
        "systemctl --user daemon-reload",
    ]
    assert "nothing to do" in uninstall("systemd", run=manager, environ=home)[0]


def test_the_launch_agent_is_loaded_for_this_user_and_unloaded_again(home: dict[str, str]) -> None:
    manager = Manager()
    install("launchd", PROGRAM, [Path("/Users/a/Rec")], run=manager, environ=home)
    agent = unit_path("launchd", home)
    assert plistlib.loads(agent.read_bytes())["ProgramArguments"][0] == str(PROGRAM)
    assert manager.calls[-1] == f"launchctl bootstrap gui/{os.getuid()} {agent}"
    uninstall("launchd", run=manager, environ=home)
    assert manager.calls[-1] == f"launchctl bootout gui/{os.getuid()}/org.earmark.daemon"
    assert not agent.exists()


def test_macos_gets_launchd_and_everything_else_systemd() -> None:
    assert (kind_for("darwin"), kind_for("linux")) == ("launchd", "systemd")
