"""What a system-call filter refuses: the program that a process put on, run for calls that a worker must not make.

That a process has a filter (/proc/PID/status) says nothing of what the filter does. The program is classic BPF over struct
seccomp_data (linux/filter.h, linux/seccomp.h); a filter uses no more of it than what is here.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable

from earmark.proof.running.calls import AUDIT, NAMES

_REFUSALS = (0x00000000, 0x80000000, 0x00030000, 0x00050000)
"""Actions by which the call is not made: kill the thread, kill the process, a signal, an error number."""

_NUMBER = {name: number for number, name in NAMES.items()}

MUST_REFUSE: dict[str, tuple[str, tuple[int, ...]]] = {
    "IPv4 sockets": ("socket", (socket.AF_INET, socket.SOCK_STREAM)),
    "IPv4 datagrams": ("socket", (socket.AF_INET, socket.SOCK_DGRAM)),
    "IPv6 sockets": ("socket", (socket.AF_INET6, socket.SOCK_STREAM)),
    "netlink": ("socket", (16, socket.SOCK_RAW)),
    "connecting": ("connect", (3, 1, 16)),
    "listening": ("bind", (3, 1, 16)),
    "sending to an address": ("sendto", (3, 1, 1, 0, 1, 16)),
    "sending messages": ("sendmsg", (3, 1)),
    "starting a program": ("execve", (1, 1, 1)),
    "io_uring": ("io_uring_setup", (8, 1)),
    "writing to another process": ("process_vm_writev", (1, 1, 1, 1, 1)),
}
"""What a worker must not be able to do, by the call and its arguments (1 stands for any address in memory)."""


def not_refused(programs: Iterable[bytes]) -> list[str]:
    """What the filters of a process, all together, let through of that."""
    filters = list(programs)
    return [
        what
        for what, (name, arguments) in MUST_REFUSE.items()
        if name in _NUMBER and not any(refuses(code, _NUMBER[name], arguments) for code in filters)
    ]


def refuses(code: bytes, number: int, arguments: tuple[int, ...]) -> bool:
    """True if this filter does not let the call be made. A program that cannot be understood lets everything through."""
    filled = (*arguments, *(0 for _ in range(6 - len(arguments))))
    data = struct.pack("=iIQ6Q", number, AUDIT, 0, *filled)
    try:
        return _run(code, data) & 0xFFFF0000 in _REFUSALS
    except (struct.error, IndexError, ValueError):
        return False


def _run(code: bytes, data: bytes) -> int:
    steps = [struct.unpack_from("=HBBI", code, at) for at in range(0, len(code), 8)]
    at = a = x = 0
    memory = [0] * 16
    for _ in range(len(steps)):
        op, yes, no, k = steps[at]
        at += 1
        kind, mode = op & 7, op & 0xE0
        if kind == 6:  # RET
            return a if op & 0x18 == 0x10 else k
        if kind == 0:  # LD
            a = k if mode == 0 else memory[k] if mode == 0x60 else int(struct.unpack_from("=I", data, k)[0])
        elif kind == 1:  # LDX
            x = k if mode == 0 else memory[k]
        elif kind in (2, 3):  # ST, STX
            memory[k] = a if kind == 2 else x
        elif kind == 4:  # ALU
            a = _computed(op & 0xF0, a, x if op & 8 else k)
        elif kind == 5:  # JMP
            other = x if op & 8 else k
            tests = {0x10: a == other, 0x20: a > other, 0x30: a >= other, 0x40: bool(a & other)}
            at += k if op & 0xF0 == 0 else yes if tests[op & 0xF0] else no
        else:  # MISC: TAX, TXA
            a, x = (x, x) if op & 0x80 else (a, a)
    raise ValueError("the program has no end")


def _computed(operation: int, a: int, other: int) -> int:
    match operation:
        case 0x00:
            result = a + other
        case 0x10:
            result = a - other
        case 0x40:
            result = a | other
        case 0x50:
            result = a & other
        case 0x60:
            result = a << other
        case 0x70:
            result = a >> other
        case 0xA0:
            result = a ^ other
        case _:
            raise ValueError("an operation that filters do not use")
    return result & 0xFFFFFFFF
