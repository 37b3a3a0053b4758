"""What people said must stay, and what must not come back: holds, rules for one recording, notes that say `keep`, and the
tombstones of what was erased. Written twice (ledger/second_copy.py).
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from earmark.domain import Instant
from earmark.ledger.connection import Connection
from earmark.ledger.note_ids import short
from earmark.ledger.second_copy import SecondCopy


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


class Protection:
    """Rows of `holds`, `item_rules`, `notes_seen`, `tombstones` and `keys`, and their copy."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self.second = SecondCopy(db)

    # --- holds ---

    def hold(self, recording_id: str, why: str, now: Instant) -> bool:
        """Nothing of this recording may be deleted by a rule; true if that is news."""
        return self._change(
            "holds",
            "INSERT INTO holds (recording_id, at, why) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (recording_id, now, why),
        )

    def release_hold(self, recording_id: str) -> bool:
        return self._change("holds", "DELETE FROM holds WHERE recording_id = ?", (recording_id,))

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
            "item_rules",
            "INSERT OR REPLACE INTO item_rules (recording_id, kind, body, at) VALUES (?, ?, ?, ?)",
            (recording_id, kind, body, now),
        )

    def clear_item_rules(self, recording_id: str) -> bool:
        return self._change("item_rules", "DELETE FROM item_rules WHERE recording_id = ?", (recording_id,))

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
            if note.keep or (before is not None and before.keep):
                self.second.changing("notes_seen")
            self._db.execute(
                "INSERT INTO notes_seen VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (path, recording_id) DO UPDATE SET"
                " kind = excluded.kind, identity = excluded.identity, keep = excluded.keep, tags = excluded.tags,"
                " seen_at = excluded.seen_at",
                (
                    os.fsencode(note.path), note.recording_id, note.kind, note.identity, int(note.keep),
                    json.dumps(note.tags), note.first_seen, note.seen_at,
                ),
            )  # fmt: skip

    def unsee(self, path: Path) -> None:
        """No note is there any more; what one that said `keep` said stays."""
        self._db.execute("DELETE FROM notes_seen WHERE path = ? AND NOT keep", (os.fsencode(path),))

    def forget_seen(self, note: Seen) -> None:
        """The note that said so is somewhere else now, and says so there; call in the transaction that writes that down."""
        self.second.changing("notes_seen")
        self._db.execute(
            "DELETE FROM notes_seen WHERE path = ? AND recording_id = ?",
            (os.fsencode(note.path), note.recording_id),
        )

    def seen(self, recording_id: str) -> list[Seen]:
        """Every note that was ever seen of a recording, the latest last."""
        rows = self._db.all(
            "SELECT * FROM notes_seen WHERE recording_id IN (?, ?) ORDER BY seen_at",
            (recording_id, short(recording_id)),
        )
        return [_seen(r) for r in rows]

    def seen_elsewhere(self, kind: str) -> list[Seen]:
        """Every note of this kind (`Seen.kind`) that was seen where earmark wrote none: moved, renamed or copied."""
        rows = self._db.all(
            "SELECT * FROM notes_seen n WHERE kind = ? AND NOT EXISTS (SELECT 1 FROM artifacts a"
            " WHERE a.path = n.path) ORDER BY seen_at",
            (kind,),
        )
        return [_seen(row) for row in rows]

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
            self.second.changing("notes_seen")
            return self._db.execute(
                "UPDATE notes_seen SET keep = 0, identity = '' WHERE recording_id IN (?, ?) AND keep",
                (recording_id, short(recording_id)),
            ).rowcount

    def met(self, recording_id: str) -> None:
        """A recording is known from now on whose notes were seen before it; call in the transaction that accepts it."""
        if self._db.one("SELECT 1 FROM notes_seen WHERE recording_id = ?", (short(recording_id),)) is None:
            return
        self.second.changing("notes_seen")
        self._db.execute(
            "UPDATE OR IGNORE notes_seen SET recording_id = ? WHERE recording_id = ?",
            (recording_id, short(recording_id)),
        )

    # --- what was erased ---

    def key(self) -> bytes:
        """The key of this installation's keyed hashes."""
        row = self._db.one("SELECT value FROM keys WHERE name = 'retention'")
        return bytes(row["value"]) if row else b""

    def tombstone(self, keyed_id: str, now: Instant) -> None:
        self._change(
            "tombstones", "INSERT OR IGNORE INTO tombstones (keyed_id, at) VALUES (?, ?)", (keyed_id, now)
        )

    def tombstoned(self, keyed_id: str) -> Instant | None:
        row = self._db.one("SELECT at FROM tombstones WHERE keyed_id = ?", (keyed_id,))
        return row["at"] if row else None

    def lift_tombstone(self, keyed_id: str) -> bool:
        return self._change("tombstones", "DELETE FROM tombstones WHERE keyed_id = ?", (keyed_id,))

    # --- the copy ---

    def drop(self, recording_id: str) -> None:
        """Forget what people decided about a recording that is being erased; call in the transaction."""
        for table in ("holds", "item_rules", "notes_seen"):
            self.second.changing(table)
            ids = (recording_id, short(recording_id))
            self._db.execute(f"DELETE FROM {table} WHERE recording_id IN (?, ?)", ids)

    def pass_on(self, former: str, recording_id: str) -> None:
        """What people decided about one content holds for the one that it goes on as; call in the transaction. What notes of
        the former say stays with it (ledger/lineage.py).
        """
        self.second.changing("holds", "item_rules")
        self._db.execute(
            "INSERT OR IGNORE INTO holds SELECT ?, at, why FROM holds WHERE recording_id = ?",
            (recording_id, former),
        )
        self._db.execute(
            "INSERT OR IGNORE INTO item_rules SELECT ?, kind, body, at FROM item_rules WHERE recording_id = ?",
            (recording_id, former),
        )

    def _change(self, table: str, sql: str, values: tuple[Any, ...]) -> bool:
        with self._db.transaction():
            self.second.changing(table)
            return self._db.execute(sql, values).rowcount > 0


def _seen(row: Any) -> Seen:
    return Seen(
        Path(os.fsdecode(row["path"])), row["recording_id"], row["kind"], row["identity"], bool(row["keep"]),
        tuple(json.loads(row["tags"])), row["first_seen"], row["seen_at"],
    )  # fmt: skip
