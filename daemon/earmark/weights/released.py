"""Whether a model's files are what was released: its packages' table and its card are held against the bytes.

Imports no model library, so that the supervisor and the command line may use it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from earmark.errors import ModelError
from earmark.weights.card import read_card
from earmark.weights.packaged import Packaged, packaged

_seen: dict[Path, tuple[tuple[int, int, int], str]] = {}
"""Digests by file, good as long as (size, mtime_ns, inode) stay the same. Lives as long as the process."""


def require_readable(folder: Path) -> None:
    """Raise ModelError if the folder is there, or may be there, and this user may not look into it."""
    try:
        closed = folder.is_dir() and not os.access(folder, os.R_OK | os.X_OK)
    except PermissionError:
        closed = True
    if closed:
        raise ModelError(
            f"{folder} is not for you to read: the user who runs earmark needs the right to read it and the models in it."
        )


def out_of_packages(folder: Path) -> Packaged | None:
    """Which of the packaged models the folder holds by its card; None if it came from elsewhere."""
    card = read_card(folder)
    model = packaged(card.name) if card else None
    return model if card and model and card.source == model.source else None


def require_as_released(folder: Path) -> None:
    """Raise ModelError unless every file of a model that came out of packages has its size and SHA-256."""
    model = out_of_packages(folder)
    for file in model.files if model else ():
        path = folder / file.name
        try:
            found_size = path.stat().st_size
            found = digest_of(path) if found_size == file.size else ""
        except OSError as error:
            raise _mismatch(
                path, f"the file with {file.size:,} bytes", error.strerror or str(error)
            ) from None
        if found_size != file.size:
            raise _mismatch(path, f"{file.size:,} bytes", f"{found_size:,} bytes")
        if found != file.sha256:
            raise _mismatch(path, f"sha256 {file.sha256}", f"sha256 {found}")


def require_as_brought(folder: Path, files: Iterable[str]) -> None:
    """Raise ModelError unless these files are what their packages hold, or else what the card says that was brought in.

    Of a folder without a card, which somebody put there by hand, nobody knows better.
    """
    if out_of_packages(folder):
        require_as_released(folder)
        return
    card = read_card(folder)
    for name in files:
        expected, path = card.files.get(name) if card else None, folder / name
        try:
            found = digest_of(path) if expected else None
        except OSError as error:
            raise _mismatch(path, "a file that can be read", error.strerror or str(error)) from None
        if found != expected:
            raise _mismatch(path, f"sha256 {expected}", f"sha256 {found}")


def digest_of(path: Path) -> str:
    """SHA-256 of the file in hex; remembered while size, mtime and inode stay the same."""
    with path.open("rb") as file:
        before = os.fstat(file.fileno())
        key = (before.st_size, before.st_mtime_ns, before.st_ino)
        known = _seen.get(path)
        if known is not None and known[0] == key:
            return known[1]
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    _seen[path] = (key, digest)
    return digest


def _mismatch(path: Path, expected: str, found: str) -> ModelError:
    card = read_card(path.parent)
    return ModelError(
        f"The model {path.parent.name} is not what it should be: {path}: expected {expected}, found {found}. Delete its "
        f"folder and bring it again: earmark models download {card.name if card else path.parent.name}"
    )
