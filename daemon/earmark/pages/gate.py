"""Who is let in: asked of each request before anything else is done with it.

The port is open to whatever runs on this device, and to each site that its owner's browser shows. A site that has its own
name lead to 127.0.0.1 (DNS rebinding) is told by the Host header, one that has the browser ask by Origin and Sec-Fetch-Site,
a program of another user by the cookie that it lacks. What is refused is refused without waiting for its body.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any, NamedTuple

from earmark.verbs.pages_at import Key, is_same

COOKIE = "earmark"

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

METHODS = ("GET", "HEAD")

LONGEST_TARGET = 4_000
"""Characters of a path with its query; the longest that a page links to has some 1,200."""

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; media-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
"""What goes with each answer: nothing is loaded from elsewhere, nobody frames it, the browser keeps no word in its cache."""


class Refusal(NamedTuple):
    """Why a request is not answered."""

    status: int
    sentence: str


def refusal(
    method: str, target: str, headers: Iterable[tuple[bytes, bytes]], key: Key, port: int
) -> Refusal | None:
    """Why this request is refused; None if it is not. `target`: its path and query. Pure."""
    given: dict[str, list[str]] = {}
    for name, value in headers:
        given.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    hosts = {f"127.0.0.1:{port}", f"localhost:{port}", *(("127.0.0.1", "localhost") if port == 80 else ())}
    if len(given.get("host", ())) != 1 or given["host"][0].lower() not in hosts:
        return Refusal(421, "This is not the host that these pages are at.")
    if method not in METHODS:
        return Refusal(405, "These pages can be read only.")
    if "transfer-encoding" in given or given.get("content-length", ["0"]) != ["0"]:
        return Refusal(413, "A request to these pages has no body.")
    if len(target) > LONGEST_TARGET:
        return Refusal(414, "The address is too long.")
    if _is_from_elsewhere(given, hosts):
        return Refusal(403, "Another site asked for this.")
    path = target.partition("?")[0]
    if path == f"/{key.place}/enter":
        return None  # it has a seal in the place of the cookie
    if not path.startswith(f"/{key.place}/") or not _has_cookie(given, key):
        return Refusal(403, "These pages are opened with the link that `earmark open` prints.")
    return None


def _is_from_elsewhere(given: dict[str, list[str]], hosts: set[str]) -> bool:
    """Whether a page of another origin has the browser ask. Another port of this device is another origin."""
    host = given["host"][0].lower()
    if any(origin.lower() != f"http://{host}" for origin in given.get("origin", ())):
        return True
    site = given.get("sec-fetch-site", ["none"])
    if all(each in ("none", "same-origin") for each in site):
        return False
    # A link to here on another page: without the cookie, which is SameSite=Strict, it opens nothing.
    return (given.get("sec-fetch-mode"), given.get("sec-fetch-dest")) != (["navigate"], ["document"])


def _has_cookie(given: dict[str, list[str]], key: Key) -> bool:
    for line in given.get("cookie", ()):
        try:
            morsel = SimpleCookie(line).get(COOKIE)
        except CookieError:
            continue
        if morsel is not None and is_same(key.cookie, morsel.value):
            return True
    return False


class Gate:
    """Lets through to `app` what is not refused, and gives each answer its headers."""

    def __init__(self, app: App, key: Key, port: int) -> None:
        self._app, self._key, self._port = app, key, port

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        target = scope["raw_path"].decode("latin-1")
        if scope["query_string"]:
            target += "?" + scope["query_string"].decode("latin-1")
        refused = refusal(scope["method"], target, scope["headers"], self._key, self._port)
        if refused is not None:
            await _refuse(refused, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message.get("headers", ()), *own]}
            await send(message)

        await self._app(scope, receive, sent)


async def _refuse(refused: Refusal, send: Send) -> None:
    body = f"{refused.sentence}\n".encode()
    headers = {
        "content-type": "text/plain; charset=utf-8", "content-length": str(len(body)), "connection": "close",
        **({"allow": ", ".join(METHODS)} if refused.status == 405 else {}), **HEADERS,
    }  # fmt: skip
    start = {"type": "http.response.start", "status": refused.status}
    await send(start | {"headers": [(name.encode(), value.encode()) for name, value in headers.items()]})
    await send({"type": "http.response.body", "body": body})
