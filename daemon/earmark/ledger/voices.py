"""People whose voices may be recognized, and the voices of those who speak in recordings: biometric data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from earmark.domain import Instant, Seconds
from earmark.ledger.connection import Connection


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who was named, and whose voice is stored: of so many recordings, from so many seconds of speech."""

    id: int
    name: str
    since: Instant
    recordings: int
    seconds: Seconds


@dataclass(frozen=True, slots=True)
class Print:
    """The voice of one speaker, by their number: float32, little endian. `encoder` says which made it."""

    speaker: int
    encoder: str
    print: bytes
    seconds: Seconds


@dataclass(frozen=True, slots=True)
class Known:
    """The voice of somebody who was named."""

    name: str
    print: bytes
    seconds: Seconds


class Voices:
    """Rows of `people` and `voiceprints`. Somebody of whom no voice is left is no row (the triggers of 0014)."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def people(self) -> list[Person]:
        """Everybody whose voice is known, by name."""
        rows = self._db.all(
            "SELECT p.id, p.name, p.since, count(v.id) AS recordings, coalesce(sum(v.seconds), 0.0) AS seconds"
            " FROM people p LEFT JOIN voiceprints v ON v.person = p.id GROUP BY p.id ORDER BY p.name"
        )
        return [Person(**{key: row[key] for key in Person.__slots__}) for row in rows]

    def person(self, name: str) -> int | None:
        row = self._db.one("SELECT id FROM people WHERE name = ?", (name,))
        return row["id"] if row else None

    def count(self) -> int:
        """How many voices are stored, named or not."""
        row = self._db.one("SELECT count(*) AS n FROM voiceprints")
        return row["n"] if row else 0

    def nameless(self) -> int:
        """How many of them are nobody's who was named, as far as anybody knows."""
        row = self._db.one("SELECT count(*) AS n FROM voiceprints WHERE person IS NULL AND likely IS NULL")
        return row["n"] if row else 0

    def known(self, encoder: str, but: str) -> list[Known]:
        """The voices of those who were named, as this encoder hears them, in other recordings than one."""
        rows = self._db.all(
            "SELECT p.name, v.print, v.seconds FROM voiceprints v JOIN people p ON p.id = v.person"
            " WHERE v.encoder = ? AND v.recording_id != ? ORDER BY v.id",
            (encoder, but),
        )
        return [Known(row["name"], row["print"], row["seconds"]) for row in rows]

    def store(self, recording_id: str, prints: Iterable[Print], now: Instant) -> None:
        """These are the voices of a recording, in the place of any earlier ones; whose they are is to be said again."""
        kept = [*prints]
        self._db.execute_many(
            "INSERT INTO voiceprints (recording_id, speaker, encoder, print, seconds, stored_at) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (recording_id, speaker) DO UPDATE SET encoder = excluded.encoder, print = excluded.print,"
            " seconds = excluded.seconds, stored_at = excluded.stored_at, person = NULL, likely = NULL",
            [(recording_id, p.speaker, p.encoder, p.print, p.seconds, now) for p in kept],
        )
        self._db.execute(
            "DELETE FROM voiceprints WHERE recording_id = ? AND speaker > ?", (recording_id, len(kept))
        )

    def say(self, recording_id: str, speaker: int, name: str, now: Instant) -> None:
        """A person says who it is ("": nobody whom they name); nothing, where that voice is not stored."""
        if name and self._has(recording_id, speaker):
            self._db.execute(
                "INSERT INTO people (name, since) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", (name, now)
            )
        self._db.execute(
            "UPDATE voiceprints SET likely = NULL, person = (SELECT id FROM people WHERE name = ?)"
            " WHERE recording_id = ? AND speaker = ?",
            (name, recording_id, speaker),
        )

    def liken(self, recording_id: str, speaker: int, name: str) -> None:
        """It sounds like somebody who was named."""
        self._db.execute(
            "UPDATE voiceprints SET likely = (SELECT id FROM people WHERE name = ?)"
            " WHERE recording_id = ? AND speaker = ?",
            (name, recording_id, speaker),
        )

    def likely(self, recording_id: str) -> dict[int, str]:
        """Whom the voices of a recording sound like, by number, where nobody has said who it is."""
        rows = self._db.all(
            "SELECT v.speaker, p.name FROM voiceprints v JOIN people p ON p.id = v.likely"
            " WHERE v.recording_id = ? AND v.person IS NULL",
            (recording_id,),
        )
        return {row["speaker"]: row["name"] for row in rows}

    def said(self, recording_id: str) -> set[str]:
        """Who is in a recording by a person's word, and has a voice there."""
        rows = self._db.all(
            "SELECT DISTINCT p.name FROM voiceprints v JOIN people p ON p.id = v.person WHERE v.recording_id = ?",
            (recording_id,),
        )
        return {row["name"] for row in rows}

    def all_likely(self) -> set[str]:
        """The recordings in which a voice sounds like somebody."""
        rows = self._db.all(
            "SELECT DISTINCT recording_id FROM voiceprints WHERE likely IS NOT NULL AND person IS NULL"
        )
        return {row["recording_id"] for row in rows}

    def speakers(self, recording_id: str) -> set[int]:
        """The numbers of those whose voices are stored of a recording."""
        rows = self._db.all("SELECT speaker FROM voiceprints WHERE recording_id = ?", (recording_id,))
        return {row["speaker"] for row in rows}

    def with_person(self, person: int) -> list[str]:
        """The recordings in which somebody is, or seems to be."""
        rows = self._db.all(
            "SELECT DISTINCT recording_id FROM voiceprints WHERE person = ?1 OR likely = ?1", (person,)
        )
        return [row["recording_id"] for row in rows]

    def prints_of(self, person: int) -> list[bytes]:
        """Every vector of somebody, and of whoever only seems to be them."""
        rows = self._db.all("SELECT print FROM voiceprints WHERE person = ?1 OR likely = ?1", (person,))
        return [row["print"] for row in rows]

    def all_prints(self) -> list[bytes]:
        """Every vector there is."""
        return [row["print"] for row in self._db.all("SELECT print FROM voiceprints")]

    def call(self, person: int, name: str) -> None:
        """Somebody goes by another name, which nobody has yet."""
        self._db.execute("UPDATE people SET name = ? WHERE id = ?", (name, person))

    def merge(self, person: int, into: int) -> None:
        """Both are one person, who has the second one's name."""
        for column in ("person", "likely"):
            self._db.execute(f"UPDATE voiceprints SET {column} = ? WHERE {column} = ?", (into, person))
        self._db.execute("DELETE FROM people WHERE id = ?", (person,))

    def forget(self, person: int) -> int:
        """Delete somebody and every vector of theirs; returns how many there were."""
        cursor = self._db.execute("DELETE FROM voiceprints WHERE person = ?1 OR likely = ?1", (person,))
        self._db.execute("DELETE FROM people WHERE id = ?", (person,))
        return cursor.rowcount

    def drop(self, recording_id: str) -> None:
        """Delete the voices of a recording: they are not of its speakers any more."""
        self._db.execute("DELETE FROM voiceprints WHERE recording_id = ?", (recording_id,))

    def stored_before(self, instant: Instant) -> int:
        """How many voices were stored before then."""
        row = self._db.one("SELECT count(*) AS n FROM voiceprints WHERE stored_at < ?", (instant,))
        return row["n"] if row else 0

    def forget_before(self, instant: Instant) -> int:
        """Delete the voices that were stored before then."""
        return self._db.execute("DELETE FROM voiceprints WHERE stored_at < ?", (instant,)).rowcount

    def forget_all(self) -> int:
        """Delete every voice, and with them everybody."""
        count = self._db.execute("DELETE FROM voiceprints").rowcount
        self._db.execute("DELETE FROM people")
        return count

    def _has(self, recording_id: str, speaker: int) -> bool:
        sql = "SELECT 1 FROM voiceprints WHERE recording_id = ? AND speaker = ?"
        return self._db.one(sql, (recording_id, speaker)) is not None
