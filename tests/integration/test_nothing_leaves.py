"""The whole main job, watched from outside: what do its processes connect to, open, and say where?

strace sees every system call of every process. The transcript's words are the canaries: they may be in the notes, in the
ledger and in what is said to the summary server on loopback, and nowhere else.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from tests import whole_job

pytestmark = [
    pytest.mark.speech,
    pytest.mark.skipif(sys.platform != "linux", reason="strace and network namespaces are Linux's"),
]

CANARIES = ("billing", "Berlin", "of March", "mobile app", "Wednesday")
"""Words of the sample that are in no path, setting or sentence of ours."""

CALL = re.compile(r"^(\d+) +(?:<\.\.\. )?(\w+)")
ADDRESS = re.compile(r'inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"')
WRITES = ("O_WRONLY", "O_RDWR", "O_CREAT")


@dataclass
class Watched:
    """What came of the job, and the trace of its processes."""

    folder: Path
    outcome: dict[str, Any]
    lines: list[str]

    def calls(self, *names: str) -> list[str]:
        return [line for line in self.lines if (m := CALL.match(line)) and m[2] in names]

    @cached_property
    def process_of(self) -> dict[str, str]:
        """Thread id → id of its process. strace numbers threads like processes; clone's flags tell them apart."""
        found: dict[str, str] = {}
        pending: dict[str, bool] = {}
        for line in self.calls("clone", "clone3", "fork", "vfork"):
            caller = line.split()[0]
            thread = "CLONE_THREAD" in line if "resumed>" not in line else pending.pop(caller, False)
            if "<unfinished" in line:
                pending[caller] = thread
            elif thread and (m := re.search(r"= (\d+)$", line)):
                found[m[1]] = found.get(caller, caller)
        return found

    @cached_property
    def programs(self) -> dict[str, str]:
        """Process id → the module or script that it runs."""
        found: dict[str, str] = {}
        pending: dict[str, str] = {}
        for line in self.calls("execve"):
            pid = line.split()[0]
            if arguments := re.search(r"\[(.*?)\]", line):
                words = re.findall(r'"((?:[^"\\]|\\.)*)"', arguments[1])
                pending[pid] = next((w for w in words[1:] if not w.startswith("-")), words[0])
            if line.endswith("= 0"):  # what was refused did not run
                found[pid] = pending[pid]
        return found

    def by(self, program: str, *names: str) -> list[str]:
        """The calls of these names that all threads of a program made."""
        return [line for line in self.calls(*names) if self.program(line).endswith(program)]

    def program(self, line: str) -> str:
        pid = line.split()[0]
        return self.programs.get(self.process_of.get(pid, pid), "?")


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    if os.geteuid() != 0:
        pytest.skip("the workers let nobody but root look into them, strace included")
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    probe = subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, text=True)
    if probe.returncode:
        pytest.skip(f"this system does not let strace work: {probe.stderr.strip()}")
    folder = tmp_path_factory.mktemp("job")
    trace = folder / "trace"
    # Proxies that nobody may follow: an address on the network reserved for documentation (RFC 5737).
    proxies = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"), "http://192.0.2.1:3128")
    outcome = whole_job.do_it(folder, trace, proxies)
    assert outcome["status"] == 0, outcome["log"]
    return Watched(folder, outcome, trace.read_text(errors="replace").splitlines())


def test_the_job_is_done_and_its_summary_came_from_the_server(job: Watched) -> None:
    assert job.outcome["files"] == ["standup.m4a", "standup.md", "standup.transcript.md"]
    assert job.outcome["retention"] == 0, job.outcome["told"]
    assert ["POST", "/v1/chat/completions"] in job.outcome["asked"]
    note = (job.folder / "Recordings" / "standup.md").read_text()
    assert "of March" in note
    assert "billing" in (job.folder / "Recordings" / "standup.transcript.md").read_text()


@pytest.mark.shows("privacy:whole-job", "readme:leaves")
def test_no_process_names_an_address_outside_this_device(job: Watched) -> None:
    network = [
        line
        for line in job.lines
        if not (m := CALL.match(line)) or m[2] not in ("execve", "sendto", "recvfrom")
    ]
    found = {a or b for line in network for a, b in ADDRESS.findall(line)}
    assert found, "the trace must show at least the connection to the summary server"
    assert {address for address in found if not ip_address(address).is_loopback} == set()


