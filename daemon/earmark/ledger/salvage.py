"""What can still be read of a damaged ledger, row by row, for a new one."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from earmark.ledger.connection import TROUBLE
from earmark.ledger.ledger import Ledger

_ROW_TROUBLE = (sqlite3.IntegrityError, sqlite3.InterfaceError, UnicodeError, OverflowError)
"""A row that was read but cannot be: STRICT types, checks and keys of the new ledger find out."""


def salvage(damaged: Path, ledger: Ledger) -> dict[str, int]:
    """Copy every readable row of `damaged` into `ledger`, which is new; returns how many by table.

    Each table is read from the front until it breaks, then from the back until it breaks, so that one bad page costs
    the rows on it and no others. Rows that point to lost ones are left out. Never raises for what is in `damaged`.
    """
    copied: dict[str, int] = {}
    db = ledger.db
    try:
        opened = _opened(damaged)
    except TROUBLE:
        return copied
    with contextlib.closing(opened) as source:
        db.execute("PRAGMA foreign_keys = OFF")
        try:
            with ledger.transaction():
                for row in db.all(
                    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
                ):
                    copied[row["name"]] = _copy(source, ledger, row["name"])
                _drop_orphans(ledger)
                _mend(ledger)
        finally:
            db.execute("PRAGMA foreign_keys = ON")
    return copied


def _opened(damaged: Path) -> sqlite3.Connection:
    source = sqlite3.connect(f"{damaged.absolute().as_uri()}?mode=ro", uri=True)
    source.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    return source


def _copy(source: sqlite3.Connection, ledger: Ledger, table: str) -> int:
    wanted = [r["name"] for r in ledger.db.all(f"PRAGMA table_info({table})")]
    key = [r["name"] for r in ledger.db.all(f"PRAGMA table_info({table})") if r["pk"]] or ["rowid"]
    try:
        there = {r[1] for r in source.execute(f"PRAGMA table_info({table})")}
    except TROUBLE:
        return 0
    columns = [name for name in wanted if name in there]
    if not columns:
        return 0
    into = f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
    count = 0
    for order in ("ASC", "DESC"):
        by = ", ".join(f"{name} {order}" for name in key)
        complete, rows = True, _rows(source, f"SELECT {', '.join(columns)} FROM {table} ORDER BY {by}")
        for values in rows:
            if values is None:
                complete = False
                break
            with contextlib.suppress(*_ROW_TROUBLE):
                ledger.db.execute(into, values)
                count += order == "ASC"
        if complete:
            break
    return count


def _rows(source: sqlite3.Connection, query: str) -> Iterator[tuple[Any, ...] | None]:
    """The rows, and None where the file breaks."""
    try:
        yield from source.execute(query)
    except (*TROUBLE, OverflowError):
        yield None


def _drop_orphans(ledger: Ledger) -> None:
    while broken := ledger.db.all("PRAGMA foreign_key_check"):
        for row in broken:
            if row["rowid"] is not None:
                ledger.db.execute(f"DELETE FROM {row['table']} WHERE rowid = ?", (row["rowid"],))
            else:  # a table without rowids; those name the recording
                ledger.db.execute(
                    f"DELETE FROM {row['table']} WHERE recording_id NOT IN (SELECT id FROM recordings)"
                )


def _mend(ledger: Ledger) -> None:
    """Words that cannot be read any more are heard again, and every recording has the jobs it needs."""
    db = ledger.db
    for recording in ledger.places.recordings():
        for table, read in (("transcripts", ledger.words.transcript), ("summaries", ledger.words.summary)):
            try:
                read(recording.id)
            except ValidationError:
                db.execute(f"DELETE FROM {table} WHERE recording_id = ?", (recording.id,))
    for stage, table in (("transcribe", "transcripts"), ("summarize", "summaries")):
        # A job without its result is done again; one for which only the row was lost is known to be done.
        db.execute(
            f"UPDATE jobs SET state = 'waiting', attempts = 0, reason = NULL WHERE stage = ? AND state = 'done'"
            f" AND recording_id NOT IN (SELECT recording_id FROM {table})"
            " AND (? = 'transcribe' OR recording_id IN (SELECT recording_id FROM transcripts))",
            (stage, stage),
        )
        db.execute(
            "INSERT INTO jobs (recording_id, stage, state, changed_at)"
            f" SELECT id, ?, CASE WHEN id IN (SELECT recording_id FROM {table}) THEN 'done' ELSE 'waiting' END, accepted_at"
            " FROM recordings WHERE id NOT IN (SELECT recording_id FROM jobs WHERE stage = ?)"
            " AND (? = 'transcribe' OR id IN (SELECT recording_id FROM transcripts))",
            (stage, stage, stage),
        )
    # Half of what was heard is worse than none.
    db.execute("DELETE FROM heard")
    db.execute("DELETE FROM checkpoints")
