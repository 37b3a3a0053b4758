"""Which rows protect, and what they come to, table by table.

A page of the file may be another valid one than it should be: an older version of itself, or one without rows. SQLite finds
nothing wrong with it. So a digest of each table is kept in the transaction that changes it, and compared before anything may
go or be heard.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from functools import partial
from typing import Any

from earmark.ledger.connection import Connection

MARKED = "marker:"
"""Facts `marker:FOLDER`: what a folder is (files/handles.py) that had a hold marker when it was last looked at."""

TABLES: dict[str, tuple[str, str, str]] = {
    "holds": ("recording_id, at, why", "", "the list of holds"),
    "item_rules": ("recording_id, kind, body, at", "", "the rules for single recordings"),
    "notes_seen": (
        "path, recording_id, kind, identity, keep, tags, first_seen, seen_at", "WHERE keep", "the notes that say `keep`",
    ),
    "formers": ("former, recording_id, size, tags", "", "the list of recordings that went on"),
    "tombstones": ("keyed_id, at", "", "the list of what was erased"),
    "facts": ("name, value, at", f"WHERE substr(name, 1, {len(MARKED)}) = '{MARKED}'", "the list of folders with a marker"),
    "keys": ("name, value", "", "the key of the list of what was erased"),
}  # fmt: skip
"""By table that is written a second time (second_copy.py): its columns, which rows protect, and what a person calls it."""

ALL_TABLES = TABLES | {
    "policies": ("id, digest, body, since, reported_at, approved_at", "", "the list of retention policies")
}
"""The same with what is written once: a policy that is lost is a new one, and only reports."""

ERASED = frozenset({"tombstones", "keys"})
"""Tables without which nobody can tell what was erased."""

Row = tuple[Any, ...]


class Digests:
    """Rows of `digests`."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def rows(self, table: str) -> list[Row]:
        """Those that protect."""
        columns, where, _ = ALL_TABLES[table]
        return [tuple(r) for r in self._db.all(f"SELECT {columns} FROM {table} {where}")]

    def changing(self, table: str) -> None:
        """Rows of this table are about to be changed in the transaction under way; what they come to is written down at its
        end. Not where they are not those that were written there: what is wrong with them must not be hidden by a change.
        """
        if self._db.awaits(name := f"digest of {table}"):
            return
        if self.kept().get(table) == digest_of(self.rows(table)):
            self._db.before_commit(name, partial(self._take, table))

    def take(self) -> None:
        """Write down what there is, in all tables. Call in a transaction, after they were compared."""
        for table in ALL_TABLES:
            self._take(table)

    def _take(self, table: str) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO digests (name, sha256) VALUES (?, ?)",
            (table, digest_of(self.rows(table))),
        )

    def kept(self) -> dict[str, str]:
        """By table what its rows came to; "" where that was never taken. One that is not in it was lost."""
        return {row["name"]: row["sha256"] for row in self._db.all("SELECT name, sha256 FROM digests")}

    def disagreeing(self) -> frozenset[str]:
        """Tables whose rows are not those that were written there."""
        kept = self.kept()
        return frozenset(
            table
            for table in ALL_TABLES
            if (known := kept.get(table)) != "" and known != digest_of(self.rows(table))
        )

    def are_taken(self) -> bool:
        """False in a ledger that was just made, or brought up to date from a version without digests."""
        return "" not in self.kept().values()


def digest_of(rows: Iterable[Row]) -> str:
    """SHA-256 of rows, in whatever order they come."""
    lines = sorted(json.dumps(line_of(row)) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def line_of(row: Row) -> list[Any]:
    """A row as JSON has it."""
    return [{"b64": base64.b64encode(v).decode()} if isinstance(v, bytes) else v for v in row]


def in_words(tables: Iterable[str]) -> list[str]:
    """What a person calls these tables."""
    return [words for table, (_, _, words) in ALL_TABLES.items() if table in frozenset(tables)]
