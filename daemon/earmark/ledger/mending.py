"""Rows that can be read but make no sense are taken out, so that one of them cannot end the daemon again and again."""

from __future__ import annotations

import json
from collections.abc import Callable

from pydantic import ValidationError

from earmark.ledger.ledger import Ledger

_NONSENSE = (ValidationError, ValueError, TypeError, KeyError)


def mend(ledger: Ledger) -> int:
    """Take out words that cannot be read any more, so that they are heard again; give every recording the jobs it needs.

    Returns how many rows made no sense.
    """
    with ledger.transaction():
        count = _drop_unreadable_words(ledger) + _drop_unreadable_facts(ledger)
        _give_jobs(ledger)
    return count


def _drop_unreadable_words(ledger: Ledger) -> int:
    db, count = ledger.db, 0
    readers: tuple[tuple[str, Callable[[str], object]], ...] = (
        ("transcripts", ledger.words.transcript),
        ("words_of_notes", ledger.words.of_notes.of_recording),
        ("summaries", ledger.words.summary),
        ("heard", ledger.words.heard_so_far),
        ("checkpoints", ledger.words.checkpoint),
        ("stretches", ledger.turns.stretches),
        ("turns", ledger.turns.of),
    )
    for table, read in readers:
        for row in db.all(f"SELECT DISTINCT recording_id FROM {table}"):
            try:
                read(row["recording_id"])
            except _NONSENSE:
                count += db.execute(
                    f"DELETE FROM {table} WHERE recording_id = ?", (row["recording_id"],)
                ).rowcount
    db.execute(
        "DELETE FROM jobs WHERE stage = 'diarize' AND recording_id NOT IN (SELECT recording_id FROM transcripts)"
    )
    # Half of what was heard is worse than none.
    lost = "recording_id NOT IN (SELECT recording_id FROM {})"
    count += db.execute(f"DELETE FROM heard WHERE {lost.format('checkpoints')}").rowcount
    count += db.execute(f"DELETE FROM checkpoints WHERE {lost.format('heard')} AND upto > 0").rowcount
    return count


def _drop_unreadable_facts(ledger: Ledger) -> int:
    count = 0
    for row in ledger.db.all("SELECT path, tags FROM notes_seen"):
        try:
            list(json.loads(row["tags"]))
        except _NONSENSE:
            # Only the tags are lost; whether the note says `keep` is not.
            ledger.protection.second.changing("notes_seen")
            ledger.db.execute(
                "UPDATE notes_seen SET tags = '[]', identity = '' WHERE path = ?", (row["path"],)
            )
            count += 1
    return count


def _give_jobs(ledger: Ledger) -> None:
    """A job without its result is done again; one for which only the row was lost is known to be done."""
    for stage, table in (("transcribe", "transcripts"), ("summarize", "summaries")):
        ledger.db.execute(
            "UPDATE jobs SET state = 'waiting', attempts = 0, reason = NULL WHERE stage = ? AND state = 'done'"
            f" AND recording_id NOT IN (SELECT recording_id FROM {table})"
            " AND (reason IS NULL OR stage = 'summarize') AND reason IS NOT 'a retention rule took its words'"
            " AND recording_id NOT IN (SELECT recording_id FROM artifacts WHERE state = 'trashed' AND form = 'md')"
            " AND (? = 'transcribe' OR recording_id IN (SELECT recording_id FROM transcripts))",
            (stage, stage),
        )
        ledger.db.execute(
            "INSERT INTO jobs (recording_id, stage, state, changed_at)"
            f" SELECT id, ?, CASE WHEN id IN (SELECT recording_id FROM {table}) THEN 'done' ELSE 'waiting' END, accepted_at"
            " FROM recordings WHERE id NOT IN (SELECT recording_id FROM jobs WHERE stage = ?)"
            " AND (? = 'transcribe' OR id IN (SELECT recording_id FROM transcripts))",
            (stage, stage, stage),
        )
