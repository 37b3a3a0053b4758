"""What was decided (events), what is wrong right now (troubles), and small facts about the daemon."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from earmark.domain import Instant
from earmark.ledger.connection import Connection, Row

SPEED = "speed:"
"""What a fact about a model's speed begins with."""

PACE = "pace:"
"""What one about the speed of another stage begins with."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One decision: `what` is an events.Event, or one that an older version told. `detail` is a sentence that holds no
    word of what was said.
    """

    id: int
    at: Instant
    recording_id: str | None
    path: Path | None
    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong now. `subject` is a path, or a name such as `[disk]`."""

    subject: str
    kind: Literal["file", "folder", "system"]
    sentence: str
    since: Instant
    seen: str

    @property
    def whole(self) -> str:
        """The sentence, with the folder that it is about."""
        named = self.kind == "system" or self.subject in self.sentence
        return self.sentence if named else f"{self.subject}: {self.sentence}"


class Journal:
    """Rows of `events`, `troubles` and `facts`."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def record(
        self,
        at: Instant,
        what: str,
        detail: str = "",
        recording_id: str | None = None,
        path: Path | None = None,
    ) -> None:
        """Write one decision down."""
        self._db.execute(
            "INSERT INTO events (at, recording_id, path, what, detail) VALUES (?, ?, ?, ?, ?)",
            (at, recording_id, os.fsencode(path) if path else None, what, detail),
        )

    def events(
        self, recording_id: str | None = None, path: Path | None = None, limit: int = 200
    ) -> list[Entry]:
        """The latest events of a recording or a path, oldest first."""
        rows = self._db.all(
            "SELECT * FROM (SELECT * FROM events WHERE recording_id = ? OR path = ? ORDER BY id DESC LIMIT ?) ORDER BY id",
            (recording_id, os.fsencode(path) if path else None, limit),
        )
        return [_entry(r) for r in rows]

    def latest(self, limit: int = 20) -> list[Entry]:
        rows = self._db.all(
            "SELECT * FROM (SELECT * FROM events ORDER BY id DESC LIMIT ?) ORDER BY id", (limit,)
        )
        return [_entry(r) for r in rows]

    def notes_told_of(self, *events: str) -> set[bytes]:
        """The paths of notes that are a person's, or not where they were, of which one of these was told."""
        marks = ", ".join("?" for _ in events)
        rows = self._db.all(
            "SELECT path FROM artifacts a WHERE state IN ('edited', 'gone') AND form = 'md'"
            f" AND EXISTS (SELECT 1 FROM events WHERE path = a.path AND what IN ({marks}))",
            events,
        )
        return {row["path"] for row in rows}

    def last_entry(self) -> int:
        """The number of the latest entry; 0 if there is none."""
        row = self._db.one("SELECT coalesce(max(id), 0) AS id FROM events")
        return row["id"] if row else 0

    def earliest_since(self, entry: int) -> Instant | None:
        """The earliest date of anything written down after this entry."""
        row = self._db.one("SELECT min(at) AS at FROM events WHERE id > ?", (entry,))
        return row["at"] if row else None

    def trouble(
        self,
        subject: Path | str,
        kind: Literal["file", "folder", "system"],
        sentence: str,
        now: Instant,
        seen: str = "",
    ) -> bool:
        """Say that something is wrong; true if that is news."""
        known = self._db.one("SELECT sentence, seen FROM troubles WHERE subject = ?", (_subject(subject),))
        if known and known["sentence"] == sentence and known["seen"] == seen:
            return False
        self._db.execute(
            "INSERT INTO troubles (subject, kind, sentence, since, seen) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (subject) DO UPDATE SET sentence = excluded.sentence, seen = excluded.seen",
            (_subject(subject), kind, sentence, now, seen),
        )
        return True

    def clear(self, subject: Path | str) -> bool:
        """It is all right again; true if it was not before."""
        return self._db.execute("DELETE FROM troubles WHERE subject = ?", (_subject(subject),)).rowcount > 0

    def troubles(self) -> list[Trouble]:
        rows = self._db.all("SELECT * FROM troubles ORDER BY kind DESC, since, subject")
        return [
            Trouble(os.fsdecode(r["subject"]), r["kind"], r["sentence"], r["since"], r["seen"]) for r in rows
        ]

    def clear_outside(self, folders: Iterable[Path]) -> None:
        """What was wrong with files and folders that are not watched any more is no trouble."""
        tops = [str(folder) for folder in folders]
        for trouble in self.troubles():
            inside = any(trouble.subject == top or trouble.subject.startswith(top + "/") for top in tops)
            if trouble.kind != "system" and not inside:
                self.clear(trouble.subject)

    def set_fact(self, name: str, value: str, now: Instant) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO facts (name, value, at) VALUES (?, ?, ?)", (name, value, now)
        )

    def fact(self, name: str) -> tuple[str, Instant] | None:
        row = self._db.one("SELECT value, at FROM facts WHERE name = ?", (name,))
        return (row["value"], row["at"]) if row else None

    def facts(self, prefix: str) -> dict[str, str]:
        """What is known under names that begin so, by the rest of the name."""
        rows = self._db.all(
            "SELECT name, value FROM facts WHERE substr(name, 1, ?) = ?", (len(prefix), prefix)
        )
        return {row["name"].removeprefix(prefix): row["value"] for row in rows}

    def drop_fact(self, name: str) -> None:
        self._db.execute("DELETE FROM facts WHERE name = ?", (name,))

    def drop_facts(self, prefix: str, value: str) -> None:
        """Forget those of them that say this."""
        self._db.execute(
            "DELETE FROM facts WHERE substr(name, 1, ?) = ? AND value = ?", (len(prefix), prefix, value)
        )

    def measured(self, model: str, audio: float, took: float, now: Instant) -> None:
        """Add to what is known of a model's speed here: seconds of audio heard, and seconds that it took."""
        self._add_up(SPEED, model, audio, took, now)

    def speeds(self) -> dict[str, tuple[float, float]]:
        """By model: seconds of audio heard here, and seconds that it took."""
        return self._pairs(SPEED)

    def paced(self, stage: str, audio: float, took: float, now: Instant) -> None:
        """The same for a stage other than hearing."""
        self._add_up(PACE, stage, audio, took, now)

    def paces(self) -> dict[str, tuple[float, float]]:
        """The same by stage."""
        return self._pairs(PACE)

    def _add_up(self, kind: str, name: str, audio: float, took: float, now: Instant) -> None:
        before = self._pairs(kind).get(name, (0.0, 0.0))
        self.set_fact(kind + name, f"{before[0] + audio:.3f} {before[1] + took:.3f}", now)

    def _pairs(self, kind: str) -> dict[str, tuple[float, float]]:
        found = {}
        for name, value in self.facts(kind).items():
            with suppress(ValueError):  # a damaged fact is no reason to fall over
                audio, took = value.split()
                found[name] = (float(audio), float(took))
        return found


def _subject(subject: Path | str) -> bytes:
    return os.fsencode(subject)


def _entry(row: Row) -> Entry:
    path = Path(os.fsdecode(row["path"])) if row["path"] is not None else None
    return Entry(row["id"], row["at"], row["recording_id"], path, row["what"], row["detail"])
