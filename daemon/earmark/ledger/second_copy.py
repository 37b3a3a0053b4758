"""What protects, written a second time, so that damage to the ledger switches no protection off.

The second copy, `protection.jsonl` beside the ledger, is a line per row under a checksum. It follows every change; after a
kill in between it is one change behind, which `reconcile` tells by the serial number.
"""

from __future__ import annotations

import base64
import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from earmark.files import Busy, FileLock, read_bytes, write_own
from earmark.ledger.connection import Connection

COPY, LOCK = "protection.jsonl", "protection.lock"
SERIAL = "protection.serial"
FORMAT = 1

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
"""By table: its columns, which rows protect, and what a person calls it."""


Rows = list[tuple[str, tuple[Any, ...]]]
"""Rows of the copy, each with its table."""


class CopyUnreadable(Exception):
    """The ledger is new, and its former protections stand in a copy that is damaged or may not be read."""


class SecondCopy:
    """The copy of the tables that protect, and the serial number of their last change."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._file = db.file.with_name(COPY)

    def changed(self) -> None:
        """Something that protects has changed: count, and copy after the commit. Call in the transaction of the change."""
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
                    rows = [(table, row) for table in TABLES for row in self._rows(table)]
                write_own(self._file, _dump(serial, rows))
            finally:
                lock.release()

    def reconcile(self, *, repaired: bool = False) -> list[str]:
        """Compare with the copy; put back what the ledger has lost. Returns which protections those were, in words.

        `repaired`: the ledger was just filled from a damaged one, so that the copy counts. Raises CopyUnreadable
        if the ledger is new and there is a copy that cannot be read: nobody knows then what was held.
        """
        copied = self._read()
        if copied is None and self._serial() == 0 and self._file.exists():
            raise CopyUnreadable(f"{self._file} cannot be read, and the ledger is new")
        if copied is None or (self._serial() > copied[0] and not repaired):
            self.write()
            return []
        if not repaired and not any(self._missing(table, copied[1]) for table in TABLES):
            return []  # as it is nearly always, and then nobody need wait for the lock to write
        lost: list[str] = []
        with self._db.transaction():
            if self._serial() > copied[0] and not repaired:
                return []  # somebody has decided something since the copy was read
            for table, (columns, _, words) in TABLES.items():
                missing = self._missing(table, copied[1])
                marks = ", ".join("?" for _ in columns.split(", "))
                self._db.execute_many(f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({marks})", missing)
                if missing:
                    lost.append(words)
            if lost or repaired:
                self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?, 0)", (SERIAL, str(copied[0])))
                self.changed()
        return lost

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
        known = set(self._rows(table))
        return [row for name, row in copied if name == table and row not in known]

    def _serial(self) -> int:
        row = self._db.one("SELECT value FROM facts WHERE name = ?", (SERIAL,))
        return int(row["value"]) if row else 0

    def _rows(self, table: str) -> list[tuple[Any, ...]]:
        columns, where, _ = TABLES[table]
        return [tuple(r) for r in self._db.all(f"SELECT {columns} FROM {table} {where}")]

    def _read(self) -> tuple[int, Rows] | None:
        try:
            return _load(read_bytes(self._file))
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None


def _dump(serial: int, rows: Rows) -> bytes:
    lines = [json.dumps({"earmark_protection": FORMAT, "serial": serial})]
    for table, row in rows:
        values = [{"b64": base64.b64encode(v).decode()} if isinstance(v, bytes) else v for v in row]
        lines.append(json.dumps([table, values]))
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
