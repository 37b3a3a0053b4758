"""What people said must stay, and what must not come back: holds, rules for one recording, notes that say `keep`, and the
tombstones of what was erased. Written twice, so that damage to the ledger switches no protection off.

The second copy, `protection.jsonl` beside the ledger, is a line per row under a checksum. It follows every change; after
a kill in between it is one change behind, which `reconcile` tells by the serial number.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from earmark.domain import Instant
from earmark.files import Busy, FileLock, read_bytes, write_own
from earmark.ledger.connection import Connection

COPY, LOCK = "protection.jsonl", "protection.lock"
SERIAL = "protection.serial"
FORMAT = 1

TABLES: dict[str, tuple[str, str, str]] = {
    "holds": ("recording_id, at, why", "", "the list of holds"),
    "item_rules": ("recording_id, kind, body, at", "", "the rules for single recordings"),
    "notes_seen": (
        "path, recording_id, kind, identity, keep, tags, first_seen, seen_at", "WHERE keep", "the notes that say `keep`",
    ),
    "formers": ("former, recording_id, size, tags", "", "the list of recordings that went on"),
    "tombstones": ("keyed_id, at", "", "the list of what was erased"),
    "keys": ("name, value", "", "the key of the list of what was erased"),
}  # fmt: skip
"""By table: its columns, which rows protect, and what a person calls it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A note as it was last read: whose it is, and whether it said `keep`. `identity` is of the file at that time."""

    path: Path
    recording_id: str
    kind: str
    identity: str
    keep: bool
    tags: tuple[str, ...]
    first_seen: Instant
    seen_at: Instant


class CopyUnreadable(Exception):
    """The ledger is new, and its former protections stand in a copy that is damaged or may not be read."""


class Protection:
    """Rows of `holds`, `item_rules`, `notes_seen`, `tombstones` and `keys`, and their copy."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._file = db.file.with_name(COPY)

    # --- holds ---

    def hold(self, recording_id: str, why: str, now: Instant) -> bool:
        """Nothing of this recording may be deleted by a rule; true if that is news."""
        return self._change(
            "INSERT INTO holds (recording_id, at, why) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (recording_id, now, why),
        )

    def release_hold(self, recording_id: str) -> bool:
        return self._change("DELETE FROM holds WHERE recording_id = ?", (recording_id,))

    def holds(self) -> dict[str, tuple[Instant, str]]:
        """When and why, by recording."""
        rows = self._db.all("SELECT * FROM holds ORDER BY at")
        return {r["recording_id"]: (r["at"], r["why"]) for r in rows}

    def held(self, recording_id: str) -> str | None:
        """Why a person holds it, or None."""
        row = self._db.one("SELECT why FROM holds WHERE recording_id = ?", (recording_id,))
        return row["why"] if row else None

    # --- rules for one recording ---

    def set_item_rule(self, recording_id: str, kind: str, body: str, now: Instant) -> None:
        self._change(
            "INSERT OR REPLACE INTO item_rules (recording_id, kind, body, at) VALUES (?, ?, ?, ?)",
            (recording_id, kind, body, now),
        )

    def clear_item_rules(self, recording_id: str) -> bool:
        return self._change("DELETE FROM item_rules WHERE recording_id = ?", (recording_id,))

    def item_rules(self, recording_id: str) -> dict[str, str]:
        """The body of each rule (config.RetentionRule as JSON), by class."""
        rows = self._db.all("SELECT kind, body FROM item_rules WHERE recording_id = ?", (recording_id,))
        return {r["kind"]: r["body"] for r in rows}

    def all_item_rules(self) -> list[tuple[str, str, str]]:
        """Recording, class and body of every rule."""
        rows = self._db.all("SELECT recording_id, kind, body FROM item_rules ORDER BY at, kind")
        return [(r["recording_id"], r["kind"], r["body"]) for r in rows]

    def any_item_rule(self) -> bool:
        """True if some recording has a rule of its own."""
        return self._db.one("SELECT 1 FROM item_rules LIMIT 1") is not None

    # --- notes ---

    def saw(self, note: Seen) -> None:
        """This note was read just now."""
        with self._db.transaction():
            before = self.seen_at(note.path, note.recording_id)
            self._db.execute(
                "INSERT INTO notes_seen VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (path, recording_id) DO UPDATE SET"
                " kind = excluded.kind, identity = excluded.identity, keep = excluded.keep, tags = excluded.tags,"
                " seen_at = excluded.seen_at",
                (
                    os.fsencode(note.path), note.recording_id, note.kind, note.identity, int(note.keep),
                    json.dumps(note.tags), note.first_seen, note.seen_at,
                ),
            )  # fmt: skip
            if note.keep or (before is not None and before.keep):
                self.changed()

    def unsee(self, path: Path) -> None:
        """No note is there any more; what one that said `keep` said stays."""
        self._db.execute("DELETE FROM notes_seen WHERE path = ? AND NOT keep", (os.fsencode(path),))

    def forget_seen(self, note: Seen) -> None:
        """The note that said so is somewhere else now, and says so there; call in the transaction that writes that down."""
        self._db.execute(
            "DELETE FROM notes_seen WHERE path = ? AND recording_id = ?",
            (os.fsencode(note.path), note.recording_id),
        )
        self.changed()

    def seen(self, recording_id: str) -> list[Seen]:
        """Every note that was ever seen of a recording, the latest last."""
        rows = self._db.all(
            "SELECT * FROM notes_seen WHERE recording_id = ? ORDER BY seen_at", (recording_id,)
        )
        return [_seen(r) for r in rows]

    def keeping(self) -> list[Seen]:
        """Every note that said `keep` when it was last seen."""
        return [_seen(r) for r in self._db.all("SELECT * FROM notes_seen WHERE keep ORDER BY seen_at")]

    def seen_at(self, path: Path, recording_id: str) -> Seen | None:
        """What a note at this path said when it was last read."""
        row = self._db.one(
            "SELECT * FROM notes_seen WHERE path = ? AND recording_id = ?", (os.fsencode(path), recording_id)
        )
        return _seen(row) if row else None

    def at(self, path: Path) -> list[Seen]:
        """What notes at this path said when they were last read, of whichever recording."""
        return [
            _seen(r) for r in self._db.all("SELECT * FROM notes_seen WHERE path = ?", (os.fsencode(path),))
        ]

    def unkeep(self, recording_id: str) -> int:
        """A person releases what notes said; returns how many had said `keep`."""
        with self._db.transaction():
            count = self._db.execute(
                "UPDATE notes_seen SET keep = 0, identity = '' WHERE recording_id = ? AND keep",
                (recording_id,),
            ).rowcount
            if count:
                self.changed()
        return count

    # --- what was erased ---

    def key(self) -> bytes:
        """The key of this installation's keyed hashes."""
        row = self._db.one("SELECT value FROM keys WHERE name = 'retention'")
        return bytes(row["value"]) if row else b""

    def tombstone(self, keyed_id: str, now: Instant) -> None:
        self._change("INSERT OR IGNORE INTO tombstones (keyed_id, at) VALUES (?, ?)", (keyed_id, now))

    def tombstoned(self, keyed_id: str) -> Instant | None:
        row = self._db.one("SELECT at FROM tombstones WHERE keyed_id = ?", (keyed_id,))
        return row["at"] if row else None

    def lift_tombstone(self, keyed_id: str) -> bool:
        return self._change("DELETE FROM tombstones WHERE keyed_id = ?", (keyed_id,))

    # --- the copy ---

    def changed(self) -> None:
        """Something that protects has changed: count, and copy after the commit. Call in the transaction of the change."""
        self._db.execute(
            "INSERT INTO facts (name, value, at) VALUES (?, '1', 0) ON CONFLICT (name) DO UPDATE SET"
            " value = CAST(value AS INTEGER) + 1",
            (SERIAL,),
        )
        self._db.after_commit("protection", self.copy)

    def drop(self, recording_id: str) -> None:
        """Forget what people decided about a recording that is being erased; call in the transaction."""
        self.drop_decisions(recording_id)
        self._db.execute("DELETE FROM notes_seen WHERE recording_id = ?", (recording_id,))

    def drop_decisions(self, recording_id: str) -> None:
        """The same, but for what its notes said."""
        for table in ("holds", "item_rules"):
            self._db.execute(f"DELETE FROM {table} WHERE recording_id = ?", (recording_id,))
        self.changed()

    def pass_on(self, former: str, recording_id: str) -> None:
        """What people decided about one content holds for the one that it goes on as; call in the transaction. What notes of
        the former say stays with it (ledger/lineage.py).
        """
        self._db.execute(
            "INSERT OR IGNORE INTO holds SELECT ?, at, why FROM holds WHERE recording_id = ?",
            (recording_id, former),
        )
        self._db.execute(
            "INSERT OR IGNORE INTO item_rules SELECT ?, kind, body, at FROM item_rules WHERE recording_id = ?",
            (recording_id, former),
        )
        self.changed()

    def copy(self) -> None:
        """Write the copy. A disk that does not take it is found again at the next start."""
        with suppress(OSError, Busy):
            lock = FileLock(self._file.with_name(LOCK))
            lock.acquire(2.0)
            try:
                rows = [(table, row) for table in TABLES for row in self._rows(table)]
                write_own(self._file, _dump(self._serial(), rows))
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
            self.copy()
            return []
        lost = []
        with self._db.transaction():
            for table, (columns, _, words) in TABLES.items():
                missing = [row for name, row in copied[1] if name == table and row not in self._rows(table)]
                marks = ", ".join("?" for _ in columns.split(", "))
                self._db.execute_many(f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({marks})", missing)
                if missing:
                    lost.append(words)
            if lost or repaired:
                self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?, 0)", (SERIAL, str(copied[0])))
                self.changed()
        return lost

    def set_aside(self) -> Path | None:
        """Give a copy that cannot be read another name, so that a new one can be written; None if that cannot be done."""
        aside = self._file.with_name(f"{COPY}.damaged")
        try:
            self._file.rename(aside)
        except OSError:
            return None
        return aside

    def has_copy(self) -> bool:
        """True if there is a copy, and it is whole."""
        return self._read() is not None

    def _change(self, sql: str, values: tuple[Any, ...]) -> bool:
        with self._db.transaction():
            changed = self._db.execute(sql, values).rowcount > 0
            if changed:
                self.changed()
        return changed

    def _serial(self) -> int:
        row = self._db.one("SELECT value FROM facts WHERE name = ?", (SERIAL,))
        return int(row["value"]) if row else 0

    def _rows(self, table: str) -> list[tuple[Any, ...]]:
        columns, where, _ = TABLES[table]
        return [tuple(r) for r in self._db.all(f"SELECT {columns} FROM {table} {where}")]

    def _read(self) -> tuple[int, list[tuple[str, tuple[Any, ...]]]] | None:
        try:
            return _load(read_bytes(self._file))
        except (OSError, ValueError, KeyError, TypeError):
            return None


def _dump(serial: int, rows: list[tuple[str, tuple[Any, ...]]]) -> bytes:
    lines = [json.dumps({"earmark_protection": FORMAT, "serial": serial})]
    for table, row in rows:
        values = [{"b64": base64.b64encode(v).decode()} if isinstance(v, bytes) else v for v in row]
        lines.append(json.dumps([table, values]))
    text = "\n".join(lines).encode() + b"\n"
    return text + json.dumps({"sha256": hashlib.sha256(text).hexdigest()}).encode() + b"\n"


def _load(data: bytes) -> tuple[int, list[tuple[str, tuple[Any, ...]]]]:
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


def _seen(row: Any) -> Seen:
    return Seen(
        Path(os.fsdecode(row["path"])), row["recording_id"], row["kind"], row["identity"], bool(row["keep"]),
        tuple(json.loads(row["tags"])), row["first_seen"], row["seen_at"],
    )  # fmt: skip
