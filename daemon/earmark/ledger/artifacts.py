"""Every file that we wrote: which recording it belongs to, and which bytes in it are ours."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from earmark.domain import ArtifactState, Instant, Kind
from earmark.ledger.artifact import NOT_OURS, SUMMARY_COUNTS, Artifact, Digests, Known, Written, artifact_of
from earmark.ledger.connection import Connection
from earmark.ledger.places import Place

FOR_EVER = 1 << 62
"""A revision that no later one comes after."""


class NotePath(NamedTuple):
    """Where a note is, or was when it was looked at last, as bytes: `place` is the path of its recording."""

    recording_id: str
    place: bytes
    path: bytes


class Artifacts:
    """Rows of `artifacts`."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def of_place(self, place: Place) -> list[Artifact]:
        """What was written for this recording at this path."""
        rows = self._db.all(
            "SELECT * FROM artifacts WHERE place = ? AND recording_id = ? ORDER BY id",
            (os.fsencode(place.path), place.recording_id),
        )
        return [artifact_of(r) for r in rows]

    def of_recording(self, recording_id: str) -> list[Artifact]:
        rows = self._db.all("SELECT * FROM artifacts WHERE recording_id = ? ORDER BY id", (recording_id,))
        return [artifact_of(r) for r in rows]

    def note_paths(self, recording_ids: Sequence[str]) -> list[NotePath]:
        """The notes of some recordings that were on disk when they were looked at last; some hundreds at once."""
        states = (ArtifactState.HERE.value, ArtifactState.EDITED.value)
        rows = self._db.all(
            "SELECT recording_id, place, path FROM artifacts WHERE form = 'md' AND state IN (?, ?)"
            f" AND recording_id IN ({', '.join('?' * len(recording_ids))})",
            (*states, *recording_ids),
        )
        return [NotePath(*row) for row in rows]

    def at(self, path: Path) -> Artifact | None:
        row = self._db.one("SELECT * FROM artifacts WHERE path = ?", (os.fsencode(path),))
        return artifact_of(row) if row else None

    def knows(self, sha256: str) -> bool:
        """True if these are the bytes of something that we wrote, wherever it was."""
        sql = "SELECT 1 FROM artifacts WHERE sha256 = ?1 OR next_sha256 = ?1 LIMIT 1"
        return bool(sha256) and self._db.one(sql, (sha256,)) is not None

    def written_as(self, sha256: str) -> set[str]:
        """The recordings for which a file with these bytes was written."""
        sql = "SELECT DISTINCT recording_id FROM artifacts WHERE sha256 = ?1 OR next_sha256 = ?1"
        return {row["recording_id"] for row in self._db.all(sql, (sha256,))}

    def worded_as(self, words_sha256: str) -> set[str]:
        """Those for which a note with these words was written, by the first of its digests."""
        sql = "SELECT DISTINCT recording_id FROM artifacts WHERE substr(words_sha256, 1, 64) = ?"
        return {row["recording_id"] for row in self._db.all(sql, (words_sha256,))}

    def lay_in(self, path: Path) -> str:
        """What the folder of a file was when notes were written there: those of a recording, or the file itself, if it is
        one of them; "" where nobody knows.
        """
        raw = os.fsencode(path)
        rows = self._db.all(
            "SELECT path, lay_in FROM artifacts WHERE (path = ? OR place = ?) AND lay_in != ''", (raw, raw)
        )
        return next((r["lay_in"] for r in rows if Path(os.fsdecode(r["path"])).parent == path.parent), "")

    def all(self) -> list[Artifact]:
        return [artifact_of(r) for r in self._db.all("SELECT * FROM artifacts ORDER BY id")]

    def edited(self) -> list[Artifact]:
        """Notes that a person changed."""
        rows = self._db.all(
            "SELECT * FROM artifacts WHERE state = ? ORDER BY id", (ArtifactState.EDITED.value,)
        )
        return [artifact_of(row) for row in rows]

    def paths(self) -> list[str]:
        """Where files of ours are, or would be."""
        rows = self._db.all(
            "SELECT path FROM artifacts WHERE state != ? ORDER BY id", (ArtifactState.GONE.value,)
        )
        return [os.fsdecode(r["path"]) for r in rows]

    def in_folder(self, folder: Path) -> list[Artifact]:
        """Everything of ours in a folder, not below it."""
        prefix = os.fsencode(folder).rstrip(b"/") + b"/"
        rows = self._db.all(
            "SELECT * FROM artifacts WHERE substr(path, 1, ?) = ? AND instr(substr(path, ? + 1), x'2F') = 0",
            (len(prefix), prefix, len(prefix)),
        )
        return [artifact_of(r) for r in rows]

    def notes_below(self, folder: Path, states: Collection[ArtifactState]) -> list[Known]:
        """The notes in these states of all recordings in a drop folder, but for those with which something is still to be
        done: they may be under way to another name.
        """
        marks = ", ".join("?" for _ in states)
        rows = self._db.all(
            "SELECT a.path, a.place FROM places p JOIN artifacts a ON a.place = p.path AND a.recording_id = p.recording_id"
            " JOIN recordings r ON r.id = p.recording_id WHERE p.folder = ? AND p.gone_at IS NULL AND p.owed = ''"
            " AND p.transcript_rev = r.transcript_rev AND p.summary_rev = r.summary_rev AND a.form = 'md'"
            f" AND a.state IN ({marks})",
            (os.fsencode(folder), *states),
        )
        return [Known(row["path"], row["place"]) for row in rows]

    def notes_written(self, states: Collection[ArtifactState]) -> list[Written]:
        """All notes in these states, and when they were written."""
        marks = ", ".join("?" for _ in states)
        rows = self._db.all(
            "SELECT path, recording_id, written_at, place, kind FROM artifacts WHERE form = 'md'"
            f" AND state IN ({marks})",
            (*states,),
        )
        return [Written(path, recording, at, place, Kind(kind)) for path, recording, at, place, kind in rows]

    def writing(
        self,
        place: Place,
        kind: Kind,
        form: str,
        path: Path,
        rev: int,
        sha256: str,
        now: Instant,
        lay_in: str = "",
        *,
        merged: bool = False,
    ) -> None:
        """Announce that bytes with this hash are about to appear at `path`. Committed before the file is touched. `merged`:
        a person's changes to what lies there are in them; what takes the place of such a note is theirs as well.
        """
        before = self.at(path)
        if before is not None and (before.recording_id, before.place) != (place.recording_id, place.path):
            self._remember_taken(path)
        self._db.execute(
            "INSERT INTO artifacts"
            " (recording_id, place, kind, form, path, rev, sha256, next_sha256, state, written_at, lay_in, mergeable)"
            " VALUES (?, ?, ?, ?, ?, ?, '', ?, 'writing', ?, ?, ?) ON CONFLICT (path) DO UPDATE SET"
            " recording_id = excluded.recording_id, place = excluded.place, kind = excluded.kind, form = excluded.form,"
            " rev = excluded.rev, next_sha256 = excluded.next_sha256, state = 'writing', written_at = excluded.written_at,"
            " lay_in = excluded.lay_in,"
            " mergeable = excluded.mergeable OR (mergeable AND recording_id = excluded.recording_id"
            " AND place = excluded.place)",
            (
                place.recording_id,
                os.fsencode(place.path),
                kind,
                form,
                os.fsencode(path),
                rev,
                sha256,
                now,
                lay_in,
                merged,
            ),
        )

    def adopt(
        self, recording_id: str, place: Path, kind: Kind, path: Path, now: Instant, lay_in: str, rev: int = 0
    ) -> None:
        """Know a note that we did not write here, and that says what revision `rev` says (0: nobody knows). Which bytes in
        it were ours is not known, so none are.
        """
        self._db.execute(
            "INSERT INTO artifacts"
            " (recording_id, place, kind, form, path, rev, sha256, next_sha256, state, written_at, lay_in)"
            " VALUES (?, ?, ?, 'md', ?, ?, '', NULL, 'edited', ?, ?) ON CONFLICT (path) DO NOTHING",
            (recording_id, os.fsencode(place), kind, os.fsencode(path), rev, now, lay_in),
        )

    def written(self, path: Path, digests: Digests, now: Instant) -> bool:
        """The bytes are on disk, durably. False if the row vanished meanwhile: the recording was erased."""
        cursor = self._db.execute(
            "UPDATE artifacts SET sha256 = :sha256, plain_sha256 = :plain, words_sha256 = :words, next_sha256 = NULL,"
            " top = :top, names = :names, written_at = :now, state = CASE WHEN mergeable THEN 'edited' ELSE 'here' END,"
            " words_rev = (SELECT words_rev FROM recordings WHERE id = artifacts.recording_id)"
            " WHERE path = :path AND next_sha256 = :sha256",
            {
                "sha256": digests.sha256, "plain": digests.plain_sha256, "words": digests.words_sha256,
                "top": digests.top, "names": json.dumps(digests.names), "now": now,
                "path": os.fsencode(path),
            },
        )  # fmt: skip
        return cursor.rowcount > 0

    def not_written(self, path: Path, rev: int) -> None:
        """The announced bytes never came to be; the version before, of revision `rev`, is there."""
        self._db.execute(
            "UPDATE artifacts SET state = CASE WHEN mergeable THEN 'edited' ELSE 'here' END, next_sha256 = NULL, rev = ?"
            " WHERE path = ?",
            (rev, os.fsencode(path)),
        )

    def as_on_disk(self, path: Path, sha256: str) -> None:
        """The bytes are others than we wrote, but only in the targets of links: still ours."""
        self._db.execute("UPDATE artifacts SET sha256 = ? WHERE path = ?", (sha256, os.fsencode(path)))

    def set_state(self, path: Path, state: ArtifactState) -> None:
        self._db.execute("UPDATE artifacts SET state = ? WHERE path = ?", (state, os.fsencode(path)))

    def owner_removed(self, artifact: Artifact) -> None:
        """It was there and is not: its owner removed it, so it is not written again for the same revision, or, if it was
        written for a former content of its recording, for the first one.
        """
        first = SUMMARY_COUNTS + 1 if artifact.kind is Kind.SUMMARY and artifact.note else 1
        self.set_state(artifact.path, ArtifactState.GONE)
        self._db.execute(
            "INSERT OR REPLACE INTO removed VALUES (?, ?, ?, ?, ?)",
            (
                os.fsencode(artifact.place), artifact.recording_id, artifact.kind, artifact.form, artifact.rev or first,
            ),
        )  # fmt: skip

    def as_written(self, path: Path, written: Artifact) -> None:
        """An edited note is again, byte for byte, what we know as `written`: ours, or a person's, if that is."""
        self._db.execute(
            "UPDATE artifacts SET state = ?, rev = ?, sha256 = ?, plain_sha256 = ?, words_sha256 = ?, words_rev = ?,"
            " top = ?, mergeable = ?, names = ? WHERE path = ?",
            (
                ArtifactState.EDITED if written.mergeable else ArtifactState.HERE, written.rev, written.sha256,
                written.plain_sha256, written.words_sha256, written.words_rev, written.top, written.mergeable,
                None if written.names is None else json.dumps(written.names), os.fsencode(path),
            ),
        )  # fmt: skip

    def properties_written(self, path: Path, top: str) -> None:
        """Of a note that a person changed, its properties as we have written them by now."""
        self._db.execute("UPDATE artifacts SET top = ? WHERE path = ?", (top, os.fsencode(path)))

    def names_read(self, path: Path, names: Iterable[str]) -> None:
        """What stands in the list of speakers of a note by now is known, whoever wrote it there."""
        self._db.execute(
            "UPDATE artifacts SET names = ? WHERE path = ?", (json.dumps([*names]), os.fsencode(path))
        )

    def words_read(self, path: Path, rev: int, digests: Digests | None = None) -> None:
        """The words of a note that a person changed are known, as of the revision `rev` of the note. `digests`: of all that
        stands there, if there is nothing else of theirs in it; without them, those of a version of theirs are nobody's.
        """
        self._db.execute(
            f"UPDATE artifacts SET state = 'edited', rev = ?, {NOT_OURS},"
            " words_rev = (SELECT words_rev FROM recordings WHERE id = artifacts.recording_id) WHERE path = ?",
            (rev, os.fsencode(path)),
        )
        if digests is not None:
            self._db.execute(
                "UPDATE artifacts SET sha256 = ?, plain_sha256 = ?, words_sha256 = ?, names = ?, next_sha256 = NULL,"
                " mergeable = 1 WHERE path = ?",
                (
                    digests.sha256, digests.plain_sha256, digests.words_sha256, json.dumps(digests.names),
                    os.fsencode(path),
                ),
            )  # fmt: skip

    def older_words_read(self, path: Path) -> None:
        """The words of a note that a person changed are known, and it is of older ones than those of now."""
        self._db.execute(
            f"UPDATE artifacts SET state = 'edited', {NOT_OURS} WHERE path = ?", (os.fsencode(path),)
        )

    def stands_as(self, path: Path, rev: int) -> None:
        """A note that a person changed is to stay the only one of its kind for this revision, too."""
        self._db.execute(
            "UPDATE artifacts SET state = 'edited', rev = ? WHERE path = ?", (rev, os.fsencode(path))
        )

    def not_removed(self, place: Place, kind: Kind, form: str) -> None:
        """A note that its owner removed is there again."""
        self._db.execute(
            "DELETE FROM removed WHERE place = ? AND recording_id = ? AND kind = ? AND form = ?",
            (os.fsencode(place.path), place.recording_id, kind, form),
        )

    def stay_removed(self, recording_id: str) -> None:
        """What its owner removed of a recording's notes, or a rule took, is not written again until a person asks for it,
        whatever later revision there is.
        """
        self._db.execute("UPDATE removed SET rev = ? WHERE recording_id = ?", (FOR_EVER, recording_id))
        self._db.execute(
            "INSERT OR REPLACE INTO removed SELECT place, recording_id, kind, form, ? FROM artifacts a"
            " WHERE recording_id = ? AND state = 'trashed' AND NOT EXISTS (SELECT 1 FROM artifacts o WHERE o.place = a.place"
            " AND o.recording_id = a.recording_id AND o.kind = a.kind AND o.form = a.form"
            " AND o.state IN ('here', 'edited', 'writing'))",
            (FOR_EVER, recording_id),
        )

    def want_again(self, recording_id: str, kinds: Iterable[Kind]) -> None:
        """A person asks for notes of these kinds: one that they removed before is written again."""
        for kind in kinds:
            for table, where in (("removed", ""), ("artifacts", " AND state = 'gone'")):
                self._db.execute(
                    f"DELETE FROM {table} WHERE recording_id = ? AND kind = ?{where}", (recording_id, kind)
                )

    def removed_rev(self, place: Place, kind: Kind, form: str) -> int | None:
        """The revision of a note that its owner removed; None if they did not."""
        row = self._db.one(
            "SELECT rev FROM removed WHERE place = ? AND recording_id = ? AND kind = ? AND form = ?",
            (os.fsencode(place.path), place.recording_id, kind, form),
        )
        return row["rev"] if row else None

    def forget(self, path: Path) -> None:
        """Drop the row: the announced file never came to be, or is no longer ours to know of."""
        self._db.execute("DELETE FROM artifacts WHERE path = ?", (os.fsencode(path),))

    def move(self, old: Path, new: Path, sha256: str, lay_in: str) -> None:
        """The file itself was renamed, and has these bytes now. Whatever we knew of its new name is over: it was free."""
        if new != old:
            self._remember_taken(new)
            self.forget(new)
        self._db.execute(
            "UPDATE artifacts SET path = ?, sha256 = ?, lay_in = ? WHERE path = ?",
            (os.fsencode(new), sha256, lay_in, os.fsencode(old)),
        )

    def exchange(self, one: Path, other: Path) -> None:
        """What is known of two notes is true of each other's paths. Call in a transaction."""
        a, b = os.fsencode(one), os.fsencode(other)
        for old, new in ((a, b"\0"), (b, a), (b"\0", b)):  # between the two it has a path that is nobody's
            self._db.execute("UPDATE artifacts SET path = ? WHERE path = ?", (new, old))

    def _remember_taken(self, path: Path) -> None:
        """A note that a rule took is not to be written again, whatever gets the name that it had."""
        self._db.execute(
            "INSERT OR REPLACE INTO removed SELECT place, recording_id, kind, form, rev FROM artifacts"
            " WHERE path = ? AND state = 'trashed'",
            (os.fsencode(path),),
        )
