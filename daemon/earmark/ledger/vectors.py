"""What passages mean, as vectors that a model made of their words: next to the index, and gone with it (0018)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from earmark.ledger import index_sums
from earmark.ledger.connection import Connection

_DUE = (
    " FROM indexed i JOIN recordings r ON r.id = i.recording_id"
    " LEFT JOIN embedded e ON e.recording_id = i.recording_id AND e.model = ?"
    " WHERE e.recording_id IS NULL"
)


@dataclass(frozen=True, slots=True)
class Said:
    """What is said in the passages of a recording, in order, and by whom. `words`: SHA-256 of it."""

    recording_id: str
    first: int
    texts: tuple[str, ...]

    @property
    def words(self) -> str:
        return hashlib.sha256("\0".join(self.texts).encode("utf-8", "surrogatepass")).hexdigest()


class Vectors:
    """Rows of `vectors` and `embedded`. `model` is the digest of one; `languages`: of these only, empty for all."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def due(self, model: str, languages: Collection[str]) -> str | None:
        """The newest recording without vectors of this model; None if there is none."""
        where, spoken = _in(languages)
        row = self._db.one(
            f"SELECT i.recording_id{_DUE}{where} ORDER BY r.recorded_at DESC, i.recording_id LIMIT 1",
            (model, *spoken),
        )
        return row["recording_id"] if row else None

    def any(self, model: str) -> bool:
        return self._db.one("SELECT 1 FROM embedded WHERE model = ? LIMIT 1", (model,)) is not None

    def without(self, model: str, languages: Collection[str]) -> set[str]:
        """All of those."""
        where, spoken = _in(languages)
        rows = self._db.all(f"SELECT i.recording_id{_DUE}{where}", (model, *spoken))
        return {row["recording_id"] for row in rows}

    def said(self, recording_id: str) -> Said | None:
        """What the vectors of a recording are to be made of; None if it is not in the index."""
        rows = self._db.all(
            "SELECT p.id, p.sentences, f.text, f.speakers FROM passages p JOIN passages_fts f ON f.rowid = p.id"
            " WHERE p.recording_id = ? ORDER BY p.number",
            (recording_id,),
        )
        texts = tuple(_told(row["text"], json.loads(row["sentences"]), row["speakers"]) for row in rows)
        return Said(recording_id, rows[0]["id"], texts) if rows else None

    def put(self, said: Said, model: str, vectors: Sequence[bytes], signs: bytes) -> bool:
        """Store the vectors of what was said, in the place of others; false if something else is said there now. Call in a
        transaction.
        """
        now = self.said(said.recording_id)
        if now is None or now.words != said.words:
            return False
        self._db.execute("DELETE FROM embedded WHERE recording_id = ?", (said.recording_id,))
        for id in range(now.first, now.first + len(now.texts)):
            self._db.execute("DELETE FROM vectors WHERE id = ?", (id,))
        for id, vector in enumerate(vectors, start=now.first):
            self._db.execute(
                "INSERT INTO vectors (id, vector, sum) VALUES (?, ?, ?)",
                (id, vector, index_sums.of_vector(id, vector)),
            )
        row = (said.recording_id, model, said.words, now.first, signs)
        self._db.execute(
            "INSERT INTO embedded (recording_id, model, words, first, signs, sum) VALUES (?, ?, ?, ?, ?, ?)",
            (*row, index_sums.of_signs(*row)),
        )
        return True

    def kept(self, recording_id: str) -> Kept | None:
        """The vectors of a recording, to be put back behind a change that leaves its words as they are; None where they
        are damaged.
        """
        row = self._db.one(f"{index_sums.SIGNS} WHERE recording_id = ?", (recording_id,))
        if row is None:
            return None
        rows = self._db.all(
            "SELECT v.id, v.vector, v.sum FROM vectors v JOIN passages p ON p.id = v.id WHERE p.recording_id = ?"
            " ORDER BY p.number",
            (recording_id,),
        )
        if not all(map(index_sums.is_right, (row, *rows))):
            return None
        return Kept(row["model"], row["words"], tuple(each["vector"] for each in rows), row["signs"])

    def put_back(self, recording_id: str, kept: Kept | None) -> None:
        """Put them back, if the same is said there still. Call in the transaction in which they were kept."""
        said = self.said(recording_id) if kept else None
        if kept and said and said.words == kept.words:
            self.put(said, kept.model, kept.vectors, kept.signs)

    def signs(
        self, model: str, among: Collection[str] | None, but: Collection[str]
    ) -> list[tuple[int, bytes]]:
        """For each recording with vectors of this model the number of its first passage in the ledger, and their signs.
        `among`: of these recordings only; `but`: of none of these. Raises LedgerError where a row is damaged.
        """
        rows = self._db.all(f"{index_sums.SIGNS} WHERE model = ?", (model,))
        index_sums.require_right(self._db, rows)
        return [
            (first, signs)
            for recording_id, _, _, first, signs, _ in rows
            if signs and (among is None or recording_id in among) and recording_id not in but
        ]

    def of(self, ids: Collection[int]) -> dict[int, bytes]:
        """The vectors of passages, as far as they are there. Raises LedgerError where one is damaged."""
        rows = self._db.all(
            f"{index_sums.VECTORS} WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(sorted(ids)),)
        )
        index_sums.require_right(self._db, rows)
        return {row["id"]: row["vector"] for row in rows}

    def room(self) -> int:
        """Bytes that they take in the ledger, about."""
        row = self._db.one(
            "SELECT (SELECT coalesce(sum(length(vector)), 0) FROM vectors)"
            " + (SELECT coalesce(sum(length(signs)), 0) FROM embedded) AS n"
        )
        return row["n"] if row else 0


@dataclass(frozen=True, slots=True)
class Kept:
    """The vectors of a recording, and of which words."""

    model: str
    words: str
    vectors: tuple[bytes, ...]
    signs: bytes


def _in(languages: Collection[str]) -> tuple[str, tuple[str, ...]]:
    if not languages:
        return "", ()
    return " AND i.language IN (SELECT value FROM json_each(?))", (json.dumps(sorted(languages)),)


def _told(text: str, sentences: Sequence[Sequence[float]], speakers: str) -> str:
    """The words with the name of whoever says them in front of them."""
    names, told, last = speakers.split("\n") if speakers else [], "", 0
    ends = [*(int(at) for at, _, _ in sentences[1:]), len(text)]
    for (at, _, number), end in zip(sentences, ends, strict=True):
        if number and number != last and number <= len(names):
            told += f"{names[int(number) - 1]}: "
        last = int(number)
        told += text[int(at) : end]
    return told
