"""Recordings and the files that hold them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from earmark.domain import Instant
from earmark.ledger.connection import Connection, Row


def _fitting(number: int) -> int:
    """The number as SQLite's signed 64 bits. Inodes of FUSE and network folders use all 64; a time past the year 2262 in
    nanoseconds needs more. Only equality matters, so what is too large is wrapped.
    """
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells one state of a file from another without reading it: size in bytes, mtime in ns, inode, device."""

    size: int
    mtime_ns: int
    inode: int
    device: int = field(compare=False)  # device numbers change over reboots and mounts

    @classmethod
    def of(cls, stat: os.stat_result) -> Identity:
        return cls(stat.st_size, _fitting(stat.st_mtime_ns), _fitting(stat.st_ino), _fitting(stat.st_dev))

    def __str__(self) -> str:
        return f"{self.size}:{self.mtime_ns}:{self.inode}:{self.device}"


@dataclass(frozen=True, slots=True)
class Recording:
    """One content. `id` is its SHA-256 in hex, `size` in bytes, `duration` in seconds (None until known)."""

    id: str
    size: int
    accepted_at: Instant
    media_time: Instant
    priority: int
    duration: float | None
    transcript_rev: int
    summary_rev: int
    done_at: Instant | None


@dataclass(frozen=True, slots=True)
class Place:
    """A file that holds (or held, if `gone_at`) a recording, and which revision of its notes is beside it."""

    path: Path
    folder: Path
    recording_id: str
    identity: Identity
    accepted_at: Instant
    gone_at: Instant | None
    gone_why: str | None
    transcript_rev: int
    summary_rev: int
    outputs: str
    not_before: Instant
    trouble: str | None


