"""What people and policies have said about recordings, and what retention remembers of them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from earmark.domain import Instant, Kind
from earmark.ledger.candidates import Candidate, stream
from earmark.ledger.connection import Connection


class Retention:
    """Rows of `policies`, `accepted_under`, `holds`, `item_rules`, `quality`, `note_marks` and `relooks`."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def candidates(self, kind: Kind) -> Iterator[Candidate]:
        """Every file of a kind that is on disk as far as the ledger knows: folder by folder, newest recording first.

        Streamed, because a ledger may hold millions.
        """
        return stream(self._db, kind)

    def remember_policy(self, digest: str, body: str, now: Instant) -> bool:
        """The policy in force from now on; true if it differs from the one before."""
        row = self._db.one("SELECT digest FROM policies ORDER BY id DESC LIMIT 1")
        if row is not None and row["digest"] == digest:
            return False
        self._db.execute("INSERT INTO policies (digest, body, since) VALUES (?, ?, ?)", (digest, body, now))
        return True

    def policies(self) -> dict[int, str]:
        """The body of every policy that was ever in force, by row."""
        return {r["id"]: r["body"] for r in self._db.all("SELECT id, body FROM policies")}

    def latest_policy(self) -> tuple[int, str] | None:
        row = self._db.one("SELECT id, digest FROM policies ORDER BY id DESC LIMIT 1")
        return (row["id"], row["digest"]) if row else None

    def policy_of(self, recording_id: str) -> int | None:
        row = self._db.one("SELECT policy_id FROM accepted_under WHERE recording_id = ?", (recording_id,))
        return row["policy_id"] if row else None

    def adopt(self) -> int:
        """Every recording counts as accepted under the latest policy (`--retroactive`); returns how many changed."""
        latest = self.latest_policy()
        if latest is None:
            return 0
        cursor = self._db.execute(
            "UPDATE accepted_under SET policy_id = ? WHERE policy_id IS NOT ?", (latest[0], latest[0])
        )
        return cursor.rowcount

    def hold(self, recording_id: str, why: str, now: Instant) -> bool:
        """Nothing of this recording may be deleted by a rule; true if that is news."""
        cursor = self._db.execute(
            "INSERT INTO holds (recording_id, at, why) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (recording_id, now, why),
        )
        return cursor.rowcount > 0

    def release_hold(self, recording_id: str) -> bool:
        return self._db.execute("DELETE FROM holds WHERE recording_id = ?", (recording_id,)).rowcount > 0

    def holds(self) -> dict[str, tuple[Instant, str]]:
        """When and why, by recording."""
        rows = self._db.all("SELECT * FROM holds ORDER BY at")
        return {r["recording_id"]: (r["at"], r["why"]) for r in rows}

    def held(self, recording_id: str) -> str | None:
        """Why it is held, or None."""
        row = self._db.one("SELECT why FROM holds WHERE recording_id = ?", (recording_id,))
        return row["why"] if row else None

    def set_item_rule(self, recording_id: str, kind: str, body: str, now: Instant) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO item_rules (recording_id, kind, body, at) VALUES (?, ?, ?, ?)",
            (recording_id, kind, body, now),
        )

    def clear_item_rules(self, recording_id: str) -> int:
        return self._db.execute("DELETE FROM item_rules WHERE recording_id = ?", (recording_id,)).rowcount

    def item_rules(self, recording_id: str) -> dict[str, str]:
        rows = self._db.all("SELECT kind, body FROM item_rules WHERE recording_id = ?", (recording_id,))
        return {r["kind"]: r["body"] for r in rows}

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

    def mark_note(self, path: Path, recording_id: str, seen: str, keep: bool, tags: tuple[str, ...]) -> None:
        """What a note's frontmatter said when it was last read."""
        self._db.execute(
            "INSERT OR REPLACE INTO note_marks (path, recording_id, seen, keep, tags) VALUES (?, ?, ?, ?, ?)",
            (os.fsencode(path), recording_id, seen, int(keep), json.dumps(tags)),
        )

    def notes_seen(self) -> dict[bytes, str]:
        """`size:mtime` of each note when its frontmatter was last read."""
        return {r["path"]: r["seen"] for r in self._db.all("SELECT path, seen FROM note_marks")}

    def relook(self, place: Path, why: str) -> None:
        """The notes of this place have to be written again although no words changed."""
        self._db.execute(
            "INSERT INTO relooks (place, why) VALUES (?, ?) ON CONFLICT (place) DO UPDATE SET why = excluded.why",
            (os.fsencode(place), why),
        )

    def relook_all(self, why: str) -> None:
        """Every place with audio: its notes may show another date now."""
        self._db.execute(
            "INSERT INTO relooks (place, why) SELECT path, ? FROM places WHERE gone_at IS NULL"
            " ON CONFLICT (place) DO NOTHING",
            (why,),
        )

    def relooks(self, limit: int = 20) -> list[Path]:
        """Places whose notes wait to be written again."""
        rows = self._db.all("SELECT place FROM relooks LIMIT ?", (limit,))
        return [Path(os.fsdecode(r["place"])) for r in rows]

    def relooked(self, place: Path) -> None:
        self._db.execute("DELETE FROM relooks WHERE place = ?", (os.fsencode(place),))

    def drop_transcript(self, recording_id: str) -> bool:
        """Forget the words of a recording, not that it was transcribed; true if there were any."""
        with self._db.transaction():
            for table in ("heard", "checkpoints"):
                self._db.execute(f"DELETE FROM {table} WHERE recording_id = ?", (recording_id,))
            cursor = self._db.execute("DELETE FROM transcripts WHERE recording_id = ?", (recording_id,))
        return cursor.rowcount > 0

    def drop_summary(self, recording_id: str) -> bool:
        return self._db.execute("DELETE FROM summaries WHERE recording_id = ?", (recording_id,)).rowcount > 0

    def drop_history(self, before: Instant) -> int:
        """Remove events and finished sweeps older than this, and the reasons of jobs that were done before it."""
        with self._db.transaction():
            count = self._db.execute("DELETE FROM events WHERE at < ?", (before,)).rowcount
            self._db.execute(
                "DELETE FROM sweeps WHERE ended_at < ? AND id < (SELECT max(id) FROM sweeps WHERE ended_at IS NOT NULL)",
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

    def key(self) -> bytes:
        """The key of this installation's keyed hashes."""
        row = self._db.one("SELECT value FROM keys WHERE name = 'retention'")
        return bytes(row["value"]) if row else b""

    def tombstone(self, mark: str, now: Instant) -> None:
        self._db.execute("INSERT OR IGNORE INTO tombstones (mark, at) VALUES (?, ?)", (mark, now))

    def tombstoned(self, mark: str) -> Instant | None:
        row = self._db.one("SELECT at FROM tombstones WHERE mark = ?", (mark,))
        return row["at"] if row else None

    def lift_tombstone(self, mark: str) -> bool:
        return self._db.execute("DELETE FROM tombstones WHERE mark = ?", (mark,)).rowcount > 0
