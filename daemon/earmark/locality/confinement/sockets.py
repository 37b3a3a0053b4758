"""Which sockets a process has open, from the kernel's own tables (Linux)."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import socket
import struct
import sys
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


def own_families() -> tuple[str, ...]:
    """The address families of this process's sockets, sorted; the only account a process without ptrace can get."""
    families = set(_had)
    own = Path("/proc/self/fd")
    for fd in own.iterdir() if own.is_dir() else ():
        with contextlib.suppress(OSError, ValueError):
            if str(fd.readlink()).startswith("socket:"):
                with socket.socket(fileno=os.dup(int(fd.name))) as found:
                    families.add(getattr(found.family, "name", str(found.family)))
    return tuple(sorted(families))


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
