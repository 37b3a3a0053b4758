"""What the arguments of system calls point to: addresses, pieces of memory, control messages."""

from __future__ import annotations

import os
import socket
import struct

from earmark.proof.running import ptrace
from earmark.proof.running.descriptors import whole

AT_CWD = -100
"""AT_FDCWD (linux/fcntl.h)."""

_CONTROL = struct.Struct("=Qii")
"""struct cmsghdr: its length with this header, level, type."""


def straight(path: str) -> str:
    """A path from the root on, without what leads back and forth in it: what it begins with says where it leads."""
    return os.path.normpath(f"/{path.lstrip('/')}") if path.startswith("/") else path


def address_of(data: bytes) -> str:
    """struct sockaddr in words: `127.0.0.1:80`, `[::1]:80`, `unix /run/x`, or the family."""
    if len(data) < 2:
        return "nothing"
    (family,) = struct.unpack_from("=H", data)
    if family == socket.AF_INET and len(data) >= 8:
        return f"{socket.inet_ntop(socket.AF_INET, data[4:8])}:{struct.unpack_from('!H', data, 2)[0]}"
    if family == socket.AF_INET6 and len(data) >= 24:
        return f"[{socket.inet_ntop(socket.AF_INET6, data[8:24])}]:{struct.unpack_from('!H', data, 2)[0]}"
    if family == socket.AF_UNIX:
        name = data[2:]
        return "unix " + (
            "@" + os.fsdecode(name[1:])
            if name[:1] == b"\0"
            else straight(os.fsdecode(name.partition(b"\0")[0]))
        )
    return family_name(family)


def family_name(number: int) -> str:
    try:
        return socket.AddressFamily(number & 0xFF).name
    except ValueError:
        return f"family {number}"


def pieces_of(pid: int, at: int, count: int) -> list[tuple[int, int]]:
    """An array of struct iovec."""
    data = ptrace.memory(pid, at, 16 * min(count, 1024))
    return [struct.unpack_from("=QQ", data, i) for i in range(0, len(data) - 15, 16)]


def passes_descriptors(control: bytes) -> bool:
    """Whether the control messages of a `sendmsg` give open files away (SCM_RIGHTS, unix(7))."""
    at = 0
    while at + _CONTROL.size <= len(control):
        length, level, kind = _CONTROL.unpack_from(control, at)
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            return True
        at += max((length + 7) & ~7, _CONTROL.size)
    return False


def path_of(pid: int, at: int, address: int, follow: bool = False) -> str:
    """The path that a call means. `follow`: where it is a symlink, the file that this leads to is meant."""
    name = ptrace.text(pid, address)
    if not name.startswith("/"):
        signed = at & 0xFFFFFFFF
        link = f"/proc/{pid}/cwd" if signed == AT_CWD & 0xFFFFFFFF else f"/proc/{pid}/fd/{signed}"
        name = f"{os.readlink(link)}/{name}"  # noqa: PTH115
    return os.path.realpath(name) if follow else whole(name)


def address_at(pid: int, at: int, length: int) -> str:
    """The address in a process's memory, in words."""
    return address_of(ptrace.memory(pid, at, min(length, 128)))
