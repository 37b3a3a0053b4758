"""A seccomp filter made from a list of what may be done; everything else is refused. Linux only.

Written by hand on purpose, as the only way there is: it is a few lines, and needs nothing that a fresh machine may lack.
(pyseccomp needs libseccomp2, and finds it by running ldconfig or a compiler.) A refused call returns EPERM, so that a
library that only tries goes on; one that is newer than the list returns ENOSYS, so that the C library takes the older way;
one of another architecture ends the process.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Iterable, Sequence

from earmark.locality.confinement.call_numbers import MACHINES, NEWEST, NUMBERS
from earmark.locality.confinement.calls import ALL_BITS, MISSING, SELF, Group, Where

PR_SET_NO_NEW_PRIVS = 38  # linux/prctl.h
SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC = 1, 1  # linux/seccomp.h
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000  # SECCOMP_RET_*
REFUSE, ABSENT, NOWHERE = ERRNO | errno.EPERM, ERRNO | errno.ENOSYS, ERRNO | errno.ENOENT
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # AUDIT_ARCH_* (linux/audit.h)
_INSTALL = {"x86_64": 317, "aarch64": 277}  # seccomp(2)
_NR, _ARCH, _ARGS = 0, 4, 16  # offsets in struct seccomp_data
_LOAD, _RET = 0x20, 0x06  # BPF_LD|W|ABS, BPF_RET|K
_EQUAL, _ABOVE, _FROM, _AND = 0x15, 0x25, 0x35, 0x54  # BPF_JMP|JEQ|K, JGT, JGE; BPF_ALU|AND|K
_X32, _X32_END = 0x40000000, 0x80000000  # __X32_SYSCALL_BIT; above lies -1, which tracers skip a call with

Step = tuple[int, int, int, int]
"""struct sock_filter: code, jump if true, jump if false, value."""


def available() -> bool:
    """Whether a filter can be made for this machine."""
    return sys.platform == "linux" and platform.machine() in AUDIT and struct.calcsize("P") == 8


def allow_only(groups: Iterable[Group]) -> int:
    """Leave all threads of this process only what `groups` allow, for good; returns how many calls that are.

    Raises OSError, with the reason, if it cannot.
    """
    if not available():
        raise OSError(errno.ENOSYS, f"no seccomp filter for {sys.platform} on {platform.machine()}")
    machine = platform.machine()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"no_new_privs: {os.strerror(ctypes.get_errno())}")
    chosen = tuple(groups)
    steps = program(machine, chosen, os.getpid())
    packed = b"".join(struct.pack("<HBBI", *step) for step in steps)
    code = ctypes.create_string_buffer(packed, len(packed))

    class Program(ctypes.Structure):
        """struct sock_fprog (linux/filter.h)."""

        _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))

    wanted = Program(len(steps), ctypes.addressof(code))
    done = libc.syscall(
        _INSTALL[machine], SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, ctypes.byref(wanted)
    )
    if done != 0:
        raise OSError(ctypes.get_errno(), f"seccomp: {os.strerror(ctypes.get_errno())}")
    return sum(map(len, _merged(chosen, numbers_of(machine))))


def numbers_of(machine: str) -> dict[str, int]:
    """The numbers of the calls that this kind of machine has."""
    return {name: number for name, both in NUMBERS.items() if (number := both[MACHINES[machine]]) is not None}


def program(machine: str, groups: Iterable[Group], pid: int) -> list[Step]:
    """The filter for the process `pid`. A call that several groups name is allowed in each of their ways."""
    numbers = numbers_of(machine)
    steps: list[Step] = [
        (_LOAD, 0, 0, _ARCH),
        (_EQUAL, 1, 0, AUDIT[machine]),
        (_RET, 0, 0, KILL),  # another architecture's numbers would mean other calls
        (_LOAD, 0, 0, _NR),
        (_FROM, 0, 2, _X32),
        (_FROM, 1, 0, _X32_END),
        (_RET, 0, 0, KILL),  # x32: the same calls under other numbers
    ]
    chosen = tuple(groups)
    plain, guarded = _merged(chosen, numbers)
    for number in plain:
        steps += [(_EQUAL, 0, 1, number), (_RET, 0, 0, ALLOW)]
    for number, ways in guarded.items():
        block = [step for way in ways for step in _way(way, pid)]
        steps += [(_EQUAL, 0, len(block) + 1, number), *block, (_RET, 0, 0, REFUSE)]
    answered = dict.fromkeys(MISSING.split(), ABSENT)
    answered |= {name: NOWHERE for group in chosen for name in group.nowhere.split()}
    for name, answer in answered.items():
        if name in numbers:
            steps += [(_EQUAL, 0, 1, numbers[name]), (_RET, 0, 0, answer)]
    return [*steps, (_ABOVE, 0, 1, NEWEST), (_RET, 0, 0, ABSENT), (_RET, 0, 0, REFUSE)]


def _merged(
    groups: Iterable[Group], numbers: dict[str, int]
) -> tuple[list[int], dict[int, list[Sequence[Where]]]]:
    """Numbers allowed with any arguments, and those allowed in some ways."""
    plain: dict[int, None] = {}
    guarded: dict[int, list[Sequence[Where]]] = {}
    for group in groups:
        plain |= {numbers[name]: None for name in group.calls.split() if name in numbers}
        for name, ways in group.guarded:
            if name in numbers:
                guarded.setdefault(numbers[name], []).extend(ways)
    return list(plain), {number: ways for number, ways in guarded.items() if number not in plain}


def _way(conditions: Sequence[Where], pid: int) -> list[Step]:
    """Allow if all conditions hold, else go on after these steps. All of them load what they compare."""
    checks: list[list[Step]] = []
    for condition in conditions:
        at = _ARGS + 8 * condition.argument
        # Little-endian, as both machines are: the lower half comes first.
        checks.append([(_LOAD, 0, 0, at)])
        if condition.mask != ALL_BITS:
            checks[-1].append((_AND, 0, 0, condition.mask))
        values = [pid if value == SELF else value for value in condition.values]
        checks[-1] += [(_EQUAL, len(values) - 1 - i, 0, value) for i, value in enumerate(values)]
        if condition.wide:
            checks.append([(_LOAD, 0, 0, at + 4), (_EQUAL, 0, 0, 0)])
    # The last comparison of each check leads behind the final "allow" if it fails.
    length = sum(map(len, checks)) + 1
    steps: list[Step] = []
    for check in checks:
        steps += check
        code, true, _, value = steps[-1]
        steps[-1] = (code, true, length - len(steps), value)
    return [*steps, (_RET, 0, 0, ALLOW)]
