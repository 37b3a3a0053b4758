"""Recordings: contents, each with one date, its revisions and when it was done."""

from __future__ import annotations

from dataclasses import dataclass

from earmark.domain import Date, Dated, Instant
from earmark.ledger.connection import Connection, Row


@dataclass(frozen=True, slots=True)
class Recording:
    """One content. `id` is its SHA-256 in hex, `size` in bytes, `duration` in seconds (None until known).

    `recorded_at` is its one date, `recorded_text` the same as local wall time as notes show it ("" if unknown, then
    `recorded_at` is when it came), `recorded_from` where it comes from. `body_sha256` is of the bytes after the header.
    """

    id: str
    size: int
    accepted_at: Instant
    recorded_at: Instant
    recorded_text: str
    recorded_from: Dated
    body_sha256: str
    priority: int
    duration: float | None
    transcript_rev: int
    summary_rev: int
    done_at: Instant | None


class Recordings:
    """Rows of `recordings`."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def get(self, recording_id: str) -> Recording | None:
        row = self._db.one("SELECT * FROM recordings WHERE id = ?", (recording_id,))
        return _recording(row) if row else None

    def all(self) -> list[Recording]:
        """All recordings, the newest by their own date first."""
        return [_recording(r) for r in self._db.all("SELECT * FROM recordings ORDER BY recorded_at DESC, id")]

    def undated(self) -> list[Recording]:
        """Those whose date nobody has looked at since the ledger learned of dates."""
        return [_recording(r) for r in self._db.all("SELECT * FROM recordings WHERE recorded_from = ''")]

    def add(
        self, recording_id: str, size: int, now: Instant, date: Date, priority: int, body_sha256: str = ""
    ) -> bool:
        """True if the content was new; a known one keeps the higher priority, and its date unless that is a worse one."""
        cursor = self._db.execute(
            "INSERT INTO recordings (id, size, accepted_at, recorded_at, recorded_text, recorded_from, body_sha256,"
            " priority) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
            (recording_id, size, now, date.at, date.text, date.source, body_sha256, priority),
        )
        if cursor.rowcount == 0:
            self._db.execute(
                "UPDATE recordings SET priority = max(priority, ?), body_sha256 = ? WHERE id = ?",
                (priority, body_sha256, recording_id),
            )
            self.date(recording_id, date)
        return cursor.rowcount > 0

    def date(self, recording_id: str, date: Date) -> None:
        """Its date as some source has it; it counts if that is a better one than the date that is known comes from."""
        known = self.get(recording_id)
        if known is None or not _better(date.source, known.recorded_from):
            return
        self._db.execute(
            "UPDATE recordings SET recorded_at = ?, recorded_text = ?, recorded_from = ? WHERE id = ?",
            (date.at, date.text, date.source, recording_id),
        )

    def mark_done(self, recording_id: str, now: Instant) -> None:
        """All outputs are on disk; the retention clock starts (once)."""
        self._db.execute(
            "UPDATE recordings SET done_at = ? WHERE id = ? AND done_at IS NULL", (now, recording_id)
        )

    def merge(self, former: str, recording_id: str) -> None:
        """A content goes on as another one, which gets its story and its trash; its own words go.

        Call in a transaction, when no place holds the former any more.
        """
        self._db.execute(
            "INSERT OR IGNORE INTO wishes SELECT ?, template, asked_at FROM wishes WHERE recording_id = ?",
            (recording_id, former),
        )
        for table in ("events", "trash"):
            self._db.execute(
                f"UPDATE {table} SET recording_id = ? WHERE recording_id = ?", (recording_id, former)
            )
        self._db.execute("DELETE FROM recordings WHERE id = ?", (former,))


_ORDER = tuple(Dated)


def _better(one: Dated, other: Dated) -> bool:
    """Of the same source the first stays: a copy's own name or file time says nothing new."""
    return _ORDER.index(one) < _ORDER.index(other)


def _recording(row: Row) -> Recording:
    found = {key: row[key] for key in Recording.__slots__}
    return Recording(**found | {"recorded_from": Dated(row["recorded_from"])})
