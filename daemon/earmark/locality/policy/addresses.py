"""How far away is an IP address? Decided by the address that is connected to, never by a name. Standard library only.

Scripts without the package (`confinement/knock.py`) import this file, too.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Literal

Scope = Literal["device", "lan", "cloud"]
"""Where an address is: this machine, a private network, or anywhere else. What cannot be known is anywhere else."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

WIDTH: dict[str, int] = {"device": 0, "lan": 1, "cloud": 2}

CARRIER_GRADE_NAT = ipaddress.ip_network("100.64.0.0/10")
"""RFC 6598; also what overlay networks such as Tailscale hand out. The machine behind one may be in another country."""

PRIVATE = tuple(
    ipaddress.ip_network(network)
    for network in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",  # RFC 1918; container bridges live here, too
        "169.254.0.0/16",  # RFC 3927, link-local
        "100.64.0.0/10",
        "fc00::/7",  # RFC 4193, unique local
        "fe80::/10",  # RFC 4291, link-local
    )
)  # fmt: skip
"""Networks that no router passes on to the Internet. Python's `is_private` says more: it counts translators (NAT64's
64:ff9b:1::/48, Teredo's 2001::/32), whose packets end anywhere, and networks that exist on paper only."""

LOCAL_PORTS = (1234, 11434, 8080, 8000, 1337, 8081, 5001, 8033)
"""Where `endpoint = "auto"` looks, in this order: LM Studio, Ollama, llama.cpp and LocalAI, vLLM, Jan, and llama.cpp's
other habits."""


def literal(host: str) -> Address | None:
    """The address that a host is, without any lookup, as `plain` has it; None for a name."""
    try:
        return plain(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return None


def plain(address: Address) -> Address:
    """The one form of an address: IPv4 inside IPv6 as the IPv4 address that it is, unless it has a zone.

    Without it two spellings of one address would differ, and Python 3.11 and 3.13 spell such addresses differently.
    """
    return address if isinstance(address, ipaddress.IPv6Address) and address.scope_id else inner(address)


def is_among(address: Address, texts: Iterable[str]) -> bool:
    """True if one of the texts is this address, however it is spelled there."""
    return any(literal(text.strip()) == plain(address) for text in texts)


def inner(address: Address) -> Address:
    """The IPv4 address inside an IPv4-mapped one (::ffff:a.b.c.d), which is what the kernel connects to."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped if mapped is not None else address


def scope_of(address: Address) -> Scope:
    """How far away one address is. IPv4 addresses inside IPv6 ones are judged as what they are.

    Not the device: this machine's own address on a network, a bridge to containers, 0.0.0.0 and :: (where they lead
    is the kernel's habit), and a loopback address with a zone.
    """
    zone = isinstance(address, ipaddress.IPv6Address) and address.scope_id is not None
    address = inner(address)
    if address.is_loopback:
        return "cloud" if zone else "device"
    if any(address.version == network.version and address in network for network in PRIVATE):
        return "lan"
    return "cloud"


def widest(addresses: Iterable[Address]) -> Scope:
    """The scope of the one that is furthest away; "cloud" where there is none to judge."""
    return max((scope_of(a) for a in addresses), key=WIDTH.__getitem__, default="cloud")


def in_words(address: Address) -> str:
    """An address with what is worth knowing about its kind."""
    if inner(address).version == 4 and inner(address) in CARRIER_GRADE_NAT:
        return f"{address} (an overlay or carrier network, which may end anywhere)"
    return str(address)
