"""What the service manager is told, through a real datagram socket, and what systemd thinks of the units."""

from __future__ import annotations

import contextlib
import os
import plistlib
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from earmark.service import launchd, systemd
from earmark.service.systemd import SystemdNotifier, watchdog_interval
from earmark.service.units import UNIT_NAMES, unit_file, unit_text

analyze = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on this machine"
)


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The service manager's end of sd_notify: a bound AF_UNIX datagram socket named in NOTIFY_SOCKET."""
    monkeypatch.chdir(tmp_path)  # a short name: AF_UNIX paths end at 108 bytes
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("notify")
        listener.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", "notify")
        yield listener


def test_each_state_arrives_as_systemd_reads_it(manager: socket.socket) -> None:
    notifier = SystemdNotifier()
    assert notifier.listening
    said = []
    for say in (notifier.ready, notifier.watchdog, notifier.reloading, notifier.stopping):
        say()
        said.append(manager.recv(4096).decode())
    assert [said[0], said[1], said[3]] == ["READY=1", "WATCHDOG=1", "STOPPING=1"]
    assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", said[2])


def test_a_status_is_one_line_of_utf8_whatever_the_file_is_called(manager: socket.socket) -> None:
    notifier = SystemdNotifier()
    notifier.status("1 waits: Übung\n会议\udcff.m4a")
    assert manager.recv(4096).decode() == "STATUS=1 waits: Übung 会议?.m4a"
    notifier.ready("3 recordings wait")
    assert manager.recv(4096).decode() == "READY=1\nSTATUS=3 recordings wait"


def test_a_service_manager_that_reads_nothing_stops_nobody(
    manager: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(systemd, "PATIENCE", 0.05)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as others:
        others.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                others.sendto(b"STATUS=full", "notify")
    notifier = SystemdNotifier()
    saying = threading.Thread(target=notifier.status, args=("1 waits",), daemon=True)
    saying.start()
    saying.join(10)
    assert not saying.is_alive()
    manager.recv(4096)
    notifier.status("read again")
    manager.setblocking(False)
    last = b""
    with contextlib.suppress(BlockingIOError):
        while True:
            last = manager.recv(4096)
    assert last == b"STATUS=read again"


def test_without_a_service_manager_nothing_is_sent_and_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notifier = SystemdNotifier()
    assert not notifier.listening
    notifier.ready("up")
    notifier.watchdog()


def test_a_service_manager_that_has_gone_away_does_not_stop_the_daemon(manager: socket.socket) -> None:
    notifier = SystemdNotifier()
    manager.close()
    notifier.watchdog()


def test_the_watchdog_is_fed_twice_as_often_as_systemd_asks() -> None:
    assert watchdog_interval({"WATCHDOG_USEC": "120000000"}) == 60.0
    assert watchdog_interval({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": "7"}, pid=7) == 60.0


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "soon"},
        {"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": "1"},
    ],
)
def test_no_watchdog_or_another_process_s_is_no_watchdog(environ: dict[str, str]) -> None:
    assert watchdog_interval(environ, pid=7) is None


def filled(name: str, folder: Path) -> Path:
    """The unit with a program that exists, because systemd-analyze looks for it."""
    unit = folder / "earmark.service"
    unit.write_text(systemd.fill_in(unit_text(name), Path(sys.executable)))  # type: ignore[arg-type]
    return unit


def analysis(*arguments: str, runtime: Path) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "XDG_RUNTIME_DIR": str(runtime), "SYSTEMD_COLORS": "0", "LC_ALL": "C.UTF-8"}
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, env=environ)


# The exposure is what systemd 252 says (6.5 and 1.1) and a little; later versions count a few more things.
UNITS = [
    pytest.param("systemd/earmark.service", ["--user"], 6.8, id="user"),
    pytest.param("systemd/system/earmark.service", [], 1.5, id="system"),
]


@analyze
@pytest.mark.parametrize(("name", "scope", "_exposure"), UNITS)
def test_systemd_has_nothing_to_say_about_the_unit(
    name: str, scope: list[str], _exposure: float, tmp_path: Path
) -> None:
    answer = analysis(*scope, "verify", "--man=no", str(filled(name, tmp_path)), runtime=tmp_path)
    # It exits 0 on a key that it does not know, so its words count.
    assert (answer.returncode, answer.stderr) == (0, "")


@analyze
def test_the_check_of_the_units_has_teeth(tmp_path: Path) -> None:
    unit = filled("systemd/earmark.service", tmp_path)
    unit.write_text(unit.read_text().replace("WatchdogSec=", "WatchdogSeconds="))
    answer = analysis("--user", "verify", "--man=no", str(unit), runtime=tmp_path)
    assert "WatchdogSeconds" in answer.stderr