class Places:
    """Rows of `recordings` and `places`."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def identities(self, folder: Path) -> dict[bytes, Identity]:
        """Every file of a drop folder that is in the ledger and was there when last looked at."""
        rows = self._db.all(
            "SELECT path, size, mtime_ns, inode, device FROM places WHERE folder = ? AND gone_at IS NULL",
            (os.fsencode(folder),),
        )
        return {r["path"]: Identity(r["size"], r["mtime_ns"], r["inode"], r["device"]) for r in rows}

    def recording(self, recording_id: str) -> Recording | None:
        row = self._db.one("SELECT * FROM recordings WHERE id = ?", (recording_id,))
        return _recording(row) if row else None

    def recordings(self) -> list[Recording]:
        """All recordings, newest media first."""
        return [_recording(r) for r in self._db.all("SELECT * FROM recordings ORDER BY media_time DESC, id")]

    def at(self, path: Path) -> Place | None:
        """The place with exactly this path."""
        row = self._db.one("SELECT * FROM places WHERE path = ?", (os.fsencode(path),))
        return _place(row) if row else None

    def of(self, recording_id: str) -> list[Place]:
        """Every place of a recording, those still there first."""
        rows = self._db.all(
            "SELECT * FROM places WHERE recording_id = ? ORDER BY gone_at IS NOT NULL, accepted_at, path",
            (recording_id,),
        )
        return [_place(r) for r in rows]

    def all(self) -> list[Place]:
        return [_place(r) for r in self._db.all("SELECT * FROM places ORDER BY accepted_at, path")]

    def add_recording(
        self, recording_id: str, size: int, now: Instant, media_time: Instant, priority: int
    ) -> bool:
        """True if the content was new."""
        cursor = self._db.execute(
            "INSERT INTO recordings (id, size, accepted_at, media_time, priority) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO NOTHING",
            (recording_id, size, now, media_time, priority),
        )
        if cursor.rowcount == 0:
            self._db.execute(
                "UPDATE recordings SET priority = max(priority, ?) WHERE id = ?", (priority, recording_id)
            )
        return cursor.rowcount > 0

    def put(self, path: Path, folder: Path, recording_id: str, identity: Identity, now: Instant) -> None:
        """The file at `path` holds this recording now; nothing is beside it yet unless it held it before."""
        self._db.execute(
            "INSERT INTO places (path, folder, recording_id, size, mtime_ns, inode, device, accepted_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET"
            " folder = excluded.folder, size = excluded.size, mtime_ns = excluded.mtime_ns, inode = excluded.inode,"
            " device = excluded.device, gone_at = NULL, gone_why = NULL, trouble = NULL, not_before = 0,"
            " transcript_rev = CASE WHEN recording_id = excluded.recording_id THEN transcript_rev ELSE 0 END,"
            " summary_rev = CASE WHEN recording_id = excluded.recording_id THEN summary_rev ELSE 0 END,"
            " accepted_at = CASE WHEN recording_id = excluded.recording_id THEN accepted_at ELSE excluded.accepted_at END,"
            " recording_id = excluded.recording_id",
            (
                os.fsencode(path),
                os.fsencode(folder),
                recording_id,
                identity.size,
                identity.mtime_ns,
                identity.inode,
                identity.device,
                now,
            ),
        )

    def move(self, old: Path, new: Path, folder: Path, identity: Identity) -> None:
        """The file was renamed: same place, other path; its artifacts go on belonging to it."""
        self._db.execute("DELETE FROM places WHERE path = ?", (os.fsencode(new),))
        self._db.execute(
            "UPDATE places SET path = ?, folder = ?, size = ?, mtime_ns = ?, inode = ?, device = ?, gone_at = NULL,"
            " gone_why = NULL WHERE path = ?",
            (
                os.fsencode(new),
                os.fsencode(folder),
                identity.size,
                identity.mtime_ns,
                identity.inode,
                identity.device,
                os.fsencode(old),
            ),
        )
        self._db.execute(
            "UPDATE artifacts SET place = ? WHERE place = ?", (os.fsencode(new), os.fsencode(old))
        )

    def gone(self, path: Path, now: Instant, why: str) -> None:
        """The file is not there any more. Its notes stay; the recording stays known."""
        self._db.execute(
            "UPDATE places SET gone_at = coalesce(gone_at, ?), gone_why = ? WHERE path = ?",
            (now, why, os.fsencode(path)),
        )

    def owed(self, now: Instant, limit: int = -1) -> list[Place]:
        """Places whose notes on disk are behind what is known and may be tried now.

        A `not_before` more than a day ahead was set under another clock and does not count.
        """
        rows = self._db.all(
            "SELECT p.* FROM places p JOIN recordings r ON r.id = p.recording_id"
            " WHERE (p.transcript_rev < r.transcript_rev OR p.summary_rev < r.summary_rev)"
            " AND p.gone_at IS NULL AND (p.not_before <= ? OR p.not_before > ? + 86400) ORDER BY p.accepted_at LIMIT ?",
            (now, now, limit),
        )
        return [_place(r) for r in rows]

    def next_due(self, now: Instant) -> Instant | None:
        """The earliest future `not_before` of a place whose notes could not be written."""
        row = self._db.one(
            "SELECT min(not_before) AS t FROM places WHERE not_before > ? AND gone_at IS NULL", (now,)
        )
        return row["t"] if row else None

    def caught_up(self, path: Path, transcript_rev: int, summary_rev: int, outputs: str) -> None:
        """The notes of these revisions are on disk."""
        self._db.execute(
            "UPDATE places SET transcript_rev = ?, summary_rev = ?, outputs = ?, trouble = NULL, not_before = 0"
            " WHERE path = ?",
            (transcript_rev, summary_rev, outputs, os.fsencode(path)),
        )

    def not_written(self, path: Path, sentence: str, not_before: Instant) -> None:
        """The notes could not be written; try again from `not_before` on."""
        self._db.execute(
            "UPDATE places SET trouble = ?, not_before = ? WHERE path = ?",
            (sentence, not_before, os.fsencode(path)),
        )

    def mark_done(self, recording_id: str, now: Instant) -> None:
        """All outputs are on disk; the retention clock starts (once)."""
        self._db.execute(
            "UPDATE recordings SET done_at = ? WHERE id = ? AND done_at IS NULL", (now, recording_id)
        )


def _recording(row: Row) -> Recording:
    return Recording(**{key: row[key] for key in Recording.__slots__})


def _place(row: Row) -> Place:
    return Place(
        path=Path(os.fsdecode(row["path"])),
        folder=Path(os.fsdecode(row["folder"])),
        recording_id=row["recording_id"],
        identity=Identity(row["size"], row["mtime_ns"], row["inode"], row["device"]),
        accepted_at=row["accepted_at"],
        gone_at=row["gone_at"],
        gone_why=row["gone_why"],
        transcript_rev=row["transcript_rev"],
        summary_rev=row["summary_rev"],
        outputs=row["outputs"],
        not_before=row["not_before"],
        trouble=row["trouble"],
    )
