"""Why `earmark privacy check` could not follow system calls: the reason on this machine, and what really helps."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from earmark.proof.running import attaching
from earmark.proof.running.calls import NAMES

from tests.integration.test_privacy_breaches import follows

ASK = """
import sys
from earmark.proof.running import attaching, ptrace
other = int(sys.argv[1])
said = attaching.cannot_follow_own()
if not said:
    try:
        ptrace.seize(other)
    except OSError as error:
        said = attaching.why_not(other, [other], error)
print(said)
"""

HOLD = """
import sys
from earmark.proof.running import ptrace
ptrace.seize(int(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other() -> Iterator[int]:
    """A process that might be followed."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process.pid
        process.kill()


def asked(other: int, before: Callable[[], object] | None = None, prefix: tuple[str, ...] = ()) -> str:
    done = subprocess.run(
        [*prefix, sys.executable, "-c", ASK, str(other)],
        capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
        preexec_fn=before,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def _without_the_capability() -> None:
    ctypes.CDLL(None).prctl(24, 19, 0, 0, 0)  # PR_CAPBSET_DROP, CAP_SYS_PTRACE


def _with_a_filter() -> None:
    """seccomp as a container's: ptrace is refused, whoever asks."""
    number = next(number for number, name in NAMES.items() if name == "ptrace")
    steps = ((0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7FFF0000))
    code = ctypes.create_string_buffer(
        b"".join(struct.pack("=HBBI", *step) for step in steps), 8 * len(steps)
    )
    program = struct.pack("=H6xQ", len(steps), ctypes.addressof(code))
    libc = ctypes.CDLL(None)
    libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    assert libc.prctl(22, 2, program, 0, 0) == 0  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER


@pytest.mark.shows("privacy:cannot-follow")
@follows
def test_root_that_follows_nobody_is_told_which_of_the_reasons_it_is(other: int) -> None:
    assert asked(other) == ""
    assert "this root lacks CAP_SYS_PTRACE" in asked(other, _without_the_capability)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(other)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as strace:
        assert strace.stdout is not None
        assert strace.stdout.readline() == "held\n"
        said = asked(other)
        strace.kill()
    assert f"(pid {strace.pid}) follows them already" in said
    assert "sudo" not in said


@pytest.mark.shows("privacy:cannot-follow")
@follows
@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "aarch64"), reason="the number of ptrace is not known"
)
def test_a_filter_that_forbids_it_and_a_user_namespace_are_told(other: int) -> None:
    assert "a system-call filter around this shell" in asked(other, _with_a_filter)
    if subprocess.run(["unshare", "-Ur", "true"], capture_output=True).returncode == 0:
        assert "one of a user namespace" in asked(other, prefix=("unshare", "-Ur"))


@pytest.mark.shows("privacy:cannot-follow")
def test_a_plain_user_is_told_the_command_that_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("EARMARK_HOME", "/srv/my earmark")
    monkeypatch.setenv("EARMARK_MODELS", "/srv/all models")
    monkeypatch.setattr(attaching, "status_of", lambda _: {"CapEff": "0000000000000000"})
    said = attaching.why_not(os.getpid(), [], PermissionError(1, "Operation not permitted"))
    assert (
        "only root may: sudo env HOME=\"$HOME\" EARMARK_HOME='/srv/my earmark' EARMARK_MODELS='/srv/all models' "
        in said
    )
    assert said.endswith("privacy check")


@pytest.mark.parametrize(
    ("setting", "said"), [("0", ""), ("1", ""), ("2", ""), ("3", "nobody may, root neither")]
)
def test_of_yamas_settings_one_stops_root_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, said: str
) -> None:
    (tmp_path / "ptrace_scope").write_text(f"{setting}\n")
    monkeypatch.setattr(attaching, "YAMA", tmp_path / "ptrace_scope")
    monkeypatch.setattr(attaching, "status_of", lambda _: {"Seccomp": "0", "CapEff": "000001ffffffffff"})
    assert (said in attaching.by_rule()) if said else attaching.by_rule() == ""
