"""A ledger as versions without speakers left it: what their migrations brought is taken out again."""

from __future__ import annotations

import sqlite3


def take_speakers_out(db: sqlite3.Connection) -> None:
    """Undo the scripts 0012 to 0014; whoever calls says which version that is."""
    for table in ("stretches", "turns", "voiceprints", "people"):
        db.execute(f"DROP TABLE {table}")
    db.execute("ALTER TABLE heard DROP COLUMN words")
    db.execute("ALTER TABLE artifacts DROP COLUMN names")
