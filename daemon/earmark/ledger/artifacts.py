"""Every file that we wrote: which recording it belongs to, and which bytes in it are ours."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from earmark.domain import Instant, Kind
from earmark.ledger.connection import Connection, Row


@dataclass(frozen=True, slots=True)
class Artifact:
    """A note or sidecar. `sha256` is of the bytes we last know to be on disk; `next_sha256` of those being written.

    `state`: writing, here, edited (the user changed it: hands off), gone (the user removed it), trashed (a rule did).
    """

    id: int
    recording_id: str
    place: Path
    kind: Kind
    form: str
    path: Path
    rev: int
    sha256: str
    next_sha256: str | None
    state: str
    written_at: Instant


class Artifacts:
    """Rows of `artifacts`."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def of_place(self, place: Path) -> list[Artifact]:
        rows = self._db.all("SELECT * FROM artifacts WHERE place = ? ORDER BY id", (os.fsencode(place),))
        return [_artifact(r) for r in rows]

    def of_recording(self, recording_id: str) -> list[Artifact]:
        rows = self._db.all("SELECT * FROM artifacts WHERE recording_id = ? ORDER BY id", (recording_id,))
        return [_artifact(r) for r in rows]

    def at(self, path: Path) -> Artifact | None:
        row = self._db.one("SELECT * FROM artifacts WHERE path = ?", (os.fsencode(path),))
        return _artifact(row) if row else None

    def all(self) -> list[Artifact]:
        return [_artifact(r) for r in self._db.all("SELECT * FROM artifacts ORDER BY id")]

    def names_in(self, folder: Path) -> set[bytes]:
        """Paths of everything of ours in or below `folder`, so that intake does not take it for a recording."""
        prefix = os.fsencode(folder).rstrip(b"/") + b"/"
        rows = self._db.all("SELECT path FROM artifacts WHERE substr(path, 1, ?) = ?", (len(prefix), prefix))
        return {r["path"] for r in rows}

    def writing(
        self,
        recording_id: str,
        place: Path,
        kind: Kind,
        form: str,
        path: Path,
        rev: int,
        sha256: str,
        now: Instant,
    ) -> None:
        """Announce that bytes with this hash are about to appear at `path`. Committed before the file is touched."""
        self._db.execute(
            "INSERT INTO artifacts"
            " (recording_id, place, kind, form, path, rev, sha256, next_sha256, state, written_at)"
            " VALUES (?, ?, ?, ?, ?, ?, '', ?, 'writing', ?) ON CONFLICT (path) DO UPDATE SET"
            " recording_id = excluded.recording_id, place = excluded.place, kind = excluded.kind, form = excluded.form,"
            " rev = excluded.rev, next_sha256 = excluded.next_sha256, state = 'writing', written_at = excluded.written_at",
            (recording_id, os.fsencode(place), kind, form, os.fsencode(path), rev, sha256, now),
        )

    def adopt(self, recording_id: str, place: Path, kind: Kind, path: Path, now: Instant) -> None:
        """Know a note that was there before this ledger. Which bytes in it were ours is not known, so none are."""
        self._db.execute(
            "INSERT INTO artifacts (recording_id, place, kind, form, path, rev, sha256, next_sha256, state, written_at)"
            " VALUES (?, ?, ?, 'md', ?, 0, '', NULL, 'edited', ?) ON CONFLICT (path) DO NOTHING",
            (recording_id, os.fsencode(place), kind, os.fsencode(path), now),
        )

    def written(self, path: Path, sha256: str, now: Instant) -> None:
        """The bytes are on disk, durably."""
        self._db.execute(
            "UPDATE artifacts SET sha256 = ?, next_sha256 = NULL, state = 'here', written_at = ? WHERE path = ?",
            (sha256, now, os.fsencode(path)),
        )

    def set_state(self, path: Path, state: str) -> None:
        self._db.execute("UPDATE artifacts SET state = ? WHERE path = ?", (state, os.fsencode(path)))

    def outdate(self, path: Path) -> None:
        """Its text names the recording, which has another name now: it is owed again."""
        self._db.execute("UPDATE artifacts SET rev = 0 WHERE path = ?", (os.fsencode(path),))

    def forget(self, path: Path) -> None:
        """Drop the row: the announced file never came to be, or is no longer ours to know of."""
        self._db.execute("DELETE FROM artifacts WHERE path = ?", (os.fsencode(path),))

    def move(self, old: Path, new: Path) -> None:
        """The file itself was renamed. Whatever we knew of its new name is over: the name was free."""
        if new != old:
            self.forget(new)
        self._db.execute("UPDATE artifacts SET path = ? WHERE path = ?", (os.fsencode(new), os.fsencode(old)))


def _artifact(row: Row) -> Artifact:
    return Artifact(
        id=row["id"],
        recording_id=row["recording_id"],
        place=Path(os.fsdecode(row["place"])),
        kind=Kind(row["kind"]),
        form=row["form"],
        path=Path(os.fsdecode(row["path"])),
        rev=row["rev"],
        sha256=row["sha256"],
        next_sha256=row["next_sha256"],
        state=row["state"],
        written_at=row["written_at"],
    )
