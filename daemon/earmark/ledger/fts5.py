"""FTS5, which looks for words and which some builds of SQLite lack; and what stands in the place of the words there.

Without it the index is empty, and all else of the ledger works. A Python that has it makes the index when it comes next.
"""

from __future__ import annotations

import sqlite3
import sys

WORDS = "passages_fts"

NO_FTS5 = "no such module: fts5"
"""What SQLite says that was built without it."""

STAND_IN = f"CREATE TABLE {WORDS} (text, stems, pairs, speakers, heading)"
"""An ordinary table with the same columns, in which nothing is: triggers and statements that name it go on as they are."""


NO_WORDS = "[words]"
"""The subject of the trouble that the daemon's Python lacks it."""


def is_there(db: sqlite3.Connection) -> bool:
    """True if this SQLite has it."""
    modules = {row[0] for row in db.execute("PRAGMA module_list").fetchall()}
    if modules:
        return "fts5" in modules
    options = {row[0] for row in db.execute("PRAGMA compile_options").fetchall()}  # SQLite before 3.30
    return "ENABLE_FTS5" in options


def suited(statement: str, *, fts5: bool) -> str:
    """A statement of the scripts that make a ledger, as an SQLite can run it that has FTS5 or has not."""
    return STAND_IN if not fts5 and f"CREATE VIRTUAL TABLE {WORDS}" in statement else statement


def lacking() -> str:
    """A sentence without its end, for whoever wants to look for words."""
    return (
        f"words cannot be looked for, as the SQLite {sqlite3.sqlite_version} of this Python ({sys.executable}) lacks FTS5:"
        " run earmark with a Python whose SQLite has it, as those of python.org, Debian, Homebrew and uv do"
    )


def in_all(lacks: str) -> str:
    """The same for whoever looks at the whole, without its end; "" where nothing is lacking."""
    return f"{lacks[0].upper()}{lacks[1:]}. All else works" if lacks else ""


def lacking_here() -> str:
    """`in_all` for the Python that runs this."""
    db = sqlite3.connect(":memory:")
    try:
        return "" if is_there(db) else in_all(lacking())
    finally:
        db.close()
