"""Who speaks when in a recording: what is known so far, and what came of it. No word of what is said."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import TypeAdapter

from earmark.ledger.connection import Connection
from earmark.messages import Stretch
from earmark.speaking import Turn

_TURNS: TypeAdapter[tuple[Turn, ...]] = TypeAdapter(tuple[Turn, ...])


@dataclass(frozen=True, slots=True)
class Spoken:
    """The turns of a recording by time, found with these settings. `unsure`: it is not known well enough to be told."""

    settings: str
    turns: tuple[Turn, ...]
    unsure: bool


class Turns:
    """Rows of `turns` and `stretches`."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def begin(self, recording_id: str, settings: str) -> tuple[Stretch, ...]:
        """What is known so far, to go on behind; what was found with other settings is dropped."""
        self._db.execute(
            "DELETE FROM stretches WHERE recording_id = ? AND settings != ?", (recording_id, settings)
        )
        return self.stretches(recording_id)

    def stretches(self, recording_id: str) -> tuple[Stretch, ...]:
        """What is known so far, in order."""
        rows = self._db.all(
            "SELECT body FROM stretches WHERE recording_id = ? ORDER BY windows", (recording_id,)
        )
        return tuple(Stretch.model_validate_json(row["body"]) for row in rows)

    def keep(self, recording_id: str, settings: str, stretch: Stretch) -> None:
        """From now on it survives anything."""
        self._db.execute(
            "INSERT OR REPLACE INTO stretches (recording_id, windows, settings, body) VALUES (?, ?, ?, ?)",
            (recording_id, stretch.windows, settings, stretch.model_dump_json()),
        )

    def known_upto(self, recording_id: str) -> int:
        """How many windows are done with what is known so far."""
        row = self._db.one(
            "SELECT max(windows) AS windows FROM stretches WHERE recording_id = ?", (recording_id,)
        )
        return (row["windows"] if row else 0) or 0

    def drop_stretches(self, recording_id: str) -> None:
        """The prints of the voices in it, above all."""
        self._db.execute("DELETE FROM stretches WHERE recording_id = ?", (recording_id,))

    def drop_all_stretches(self) -> None:
        """The prints of all voices that are being told apart, which begins anew after a kill."""
        self._db.execute("DELETE FROM stretches")

    def store(self, recording_id: str, spoken: Spoken) -> None:
        """Put them in the place of any earlier ones; what led to them goes."""
        with self._db.transaction():
            self._db.execute(
                "INSERT OR REPLACE INTO turns (recording_id, settings, unsure, body) VALUES (?, ?, ?, ?)",
                (recording_id, spoken.settings, spoken.unsure, _TURNS.dump_json(spoken.turns).decode()),
            )
            self.drop_stretches(recording_id)

    def of(self, recording_id: str) -> Spoken | None:
        row = self._db.one("SELECT * FROM turns WHERE recording_id = ?", (recording_id,))
        if row is None:
            return None
        return Spoken(row["settings"], _TURNS.validate_json(row["body"]), bool(row["unsure"]))

    def drop(self, recording_id: str) -> None:
        """All that is known of who speaks when."""
        self._db.execute("DELETE FROM turns WHERE recording_id = ?", (recording_id,))
        self.drop_stretches(recording_id)
