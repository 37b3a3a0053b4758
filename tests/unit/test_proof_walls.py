"""Whether a process is held by its own walls, as the check judges it: pure functions, no daemon."""

from __future__ import annotations

import os
import platform
import signal
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from earmark.locality.confinement import door, listener, seccomp
from earmark.proof.outcome import Outcome
from earmark.proof.running import ptrace
from earmark.proof.running.roles import DOOR, STRANGER, roles
from earmark.proof.running.rules import Judge
from earmark.proof.running.sampler import Sampler
from earmark.proof.running.seen import Act, Process, Seen
from earmark.proof.running.setting import Setting
from earmark.proof.running.shut import LISTS, readers

from tests.conftest import wait_for

pytestmark = pytest.mark.skipif(
    platform.machine() not in seccomp.AUDIT, reason="no filter for this processor"
)

PYTHON = "/usr/bin/python3"
COMMANDS = {
    "transcription worker": (PYTHON, "-m", "earmark.transcription.worker"),
    "summarization worker": (PYTHON, "-m", "earmark.summarization.worker"),
    "door": (PYTHON, "-I", "-S", "-B", door.__file__, "5", "127.0.0.1:8080"),
    "process that looks who listens": (PYTHON, "-I", "-S", "-B", listener.__file__),
}
MANAGERS = (0x7FFF0000).to_bytes(8, "big").hex()
"""The filter of a service manager, which everybody has."""


def own(role: str, pid: int = 2) -> str:
    steps = seccomp.program(platform.machine(), LISTS[role], pid)
    return b"".join(struct.pack("<HBBI", *step) for step in steps).hex()


def held(
    role: str,
    *acts: tuple[str, str],
    filters: tuple[int, int] = (1, 2),
    born: bool = True,
    followed_by: str = "",
    other_version: str = "",
    readable: tuple[Path, ...] = (),
    at: str = "/usr/bin",
) -> Outcome:
    """The claim about a process of this role that did this; the daemon has `filters[0]` filters, the process the other."""
    seen = Seen(True, "", began=0.0, ended=1.0)
    status = {"Seccomp": "2", "NoNewPrivs": "1", "core": "0"}
    seen.processes[1] = Process(
        1,
        0,
        (PYTHON, "-m", "earmark", "run"),
        PYTHON,
        looks=1,
        status=status | {"Seccomp_filters": str(filters[0])},
    )
    seen.processes[2] = Process(
        2,
        1,
        COMMANDS[role],
        PYTHON,
        looks=1,
        status=status | {"Seccomp_filters": str(filters[1])},
        born=born,
        followed_by=followed_by,
    )
    told = [(1, "standing", MANAGERS), *((2, what, about) for what, about in acts)]
    seen.acts = [Act(i, pid, what, about, True) for i, (pid, what, about) in enumerate(told)]
    judge = Judge(
        seen,
        Setting(
            1,
            (Path("/drop"),),
            Path("/state"),
            landlock=bool(readable),
            other_version=other_version,
            readable=readable,
            installation=at,
        ),
    )
    (claim,) = [o for o in judge.claims() if "(pid 2)" in o.claim and "is held" in o.claim]
    return claim


WALLS = (("wall", "no core"), ("wall", "not dumpable"), ("wall", "seccomp"))


@pytest.mark.parametrize("role", COMMANDS)
def test_a_process_with_its_own_filter_is_held(role: str) -> None:
    assert held(role, *WALLS, ("filter", own(role)), ("answered", "")).held is True
    assert held(role, ("standing", MANAGERS), ("standing", own(role)), born=False).held is True
    assert held(role, born=False).held is True  # where the kernel does not show filters


@pytest.mark.shows("privacy:running-daemon-as-root", "privacy:plain-user")
@pytest.mark.parametrize("role", COMMANDS)
def test_the_service_managers_filter_is_no_workers_own(role: str) -> None:
    for found in (
        held(role, *WALLS[:2], ("answered", ""), filters=(1, 1)),
        held(role, ("standing", MANAGERS), born=False),
        held(role, born=False, filters=(1, 1)),
        held(role, ("standing", MANAGERS), ("standing", own("door", 7)), born=False),
    ):
        assert found.held is False, found


@pytest.mark.parametrize("begun", ["answered", "read"])
def test_a_worker_that_begins_before_its_doors_are_shut_is_told(begun: str) -> None:
    filtered = ("filter", own("summarization worker"))
    found = held("summarization worker", *WALLS[:2], (begun, ""), WALLS[2], filtered)
    assert found.held is False
    assert "before its doors were shut (seccomp)" in found.detail


def test_a_door_that_connects_before_it_is_shut_is_told() -> None:
    filtered = ("filter", own("door"))
    found = held("door", *WALLS[:2], ("connect", "127.0.0.1:8080"), WALLS[2], filtered)
    assert found.held is False


