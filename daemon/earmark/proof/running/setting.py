"""What the judge of a running daemon has to know of the installation."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from earmark.locality.policy.addresses import WIDTH, Scope, scope_of


@dataclass(frozen=True, slots=True)
class Setting:
    """`pinned`: where summaries may go. `named`: the server goes by a
    name that is looked up. `manager`: the service manager's socket. `landlock`: whether this kernel has it.
    """

    supervisor: int
    folders: tuple[Path, ...]
    state: Path
    pinned: tuple[tuple[str, int], ...] = ()
    named: bool = False
    within: tuple[Scope, int] | None = None
    """How far away other addresses of the name may be, and their port: with TLS; None where only the address tells."""
    manager: str = ""
    landlock: bool = True
    lms: str | None = None
    account: tuple[str, ...] = ()
    """Families of sockets that the daemon itself says it had."""
    home: Path = Path("/nonexistent")
    """The daemon's owner's home folder."""
    readable: tuple[Path, ...] = ()
    """What workers may read beside the system's own: drop folders, model, templates; empty where the model is not known."""
    installation: str = ""
    """The folder of the Python that this check runs in. What another installation needs is not known here."""
    resolvers: tuple[str, ...] = ()
    """Addresses at which names are looked up (resolv.conf(5))."""
    knocks: tuple[str, ...] = ()
    """Where the daemon may look whether a server listens, as it tells knock.py: `HOST:PORT`."""
    other_version: str = ""
    """The daemon's version of earmark, where it is not the one of this check."""

    def may_be_former(self, address: str) -> bool:
        """Whether this address and port may be one to which the server's name led before."""
        host, _, port = plain(address).rpartition(":")
        try:
            scope = scope_of(ipaddress.ip_address(host.strip("[]")))
        except ValueError:
            return False
        return self.within is not None and (
            WIDTH[scope] <= WIDTH[self.within[0]] and port == str(self.within[1])
        )


def shown(ip: str, port: int) -> str:
    """An address and port as one text."""
    return f"[{ip}]:{port}" if ipaddress.ip_address(ip).version == 6 else f"{ip}:{port}"


def plain(address: str) -> str:
    """The one spelling of an address and port: IPv4 in IPv6 (`[::ffff:127.0.0.1]:80`) is that IPv4 address."""
    host, _, port = address.rpartition(":")
    try:
        ip = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return address
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return shown(str(mapped or ip), int(port))