@analyze
@pytest.mark.parametrize(("name", "scope", "exposure"), UNITS)
def test_the_unit_stays_as_closed_as_it_was(
    name: str, scope: list[str], exposure: float, tmp_path: Path
) -> None:
    answer = analysis(*scope, "security", "--offline=true", str(filled(name, tmp_path)), runtime=tmp_path)
    score = re.search(r"Overall exposure level for \S+: ([0-9.]+)", answer.stdout)
    assert score is not None, answer.stdout + answer.stderr
    assert float(score[1]) <= exposure


@pytest.mark.parametrize("name", ["systemd/earmark.service", "systemd/system/earmark.service"])
@pytest.mark.shows("service:downgrade")
def test_no_unit_forbids_what_the_transcription_library_needs(name: str) -> None:
    text = unit_text(name)  # type: ignore[arg-type]
    assert not re.search(r"(?m)^MemoryDenyWriteExecute=yes", text)
    assert re.search(r"(?m)^RestartPreventExitStatus=75 76 78$", text)
    assert re.search(r"(?m)^WatchdogSec=\d+$", text)


def test_every_unit_file_is_found() -> None:
    assert [unit_file(name).is_file() for name in UNIT_NAMES] == [True, True, True]


@analyze
def test_a_program_and_folders_with_odd_names_stay_what_they_are_in_the_unit(tmp_path: Path) -> None:
    program = tmp_path / "it costs $5 100%" / "ear mark"
    program.parent.mkdir()
    shutil.copy("/bin/true", program)
    folders = [Path('/srv/a "b" \\c $HOME %h'), Path(os.fsdecode(b"/srv/\xff"))]
    text = systemd.fill_in(unit_text("systemd/earmark.service"), program, folders, {"EARMARK_HOME": "/x y%"})
    (tmp_path / "earmark.service").write_text(text)
    answer = analysis("--user", "verify", "--man=no", str(tmp_path / "earmark.service"), runtime=tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "")
    line = next(line for line in text.splitlines() if line.startswith("ExecStart="))
    assert line.endswith(r' run --service "/srv/a \"b\" \\c $$HOME %%h" "/srv/\xff"')
    assert 'Environment="EARMARK_HOME=/x y%%"' in text.splitlines()


def test_a_text_without_a_start_line_is_refused() -> None:
    with pytest.raises(ValueError, match="0 ExecStart lines"):
        systemd.fill_in("[Service]\n", Path("/usr/bin/earmark"))


def test_the_launch_agent_restarts_after_a_crash_and_keeps_what_it_writes_private() -> None:
    agent = plistlib.loads(unit_text("launchd/org.earmark.daemon.plist").encode())
    assert agent["Label"] == launchd.LABEL
    assert agent["KeepAlive"] == {"SuccessfulExit": False}
    assert agent["Umask"] == 0o077
    assert agent["HardResourceLimits"] == {"Core": 0}


@pytest.mark.shows("service:mac-cores")
def test_the_launch_agent_gives_way_and_is_not_put_on_the_slow_cores() -> None:
    agent = plistlib.loads(unit_text("launchd/org.earmark.daemon.plist").encode())
    assert (agent["ProcessType"], agent["Nice"], agent["LowPriorityIO"]) == ("Standard", 10, True)
    filled = plistlib.loads(
        launchd.fill_in(unit_text("launchd/org.earmark.daemon.plist"), Path("/e"), Path("/l")).encode()
    )
    assert filled["ProcessType"] == "Standard"


def test_the_launch_agent_s_shell_line_starts_earmark_from_a_home_with_a_space(tmp_path: Path) -> None:
    agent = plistlib.loads(unit_text("launchd/org.earmark.daemon.plist").encode())
    home = tmp_path / "my home"
    (home / ".local/bin").mkdir(parents=True)
    (home / "Library/Logs").mkdir(parents=True)
    program = home / ".local/bin/earmark"
    program.write_text('#!/bin/sh\necho "$@"\n')
    program.chmod(0o755)
    subprocess.run(agent["ProgramArguments"], env={"HOME": str(home), "PATH": "/usr/bin:/bin"}, check=True)
    assert (home / "Library/Application Support/earmark/earmark.log").read_text() == (
        f"run --service {home}/Recordings\n"
    )


def test_the_filled_in_launch_agent_needs_no_shell() -> None:
    text = launchd.fill_in(
        unit_text("launchd/org.earmark.daemon.plist"),
        Path("/opt/ear mark/earmark"),
        Path("/Users/a/Library/Application Support/earmark/earmark.log"),
        [Path("/Users/a/A & B")],
        {"EARMARK_HOME": "/x"},
    )
    agent = plistlib.loads(text.encode())
    assert agent["ProgramArguments"] == ["/opt/ear mark/earmark", "run", "--service", "/Users/a/A & B"]
    assert agent["StandardErrorPath"] == "/Users/a/Library/Application Support/earmark/earmark.log"
    assert agent["EnvironmentVariables"] == {"HF_HUB_OFFLINE": "1", "EARMARK_HOME": "/x"}
    assert agent["ThrottleInterval"] == 60
