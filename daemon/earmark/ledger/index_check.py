"""Whether the index of search is what it should be: at a glance, or looked at whole.

The second takes the b-trees of all its tables and of what SQLite keeps beside them, the checksum of each row, and FTS5's
own check of every word. It writes nothing where the ledger was opened to be read: there FTS5 looks at a copy in memory.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3

from earmark.errors import LedgerError
from earmark.ledger import index_sums
from earmark.ledger.connection import TROUBLE, Connection, text_of
from earmark.ledger.fts5 import WORDS
from earmark.ledger.told_sentences import sentences_of

SCRIPTS = ("0016_search.sql", "0018_vectors.sql", "0021_sums.sql")
"""What makes the tables and triggers of the index."""

LEFT_OUT = "0019_unindexed.sql"
"""What makes the list of recordings that a rule took out, of which as much stays as makes sense."""

TAKEN_OUT = "unindexed"
"""That list. What is missing from it is in the index until the rule takes it out again."""

SMALL = 2_000
"""Passages up to which each search looks at the whole index first, which takes 0.2 s of processor time then."""

PARTS = tuple(f"{WORDS}_{part}" for part in ("data", "idx", "content", "docsize", "config"))
"""The tables in which FTS5 keeps the words."""

NONSENSE = (ValueError, TypeError, LookupError, MemoryError, *TROUBLE)
"""What comes out of rows that make no sense. The fourth: FTS5 asks for as much memory as garbage says."""

_MADE = re.compile(r"^CREATE (?:VIRTUAL )?(TABLE|TRIGGER) (\w+)", re.MULTILINE)

_SAME = (
    "SELECT (SELECT count(*) FROM passages) AS n, (SELECT count(*) FROM passages_fts_content) AS texts,"
    " (SELECT count(*) FROM passages_fts_docsize) AS sizes,"
    " EXISTS (SELECT 1 FROM indexed i WHERE NOT EXISTS"
    " (SELECT 1 FROM passages WHERE recording_id = i.recording_id)) AS lost"
)

_STRAY = "SELECT 1 FROM passages WHERE recording_id NOT IN (SELECT recording_id FROM indexed) LIMIT 1"
"""Passages of a recording that is not said to be in it."""

SENSE = "recording_id IN (SELECT id FROM recordings)"
"""What each row of the list is: a recording."""

NOT_IN_IT = "recording_id NOT IN (SELECT recording_id FROM indexed)"

_SENSELESS = f"SELECT 1 FROM {TAKEN_OUT} WHERE NOT ({SENSE} AND {NOT_IN_IT}) LIMIT 1"

_CHECK = f"INSERT INTO {WORDS} ({WORDS}) VALUES ('integrity-check')"


def made(*scripts: str) -> list[tuple[str, str]]:
    """Kind and name of all that the scripts make."""
    return [(found[1], found[2]) for script in scripts for found in _MADE.finditer(text_of(script))]


def tables() -> list[str]:
    """All tables of the index."""
    return [*PARTS, *(name for kind, name in made(*SCRIPTS) if kind == "TABLE")]


def is_derived(table: str) -> bool:
    """Whether a table is of the index, which is made of other tables."""
    return table in tables() or table == TAKEN_OUT or table.startswith(f"{WORDS}_")


def is_made(db: Connection) -> bool:
    """False if a table or a trigger of the index is missing, or the words are not as this SQLite can have them."""
    there = {row["name"] for row in db.all("SELECT name FROM sqlite_master")}
    parts = PARTS if db.has_fts5 else ()
    return there.issuperset({name for _, name in made(*SCRIPTS, LEFT_OUT)} | set(parts)) and is_suited(db)


def is_suited(db: Connection) -> bool:
    """False if the words are in a table that only FTS5 can open, and this SQLite lacks it; or in another, and it has it."""
    row = db.one("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (WORDS,))
    return row is None or ("VIRTUAL" in (row["sql"] or "")) == db.has_fts5


def is_small(db: Connection) -> bool:
    """Whether it is looked at whole before each answer."""
    row = db.one("SELECT count(*) AS n FROM (SELECT 1 FROM passages LIMIT ?)", (SMALL + 1,))
    return row is None or row["n"] <= SMALL


def is_whole(db: Connection) -> bool:
    """False if a table of the index is missing, cannot be opened, or lacks rows that another has. Some 50 ms for 100,000
    passages; nothing is written.
    """
    try:
        if not is_made(db) or not db.has_fts5:
            return is_made(db)
        db.all(f"SELECT rowid FROM {WORDS} LIMIT 1")
        row = db.one(_SAME)
    except (LedgerError, MemoryError, *TROUBLE):
        return False
    return bool(row and row["n"] == row["texts"] == row["sizes"] and not row["lost"])


def is_sound(db: Connection) -> bool:
    """False if the index is not what it should be, looked at whole. 7 s for 100,000 passages."""
    if not db.has_fts5:
        return is_whole(db)
    try:
        with db.one_moment():
            if not is_whole(db) or db.one(_STRAY) or db.one(_SENSELESS):
                return False
            if not all(is_tree(db, table) for table in (*tables(), TAKEN_OUT)):
                return False
            for row in db.each("SELECT sentences FROM passages"):
                sentences_of(row["sentences"])
            if not index_sums.are_right(db):
                return False
            if db.read_only:
                return _are_words_sound(db)
        db.execute(_CHECK)
    except (LedgerError, *NONSENSE):
        return False
    return True


def is_tree(db: Connection, table: str) -> bool:
    """Whether the pages of a table and of its indexes are, with the same in all of them. One that is missing is none."""
    return [row[0] for row in db.all(f"PRAGMA integrity_check('{table}')")] == ["ok"]


def _are_words_sound(db: Connection) -> bool:
    """FTS5's own check, which writes nothing and yet asks to be allowed to: made on a copy. Raises what SQLite says."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
        copy.execute("PRAGMA writable_schema = ON")
        for part in PARTS:
            (sql,) = db.all("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (part,))
            columns = len(db.all(f"PRAGMA table_info({part})"))
            copy.execute(sql["sql"])
            copy.executemany(
                f"INSERT INTO {part} VALUES ({', '.join('?' * columns)})", db.each(f"SELECT * FROM {part}")
            )
        (sql,) = db.all("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (WORDS,))
        copy.execute(
            "INSERT INTO sqlite_master VALUES ('table', ?, ?, 0, ?)", (WORDS, WORDS, sql["sql"])
        )  # so that FTS5 opens what is there, and makes nothing anew
        copy.execute("PRAGMA writable_schema = RESET")
        copy.execute(_CHECK)
    return True
