"""Taking a recording out of every table, and writing the ledger anew so that no page remembers it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from earmark.domain import Instant
from earmark.events import Event
from earmark.files import pack_path, unpack_path
from earmark.ledger.connection import Connection
from earmark.ledger.index import Index
from earmark.ledger.lineage import Lineage
from earmark.ledger.protection import Protection

COMPACT_DUE = "retention.compact"
"""The fact that rows were erased and the file has not been written anew since."""


@dataclass(frozen=True, slots=True)
class Doomed:
    """A file that has to go, while it has the content that was decided about (SHA-256; "" where an older version of
    earmark began the erasure and did not write it down).
    """

    path: Path
    sha256: str


class Erasing:
    """Rows of `erasures`, and the removal of all others."""

    def __init__(self, db: Connection, protection: Protection, lineage: Lineage, index: Index) -> None:
        self._db = db
        self._protection = protection
        self._lineage = lineage
        self._index = index

    def begin(
        self, recording_id: str, files: Iterable[Doomed], keyed_ids: Iterable[str], now: Instant
    ) -> None:
        """Write down what has to go, leave the tombstones, and take the recording off the queue; call in a transaction."""
        self._db.execute(
            "INSERT INTO erasures (recording_id, begun_at, files) VALUES (?, ?, ?)"
            " ON CONFLICT (recording_id) DO UPDATE SET files = excluded.files",
            (recording_id, now, _dump(files)),
        )
        for keyed_id in keyed_ids:
            self._protection.tombstone(keyed_id, now)
        self._db.execute("DELETE FROM jobs WHERE recording_id = ?", (recording_id,))

    def begun(self) -> list[str]:
        return [
            r["recording_id"] for r in self._db.all("SELECT recording_id FROM erasures ORDER BY begun_at")
        ]

    def is_begun(self, recording_id: str) -> bool:
        return self._db.one("SELECT 1 FROM erasures WHERE recording_id = ?", (recording_id,)) is not None

    def files_of(self, recording_id: str) -> list[Doomed] | None:
        """What still has to go; None if that cannot be read any more and has to be looked for again."""
        row = self._db.one("SELECT files FROM erasures WHERE recording_id = ?", (recording_id,))
        return _load(row["files"]) if row else []

    def all_files(self) -> set[Path]:
        """Every file that waits to be erased."""
        return {d.path for r in self._db.all("SELECT files FROM erasures") for d in _load(r["files"]) or ()}

    def keep_open(self, recording_id: str, files: Iterable[Doomed]) -> None:
        """These would not go; the erasure is tried again."""
        self._db.execute("UPDATE erasures SET files = ? WHERE recording_id = ?", (_dump(files), recording_id))

    def done(self, recording_id: str) -> None:
        self._db.execute("DELETE FROM erasures WHERE recording_id = ?", (recording_id,))

    def drop_rows(self, recording_id: str, names: Iterable[str], now: Instant) -> int:
        """Remove everything that belongs to a recording or names one of its files; returns how many rows went.

        Call in a transaction. A name that another recording's file also has stays where it is that one's.
        """
        before = self._db.one("SELECT total_changes() AS n")
        paths = "SELECT path FROM places WHERE recording_id = ?1 UNION SELECT path FROM artifacts WHERE recording_id = ?1"
        # What was before it went on may be a recording of its own, with another file, and was told of under this one's name.
        others = "SELECT path FROM places WHERE recording_id != ?1 UNION SELECT path FROM artifacts WHERE recording_id != ?1"
        self._db.execute(
            f"DELETE FROM events WHERE recording_id = ?1 OR (path IN ({paths}) AND (recording_id IS NULL"
            f" OR path NOT IN ({others})))",
            (recording_id,),
        )
        self._db.execute(f"DELETE FROM troubles WHERE subject IN ({paths})", (recording_id,))
        self._db.execute("DELETE FROM trash WHERE recording_id = ?", (recording_id,))
        self._protection.drop(recording_id)
        self._lineage.drop(recording_id)
        self._db.execute("DELETE FROM recordings WHERE id = ?", (recording_id,))
        for name in names:
            raw = name.encode("utf-8", "surrogateescape")
            known = "SELECT 1 FROM places WHERE instr(path, ?) UNION SELECT 1 FROM artifacts WHERE instr(path, ?) LIMIT 1"
            if len(raw) < 3 or self._db.one(known, (raw, raw)):
                continue
            self._db.execute("DELETE FROM events WHERE instr(CAST(detail AS BLOB), ?)", (raw,))
            self._db.execute("DELETE FROM troubles WHERE instr(CAST(sentence AS BLOB), ?)", (raw,))
        self.owe_compact(now)
        after = self._db.one("SELECT total_changes() AS n")
        return int(after["n"] - before["n"]) if before and after else 0

    def drop_history(self) -> None:
        """Forget the whole journal: for erasing everything."""
        for table in ("events", "troubles", "sweeps"):
            self._db.execute(f"DELETE FROM {table}")

    def owe_compact(self, now: Instant) -> None:
        """Rows were erased: the file is to be written anew. Call in the transaction that erases them."""
        self._db.execute(
            "INSERT OR REPLACE INTO facts (name, value, at) VALUES (?, '', ?)", (COMPACT_DUE, now)
        )

    def compact(self) -> bool:
        """Clean the index, VACUUM, then empty the write-ahead log; false if a reader kept the log from being emptied.

        Raises EnvironmentFault while somebody else writes.
        """
        self._index.clean()
        # The copy that VACUUM makes must not lie in a temp folder.
        self._db.execute("PRAGMA temp_store = MEMORY")
        self._db.execute("VACUUM")
        row = self._db.one("PRAGMA wal_checkpoint(TRUNCATE)")
        emptied = row is not None and row[0] == 0
        if emptied:
            self._db.execute("DELETE FROM facts WHERE name = ?", (COMPACT_DUE,))
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return emptied

    def compact_due(self) -> bool:
        """True if rows were erased and the file has not been written anew since."""
        return self._db.one("SELECT 1 FROM facts WHERE name = ?", (COMPACT_DUE,)) is not None

    def still_alive(self, needles: set[bytes]) -> set[bytes]:
        """Those byte strings that other recordings have a right to: the same words were said there, or a file of theirs
        has that name, or had it before.
        """
        alive = set()
        columns = (
            ("transcripts", "CAST(body AS BLOB)"), ("words_of_notes", "CAST(body AS BLOB)"),
            ("summaries", "CAST(body AS BLOB)"), ("heard", "CAST(text AS BLOB)"),
            ("passages_fts", "CAST(text AS BLOB)"), ("passages_fts", "CAST(heading AS BLOB)"),
            ("passages_fts", "CAST(speakers AS BLOB)"), ("places", "path"), ("artifacts", "path"), ("trash", "original"),
        )  # fmt: skip
        for needle in needles:
            if any(
                self._db.one(f"SELECT 1 FROM {table} WHERE instr({column}, ?) LIMIT 1", (needle,))
                for table, column in columns
            ) or self._db.one(
                "SELECT 1 FROM events WHERE recording_id IS NOT NULL"
                " AND (path = ?1 OR (what = ?2 AND instr(CAST(detail AS BLOB), ?1))) LIMIT 1",
                (needle, Event.RENAMED),
            ):
                alive.add(needle)
        return alive


def _dump(files: Iterable[Doomed]) -> str:
    return json.dumps([[pack_path(d.path), d.sha256] for d in files])


def _load(text: str) -> list[Doomed] | None:
    try:
        return [
            Doomed(unpack_path(entry), "")
            if isinstance(entry, str)
            else Doomed(unpack_path(entry[0]), entry[1])
            for entry in json.loads(text)
        ]
    except (ValueError, LookupError, TypeError):
        return None
