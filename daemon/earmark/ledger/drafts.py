"""Transcripts that are first versions, and are owed a better one: the job 'transcribe' of such a recording is that one."""

from __future__ import annotations

from dataclasses import dataclass

from earmark.domain import JobState
from earmark.ledger.connection import Connection, Row


@dataclass(frozen=True, slots=True)
class Draft:
    """What is known of one. `model_bytes`: weights of the model that wrote it, 0 if nobody knows; `asked`: a person wants
    the better one now; `kept`: why it stays the transcript, "" while the better one is owed. `here`: its file is.
    """

    recording_id: str
    model_bytes: int
    asked: bool
    kept: str
    state: JobState | None = None
    reason: str = ""
    here: bool = True


_DRAFTS = (
    "SELECT d.*, j.state, coalesce(j.reason, '') AS reason, EXISTS (SELECT 1 FROM"
    " places p WHERE p.recording_id = d.recording_id AND p.gone_at IS NULL AND p.watched) AS here"
    " FROM drafts d LEFT JOIN jobs j ON j.recording_id = d.recording_id AND j.stage = 'transcribe'"
)


class Drafts:
    """Rows of `drafts`."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def of(self, recording_id: str) -> Draft | None:
        """The row of one recording, whether the better version is owed or not."""
        row = self._db.one(f"{_DRAFTS} WHERE d.recording_id = ?", (recording_id,))
        return _draft(row) if row else None

    def owed(self, recording_id: str) -> bool:
        """True if the transcript of a recording is to be replaced by a better one."""
        row = self._db.one("SELECT 1 FROM drafts WHERE recording_id = ? AND kept = ''", (recording_id,))
        return row is not None

    def all(self) -> list[Draft]:
        return [_draft(row) for row in self._db.all(f"{_DRAFTS} ORDER BY d.recording_id")]

    def any_owed(self) -> bool:
        return self._db.one("SELECT 1 FROM drafts WHERE kept = '' LIMIT 1") is not None

    def owe(self, recording_id: str, model_bytes: int) -> None:
        """The transcript is a draft from now on, and a better one is owed."""
        self._db.execute(
            "INSERT INTO drafts (recording_id, model_bytes) VALUES (?, ?) ON CONFLICT (recording_id) DO UPDATE SET"
            " model_bytes = excluded.model_bytes, asked = 0, kept = ''",
            (recording_id, model_bytes),
        )

    def ask(self, recording_id: str) -> bool:
        """A person wants the better one now; true if it is owed."""
        cursor = self._db.execute(
            "UPDATE drafts SET asked = 1 WHERE recording_id = ? AND kept = ''", (recording_id,)
        )
        return cursor.rowcount > 0

    def keep(self, recording_id: str, why: str) -> bool:
        """No better one is to be expected: the draft is the transcript. True if one was owed."""
        cursor = self._db.execute(
            "UPDATE drafts SET asked = 0, kept = ? WHERE recording_id = ? AND kept = ''", (why, recording_id)
        )
        return cursor.rowcount > 0

    def over(self, recording_id: str) -> bool:
        """The better one is there; true if the transcript was a draft."""
        return self._db.execute("DELETE FROM drafts WHERE recording_id = ?", (recording_id,)).rowcount > 0


def _draft(row: Row) -> Draft:
    return Draft(
        recording_id=row["recording_id"],
        model_bytes=row["model_bytes"],
        asked=bool(row["asked"]),
        kept=row["kept"],
        state=JobState(row["state"]) if row["state"] else None,
        reason=row["reason"],
        here=bool(row["here"]),
    )
