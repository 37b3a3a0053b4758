"""The unit's file as `earmark service install` writes it: recognized by its mark, written whole or not at all, and set aside
where somebody changed it.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from earmark.errors import EnvironmentFault
from earmark.files import read_bytes, write_new
from earmark.service.story import masked

MARK = "Written by `earmark service install`"

_SEAL = re.compile(r"as written: sha256 ([0-9a-f]{64})")

UNSEALED = f"as written: sha256 {'0' * 64}"
"""To be put into a comment of a unit; `sealed` writes the digest of all the rest there."""


def sealed(text: str) -> str:
    """A unit that says of itself what it was when it was written."""
    return text.replace(UNSEALED, f"as written: sha256 {hashlib.sha256(text.encode()).hexdigest()}", 1)


def is_as_written(text: str) -> bool:
    """False where somebody changed a unit since, or nobody can tell, as with one of an earlier version."""
    seal = _SEAL.search(text)
    return seal is not None and sealed(_SEAL.sub(UNSEALED, text, count=1)) == text


@contextmanager
def set_aside(path: Path, now: str | None) -> Iterator[list[str]]:
    """While a unit that somebody may have changed goes, or is replaced by `now`: a copy beside it, where no service manager
    looks. Yields what is to be said of it, if anything; the copy goes where the block raises.
    """
    text = text_of(path) if path.exists() else None
    if text is None or text == now or is_as_written(text):
        yield []
        return
    aside = _kept(path, read_bytes(os.path.realpath(path)))
    try:
        yield [
            f"{path} was changed since it was written, or is an earlier version's: what it said is in {aside}."
        ]
    except BaseException:
        aside.unlink()
        raise


def _kept(path: Path, data: bytes) -> Path:
    for number in itertools.count(1):
        aside = path.with_name(f"{path.name}.changed{'' if number == 1 else f'-{number}'}")
        try:
            write_new(aside, data)
        except FileExistsError:
            continue
        except OSError as problem:
            raise EnvironmentFault(f"{aside} cannot be written: {problem.strerror}.") from problem
        return aside
    raise AssertionError


def refuse_if_foreign(path: Path) -> None:
    """Raises EnvironmentFault for a unit that `earmark service install` did not write."""
    if not os.path.lexists(path):
        return
    if os.path.realpath(path) == os.devnull:
        raise EnvironmentFault(masked("user"))
    if MARK not in (text_of(path) if path.exists() else ""):
        raise EnvironmentFault(
            f"{path} was not written by earmark service install; move it away first, or go on using it by hand."
        )


def text_of(path: Path) -> str:
    """What a unit says. Raises OSError (also if it is no ordinary file, which a read could wait on for ever)."""
    return read_bytes(os.path.realpath(path)).decode("utf-8", "replace")


def write(path: Path, text: str) -> None:
    """Give the unit this text, by one rename. Raises EnvironmentFault, and leaves no half of it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as new:
            try:
                new.write(text)
                new.flush()
                Path(new.name).replace(path)
            except OSError:
                Path(new.name).unlink()
                raise
    except OSError as problem:
        raise EnvironmentFault(f"{path} cannot be written: {problem.strerror}.") from problem
