"""`earmark run --service` as systemd starts it: a notify socket, a watchdog, SIGHUP, SIGTERM, JSON on stderr."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from earmark.domain import Instant
from earmark.ledger import DaemonLock
from earmark.ledger.journal import Trouble

from tests.conftest import Installation

EARMARK = Path(sys.executable).with_name("earmark")


class Service:
    """The service manager's side: what it was told, in order, and the process."""

    def __init__(self, folder: Path, short: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(short / "notify"))
        self.socket.settimeout(30)
        self.home = folder / "home"
        recordings = folder / "recordings"
        recordings.mkdir()
        self.process = subprocess.Popen(
            [EARMARK, "run", "--service", recordings],
            env={
                **os.environ,
                "EARMARK_HOME": str(self.home),
                "NOTIFY_SOCKET": str(short / "notify"),
                "WATCHDOG_USEC": "1000000",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def told(self, state: str) -> str:
        """The next message that holds this state; fails after 30 s of silence."""
        while True:
            message = self.socket.recv(4096).decode()
            if state in message.splitlines():
                return message

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        self.socket.close()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    # AF_UNIX names end at 108 bytes, and pytest's folders are long.
    with tempfile.TemporaryDirectory(prefix="em-") as short:
        started = Service(tmp_path, Path(short))
        try:
            yield started
        finally:
            started.close()


def test_it_says_when_it_is_ready_stays_alive_and_stops_when_told(service: Service) -> None:
    assert "STATUS=" in service.told("READY=1")
    service.told("WATCHDOG=1")
    service.told("WATCHDOG=1")
    service.process.send_signal(signal.SIGTERM)
    service.told("STOPPING=1")
    _, log = service.process.communicate(timeout=30)
    assert service.process.returncode == 0
    events = [json.loads(line) for line in log.splitlines()]
    assert events
    assert all("event" in event and "timestamp" in event for event in events)


def test_a_reload_is_told_and_a_broken_configuration_does_not_stop_it(service: Service) -> None:
    service.told("READY=1")
    (service.home / "config").mkdir(parents=True, exist_ok=True)
    (service.home / "config" / "config.toml").write_text("[intak]\n")
    service.process.send_signal(signal.SIGHUP)
    service.told("RELOADING=1")
    service.told("READY=1")
    service.told("WATCHDOG=1")
    service.process.send_signal(signal.SIGTERM)
    _, log = service.process.communicate(timeout=30)
    assert service.process.returncode == 0
    assert "intak" in log


def test_it_is_told_what_is_wrong_and_when_it_is_over(service: Service, tmp_path: Path) -> None:
    service.told("READY=1")
    folder = tmp_path / "recordings"
    folder.rename(tmp_path / "elsewhere")
    away = f"{folder} is not there; create it or mount its disk, and it will be watched again"
    service.told(f"STATUS=Watching 1 folder; wrong: {away}")
    (tmp_path / "elsewhere").rename(folder)
    # Nothing watches a folder that is not there: a look at it is asked for, as the timer asks once a minute.
    service.process.send_signal(signal.SIGUSR1)
    service.told("STATUS=Watching 1 folder")


def test_a_folder_that_is_wrong_is_named() -> None:
    found = [
        Trouble("/srv/a", "folder", "cannot be read: Permission denied", Instant(0.0), "").whole,
        Trouble("/srv/a", "folder", "/srv/a is not there", Instant(0.0), "").whole,
        Trouble("[model]", "system", "there is no model", Instant(0.0), "").whole,
    ]
    assert found == ["/srv/a: cannot be read: Permission denied", "/srv/a is not there", "there is no model"]


def test_a_daemon_of_an_older_version_is_told_from_the_command(installation: Installation) -> None:
    assert installation.earmark("run", "--once", installation.folder).returncode == 0
    file = installation.state / "status.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"version": "0.0.9"}))
    with DaemonLock(installation.state / "daemon.lock"):
        said = installation.earmark("status").stdout
        found = json.loads(installation.earmark("doctor", "--json").stdout)["findings"]
    assert "the running daemon is earmark 0.0.9" in said
    assert [f["ok"] for f in found if f["name"] == "daemon"] == [False]


def test_a_configuration_that_is_wrong_at_the_start_ends_with_the_code_that_the_unit_does_not_restart(
    tmp_path: Path,
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text("[intak]\n")
    answer = subprocess.run(
        [EARMARK, "run", "--service", tmp_path],
        env={**os.environ, "EARMARK_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.returncode == 78
    assert "intak" in answer.stderr
