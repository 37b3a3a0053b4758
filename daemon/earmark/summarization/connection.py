"""From what the configuration says to a model that answers: find the server, pin it, pick the model, ask where it runs."""

from __future__ import annotations

import re
import ssl
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx2

from earmark.errors import PrivacyError
from earmark.locality.confinement.bounds import Unbounded
from earmark.locality.confinement.doorway import dial
from earmark.locality.confinement.transport import (
    WHOLE,
    forget_environment,
    http_client,
    listening,
    openai_client,
)
from earmark.locality.policy import forwarding
from earmark.locality.policy.addresses import LOCAL_PORTS as PORTS
from earmark.locality.policy.consent import ALLOW, consented
from earmark.locality.policy.destination import permitted
from earmark.locality.policy.endpoint import NameNotFound, Pinned, Privacy
from earmark.locality.policy.forwarding import ask_endpoint, ask_listener
from earmark.summarization.answer import clean
from earmark.summarization.completion import Chat
from earmark.summarization.dialect import Dialect
from earmark.summarization.engine import EndpointFault
from earmark.summarization.servers import (
    Ask,
    Model,
    Reply,
    Server,
    context_of,
    exact_counter,
    identify,
    pick_model,
    rows,
)
from earmark.summarization.streaming import NO_TLS, NO_TRUST, NOTHING, WEB_PAGE, NotAnAnswer, kind_of, parsed
from earmark.summarization.window import Meter

ASK_TIMEOUT = 10.0
"""Seconds for a question about the server itself; a busy one may take a while, a list is never long work."""

ELSEWHERE = "wants to send requests on to another address; that is not followed"

HOPELESS = (WEB_PAGE, ELSEWHERE, NO_TLS, NO_TRUST)
"""Faults of a list of models after which no model is asked for, whatever its name. Some servers have no list at all."""


_METERS: dict[tuple[str, str, str], Meter] = {}
"""By base URL, model and language. Numbers only."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A model that can be talked to. `window`: its context in tokens, 0 unknown. `locality`: as in `domain.Summary`."""

    pinned: Pinned
    server: Server
    model: Model
    chat: Chat
    ask: Ask
    window: int
    locality: str

    @property
    def made_at(self) -> str:
        return "this device" if self.pinned.scope == "device" else self.pinned.host

    @property
    def shown_model(self) -> str:
        """The model's name for people: llama.cpp calls a model by the path of its file."""
        name = clean(self.model.id, 120)
        return re.split(r"[/\\]", name)[-1] if name.lower().endswith(".gguf") else name

    @property
    def slots(self) -> int:
        """Requests that the server works on at once; one unless it says more."""
        return max(1, self.server.slots)

    def meter(self, language: str = "") -> Meter:
        """What counts tokens for this model and a language. What one recording taught serves the next ones, for as long
        as the worker lives: German words in an English model's tokens are another ratio than English ones.
        """
        key = (self.pinned.base_url, self.model.id, language)
        meter = _METERS.setdefault(key, Meter())
        meter.exact = exact_counter(self.server, self.ask)
        return meter

    def window_now(self) -> int:
        """The window as the server tells it now that the model is loaded; 0 if it does not."""
        return context_of(self.server, self.model, self.ask)


def connect(
    endpoint: str,
    model: str = "auto",
    api_key: str = "",
    privacy: Privacy = "device",
    allowed_hosts: Sequence[str] = (),
    timeout: float = 600.0,
    consent: str = "",
    ports: Sequence[int] = PORTS,
) -> Connection:
    """Find the server that the configuration means and a model on it.

    `endpoint` is "auto" (loopback only, whatever `privacy` says) or a base URL. Raises EndpointFault with a sentence
    if nothing answers or there is no model, PrivacyError if the words would leave the device without permission.
    """
    forget_environment()
    if endpoint != "auto":
        return connect_to(endpoint, model, api_key, privacy, allowed_hosts, timeout, consent)
    seen: list[str] = []
    for port in ports:
        if not open_on_loopback(port):
            continue
        try:
            found = connect_to(f"http://127.0.0.1:{port}/v1", model, api_key, "device", (), timeout)
            if found.server.models:
                return found
            # Words go only to what has shown itself to be a model server, not to whatever listens on port 8000.
            seen.append(f"{found.chat.where} lists no models")
        except (EndpointFault, PrivacyError) as error:
            # Something else may live on this port, or a server without a usable model; the next one may do.
            seen.append(str(error))
    if seen:
        raise EndpointFault("; ".join(dict.fromkeys(seen))[:600])
    looked = ", ".join(str(port) for port in ports)
    raise EndpointFault(f"no summary server answers on this device (looked at the ports {looked})")


