"""A recording's identity: the SHA-256 of its bytes, read in one go from one open file."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from earmark.ledger.places import Identity

CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Content:
    """What was read. `identity` is of the very bytes that `sha256` is of."""

    sha256: str
    identity: Identity
    modified_at: float


class StillChanging(Exception):
    """The file changed while it was read; look at it again later."""


class Stopped(Exception):
    """Reading was given up because the daemon stops."""


def read_content(path: Path, stop: Callable[[], bool] = lambda: False) -> Content:
    """Hash the file. Raises OSError if it cannot be read, StillChanging, or Stopped."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        before = os.fstat(fd)
        if not stat.S_ISREG(before.st_mode):
            raise StillChanging
        digest = hashlib.sha256()
        while chunk := os.read(fd, CHUNK):
            if stop():
                raise Stopped
            digest.update(chunk)
        after = os.fstat(fd)
        if Identity.of(before) != Identity.of(after):
            raise StillChanging
        return Content(digest.hexdigest(), Identity.of(after), after.st_mtime)
    finally:
        os.close(fd)
