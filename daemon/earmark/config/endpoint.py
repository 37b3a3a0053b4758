"""The summary server's address as people paste it: made into a base URL, or refused with what would be right.

Pure; nothing is looked up. Where an address really ends is `locality/policy/endpoint.py`'s to find out.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator

from earmark.config.host import canonical_host, in_url

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

_QUOTES = "\"'`<>(){}" + "".join(
    map(chr, (0xAB, 0xBB, *range(0x2018, 0x2020), 0x2039, 0x203A, *range(0x3008, 0x3012)))
)
"""What people put around an address: straight, curly, angle and corner quotation marks, and brackets that no host has."""

_AFTER = f"{_QUOTES},;.!\u2026\u3001\u3002\uff01\uff0c\uff1a\uff1b"
"""What else comes along behind one, copied out of a sentence or a list."""


def normalized(text: str) -> str:
    """`auto`, `none`, or the base URL that was meant, without anything that is pasted along with one.

    Raises ValueError with a sentence where that cannot be told. A normalized address stays as it is. No sentence holds a
    part of the address that could be a password.
    """
    said = _unwrapped(text)
    if said.lower() in WORDS:
        return said.lower()
    _require_plain(said)
    if "://" not in said:
        said = _with_scheme(said)
    scheme, host, port, path = parts_of(said)
    return f"{scheme}://{in_url(host)}{f':{port}' if port else ''}{_base_path(path, port)}"


def _unwrapped(text: str) -> str:
    """The text without white space, quotation marks and a sentence's punctuation around it."""
    former, said = "", text
    while former != said:
        former, said = said, said.strip().lstrip(_QUOTES).rstrip(_AFTER)
    return said


def parts_of(url: str) -> tuple[str, str, int | None, str]:
    """Scheme, host (as `canonical_host` spells it), port if one is named, and path. Raises ValueError with a sentence."""
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
        host = split.hostname or ""
    except ValueError:
        raise ValueError(f"it is not an address that can be read; {RIGHT}") from None
    if authority.startswith("[") and ":" not in host:
        raise ValueError(f"what stands in the brackets is not an IPv6 address; {RIGHT}")
    try:
        host = canonical_host(host)
    except ValueError as error:
        raise ValueError(f"{error}; {RIGHT}") from None
    if "?" in rest.partition("#")[0]:
        raise ValueError(
            f"it has a part after a question mark, which a base URL cannot have; leave it out: {RIGHT}"
        )
    if any(unquote(part) in (".", "..") for part in split.path.split("/")):
        raise ValueError(
            f"its path goes up and down (. or ..), which servers read in different ways; {RIGHT}"
        )
    return scheme, host, _checked_port(authority, host), split.path


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


def _checked_port(authority: str, host: str) -> int | None:
    text = authority.rpartition("]")[2] if authority.startswith("[") else authority
    _, colon, port = text.rpartition(":")
    if not port or not (colon or authority.startswith("[")):
        return None
    if not colon or not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= 65535:
        raise ValueError(
            f"its port is {port[:12]!r}; a port is a number from 1 to 65535, as in http://{in_url(host)[:60]}:1234/v1"
        )
    return int(port)


def _base_path(path: str, port: int | None) -> str:
    """The path of the base URL; `/v1`, where every known server has its interface, if none was meant."""
    former = ""
    while former != path:
        former, path = path, re.sub(r"/{2,}", "/", path).rstrip(f"/:{_AFTER}")
        if _OLLAMA_ONLY.fullmatch(path) or (port in _NATIVE_PORTS and _NATIVE.fullmatch(path)):
            return "/v1"
        path = _ANSWERS.sub("", path)
    return "/v1" if path.lower() in ("", "/v1") else path


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def host_meant(text: str) -> str:
    """A host in `allowed_hosts`, spelled as the endpoint's is, also where an address was pasted.

    Raises ValueError with a sentence for what names none, which holds no part of what could be a password.
    """
    said = _unwrapped(text)
    right = "write each host as it stands in the address, without patterns"
    if "@" in said:
        raise ValueError(f"it holds a user name or password; {right}")
    first, slash, rest = said.partition("/")
    if slash and rest.isdecimal() and _is_literal(first):
        raise ValueError(f"{said[:60]!r} is a network and names no host; {right}")
    if not said:
        raise ValueError(f"an empty text names no host; {right}")
    try:
        if "*" in said:
            raise ValueError("it is a pattern")
        if ":" in said and _is_literal(said):
            said = f"[{said}]"
        return parts_of(said if "://" in said else f"http://{said}")[1]
    except ValueError as error:
        reason = str(error).partition(f"; {RIGHT}")[0]
        raise ValueError(f"{text[:60]!r} names no host ({reason}); {right}") from None


HostField = Annotated[str, AfterValidator(host_meant)]
"""A pydantic field that holds a host's name or address, as `canonical_host` spells it."""

EndpointField = Annotated[str, AfterValidator(normalized)]
"""A pydantic field that reads a pasted address and holds a base URL, `auto` or `none`."""
