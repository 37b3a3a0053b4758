"""What a process has open already: files it can write to, shared memory, pipes to others, sockets that lead to others.

Opened before the check, nothing of it shows as a system call. Each is said as a kind and what it leads to, so that a judge
can tell what is the daemon's own: `file PATH`, `memory PATH`, `pipe to pid N`, `unix to PATH`, `listener`, `io_uring`.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

_WRITES = os.O_WRONLY | os.O_RDWR
_DUMP, _BY_FAMILY, _DIAG = 0x301, 20, 4  # NLM_F_REQUEST|ROOT|MATCH, SOCK_DIAG_BY_FAMILY, NETLINK_SOCK_DIAG
_SHOW_NAME, _SHOW_PEER = 1, 4  # UDIAG_SHOW_NAME, UDIAG_SHOW_PEER (linux/unix_diag.h)
_NAME, _PEER = 0, 2  # UNIX_DIAG_NAME, UNIX_DIAG_PEER
_LISTEN = 10  # TCP_LISTEN, which unix sockets have, too


@dataclass(frozen=True, slots=True)
class Unix:
    """A unix socket, as the kernel tells of it: inode of the other end (0: none), its name, and what it is."""

    peer: int
    name: str
    listens: bool
    kind: int


@dataclass
class Others:
    """Whose the other ends are: of pipes and sockets, by their inode. Read once for all processes of a family."""

    family: frozenset[int]
    readers: dict[str, set[int]] = field(default_factory=dict)
    owners: dict[str, set[int]] = field(default_factory=dict)
    unix: dict[int, Unix] = field(default_factory=dict)

    @classmethod
    def now(cls, family: Iterable[int]) -> Others:
        """As things are."""
        found = cls(frozenset(family))
        with contextlib.suppress(OSError, struct.error):
            found.unix = unix_sockets()
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) in found.family:
                continue
            for fd, to in _descriptors(int(entry.name)):
                if to.startswith("pipe:") and not _flags(int(entry.name), fd) & os.O_WRONLY:
                    found.readers.setdefault(to, set()).add(int(entry.name))
                elif to.startswith("socket:"):
                    found.owners.setdefault(to, set()).add(int(entry.name))
        return found


def holdings(pid: int, others: Others, logs: Iterable[str]) -> list[str] | None:
    """What this process has open by which words could get out; None where nobody may see. `logs`: what its stderr is."""
    try:
        os.listdir(f"/proc/{pid}/fd")  # noqa: PTH208
    except OSError:
        return None
    found: list[str] = []
    quiet = set(logs)
    for fd, to in _descriptors(pid):
        if to in quiet:
            continue
        if to.startswith("socket:["):
            found += _socket(to, others)
        elif to.startswith("pipe:"):
            readers = others.readers.get(to, set()) if _flags(pid, fd) & _WRITES else set()
            found += [f"pipe to pid {reader}" for reader in sorted(readers)]
        elif "io_uring" in to:
            found.append("io_uring")
        elif to.startswith("/") and _flags(pid, fd) & _WRITES and not _is_folder(pid, fd):
            found.append(f"file {to}")
    return list(dict.fromkeys([*found, *_maps(pid)]))


def _socket(to: str, others: Others) -> Iterator[str]:
    about = others.unix.get(int(to[len("socket:[") : -1]))
    if about is None:
        return  # of another family: the claims about sockets have it
    if about.listens:
        yield f"listener {about.name or 'without a name'} type {about.kind}"
    elif about.peer:
        end = others.unix.get(about.peer)
        strangers = sorted(others.owners.get(f"socket:[{about.peer}]", ()))
        if strangers or (end is not None and end.name):
            named = end.name if end is not None and end.name else f"pid {', '.join(map(str, strangers))}"
            yield f"unix to {named}"
    elif strangers := sorted(others.owners.get(to, ())):
        yield f"unix shared with pid {', '.join(map(str, strangers))}"


def _maps(pid: int) -> Iterator[str]:
    """Memory that is shared with whoever has the same file: writing to it is no system call."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/maps").read_text(errors="surrogateescape").splitlines():
            columns = line.split(None, 5)
            if re.fullmatch(r".w.s", columns[1]) and len(columns) > 5:
                yield f"memory {columns[5]}"


def _descriptors(pid: int) -> list[tuple[str, str]]:
    found = []
    with contextlib.suppress(OSError):
        for fd in os.listdir(f"/proc/{pid}/fd"):  # noqa: PTH208
            with contextlib.suppress(OSError):
                found.append((fd, os.readlink(f"/proc/{pid}/fd/{fd}")))  # noqa: PTH115 - `pipe:[1]` is no path
    return found


def _flags(pid: int, fd: str) -> int:
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/fdinfo/{fd}").read_text().splitlines():
            if line.startswith("flags:"):
                return int(line.split()[1], 8)
    return 0


def _is_folder(pid: int, fd: str) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/fd/{fd}").is_dir()
    return False


def unix_sockets() -> dict[int, Unix]:
    """All unix sockets of this network namespace by their inode (sock_diag(7)). Raises OSError."""
    found: dict[int, Unix] = {}
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _DIAG) as line:
        line.settimeout(5)
        body = struct.pack("=BBHIIIII", socket.AF_UNIX, 0, 0, 0xFFFFFFFF, 0, _SHOW_NAME | _SHOW_PEER, 0, 0)
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
    at, peer, name = 16, 0, ""
    while at + 4 <= len(message):
        length, what = struct.unpack_from("=HH", message, at)
        value = message[at + 4 : at + length]
        if what == _NAME:
            name = os.fsdecode(value.rstrip(b"\0")) if value[:1] != b"\0" else "@" + os.fsdecode(value[1:])
        elif what == _PEER:
            (peer,) = struct.unpack("=I", value)
        at += max((length + 3) & ~3, 4)
    return inode, Unix(peer, name, state == _LISTEN, kind)
