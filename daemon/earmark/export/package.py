"""The package an export is written to: a folder or a zip whose every file is listed with its hash."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from earmark.files import flush_file

FORMAT = 1
MANIFEST, SUMS, RECEIPTS = "manifest.json", "SHA256SUMS", "receipts.jsonl"

CHUNK = 1 << 20
"""Bytes that are copied or read at once."""


class Package(Protocol):
    def write(self, name: str, source: IO[bytes] | bytes) -> tuple[int, str]: ...


@dataclass(frozen=True, slots=True)
class FolderPackage:
    top: Path

    def write(self, name: str, source: IO[bytes] | bytes) -> tuple[int, str]:
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            found = _pour(source, file)
            file.flush()
            flush_file(file.fileno())
        return found


@dataclass(frozen=True, slots=True)
class ZipPackage:
    archive: zipfile.ZipFile

    def write(self, name: str, source: IO[bytes] | bytes) -> tuple[int, str]:
        with self.archive.open(name, "w", force_zip64=True) as file:
            return _pour(source, file)


def _pour(source: IO[bytes] | bytes, target: IO[bytes]) -> tuple[int, str]:
    if isinstance(source, bytes):
        target.write(source)
        return len(source), hashlib.sha256(source).hexdigest()
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(CHUNK):
        target.write(chunk)
        digest.update(chunk)
        size += len(chunk)
    return size, digest.hexdigest()


def sums_of(pairs: Iterable[tuple[str, str]]) -> bytes:
    """As coreutils' sha256sum writes and reads it."""
    return "".join(f"{digest}  {name}\n" for digest, name in pairs).encode()
