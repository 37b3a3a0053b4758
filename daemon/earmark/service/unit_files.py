"""The unit's file as `earmark service install` writes it: recognized by its mark, written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from earmark.errors import EnvironmentFault
from earmark.files import read_bytes
from earmark.service.story import masked

MARK = "Written by `earmark service install`"


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