def connect_to(
    url: str,
    model: str,
    api_key: str,
    privacy: Privacy,
    allowed_hosts: Sequence[str],
    timeout: float,
    consent: str = "",
) -> Connection:
    try:
        pinned = permitted(url, privacy, allowed_hosts, consent)
    except NameNotFound as error:
        raise EndpointFault(str(error)) from None
    reached = listening(pinned)
    if reached is None:
        raise EndpointFault(unanswered(pinned))
    http = http_client(reached, timeout)
    ask = asker(http, reached, api_key)
    reached, server = identified(reached, ask)
    if server.fault and (model == "auto" or server.fault in HOPELESS):
        raise EndpointFault(f"what listens at {reached.host} port {reached.port} {server.fault}")
    where = f"{server.name} at {reached.host} port {reached.port}"
    if server.locked:
        wanted = "refuses the API key that is set" if api_key else "wants an API key"
        raise EndpointFault(f"{where} {wanted}; set api_key_file in the [summary] section")
    picked = pick_model(server, model, local_only=privacy != "cloud")
    if picked is None:
        raise EndpointFault(f"{where} has no chat model; load one, or name it in the [summary] section")
    handing_on_is_allowed = privacy == "cloud" and consented(url, privacy, allowed_hosts, consent)
    locality = locality_of(reached, server, picked, ask, privacy, handing_on_is_allowed)
    client = openai_client(reached, api_key, http)
    chat = Chat(client, picked.id, server.kind, where, Dialect.of(server.kind), timeout)
    return Connection(reached, server, picked, chat, ask, picked.context, locality)


def unanswered(pinned: Pinned, system: str = sys.platform) -> str:
    """The sentence for an address at which nothing answers. Since macOS 15 what launchd has started is refused every other
    machine of the same network, at once and as if nobody were there, while the same program in a terminal reaches it
    ("No route to host"; NousResearch/hermes-agent#57812, cdzombak/runner#4).
    """
    said = f"no summary server answers at {pinned.host} port {pinned.port}"
    if system == "darwin" and pinned.scope == "lan":
        said += (
            "; if `earmark summary test` in a terminal finds it, macOS keeps the service from the local network: allow"
            " Python under System Settings, Privacy & Security, Local Network, or let `earmark run` work in a terminal"
        )
    return said


def identified(pinned: Pinned, ask: Ask) -> tuple[Pinned, Server]:
    """The server, and the base URL below which its interface is: where the configured path has none, the usual one."""
    path = httpx2.URL(pinned.base_url).path
    if path != "/v1":
        # What a server lists at addresses of its own says nothing about this path.
        listing = ask(path + "/models")
        locked = listing is not None and listing.status in (401, 403)
        if not locked and not rows(listing, "data") and rows(ask("/v1/models"), "data"):
            pinned, path = replace(pinned, base_url=pinned.root_url + "/v1"), "/v1"
    return pinned, identify(ask, path + "/models")


def locality_of(
    pinned: Pinned, server: Server, model: Model, ask: Ask, privacy: Privacy, allowed: bool = False
) -> str:
    """Where the words really go, for `Summary.locality`. Raises PrivacyError where that is further than allowed.

    `allowed`: a person has allowed the cloud for exactly this configuration.
    """
    if pinned.scope == "cloud":
        return "cloud"
    # LM Studio's tool speaks for the LM Studio of this machine only.
    link_status = None if pinned.scope == "device" else (lambda: None)
    try:
        verdict = ask_endpoint(server.kind, model.id, ask, link_status)
        if pinned.scope == "device":
            where = f"{pinned.host} port {pinned.port}"
            verdict = ask_listener(
                forwarding.who_listens(pinned.ip, pinned.port), server.kind, verdict, where
            )
    except PrivacyError:
        if privacy != "cloud":
            raise
        if not allowed:
            raise PrivacyError(
                f"{server.name} at {pinned.host} port {pinned.port} is on this device and would hand the words of your "
                f"recordings on to somewhere else, which you have not allowed. {ALLOW}"
            ) from None
        # The user allows the cloud; that this server leads there is said in the note all the same.
        return "cloud"
    return verdict if pinned.scope == "device" else pinned.scope


def asker(http: httpx2.Client, pinned: Pinned, api_key: str) -> Ask:
    """The function that asks native addresses: short timeout, bounded answers, no exceptions."""
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    options: dict[str, Any] = {
        "headers": headers,
        "timeout": httpx2.Timeout(ASK_TIMEOUT),
        "extensions": {WHOLE: ASK_TIMEOUT},
    }

    def ask(path: str, body: Any = None) -> Reply | None:
        method = "GET" if body is None else "POST"
        try:
            with http.stream(method, pinned.root_url + path, json=body, **options) as answer:
                return reply(answer.status_code, answer.read())
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            fault = tls_fault(error)
            return Reply(0, fault=fault) if fault else None
        except Unbounded as fault:
            return Reply(0, fault=str(fault))

    return ask


def tls_fault(error: BaseException) -> str:
    """What is wrong with a server's TLS, to go on after its name; "" if it is something else."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return NO_TRUST
        if isinstance(cause, ssl.SSLError):
            return NO_TLS
        cause = cause.__cause__ or cause.__context__
    return ""


def reply(status: int, data: bytes) -> Reply:
    """An answer to a question, with what is wrong with it if it is none."""
    if 300 <= status < 400:
        return Reply(status, fault=ELSEWHERE)
    try:
        return Reply(status, parsed(data), _failed(status))
    except NotAnAnswer as fault:
        said = {"page": WEB_PAGE, "nothing": NOTHING}.get(kind_of(data), str(fault))
        return Reply(status, fault=said if status == 200 else _failed(status))


def _failed(status: int) -> str:
    """That a server's own address is not there, or broken, is no word about its models."""
    if status in (404, 405):
        return f"has nothing at its address (HTTP {status}); is it right?"
    return f"failed (HTTP {status})" if status >= 500 else ""


def open_on_loopback(port: int, timeout: float = 0.5) -> bool:
    """True if something on 127.0.0.1, and of this machine, accepts a connection at this port."""
    try:
        with dial("127.0.0.1", port, timeout):
            return True
    except (OSError, PrivacyError):
        return False
