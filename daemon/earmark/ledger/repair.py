"""A damaged ledger becomes a new one: filled from what can be read, brought to the medium, and only then put in its place.

ledger.db.filling     being filled; removed at the next start
ledger.db.filled      complete; takes the ledger's place at the next start, whatever was under way
ledger.db.damaged-*   the damaged one, kept for whoever wants to look at it
"""

from __future__ import annotations

import contextlib
import itertools
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from earmark.domain import Instant
from earmark.files import flush_file, flush_folder_of
from earmark.ledger.connection import MIGRATIONS, TROUBLE
from earmark.ledger.digests import ALL_TABLES, TABLES
from earmark.ledger.index_check import TAKEN_OUT, is_derived
from earmark.ledger.ledger import Ledger
from earmark.ledger.mending import mend

_ROW_TROUBLE = (sqlite3.IntegrityError, sqlite3.InterfaceError, UnicodeError, OverflowError)
"""A row that was read but cannot be: STRICT types, checks and keys of the new ledger find out."""

RENAMED = {("recordings", "recorded_at"): "media_time", ("tombstones", "keyed_id"): "mark"}
"""Columns that had another name in earlier versions of the schema."""

SCALED = "0007_summary_revisions.sql"
"""The script that changes rows, which are copied as they were."""

BREATH = 500
"""Rows copied between two signs of life."""


@dataclass(slots=True)
class Repaired:
    """What came of it. `aside`: where the damaged file is kept; `copied`: rows by table; `doubtful`: tables that protect and
    of which nobody knows whether all rows could be read.
    """

    aside: Path
    copied: dict[str, int] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Salvaged:
    """Which tables could be read from end to end, the digests of those that protect as they were kept in the damaged ledger,
    and those of these of which other rows were read.
    """

    whole: set[str] = field(default_factory=set)
    kept: dict[str, str] = field(default_factory=dict)
    other: frozenset[str] = frozenset()

    def is_right(self, table: str) -> bool:
        """True if all rows of a table are there: by their digest, or, of an older ledger, because all could be read."""
        return table not in self.other if self.kept.get(table) else table in self.whole


def repair(
    file: Path,
    now: Instant,
    told: Callable[[Ledger, Repaired], None],
    alive: Callable[[], None],
    *,
    bare: bool = False,
) -> Repaired:
    """Replace the damaged ledger `file`. `told` writes into the new ledger what a person should know of it.

    `bare`: only what protects is taken over, because a ledger that was filled with everything was found damaged again.
    Never raises for what is in the damaged file.
    """
    finish(file, now)
    filling, filled = _beside(file, "filling"), _beside(file, "filled")
    result = Repaired(_aside_name(file, now))
    with Ledger(filling, alive=alive) as ledger:
        salvaged = _Salvaged()
        if not bare:
            _salvage(file, ledger, result.copied, salvaged, alive)
        if ledger.protection.second.is_whole():
            kept = salvaged.kept
            result.doubtful = ledger.protection.second.reconcile(repaired=True, kept=kept or None).doubtful
            # Where no policy is left, that of now is a new one, and only reports.
            result.doubtful |= {
                table
                for table in ALL_TABLES.keys() - TABLES.keys()
                if not salvaged.is_right(table) and ledger.protection.second.digests.rows(table)
            }
        else:
            # No new copy before the doubt is written down: after a kill it would pass for one that was whole.
            result.doubtful = {table for table in ALL_TABLES if not salvaged.is_right(table)}
        told(ledger, result)
        with ledger.transaction():
            ledger.protection.second.digests.take()
    _flush(filling)
    filling.rename(filled)
    finish(file, now)
    return result


def finish(file: Path, now: Instant) -> None:
    """Complete a repair that a kill cut short, or forget one that had not got far. Call before the ledger is opened."""
    filling, filled = _beside(file, "filling"), _beside(file, "filled")
    if filled.exists():
        _set_aside(file, _aside_name(file, now))
        filled.rename(file)
        flush_folder_of(file)
    for suffix in ("", "-wal", "-shm", "-journal"):
        filling.with_name(filling.name + suffix).unlink(missing_ok=True)


