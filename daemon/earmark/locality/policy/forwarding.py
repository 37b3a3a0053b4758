"""Does a server on this device do the work itself, or hand the words on? It is asked, and believed only in part.

A loopback address proves where the connection ends and nothing more: `ssh -L` listens there, Ollama serves cloud models,
LM Studio models of linked devices (LM Link), LocalAI a `cloud-proxy` backend and peers. What cannot be found out is
called unverified.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol
from urllib.parse import quote

from earmark.errors import PrivacyError
from earmark.locality.confinement import listener

Verdict = Literal["device", "unverified"]

LMS_TIMEOUT = 5.0
"""Seconds for the `lms` tool; it asks a running LM Studio over a local socket."""


class Said(Protocol):
    """A server's answer: HTTP status and parsed JSON body (None if it was not JSON)."""

    @property
    def status(self) -> int: ...
    @property
    def body(self) -> Any: ...


Ask = Callable[..., Said | None]
"""`ask(path, json=None)` relative to the server's root; a POST where there is a body; None if nothing came back."""

LinkStatus = Callable[[], Any]
"""What `lms link status --json` said, parsed; None if it could not be asked."""


TUNNELS = frozenset(
    (
        "ssh", "autossh", "sshd", "sshd-session", "dropbear", "dbclient", "plink", "sshuttle", "chisel", "frpc", "ngrok",
        "cloudflared", "tailscaled", "tailscale", "zerotier-one", "kubectl", "oc", "wireproxy", "inlets", "rathole",
        "devtunnel", "gost",
    )
)  # fmt: skip
"""Programs that listen at a port of this device for no other purpose than to reach another one."""

RELAYS = frozenset(
    (
        "docker-proxy", "rootlessport", "slirp4netns", "passt", "pasta", "gvproxy", "vpnkit", "com.docker.backend", "conmon",
        "qemu-system-x86_64", "qemu-system-aarch64", "wslrelay", "nginx", "haproxy", "caddy", "traefik", "envoy", "squid",
        "socat", "ncat", "nc", "netcat", "stunnel", "stunnel4", "ghostunnel", "xinetd", "systemd", "systemd-socket-proxyd",
        "rinetd", "redir", "tinyproxy", "mitmproxy", "mitmdump", "mitmweb", "litellm",
    )
)  # fmt: skip
"""Programs that hand connections on, into a container, a virtual machine, or anywhere: where to does not show."""

SERVERS = {"ollama": "ollama", "lm-studio": "lm studio", "localai": "local-ai"}
"""What a kind of server is called as a program, for those that say where a model runs."""

Listener = Mapping[str, Any]
"""As `confinement.listener.who_listens` gives it: `names` of the program, whether it is `certain` that it is the one, and
if not, `mentions`: programs that were started with this port's number."""


def ask_listener(found: Listener | None, kind: str, verdict: Verdict, where: str) -> Verdict:
    """What the program that listens means for a server's own verdict. Raises PrivacyError for a tunnel.

    A server may well do the work itself and be at the other end of a tunnel: "device" is believed only of a program that
    is known to be no tunnel, or that runs as a user of its own together with a server of this kind.
    """
    names = [str(name) for name in found["names"]] if found else []
    suspects = (
        names if found and found.get("certain") else [str(n) for n in (found or {}).get("mentions", ())]
    )
    if tunnel := next((name for name in suspects if name in TUNNELS), None):
        raise PrivacyError(
            f"{where} is held by {tunnel}, which hands connections on to another machine, and "
            "privacy does not allow that; end it, or name the server itself with privacy = 'lan' or 'cloud'"
        )
    if not found or any(name in TUNNELS or name in RELAYS for name in names):
        return "unverified"
    if not found.get("certain") and SERVERS.get(kind) not in names:
        return "unverified"
    return verdict


def who_listens(ip: str, port: int) -> Listener | None:
    """The program at a port of this device; a confined worker has another process look (one_address.py)."""
    return listener.who_listens(ip, port)


