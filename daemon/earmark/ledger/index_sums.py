"""Checksums of the rows of the index of search: a changed byte in one is noticed by whoever reads it.

CRC-32, which finds each change of up to 32 bits in a row. A row without one is of a version that made none.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from earmark.errors import LedgerError
from earmark.ledger.connection import Connection, Row

ROWS = (
    "SELECT p.*, i.language, i.heading AS about, f.text, f.stems, f.pairs, f.speakers, f.heading AS headed FROM passages p"
    " JOIN indexed i ON i.recording_id = p.recording_id JOIN passages_fts f ON f.rowid = p.id"
)
"""All that is known of passages."""

VECTORS, SIGNS = "SELECT id, vector, sum FROM vectors", "SELECT * FROM embedded"


def of_passage(row: Row) -> int:
    """Of a row of ROWS."""
    (
        id,
        recording_id,
        number,
        start,
        end,
        sentences,
        _,
        language,
        about,
        text,
        stems,
        pairs,
        speakers,
        headed,
    ) = row
    told = (
        f"{id} {recording_id} {number} {start!r} {end!r} {language}", sentences, about, text, stems, pairs, speakers, headed,
    )  # fmt: skip
    return zlib.crc32("\0".join(told).encode("utf-8", "surrogatepass"))


def of_vector(id: int, vector: bytes) -> int:
    return zlib.crc32(vector, id & 0xFFFFFFFF)


def of_signs(recording_id: str, model: str, words: str, first: int, signs: bytes) -> int:
    return zlib.crc32(signs, zlib.crc32(f"{recording_id} {model} {words} {first}".encode()))


def is_right(row: Row) -> bool:
    """Whether a row of ROWS, VECTORS or SIGNS is what was written."""
    try:
        return row["sum"] is None or row["sum"] == _of(row)
    except (TypeError, ValueError, AttributeError):  # a number where words were, and such
        return False


def require_right(db: Connection, rows: Iterable[Row]) -> None:
    """Raise LedgerError if a row is not what was written."""
    if not all(map(is_right, rows)):
        raise LedgerError(
            f"{db.file}: the ledger is damaged: a row of the index of search is not what it was"
        )


def are_right(db: Connection) -> bool:
    """Whether all rows are. 20 ms for 1,000 passages. Raises LedgerError."""
    return all(is_right(row) for sql in (ROWS, VECTORS, SIGNS) for row in db.each(sql))


def _of(row: Row) -> int:
    keys = row.keys()
    if "vector" in keys:
        return of_vector(row["id"], row["vector"])
    return of_signs(*tuple(row)[:5]) if "signs" in keys else of_passage(row)
