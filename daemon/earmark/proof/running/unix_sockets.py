"""The unix sockets of this machine and whose ends they are, as the kernel tells (sock_diag(7))."""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from dataclasses import dataclass

_DUMP, _BY_FAMILY, _DIAG = 0x301, 20, 4  # NLM_F_REQUEST|ROOT|MATCH, SOCK_DIAG_BY_FAMILY, NETLINK_SOCK_DIAG
_SHOW = 1 | 2 | 4  # UDIAG_SHOW_NAME, UDIAG_SHOW_VFS, UDIAG_SHOW_PEER (linux/unix_diag.h)
_NAME, _VFS, _PEER = 0, 1, 2  # UNIX_DIAG_NAME, UNIX_DIAG_VFS, UNIX_DIAG_PEER
_LISTEN = 10  # TCP_LISTEN, which unix sockets have, too


@dataclass(frozen=True, slots=True)
class Unix:
    """A unix socket, as the kernel tells of it: inode of the other end (0: none), its name, and what it is. `file`: the
    inode of the file that is its name (its lower 32 bits), 0 without one: the name itself may begin in any folder.
    """

    peer: int
    name: str
    listens: bool
    kind: int
    file: int = 0


def unix_sockets() -> dict[int, Unix]:
    """All unix sockets of this network namespace by their inode (sock_diag(7)). Raises OSError."""
    if sys.platform == "linux":
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _DIAG) as line:
            return _dumped(line)
    raise OSError(errno.ENOSYS, f"{sys.platform} does not tell of unix sockets")


def _dumped(line: socket.socket) -> dict[int, Unix]:
    found: dict[int, Unix] = {}
    line.settimeout(5)
    body = struct.pack("=BBHIIIII", socket.AF_UNIX, 0, 0, 0xFFFFFFFF, 0, _SHOW, 0, 0)
    line.send(struct.pack("=IHHII", 16 + len(body), _BY_FAMILY, _DUMP, 1, 0) + body)
    while True:
        data = line.recv(1 << 18)
        at = 0
        while at + 16 <= len(data):
            length, what = struct.unpack_from("=IH", data, at)
            if what in (2, 3) or length < 16:  # NLMSG_ERROR, NLMSG_DONE
                return found
            inode, about = _unix(data[at + 16 : at + length])
            found[inode] = about
            at += (length + 3) & ~3


def _unix(message: bytes) -> tuple[int, Unix]:
    """struct unix_diag_msg and its attributes."""
    _, kind, state, _, inode = struct.unpack_from("=BBBBI", message)
    at, peer, name, file = 16, 0, "", 0
    while at + 4 <= len(message):
        length, what = struct.unpack_from("=HH", message, at)
        value = message[at + 4 : at + length]
        if what == _NAME:
            name = os.fsdecode(value.rstrip(b"\0")) if value[:1] != b"\0" else "@" + os.fsdecode(value[1:])
        elif what == _VFS:
            (file,) = struct.unpack_from("=I", value)
        elif what == _PEER:
            (peer,) = struct.unpack("=I", value)
        at += max((length + 3) & ~3, 4)
    return inode, Unix(peer, name, state == _LISTEN, kind, file)
