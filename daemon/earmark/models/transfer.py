"""Bytes from a URL into a file, gone on with where an earlier call stopped; for the download process only.

What it says goes out as JSON lines on stdout, which `fetching` reads.
"""

from __future__ import annotations

import errno
import hashlib
import json
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from earmark import __version__

if TYPE_CHECKING:
    import httpx2

PIECE = 1 << 18
"""Bytes that are read, written and reported at once."""
ATTEMPTS = 5

HEADERS = {"User-Agent": f"earmark/{__version__}", "Accept-Encoding": "identity"}


def say(**message: Any) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def fetch_file(url: str, part: Path, before: int, size: int | None = None) -> None:
    """Read a URL into `part`, from where an earlier call stopped; tried again ATTEMPTS times without any progress.

    `before`: bytes of other files that are there already, for what is said of the progress. `size`: bytes that it has, if
    that is known; more are not taken (ValueError), and less is an answer that broke off. huggingface_hub 2 does not go on
    with what another process began (its pull request 4228), hence our own loop.
    """
    import httpx2

    left = ATTEMPTS
    with httpx2.Client(follow_redirects=True, timeout=httpx2.Timeout(60.0)) as client:
        while True:
            have = _bytes_in(part)
            if size is not None and have > size:  # of an earlier call that did not know better
                part.unlink()
                have = 0
            if have and have == size:
                return
            try:
                _go_on(client, url, part, before, size)
                if size is None or _bytes_in(part) == size:
                    return
                raise httpx2.ReadError(f"{_bytes_in(part):,} bytes of {size:,} came")
            except httpx2.UnsupportedProtocol:
                raise
            except httpx2.TransportError:
                left = ATTEMPTS if _bytes_in(part) > have else left - 1
                if left <= 0:
                    raise
                time.sleep(1.0)


def _go_on(client: httpx2.Client, url: str, part: Path, before: int, size: int | None) -> None:
    """Ask once for what `part` does not have yet, and write what comes."""
    import httpx2

    have = _bytes_in(part)
    wanted = HEADERS | ({"Range": f"bytes={have}-"} if have else {})
    with client.stream("GET", url, headers=wanted) as answer:
        if have and answer.status_code == 416:  # what is there is no beginning of it
            part.unlink()
            raise httpx2.ReadError("the rest of it is not there to be sent")
        answer.raise_for_status()
        with part.open("ab" if answer.status_code == 206 else "wb") as out:
            # As it comes: in pieces of a size, a line that breaks off takes the last one. And raw, as pip does it: servers
            # say of a .tar.gz that it is compressed on its way, which it is not.
            for piece in answer.iter_raw():
                if size is not None and out.tell() + len(piece) > size:
                    out.truncate(0)
                    raise ValueError(
                        f"{without_password(url)} sends more than the {size:,} bytes that it has"
                    )
                out.write(piece)
                say(type="at", bytes=before + out.tell())


def _bytes_in(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def without_password(text: str) -> str:
    """A sentence or address without the names and passwords that may stand in addresses."""
    return re.sub(r"(?<=//)[^/\s]*@", "", text)


def sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def git_blob(path: Path) -> str:
    """The id that git gives a file's content: SHA-1 over a header and the bytes. What the hub says of small files."""
    digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def check(part: Path, name: str, sha256: str | None, blob_id: str | None = None) -> None:
    """Raises ValueError, and deletes the file, unless its bytes are those that the hub or the table of packages lists."""
    if sha256:
        found = sha256_of(part)
        wrong = f"expected sha256 {sha256}, found {found}" if found != sha256 else ""
    else:
        wrong = "it is not the file that the hub lists" if blob_id and git_blob(part) != blob_id else ""
    if wrong:
        part.unlink()
        raise ValueError(f"{name}: {wrong}; it was deleted, the next try starts it afresh")


def sentence_of(error: Exception) -> str:
    """What went wrong, for a person, without passwords. Names of classes tell what happened: two libraries raise them."""
    first = without_password(str(error).splitlines()[0] if str(error) else "")
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if kinds & {"ConnectError", "ConnectTimeout", "LocalEntryNotFoundError"}:
        return (
            f"where it comes from cannot be reached ({first or type(error).__name__}). For a machine without a network: "
            "bring the model's folder from another machine, then `earmark models add FOLDER`"
        )
    if kinds & {"UnsupportedProtocol", "InvalidURL"}:
        return "the address it comes from is none that begins with https:// or http:// and the name of a host"
    if "HTTPStatusError" in kinds:
        said = error.response  # type: ignore[attr-defined]
        return without_password(f"{said.url} answered {said.status_code} {said.reason_phrase}").rstrip()
    if "TooManyRedirects" in kinds:
        return "where it comes from sends on and on, from one address to the next"
    if kinds & {"ReadTimeout", "ReadError", "RemoteProtocolError"}:
        return f"the connection broke off again and again ({first or type(error).__name__})"
    if isinstance(error, ImportError) and "SOCKS" in first:
        return "a SOCKS proxy is set, and only http:// and https:// ones can be used (HTTPS_PROXY, ALL_PROXY)"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "the disk is full"
    if type(error) is ValueError:
        return first
    return f"{type(error).__name__}: {first}".rstrip(".")
