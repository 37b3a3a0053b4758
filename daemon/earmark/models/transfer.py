"""Bytes from a URL into a file, gone on with where an earlier call stopped; for the download process only.

What it says goes out as JSON lines on stdout, which `fetching` reads.
"""

from __future__ import annotations

import errno
import hashlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from earmark import __version__

PIECE = 1 << 18
"""Bytes that are read, written and reported at once."""
ATTEMPTS = 5

HEADERS = {"User-Agent": f"earmark/{__version__}", "Accept-Encoding": "identity"}


def say(**message: Any) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def fetch_file(url: str, part: Path, before: int) -> None:
    """Read a URL into `part`, from where an earlier call stopped; tried again ATTEMPTS times without any progress.

    `before`: bytes of other files that are there already, for what is said of the progress. huggingface_hub 2 does not go
    on with what another process began (its pull request 4228), hence our own loop.
    """
    import httpx2

    left = ATTEMPTS
    with httpx2.Client(follow_redirects=True, timeout=httpx2.Timeout(60.0)) as client:
        while True:
            have = part.stat().st_size if part.exists() else 0
            try:
                wanted = HEADERS | ({"Range": f"bytes={have}-"} if have else {})
                with client.stream("GET", url, headers=wanted) as answer:
                    if answer.status_code == 416:  # nothing is left to send
                        return
                    answer.raise_for_status()
                    with part.open("ab" if answer.status_code == 206 else "wb") as out:
                        for piece in answer.iter_bytes(PIECE):
                            out.write(piece)
                            say(type="at", bytes=before + out.tell())
                return
            except httpx2.TransportError:
                got = part.stat().st_size if part.exists() else 0
                left = ATTEMPTS if got > have else left - 1
                if left <= 0:
                    raise
                time.sleep(1.0)


def sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sentence_of(error: Exception) -> str:
    """What went wrong, for a person. Names of classes tell a network that is not there: two libraries raise them."""
    first = str(error).splitlines()[0] if str(error) else ""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if kinds & {"ConnectError", "ConnectTimeout", "LocalEntryNotFoundError"}:
        return (
            f"where it comes from cannot be reached ({first or type(error).__name__}). For a machine without a network: "
            "bring the model's folder from another machine, then `earmark models add FOLDER`"
        )
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "the disk is full"
    if type(error) is ValueError:
        return first
    return f"{type(error).__name__}: {first}"
