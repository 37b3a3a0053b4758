"""Recordings whose words are known and not found: a rule keeps them out of the index of search, their note lies in the
trash, or neither file nor note is there.
"""

from __future__ import annotations

from collections.abc import Iterable

from earmark.domain import Instant
from earmark.ledger.connection import Connection

GONE = "search.gone"
"""The fact that words went out of the index whose letters may still be in its pages."""

_OF_PLACE = "place = p.path AND recording_id = p.recording_id AND form = 'md'"

_READ = f"EXISTS (SELECT 1 FROM artifacts WHERE {_OF_PLACE} AND state IN ('here', 'edited'))"
"""That a note of a place is there."""

_TAKEN = (
    f"EXISTS (SELECT 1 FROM artifacts a WHERE {_OF_PLACE} AND state = 'trashed'"
    f" AND NOT EXISTS (SELECT 1 FROM artifacts WHERE {_OF_PLACE} AND kind = a.kind AND state != 'trashed')"
    f" AND (kind = 'transcript' OR NOT EXISTS (SELECT 1 FROM artifacts WHERE {_OF_PLACE} AND kind = 'transcript')))"
)
"""That the note with the words of a place lies in the trash."""

_SHOWN = f"NOT {_TAKEN} AND (p.gone_at IS NULL OR {_READ})"
"""That the words of a place may be shown."""

_KNOWN = (
    "SELECT t.recording_id FROM transcripts t WHERE t.recording_id NOT IN (SELECT recording_id FROM erasures)"
)
"""Recordings whose words are known."""

_NOWHERE = f"NOT EXISTS (SELECT 1 FROM places p WHERE p.recording_id = t.recording_id AND {_SHOWN})"
"""That they may be shown at none of their places."""


class Unfound:
    """Rows of `unindexed`, and recordings whose words nobody is shown."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def done_before(self, instant: Instant) -> list[str]:
        """Recordings that were done by then and whose words are in the index, or would be put in."""
        rows = self._db.all(
            "SELECT r.id FROM recordings r JOIN transcripts t ON t.recording_id = r.id"
            " WHERE r.done_at <= ? AND r.id NOT IN (SELECT recording_id FROM unindexed) ORDER BY r.id",
            (instant,),
        )
        return [row["id"] for row in rows]

    def keep_out(self, recording_id: str, now: Instant) -> None:
        """Take a recording out, and do not put it in again; its letters go with `clean`. Call in a transaction."""
        self._db.execute("DELETE FROM indexed WHERE recording_id = ?", (recording_id,))
        self._db.execute("INSERT INTO unindexed (recording_id, at) VALUES (?, ?)", (recording_id, now))
        self._db.execute("INSERT OR REPLACE INTO facts (name, value, at) VALUES (?, '', ?)", (GONE, now))

    def taken_out(self) -> dict[str, Instant | None]:
        """Recordings whose words are known and were taken out, each with when it was done."""
        rows = self._db.all(
            f"SELECT r.id, r.done_at FROM ({_KNOWN} AND t.recording_id IN (SELECT recording_id FROM unindexed)) k"
            " JOIN recordings r ON r.id = k.recording_id"
        )
        return {row["id"]: row["done_at"] for row in rows}

    def let_in(self, recordings: Iterable[str]) -> None:
        """These may be put in again."""
        with self._db.transaction():
            for recording_id in recordings:
                self._db.execute("DELETE FROM unindexed WHERE recording_id = ?", (recording_id,))

    def by_rule(self) -> set[str]:
        """Recordings that were taken out, and that would be found without that."""
        rows = self._db.all(
            f"{_KNOWN} AND NOT {_NOWHERE} AND t.recording_id IN (SELECT recording_id FROM unindexed)"
        )
        return {row["recording_id"] for row in rows}

    def unseen(self) -> set[str]:
        """Recordings of which nothing is found, be they in the index or not: their note lies in the trash, or neither file
        nor note is there.
        """
        return {row["recording_id"] for row in self._db.all(f"{_KNOWN} AND {_NOWHERE}")}

    def in_trash(self) -> set[str]:
        """Those of them whose note lies in the trash."""
        rows = self._db.all(
            f"{_KNOWN} AND {_NOWHERE}"
            f" AND EXISTS (SELECT 1 FROM places p WHERE p.recording_id = t.recording_id AND {_TAKEN})"
        )
        return {row["recording_id"] for row in rows}

    def seen_at(self, recording_id: str) -> set[bytes]:
        """The places of a recording at which its words may be shown, as bytes of their paths."""
        rows = self._db.all(f"SELECT path FROM places p WHERE recording_id = ? AND {_SHOWN}", (recording_id,))
        return {row["path"] for row in rows}
