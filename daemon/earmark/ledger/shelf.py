"""Recordings as they are looked through: some at a time, the newest first, also of ten thousand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from earmark.ledger.connection import Connection
from earmark.ledger.places import Place, place_of

_BATCH = 200


class Shelf:
    """Rows of `places`, by the dates of their recordings."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def count(self, below: Path | None = None) -> int:
        """How many recordings there are; with a folder, those of which a file is, or was, at or below it."""
        if below is None:
            row = self._db.one("SELECT count(*) AS n FROM recordings")
        else:
            row = self._db.one(
                "SELECT count(DISTINCT recording_id) AS n FROM places WHERE path >= ? AND path < ?",
                _below(below),
            )
        return int(row["n"]) if row else 0

    def count_files(self, below: Path | None = None) -> tuple[int, int]:
        """How many files there are, or were, and of how many recordings; with a folder: at or below it."""
        where, values = ("", ()) if below is None else (" WHERE path >= ? AND path < ?", _below(below))
        row = self._db.one(
            f"SELECT count(*) AS files, count(DISTINCT recording_id) AS recordings FROM places{where}", values
        )
        return (int(row["files"]), int(row["recordings"])) if row else (0, 0)

    def newest(self, below: Path | None = None, skip: int = 0, most: int = _BATCH) -> list[list[Place]]:
        """The files of the newest `most` recordings after the first `skip`, those first that are there. A recording without
        any is an empty list. With a folder: those at or below it.
        """
        if below is None:
            rows = self._db.all(
                "SELECT id FROM recordings ORDER BY recorded_at DESC, id LIMIT ? OFFSET ?", (most, skip)
            )
        else:
            rows = self._db.all(
                "SELECT id FROM recordings WHERE id IN (SELECT recording_id FROM places WHERE path >= ? AND path < ?)"
                " ORDER BY recorded_at DESC, id LIMIT ? OFFSET ?",
                (*_below(below), most, skip),
            )
        return [self._files(row["id"], below) for row in rows]

    def batches(self, below: Path | None = None, skip: int = 0) -> Iterator[list[list[Place]]]:
        """The files of all of them after the first `skip`, some hundreds of recordings at a time."""
        while batch := self.newest(below, skip):
            yield batch
            skip += len(batch)

    def _files(self, recording_id: str, below: Path | None) -> list[Place]:
        rows = self._db.all(
            "SELECT * FROM places WHERE recording_id = ? ORDER BY gone_at IS NOT NULL, accepted_at, path",
            (recording_id,),
        )
        places = [place_of(row) for row in rows]
        return [p for p in places if below is None or p.path.is_relative_to(below)]


def _below(folder: Path) -> tuple[bytes, bytes]:
    """Between which two paths all lie that are below a folder: a path is bytes."""
    start = os.fsencode(folder).rstrip(b"/") + b"/"
    return start, start[:-1] + b"0"
