"""Where does this URL really end? Decided before a connection is made, and binding for it.

The answer is a `Pinned`: one URL with an IP literal in it, so that no second name lookup can end elsewhere.
Pure but for the resolver, which is passed in.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit, urlunsplit

from earmark.config.endpoint import host_meant, parts_of
from earmark.errors import EarmarkError, PrivacyError
from earmark.locality.policy.addresses import Address, Scope, in_words, literal, plain, scope_of, widest

__all__ = [
    "Address",
    "NameNotFound",
    "Pinned",
    "Privacy",
    "Resolver",
    "Scope",
    "resolve_endpoint",
    "scope_of",
]

Privacy = Literal["device", "lan", "cloud"]

Resolver = Callable[..., Sequence[tuple[Any, ...]]]
"""`socket.getaddrinfo` or something with its signature and result shape."""


class NameNotFound(EarmarkError):
    """The endpoint's host name does not resolve; nothing was sent."""

    exit_code = 69


@dataclass(frozen=True, slots=True)
class Pinned:
    """An endpoint that was looked up once and judged.

    `base_url`: the URL to use, its host replaced by an IP literal. `host`: the name as configured (for the Host
    header, for TLS verification and for the note). `ip`: the literal without brackets. `others`: further literals
    of the same name, judged too, to be tried when nothing listens on `ip`. `unused`: those that were judged and cannot
    stand in a URL (they have a zone). `scope`: the widest of all of them.
    """

    base_url: str
    host: str
    ip: str
    port: int
    scope: Scope
    others: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()

    @property
    def addresses(self) -> tuple[Address, ...]:
        """All addresses of the name."""
        return tuple(ipaddress.ip_address(ip) for ip in (self.ip, *self.others, *self.unused))

    @property
    def tls(self) -> bool:
        return self.base_url.startswith("https://")

    @property
    def root_url(self) -> str:
        """The server's root, where the native (not OpenAI-compatible) addresses live."""
        parts = urlsplit(self.base_url)
        return urlunsplit((parts.scheme, parts.netloc, "", "", ""))

    @property
    def host_header(self) -> str:
        """The Host header that belongs to the configured URL."""
        scheme = urlsplit(self.base_url).scheme
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == default_port(scheme) else f"{name}:{self.port}"

    def at(self, ip: str) -> Pinned:
        """The same endpoint on another of its addresses."""
        everything = (self.ip, *self.others)
        if ip not in everything:
            raise PrivacyError(f"{ip} is not an address of {self.host} that was checked")
        return Pinned(
            base_url=with_host(self.base_url, ip, self.port),
            host=self.host,
            ip=ip,
            port=self.port,
            scope=self.scope,
            others=tuple(other for other in everything if other != ip),
            unused=self.unused,
        )