@pytest.mark.shows("privacy:whole-job", "readme:leaves")
def test_only_the_door_connects_and_only_to_the_summary_server(job: Watched) -> None:
    connects = [line for line in job.calls("connect") if "AF_INET" in line]
    assert {job.program(line).split("/")[-1] for line in connects} == {"door.py"}
    assert len({m[1] for line in connects if (m := re.search(r"htons\((\d+)\)", line))}) == 1


@pytest.mark.shows("privacy:supervisor-sockets", "architecture:supervisor")
def test_the_supervisor_opens_no_sockets_but_unix_ones(job: Watched) -> None:
    assert job.by("earmark", "openat"), "the supervisor's calls must be in the trace"
    opened = job.by("earmark", "socket", "socketpair", "bind", "connect", "accept4", "sendto", "sendmsg")
    assert [line for line in opened if "AF_UNIX" not in line] == []


@pytest.mark.shows("privacy:whole-job")
def test_every_program_of_the_job_is_known(job: Watched) -> None:
    assert {Path(name).name for name in job.programs.values()} == {
        "earmark", "earmark.transcription.worker", "earmark.summarization.worker", "door.py", "listener.py",
    }  # fmt: skip


@pytest.mark.shows("privacy:words")
def test_the_words_are_in_no_argument_no_variable_no_name_and_no_title(job: Watched) -> None:
    said = [
        line
        for line in job.lines
        if (m := CALL.match(line)) and m[2] not in ("sendto", "recvfrom", "recvmsg")
    ]
    assert [line[:200] for line in said if any(word in line for word in CANARIES)] == []


@pytest.mark.shows("privacy:words")
def test_the_words_are_in_no_log_line(job: Watched) -> None:
    log = job.outcome["log"] + job.outcome["told"]
    assert '"transcribed"' in log
    assert [word for word in CANARIES if word in log] == []


@pytest.mark.shows("privacy:words", "privacy:private-files")
def test_of_the_state_only_the_ledger_holds_words_and_all_of_it_is_private(job: Watched) -> None:
    state = job.folder / "home" / "state"
    holders = set()
    for path in [state, *state.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        # What lies in the trash keeps the mode that it had in the drop folder; its folders are shut.
        if "trash" not in path.relative_to(state).parts or path.is_dir():
            assert mode & 0o077 == 0, f"{path} is open to others: {mode:o}"
            if path.is_file() and any(word.encode() in path.read_bytes() for word in CANARIES):
                holders.add(path.name)
    assert holders
    assert all(name.startswith("ledger.db") for name in holders)


@pytest.mark.shows("privacy:words")
def test_nothing_is_written_outside_the_state_and_the_drop_folder(job: Watched) -> None:
    allowed = (str(job.folder / "home" / "state"), str(job.folder / "Recordings"), "/dev/null", "/dev/nvidia")
    strays = []
    for line in job.calls("openat", "open", "creat", "memfd_create"):
        path = re.search(r'"((?:[^"\\]|\\.)*)"', line)
        opened = not re.search(r"= -1 E", line)
        if path and opened and any(flag in line for flag in WRITES):
            name = path[1]
            if not name.startswith(allowed) and not re.match(r"\.earmark-[0-9a-f]+\.tmp$", name):
                strays.append(line[:200])
    # The byte code that Python keeps of its own modules holds no words.
    assert [line for line in strays if ".pyc." not in line] == []
    assert list((job.folder / "tmp").iterdir()) == []


@pytest.mark.shows("privacy:whole-job")
def test_the_whole_job_runs_where_there_is_no_network_at_all(tmp_path: Path) -> None:
    """An empty network namespace: no device but loopback, no route, no resolver. Nothing could leave unseen."""
    if (
        not shutil.which("unshare")
        or subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode
    ):
        pytest.skip("this system does not allow unprivileged network namespaces")
    done = subprocess.run(
        ["unshare", "-rn", sys.executable, str(whole_job.ROOT / "tests" / "whole_job.py"), str(tmp_path)],
        capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["status"] == 0, outcome["log"]
    assert outcome["files"] == ["standup.m4a", "standup.md", "standup.transcript.md"]
    assert ["POST", "/v1/chat/completions"] in outcome["asked"]
    assert "of March" in (tmp_path / "Recordings" / "standup.md").read_text()
