"""How recordings were heard, as far as a list says it, out of their transcripts."""

from __future__ import annotations

import json
from dataclasses import dataclass

from earmark.domain import Mark
from earmark.ledger.connection import Connection
from earmark.ledger.corrected import CORRECTED

_SECONDS_WORDLESS = f"""(SELECT sum(json_extract(value, '$.end') - json_extract(value, '$.start'))
    FROM json_each(CASE WHEN json_valid(body) THEN body ELSE '{{}}' END, '$.segments')
    WHERE json_extract(value, '$.mark') = '{Mark.WORDLESS}')"""


@dataclass(frozen=True, slots=True)
class Condition:
    """How a recording was heard. `whole`: false if not all of it could be: it breaks off, is damaged, misses tracks or
    parts, or was not understood. `loudest`: level of its loudest second, None if unknown. `owed`: a better transcript is.
    `corrected`: a person may have corrected words. `wordless`: seconds in which somebody speaks and no words were made out.
    """

    whole: bool
    misheard: str | None
    untranslated: bool
    loudest: float | None
    model: str
    owed: bool
    corrected: bool
    wordless: float


def conditions(db: Connection) -> dict[str, Condition]:
    """The condition of each recording that was heard, by its id."""
    rows = db.all(
        "SELECT t.recording_id, EXISTS (SELECT 1 FROM drafts d WHERE d.recording_id = t.recording_id AND d.kept = '')"
        " AS owed, CASE WHEN json_valid(body) THEN json_extract(body, '$.model', '$.misheard', '$.untranslated',"
        " '$.loudest', '$.truncated', '$.bad_packets', '$.tracks_unheard', '$.parts_unheard', '$.bytes_unheard',"
        " '$.unreadable_seconds') END AS told, instr(body, ?) > 0 AS corrected,"
        f" CASE WHEN instr(body, ?) > 0 THEN {_SECONDS_WORDLESS} END AS wordless FROM transcripts t",
        (CORRECTED, f'"{Mark.WORDLESS}"'),
    )
    found = {}
    for row in rows:
        model, misheard, untranslated, loudest, *missing = json.loads(row["told"] or "null") or [None] * 10
        wordless = row["wordless"] or 0.0
        whole = misheard is None and not any(missing) and not wordless
        found[row["recording_id"]] = Condition(
            whole,
            misheard,
            bool(untranslated),
            loudest,
            str(model or ""),
            bool(row["owed"]),
            bool(row["corrected"]),
            wordless,
        )
    return found
