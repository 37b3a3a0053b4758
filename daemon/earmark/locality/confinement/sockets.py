"""Which sockets a process has open: of this one, as the system lists them; of others from the kernel's tables (Linux)."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import socket
import stat
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TABLES = ("tcp", "tcp6", "udp", "udp6", "udplite", "udplite6", "raw", "raw6")


@dataclass(frozen=True, slots=True)
class InternetSocket:
    """A row of the kernel's table. `remote` is the unspecified address where nothing is connected."""

    protocol: str
    local: str
    remote: str

    @property
    def leaves(self) -> bool:
        """True if its other end is not on this device."""
        address = ipaddress.ip_address(self.remote)
        return not (address.is_loopback or address.is_unspecified)


DESCRIPTORS = (Path("/proc/self/fd"), Path("/dev/fd"))
"""Where a system lists what a process has open: Linux, and others (macOS has the second)."""

UNSEEN = "others may be open, which this system does not list"
"""Stands among the families where that is so."""

_had: set[str] = set()

LOOKUP = "a name was looked up"
_LOOKUPS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo")


def keep_account() -> None:
    """From now on `own_families` has every socket that Python makes in this process, closed ones too.

    An audit hook (PEP 578), which nothing in the process can take away again. What a C library opens by itself, it does
    not see.
    """
    sys.addaudithook(_account)


def _account(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.__new__" and isinstance(arguments[1], int) and arguments[1] >= 0:
        try:
            _had.add(socket.AddressFamily(arguments[1]).name)
        except ValueError:
            _had.add(str(arguments[1]))
    elif event in _LOOKUPS:
        _had.add(LOOKUP)


def own_families(folders: Sequence[Path] = DESCRIPTORS) -> tuple[str, ...]:
    """The address families of this process's sockets, sorted; the only account a process without ptrace can get. With UNSEEN
    it is of those alone that Python made.
    """
    is_open = open_families(folders)
    return tuple(sorted(_had | ({UNSEEN} if is_open is None else is_open)))


def open_families(folders: Sequence[Path] = DESCRIPTORS) -> set[str] | None:
    """The address families of the sockets that this process has open now, whoever made them; None where the system does not
    list what it has open.
    """
    for folder in folders:
        try:
            numbers = [int(name) for name in os.listdir(folder)]  # noqa: PTH208
        except (OSError, ValueError):
            continue
        return {family for number in numbers if (family := _family(number))}
    return None


def _family(descriptor: int) -> str:
    """The address family of a socket; "" for what is none, or not there any more."""
    with contextlib.suppress(OSError, ValueError):
        if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            with socket.socket(fileno=os.dup(descriptor)) as found:
                return str(getattr(found.family, "name", found.family))
    return ""


def internet_sockets(pid: int, proc: Path = Path("/proc")) -> list[InternetSocket] | None:
    """The IPv4 and IPv6 sockets of a process; None if the system does not let this user look."""
    inodes = set()
    try:
        for fd in (proc / str(pid) / "fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                if match := re.fullmatch(r"socket:\[(\d+)\]", str(fd.readlink())):
                    inodes.add(match[1])
    except OSError:
        return None
    found = []
    for table in TABLES:
        with contextlib.suppress(OSError):
            for line in (proc / str(pid) / "net" / table).read_text().splitlines()[1:]:
                columns = line.split()
                if columns[9] in inodes:
                    found.append(
                        InternetSocket(
                            table, address_and_port(columns[1])[0], address_and_port(columns[2])[0]
                        )
                    )
    return found


def address_and_port(column: str) -> tuple[str, int]:
    """`0100007F:1F90` (the address in words of the machine's byte order) as an address and a port.

    IPv4 inside IPv6 is spelled as the IPv4 address that it is.
    """
    packed, _, port = column.partition(":")
    words = [int(packed[i : i + 8], 16) for i in range(0, len(packed), 8)]
    raw = struct.pack(f"={len(words)}I", *words)
    address = ipaddress.ip_address(raw)
    return str(getattr(address, "ipv4_mapped", None) or address), int(port or "0", 16)
