"""A damaged index of search: noticed, dropped, and made anew by the scripts that made it; nothing else is touched.

So is one that another Python made, whose SQLite has FTS5 where this one has not, or the other way round.
"""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import overload

from earmark.errors import LedgerError
from earmark.ledger import index_pages
from earmark.ledger.connection import TROUBLE, Connection, statements, text_of
from earmark.ledger.fts5 import WORDS, suited

SCRIPTS = ("0016_search.sql", "0018_vectors.sql")
"""What makes the tables and triggers of the index."""

LEFT_OUT = "0019_unindexed.sql"
"""What makes the list of recordings that a rule took out, which stays."""

SMALLEST = 512
"""Bytes of the smallest page that SQLite has."""

_PARTS = tuple(f"{WORDS}_{part}" for part in ("data", "idx", "content", "docsize", "config"))
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
    return tuple([(int(at), float(second), int(speaker)) for at, second, speaker in json.loads(told)])


class Sentences(Sequence[tuple[int, float, int]]):
    """The same, read when one of them is asked for: of hundreds of passages that are ranked ten are shown."""

    def __init__(self, told: str) -> None:
        self._told = told

    @functools.cached_property
    def _read(self) -> tuple[tuple[int, float, int], ...]:
        return sentences_of(self._told)

    @overload
    def __getitem__(self, number: int) -> tuple[int, float, int]: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[tuple[int, float, int]]: ...
    def __getitem__(self, number: int | slice) -> tuple[int, float, int] | Sequence[tuple[int, float, int]]:
        return self._read[number]

    def __len__(self) -> int:
        return len(self._read)

    def __iter__(self) -> Iterator[tuple[int, float, int]]:
        return iter(self._read)


def is_made(db: Connection) -> bool:
    """False if a table or a trigger of the index is missing, or the words are not as this SQLite can have them."""
    there = {row["name"] for row in db.all("SELECT name FROM sqlite_master")}
    parts = _PARTS if db.has_fts5 else ()
    return there.issuperset({name for _, name in _made(*SCRIPTS, LEFT_OUT)} | set(parts)) and is_suited(db)


def is_suited(db: Connection) -> bool:
    """False if the words are in a table that only FTS5 can open, and this SQLite lacks it; or in another, and it has it."""
    row = db.one("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (WORDS,))
    return row is None or ("VIRTUAL" in (row["sql"] or "")) == db.has_fts5


def is_whole(db: Connection) -> bool:
    """False if a table of the index is missing, cannot be opened, or lacks rows that another has. Some 50 ms for 100,000
    passages; nothing is written.
    """
    try:
        if not is_made(db) or not db.has_fts5:
            return is_made(db)
        db.all(f"SELECT rowid FROM {WORDS} LIMIT 1")
        row = db.one(_SAME)
    except (LedgerError, *TROUBLE):
        return False
    return bool(row and row["n"] == row["texts"] == row["sizes"] and not row["lost"])


def is_sound(db: Connection) -> bool:
    """False if the index is not what it should be: by FTS5's integrity-check, too. 3 s for 100,000 passages."""
    if not db.has_fts5:
        return is_whole(db)
    try:
        db.execute(f"INSERT INTO {WORDS} ({WORDS}) VALUES ('integrity-check')")
        for row in db.all("SELECT sentences FROM passages"):
            sentences_of(row["sentences"])
    except (LedgerError, *_NONSENSE):
        return False
    return is_whole(db)


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
    triggers = [name for kind, name in _made(*SCRIPTS) if kind == "TRIGGER"]
    return index_pages.without(db, _tables(), triggers) and _begun_anew(db)


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
        made = _made(*SCRIPTS)
        for kind, name in made:
            if kind == "TRIGGER":
                db.execute(f"DROP TRIGGER IF EXISTS {name}")
        _drop_words(db)
        for name in (*_PARTS, *(name for kind, name in made if kind == "TABLE")):
            db.execute(f"DROP TABLE IF EXISTS {name}")
        for script in SCRIPTS:
            for statement in statements(text_of(script)):
                db.execute(suited(statement, fts5=db.has_fts5))
        if not db.all("PRAGMA table_info(unindexed)"):
            for statement in statements(text_of(LEFT_OUT)):
                db.execute(statement)


def _drop_words(db: Connection) -> None:
    if is_suited(db) or db.has_fts5:
        try:
            db.execute(f"DROP TABLE IF EXISTS {WORDS}")
            return
        except (LedgerError, *TROUBLE):
            pass  # FTS5 opens the table before it drops it, and cannot open it where its own tables are damaged
    db.execute("PRAGMA writable_schema = ON")
    try:
        db.execute("DELETE FROM sqlite_master WHERE type = 'table' AND name = ?", (WORDS,))
    finally:
        db.execute("PRAGMA writable_schema = RESET")


def _tables() -> list[str]:
    """All tables of the index."""
    return [*_PARTS, *(name for kind, name in _made(*SCRIPTS) if kind == "TABLE")]


def _made(*scripts: str) -> list[tuple[str, str]]:
    """Kind and name of all that the scripts make."""
    return [(found[1], found[2]) for script in scripts for found in _MADE.finditer(text_of(script))]
