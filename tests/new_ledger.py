"""A ledger as its first opening leaves it, copied: to make one takes 25 ms, and hundreds of worlds begin with one.

That one is made is shown by whatever starts `python -m earmark` in a fresh home.
"""

from __future__ import annotations

import functools
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from earmark.ledger import Ledger


@functools.cache
def _made() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder).resolve() / "ledger.db"
        Ledger(file).close()
        return file.read_bytes()


def lay_ledger(file: Path) -> None:
    """Put a ledger without anything in it where there is no state folder yet."""
    if not file.parent.exists():
        file.parent.mkdir(parents=True, mode=0o700)
        file.touch(0o600)
        file.write_bytes(_made())
        with closing(sqlite3.connect(file)) as db, db:  # no two installations have one key
            db.execute("UPDATE keys SET value = randomblob(length(value))")
