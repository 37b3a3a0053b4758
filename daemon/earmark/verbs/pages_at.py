"""Where the pages for a browser are, and the key that whoever opens them has to know.

A link carries no key: it says until when it may be used, sealed with the key, so that what stays of it in a browser's
history or on a terminal is worth nothing a few minutes later. What the browser keeps after that is a cookie that goes to one
path. Cookies are shared by all ports of an address (RFC 6265, 8.5): the path, which only this installation knows, keeps them
from another program that a person opens at 127.0.0.1.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from earmark.domain import Instant
from earmark.errors import EnvironmentFault, NotFound
from earmark.files import holders, is_locked, read_bytes, why, write_own
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


def made_key(home: Home) -> tuple[Key, str]:
    """The key, made if there is none, or if others could read the one that is there; which is then said, else "". Raises
    EnvironmentFault.
    """
    file, told = home.pages_key_file, ""
    if (known := key_of(home)) is not None:
        if not _is_open(file):
            return known, ""
        told = f"{file}: others could read it, so it is another one now; whoever was let in needs a new link"
    secret = secrets.token_bytes(_BYTES)
    try:
        write_own(file, f"{secret.hex()}\n".encode())
    except OSError as error:
        raise EnvironmentFault(f"{file}: cannot be written: {why(error)}") from error
    return Key(secret), told


def _is_open(file: Path) -> bool:
    """Whether others than its owner have any right to a file."""
    try:
        return bool(stat.S_IMODE(file.lstat().st_mode) & 0o077)
    except OSError:
        return False


def written(port: int, key: Key) -> bytes:
    """What stands in the lock of who serves: the port, and what all paths begin with, by which its key is known."""
    return f"{port} {key.place}\n".encode()


def served_at(home: Home) -> str:
    """`127.0.0.1:PORT` where `earmark serve` listens for this installation; "" if it does not run."""
    port, _ = _said(home)
    return f"{HOST}:{port}" if port.isdigit() else ""


def link_now(home: Home, now: Instant) -> str:
    """A link to the pages that are served. Raises NotFound, which says what helps."""
    port, place = _said(home)
    if not port.isdigit():
        raise NotFound("earmark serve does not run; start it with: earmark serve")
    key, file = key_of(home), home.pages_key_file
    if key is not None and key.place == place:
        return key.link(f"{HOST}:{port}", now)
    if key is not None:
        what = "is another key than it was when earmark serve was started"
    else:
        what = "is no key" if os.path.lexists(file) else "is not there any more"
    pids = [pid for pid in holders(home.pages_file) or () if pid > 0]
    which = f" (pid {pids[0]})" if pids else ""
    raise NotFound(
        f"{file}: {what}, so no link can be made: earmark serve runs at http://{HOST}:{port} with the one that it was"
        f" started with; end it{which} and start it anew with: earmark serve"
    )


def _said(home: Home) -> tuple[str, str]:
    """What stands in the lock, while it is held."""
    if not is_locked(home.pages_file):
        return "", ""
    try:
        port, _, place = read_bytes(home.pages_file, most=64).decode("ascii").strip().partition(" ")
    except (OSError, ValueError):
        return "", ""
    return port, place
