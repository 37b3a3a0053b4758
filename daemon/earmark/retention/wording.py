"""Names in sentences: a POSIX name need not be text, but what goes into the ledger's sentences must be."""

from __future__ import annotations

import os
from pathlib import Path


def named(what: Path | str) -> str:
    """A path or sentence as text that can be stored and shown; bytes that are no text are written as `\\xf6`."""
    return os.fsencode(what).decode("utf-8", "backslashreplace")


def why(error: BaseException) -> str:
    """The short of an error."""
    return named((error.strerror or str(error)) if isinstance(error, OSError) else str(error))
