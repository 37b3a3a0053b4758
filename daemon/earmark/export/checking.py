"""Whether an export is as it was exported: every file against the manifest, and nothing else anywhere in it."""

from __future__ import annotations

import hashlib
import json
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from earmark.errors import RetentionError
from earmark.export.contents import Contents, contents_of
from earmark.export.package import CHUNK, FORMAT, MANIFEST, RECEIPTS, SUMS, sums_of
from earmark.retention import receipts_file

_UNREADABLE = (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error, lzma.LZMAError)
"""What comes of a file in an archive that was changed: damaged, encrypted, or packed in a way that is not known."""


def verify(path: Path) -> tuple[int, list[str]]:
    """Files of an export, and what is wrong with it: changed, missing or added. Raises RetentionError if it is none."""
    try:
        with contents_of(path) as found:
            return _check(found)
    except (*_UNREADABLE, KeyError, ValueError, TypeError, AttributeError) as error:
        raise RetentionError(f"{path}: is not a readable export of earmark: {error}") from error


def _check(found: Contents) -> tuple[int, list[str]]:
    if MANIFEST not in found.files:
        raise ValueError(f"it has no {MANIFEST}" + _kind(found, MANIFEST))
    with found.opened(MANIFEST) as file:
        raw = file.read()
    manifest = json.loads(raw)
    if manifest["earmark_export"] != FORMAT:
        raise ValueError(f"format {manifest['earmark_export']} is not known here")
    problems = list(found.problems)
    listed = [MANIFEST, SUMS]
    sums = []
    for entry in manifest["files"]:
        name = str(entry["path"])
        if name in listed:
            problems.append(f"twice in the manifest: {name}")
        listed.append(name)
        sums.append((str(entry["sha256"]), name))
        problems += _file_problems(found, name, (entry["bytes"], entry["sha256"]))
    sums.append((hashlib.sha256(raw).hexdigest(), MANIFEST))
    if SUMS not in found.files:
        problems.append(_missing(found, SUMS))
    elif _read(found, SUMS) != sums_of(sums):
        problems.append(f"changed: {MANIFEST} or {SUMS}")
    problems += _additions(found, set(listed))
    if RECEIPTS in found.files and (text := _read(found, RECEIPTS)) is not None:
        try:
            problems += receipts_file.examine(text.decode(), None).problems
        except ValueError as error:
            problems.append(f"{RECEIPTS}: {error}")
    return len(manifest["files"]), problems


def _file_problems(found: Contents, name: str, expected: tuple[int, str]) -> Iterator[str]:
    if name not in found.files:
        yield _missing(found, name)
        return
    try:
        with found.opened(name) as file:
            is_so = _digest(file) == expected
    except _UNREADABLE:
        is_so = False
    if not is_so:
        yield f"changed: {name}"


def _additions(found: Contents, listed: set[str]) -> Iterator[str]:
    """Everything that is no file of the manifest, and no folder on the way to one."""
    on_the_way = {str(parent) for name in listed for parent in PurePosixPath(name).parents}
    for name in sorted(found.files - listed):
        yield f"not in the manifest: {name}"
    for name in sorted(found.folders - on_the_way):
        yield f"not in the manifest: {name} (a folder)"
    for name, kind in sorted(found.other.items()):
        if name not in listed:
            yield f"not in the manifest: {name} ({kind})"


def _missing(found: Contents, name: str) -> str:
    return f"missing: {name}{_kind(found, name)}"


def _kind(found: Contents, name: str) -> str:
    kind = "a folder" if name in found.folders else found.other.get(name)
    return f" ({kind} has its name)" if kind else ""


def _read(found: Contents, name: str) -> bytes | None:
    """The file's bytes; None if they cannot be read."""
    try:
        with found.opened(name) as file:
            return file.read()
    except _UNREADABLE:
        return None


def _digest(file: IO[bytes]) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    while chunk := file.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return size, digest.hexdigest()
