"""A damaged index of search: noticed, dropped, and made anew by the scripts that made it; nothing else is touched.

So is one that another Python made, whose SQLite has FTS5 where this one has not, or the other way round.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from earmark.errors import LedgerError
from earmark.ledger import index_pages
from earmark.ledger.connection import TROUBLE, Connection, statements, text_of
from earmark.ledger.fts5 import WORDS, suited
from earmark.ledger.index_check import (
    LEFT_OUT,
    NOT_IN_IT,
    PARTS,
    SCRIPTS,
    SENSE,
    TAKEN_OUT,
    is_sound,
    is_suited,
    is_tree,
    made,
    tables,
)

SMALLEST = 512
"""Bytes of the smallest page that SQLite has."""

_WITHOUT_VECTORS = (
    "DELETE FROM embedded WHERE length(signs) > 0 AND EXISTS (SELECT 1 FROM passages p"
    " WHERE p.recording_id = embedded.recording_id AND NOT EXISTS (SELECT 1 FROM vectors v WHERE v.id = p.id))"
)
"""Vectors of a recording of which some are not there: all of them are made again."""


def made_sound(db: Connection, *, pages: bool = False) -> bool:
    """Make the index anew if it is damaged, and nothing else of the ledger is; true if it was. `pages`: look at each page
    of the file, too. Raises EnvironmentFault where the disk is the trouble.
    """
    if is_sound(db) and not (pages and _is_damaged(db)):
        if db.one(_WITHOUT_VECTORS.replace("DELETE", "SELECT 1", 1)):
            db.execute(_WITHOUT_VECTORS)
        return False
    return _begun_anew(db) or pages_made_anew(db)


def _begun_anew(db: Connection) -> bool:
    """Begin anew; false, and nothing is changed, if the ledger is not sound with that."""
    try:
        with db.transaction():
            begin_anew(db)
            db.check()
    except (LedgerError, *TROUBLE):
        return False
    return True


def _is_damaged(db: Connection) -> bool:
    try:
        db.check()
    except (LedgerError, *TROUBLE):
        return True
    return False


def pages_made_anew(db: Connection) -> bool:
    """The same where pages of the file are damaged; false if they may be of anything else, and nothing is changed then."""
    triggers = [name for kind, name in made(*SCRIPTS) if kind == "TRIGGER"]
    if index_pages.without(db, tables(), triggers):
        return _begun_anew(db)
    return index_pages.without(db, [*tables(), TAKEN_OUT], triggers) and _begun_anew(db)


def index_saved(file: Path, alive: Callable[[], object]) -> bool:
    """The same for a ledger that cannot be opened, as its end is missing."""
    rest = _shorten(file)  # SQLite takes what is missing of a page for zeros, and nobody could tell
    if rest is None:
        return False
    saved = False
    try:
        db = Connection(file, alive=alive, cut=True)
        try:
            saved = pages_made_anew(db)
        finally:
            db.close()
    finally:
        if rest and not saved:
            with file.open("ab") as whole:
                whole.write(rest)
    return saved


def _shorten(file: Path) -> bytes | None:
    """Take away the beginning of a page at the end of the file, and return it; None, and nothing is changed,
    where this is no file of SQLite's, or less than its first pages.
    """
    with file.open("r+b") as whole:
        head = whole.read(18)
        size = int.from_bytes(head[16:18], "big")  # 1 stands for 65536, which nobody here asks for
        at = whole.seek(0, os.SEEK_END)
        if not head.startswith(b"SQLite format 3") or size < SMALLEST or at < 2 * size:
            return None
        whole.seek(at - at % size)
        rest = whole.read()
        whole.truncate(at - len(rest))
        return rest


def begin_anew(db: Connection) -> None:
    """Drop the index, whatever is left of it, and make an empty one, into which all is put again."""
    with db.transaction():
        parts, kept = made(*SCRIPTS), _taken_out(db)
        for kind, name in parts:
            if kind == "TRIGGER":
                db.execute(f"DROP TRIGGER IF EXISTS {name}")
        _drop_words(db)
        for name in (*PARTS, *(name for kind, name in parts if kind == "TABLE")):
            db.execute(f"DROP TABLE IF EXISTS {name}")
        for script in SCRIPTS:
            for statement in statements(text_of(script)):
                db.execute(suited(statement, fts5=db.has_fts5))
        db.execute(f"DROP TABLE IF EXISTS {TAKEN_OUT}")
        for statement in statements(text_of(LEFT_OUT)):
            db.execute(statement)
        db.execute_many(f"INSERT INTO {TAKEN_OUT} VALUES (?, ?)", kept)


def _taken_out(db: Connection) -> list[tuple[str, float]]:
    """What the list says of recordings that a rule took out, as far as it makes sense; nothing where it is damaged."""
    try:
        if not is_tree(db, TAKEN_OUT):
            return []
        sense = f"{SENSE} AND {NOT_IN_IT}" if is_tree(db, "indexed") else SENSE
        rows = db.all(f"SELECT recording_id, at FROM {TAKEN_OUT} WHERE {sense}")
    except (LedgerError, *TROUBLE):
        return []
    return [(row["recording_id"], row["at"]) for row in rows]


def _drop_words(db: Connection) -> None:
    if is_suited(db) or db.has_fts5:
        try:
            db.execute(f"DROP TABLE IF EXISTS {WORDS}")
            return
        except (LedgerError, MemoryError, *TROUBLE):
            pass  # FTS5 opens the table before it drops it, and cannot open it where its own tables are damaged
    db.execute("PRAGMA writable_schema = ON")
    try:
        db.execute("DELETE FROM sqlite_master WHERE type = 'table' AND name = ?", (WORDS,))
    finally:
        db.execute("PRAGMA writable_schema = RESET")
