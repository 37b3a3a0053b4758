"""A damaged index of search: noticed, dropped, and made anew by the scripts that made it; nothing else is touched."""

from __future__ import annotations

import json
import re

from earmark.errors import LedgerError
from earmark.ledger.connection import TROUBLE, Connection, statements, text_of

SCRIPTS = ("0016_search.sql", "0018_vectors.sql")
"""What makes the tables and triggers of the index."""

LEFT_OUT = "0019_unindexed.sql"
"""What makes the list of recordings that a rule took out, which stays."""

_WORDS = "passages_fts"
_PARTS = tuple(f"{_WORDS}_{part}" for part in ("data", "idx", "content", "docsize", "config"))
_MADE = re.compile(r"^CREATE (?:VIRTUAL )?(TABLE|TRIGGER) (\w+)", re.MULTILINE)
_NONSENSE = (ValueError, TypeError, LookupError, *TROUBLE)

_SAME = (
    "SELECT (SELECT count(*) FROM passages) AS n, (SELECT count(*) FROM passages_fts_content) AS texts,"
    " (SELECT count(*) FROM passages_fts_docsize) AS sizes,"
    " EXISTS (SELECT 1 FROM indexed i WHERE NOT EXISTS"
    " (SELECT 1 FROM passages WHERE recording_id = i.recording_id)) AS lost"
)

_WITHOUT_VECTORS = (
    "DELETE FROM embedded WHERE length(signs) > 0 AND EXISTS (SELECT 1 FROM passages p"
    " WHERE p.recording_id = embedded.recording_id AND NOT EXISTS (SELECT 1 FROM vectors v WHERE v.id = p.id))"
)
"""Vectors of a recording of which some are not there: all of them are made again."""


def sentences_of(told: str) -> tuple[tuple[int, float, int], ...]:
    """The column `sentences` of a passage. Raises ValueError, TypeError where it is none."""
    return tuple((int(at), float(second), int(speaker)) for at, second, speaker in json.loads(told))


def is_made(db: Connection) -> bool:
    """False if a table or a trigger of the index is missing."""
    there = {row["name"] for row in db.all("SELECT name FROM sqlite_master")}
    return there.issuperset({name for _, name in _made(*SCRIPTS, LEFT_OUT)} | set(_PARTS))


def is_whole(db: Connection) -> bool:
    """False if a table of the index is missing, cannot be opened, or lacks rows that another has. Some 50 ms for 100,000
    passages; nothing is written.
    """
    try:
        if not is_made(db):
            return False
        db.all(f"SELECT rowid FROM {_WORDS} LIMIT 1")
        row = db.one(_SAME)
    except (LedgerError, *TROUBLE):
        return False
    return bool(row and row["n"] == row["texts"] == row["sizes"] and not row["lost"])


def is_sound(db: Connection) -> bool:
    """False if the index is not what it should be: by FTS5's integrity-check, too. 5 s for 100,000 passages."""
    try:
        db.execute(f"INSERT INTO {_WORDS} ({_WORDS}) VALUES ('integrity-check')")
        for row in db.all("SELECT sentences FROM passages"):
            sentences_of(row["sentences"])
    except (LedgerError, *_NONSENSE):
        return False
    return is_whole(db)


def made_sound(db: Connection) -> bool:
    """Make the index anew if it is damaged, and nothing else of the ledger is; true if it was."""
    if is_sound(db):
        if db.one(_WITHOUT_VECTORS.replace("DELETE", "SELECT 1", 1)):
            db.execute(_WITHOUT_VECTORS)
        return False
    try:
        with db.transaction():
            begin_anew(db)
            db.check()
    except (LedgerError, *TROUBLE):
        return False  # the rest is damaged as well: the ledger is repaired as a whole
    return True


def begin_anew(db: Connection) -> None:
    """Drop the index, whatever is left of it, and make an empty one, into which all is put again."""
    with db.transaction():
        made = _made(*SCRIPTS)
        for kind, name in made:
            if kind == "TRIGGER":
                db.execute(f"DROP TRIGGER IF EXISTS {name}")
        _drop_words(db)
        for name in (*_PARTS, *(name for kind, name in made if kind == "TABLE")):
            db.execute(f"DROP TABLE IF EXISTS {name}")
        for script in SCRIPTS:
            for statement in statements(text_of(script)):
                db.execute(statement)
        if not db.all("PRAGMA table_info(unindexed)"):
            for statement in statements(text_of(LEFT_OUT)):
                db.execute(statement)


def _drop_words(db: Connection) -> None:
    try:
        db.execute(f"DROP TABLE IF EXISTS {_WORDS}")
    except (LedgerError, *TROUBLE):
        # FTS5 opens the table before it drops it, and cannot open it where its own tables are damaged.
        db.execute("PRAGMA writable_schema = ON")
        try:
            db.execute("DELETE FROM sqlite_master WHERE type = 'table' AND name = ?", (_WORDS,))
        finally:
            db.execute("PRAGMA writable_schema = RESET")


def _made(*scripts: str) -> list[tuple[str, str]]:
    """Kind and name of all that the scripts make."""
    return [(found[1], found[2]) for script in scripts for found in _MADE.finditer(text_of(script))]
