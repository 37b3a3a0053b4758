"""The summary server's address as people paste it: made into a base URL, or refused with what would be right.

Pure; nothing is looked up. Where an address really ends is `locality/policy/endpoint.py`'s to find out.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

RIGHT = "right would be something like http://localhost:1234/v1"

WORDS = ("auto", "none")
"""What may stand in the place of an address."""

_ANSWERS = re.compile(
    r"/(?:chat/completions|completions|chat|models|embeddings|responses)(?:/.*)?\Z", re.IGNORECASE
)
"""What people copy along with the base URL: one of the interface's own addresses, below it."""

_NATIVE = re.compile(
    r"/api(?:/(?:generate|chat|tags|show|ps|version|status|embed|embeddings|pull|push|create|copy|delete|blobs)"
    r"(?:/.*)?)?\Z|/api/v[01](?:/.*)?\Z",
    re.IGNORECASE,
)
"""Addresses of Ollama's own interface (`/api/...`) and of LM Studio's (`/api/v0`, `/api/v1`), which are not OpenAI's."""

_OLLAMA_ONLY = re.compile(
    r"/api/(?:generate|tags|show|ps|version|status|embed|embeddings|pull|push|create|copy|delete|blobs)(?:/.*)?\Z"
    r"|/api/chat\Z",
    re.IGNORECASE,
)
"""Those that nobody else has, whatever the port."""

_NATIVE_PORTS = (1234, 11434)
"""LM Studio's and Ollama's: what is below `/api` there is theirs. Elsewhere it may be OpenAI's (Open WebUI, OpenRouter)."""


def normalized(text: str) -> str:
    """`auto`, `none`, or the base URL that was meant, without anything that is pasted along with one.

    Raises ValueError with a sentence where that cannot be told. A normalized address stays as it is. No sentence holds a
    part of the address that could be a password.
    """
    said = text.strip().strip("\"'<>`").strip()
    if said.lower() in WORDS:
        return said.lower()
    _require_plain(said)
    if "://" not in said:
        said = _with_scheme(said)
    scheme, host, port, path = parts_of(said)
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}{f':{port}' if port else ''}{_base_path(path, port)}"


def parts_of(url: str) -> tuple[str, str, int | None, str]:
    """Scheme, host (lower case, without brackets), port if one is named, and path. Raises ValueError with a sentence."""
    _require_plain(url)
    scheme, _, rest = url.strip().partition("://")
    scheme = scheme.lower()
    if not rest or scheme not in ("http", "https"):
        kind = f"{scheme[:20]}://" if rest else "what it begins with"
        if "unix" in scheme:
            raise ValueError(
                f"a Unix socket cannot be used; let the server listen on 127.0.0.1 and name its port: {RIGHT}"
            )
        raise ValueError(f"{kind} is not http:// or https://; {RIGHT}")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        raise ValueError(
            "it holds a user name or password; take it out, put the key into a file and name that as api_key_file"
        )
    if authority.count(":") > 1 and not authority.startswith("["):
        raise ValueError("an IPv6 address is written in brackets: http://[::1]:1234/v1")
    try:
        split = urlsplit(f"{scheme}://{rest}")
        host = (split.hostname or "").lower().rstrip(".")
    except ValueError:
        raise ValueError(f"it is not an address that can be read; {RIGHT}") from None
    if not host:
        raise ValueError(f"it names no host; {RIGHT}")
    if "?" in rest.partition("#")[0]:
        raise ValueError(
            f"it has a part after a question mark, which a base URL cannot have; leave it out: {RIGHT}"
        )
    return scheme, _checked_host(host), _checked_port(authority, host), split.path


def _require_plain(text: str) -> None:
    if not text.strip():
        raise ValueError(
            f'it is empty; write "none" for no server, "auto" to look for one, or an address: {RIGHT}'
        )
    if any(c.isspace() or not c.isprintable() or c == "\\" for c in text.strip()):
        raise ValueError(f"it holds a space, a backslash or a character that cannot be seen; {RIGHT}")


def _with_scheme(said: str) -> str:
    """An address without `http://`: clear for this device and for literal addresses, a question for a name."""
    authority = said.split("/", 1)[0].split("@")[-1]
    if re.match(r"https?:", said, re.IGNORECASE) or re.match(r"https?/", said, re.IGNORECASE):
        raise ValueError(f"there should be :// after http; {RIGHT}")
    if authority.count(":") > 1 and not authority.startswith("["):
        return f"http://{said}"
    host = authority[1:].partition("]")[0] if authority.startswith("[") else authority.partition(":")[0]
    if host.lower() == "localhost" or _is_literal(host) or "@" in said:
        return f"http://{said}"
    if "unix" in host.lower() or said.startswith("/"):
        return f"unix://{said}"
    raise ValueError(f"it does not say http:// or https:// in front, and both are possible; {RIGHT}")


def _checked_host(host: str) -> str:
    if "%" in host:
        raise ValueError(
            "an address with a zone (the part after %) cannot be used; give the server an address without one"
        )
    if not host.isascii():
        try:
            host = host.encode("idna").decode()  # as every resolver and every HTTP client wants it
        except UnicodeError:
            raise ValueError(f"it names a host that cannot be one; {RIGHT}") from None
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if ":" in host:
            raise ValueError(f"what stands in the brackets is not an IPv6 address; {RIGHT}") from None
        if re.search(r"[\[\]<>\"'`{}|^,;!$&()*+=]", host):
            raise ValueError(f"it names a host that cannot be one; {RIGHT}") from None
        return host
    if address.is_unspecified:
        raise ValueError(
            f"{host} is where a server listens and not where it is reached; write localhost or its own address"
        )
    return str(address)


def _checked_port(authority: str, host: str) -> int | None:
    text = authority.rpartition("]")[2] if authority.startswith("[") else authority
    _, colon, port = text.rpartition(":")
    if not port or not (colon or authority.startswith("[")):
        return None
    if not colon or not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= 65535:
        raise ValueError(
            f"its port is {port[:12]!r}; a port is a number from 1 to 65535, as in http://{host[:60]}:1234/v1"
        )
    return int(port)


def _base_path(path: str, port: int | None) -> str:
    """The path of the base URL; `/v1`, where every known server has its interface, if none was meant."""
    path = re.sub(r"/{2,}", "/", path).rstrip("/")
    if _OLLAMA_ONLY.fullmatch(path) or (port in _NATIVE_PORTS and _NATIVE.fullmatch(path)):
        return "/v1"
    base = _ANSWERS.sub("", path)
    if base.lower() in ("", "/v1"):
        return "/v1"
    if port in _NATIVE_PORTS and _NATIVE.fullmatch(base):
        return "/v1"
    return base


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def host_meant(text: str) -> str:
    """A host as `allowed_hosts` names it, also where an address was pasted. Raises ValueError for what names none."""
    said = text.strip().lower()
    if "://" in said:
        return parts_of(said)[1]
    host = (
        said.strip("[]")
        if _is_literal(said.strip("[]"))
        else said.partition("/")[0].partition(":")[0].rstrip(".")
    )
    if not host or "*" in host:
        raise ValueError(
            f"{text[:60]!r} names no host; write each host as it stands in the address, without patterns"
        )
    return host


HostField = Annotated[str, AfterValidator(host_meant)]
"""A pydantic field that holds a host's name or address, in lower case."""

EndpointField = Annotated[str, AfterValidator(normalized)]
"""A pydantic field that reads a pasted address and holds a base URL, `auto` or `none`."""