def default_port(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def with_host(url: str, ip: str, port: int) -> str:
    """The URL with its host replaced by an IP literal and the port always spelled out."""
    parts = urlsplit(url)
    literal = f"[{ip}]" if ":" in ip else ip
    return urlunsplit((parts.scheme, f"{literal}:{port}", parts.path, "", ""))


def resolve_endpoint(
    base_url: str,
    privacy: Privacy = "device",
    allowed_hosts: Iterable[str] = (),
    resolver: Resolver | None = None,
) -> Pinned:
    """Look the endpoint's name up once and say where it ends, or refuse.

    `device`: every address of the name must be loopback. `lan`: loopback, or a private address whose host is in
    `allowed_hosts`. `cloud`: loopback, or any host in `allowed_hosts`, over https unless the address is private.
    A URL without a path gets `/v1`, which is where every known server has its OpenAI-compatible interface.

    Raises PrivacyError with a sentence if the privacy setting forbids the endpoint or the URL is not one that can
    be judged, NameNotFound if the name does not resolve.
    """
    scheme, host, port, path = read(base_url)
    # Looked up at the call: a confined worker has put what was known before in its place (doorway.py).
    addresses = look_up(host, port, resolver or socket.getaddrinfo)
    scope = widest(addresses)
    judge(host, scope, scheme, privacy, hosts_in(allowed_hosts), addresses)

    # Every address was judged; those with a zone cannot stand in a URL, and are not connected to.
    usable = [address for address in addresses if "%" not in str(address)]
    if not usable:
        raise PrivacyError(
            f"the summary endpoint {host} is only at {addresses[0]}, an address with a zone, which cannot be used; "
            "give the server an address without one"
        )
    # IPv4 first: local servers bind 127.0.0.1 by default, while "localhost" usually resolves to ::1 first.
    literals = [str(address) for address in sorted(usable, key=lambda address: address.version)]
    return Pinned(
        base_url=with_host(urlunsplit((scheme, "", path.rstrip("/") or "/v1", "", "")), literals[0], port),
        host=host,
        ip=literals[0],
        port=port,
        scope=scope,
        others=tuple(literals[1:]),
        unused=tuple(str(address) for address in addresses if address not in usable),
    )


def hosts_in(allowed_hosts: Iterable[str]) -> set[str]:
    """The hosts that are named, spelled as the endpoint's is; what names no host allows none."""
    found = set()
    for name in allowed_hosts:
        with contextlib.suppress(ValueError):
            found.add(host_meant(name))
    return found


def read(base_url: str) -> tuple[str, str, int, str]:
    """Scheme, host, port and path of the endpoint. Raises PrivacyError where it cannot be judged what it names."""
    if "://" not in base_url:
        raise PrivacyError(
            f"the summary endpoint {shown(base_url)} is not an http:// or https:// address; "
            "right would be something like http://localhost:1234/v1"
        )
    try:
        scheme, host, port, path = parts_of(base_url)
    except ValueError as error:
        raise PrivacyError(f"the summary endpoint {shown(base_url)} cannot be used: {error}") from None
    return scheme, host, port or default_port(scheme), path


def look_up(host: str, port: int, resolver: Resolver) -> list[Address]:
    """Every distinct address of the host, in the resolver's order. A literal is its own address: nobody is asked."""
    own = literal(host)
    if own is not None:
        return [own]
    try:
        rows = resolver(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        rows = []
    found: dict[Address, None] = {}
    for row in rows:
        found[with_zone(row[4])] = None
    if not found:
        raise NameNotFound(f"the summary endpoint's host {host!r} does not resolve to any address")
    return list(found)


def with_zone(sockaddr: Sequence[Any]) -> Address:
    """The address in a resolver's row, with its zone if it has one: (address, port) or (address, port, flow, zone)."""
    text, zone = str(sockaddr[0]), sockaddr[3] if len(sockaddr) > 3 else 0
    return plain(ipaddress.ip_address(f"{text}%{zone}" if zone and "%" not in text else text))


def judge(
    host: str, scope: Scope, scheme: str, privacy: Privacy, allowed: set[str], addresses: Sequence[Address]
) -> None:
    """Raise PrivacyError unless the setting lets words go to these addresses."""
    if scope == "device":
        return
    away = next(in_words(address) for address in addresses if scope_of(address) == scope)
    if privacy == "device":
        raise PrivacyError(
            f"the summary endpoint {host} is at {away}, which is not on this device, and privacy is 'device'; "
            "use a server on this machine, or set privacy to 'lan' or 'cloud' and name the host in allowed_hosts"
        )
    if host not in allowed:
        raise PrivacyError(
            f"the summary endpoint {host} is not on this device; name it in allowed_hosts to let words go there"
        )
    if scope == "cloud" and privacy == "lan":
        raise PrivacyError(
            f"the summary endpoint {host} is at {away}, outside the local network, and privacy is 'lan'"
        )
    if scope == "cloud" and scheme != "https":
        raise PrivacyError(
            f"the summary endpoint {host} is on the open network without TLS; use an https:// address"
        )


def shown(url: str) -> str:
    """A URL for an error message: bounded, and without anything that could be a secret."""
    text = url.split("@")[-1].split("?")[0]
    return repr(text[:80])
