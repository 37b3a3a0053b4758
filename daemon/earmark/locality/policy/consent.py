"""Words leave this device only after a person has said so for exactly this configuration: `earmark privacy allow`.

Consent goes by address. The ledger's fact `privacy.allowed` holds the fingerprint of the configuration that was allowed,
how far its addresses were away and, because nothing but the address tells who answers without TLS, which ones they
were. Whoever is about to connect asks `refusal` about the addresses that it is going to connect to. What can be said
before any lookup is `missing_consent`: the daemon asks no resolver.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from earmark.config import Config
from earmark.locality.policy.addresses import (
    WIDTH,
    Address,
    Scope,
    in_words,
    is_among,
    literal,
    scope_of,
    widest,
)

FACT = "privacy.allowed"

ALLOW = "Allow it with: earmark privacy allow"


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person allowed. `addresses`: those that were shown; none where the name was unknown then."""

    fingerprint: str
    scope: Scope
    addresses: tuple[str, ...] = ()


def fingerprint_of(privacy: str, endpoint: str, allowed_hosts: Sequence[str]) -> str:
    """What is being allowed, as SHA-256 in hex: how far, to which address, to which hosts."""
    said = [privacy, endpoint, sorted(host.lower() for host in allowed_hosts)]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def fingerprint(config: Config) -> str:
    """The same for a whole configuration."""
    return fingerprint_of(config.privacy, config.summary.endpoint, config.summary.allowed_hosts)


def written(consent: Consent) -> str:
    """Consent as the fact's value."""
    return json.dumps(
        {"fingerprint": consent.fingerprint, "scope": consent.scope, "addresses": list(consent.addresses)}
    )


def consent_in(fact: str | None) -> Consent | None:
    """Consent as it was written down; None without one. Earlier versions wrote the fingerprint alone, and no addresses."""
    if not fact:
        return None
    try:
        said = json.loads(fact)
        return Consent(str(said["fingerprint"]), said["scope"], tuple(map(str, said["addresses"])))
    except (ValueError, KeyError, TypeError):
        return Consent(fact, "cloud")


def consented(endpoint: str, privacy: str, allowed_hosts: Sequence[str], allowed: str | None) -> bool:
    """True if a person allowed words to leave this device for exactly this configuration."""
    consent = consent_in(allowed)
    return consent is not None and consent.fingerprint == fingerprint_of(privacy, endpoint, allowed_hosts)


def is_localhost(host: str) -> bool:
    """Names that stand for this device by their standard (RFC 6761), though a resolver may say otherwise."""
    return host == "localhost" or host.endswith(".localhost")


def host_away(config: Config) -> str | None:
    """The host that a person has to allow before anything is even looked up; None if there is none.

    A literal address is judged. `localhost` and names below it are left to whoever connects, who takes nothing but
    loopback for them without consent. Every other name counts as away, wherever it resolves to today.
    """
    endpoint = config.summary.endpoint
    if config.privacy == "device" or endpoint in ("auto", "none"):
        return None
    host = host_of(endpoint)
    if is_localhost(host):
        return None
    address = literal(host)
    return host if address is None or scope_of(address) != "device" else None


def host_of(endpoint: str) -> str:
    """The host in an address, in lower case; the address itself where it names none."""
    try:
        return (urlsplit(endpoint).hostname or endpoint).lower().rstrip(".")
    except ValueError:
        return endpoint


def missing_consent(config: Config, allowed: str | None) -> str | None:
    """Why the words may not go yet, with what to do; None if they may. `allowed`: the fact's value, if there is one."""
    host = host_away(config)
    if host is None:
        return None
    consent = consent_in(allowed)
    if consent is not None and consent.fingerprint == fingerprint(config):
        return None
    return _sentence(host, config.privacy, changed=consent is not None)


def refusal(
    host: str, addresses: Sequence[Address], *, tls: bool, privacy: str, wanted: str, allowed: str | None
) -> str | None:
    """Why words may not go to these addresses, which are about to be connected to; None if they may.

    `wanted`: the fingerprint of the configuration that is being carried out. With TLS the certificate tells who answers,
    so that addresses may change as long as they are no further away; without, only the address does.
    """
    scope = widest(addresses)
    if scope == "device":
        return None
    consent = consent_in(allowed)
    away = [address for address in addresses if scope_of(address) != "device"]
    shown = ", ".join(in_words(address) for address in away[:4])
    if consent is None or consent.fingerprint != wanted:
        return _sentence(f"{host} at {shown}", privacy, changed=consent is not None)
    if tls:
        if WIDTH[scope] <= WIDTH.get(consent.scope, 0):
            return None
        return f"{host} is at {shown} now, which is further away than what you allowed. {ALLOW}"
    if all(is_among(address, consent.addresses) for address in away):
        return None
    before = (
        ", ".join(str(literal(text) or text) for text in consent.addresses[:4]) or "no address that was known"
    )
    return (
        f"{host} is at {shown} now; you allowed it at {before}, and without TLS only the address tells who answers. "
        f"{ALLOW}"
    )


def _sentence(where: str, privacy: str, *, changed: bool) -> str:
    again = "The configuration changed since you allowed it: t" if changed else "T"
    return f"{again}he words of your recordings would go to {where} (privacy = {privacy!r}). {ALLOW}"
