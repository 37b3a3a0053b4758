"""Recordings whose words are known and not found: a rule keeps them out of the index of search, their note lies in the
trash, or neither file nor note is there.
"""

from __future__ import annotations

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

_UNSEEN = (
    "SELECT i.recording_id FROM indexed i WHERE NOT EXISTS"
    f" (SELECT 1 FROM places p WHERE p.recording_id = i.recording_id AND {_SHOWN})"
)


class Unfound:
    """Rows of `unindexed`, and those of `indexed` that nobody is shown."""

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

    def let_in_after(self, instant: Instant | None) -> None:
        """Those may be put in again that were done later; None: all."""
        self._db.execute(
            "DELETE FROM unindexed WHERE ? IS NULL OR recording_id IN (SELECT id FROM recordings WHERE done_at > ?)",
            (instant, instant),
        )

    def by_rule(self) -> set[str]:
        """Recordings whose words a rule keeps out of the index, and that would be found without it."""
        rows = self._db.all(
            "SELECT recording_id FROM unindexed u WHERE recording_id IN (SELECT recording_id FROM transcripts)"
            " AND recording_id NOT IN (SELECT recording_id FROM erasures)"
            f" AND EXISTS (SELECT 1 FROM places p WHERE p.recording_id = u.recording_id AND {_SHOWN})"
        )
        return {row["recording_id"] for row in rows}

    def unseen(self) -> set[str]:
        """Recordings of which nothing is found: their note lies in the trash, or neither file nor note is there."""
        return {row["recording_id"] for row in self._db.all(_UNSEEN)}

    def in_trash(self) -> set[str]:
        """Those of them whose note lies in the trash."""
        rows = self._db.all(
            f"{_UNSEEN} AND EXISTS (SELECT 1 FROM places p WHERE p.recording_id = i.recording_id AND {_TAKEN})"
        )
        return {row["recording_id"] for row in rows}

    def seen_at(self, recording_id: str) -> set[bytes]:
        """The places of a recording at which its words may be shown, as bytes of their paths."""
        rows = self._db.all(f"SELECT path FROM places p WHERE recording_id = ? AND {_SHOWN}", (recording_id,))
        return {row["path"] for row in rows}
