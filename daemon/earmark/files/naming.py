"""Names of files: as text for sentences, as ASCII for messages and documents, folded for comparison. Pure."""

from __future__ import annotations

import itertools
import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes


def named(what: Path | str) -> str:
    """A path or sentence as text that can be stored and shown; bytes that are no text are written as `\\xf6`."""
    return os.fsencode(what).decode("utf-8", "backslashreplace")


def why(error: BaseException) -> str:
    """The short of an error, as `named` text."""
    return named((error.strerror or str(error)) if isinstance(error, OSError) else str(error))


def pack_path(path: Path) -> str:
    """The path's bytes, percent-encoded to ASCII."""
    return quote_from_bytes(os.fsencode(path), safe="/")


def unpack_path(packed: str) -> Path:
    """The inverse of `pack_path`."""
    return Path(os.fsdecode(unquote_to_bytes(packed)))


def fold(name: str) -> str:
    """A key that two names share if a disk or sync client that folds case or Unicode form takes them for one (APFS,
    exFAT, NTFS, SMB): canonical decomposition, case folding, composition (Unicode 15, 3.13, "canonical caseless match").
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def tails(path: Path) -> Iterator[str]:
    """By what a person may name a file in a list, as `fold` has it, the longest first: each end of its path, with and
    without the ending of its name.
    """
    parts = [part for part in named(path).split("/") if part]
    for length in range(len(parts), 0, -1):
        tail = "/".join(parts[-length:])
        for prefix in ("/", "") if length == len(parts) else ("",):
            yield fold(prefix + tail)
            if path.suffix:
                yield fold(prefix + tail.removesuffix(path.suffix))


def beside(name: str) -> Iterator[str]:
    """Names for another version of a file, without end: `note (2).md`, `note (3).md` ..."""
    stem, ending = os.path.splitext(name)
    return (f"{stem} ({number}){ending}" for number in itertools.count(2))


def counted(count: int, one: str, many: str = "") -> str:
    """`1 file`, `2 files`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
