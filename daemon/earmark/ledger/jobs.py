"""The queue: who may be worked on next, how often it was tried, and why it waits."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from earmark.domain import Instant, JobState, Stage
from earmark.ledger.connection import Connection, Row

MAX_ATTEMPTS = 3
"""Attempts that end badly before a job is failed for good."""

PUT_OFF = 4
"""Times in a row that work was cut short or given back, from which a run that is to end does not wait for it."""

LONGEST_BACKOFF = 3600.0
"""Seconds. Also how a clock that jumped is noticed: no honest `not_before` is further ahead than this."""


AT_ONCE = Instant(0.0)
"""A `not_before` that holds nothing up."""


class Among(StrEnum):
    """Which transcriptions are meant."""

    NEW = "new"
    """All but those that are to replace a draft."""
    DRAFTS = "drafts"
    """Those that are to replace a draft."""
    ASKED = "asked"
    """Of these the ones that a person wants now."""


_OWED = "EXISTS (SELECT 1 FROM drafts d WHERE d.recording_id = j.recording_id AND d.kept = ''{})"

_AMONG = {
    Among.NEW: f"AND NOT {_OWED.format('')}",
    Among.DRAFTS: f"AND {_OWED.format('')}",
    Among.ASKED: f"AND {_OWED.format(' AND d.asked')}",
}

_FILE_IS_HERE = "EXISTS (SELECT 1 FROM places p WHERE p.recording_id = j.recording_id AND p.gone_at IS NULL AND p.watched{})"

_UNTRIED = " AND j.attempts = 0 AND j.interruptions = 0 AND j.reason IS NULL AND r.size <= ?"

_IS_DUE = "j.state = 'waiting' AND (j.not_before <= ? OR j.not_before > ? + ?)"


@dataclass(frozen=True, slots=True)
class Job:
    """One stage of one recording. `attempts` includes the one under way."""

    id: int
    recording_id: str
    stage: Stage
    state: JobState
    attempts: int
    interruptions: int
    not_before: Instant
    reason: str | None
    changed_at: Instant


def backoff(failures: int, jitter: float, base: float = 15.0) -> float:
    """Seconds to wait after so many failures: doubling from `base`, spread by `jitter` in [0, 1), at most an hour.

    Full doubling with up to a quarter of spread keeps a crowd of failed jobs from coming back in step.
    """
    return float(min(LONGEST_BACKOFF, base * 2.0 ** max(0, min(failures, 20) - 1)) * (0.75 + 0.25 * jitter))


class Jobs:
    """Rows of `jobs`."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def add(self, recording_id: str, stage: Stage, now: Instant) -> bool:
        """Queue a stage unless it is there already; true if it was added."""
        cursor = self._db.execute(
            "INSERT INTO jobs (recording_id, stage, state, changed_at) VALUES (?, ?, 'waiting', ?)"
            " ON CONFLICT (recording_id, stage) DO NOTHING",
            (recording_id, stage, now),
        )
        return cursor.rowcount > 0

    def of(self, recording_id: str, stage: Stage) -> Job | None:
        row = self._db.one("SELECT * FROM jobs WHERE recording_id = ? AND stage = ?", (recording_id, stage))
        return _job(row) if row else None

    def get(self, job_id: int) -> Job | None:
        row = self._db.one("SELECT * FROM jobs WHERE id = ?", (job_id,))
        return _job(row) if row else None

    def all(self) -> list[Job]:
        return [_job(r) for r in self._db.all("SELECT * FROM jobs ORDER BY id")]

    def not_done(self, states: Collection[JobState], most: int) -> list[Job]:
        """Jobs in these states, at most so many, those that changed last before others."""
        rows = self._db.all(
            f"SELECT * FROM jobs WHERE state IN ({', '.join('?' * len(states))}) ORDER BY changed_at DESC, id LIMIT ?",
            (*states, most),
        )
        return [_job(row) for row in rows]

    def claim(
        self,
        stage: Stage,
        by: str,
        now: Instant,
        newest_first: bool,
        among: Among = Among.NEW,
        but: Collection[Path] = (),
        most_bytes: int | None = None,
    ) -> Job | None:
        """The next job that is due and whose file is there, charged with one attempt; None if nothing is due. `among`: of
        transcriptions; `but`: not from files in these drop folders; `most_bytes`: only what nobody has tried and nothing is
        said of, in files of so many bytes at most.

        Work that keeps being cut short goes behind the rest, so that whoever cuts it cannot hold up the others.
        """
        order = "DESC" if newest_first else "ASC"
        with self._db.transaction():
            row = self._db.one(
                "SELECT j.id FROM jobs j JOIN recordings r ON r.id = j.recording_id"
                f" WHERE j.stage = ? AND {_IS_DUE} {_meant(stage, among, but)}"
                f"{_UNTRIED if most_bytes is not None else ''}"
                f" ORDER BY j.interruptions / 3, r.priority DESC, r.recorded_at {order}, j.id LIMIT 1",
                (
                    stage,
                    now,
                    now,
                    LONGEST_BACKOFF,
                    *_left_out(stage, but),
                    *(() if most_bytes is None else (most_bytes,)),
                ),
            )
            if row is None:
                return None
            self._db.execute(
                "UPDATE jobs SET state = 'claimed', attempts = attempts + 1, claimed_by = ?, changed_at = ? WHERE id = ?",
                (by, now, row["id"]),
            )
            return self.get(row["id"])

    def count_wordless(self, why: str) -> int:
        """Recordings that are there and were done for this reason, and of which there are no words."""
        row = self._db.one(
            "SELECT count(*) AS n FROM jobs j WHERE stage = 'transcribe' AND state = 'done' AND reason = ?"
            " AND recording_id NOT IN (SELECT recording_id FROM transcripts)"
            " AND recording_id NOT IN (SELECT recording_id FROM erasures)"
            " AND recording_id IN (SELECT recording_id FROM places WHERE gone_at IS NULL)",
            (why,),
        )
        return row["n"] if row else 0

    def done(self, job_id: int, now: Instant, reason: str | None = None) -> None:
        self._set(job_id, JobState.DONE, reason, now)

    def fail(self, job_id: int, reason: str, now: Instant) -> None:
        """Failed for good; `earmark retry` brings it back."""
        self._set(job_id, JobState.FAILED, reason, now)

    def try_later(self, job_id: int, reason: str, not_before: Instant, now: Instant) -> None:
        """Back to the queue; the attempt stays charged."""
        self._set(job_id, JobState.WAITING, reason, now, not_before)

    def give_back(
        self,
        job_id: int,
        reason: str | None,
        now: Instant,
        *,
        interrupted: bool = False,
        not_before: Instant = AT_ONCE,
    ) -> None:
        """Back to the queue with its attempt refunded: it was not the recording's fault."""
        self._db.execute(
            "UPDATE jobs SET state = 'waiting', attempts = max(0, attempts - 1), interruptions = interruptions + ?,"
            " reason = ?, not_before = ?, claimed_by = NULL, changed_at = ? WHERE id = ?",
            (int(interrupted), reason, not_before, now, job_id),
        )

    def park(self, job_id: int, reason: str, now: Instant) -> None:
        """Set aside until something outside changes; the attempt is refunded."""
        self._db.execute(
            "UPDATE jobs SET state = 'parked', attempts = max(0, attempts - 1), reason = ?, claimed_by = NULL,"
            " changed_at = ? WHERE id = ?",
            (reason, now, job_id),
        )

    def unpark(self, stage: Stage, now: Instant, most: int = -1) -> int:
        """What is parked of a stage goes back to the queue, the newest recordings first, and why it was is over; returns how
        many. `most`: -1 for all.
        """
        cursor = self._db.execute(
            "UPDATE jobs SET state = 'waiting', not_before = 0, reason = NULL, changed_at = ? WHERE id IN (SELECT j.id"
            " FROM jobs j JOIN recordings r ON r.id = j.recording_id WHERE j.stage = ? AND j.state = 'parked'"
            " ORDER BY r.recorded_at DESC LIMIT ?)",
            (now, stage, most),
        )
        return cursor.rowcount

    def requeue(self, recording_id: str, stage: Stage, now: Instant) -> bool:
        """A person wants it tried again from the start of its attempts. True if there was such a job."""
        cursor = self._db.execute(
            "UPDATE jobs SET state = 'waiting', attempts = 0, interruptions = 0, not_before = 0, reason = NULL,"
            " claimed_by = NULL, changed_at = ? WHERE recording_id = ? AND stage = ?",
            (now, recording_id, stage),
        )
        return cursor.rowcount > 0

    def progressed(self, job_id: int) -> None:
        """It got further than ever before: earlier bad ends were not at this spot, so they do not count."""
        self._db.execute(
            "UPDATE jobs SET attempts = 1, interruptions = 0 WHERE id = ? AND (attempts != 1 OR interruptions != 0)",
            (job_id,),
        )

    def claimed(self) -> list[Job]:
        """Claims that exist; at start of a daemon these are all left over from one that died."""
        return [_job(r) for r in self._db.all("SELECT * FROM jobs WHERE state = 'claimed' ORDER BY id")]

    def count(self) -> dict[tuple[Stage, JobState], int]:
        """How many jobs are in each state."""
        rows = self._db.all("SELECT stage, state, count(*) AS n FROM jobs GROUP BY stage, state")
        return {(Stage(r["stage"]), JobState(r["state"])): r["n"] for r in rows}

    def any_in(self, stage: Stage, state: JobState) -> bool:
        """True if a job of this stage is in this state."""
        row = self._db.one("SELECT 1 FROM jobs WHERE stage = ? AND state = ? LIMIT 1", (stage, state))
        return row is not None

    def any_unheard(self) -> bool:
        """True if a recording whose file is here is to be heard, or is being heard, for the first time."""
        row = self._db.one(
            "SELECT 1 FROM jobs j WHERE j.stage = 'transcribe' AND j.state IN ('waiting', 'claimed')"
            f" AND {_file_is_here(())}"
            " AND NOT EXISTS (SELECT 1 FROM drafts d WHERE d.recording_id = j.recording_id) LIMIT 1"
        )
        return row is not None

    def any_waiting(
        self, stage: Stage, now: Instant, among: Among = Among.NEW, but: Collection[Path] = ()
    ) -> bool:
        """True if `claim` would find something."""
        row = self._db.one(
            f"SELECT 1 FROM jobs j WHERE j.stage = ? AND {_IS_DUE} {_meant(stage, among, but)} LIMIT 1",
            (stage, now, now, LONGEST_BACKOFF, *_left_out(stage, but)),
        )
        return row is not None

    def put_off(self, before: Mapping[int, int]) -> list[str]:
        """The reasons of jobs that wait, and were cut short or given back again and again without getting further; `before`:
        how often each had been at the start.
        """
        return [
            job.reason or "the work on it is cut short again and again"
            for job in map(
                _job,
                self._db.all(
                    "SELECT * FROM jobs j WHERE state = 'waiting' AND interruptions > 0"
                    f" AND (stage != 'transcribe' OR NOT {_OWED.format('')})"
                ),
            )
            if job.interruptions - before.get(job.id, 0) >= PUT_OFF
        ]

    def interruptions(self) -> dict[int, int]:
        """How often each job was cut short, of those that were."""
        rows = self._db.all("SELECT id, interruptions FROM jobs WHERE interruptions > 0")
        return {row["id"]: row["interruptions"] for row in rows}

    def try_now(self) -> None:
        """Nothing that waits rests any longer."""
        self._db.execute("UPDATE jobs SET not_before = 0 WHERE state = 'waiting' AND not_before > 0")

    def without_file(self, but: Collection[Path] = ()) -> int:
        """How many waiting jobs that need a file, but for transcriptions of drafts, have none at present. `but`: those in
        these drop folders are none.
        """
        row = self._db.one(
            "SELECT count(*) AS n FROM jobs j WHERE j.stage IN ('transcribe', 'diarize') AND j.state = 'waiting'"
            f" AND NOT {_file_is_here(but)} AND (j.stage = 'diarize' OR NOT {_OWED.format('')})",
            tuple(map(os.fsencode, but)),
        )
        return int(row["n"]) if row else 0

    def waiting(self) -> int:
        """How many jobs wait, but for those that are to replace a draft."""
        row = self._db.one(
            "SELECT count(*) AS n FROM jobs j WHERE state = 'waiting'"
            f" AND (stage != 'transcribe' OR NOT {_OWED.format('')})"
        )
        return int(row["n"]) if row else 0

    def next_due(self, now: Instant) -> Instant | None:
        """The earliest future `not_before` of a waiting job."""
        row = self._db.one(
            "SELECT min(not_before) AS t FROM jobs WHERE state = 'waiting' AND not_before > ?", (now,)
        )
        return row["t"] if row else None

    def _set(
        self, job_id: int, state: JobState, reason: str | None, now: Instant, not_before: Instant = AT_ONCE
    ) -> None:
        self._db.execute(
            "UPDATE jobs SET state = ?, reason = ?, not_before = ?, claimed_by = NULL, changed_at = ? WHERE id = ?",
            (state, reason, not_before, now, job_id),
        )


def _meant(stage: Stage, among: Among, but: Collection[Path]) -> str:
    """Of a transcription the file has to be here, and not only in folders that are left out. Who speaks in what is not here
    any more nobody can tell, and nobody waits for that.
    """
    if stage is Stage.TRANSCRIBE:
        return f"AND {_file_is_here(but)} {_AMONG[among]}"
    return f"AND ({_file_is_here(but)} OR NOT {_file_is_here(())})" if stage is Stage.DIARIZE else ""


def _left_out(stage: Stage, but: Collection[Path]) -> list[bytes]:
    return [] if stage is Stage.SUMMARIZE else list(map(os.fsencode, but))


def _file_is_here(but: Collection[Path]) -> str:
    return _FILE_IS_HERE.format(f" AND p.folder NOT IN ({', '.join('?' for _ in but)})" if but else "")


def _job(row: Row) -> Job:
    return Job(
        id=row["id"],
        recording_id=row["recording_id"],
        stage=Stage(row["stage"]),
        state=JobState(row["state"]),
        attempts=row["attempts"],
        interruptions=row["interruptions"],
        not_before=row["not_before"],
        reason=row["reason"],
        changed_at=row["changed_at"],
    )
