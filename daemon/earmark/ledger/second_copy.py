"""What protects, written a second time, so that damage to the ledger switches no protection off.

The second copy, `protection.jsonl` beside the ledger, is a line per row under a checksum. It follows every change; after a
kill in between it is one change behind, which `reconcile` tells by the serial number.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from earmark.files import Busy, FileLock, read_bytes, write_own
from earmark.ledger.connection import Connection
from earmark.ledger.digests import ALL_TABLES, MARKED, TABLES, Digests, digest_of, in_words, line_of

COPY, LOCK = "protection.jsonl", "protection.lock"
SERIAL = "protection.serial"
FORMAT = 1

__all__ = ["COPY", "MARKED", "TABLES", "Compared", "CopyUnreadable", "SecondCopy"]

Rows = list[tuple[str, tuple[Any, ...]]]
"""Rows of the copy, each with its table."""


class CopyUnreadable(Exception):
    """The ledger is new, and its former protections stand in a copy that is damaged or may not be read."""


@dataclass(slots=True)
class Compared:
    """What a comparison with the copy came to: tables that got rows back from it, and tables of which nobody knows whether
    their rows are those that were written there.
    """

    restored: set[str] = field(default_factory=set)
    doubtful: set[str] = field(default_factory=set)

    @property
    def restored_in_words(self) -> list[str]:
        return in_words(self.restored)


class SecondCopy:
    """The copy of the tables that protect, and the serial number of their last change."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self.digests = Digests(db)
        self._file = db.file.with_name(COPY)

    def changing(self, *tables: str) -> None:
        """Rows of these tables that protect are about to be changed. Call in the transaction of the change, before it."""
        for table in tables:
            self.digests.changing(table)
        self.changed()

    def changed(self) -> None:
        """Something that protects changes: count, and copy after the commit. Call in the transaction of the change."""
        self._db.execute(
            "INSERT INTO facts (name, value, at) VALUES (?, '1', 0) ON CONFLICT (name) DO UPDATE SET"
            " value = CAST(value AS INTEGER) + 1",
            (SERIAL,),
        )
        self._db.after_commit("protection", self.write)

    def write(self) -> None:
        """Write the copy. A disk that does not take it is found again at the next start."""
        with suppress(OSError, Busy):
            lock = FileLock(self._file.with_name(LOCK))
            lock.acquire(2.0)
            try:
                serial, rows = -1, []
                while serial != (serial := self._serial()):
                    rows = [(table, row) for table in TABLES for row in self.digests.rows(table)]
                write_own(self._file, _dump(serial, rows))
            finally:
                lock.release()

    def agrees(self) -> bool:
        """True if the ledger is what was written into it, and the copy the same. As it is nearly always, and then nobody
        need wait for the lock to write.
        """
        copied = self._read()
        if copied is None:
            return False
        with self._db.one_moment():
            return (
                self._serial() <= copied[0]
                and self.digests.are_taken()
                and not self.digests.disagreeing()
                and not any(self._missing(table, copied[1]) for table in TABLES)
            )

    def reconcile(self, *, repaired: bool = False, kept: Mapping[str, str] | None = None) -> Compared:
        """Compare with the copy and with the digests; put back what the ledger has lost.

        `repaired`: the ledger was just filled from a damaged one, so that the copy counts, and `kept` are the digests that
        were read there. Raises CopyUnreadable if the ledger is new and there is a copy that cannot be read: nobody knows
        then what was held.
        """
        found, copied = Compared(), self._read()
        with self._db.transaction():
            if copied is None and self._serial() == 0 and self._file.exists():
                raise CopyUnreadable(f"{self._file} cannot be read, and the ledger is new")
            # Somebody may have decided something since the copy was read; then it is one behind.
            counts = copied is not None and (repaired or self._serial() <= copied[0])
            kept = self.digests.kept() if kept is None else kept
            for table in ALL_TABLES:
                theirs = None if copied is None or table not in TABLES else _of(table, copied[1])
                self._compare(table, kept.get(table), theirs, counts, found)
            if copied is not None and (found.restored or found.doubtful or repaired):
                serial = max(self._serial(), copied[0])
                self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?, 0)", (SERIAL, str(serial)))
                self.changed()
            self.digests.take()
            self._db.after_commit("protection", self.write)
        return found

    def _compare(
        self, table: str, kept: str | None, theirs: set[tuple[Any, ...]] | None, counts: bool, found: Compared
    ) -> None:
        """One table. `kept`: the digest of what was written there; `theirs`: the rows of the copy, which `counts` if it
        is of the last change.
        """
        ours = set(self.digests.rows(table))
        right = kept == "" or kept == digest_of(ours)
        if not right and theirs is not None and kept == digest_of(theirs):
            self._drop(table)
            self._put(table, theirs)
            found.restored.add(table)
            return
        if not right and ours != theirs:
            found.doubtful.add(table)
        if counts and theirs is not None and theirs - ours:
            self._put(table, theirs - ours)
            found.restored.add(table)

    def _drop(self, table: str) -> None:
        self._db.execute(f"DELETE FROM {table} {ALL_TABLES[table][1]}")

    def _put(self, table: str, rows: set[tuple[Any, ...]]) -> None:
        columns = TABLES[table][0]
        marks = ", ".join("?" for _ in columns.split(", "))
        self._db.execute_many(f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({marks})", list(rows))

    @property
    def aside(self) -> Path:
        """What a copy that cannot be read is called afterwards."""
        return self._file.with_name(f"{COPY}.damaged")

    def set_aside(self) -> None:
        """Give a copy that cannot be read that name, so that a new one can be written; first write down the doubt."""
        with suppress(OSError):
            self._file.rename(self.aside)

    def is_whole(self) -> bool:
        """True if there is a copy, and it is whole."""
        return self._read() is not None

    def _missing(self, table: str, copied: Rows) -> list[tuple[Any, ...]]:
        """The rows of a table that only the copy has."""
        return list(_of(table, copied) - set(self.digests.rows(table)))

    def _serial(self) -> int:
        row = self._db.one("SELECT value FROM facts WHERE name = ?", (SERIAL,))
        return int(row["value"]) if row else 0

    def _read(self) -> tuple[int, Rows] | None:
        try:
            return _load(read_bytes(self._file))
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None


def _of(table: str, copied: Rows) -> set[tuple[Any, ...]]:
    return {row for name, row in copied if name == table}


def _dump(serial: int, rows: Rows) -> bytes:
    lines = [json.dumps({"earmark_protection": FORMAT, "serial": serial})]
    for table, row in rows:
        lines.append(json.dumps([table, line_of(row)]))
    text = "\n".join(lines).encode() + b"\n"
    return text + json.dumps({"sha256": hashlib.sha256(text).hexdigest()}).encode() + b"\n"


def _load(data: bytes) -> tuple[int, Rows]:
    """Raises ValueError if the checksum is not that of the lines above it."""
    text, _, end = data.rstrip(b"\n").rpartition(b"\n")
    text += b"\n"
    if json.loads(end)["sha256"] != hashlib.sha256(text).hexdigest():
        raise ValueError("damaged")
    head, *lines = text.splitlines()
    if json.loads(head)["earmark_protection"] != FORMAT:
        raise ValueError("another format")
    rows = []
    for line in lines:
        table, values = json.loads(line)
        rows.append((table, tuple(base64.b64decode(v["b64"]) if isinstance(v, dict) else v for v in values)))
    return int(json.loads(head)["serial"]), rows
