"""The index of search: passages of transcripts with their words, made from what other tables hold and never the only copy.

Triggers (0016_search.sql) take a recording out whenever its words change or go, in the same transaction; what is not in it
is put in by the daemon's next step, or by `earmark search` itself (search/indexing.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from earmark.domain import Instant, Seconds
from earmark.errors import EnvironmentFault, LedgerError
from earmark.ledger import index_check, index_damage, index_sums
from earmark.ledger.connection import TROUBLE, Connection, Row
from earmark.ledger.fts5 import in_all, lacking
from earmark.ledger.told_sentences import Sentences
from earmark.ledger.unfound import GONE, Unfound
from earmark.ledger.vectors import Vectors

CHECKED = "search.checked"
"""The fact that the whole of it was looked at."""

DAY = 86400.0
"""Seconds after which it is looked at again."""

WEIGHTS = "bm25(passages_fts, 0.0, 1.0, 1.0, 1.0, 1.0)"
"""What words in each of the columns count when passages are chosen; `text` has the same words as `stems`."""

COUNTED = 1_000
"""Passages up to which it is counted which have a word: a common one is in most of 100,000, to count which takes 10 ms."""

_DUE = (
    " FROM transcripts t LEFT JOIN indexed i ON i.recording_id = t.recording_id"
    " WHERE (i.recording_id IS NULL OR i.stale OR i.form != ?)"
    " AND t.recording_id NOT IN (SELECT recording_id FROM erasures)"
    " AND t.recording_id NOT IN (SELECT recording_id FROM unindexed)"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One passage as it is stored. `sentences`: of each the character of `text` at which it begins, its second, and the
    number of its speaker in `speakers`, from 1; 0 for nobody that is known. `stems`, `pairs`: words by which it is found.
    `named`: the pairs of its speakers' names, which are in no other column.
    """

    number: int
    start: Seconds
    end: Seconds
    sentences: Sequence[tuple[int, Seconds, int]]
    text: str
    stems: str
    pairs: str
    speakers: tuple[str, ...]
    named: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """A passage, and of which recording; `heading` has that one's title, file names and tags."""

    id: int
    recording_id: str
    language: str
    heading: str
    entry: Entry


