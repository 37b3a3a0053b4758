"""ptrace(2) and process_vm_readv(2): following every system call of a process that somebody else started. Linux only.

A process is seized, so it neither gets a signal nor is stopped for longer than a look takes; when the process that watches
ends, however it ends, the kernel lets all of them go on by themselves.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import struct

_CONT_TO_CALL, _SEIZE, _INTERRUPT, _LISTEN, _CALL_INFO = 24, 0x4206, 0x4207, 0x4208, 0x420E  # linux/ptrace.h
_GET_FILTER = 0x420C  # PTRACE_SECCOMP_GET_FILTER
_OPTIONS = 1 | 2 | 4 | 8 | 0x10  # TRACESYSGOOD, TRACEFORK, TRACEVFORK, TRACECLONE, TRACEEXEC
EVENT_EXEC, EVENT_STOP = 4, 128
AT_CALL = signal.SIGTRAP | 0x80
WAIT_ALL = 0x40000000  # __WALL
_INFO = struct.Struct("=B3xI2Q7Q")
"""struct ptrace_syscall_info: kind (1 entry, 2 exit), architecture, two pointers, number and six arguments or result."""
STOPPING = (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)

_libc = ctypes.CDLL(None, use_errno=True)
_ptrace = _libc.ptrace
_ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
_ptrace.restype = ctypes.c_long
_readv = _libc.process_vm_readv
_buffer = ctypes.create_string_buffer(_INFO.size)


class _Piece(ctypes.Structure):
    """struct iovec."""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def _checked(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def seize(tid: int) -> None:
    """Begin to follow a thread and all that it starts. Raises PermissionError where the system does not allow it."""
    _checked(_ptrace(_SEIZE, tid, None, _OPTIONS))


def interrupt(tid: int) -> None:
    """Have it stop once, so that it can be told to stop at its calls."""
    _checked(_ptrace(_INTERRUPT, tid, None, None))


def go_on(tid: int, number: int = 0) -> None:
    """To the next system call, with this signal delivered. One that is gone is not an error."""
    _ptrace(_CONT_TO_CALL, tid, None, number)


def stay_stopped(tid: int) -> None:
    """It was stopped by somebody (SIGSTOP): leave it stopped, and hear when it goes on."""
    _ptrace(_LISTEN, tid, None, None)


def call_of(tid: int) -> tuple[int, int, tuple[int, ...]] | None:
    """At an entry (1, architecture, (number, six arguments)), at an exit (2, architecture, (result, ...)); None if it is
    gone.
    """
    if _ptrace(_CALL_INFO, tid, _INFO.size, ctypes.addressof(_buffer)) <= 0:
        return None
    kind, architecture, _, _, *rest = _INFO.unpack(_buffer.raw)
    return kind, architecture, tuple(rest)


def filters_of(tid: int) -> list[bytes] | None:
    """The programs of the filters on a stopped thread, as they were put on; None where the kernel does not tell."""
    found: list[bytes] = []
    while True:
        count = _ptrace(_GET_FILTER, tid, len(found), None)
        if count < 0:
            return found if ctypes.get_errno() == errno.ENOENT else None
        code = ctypes.create_string_buffer(count * 8)
        if _ptrace(_GET_FILTER, tid, len(found), ctypes.addressof(code)) < 0:
            return None
        found.append(code.raw)


def memory(pid: int, address: int, length: int) -> bytes:
    """What is there, up to `length` bytes; less, or nothing, where it cannot be read."""
    if not address or length <= 0:
        return b""
    into = ctypes.create_string_buffer(length)
    here = _Piece(ctypes.addressof(into), length)
    there = _Piece(address, length)
    got = _readv(
        pid, ctypes.byref(here), ctypes.c_ulong(1), ctypes.byref(there), ctypes.c_ulong(1), ctypes.c_ulong(0)
    )
    return into.raw[:got] if got > 0 else b""


def text(pid: int, address: int, longest: int = 4096) -> str:
    """A C string. Read page by page, because the page after it may not be there."""
    found = b""
    while len(found) < longest:
        step = 4096 - (address + len(found)) % 4096
        piece = memory(pid, address + len(found), step)
        found += piece
        if b"\0" in piece or len(piece) < step:
            break
    return os.fsdecode(found.partition(b"\0")[0])
