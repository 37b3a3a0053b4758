"""What a starter leaves open in the daemon: it is closed at its start, whatever it is and whoever started it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from earmark.report import read_report

from tests.conftest import Installation, wait_for
from tests.integration.test_privacy_breaches import PLANTED, follows, watched

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="memfd and eventfd are Linux's")

LOOK = """
import fcntl, json, os, sys
from earmark.cli.standard_streams import open_standard_streams
from earmark.locality.confinement.inherited import close_inherited
open_standard_streams()  # as the entry point does, before all else
with open("/dev/zero", "rb") as zero:
    ours = fcntl.fcntl(zero, fcntl.F_DUPFD_CLOEXEC, 200)
closed = close_inherited()
fds = [fd for fd in range(2000) if os.path.lexists(f"/dev/fd/{fd}")]
kinds = [os.fstat(fd).st_rdev == os.stat(os.devnull).st_rdev for fd in (0, 1, 2)]
streams = [sys.stdout is None, sys.stderr is None]
with open(sys.argv[1], "w") as said:
    json.dump([closed, ours, os.read(ours, 1) == bytes(1), kinds, streams], said)
"""


@contextmanager
def given(numbers: tuple[int, ...]) -> Iterator[tuple[list[socket.socket], list[socket.socket]]]:
    """Sockets, one for each of these numbers, that a process gets; and our ends of them."""
    with ExitStack() as stack:
        pairs = [socket.socketpair() for _ in numbers]
        for pair in pairs:
            for end in pair:
                stack.enter_context(end)
        yield [theirs for theirs, _ in pairs], [ours for _, ours in pairs]


def at_numbers(sources: list[socket.socket], numbers: tuple[int, ...]) -> None:
    """In the process that is about to become another program: these descriptors at these numbers."""
    apart = [os.dup2(end.fileno(), 1010 + i) for i, end in enumerate(sources)]
    for fd, number in zip(apart, numbers, strict=True):
        os.dup2(fd, number, inheritable=True)
        os.close(fd)


def test_what_was_open_before_is_closed_at_any_number_and_what_python_opened_is_kept(tmp_path: Path) -> None:
    numbers = (3, 9, 63, 1000)
    with given(numbers) as (sources, ends):
        subprocess.run(
            [sys.executable, "-c", LOOK, str(tmp_path / "said")], check=True, timeout=60,
            close_fds=False, stdin=subprocess.DEVNULL, preexec_fn=lambda: at_numbers(sources, numbers),
        )  # fmt: skip
        assert ends
    closed, ours, readable, _, _ = json.loads((tmp_path / "said").read_text())
    assert set(numbers) <= set(closed)
    assert ours not in closed
    assert readable


@pytest.mark.parametrize("missing", ["<&-", ">&- 2>&-", "<&- >&- 2>&-", ""])
def test_stdin_and_what_is_missing_of_the_three_becomes_dev_null(tmp_path: Path, missing: str) -> None:
    """Else the ledger, or a lock, would get number 1 or 2, and what is printed would go there."""
    subprocess.run(
        ["sh", "-c", f'exec "$@" {missing}', "sh", sys.executable, "-c", LOOK, str(tmp_path / "said")],
        check=True, timeout=60, stdin=subprocess.PIPE, capture_output=True,
    )  # fmt: skip
    *_, nowhere, nobody = json.loads((tmp_path / "said").read_text())
    gone = "2>" in missing
    assert nowhere == [True, gone, gone]
    assert nobody == [False, False]


@contextmanager
def started(
    made: Installation, command: str, sources: list[socket.socket], numbers: tuple[int, ...]
) -> Iterator[int]:
    """A daemon, started by a shell's command with "$@" in it and these descriptors; its process id."""
    made.folder.mkdir()
    made.configure()
    (made.root / "home" / "planted.json").write_text(json.dumps({"quick": []}))
    process = subprocess.Popen(
        ["sh", "-c", command, "sh", sys.executable, "-m", "earmark", "run", "--service", str(made.folder)],
        env=made.environment | {"TMPDIR": str(made.root), "PYTHONPATH": str(PLANTED)}, cwd=made.root,
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        close_fds=False, start_new_session=True,
        preexec_fn=lambda: at_numbers(sources, numbers),  # noqa: PLW1509 - which numbers is what this is about
    )  # fmt: skip
    pid = 0
    try:
        report = wait_for(lambda: read_report(made.state / "status.json"), 30, "the daemon's report")
        pid = report.pid
        yield pid
    finally:
        for one in filter(None, (pid, -process.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGTERM) if one > 0 else os.killpg(-one, signal.SIGKILL)
        process.wait(60)


@pytest.mark.shows("privacy:inherited")
def test_a_starter_reads_the_end_of_what_it_gave_while_the_daemon_works(tmp_path: Path) -> None:
    numbers = (3, 9, 63, 1000)
    with given(numbers) as (sources, ends), started(Installation(tmp_path), 'exec "$@"', sources, numbers):
        for end in sources:
            end.close()
        for end in ends:
            end.settimeout(10)
            assert end.recv(1) == b""


STARTERS = {
    "nohup": 'exec nohup "$@"',
    "setsid": 'exec setsid "$@"',
    "in the background of an interactive shell": 'bash --norc -ic \'"$@" & wait $!\' bash "$@"',
    "beside a coproc": 'exec bash -c \'coproc cat; exec "$@"\' bash "$@"',
    "make -j2": 'printf "all:\\n\\t+@exec %s\\n" "$*" > Makefile; exec make -s -j2',
    "with its output to a program": '"$@" 2>&1 | cat',
    "with its input from a program": 'sleep 60 | "$@"',
}


@pytest.mark.shows("privacy:inherited")
@follows
@pytest.mark.parametrize("starter", STARTERS)
def test_whoever_started_the_daemon_it_keeps_nothing_of_theirs(tmp_path: Path, starter: str) -> None:
    command = STARTERS[starter]
    if missing := [tool for tool in ("bash", "make", "setsid") if tool in command and not shutil.which(tool)]:
        pytest.skip(f"needs {missing[0]}")
    numbers = (9, 1000)
    with given(numbers) as (sources, ends), started(Installation(tmp_path), command, sources, numbers) as pid:
        theirs = {os.fstat(end.fileno()).st_ino for end in (*sources, *ends)}
        fds = {int(fd.name): fd.stat().st_ino for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.exists()}
        kept = [fd for fd, inode in fds.items() if inode in theirs]
        nowhere = os.readlink(f"/proc/{pid}/fd/0")  # noqa: PTH115
    assert kept == []
    assert nowhere == os.devnull


@pytest.mark.shows("privacy:guests")
@follows
def test_a_shell_that_became_the_daemon_leaves_it_children_and_the_check_passes(tmp_path: Path) -> None:
    """One goes on, one has ended, and one takes the log."""
    if not shutil.which("bash"):
        pytest.skip("needs bash")
    made = Installation(tmp_path)
    shell = 'exec bash -c \'exec > >(cat >/dev/null) 2>&1; sleep 60 & true & exec "$@"\' bash "$@"'
    with started(made, shell, [], ()):
        found = watched(made, recording=False)
    assert {o.claim: o.detail for o in found if o.held is False} == {}
    (programs,) = [o for o in found if "starts its workers and no other" in o.claim]
    assert re.search(r"sleep \(pid \d+\).* was its child before it began", programs.detail)
    (ends,) = [o for o in found if "have nothing open" in o.claim]
    assert re.search(r"its stdout is a pipe to cat \(pid \d+\), where only the log goes", ends.detail)
