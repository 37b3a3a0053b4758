"""Which sockets a process has open, from the kernel's own tables (Linux)."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

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


def own_families() -> tuple[str, ...]:
    """The address families of this process's sockets, sorted; the only account a process without ptrace can get."""
    families = set()
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
                    found.append(InternetSocket(table, _address(columns[1]), _address(columns[2])))
    return found


def _address(column: str) -> str:
    """`0100007F:1F90` (words of the machine's byte order) as an address."""
    packed = column.partition(":")[0]
    words = [int(packed[i : i + 8], 16) for i in range(0, len(packed), 8)]
    raw = struct.pack(f"={len(words)}I", *words)
    return str(ipaddress.ip_address(raw))
