"""Where the configured endpoint ends: looked up, judged and held against what a person allowed, all on the same addresses.

`permitted` is what a connection is made with. `destination` is the same question for the page and for the verb that asks
for consent, with whatever the answer is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from earmark.config import Config
from earmark.errors import PrivacyError
from earmark.locality.policy.addresses import Scope, in_words, literal, scope_of
from earmark.locality.policy.consent import fingerprint, fingerprint_of, host_of, refusal
from earmark.locality.policy.endpoint import NameNotFound, Pinned, Privacy, Resolver, resolve_endpoint


def permitted(
    endpoint: str,
    privacy: Privacy,
    allowed_hosts: Iterable[str],
    consent: str,
    resolver: Resolver | None = None,
) -> Pinned:
    """The endpoint's addresses, looked up once, if words may go to every one of them.

    `consent`: the ledger's fact `privacy.allowed`, "" without one. Raises PrivacyError with a sentence where the setting or
    the missing consent forbids it, NameNotFound if the name does not resolve.
    """
    hosts = tuple(allowed_hosts)
    pinned = resolve_endpoint(endpoint, privacy, hosts, resolver)
    reason = refusal(
        pinned.host,
        pinned.addresses,
        tls=pinned.tls,
        privacy=privacy,
        wanted=fingerprint_of(privacy, endpoint, hosts),
        allowed=consent,
    )
    if reason is not None:
        raise PrivacyError(reason)
    return pinned


@dataclass(frozen=True, slots=True)
class Destination:
    """Where words would go. `scope`: None where the name is not known now. `addresses`: those away from this device.

    `refused`: the sentence of the setting that forbids it, else "". `allowed`: nothing is missing for words to go there.
    """

    host: str
    scope: Scope | None = None
    addresses: tuple[str, ...] = ()
    shown: str = ""
    refused: str = ""
    allowed: bool = False

    @property
    def named(self) -> str:
        """The host with its addresses, where they are not the host itself."""
        return self.host if not self.shown or self.shown == self.host else f"{self.host} ({self.shown})"


def destination(config: Config, consent: str | None, resolver: Resolver | None = None) -> Destination | None:
    """Where summaries would be made with this configuration; None without a server. Asks the resolver for a name."""
    summary = config.summary
    if summary.endpoint == "none":
        return None
    if summary.endpoint == "auto":
        return Destination("127.0.0.1", "device", allowed=True)
    host = host_of(summary.endpoint)
    try:
        pinned = resolve_endpoint(summary.endpoint, config.privacy, summary.allowed_hosts, resolver)
    except NameNotFound:
        return Destination(host)
    except PrivacyError as error:
        return Destination(host, refused=str(error))
    away = [address for address in pinned.addresses if scope_of(address) != "device"]
    reason = refusal(
        host,
        pinned.addresses,
        tls=pinned.tls,
        privacy=config.privacy,
        wanted=fingerprint(config),
        allowed=consent,
    )
    return Destination(
        host,
        pinned.scope,
        tuple(str(address) for address in away),
        ", ".join(in_words(address) for address in away[:4]),
        allowed=reason is None,
    )


def not_looked_up(config: Config) -> Destination | None:
    """What can be said without asking anybody: literal addresses are judged, a name is not known."""
    summary = config.summary
    if summary.endpoint in ("auto", "none") or literal(host_of(summary.endpoint)) is not None:
        return destination(config, None)
    return Destination(host_of(summary.endpoint))
