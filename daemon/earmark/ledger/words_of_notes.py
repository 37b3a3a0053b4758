"""The words that notes hold which a person changed, where those of their recordings are others by now."""

from __future__ import annotations

from pydantic import TypeAdapter

from earmark.domain import Transcript
from earmark.ledger.artifact import Artifact
from earmark.ledger.connection import Connection

_TRANSCRIPT: TypeAdapter[Transcript] = TypeAdapter(Transcript)


class WordsOfNotes:
    """Rows of `words_of_notes`. Triggers take them out again (0017_words_of_notes.sql)."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def keep(self, recording_id: str) -> None:
        """Keep what the transcript of a recording says for the notes that hold it. Call in the transaction in which it
        becomes another one, before that is stored.
        """
        self._db.execute(
            "INSERT OR REPLACE INTO words_of_notes (artifact_id, recording_id, body)"
            " SELECT a.id, a.recording_id, t.body FROM artifacts a JOIN recordings r ON r.id = a.recording_id"
            " JOIN transcripts t ON t.recording_id = a.recording_id WHERE a.recording_id = ? AND a.form = 'md'"
            " AND a.words_rev = r.words_rev AND a.state != 'trashed' AND (a.kind = 'transcript' OR NOT EXISTS"
            " (SELECT 1 FROM artifacts o WHERE o.recording_id = a.recording_id AND o.kind = 'transcript'))",
            (recording_id,),
        )

    def of(self, artifact: Artifact) -> Transcript | None:
        """What a note says that holds other words than those of now; None if it holds these, or nobody knows."""
        row = self._db.one(
            "SELECT body FROM words_of_notes WHERE artifact_id = ? AND recording_id = ?",
            (artifact.id, artifact.recording_id),
        )
        return _TRANSCRIPT.validate_json(row["body"]) if row else None

    def known(self, artifact: Artifact) -> bool:
        """Whether there is anything that `of` can tell."""
        sql = "SELECT 1 FROM words_of_notes WHERE artifact_id = ? AND recording_id = ?"
        return self._db.one(sql, (artifact.id, artifact.recording_id)) is not None

    def of_recording(self, recording_id: str) -> list[Transcript]:
        """What any notes of a recording say that is not said now."""
        rows = self._db.all("SELECT body FROM words_of_notes WHERE recording_id = ?", (recording_id,))
        return [_TRANSCRIPT.validate_json(row["body"]) for row in rows]

    def read(self, artifact: Artifact, transcript: Transcript) -> None:
        """A person changed what such a note says, and that is known."""
        self._db.execute(
            "UPDATE words_of_notes SET body = ? WHERE artifact_id = ?",
            (_TRANSCRIPT.dump_json(transcript).decode(), artifact.id),
        )
