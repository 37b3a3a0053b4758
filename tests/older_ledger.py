"""A ledger as versions without speakers left it: what their migrations brought is taken out again."""

from __future__ import annotations

import sqlite3


def take_speakers_out(db: sqlite3.Connection) -> None:
    """Undo the scripts 0012 to 0022; whoever calls says which version that is."""
    take_index_out(db)
    for table in ("stretches", "turns", "voiceprints", "people"):
        db.execute(f"DROP TABLE {table}")
    db.execute("ALTER TABLE heard DROP COLUMN words")
    for column in ("names", "words_rev", "mergeable", "top"):
        db.execute(f"ALTER TABLE artifacts DROP COLUMN {column}")
    db.execute("ALTER TABLE recordings DROP COLUMN words_rev")


def take_index_out(db: sqlite3.Connection) -> None:
    """Undo the scripts 0016 to 0022."""
    take_words_of_notes_out(db)
    made = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND (sql LIKE '%indexed%' OR sql LIKE '%passages%')"
    for (name,) in db.execute(made).fetchall():
        db.execute(f"DROP TRIGGER {name}")
    for table in ("passages_fts", "passages", "indexed"):
        db.execute(f"DROP TABLE {table}")


def take_words_of_notes_out(db: sqlite3.Connection) -> None:
    """Undo the scripts 0017 to 0022."""
    take_vectors_out(db)
    for trigger in ("note_has_other_words", "note_is_taken"):
        db.execute(f"DROP TRIGGER {trigger}")
    db.execute("DROP TABLE words_of_notes")


def take_vectors_out(db: sqlite3.Connection) -> None:
    """Undo the scripts 0018 to 0022."""
    take_what_waits_out(db)
    made = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND (sql LIKE '%vectors%' OR sql LIKE '%embedded%')"
    for (name,) in db.execute(made).fetchall():
        db.execute(f"DROP TRIGGER {name}")
    for table in ("vectors", "embedded", "unindexed"):
        db.execute(f"DROP TABLE {table}")


def take_what_waits_out(db: sqlite3.Connection) -> None:
    """Undo the scripts 0020 to 0022."""
    take_sums_out(db)
    for (name,) in db.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%to_write%'"
    ).fetchall():
        db.execute(f"DROP TRIGGER {name}")
    for index in ("places_to_write", "places_resting", "jobs_waiting"):
        db.execute(f"DROP INDEX {index}")
    db.execute("ALTER TABLE places DROP COLUMN to_write")


def take_sums_out(db: sqlite3.Connection) -> None:
    """Undo the scripts 0021 and 0022."""
    db.execute("DROP TABLE digests")
    for table in ("passages", "vectors", "embedded"):
        db.execute(f"ALTER TABLE {table} DROP COLUMN sum")
