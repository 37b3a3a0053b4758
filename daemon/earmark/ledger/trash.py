"""Files that rules took: where each was, where it lies, and what became of it. Also what each sweep did."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from earmark.domain import Instant, Kind, TrashState
from earmark.ledger.connection import Connection, Row

IN_TRASH = (TrashState.HERE, TrashState.MOVING, TrashState.RESTORING, TrashState.PURGING)
"""Of a file that a rule took and that is still to be had."""


@dataclass(frozen=True, slots=True)
class Trashed:
    """One file that a rule took. `trashed` is where it lies (None: the desktop's trash got it, before version 0.2);
    `trashed_at` starts the trash's clock.
    """

    id: int
    recording_id: str
    kind: Kind
    original: Path
    place: Path
    trashed: Path | None
    size: int
    sha256: str
    rule: str
    reason: str
    state: TrashState
    trashed_at: Instant
    ended_at: Instant | None


class Swept(StrEnum):
    """What a sweep came to."""

    UNDER_WAY = "under way"
    NOTHING = "nothing"
    REPORTED = "reported"
    """The policy is new: it only said what would go."""
    SWEPT = "swept"
    PARTIAL = "partial"
    """Out of time; it goes on."""
    STOPPED = "stopped"
    """A guard wants a person to look first."""
    BUSY = "busy"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one sweep did."""

    id: int
    began_at: Instant
    ended_at: Instant | None
    outcome: Swept
    sentence: str
    trashed: int
    purged: int
    bytes: int
    errors: int


class Trash:
    """Rows of `trash` and `sweeps`."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def moving(
        self,
        recording_id: str,
        kind: Kind,
        original: Path,
        place: Path,
        size: int,
        sha256: str,
        rule: str,
        reason: str,
        now: Instant,
    ) -> int:
        """Announce that a file is about to be taken; returns the row, which names its folder in the trash."""
        cursor = self._db.execute(
            "INSERT INTO trash (recording_id, kind, original, place, trashed, size, sha256, rule, reason, state,"
            " trashed_at) VALUES (?, ?, ?, ?, x'', ?, ?, ?, ?, 'moving', ?)",
            (recording_id, kind, os.fsencode(original), os.fsencode(place), size, sha256, rule, reason, now),
        )
        return int(cursor.lastrowid or 0)

    def aim(self, row: int, trashed: Path) -> None:
        """Where the file is about to go."""
        self._db.execute("UPDATE trash SET trashed = ? WHERE id = ?", (os.fsencode(trashed), row))

    def goes_to(self, row: int, original: Path) -> None:
        """Where the file is to come back, now that its recording is in another folder."""
        self._db.execute("UPDATE trash SET original = ? WHERE id = ?", (os.fsencode(original), row))

    def set_state(self, row: int, state: TrashState, now: Instant | None = None) -> None:
        """Another state; `now` is given where it is a last one."""
        self._db.execute("UPDATE trash SET state = ?, ended_at = ? WHERE id = ?", (state, now, row))

    def drop(self, row: int) -> None:
        """The file was never taken."""
        self._db.execute("DELETE FROM trash WHERE id = ?", (row,))

    def get(self, row: int) -> Trashed | None:
        found = self._db.one("SELECT * FROM trash WHERE id = ?", (row,))
        return _trashed(found) if found else None

    def in_state(self, *states: TrashState) -> list[Trashed]:
        """Rows in any of these states, oldest first."""
        marks = ", ".join("?" for _ in states)
        return [
            _trashed(r)
            for r in self._db.all(f"SELECT * FROM trash WHERE state IN ({marks}) ORDER BY id", states)
        ]

    def of_recording(self, recording_id: str) -> list[Trashed]:
        rows = self._db.all("SELECT * FROM trash WHERE recording_id = ? ORDER BY id", (recording_id,))
        return [_trashed(r) for r in rows]

    def of_original(self, path: Path) -> list[Trashed]:
        """Everything that was taken from this path, the latest last."""
        return [
            _trashed(r)
            for r in self._db.all("SELECT * FROM trash WHERE original = ? ORDER BY id", (os.fsencode(path),))
        ]

    def begin_sweep(self, now: Instant) -> int:
        return int(self._db.execute("INSERT INTO sweeps (began_at) VALUES (?)", (now,)).lastrowid or 0)

    def end_sweep(
        self, row: int, now: Instant, outcome: Swept, sentence: str, counts: tuple[int, int, int, int]
    ) -> None:
        """`counts`: files trashed, files purged, bytes trashed, errors."""
        self._db.execute(
            "UPDATE sweeps SET ended_at = ?, outcome = ?, sentence = ?, trashed = ?, purged = ?, bytes = ?, errors = ?"
            " WHERE id = ?",
            (now, outcome, sentence, *counts, row),
        )

    def last_sweep(self) -> Sweep | None:
        """The latest sweep that came to an end."""
        row = self._db.one("SELECT * FROM sweeps WHERE ended_at IS NOT NULL ORDER BY id DESC LIMIT 1")
        return _sweep(row) if row else None

    def sweeps(self, limit: int = 20) -> list[Sweep]:
        """The latest sweeps, newest first."""
        return [_sweep(r) for r in self._db.all("SELECT * FROM sweeps ORDER BY id DESC LIMIT ?", (limit,))]


def _sweep(row: Row) -> Sweep:
    return Sweep(**{key: row[key] for key in Sweep.__slots__} | {"outcome": Swept(row["outcome"])})


def _trashed(row: Row) -> Trashed:
    return Trashed(
        id=row["id"],
        recording_id=row["recording_id"],
        kind=Kind(row["kind"]),
        original=Path(os.fsdecode(row["original"])),
        place=Path(os.fsdecode(row["place"])),
        trashed=Path(os.fsdecode(row["trashed"])) if row["trashed"] else None,
        size=row["size"],
        sha256=row["sha256"],
        rule=row["rule"],
        reason=row["reason"],
        state=TrashState(row["state"]),
        trashed_at=row["trashed_at"],
        ended_at=row["ended_at"],
    )