class Index:
    """Rows of `passages`, `passages_fts` and `indexed`. `unfound`: of whose words nothing is found."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self.vectors = Vectors(db)
        self.unfound = Unfound(db)
        if not db.read_only and not db.has_fts5 and not index_check.is_suited(db):
            index_damage.begin_anew(db)  # else no words could be changed or go, which goes through the index

    def lacks(self) -> str:
        """Why no words can be looked for, for whoever looks at the whole, without its end; "" where they can."""
        return "" if self._db.has_fts5 else in_all(lacking())

    def require_words(self) -> None:
        """Raise EnvironmentFault where no words can be looked for."""
        if not self._db.has_fts5:
            raise EnvironmentFault(lacking())

    def due(self, form: int, most: int) -> list[str]:
        """Recordings whose words are not in the index, or in another form, or with another title or name; none where
        there is no FTS5.
        """
        if not self._db.has_fts5:
            return []
        rows = self._db.all(f"SELECT t.recording_id{_DUE} LIMIT ?", (form, most))
        return [row["recording_id"] for row in rows]

    def count_due(self, form: int, but: Collection[str] = ()) -> int:
        """How many those are, without some."""
        if not self._db.has_fts5:
            return 0
        row = self._db.one(f"SELECT count(*) AS n{_DUE}{_of('t', None, but)}", (form, *_lists(None, but)))
        return row["n"] if row else 0

    def put(
        self, recording_id: str, entries: Sequence[Entry], form: int, language: str, heading: str
    ) -> None:
        """Put a recording's passages in the place of earlier ones; call in the transaction in which they were made."""
        kept = self.vectors.kept(recording_id)  # a title is another one more often than what was said
        self.take_out(recording_id)
        for entry in entries:
            headed = "\n".join(filter(None, ("" if entry.number else heading, entry.named)))
            told = json.dumps(entry.sentences, separators=(",", ":"))
            cursor = self._db.execute(
                "INSERT INTO passages (recording_id, number, start, end, sentences) VALUES (?, ?, ?, ?, ?)",
                (recording_id, entry.number, entry.start, entry.end, told),
            )
            self._db.execute(
                "INSERT INTO passages_fts (rowid, text, stems, pairs, speakers, heading) VALUES (?, ?, ?, ?, ?, ?)",
                (
                    cursor.lastrowid, entry.text, entry.stems, entry.pairs, "\n".join(entry.speakers), headed,
                ),
            )  # fmt: skip
        self._db.execute(
            "INSERT INTO indexed (recording_id, form, language, heading) VALUES (?, ?, ?, ?)",
            (recording_id, form, language, heading),
        )
        for row in self._db.all(f"{index_sums.ROWS} WHERE p.recording_id = ?", (recording_id,)):
            self._db.execute(
                "UPDATE passages SET sum = ? WHERE id = ?", (index_sums.of_passage(row), row["id"])
            )
        self.vectors.put_back(recording_id, kept)

    def take_out(self, recording_id: str) -> None:
        self._db.execute("DELETE FROM indexed WHERE recording_id = ?", (recording_id,))

    def languages(self) -> list[str]:
        """Codes of the main languages of what is in it."""
        return [row["language"] for row in self._db.all("SELECT DISTINCT language FROM indexed")]

    def size(self) -> int:
        """How many passages there are."""
        row = self._db.one("SELECT count(*) AS n FROM passages")
        return row["n"] if row else 0

    def newest(self) -> int:
        """The number of the newest passage: about how many there are, without counting them."""
        row = self._db.one("SELECT max(id) AS id FROM passages")
        return (row["id"] or 0) if row else 0

    def room(self) -> int:
        """Bytes that the words take in the ledger."""
        row = self._db.one("SELECT sum(length(block)) AS n FROM passages_fts_data")
        texts = self._db.one(
            "SELECT sum(length(c0) + length(c1) + length(c2) + length(c3) + length(c4)) AS n FROM passages_fts_content"
        )
        return sum((found["n"] or 0) for found in (row, texts) if found)

    def count(self, expression: str) -> int:
        """How many passages an FTS5 expression finds; of more than COUNTED about how many, by how far on these lie."""
        row = self._db.one(
            "SELECT count(*) AS n, max(id) AS last FROM"
            " (SELECT rowid AS id FROM passages_fts WHERE passages_fts MATCH ? LIMIT ?)",
            (expression, COUNTED),
        )
        if row is None or row["n"] < COUNTED:
            return row["n"] if row else 0
        return int(row["n"] * self.newest() / row["last"])

    def which(self, expression: str, ids: Collection[int]) -> set[int]:
        """Those of these passages that an FTS5 expression finds."""
        rows = self._db.all(
            "SELECT rowid AS id FROM passages_fts WHERE passages_fts MATCH ?"
            " AND rowid IN (SELECT value FROM json_each(?))",
            (expression, json.dumps(sorted(ids))),
        )
        return {row["id"] for row in rows}

    def found(
        self, expression: str, most: int, among: Collection[str] | None, but: Collection[str]
    ) -> list[int]:
        """The passages that an FTS5 expression finds, the best first. `among`: of these recordings only."""
        some = _of("p", among, but)
        joined = (
            " JOIN passages p ON p.id = passages_fts.rowid" if some else ""
        )  # which takes as long as to find them
        rows = self._db.all(
            f"SELECT passages_fts.rowid AS id FROM passages_fts{joined}"
            f" WHERE passages_fts MATCH ?{some} ORDER BY {WEIGHTS} LIMIT ?",
            (expression, *_lists(among, but), most),
        )
        return [row["id"] for row in rows]

    def spoken_in(self, meant: Callable[[tuple[str, ...]], bool]) -> set[str]:
        """The recordings with a passage in which those speak whom `meant` takes. Reads all that is in the index."""
        rows = self._db.each(
            "SELECT DISTINCT p.recording_id, f.speakers FROM passages_fts f JOIN passages p ON p.id = f.rowid"
            " WHERE f.speakers != ''"
        )
        return {row["recording_id"] for row in rows if meant(tuple(row["speakers"].split("\n")))}

    def latest(
        self,
        expression: str | None,
        most: int,
        among: Collection[str] | None,
        but: Collection[str],
        *,
        first: bool = True,
    ) -> list[int]:
        """The same by date, the newest first; without an expression the first passage of each recording, or all of them."""
        where = "p.number = 0" if first else "1"
        if expression:
            where = "p.id IN (SELECT rowid FROM passages_fts WHERE passages_fts MATCH ?)"
        rows = self._db.all(
            "SELECT p.id FROM passages p JOIN recordings r ON r.id = p.recording_id"
            f" WHERE {where}{_of('p', among, but)} ORDER BY r.recorded_at DESC, p.id LIMIT ?",
            (*([expression] if expression else []), *_lists(among, but), most),
        )
        return [row["id"] for row in rows]

    def stored(self, ids: Collection[int]) -> dict[int, Stored]:
        """Passages by their number in the ledger, as far as they are there. Raises LedgerError where one is damaged."""
        rows = self._db.all(
            f"{index_sums.ROWS} WHERE p.id IN (SELECT value FROM json_each(?))", (json.dumps(sorted(ids)),)
        )
        index_sums.require_right(self._db, rows)
        return {row["id"]: _stored(row) for row in rows}

    def passage(self, recording_id: str, number: int) -> Stored | None:
        """A passage by its number in its recording."""
        row = self._db.one(
            "SELECT id FROM passages WHERE recording_id = ? AND number = ?", (recording_id, number)
        )
        return self.stored([row["id"]]).get(row["id"]) if row else None

    def check(self) -> bool:
        """False if the index is not what it should be. 7 s of processor for 100,000 passages."""
        return index_check.is_sound(self._db)

    def is_small(self) -> bool:
        """Whether it can be looked at whole before each answer."""
        return index_check.is_small(self._db)

    def checked_at(self) -> Instant:
        """When somebody who may write looked at the whole of it last, and it was as it should be; 0 for never."""
        row = self._db.one("SELECT at FROM facts WHERE name = ?", (CHECKED,))
        return Instant(row["at"]) if row else Instant(0.0)

    def was_checked(self, now: Instant) -> None:
        self._db.execute("INSERT OR REPLACE INTO facts (name, value, at) VALUES (?, '', ?)", (CHECKED, now))

    def is_made(self) -> bool:
        """False if a table or a trigger of it is missing."""
        return index_check.is_made(self._db)

    def is_whole(self) -> bool:
        """False if something of it is missing that can be told without looking at all of it; nothing is written."""
        return index_check.is_whole(self._db)

    def made_sound(self, *, pages: bool = False) -> bool:
        """Make it anew if it is damaged, and nothing else of the ledger is; true if it was. All is put in again. `pages`:
        look at each page of the file, too.
        """
        return index_damage.made_sound(self._db, pages=pages)

    def clean(self) -> None:
        """Write the words anew, so that those which went are in none of its pages: FTS5 only marks them as gone. Its pages
        are overwritten as all others are (secure_delete). 2 s for 100,000 passages.
        """
        try:
            if self._db.has_fts5:
                self._db.execute("INSERT INTO passages_fts (passages_fts) VALUES ('optimize')")
        except (LedgerError, *TROUBLE):
            index_damage.begin_anew(self._db)
        self._db.execute("DELETE FROM facts WHERE name = ?", (GONE,))

    def clean_due(self) -> bool:
        return self._db.one("SELECT 1 FROM facts WHERE name = ?", (GONE,)) is not None


def _of(table: str, among: Collection[str] | None, but: Collection[str]) -> str:
    within = f" AND {table}.recording_id IN (SELECT value FROM json_each(?))" if among is not None else ""
    return within + (f" AND {table}.recording_id NOT IN (SELECT value FROM json_each(?))" if but else "")


def _lists(among: Collection[str] | None, but: Collection[str]) -> list[str]:
    lists = [among, but or None]
    return [json.dumps(sorted(each)) for each in lists if each is not None]


def _stored(row: Row) -> Stored:
    speakers = tuple(row["speakers"].split("\n")) if row["speakers"] else ()
    sentences = Sentences(row["sentences"])
    entry = Entry(
        row["number"], row["start"], row["end"], sentences, row["text"], row["stems"], row["pairs"], speakers
    )
    return Stored(row["id"], row["recording_id"], row["language"], row["about"], entry)
