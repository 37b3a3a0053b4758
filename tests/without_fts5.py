"""A Python whose SQLite has no FTS5: each connection's module is taken away by SQLite itself, so that what it then says, of
old tables and new ones, is what such a build says.
"""

from __future__ import annotations

import ctypes
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest

_connect = sqlite3.connect


@contextmanager
def without_fts5() -> Iterator[None]:
    """All that connects within the block. Skips where SQLite cannot be reached beside Python's own module for it."""
    with patch.object(sqlite3, "connect", _connected):
        yield


def _connected(*given: Any, **named: Any) -> sqlite3.Connection:
    db: sqlite3.Connection = _connect(*given, **named)
    try:
        import _sqlite3

        drop = ctypes.CDLL(_sqlite3.__file__).sqlite3_drop_modules
    except (AttributeError, OSError):
        pytest.skip("SQLite is built into this Python, or older than 3.30")
    # The handle is the first thing in Python's object, behind what all objects have.
    handle = ctypes.c_void_p.from_address(id(db) + object.__basicsize__)
    kept = [row[0].encode() for row in db.execute("PRAGMA module_list") if row[0] != "fts5"]
    drop.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    assert drop(handle, (ctypes.c_char_p * (len(kept) + 1))(*kept, None)) == 0
    with pytest.raises(sqlite3.OperationalError, match="no such module: fts5"):
        db.execute("CREATE VIRTUAL TABLE temp.absent USING fts5 (a)")
    return db
