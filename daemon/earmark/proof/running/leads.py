"""Where the configured summary server may be, from what is looked up while the check goes on and what was allowed.

A name may lead to another address each time it is asked for, and a worker keeps what it was told when it was started.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from earmark.config import Config
from earmark.config.endpoint import parts_of
from earmark.locality.confinement.one_address import pinned_addresses
from earmark.locality.policy.addresses import LOCAL_PORTS, Scope, literal
from earmark.locality.policy.consent import consent_in, consented, host_of

EVERY = 5.0
"""Seconds between two lookups of the name, so that a resolver's cache may have run out in between."""


def nameservers(file: Path = Path("/etc/resolv.conf")) -> list[str]:
    """The addresses that resolv.conf(5) names; without any, the C library asks on this machine."""
    try:
        lines = [line.split() for line in file.read_text(errors="replace").splitlines()]
    except OSError:
        lines = []
    named = [line[1].partition("%")[0] for line in lines if line[:1] == ["nameserver"] and len(line) > 1]
    return [str(ip) for name in named if (ip := literal(name))] or ["127.0.0.1"]


@dataclass
class Leads:
    """`consent`: the ledger's fact. `pinned` fills with the addresses and ports that words may go to."""

    config: Config
    consent: str
    pinned: dict[tuple[str, int], None] = field(default_factory=dict)
    resolvers: dict[str, None] = field(default_factory=dict)
    """Whom the C library asks for addresses."""
    _next: float = 0.0

    def look(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Look the endpoint up again, if it is time; less often where an answer takes long."""
        began = clock()
        if began < self._next:
            return
        self.resolvers |= dict.fromkeys(nameservers())
        summary = self.config.summary
        found = pinned_addresses(
            summary.endpoint, self.config.privacy, summary.allowed_hosts, LOCAL_PORTS, consent=self.consent
        )
        self.pinned |= dict.fromkeys(found)
        took = clock() - began
        self._next = clock() + max(EVERY, 20 * took) if self.named else float("inf")

    @property
    def named(self) -> bool:
        """True if the server's address has to be looked up by name."""
        endpoint = self.config.summary.endpoint
        return endpoint not in ("none", "auto") and literal(host_of(endpoint)) is None

    @property
    def within(self) -> tuple[Scope, int] | None:
        """How far away another address of the name may be, and its port. With TLS, where the certificate tells who answers,
        as far as was allowed; None where only the address tells.
        """
        summary = self.config.summary
        if not self.named or not self._is_allowed():
            return None
        scheme, _, port, _ = parts_of(summary.endpoint)
        allowed = consent_in(self.consent)
        return (allowed.scope, port or 443) if scheme == "https" and allowed else None

    @property
    def everywhere(self) -> tuple[tuple[str, int], ...]:
        """Where words may go: what the name led to, and what was allowed by its address, which a worker may still have."""
        allowed = consent_in(self.consent) if self.named and self._is_allowed() else None
        ports = {port for _, port in self.pinned}
        before = [(ip, port) for ip in (allowed.addresses if allowed else ()) for port in ports]
        return tuple(dict.fromkeys([*self.pinned, *before]))

    def _is_allowed(self) -> bool:
        summary = self.config.summary
        return consented(summary.endpoint, self.config.privacy, summary.allowed_hosts, self.consent)
