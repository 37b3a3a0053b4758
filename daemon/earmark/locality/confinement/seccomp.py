"""A seccomp filter that takes away the network and everything else that leads out of the process. Linux only.

Written by hand on purpose, as the only way there is: it is thirty instructions, and needs nothing that a fresh machine
may lack. (pyseccomp needs libseccomp2, and finds it by running ldconfig or a compiler.) A refused call returns EACCES
or EPERM, so that a library that only tries goes on.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from dataclasses import dataclass

PR_SET_NO_NEW_PRIVS = 38  # linux/prctl.h
SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC = 1, 1  # linux/seccomp.h
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NR, _ARCH, _ARGS = 0, 4, 16  # offsets in struct seccomp_data
_LOAD, _JEQ, _JGE, _RET = 0x20, 0x15, 0x35, 0x06  # BPF_LD|W|ABS, BPF_JMP|JEQ|K, BPF_JMP|JGE|K, BPF_RET|K
_AND = 0x54  # BPF_ALU|AND|K
AF_UNIX, AF_INET, AF_INET6 = 1, 2, 10  # linux/socket.h
SOCK_STREAM, SOCK_TYPE_MASK = 1, 0xF  # linux/net.h

DOOR_MAY = ("connect", "sendmsg")
"""Calls refused to workers that the door process (locality/door.py) lives on: connecting, and handing a socket over."""


@dataclass(frozen=True, slots=True)
class _Machine:
    """One architecture: its AUDIT_ARCH, its number of seccomp(2), and the numbers of the calls refused outright."""

    audit: int
    seccomp: int
    socket: int
    socketpair: int
    sendto: int
    refused: dict[str, int]


# Numbers from arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h. Even a socket of AF_UNIX
# may not connect: behind one may sit a resolver or a bus that would carry words out.
_MACHINES = {
    "x86_64": _Machine(
        0xC000003E, 317, 41, 53, 44,
        {
            "connect": 42, "bind": 49, "listen": 50, "sendmsg": 46, "sendmmsg": 307,
            "execve": 59, "execveat": 322, "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311,
            "pidfd_getfd": 438, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
            "bpf": 321, "perf_event_open": 298, "userfaultfd": 323, "kexec_load": 246, "kexec_file_load": 320,
            "init_module": 175, "finit_module": 313, "delete_module": 176, "mount": 165, "umount2": 166,
            "pivot_root": 155, "setns": 308, "unshare": 272, "add_key": 248, "request_key": 249, "keyctl": 250,
            "open_by_handle_at": 304, "kcmp": 312, "chroot": 161, "fsopen": 430, "move_mount": 429,
        },
    ),
    "aarch64": _Machine(
        0xC00000B7, 277, 198, 199, 206,
        {
            "connect": 203, "bind": 200, "listen": 201, "sendmsg": 211, "sendmmsg": 269,
            "execve": 221, "execveat": 281, "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271,
            "pidfd_getfd": 438, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
            "bpf": 280, "perf_event_open": 241, "userfaultfd": 282, "kexec_load": 104, "kexec_file_load": 294,
            "init_module": 105, "finit_module": 273, "delete_module": 106, "mount": 40, "umount2": 39,
            "pivot_root": 41, "setns": 268, "unshare": 97, "add_key": 217, "request_key": 218, "keyctl": 219,
            "open_by_handle_at": 265, "kcmp": 272, "chroot": 51, "fsopen": 430, "move_mount": 429,
        },
    ),
}  # fmt: skip


def shut_network(*, door: bool = False) -> None:
    """Install the filter in all threads of this process, for good. Raises OSError, with the reason, if it cannot.

    With `door` the process may open TCP connections and hand them over, and still nothing else.
    """
    machine = _MACHINES.get(platform.machine())
    if sys.platform != "linux" or machine is None or struct.calcsize("P") != 8:
        raise OSError(errno.ENOSYS, f"no seccomp filter for {sys.platform} on {platform.machine()}")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"no_new_privs: {os.strerror(ctypes.get_errno())}")
    program = _program(machine, door)
    code = ctypes.create_string_buffer(program, len(program))

    class Program(ctypes.Structure):
        """struct sock_fprog (linux/filter.h)."""

        _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))

    wanted = Program(len(program) // 8, ctypes.addressof(code))
    if (
        libc.syscall(
            machine.seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, ctypes.byref(wanted)
        )
        != 0
    ):
        raise OSError(ctypes.get_errno(), f"seccomp: {os.strerror(ctypes.get_errno())}")


def _program(machine: _Machine, door: bool = False) -> bytes:
    """The filter as an array of struct sock_filter."""
    refuse = _ERRNO | errno.EACCES
    refused = {name: number for name, number in machine.refused.items() if not (door and name in DOOR_MAY)}
    code: list[tuple[int, int, int, int]] = [
        (_LOAD, 0, 0, _ARCH),
        (_JEQ, 1, 0, machine.audit),
        (_RET, 0, 0, _KILL),  # another architecture's numbers would mean other calls
        (_LOAD, 0, 0, _NR),
        (_JGE, 0, 1, 0x40000000),  # x32: the same calls under other numbers
        (_RET, 0, 0, _ERRNO | errno.ENOSYS),
    ]
    if door:
        code += [
            (_JEQ, 0, 9, machine.socket),
            (_LOAD, 0, 0, _ARGS),
            (_JEQ, 2, 0, AF_INET),
            (_JEQ, 1, 0, AF_INET6),
            (_RET, 0, 0, refuse),
            (_LOAD, 0, 0, _ARGS + 8),
            (_AND, 0, 0, SOCK_TYPE_MASK),  # the rest of the type is flags
            (_JEQ, 1, 0, SOCK_STREAM),
            (_RET, 0, 0, refuse),
            (_RET, 0, 0, _ALLOW),
            (_JEQ, 0, 1, machine.socketpair),
            (_RET, 0, 0, refuse),
        ]
    else:
        for number in (machine.socket, machine.socketpair):
            code += [
                (_JEQ, 0, 4, number),
                (_LOAD, 0, 0, _ARGS),  # the address family; the kernel looks at the low half only
                (_JEQ, 1, 0, AF_UNIX),
                (_RET, 0, 0, refuse),
                (_RET, 0, 0, _ALLOW),
            ]
    code += [
        (_JEQ, 0, 6, machine.sendto),
        (_LOAD, 0, 0, _ARGS + 4 * 8),  # an address to send to: none is what send() passes
        (_JEQ, 0, 3, 0),
        (_LOAD, 0, 0, _ARGS + 4 * 8 + 4),
        (_JEQ, 0, 1, 0),
        (_RET, 0, 0, _ALLOW),
        (_RET, 0, 0, refuse),
    ]
    for number in refused.values():
        code += [(_JEQ, 0, 1, number), (_RET, 0, 0, refuse)]
    code.append((_RET, 0, 0, _ALLOW))
    return b"".join(struct.pack("<HBBI", *step) for step in code)