def remove_set_aside(file: Path) -> None:
    """Remove the damaged ledgers that were kept: they hold everybody's words."""
    for path in file.parent.glob(f"{file.name}.damaged-*"):
        path.unlink(missing_ok=True)


def _beside(file: Path, what: str) -> Path:
    return file.with_name(f"{file.name}.{what}")


def _aside_name(file: Path, now: Instant) -> Path:
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(now))
    first = f"{file.name}.damaged-{stamp}"
    names = itertools.chain((first,), (f"{first}-{number}" for number in itertools.count(2)))
    return next(p for name in names if not (p := file.with_name(name)).exists())


def _set_aside(file: Path, aside: Path) -> None:
    """Give the damaged ledger (with its log) another name; the file itself last, so that a kill leaves it to be done."""
    for suffix in ("-wal", "-shm", ""):
        with contextlib.suppress(FileNotFoundError):
            file.with_name(file.name + suffix).rename(aside.with_name(aside.name + suffix))


def _flush(file: Path) -> None:
    fd = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        flush_file(fd)
    finally:
        os.close(fd)


def _salvage(
    damaged: Path, ledger: Ledger, copied: dict[str, int], salvaged: _Salvaged, alive: Callable[[], None]
) -> None:
    """Copy every readable row of `damaged` into `ledger`, which is new.

    Each table is read from the front until it breaks, then from the back until it breaks, so that one bad page costs the
    rows on it and no others. Rows that point to lost ones are left out.
    """
    try:
        source = sqlite3.connect(f"{damaged.absolute().as_uri()}?mode=ro", uri=True)
    except TROUBLE:
        return
    source.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    db = ledger.db
    with contextlib.closing(source):
        db.execute("PRAGMA foreign_keys = OFF")
        try:
            with ledger.transaction():
                for row in db.all(
                    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
                ):
                    table = row["name"]
                    if is_derived(table) and table != TAKEN_OUT:
                        continue  # made anew out of the others
                    copied[table], whole = _copy(source, ledger, table, alive)
                    if whole:
                        salvaged.whole.add(table)
                digests = ledger.protection.second.digests
                salvaged.kept, salvaged.other = digests.kept(), digests.disagreeing()
                _drop_orphans(ledger)
                mend(ledger)
                if 0 < _version(source) <= MIGRATIONS.index(SCALED):
                    ledger.db.run(SCALED)
        finally:
            db.execute("PRAGMA foreign_keys = ON")


def _version(source: sqlite3.Connection) -> int:
    """How many scripts the damaged ledger had seen; 0 if nobody can tell."""
    try:
        return int(source.execute("PRAGMA user_version").fetchone()[0])
    except TROUBLE:
        return 0


def _copy(
    source: sqlite3.Connection, ledger: Ledger, table: str, alive: Callable[[], None]
) -> tuple[int, bool]:
    """How many rows were copied, and whether every row there was could be read."""
    info = ledger.db.all(f"PRAGMA table_info({table})")
    key = [r["name"] for r in info if r["pk"]] or ["rowid"]
    try:
        there = {r[1] for r in source.execute(f"PRAGMA table_info({table})")}
    except TROUBLE:
        return 0, False
    columns = {r["name"]: _source_column(table, r["name"], there) for r in info}
    columns = {mine: theirs for mine, theirs in columns.items() if theirs}
    if not columns:
        return 0, False
    into = f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
    select = f"SELECT {', '.join(columns.values())} FROM {table}"
    count, whole = 0, True
    for order in ("ASC", "DESC"):
        by = ", ".join(f"{columns.get(name, name)} {order}" for name in key)
        complete = True
        for values in _rows(source, f"{select} ORDER BY {by}"):
            if values is None:
                complete = whole = False
                break
            try:
                ledger.db.execute(into, values)
                count += order == "ASC"
            except _ROW_TROUBLE:
                whole = False
            if count % BREATH == 0:
                alive()
        if complete:
            break
    return count, whole


def _source_column(table: str, name: str, there: set[str]) -> str:
    former = RENAMED.get((table, name), "")
    return name if name in there else former if former in there else ""


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
