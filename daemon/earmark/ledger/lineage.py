"""Contents that went on as another one: which former ones a recording has, and whose a note is that names a former one."""

from __future__ import annotations

import json
from collections.abc import Iterable

from earmark.ledger.connection import Connection
from earmark.ledger.note_ids import BEGIN, is_short, short
from earmark.ledger.protection import Protection


class Lineage:
    """Rows of `formers`."""

    def __init__(self, db: Connection, protection: Protection) -> None:
        self._db = db
        self._protection = protection

    def went_on(self, former: str, recording_id: str, size: int, tags: Iterable[str]) -> None:
        """A content goes on as `recording_id`, and what went on as it does so, too; call in a transaction.

        `size`: of the former, in bytes; `tags`: those that earmark wrote into the former's notes.
        """
        self._protection.second.changing("formers")
        self._db.execute(
            "INSERT OR REPLACE INTO formers SELECT former, ?, size, tags FROM formers WHERE recording_id = ?",
            (recording_id, former),
        )
        self._db.execute(
            "INSERT OR REPLACE INTO formers VALUES (?, ?, ?, ?)",
            (former, recording_id, size, json.dumps(sorted(set(tags)))),
        )

    def formers(self, recording_id: str) -> list[str]:
        """Every content that went on as this recording."""
        rows = self._db.all("SELECT former FROM formers WHERE recording_id = ?", (recording_id,))
        return [row["former"] for row in rows]

    def names_of(self, recording_id: str) -> set[str]:
        """The ids by which a note names this recording and no other: its own, and those of its former contents."""
        ids = {recording_id, *self.formers(recording_id)}
        return ids | {short(each) for each in ids if self.meant(short(each)) in ([], [each])}

    def may_name(self, recording_id: str) -> set[str]:
        """The ids by which a note may name it, and perhaps another one."""
        ids = {recording_id, *self.formers(recording_id)}
        return ids | {short(each) for each in ids}

    def note_id(self, recording_id: str) -> str:
        """By which id its notes name it: all digits where the short one is another recording's as well."""
        meant = self.meant(short(recording_id))
        return short(recording_id) if meant in ([], [recording_id]) else recording_id

    def meant(self, said: str) -> list[str]:
        """Every content of the ledger, present or former, that a note may mean by an id."""
        if not is_short(said):
            return [said]
        least = said.removeprefix(BEGIN)
        rows = self._db.all(
            "SELECT id FROM recordings WHERE id >= :least AND id < :most"
            " UNION SELECT former FROM formers WHERE former >= :least AND former < :most ORDER BY 1",
            {"least": least, "most": f"{least}g"},
        )
        return [row["id"] for row in rows]

    def only(self, said: str | None) -> str | None:
        """The one content that is meant; a short id that nobody knows as it is; None where it may be several."""
        meant = self.meant(said) if said is not None else []
        return said if not meant else meant[0] if len(meant) == 1 else None

    def own_formers(self, recording_id: str) -> list[str]:
        """Those that are no recording any more, and went on as no other one that is."""
        rows = self._db.all(
            "SELECT former FROM formers AS mine WHERE recording_id = ? AND former NOT IN (SELECT id FROM recordings)"
            " AND NOT EXISTS (SELECT 1 FROM formers AS other JOIN recordings ON id = other.recording_id"
            " WHERE other.former = mine.former AND id != mine.recording_id)",
            (recording_id,),
        )
        return [row["former"] for row in rows]

    def size_of(self, former: str) -> int | None:
        """Bytes of a content that went on."""
        row = self._db.one("SELECT size FROM formers WHERE former = ?", (former,))
        return row["size"] if row else None

    def has_size(self, size: int) -> bool:
        """True if a recording has, or had before it went on, so many bytes: no other file can be one."""
        sql = "SELECT 1 FROM recordings WHERE size = ? UNION ALL SELECT 1 FROM formers WHERE size = ? LIMIT 1"
        return self._db.one(sql, (size, size)) is not None

    def successors(self, former: str) -> list[str]:
        """The recordings of the ledger that this content went on as."""
        rows = self._db.all(
            "SELECT recording_id FROM formers JOIN recordings ON id = recording_id WHERE former = ?",
            (former,),
        )
        return [row["recording_id"] for row in rows]

    def tags_written(self, former: str) -> frozenset[str]:
        """Tags that earmark wrote into the notes of a content that went on."""
        rows = self._db.all("SELECT tags FROM formers WHERE former = ?", (former,))
        return frozenset(tag for row in rows for tag in json.loads(row["tags"]))

    def drop(self, recording_id: str) -> None:
        """Forget a recording's former contents, and what notes said of them; call in the transaction of its erasure."""
        self._protection.second.changing("formers")
        for former in self.own_formers(recording_id):
            self._protection.drop(former)
            self._db.execute("DELETE FROM formers WHERE former = ?", (former,))
        self._db.execute("DELETE FROM formers WHERE recording_id = ? OR former = ?", (recording_id,) * 2)
