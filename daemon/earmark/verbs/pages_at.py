"""Where the pages for a browser are, and the key that whoever opens them has to know.

A link carries no key: it says until when it may be used, sealed with the key, so that what stays of it in a browser's
history or on a terminal is worth nothing a few minutes later. What the browser keeps after that is a cookie that goes to one
path. Cookies are shared by all ports of an address (RFC 6265, 8.5): the path, which only this installation knows, keeps them
from another program that a person opens at 127.0.0.1.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from earmark.domain import Instant
from earmark.errors import EnvironmentFault
from earmark.files import is_locked, read_bytes, why, write_own
from earmark.paths import Home

HOST = "127.0.0.1"

USABLE = 600.0
"""Seconds that a link may be used."""

_BYTES = 32


@dataclass(frozen=True, slots=True)
class Key:
    """The secret of one installation's pages."""

    secret: bytes

    @property
    def place(self) -> str:
        """What each path begins with. It is no secret that opens anything."""
        return self._of("place")[:16]

    @property
    def cookie(self) -> str:
        """What the browser keeps."""
        return self._of("cookie")

    def seal(self, until: int) -> str:
        """What a link that may be used until then, in Unix seconds, has to carry."""
        return self._of(f"link {until}")

    def link(self, address: str, now: Instant) -> str:
        """A link to the pages at `HOST:PORT`, for a few minutes."""
        until = int(now + USABLE)
        return f"http://{address}/{self.place}/enter?until={until}&seal={self.seal(until)}"

    def opens(self, until: str, seal: str, now: Instant) -> bool:
        """Whether a link with these two is one of this key that may be used now."""
        if not (until.isascii() and until.isdigit() and len(until) < 16):
            return False
        return is_same(self.seal(int(until)), seal) and 0 <= int(until) - now <= USABLE + 1

    def _of(self, what: str) -> str:
        return hmac.new(self.secret, f"earmark pages: {what}".encode(), hashlib.sha256).hexdigest()


def is_same(right: str, given: str) -> bool:
    """Whether both are the same, in a time that does not tell how far they are."""
    return hmac.compare_digest(right.encode(), given.encode("utf-8", "replace"))


def key_of(home: Home) -> Key | None:
    """The key, None where there is none yet."""
    try:
        kept = read_bytes(home.pages_key_file, most=_BYTES * 4)
        secret = bytes.fromhex(kept.decode("ascii").strip())
    except (OSError, ValueError):
        return None
    return Key(secret) if len(secret) == _BYTES else None


def made_key(home: Home) -> Key:
    """The key, made if there is none. Raises EnvironmentFault."""
    if (known := key_of(home)) is not None:
        return known
    secret = secrets.token_bytes(_BYTES)
    try:
        write_own(home.pages_key_file, f"{secret.hex()}\n".encode())
    except OSError as error:
        raise EnvironmentFault(f"{home.pages_key_file}: cannot be written: {why(error)}") from error
    return Key(secret)


def served_at(home: Home) -> str:
    """`127.0.0.1:PORT` where `earmark serve` listens for this installation; "" if it does not run."""
    if not is_locked(home.pages_file):
        return ""
    try:
        port = read_bytes(home.pages_file, most=16).decode("ascii").strip()
    except (OSError, ValueError):
        return ""
    return f"{HOST}:{port}" if port.isdigit() else ""
