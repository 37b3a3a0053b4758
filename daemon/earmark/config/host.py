"""A host in its one spelling: an address as `ipaddress` writes it, or a name in lower case and ASCII. Pure.

The endpoint's host and the hosts in `allowed_hosts` both come through here, so that what is the same host compares equal.
"""

from __future__ import annotations

import ipaddress
import re

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
"""A part of a name (RFC 1123, section 2.1), and the underscore, which container networks and NetBIOS put into names."""

_LONGEST = 253
"""Characters of a name (RFC 1035, section 2.3.4: 255 octets on the wire)."""

_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""A last part that makes every resolver read an IPv4 address (RFC 1123; WHATWG URL, "ends in a number")."""

_IPV4 = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*)){0,3}")
"""An IPv4 address in decimal, short ones (127.1) included; a leading zero means octal to some and nothing to others."""

_TWO_READINGS = re.compile("[ßς]")
"""Letters that IDNA 2003 replaces and IDNA 2008 keeps: the same text names two hosts, which may be two people's."""

NO_HOST = "it names a host that cannot be one"


def canonical_host(text: str) -> str:
    """The host in its one spelling, without brackets. Raises ValueError with a sentence for what can be no host."""
    host = text.lower().removesuffix(".")
    if "%" in host:
        raise ValueError(
            "an address with a zone (the part after %) cannot be used; give the server an address without one"
        )
    if _TWO_READINGS.search(host):
        raise ValueError("its name has a letter (ß or ς) that is read in two ways; write the name as xn--...")
    if not host.isascii():
        try:
            host = host.encode("idna").decode().lower().removesuffix(".")
        except UnicodeError:
            raise ValueError(NO_HOST) from None
    return _address(host) or _name(host)


def in_url(host: str) -> str:
    """The host as it stands in a URL: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def _address(host: str) -> str | None:
    """The address that a host is, as IPv4 if it is IPv4 inside IPv6; None for a name."""
    found: ipaddress.IPv4Address | ipaddress.IPv6Address | None
    if ":" in host:
        try:
            found = ipaddress.IPv6Address(host)
        except ValueError:
            raise ValueError("what stands in the brackets is not an IPv6 address") from None
        found = found.ipv4_mapped or found
    else:
        found = _ipv4(host)
    if found is not None and found.is_unspecified:
        raise ValueError(
            f"{host[:40]} is where a server listens and not where it is reached; write localhost or its own address"
        )
    return None if found is None else str(found)


def _ipv4(host: str) -> ipaddress.IPv4Address | None:
    """The IPv4 address that resolvers make of it: the last number fills what the others leave (inet_aton(3))."""
    if not _NUMBER.fullmatch(host.rpartition(".")[2]):
        return None
    if len(host) <= len("255.255.255.255") and _IPV4.fullmatch(host):
        *firsts, last = map(int, host.split("."))
        if all(number <= 255 for number in firsts) and last < 256 ** (4 - len(firsts)):
            return ipaddress.IPv4Address(bytes(firsts) + last.to_bytes(4 - len(firsts), "big"))
    raise ValueError(
        "its host ends in a number and is no IPv4 address, which is four numbers from 0 to 255 without leading zeros"
    )


def _name(host: str) -> str:
    if not host:
        raise ValueError("it names no host")
    if len(host) > _LONGEST:
        raise ValueError(f"it names a host that cannot be one: a name has at most {_LONGEST} characters")
    if not all(_LABEL.fullmatch(label) for label in host.split(".")):
        raise ValueError(
            f"{NO_HOST}: between its dots, a name has 1 to 63 letters, digits and hyphens, no hyphen first or last"
        )
    return host