def ask_endpoint(kind: str, model: str, ask: Ask, link_status: LinkStatus | None = None) -> Verdict:
    """Whether this model on this loopback server runs on this device.

    `kind`: as `summarization.servers` names them ("ollama", "lm-studio", "localai", "llama.cpp", ...). Returns
    "device" if the server says so in a way that can be believed, "unverified" if nothing can be known. Raises
    PrivacyError, with the sentence that tells what to turn off, if the words would leave.
    """
    if kind == "ollama":
        return ask_ollama(model, ask)
    if kind == "lm-studio":
        return ask_lm_studio(link_status or lms_link_status)
    if kind == "localai":
        return ask_localai(model, ask)
    # llama.cpp's --rpc and the insides of any other server do not show in what it can be asked.
    return "unverified"


def ask_ollama(model: str, ask: Ask) -> Verdict:
    """Cloud models by name, by `remote_host` in show and tags; `/api/status` says whether the cloud is off at all."""
    refusal = (
        f"the Ollama model {model!r} runs in the cloud and privacy is 'device'; "
        "choose a local model, or turn cloud models off with OLLAMA_NO_CLOUD=1"
    )
    if re.search(r"(?::|-)cloud$", model):
        raise PrivacyError(refusal)
    status = body_of(ask("/api/status"))
    off = isinstance(status.get("cloud"), Mapping) and status["cloud"].get("disabled") is True
    shown = body_of(ask("/api/show", {"model": model}))
    if shown.get("remote_host") or shown.get("remote_model"):
        raise PrivacyError(refusal)
    tags = body_of(ask("/api/tags")).get("models")
    for row in tags if isinstance(tags, list) else []:
        named = isinstance(row, Mapping) and model in (row.get("model"), row.get("name"))
        if named and (row.get("remote_host") or row.get("remote_model")):
            raise PrivacyError(refusal)
    if off or shown:
        return "device"
    return "unverified"


def ask_lm_studio(link_status: LinkStatus) -> Verdict:
    """LM Link, by LM Studio's own command-line tool: with it, a localhost request may be served by another device."""
    status = link_status()
    if not isinstance(status, Mapping):
        return "unverified"
    state = str(status.get("status", status.get("state", ""))).lower()
    if status.get("enabled") is False or state in (
        "disabled",
        "off",
        "offline",
        "disconnected",
        "not-connected",
    ):
        return "device"
    others = status.get("devices", status.get("peers"))
    if status.get("enabled") is True or state in ("enabled", "on", "online", "connected") or others:
        if isinstance(others, list) and not others:
            return "device"
        raise PrivacyError(
            "LM Studio is linked to other devices (LM Link), so that a request to localhost may be answered elsewhere, "
            "and privacy is 'device'; turn LM Link off in LM Studio or with `lms link disable`"
        )
    return "unverified"


def ask_localai(model: str, ask: Ask) -> Verdict:
    """LocalAI's model configuration names its backend; `cloud-proxy` hands requests on, and so do peers."""
    config = body_of(ask(f"/api/models/config-json/{quote(model, safe='')}"))
    backend = str(config.get("backend", ""))
    if "cloud-proxy" in backend:
        raise PrivacyError(
            f"the LocalAI model {model!r} has the backend cloud-proxy, which sends words elsewhere, and privacy is "
            "'device'; choose a model with a local backend"
        )
    peers = body_of(ask("/api/p2p"))
    if any(peers.get(key) for key in ("nodes", "federated_nodes", "llama_cpp_nodes", "workers")):
        raise PrivacyError(
            "LocalAI shares its work with other machines (--p2p) and privacy is 'device'; start it without --p2p"
        )
    return "device" if backend else "unverified"


def body_of(answer: Said | None) -> Mapping[str, Any]:
    """The JSON object of a successful answer, empty for every other."""
    if answer is None or answer.status != 200 or not isinstance(answer.body, Mapping):
        return {}
    return answer.body


def lms_tool() -> str | None:
    """Where LM Studio's command-line tool is, if it is installed. One where nobody may look cannot be run either."""
    usual = os.path.expanduser("~/.lmstudio/bin/lms")  # noqa: PTH111 - never raises
    there = os.path.isfile(usual)  # noqa: PTH113 - false, too, where nobody may look
    return shutil.which("lms") or (usual if there else None)


def lms_link_status() -> Any:
    """Ask LM Studio's `lms` tool, if it is installed, about LM Link."""
    tool = lms_tool()
    if tool is None:
        return None
    try:
        done = subprocess.run(
            [tool, "link", "status", "--json"],
            capture_output=True,
            timeout=LMS_TIMEOUT,
            check=True,
            stdin=subprocess.DEVNULL,
        )
        return json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
