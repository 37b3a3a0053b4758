"""Damaged pages of the file that belong to the index of search alone: the index goes with them, and nothing else does.

No page is guessed at. All other tables are looked through whole, by SQLite's own check and row by row; if they are sound, so
is all that counts. Then the entries of the index in the list of tables are said to be none, and VACUUM writes the file anew
out of the others: it reads neither the pages of the index nor the list of free ones. A kill in between leaves the same
damage, which is ended in the same way.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from earmark.errors import LedgerError
from earmark.ledger.connection import TROUBLE, Connection

_LIST = "sqlite_schema"

_NOTHING = {"table": "trash", "index": "trash", "trigger": "rubbish"}
"""What an entry of the list is said to be for VACUUM to leave it out; as long as the true word, so that it is written in its
place, and no page is taken from a list of free ones that may be damaged, too."""

_OF_FREE_PAGES = re.compile(r"(\*\*\* in database|(Main )?freelist:)", re.IGNORECASE)
"""Lines in which SQLite speaks of the list of free pages, which it looks at together with that of tables."""


class _Doubt(Exception):
    """Something else than the index is damaged, or would be another than it was."""


def without(db: Connection, tables: Sequence[str], triggers: Sequence[str]) -> bool:
    """Write the file anew without these tables and triggers; false, and nothing is changed, if anything else of it is
    damaged. Raises EnvironmentFault where the disk is the trouble, or somebody else writes.
    """
    db.execute("PRAGMA writable_schema = ON")  # also opens what lacks its end
    try:
        try:
            with db.transaction():
                _take_out(db, tables, triggers)
        except (_Doubt, LedgerError, *TROUBLE):
            return False
        db.execute("PRAGMA temp_store = MEMORY")  # the copy that VACUUM makes must not lie in a temp folder
        db.execute("VACUUM")
    finally:
        db.execute("PRAGMA writable_schema = RESET")
    return True


def _take_out(db: Connection, tables: Sequence[str], triggers: Sequence[str]) -> None:
    kept = [row["name"] for row in db.all("SELECT name FROM sqlite_master WHERE type = 'table'")]
    kept = [name for name in kept if name not in tables]
    if "recordings" not in kept:  # nothing that is worth saving, and perhaps was
        raise _Doubt
    _require_sound(db, kept)
    before = _digest(db, kept)
    for names, column in ((tables, "tbl_name"), (triggers, "name")):
        marks = ", ".join("?" for _ in names)
        for kind, other in _NOTHING.items():
            db.execute(
                f"UPDATE sqlite_master SET type = ? WHERE type = ? AND {column} IN ({marks})",
                (other, kind, *names),
            )
    # That wrote to a damaged file: asked again before it counts.
    _require_sound(db, kept)
    if _digest(db, kept) != before:
        raise _Doubt


def _require_sound(db: Connection, tables: Sequence[str]) -> None:
    if not all(_is_sound(db, table) for table in (_LIST, *tables)):
        raise _Doubt


def _is_sound(db: Connection, table: str) -> bool:
    """By its pages and those of its indexes, what is in both, and what may be in them."""
    told = [line for row in db.all(f"PRAGMA integrity_check('{table}')") for line in row[0].splitlines()]
    if table == _LIST and told != ["ok"]:
        told = [line for line in told if not _OF_FREE_PAGES.match(line)] or ["ok"]
    return told == ["ok"]


def _digest(db: Connection, tables: Sequence[str]) -> str:
    """Of every row of these tables."""
    found = hashlib.sha256()
    for table in tables:
        found.update(table.encode())
        for row in db.each(f'SELECT * FROM "{table}"'):
            found.update(repr(tuple(row)).encode("utf-8", "surrogatepass"))
    return found.hexdigest()
