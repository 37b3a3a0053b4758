"""What people corrected, in all transcripts: read out of their bodies, stored nowhere else, and gone with them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from earmark.amended import Correction, Spoken, corrections_in
from earmark.ledger.connection import Connection

_SEGMENTS = "json_each(CASE WHEN json_valid(body) THEN body ELSE '{}' END, '$.segments') s"

_HEARD = "coalesce(json_extract(s.value, '$.heard'), json_extract(s.value, '$.text'))"

CORRECTED = '"heard":"'
"""What stands in the body of a transcript with a correction, and hardly in any other: searched for first, which is quick."""

MOST = 1_000
"""Segments that are looked at for one word."""


class Corrected:
    """Segments of `transcripts` that a person corrected."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def all(self) -> list[Correction]:
        """Every one of them, in the order of recordings and of their segments."""
        rows = self._db.all(
            "SELECT recording_id, s.key AS number, json_extract(s.value, '$.heard') AS heard,"
            " json_extract(s.value, '$.text') AS said, coalesce(nullif(json_extract(s.value, '$.language'), ''),"
            " json_extract(body, '$.language')) AS language, json_extract(s.value, '$.start') AS start,"
            f" json_extract(s.value, '$.end') AS end FROM transcripts, {_SEGMENTS}"
            " WHERE instr(body, ?) > 0 ORDER BY 1, 2",
            (CORRECTED,),
        )
        found: list[Correction] = []
        for recording_id, of in groupby(rows, key=lambda row: row["recording_id"]):
            segments = [
                Spoken(
                    r["number"],
                    r["start"] or 0.0,
                    r["end"] or 0.0,
                    r["said"] or "",
                    r["heard"],
                    r["language"] or "",
                )
                for r in of
            ]
            found += corrections_in(recording_id, segments)
        return found

    def texts_heard(self, part: str) -> Iterator[str]:
        """What was heard in segments, if it holds this part; of very many some."""
        rows = self._db.all(
            f"SELECT {_HEARD} AS heard FROM transcripts, {_SEGMENTS}"
            f" WHERE instr(body, ?) > 0 AND instr({_HEARD}, ?) > 0 LIMIT {MOST}",
            (part, part),
        )
        return (row["heard"] for row in rows)
