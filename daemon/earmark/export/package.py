"""The package an export comes in: a folder or a zip whose every file is listed with its hash, and the check of one."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from earmark.errors import RetentionError
from earmark.retention import receipts_file

FORMAT = 1
MANIFEST, SUMS, RECEIPTS = "manifest.json", "SHA256SUMS", "receipts.jsonl"

_CHUNK = 1 << 20


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
            os.fsync(file.fileno())
        return found


@dataclass(frozen=True, slots=True)
class ZipPackage:
    archive: zipfile.ZipFile

    def write(self, name: str, source: IO[bytes] | bytes) -> tuple[int, str]:
        with self.archive.open(name, "w", force_zip64=True) as file:
            return _pour(source, file)


def verify(path: Path) -> tuple[int, list[str]]:
    """Files of an export, and what is wrong with it: changed, missing or added. Raises RetentionError if it is none."""
    try:
        if path.is_dir():
            names = [p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file()]
            return _check(set(names), lambda name: (path / name).open("rb"))
        with zipfile.ZipFile(path) as archive:
            listed = [i.filename for i in archive.infolist() if not i.is_dir()]
            doubled = [
                "twice in the archive: " + n for n in sorted({n for n in listed if listed.count(n) > 1})
            ]
            count, problems = _check(set(listed), archive.open)
            return count, doubled + problems
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise RetentionError(f"{path}: is not a readable export of earmark: {error}") from error


def _check(names: set[str], opened: Callable[[str], IO[bytes]]) -> tuple[int, list[str]]:
    with opened(MANIFEST) as file:
        raw = file.read()
    manifest = json.loads(raw)
    if manifest["earmark_export"] != FORMAT:
        raise ValueError(f"format {manifest['earmark_export']} is not known here")
    problems = []
    listed = {MANIFEST, SUMS}
    sums = []
    for entry in manifest["files"]:
        name = entry["path"]
        listed.add(name)
        sums.append((entry["sha256"], name))
        if name not in names:
            problems.append(f"missing: {name}")
            continue
        with opened(name) as file:
            size, digest = _digest(file)
        if (size, digest) != (entry["bytes"], entry["sha256"]):
            problems.append(f"changed: {name}")
    sums.append((hashlib.sha256(raw).hexdigest(), MANIFEST))
    if SUMS not in names:
        problems.append(f"missing: {SUMS}")
    else:
        with opened(SUMS) as file:
            if file.read() != sums_of(sums):
                problems.append(f"changed: {MANIFEST} or {SUMS}")
    problems += [f"not in the manifest: {name}" for name in sorted(names - listed)]
    if RECEIPTS in names:
        with opened(RECEIPTS) as file:
            problems += receipts_file.examine(file.read().decode(), None).problems
    return len(manifest["files"]), problems


def _pour(source: IO[bytes] | bytes, target: IO[bytes]) -> tuple[int, str]:
    if isinstance(source, bytes):
        target.write(source)
        return len(source), hashlib.sha256(source).hexdigest()
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(_CHUNK):
        target.write(chunk)
        digest.update(chunk)
        size += len(chunk)
    return size, digest.hexdigest()


def _digest(file: IO[bytes]) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return size, digest.hexdigest()


def sums_of(pairs: Iterable[tuple[str, str]]) -> bytes:
    """As coreutils' sha256sum writes and reads it."""
    return "".join(f"{digest}  {name}\n" for digest, name in pairs).encode()
