"""The only way a summary request may travel: to the one pinned address, without proxies, redirects or a second lookup.

The openai client trusts proxy variables, macOS system proxies, `.netrc`, `OPENAI_*` variables and redirects. All of
that is off here, and the transport itself refuses a request for any other address, whoever built it.
"""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import MutableMapping
from contextlib import suppress

import httpx2
from openai import DefaultHttpxClient, OpenAI

from earmark.errors import PrivacyError
from earmark.locality.confinement.bounds import BoundedBackend, Bounds, bounded, pool
from earmark.locality.confinement.doorway import dial
from earmark.locality.policy.endpoint import Pinned

CONNECT_TIMEOUT = 5.0
"""Seconds for a TCP (and TLS) handshake; a loopback server answers in under a millisecond."""


APPLES_LIST = "/etc/ssl/cert.pem"
"""Authorities that macOS vouches for, as a file for libraries that cannot ask its services (LibreSSL's, curl's)."""

WHOLE = "earmark.whole"
"""A request's extension: seconds that the answer may take in all."""


class PinnedTransport(httpx2.HTTPTransport):
    """Connects to one address and port; every other request is a PrivacyError before a packet leaves."""

    def __init__(self, pinned: Pinned, timeout: float) -> None:
        context = authorities()
        super().__init__(verify=context, trust_env=False, proxy=None)
        self.pinned = pinned
        self._timeout = timeout
        self._bounds = BoundedBackend()
        self._pool = pool(context, self._bounds)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        url = httpx2.URL(self.pinned.base_url)
        if (request.url.scheme, request.url.host, request.url.port) != (url.scheme, url.host, url.port):
            raise PrivacyError(
                f"a request for {request.url.host} was stopped: only {self.pinned.host} was checked"
            )
        request.headers["Host"] = self.pinned.host_header
        request.headers["Accept-Encoding"] = "identity"  # what is packed has no size that could be held to
        if url.scheme == "https":
            request.extensions = {**request.extensions, "sni_hostname": self.pinned.host}
        bounds = self._bounds_of(request)
        self._bounds.begin(bounds)
        return bounded(super().handle_request(request), bounds)

    def _bounds_of(self, request: httpx2.Request) -> Bounds:
        """A question about the server itself says how long it may take in all; what is asked of a model takes longer."""
        if (whole := request.extensions.get(WHOLE)) is not None:
            return Bounds.of_question(whole)
        return Bounds.of_answer(self._timeout)


def authorities(system: str = sys.platform) -> ssl.SSLContext:
    """What a server's certificate is checked by: the authorities of this machine, and none that the environment names.

    On macOS httpx2 leaves that to the system (truststore), and so to trustd, which nobody may ask who holds words: what a
    certificate names, it fetches. There it is the list of Python's OpenSSL, or else Apple's; the keychain is not known.
    """
    if system != "darwin":
        return httpx2.create_ssl_context(trust_env=False)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    paths = ssl.get_default_verify_paths()
    with suppress(OSError):
        context.load_verify_locations(capath=paths.openssl_capath)
    for file in (paths.openssl_cafile, APPLES_LIST):
        with suppress(
            OSError
        ):  # a Python from python.org has none until somebody runs its "Install Certificates"
            context.load_verify_locations(cafile=file)
            break
    return context


def http_client(pinned: Pinned, timeout: float) -> httpx2.Client:
    """A client for the endpoint. `timeout`: seconds without a single byte before the server counts as hung."""
    # isinstance-compatible with what the openai client expects; mypy sees an alias of httpx2.Client.
    return DefaultHttpxClient(
        transport=PinnedTransport(pinned, timeout),
        trust_env=False,
        follow_redirects=False,
        timeout=httpx2.Timeout(timeout, connect=CONNECT_TIMEOUT),
    )


def openai_client(pinned: Pinned, api_key: str, http: httpx2.Client) -> OpenAI:
    """An OpenAI client on `http` that takes nothing from the environment and never retries by itself."""
    return OpenAI(
        base_url=pinned.base_url,
        api_key=api_key or "none",
        organization=None,
        project=None,
        max_retries=0,
        http_client=http,
    )


def forget_environment(environ: MutableMapping[str, str] = os.environ) -> None:
    """Drop the variables that could redirect, log or add headers to a request, before openai reads any of them."""
    for name in list(environ):
        upper = name.upper()
        if upper.startswith(("OPENAI_", "AZURE_OPENAI_")) or upper.endswith("_PROXY"):
            del environ[name]


def listening(pinned: Pinned, timeout: float = CONNECT_TIMEOUT) -> Pinned | None:
    """The endpoint on the first of its addresses that accepts a connection, or None if none does.

    Raises PrivacyError where a loopback address is another machine's.
    """
    for ip in (pinned.ip, *pinned.others):
        try:
            with dial(ip, pinned.port, timeout):
                return pinned.at(ip)
        except OSError:
            continue
    return None
