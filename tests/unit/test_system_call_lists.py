"""The lists of system calls as data, and the filters made from them, run here for both architectures."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from pathlib import Path

import pytest
from earmark.locality.confinement import calls, seccomp
from earmark.locality.confinement.call_numbers import MACHINES, NEWEST, NUMBERS
from earmark.proof.running import calls as proof_calls
from earmark.proof.running.harmless import HARMLESS, is_harmless_ioctl

PROFILES = {
    "transcription": calls.TRANSCRIPTION,
    "transcription on a GPU": (*calls.TRANSCRIPTION, calls.GPU),
    "summaries": calls.SUMMARIES,
    "assistants": calls.ASSISTANTS,
    "pages": calls.PAGES,
    "listener": calls.LISTENER,
    "door": calls.DOOR,
}
PID, OTHER = 4321, 1
ALLOWED, REFUSED, ABSENT, NOWHERE = seccomp.ALLOW, seccomp.REFUSE, seccomp.ABSENT, seccomp.NOWHERE


def answer(
    machine: str, groups: Sequence[calls.Group], nr: int, *arguments: int, audit: int | None = None
) -> int:
    """What the filter says: an interpreter of the few instructions of classic BPF that it is made of."""
    padded = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("<IIQ6Q", nr, seccomp.AUDIT[machine] if audit is None else audit, 0, *padded)
    program = seccomp.program(machine, groups, PID)
    at = accumulator = 0
    while True:
        code, true, false, k = program[at]
        at += 1
        match code:
            case 0x20:
                accumulator = struct.unpack_from("<I", data, k)[0]
            case 0x54:
                accumulator &= k
            case 0x15:
                at += true if accumulator == k else false
            case 0x25:
                at += true if accumulator > k else false
            case 0x35:
                at += true if accumulator >= k else false
            case 0x06:
                return k
            case _:
                pytest.fail(f"an instruction that no filter needs: {code:#x}")


def named(group: calls.Group) -> list[str]:
    return [*group.calls.split(), *(g.call for g in group.guarded), *group.nowhere.split()]


def test_each_group_says_why_and_names_only_calls_with_a_number() -> None:
    groups = {id(g): g for profile in PROFILES.values() for g in profile}.values()
    assert all(len(g.reason) > 10 and named(g) for g in groups)
    used = {name for g in groups for name in named(g)} | set(calls.MISSING.split())
    assert used == set(NUMBERS)


def header(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        pytest.skip(f"{path} is not here (linux-libc-dev)")


def test_the_numbers_of_x86_64_are_those_of_the_systems_header() -> None:
    for folder in ("/usr/include/x86_64-linux-gnu/asm", "/usr/include/asm"):
        if Path(folder, "unistd_64.h").exists():
            break
    known = {
        name: int(n) for name, n in re.findall(r"#define __NR_(\w+) (\d+)", header(f"{folder}/unistd_64.h"))
    }
    ours = {name: both[0] for name, both in (NUMBERS | HARMLESS).items() if both[0] is not None}
    assert {name: known.get(name, ours[name]) for name in ours} == ours
    assert len(set(ours) & set(known)) > 80  # an old header lacks only the newest


def test_the_numbers_of_aarch64_are_those_of_the_systems_header() -> None:
    text = header("/usr/include/asm-generic/unistd.h")
    known = {name: int(n) for name, n in re.findall(r"#define __NR_(\w+)\s+(\d+)", text)}
    wide = {name: int(n) for name, n in re.findall(r"#define __NR3264_(\w+)\s+(\d+)", text)}
    known |= {"newfstatat" if name == "fstatat" else name: n for name, n in wide.items()}
    ours = {name: both[1] for name, both in (NUMBERS | HARMLESS).items() if both[1] is not None}
    assert {name: known.get(name, ours[name]) for name in ours} == ours
    assert len(set(ours) & set(known)) > 75
    assert [name for name, both in (NUMBERS | HARMLESS).items() if both[1] is None and name in known] == []


def test_a_call_is_harmless_or_looked_at_and_all_of_a_workers_are_one_of_them() -> None:
    looked_at = set(proof_calls.NAMES.values())
    assert looked_at & set(HARMLESS) <= set(proof_calls.ASKS)
    if looked_at:
        allowed = {name for profile in PROFILES.values() for g in profile for name in named(g)}
        assert allowed - looked_at - set(HARMLESS) == set()


@pytest.mark.parametrize(
    ("request_", "target", "harmless"),
    [
        (0x5401, "/dev/tty", True),  # TCGETS
        (0x802C542A, "/dev/tty", True),  # TCGETS2
        (0xFFFFFFFF_80086601, "/state/ledger.db", True),  # FS_IOC_GETFLAGS
        (0x5412, "/dev/tty", False),  # TIOCSTI
        (0x40049409, "/drop/copy", False),  # FICLONE
        (0xC020462A, "/dev/nvidiactl", True),
        (0xC020462A, "/dev/sda", False),
    ],
)
def test_an_ioctl_that_does_more_than_ask_is_told(request_: int, target: str, harmless: bool) -> None:
    assert is_harmless_ioctl(request_, target) is harmless


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("profile", PROFILES)
def test_what_is_in_the_list_is_allowed_and_every_other_number_is_not(machine: str, profile: str) -> None:
    groups = PROFILES[profile]
    numbers = seccomp.numbers_of(machine)
    plain = {numbers[n] for g in groups for n in g.calls.split() if n in numbers}
    guarded = {numbers[g.call] for group in groups for g in group.guarded if g.call in numbers}
    absent = {numbers[n] for n in calls.MISSING.split()}
    nowhere = {numbers[n] for g in groups for n in g.nowhere.split() if n in numbers}
    for number in range(700):
        said = answer(machine, groups, number, *[0xDEAD] * 6)
        if number in plain:
            assert said == ALLOWED
        elif number in nowhere:
            assert said == NOWHERE
        elif number not in guarded:
            assert said == (ABSENT if number in absent or number > NEWEST else REFUSED)


@pytest.mark.parametrize("machine", MACHINES)
def test_numbers_of_other_conventions_end_the_process(machine: str) -> None:
    groups = calls.TRANSCRIPTION
    assert answer(machine, groups, 1, audit=0x40000003) == seccomp.KILL  # i386
    assert answer(machine, groups, 1, audit=0x40000028) == seccomp.KILL  # arm
    assert answer(machine, groups, 0x40000000) == seccomp.KILL  # x32
    assert answer(machine, groups, 0x7FFFFFFF) == seccomp.KILL
    assert answer(machine, groups, 0xFFFFFFFF) == ABSENT  # -1: how a tracer has a call skipped


HIGH = 1 << 32
THREAD, FORK = 0x3D0F00, 17
ARGUMENTS: tuple[tuple[str, str, tuple[int, ...], bool], ...] = (
    ("transcription", "openat", (0, 0, 0x80000), True),  # O_CLOEXEC
    ("transcription", "openat", (0, 0, 0o100), False),
    ("transcription", "openat", (0, 0, 1), False),
    ("transcription", "openat", (0, 0, 2 | HIGH), False),
    ("transcription", "openat", (0, 0, 3), False),
    ("transcription", "openat", (0, 0, 0o1000), False),
    ("transcription", "clone", (THREAD,), True),
    ("transcription", "clone", (0x7D0F00,), True),  # musl
    ("transcription", "clone", (FORK,), False),
    ("transcription", "clone", (0x4100 | FORK,), False),  # vfork
    ("transcription", "clone", (0x10000000 | THREAD,), False),  # a user namespace
    ("transcription", "clone", (THREAD & ~0x10000,), False),
    ("transcription", "tgkill", (PID, 7, 6), True),
    ("transcription", "tgkill", (OTHER, 7, 6), False),
    ("transcription", "prlimit64", (0, 7, 0, 99), True),
    ("transcription", "prlimit64", (PID, 0, 99, 0), True),
    ("transcription", "prlimit64", (0, 9, 99, 0), False),
    ("transcription", "prlimit64", (0, 9, 99 << 32, 0), False),
    ("transcription", "prlimit64", (OTHER, 0, 99, 0), False),
    ("transcription", "prlimit64", (OTHER, 7, 0, 99), False),
    ("transcription", "prctl", (3,), True),
    ("transcription", "prctl", (1,), False),
    ("transcription", "prctl", (15,), False),
    ("transcription", "fcntl", (3, 2), True),
    ("transcription", "fcntl", (3, 1024), False),
    ("transcription", "fcntl", (3, 6), False),
    ("transcription", "fcntl", (3, 8), False),
    ("transcription", "ioctl", (3, 0x5401), True),
    ("transcription", "ioctl", (3, 0x5412), False),
    ("transcription", "ioctl", (3, 0xC020462A), False),
    ("transcription", "socket", (1, 1, 0), False),
    ("transcription", "recvmsg", (3,), False),
    ("transcription on a GPU", "openat", (0, 0, 2), True),
    ("transcription on a GPU", "ioctl", (3, 0xC020462A), True),
    ("transcription on a GPU", "ioctl", (3, 0x30000001), True),
    ("transcription on a GPU", "ioctl", (3, 0x49), True),
    ("transcription on a GPU", "ioctl", (3, 0x5412), False),
    ("transcription on a GPU", "ioctl", (3, 0x8933), False),
    ("transcription on a GPU", "socket", (1, 5 | 0o2000000, 0), True),
    ("transcription on a GPU", "socket", (1, 1, 0), False),
    ("transcription on a GPU", "socket", (2, 5, 0), False),
    ("transcription on a GPU", "connect", (3,), False),
    ("summaries", "sendto", (3, 0, 0, 0, 0), True),
    ("summaries", "sendto", (3, 0, 0, 0, 99), False),
    ("summaries", "sendto", (3, 0, 0, 0, HIGH), False),
    ("summaries", "setsockopt", (3, 6, 1), True),
    ("summaries", "setsockopt", (3, 0, 4), False),
    ("summaries", "setsockopt", (3, 6, 19), False),  # TCP_REPAIR
    ("summaries", "setsockopt", (3, 1, 25), False),  # SO_BINDTODEVICE
    ("summaries", "sendmsg", (3,), False),
    ("summaries", "connect", (3,), False),
    ("summaries", "openat", (0, 0, 1), False),
    ("pages", "socket", (2, 1, 0), False),
    ("pages", "connect", (3,), False),
    ("pages", "bind", (3,), False),
    ("pages", "accept4", (3,), True),
    ("pages", "sendto", (3, 0, 0, 0, 99), False),
    ("pages", "setsockopt", (3, 6, 1), True),
    ("pages", "setsockopt", (3, 1, 25), False),  # SO_BINDTODEVICE
    ("pages", "openat", (0, 0, 1), False),
    ("door", "socket", (2, 1 | 0o2004000, 6), True),
    ("door", "socket", (10, 1, 0), True),
    ("door", "socket", (2, 2, 0), False),
    ("door", "socket", (2, 1, 132), False),  # SCTP
    ("door", "socket", (2, 1, 262), False),  # MPTCP
    ("door", "socket", (1, 1, 0), False),
    ("door", "connect", (3,), True),
    ("door", "openat", (0, 0, 0), False),
)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("profile", "call", "arguments", "allowed"), ARGUMENTS, ids=lambda v: str(v) if isinstance(v, str) else ""
)
def test_arguments_decide(
    machine: str, profile: str, call: str, arguments: tuple[int, ...], allowed: bool
) -> None:
    said = answer(machine, PROFILES[profile], seccomp.numbers_of(machine)[call], *arguments)
    assert said == (ALLOWED if allowed else REFUSED)


def test_the_privacy_page_counts_right() -> None:
    page = Path(__file__).parents[2] / "docs" / "privacy.md"
    numbers = seccomp.numbers_of("x86_64")
    hearing, summarizing, assisting, serving = (
        len({n for g in groups for n in named(g) if n in numbers})
        for groups in (calls.TRANSCRIPTION, calls.SUMMARIES, calls.ASSISTANTS, calls.PAGES)
    )
    counts = f"{hearing} for hearing, {summarizing} for summarizing, {assisting} for `earmark mcp`, "
    counts += f"{serving} for `earmark serve`"
    assert counts in page.read_text()
