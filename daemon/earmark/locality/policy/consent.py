"""Words leave this device only after a person has said so for exactly this configuration: `earmark privacy allow`.

The ledger's fact `privacy.allowed` holds the fingerprint of what was allowed. Another host, another endpoint or another
privacy setting has another fingerprint, and is asked about again.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
from urllib.parse import urlsplit

from earmark.config import Config

FACT = "privacy.allowed"


def host_away(config: Config) -> str | None:
    """The host outside this device that summaries would be made on; None if words stay here without any lookup.

    A name that is not `localhost` counts as away, wherever it resolves to today.
    """
    endpoint = config.summary.endpoint
    if config.privacy == "device" or endpoint in ("auto", "none"):
        return None
    host = (urlsplit(endpoint).hostname or endpoint).lower()
    if host == "localhost" or host.endswith(".localhost"):
        return None
    try:
        return None if ipaddress.ip_address(host).is_loopback else host
    except ValueError:
        return host


def fingerprint(config: Config) -> str:
    """What is being allowed, as SHA-256 in hex: how far, to which address, to which hosts."""
    said = [
        config.privacy,
        config.summary.endpoint,
        sorted(host.lower() for host in config.summary.allowed_hosts),
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def missing_consent(config: Config, allowed: str | None) -> str | None:
    """Why the words may not go yet, with what to do; None if they may. `allowed`: the fact's value, if there is one."""
    host = host_away(config)
    if host is None or allowed == fingerprint(config):
        return None
    again = "The configuration changed since you allowed it: t" if allowed else "T"
    return (
        f"{again}he words of your recordings would go to {host} (privacy = {config.privacy!r}). "
        "Allow it with: earmark privacy allow"
    )
