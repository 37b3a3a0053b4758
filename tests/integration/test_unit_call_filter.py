"""The units' system call filter, applied as systemd applies it: is everything that the daemon does still allowed?

systemd does not run in a test machine, so the filter is read from the unit, its groups are expanded by
systemd-analyze, and libseccomp loads it into a process that then does the work.
"""

from __future__ import annotations

import ctypes.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from earmark.service.units import unit_text

pytestmark = pytest.mark.skipif(
    not shutil.which("systemd-analyze") or not ctypes.util.find_library("seccomp"),
    reason="needs systemd-analyze and libseccomp2",
)

ALWAYS = {"execve", "exit", "exit_group", "getrlimit", "rt_sigreturn", "sigreturn"}
"""What systemd allows in every allow list (systemd.exec(5), SystemCallFilter=)."""

CONFINED = """\
import errno, json, os, sys
import pyseccomp
allowed = pyseccomp.SyscallFilter(pyseccomp.ERRNO(errno.EPERM))
for name in json.loads(sys.argv[1]):
    try:
        allowed.add_rule(pyseccomp.ALLOW, name)
    except (OSError, RuntimeError, ValueError):
        pass  # a call of another architecture
allowed.load()
os.execv(sys.argv[2], sys.argv[2:])
"""


def members(group: str) -> set[str]:
    """The system calls of a systemd group such as @system-service."""
    listing = subprocess.run(["systemd-analyze", "syscall-filter", group], capture_output=True, text=True)
    calls: set[str] = set()
    for line in listing.stdout.splitlines()[1:]:
        word = line.strip()
        if word and not word.startswith("#"):
            calls |= members(word) if word.startswith("@") else {word}
    return calls


def allowed_by(unit: str) -> list[str]:
    calls: set[str] = set()
    for line in re.findall(r"(?m)^SystemCallFilter=(.*)$", unit):
        named = {call for word in line.lstrip("~").split() for call in (members(word) or {word})}
        calls = calls - named if line.startswith("~") else calls | named
    return sorted(calls | ALWAYS)


def confined(*command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    filter_ = json.dumps(allowed_by(unit_text("systemd/earmark.service")))
    return subprocess.run(
        [sys.executable, "-c", CONFINED, filter_, *command],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **environ},
    )


def test_both_units_have_the_same_filter() -> None:
    assert allowed_by(unit_text("systemd/earmark.service")) == allowed_by(
        unit_text("systemd/system/earmark.service")
    )


@pytest.mark.shows("privacy:unit-filter")
def test_the_filter_refuses_what_the_daemon_never_does(tmp_path: Path) -> None:
    answer = confined("/bin/chown", "0", str(tmp_path))
    assert answer.returncode != 0
    assert "Operation not permitted" in answer.stderr


@pytest.mark.shows("privacy:unit-filter")
@pytest.mark.speech
def test_the_daemon_makes_its_notes_under_the_filter(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    command = Path(sys.executable).with_name("earmark")
    answer = confined(
        str(command), "run", "--once", "--with-sample", str(folder), EARMARK_HOME=str(tmp_path / "home")
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "Sarah will send the budget to Maria" in (folder / "sample.transcript.md").read_text()
    assert "We decided to move the release" in (folder / "sample.md").read_text()