def test_of_one_that_was_started_this_moment_nothing_is_said() -> None:
    assert held("transcription worker", *WALLS[:2]).held is None


@pytest.mark.parametrize("role", COMMANDS)
def test_a_process_that_another_program_follows_is_told(role: str) -> None:
    found = held(role, born=False, followed_by="gdb (pid 77)")
    assert found.held is False
    assert "gdb (pid 77) follows it" in found.detail


def test_who_follows_a_process_is_seen() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        look = f"from earmark.proof.running.sampler import Sampler; s = Sampler({other.pid}); s.look(); "
        look += f"print(s.processes[{other.pid}].followed_by)"
        try:
            ptrace.seize(other.pid)
        except OSError as error:
            pytest.skip(f"no other process may be followed here ({error})")
        else:
            said = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, timeout=30)
            assert f"(pid {os.getpid()})" in said.stdout, said.stderr
        finally:
            other.kill()


OF_A_USER = """
import ctypes, os, sys
if os.geteuid() == 0:
    os.setresuid(65534, 65534, 65534)
ctypes.CDLL(None).prctl(4, int(sys.argv[1]), 0, 0, 0)  # PR_SET_DUMPABLE
print("there", flush=True)
sys.stdin.read()
"""


@pytest.mark.shows("privacy:plain-user")
@pytest.mark.parametrize(("dumpable", "memory"), [("0", "shut"), ("1", "open")])
def test_whether_other_programs_can_read_a_running_process_is_seen(dumpable: str, memory: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OF_A_USER, dumpable], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"there\n"
        sampler = Sampler(other.pid)
        sampler.look()
        other.kill()
    assert sampler.processes[other.pid].status["memory"] == memory
    sampler.processes[other.pid].status |= {"Seccomp": "2", "NoNewPrivs": "1"}
    assert readers(sampler.processes[other.pid]) == (
        ["other programs of its user can read its memory"] if memory == "open" else []
    )


def test_a_filter_of_another_version_is_told_with_what_to_do() -> None:
    foreign = ("standing", own("door", 7))
    found = held("door", ("standing", MANAGERS), foreign, born=False, other_version="earmark 0.1")
    assert found.held is False
    assert "the daemon is earmark 0.1; start it anew" in found.detail


@pytest.mark.shows("privacy:running-daemon-as-root")
@pytest.mark.parametrize(
    ("path", "may"),
    [("/model/tokens.txt", True), ("/proc/2/status", True), ("/models", False), ("/home/x/a.txt", False)],
)
def test_what_a_worker_that_runs_already_reads_shows_whether_landlock_holds_it(path: str, may: bool) -> None:
    read = ("looked", path)
    for role in ("transcription worker", "summarization worker", "door"):
        found = held(role, ("standing", own(role)), read, born=False, readable=(Path("/model"),))
        assert found.held is may, found
    assert held("process that looks who listens", read, born=False, readable=(Path("/model"),)).held is True
    other = held(
        "door",
        ("standing", own("door")),
        ("looked", path),
        born=False,
        readable=(Path("/model"),),
        at="/opt/bin",
    )
    assert other.held is True
    assert "not known to this installation" in other.detail


def test_a_door_of_another_installation_is_the_door_if_it_is_the_same_to_the_byte(tmp_path: Path) -> None:
    script = tmp_path / "door.py"
    seen = Seen(True, "")
    seen.processes[1] = Process(1, 0, (PYTHON, "-m", "earmark", "run"), PYTHON)
    seen.processes[2] = Process(2, 1, (PYTHON, "-I", "-S", "-B", str(script), "5"), PYTHON)
    for content, role in (
        (Path(door.__file__).read_bytes(), DOOR),
        (b"import socket", STRANGER),
        (None, STRANGER),
    ):
        script.unlink(missing_ok=True)
        if content is not None:
            script.write_bytes(content)
        assert roles(seen, 1)[2] == role


def test_one_that_is_just_being_started_is_looked_at_until_its_walls_stand() -> None:
    walls = "from earmark.locality.confinement import calls, seccomp\n"
    child = f"import time\n{walls}time.sleep(0.3)\nseccomp.allow_only(calls.LISTENER)\ntime.sleep(30)"
    root = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}])"
    with subprocess.Popen([sys.executable, "-c", root], start_new_session=True) as daemon:
        try:
            sampler = Sampler(daemon.pid)

            def met() -> bool:
                sampler.look()
                return len(sampler.processes) > 1

            wait_for(met, 20, "the child")
            (pid,) = set(sampler.processes) - {daemon.pid}
            sampler.settle()
            assert sampler.processes[pid].status["Seccomp"] == "2"
        finally:
            os.killpg(daemon.pid, signal.SIGKILL)
