"""The policies that were in force, what the quality gate said, and forgetting words and history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from earmark.domain import Instant, Kind
from earmark.ledger.candidates import Candidate, single, stream
from earmark.ledger.connection import Connection
from earmark.ledger.digests import Digests


@dataclass(frozen=True, slots=True)
class PolicyInForce:
    """The policy since `since`. `reported_at`: when a sweep first said what it takes; `approved_at`: when a person applied
    it by hand.
    """

    id: int
    digest: str
    since: Instant
    reported_at: Instant | None
    approved_at: Instant | None


class Retention:
    """Rows of `policies` and `quality`, and what rules may take of the others."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._digests = Digests(db)

    def candidates(self, kind: Kind, tags: frozenset[str] = frozenset()) -> Iterator[Candidate]:
        """Every file of a kind that is on disk as far as the ledger knows: folder by folder, newest recording first.

        Streamed, because a ledger may hold millions. `tags`: those of notes that some rule asks for.
        """
        return stream(self._db, kind, tags)

    def candidate(
        self, kind: Kind, path: Path, recording_id: str, tags: frozenset[str] = frozenset()
    ) -> Candidate | None:
        """What is known of one file right now."""
        return single(self._db, kind, path, recording_id, tags)

    def remember_policy(self, digest: str, body: str, now: Instant) -> bool:
        """The policy in force from now on; true if it differs from the one before."""
        latest = self.policy()
        if latest is not None and latest.digest == digest:
            return False
        self._change("INSERT INTO policies (digest, body, since) VALUES (?, ?, ?)", (digest, body, now))
        return True

    def policy(self) -> PolicyInForce | None:
        """The one in force; None before the first start."""
        row = self._db.one(
            "SELECT id, digest, since, reported_at, approved_at FROM policies ORDER BY id DESC LIMIT 1"
        )
        return PolicyInForce(**dict(row)) if row else None

    def policies(self) -> list[tuple[Instant, str]]:
        """Every policy that was ever in force: since when, and its text, oldest first."""
        return [(r["since"], r["body"]) for r in self._db.all("SELECT since, body FROM policies ORDER BY id")]

    def reported(self, policy: int, now: Instant) -> None:
        """A sweep has said what this policy takes."""
        self._change("UPDATE policies SET reported_at = ? WHERE id = ?", (now, policy))

    def approved(self, policy: int, now: Instant) -> None:
        """A person has seen what this policy takes, and applied it."""
        self._change("UPDATE policies SET approved_at = ? WHERE id = ?", (now, policy))

    def _change(self, sql: str, values: tuple[object, ...]) -> None:
        with self._db.transaction():
            self._digests.changing("policies")
            self._db.execute(sql, values)

    def judged(self, recording_id: str, transcript_rev: int, gate: str) -> str | None:
        """What this gate said of this revision: "" if it passed, sentences if not, None if it was not asked yet."""
        row = self._db.one(
            "SELECT failing FROM quality WHERE recording_id = ? AND transcript_rev = ? AND gate = ?",
            (recording_id, transcript_rev, gate),
        )
        return row["failing"] if row else None

    def judge(self, recording_id: str, transcript_rev: int, gate: str, failing: str) -> None:
        """Keep a verdict; a release by a person holds for one revision only."""
        self._db.execute(
            "INSERT INTO quality (recording_id, transcript_rev, gate, failing) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (recording_id) DO UPDATE SET gate = excluded.gate, failing = excluded.failing,"
            " released_at = CASE WHEN transcript_rev = excluded.transcript_rev THEN released_at END,"
            " transcript_rev = excluded.transcript_rev",
            (recording_id, transcript_rev, gate, failing),
        )

    def accept_quality(self, recording_id: str, now: Instant | None) -> bool:
        """A person says that the transcript is good enough (None takes it back); false if it was never judged."""
        cursor = self._db.execute(
            "UPDATE quality SET released_at = ? WHERE recording_id = ?", (now, recording_id)
        )
        return cursor.rowcount > 0

    def quality_accepted(self, recording_id: str, transcript_rev: int) -> bool:
        row = self._db.one(
            "SELECT 1 FROM quality WHERE recording_id = ? AND transcript_rev = ? AND released_at IS NOT NULL",
            (recording_id, transcript_rev),
        )
        return row is not None

    def drop_transcript(self, recording_id: str) -> bool:
        """Forget the words of a recording, not that it was transcribed; true if there were any."""
        with self._db.transaction():
            for table in ("heard", "checkpoints", "stretches", "turns"):
                self._db.execute(f"DELETE FROM {table} WHERE recording_id = ?", (recording_id,))
            cursor = self._db.execute("DELETE FROM transcripts WHERE recording_id = ?", (recording_id,))
        return cursor.rowcount > 0

    def drop_summary(self, recording_id: str) -> bool:
        return self._db.execute("DELETE FROM summaries WHERE recording_id = ?", (recording_id,)).rowcount > 0

    def drop_history(self, before: Instant) -> int:
        """Remove events and finished sweeps older than this, and the reasons of jobs that were done before it, or of drafts
        that stay since then.
        """
        with self._db.transaction():
            count = self._db.execute("DELETE FROM events WHERE at < ?", (before,)).rowcount
            self._db.execute(
                "DELETE FROM sweeps WHERE ended_at < ? AND id < (SELECT max(id) FROM sweeps WHERE ended_at IS NOT NULL)",
                (before,),
            )
            self._db.execute(
                "DELETE FROM drafts WHERE kept != '' AND recording_id IN (SELECT recording_id FROM jobs"
                " WHERE stage = 'transcribe' AND changed_at < ?)",
                (before,),
            )
            self._db.execute(
                "UPDATE jobs SET reason = NULL WHERE state = 'done' AND reason IS NOT NULL AND changed_at < ?",
                (before,),
            )
        return count

    def drop_failed_checkpoints(self, before: Instant) -> int:
        """Remove words heard of recordings whose transcription failed for good before this."""
        failed = (
            "SELECT recording_id FROM jobs WHERE stage = 'transcribe' AND state = 'failed' AND changed_at < ?"
        )
        with self._db.transaction():
            self._db.execute(f"DELETE FROM heard WHERE recording_id IN ({failed})", (before,))
            cursor = self._db.execute(f"DELETE FROM checkpoints WHERE recording_id IN ({failed})", (before,))
        return cursor.rowcount
