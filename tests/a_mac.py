"""A Mac, as far as a service sees one: the command line with macOS as its platform, and tests/fake_launchctl in PATH."""

from __future__ import annotations

import os
import plistlib
import shutil
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from earmark.cli import console, doctor, scope, service, status
from earmark.cli.main import app
from earmark.service import agent_install, loading
from earmark.service.reach import Here
from typer.testing import CliRunner

from tests.conftest import QUICK

STANDIN = """#!{python} -IS
import fcntl, json, os, signal, sys
lock = os.path.join(os.environ["EARMARK_HOME"], "state", "daemon.lock")
fd = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
fcntl.flock(fd, fcntl.LOCK_EX)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
os.write(fd, json.dumps({{"pid": os.getpid(), "host": "here"}}).encode())
print("stands in for", *sys.argv[1:], flush=True)
while True:
    signal.pause()
"""
"""Holds the ledger's lock as a daemon does, and is there at once."""

FAKE = Path(__file__).with_name("fake_launchctl")


@dataclass
class Mac:
    """`root` has the user's home, the drop folder, and the folder of the launchd that answers."""

    root: Path

    @property
    def home(self) -> Path:
        return self.root / "Users" / "ada"

    @property
    def folder(self) -> Path:
        return self.home / "Recordings"

    @property
    def launchd(self) -> Path:
        return self.root / "launchd"

    @property
    def agent(self) -> Path:
        return self.home / "Library/LaunchAgents/org.earmark.daemon.plist"

    def says(self, *words: str | Path) -> tuple[int, str]:
        """What a verb prints, on both streams, with its exit code."""
        done = CliRunner().invoke(app, [str(word) for word in words])
        return done.exit_code, done.output

    @property
    def lock(self) -> Path:
        """The daemon's."""
        return self.root / "kept/state/daemon.lock"

    def with_a_standin(self, patch: pytest.MonkeyPatch) -> Mac:
        """Install another program than earmark, for tests of what launchd does with it."""
        program = self.root / "earmark"
        program.write_text(STANDIN.format(python=sys.executable))
        program.chmod(0o755)
        patch.setattr(service, "_executable", lambda: program)
        return self

    def tell(self, **given: object) -> None:
        """What launchctl is to answer before it does as launchd would (tests/fake_launchctl)."""
        for name, answers in given.items():
            listed = answers if isinstance(answers, list) else [answers]
            (self.launchd / name).write_text("".join(f"{answer}\n" for answer in listed))

    def calls(self) -> list[str]:
        """What launchctl was asked since the last time, without the looks at the session."""
        file = self.launchd / "calls"
        said = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return [call for call in said if call != f"print gui/{os.getuid()}"]

    @property
    def pid(self) -> int:
        """Of what launchd runs; 0 for nothing."""
        return int(self._known("pid") or 0)

    @property
    def has_it(self) -> bool:
        """Whether launchd has the agent."""
        return bool(self._known("path"))

    @property
    def off(self) -> bool:
        """Whether it is turned off, as System Settings does it."""
        return self._known("off") == "yes"

    def _known(self, name: str) -> str:
        with suppress(FileNotFoundError):
            return (self.launchd / name).read_text().strip()
        return ""

    def plist(self) -> dict[str, Any]:
        found: dict[str, Any] = plistlib.loads(self.agent.read_bytes())
        return found

    def shut_down(self) -> None:
        """End what launchd runs, and see it ended."""
        until = time.monotonic() + 10
        while (pid := self.pid) and time.monotonic() < until:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)  # until its keeper has seen it


def a_mac(root: Path, patch: pytest.MonkeyPatch) -> Mac:
    """Make the machine. Nothing that is installed can be told to take itself for another platform; only this test can."""
    mac = Mac(root)
    mac.folder.mkdir(parents=True)
    mac.launchd.mkdir()
    tools = root / "bin"
    tools.mkdir()
    launchctl = tools / "launchctl"
    keeper = f"{sys.executable} -I -S {FAKE.with_name('fake_launchd.py')}"
    launchctl.write_text(f'#!/bin/sh\nexec "{FAKE}" "{mac.launchd}" "{keeper}" "$@"\n')
    launchctl.chmod(0o755)
    (tools / "tail").symlink_to(str(shutil.which("tail")))
    for name in ("SUDO_USER", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        os.environ.pop(name, None)
    kept = root / "kept"
    (kept / "config").mkdir(parents=True)
    (kept / "config/config.toml").write_text(QUICK)
    os.environ |= {
        "PATH": str(tools), "HOME": str(mac.home), "EARMARK_HOME": str(kept), "NO_COLOR": "1", "COLUMNS": "200",
    }  # fmt: skip

    def here(**given: Any) -> Here:
        return Here(platform="darwin", proc=root / "proc", systemd_booted=root / "booted", root=root, **given)

    for module in (service, doctor, status, scope, console):
        patch.setattr(module, "Here", here)
    patch.setattr(loading, "PAUSE", 0.01)
    patch.setattr(loading, "TRIES", 4)
    # Where this checkout is, is no matter of the product.
    patch.setattr(agent_install, "passing", lambda *_: None)
    return mac
