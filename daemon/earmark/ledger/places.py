"""The files that hold recordings, or held them: a place is one path with one content."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from earmark.domain import Gone, Instant, Owed
from earmark.files import Identity
from earmark.ledger.artifact import NOT_OURS
from earmark.ledger.connection import Connection, Row


@dataclass(frozen=True, slots=True)
class Place:
    """A file that holds (or held, if `gone_at`) a recording, and which revision of its notes is beside it.

    `owed`: why its notes are to be looked at again although no words changed. `watched`: its drop folder still is.
    """

    path: Path
    folder: Path
    recording_id: str
    identity: Identity
    accepted_at: Instant
    gone_at: Instant | None
    gone_why: Gone | None
    transcript_rev: int
    summary_rev: int
    owed: Owed
    not_before: Instant
    trouble: str | None
    watched: bool

    @property
    def here(self) -> bool:
        """True if the file held the recording when it was last looked at."""
        return self.gone_at is None


class Places:
    """Rows of `places`. At most one recording is at a path; those that were there before are kept as gone."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def identities(self, folder: Path) -> dict[bytes, Identity]:
        """Every file of a drop folder that is in the ledger and was there when last looked at."""
        rows = self._db.all(
            "SELECT path, size, mtime_ns, inode, device FROM places WHERE folder = ? AND gone_at IS NULL",
            (os.fsencode(folder),),
        )
        return {r["path"]: Identity(r["size"], r["mtime_ns"], r["inode"], r["device"]) for r in rows}

    def at(self, path: Path) -> Place | None:
        """What is at exactly this path, or what left it last."""
        row = self._db.one(
            "SELECT * FROM places WHERE path = ? ORDER BY gone_at IS NOT NULL, gone_at DESC LIMIT 1",
            (os.fsencode(path),),
        )
        return place_of(row) if row else None

    def get(self, path: Path, recording_id: str) -> Place | None:
        """This recording at this path, now or in the past."""
        row = self._db.one(
            "SELECT * FROM places WHERE path = ? AND recording_id = ?", (os.fsencode(path), recording_id)
        )
        return place_of(row) if row else None

    def of(self, recording_id: str) -> list[Place]:
        """Every place of a recording, those still there first."""
        rows = self._db.all(
            "SELECT * FROM places WHERE recording_id = ? ORDER BY gone_at IS NOT NULL, accepted_at, path",
            (recording_id,),
        )
        return [place_of(r) for r in rows]

    def all(self) -> list[Place]:
        return [place_of(r) for r in self._db.all("SELECT * FROM places ORDER BY accepted_at, path")]

    def by_folder(self) -> dict[str, set[str]]:
        """The recordings that are, or were, in each folder itself."""
        found: dict[str, set[str]] = {}
        for row in self._db.all("SELECT path, recording_id FROM places"):
            found.setdefault(os.fsdecode(os.path.dirname(row["path"])), set()).add(row["recording_id"])  # noqa: PTH120 - of 10,000
        return found

    def paths(self) -> list[str]:
        """Where recordings are, or were."""
        return [
            os.fsdecode(r["path"]) for r in self._db.all("SELECT path FROM places ORDER BY accepted_at, path")
        ]

    def files_of(self, folder: Path) -> Iterator[Path]:
        """The recordings of a drop folder, and their notes, where they were when they were last looked at."""
        for row in self._db.execute(
            "SELECT p.path AS recording, a.path AS note FROM places p LEFT JOIN artifacts a ON a.place = p.path"
            " AND a.recording_id = p.recording_id AND a.state IN ('here', 'edited') WHERE p.folder = ?",
            (os.fsencode(folder),),
        ):
            yield Path(os.fsdecode(row["recording"]))
            if row["note"] is not None:
                yield Path(os.fsdecode(row["note"]))

    def missed(self, least: int, most: int = 200) -> list[Place]:
        """Recordings of at least so many bytes whose file was not found where it was, the longest first."""
        rows = self._db.all(
            "SELECT * FROM (SELECT * FROM places WHERE gone_why = ? AND watched AND size >= ? ORDER BY gone_at DESC LIMIT ?)"
            " ORDER BY size DESC",
            (Gone.MISSING, least, most),
        )
        return [place_of(r) for r in rows]

    def folders(self) -> set[Path]:
        """Every drop folder that is watched and in which a recording is or was."""
        rows = self._db.all("SELECT DISTINCT folder FROM places WHERE watched")
        return {Path(os.fsdecode(row["folder"])) for row in rows}

    def put(self, path: Path, folder: Path, recording_id: str, identity: Identity, now: Instant) -> None:
        """The file at `path` holds this recording now; whatever it held before is replaced."""
        self._make_room(path, recording_id, now)
        self._db.execute(
            "INSERT INTO places (path, folder, recording_id, size, mtime_ns, inode, device, accepted_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (path, recording_id) DO UPDATE SET"
            " folder = excluded.folder, size = excluded.size, mtime_ns = excluded.mtime_ns, inode = excluded.inode,"
            " device = excluded.device, gone_at = NULL, gone_why = NULL, trouble = NULL, not_before = 0, watched = 1",
            (
                os.fsencode(path), os.fsencode(folder), recording_id, identity.size, identity.mtime_ns, identity.inode,
                identity.device, now,
            ),
        )  # fmt: skip

    def move(self, place: Place, new: Path, folder: Path, identity: Identity, now: Instant) -> None:
        """The file was renamed: same recording, other path; its artifacts go on belonging to it, and are owed."""
        self._make_room(new, place.recording_id, now)
        if new != place.path:
            self._db.execute(
                "DELETE FROM places WHERE path = ? AND recording_id = ?",
                (os.fsencode(new), place.recording_id),
            )
        self._db.execute(
            "UPDATE places SET path = ?, folder = ?, size = ?, mtime_ns = ?, inode = ?, device = ?, gone_at = NULL,"
            " gone_why = NULL, owed = ?, not_before = 0, watched = 1 WHERE path = ? AND recording_id = ?",
            (
                os.fsencode(new), os.fsencode(folder), identity.size, identity.mtime_ns, identity.inode,
                identity.device, Owed.RENAMED, os.fsencode(place.path), place.recording_id,
            ),
        )  # fmt: skip
        self.notes_belong_to(place.path, place.recording_id, new)

    def notes_belong_to(self, former: Path, recording_id: str, new: Path) -> None:
        """The notes of this recording at `former`, those that were removed included, belong to its file at `new` now."""
        for table in ("artifacts", "removed"):
            self._db.execute(
                f"UPDATE OR REPLACE {table} SET place = ? WHERE place = ? AND recording_id = ?",
                (os.fsencode(new), os.fsencode(former), recording_id),
            )

    def continued(self, former: Place, recording_id: str) -> None:
        """The file goes on as another content: its notes belong to that one from now on, and are behind. What a person
        corrected in one is of the former: then nothing in it is known as ours any more.
        """
        path = os.fsencode(former.path)
        self._db.execute(
            f"UPDATE artifacts SET recording_id = ?, rev = 0, words_rev = -1, {NOT_OURS},"
            " next_sha256 = CASE WHEN mergeable THEN NULL ELSE next_sha256 END,"
            " state = CASE WHEN mergeable AND state = 'writing' THEN 'edited' ELSE state END"
            " WHERE place = ? AND recording_id = ?",
            (recording_id, path, former.recording_id),
        )
        self._db.execute(
            "UPDATE OR REPLACE removed SET recording_id = ? WHERE place = ? AND recording_id = ?",
            (recording_id, path, former.recording_id),
        )
        self._db.execute(
            "DELETE FROM places WHERE path = ? AND recording_id = ?", (path, former.recording_id)
        )

    def gone(self, path: Path, recording_id: str, now: Instant, why: Gone) -> None:
        """The file does not hold the recording any more. Its notes stay; the recording stays known."""
        self._db.execute(
            "UPDATE places SET gone_at = coalesce(gone_at, ?), gone_why = ? WHERE path = ? AND recording_id = ?",
            (now, why, os.fsencode(path), recording_id),
        )

    def back(self, path: Path, recording_id: str, now: Instant) -> None:
        """The recording's file is in its place again; a file that took the path meanwhile is replaced."""
        self._make_room(path, recording_id, now)
        self._db.execute(
            "UPDATE places SET gone_at = NULL, gone_why = NULL WHERE path = ? AND recording_id = ?",
            (os.fsencode(path), recording_id),
        )

    def watch(self, folders: Iterable[Path]) -> None:
        """These drop folders are watched from now on, and no others: nothing is written, heard or taken elsewhere."""
        wanted = [os.fsencode(folder) for folder in folders]
        marks = ", ".join("?" for _ in wanted)
        self._db.execute(
            f"UPDATE places SET watched = folder IN ({marks}) WHERE watched != (folder IN ({marks}))",
            (*wanted, *wanted),
        )
        # A folder in a drop folder that is one of its own now has its recordings, which never were anywhere else.
        for folder in sorted(wanted, key=len):
            prefix = folder.rstrip(b"/") + b"/"
            self._db.execute(
                "UPDATE places SET folder = ?, watched = 1 WHERE substr(path, 1, ?) = ? AND length(folder) < ?"
                " AND substr(?, 1, length(folder)) = folder",
                (folder, len(prefix), prefix, len(folder), folder),
            )

    def owe(self, path: Path, recording_id: str, why: Owed) -> None:
        """The notes of this place are to be looked at again."""
        self._db.execute(
            "UPDATE places SET owed = ? WHERE path = ? AND recording_id = ?",
            (why, os.fsencode(path), recording_id),
        )

    def owe_recording(self, recording_id: str, why: Owed) -> None:
        """The same for every place of a recording where its file is, unless something is owed there already."""
        self._db.execute(
            "UPDATE places SET owed = ? WHERE recording_id = ? AND gone_at IS NULL AND owed = ''",
            (why, recording_id),
        )

    def owe_all(self, why: Owed) -> None:
        """The same for every place where a file is."""
        self._db.execute("UPDATE places SET owed = ? WHERE gone_at IS NULL AND owed = ''", (why,))

    def owed(self, now: Instant, limit: int = -1, but: Iterable[Path] = ()) -> list[Place]:
        """Places whose notes on disk are behind what is known, or owed for another reason, and may be tried now. `but`: not
        in these drop folders, nor where a note of theirs lies in one.

        A `not_before` more than a day ahead was set under another clock and does not count.
        """
        left_out = [os.fsencode(folder) for folder in but]
        nowhere = "".join(
            " AND p.folder != ? AND NOT EXISTS (SELECT 1 FROM artifacts a WHERE a.place = p.path"
            " AND a.recording_id = p.recording_id AND substr(a.path, 1, ?) = ?)"
            for _ in left_out
        )
        values = [v for f in left_out for v in (f, len(f) + 1, f.rstrip(b"/") + b"/")]
        rows = self._db.all(
            "SELECT p.* FROM places p JOIN recordings r ON r.id = p.recording_id WHERE p.to_write = 1 AND p.watched"
            " AND (p.owed != ''"
            " OR ((p.transcript_rev < r.transcript_rev OR p.summary_rev < r.summary_rev)"
            " AND (p.gone_at IS NULL OR p.gone_why = 'trashed')))"
            f" AND (p.not_before <= ? OR p.not_before > ? + 86400){nowhere}"
            " ORDER BY p.owed != 'replaced', p.accepted_at LIMIT ?",
            (now, now, *values, limit),
        )
        return [place_of(r) for r in rows]

    def owed_for(self, why: Owed, limit: int) -> list[Place]:
        """Places of which the notes are owed for this reason, as many as `limit`."""
        rows = self._db.all(
            "SELECT * FROM places WHERE owed = ? AND gone_at IS NULL AND watched ORDER BY accepted_at LIMIT ?",
            (why, limit),
        )
        return [place_of(r) for r in rows]

    def next_due(self, now: Instant) -> Instant | None:
        """The earliest future `not_before` of a place whose notes could not be written."""
        row = self._db.one(
            "SELECT min(not_before) AS t FROM places WHERE not_before > 0 AND not_before > ? AND watched",
            (now,),
        )
        return row["t"] if row else None

    def held_up(self, now: Instant) -> list[Place]:
        """Places whose notes could not be written and wait for another try."""
        rows = self._db.all(
            "SELECT * FROM places WHERE not_before > 0 AND not_before > ? AND trouble IS NOT NULL AND watched",
            (now,),
        )
        return [place_of(r) for r in rows]

    def any_troubled(self, folder: Path) -> bool:
        """True if notes are owed in this folder that could not be written."""
        held_up = self._db.all(
            "SELECT path FROM places WHERE trouble IS NOT NULL AND watched"
            " AND (gone_at IS NULL OR gone_why = 'trashed' OR owed != '')"
        )
        return any(os.path.dirname(row["path"]) == os.fsencode(folder) for row in held_up)  # noqa: PTH120 - bytes

    def caught_up(self, place: Place, transcript_rev: int, summary_rev: int) -> None:
        """The notes of these revisions are on disk, and nothing else is owed."""
        self._db.execute(
            "UPDATE places SET transcript_rev = ?, summary_rev = ?, owed = '', trouble = NULL, not_before = 0"
            " WHERE path = ? AND recording_id = ?",
            (transcript_rev, summary_rev, os.fsencode(place.path), place.recording_id),
        )

    def try_all_now(self) -> None:
        """Whatever is owed is tried at once, however long it was to wait."""
        self._db.execute("UPDATE places SET not_before = 0 WHERE not_before > 0")

    def not_written(self, place: Place, sentence: str | None, not_before: Instant) -> None:
        """The notes could not be written; try again from `not_before` on. `sentence` None: it is no trouble."""
        self._db.execute(
            "UPDATE places SET trouble = coalesce(?, trouble), not_before = ? WHERE path = ? AND recording_id = ?",
            (sentence, not_before, os.fsencode(place.path), place.recording_id),
        )

    def try_now(self, recording_id: str) -> None:
        """Whatever its notes were waiting for, a person wants them written now."""
        self._db.execute("UPDATE places SET not_before = 0 WHERE recording_id = ?", (recording_id,))

    def _make_room(self, path: Path, recording_id: str, now: Instant) -> None:
        """Whatever else was at this path is there no longer, and its notes have to make room."""
        self._db.execute(
            "UPDATE places SET gone_at = coalesce(gone_at, ?), gone_why = ?, owed = ? WHERE path = ? AND recording_id != ?"
            " AND (gone_at IS NULL OR gone_why = ?)",
            (now, Gone.REPLACED, Owed.REPLACED, os.fsencode(path), recording_id, Gone.MISSING),
        )


def place_of(row: Row) -> Place:
    return Place(
        path=Path(os.fsdecode(row["path"])),
        folder=Path(os.fsdecode(row["folder"])),
        recording_id=row["recording_id"],
        identity=Identity(row["size"], row["mtime_ns"], row["inode"], row["device"]),
        accepted_at=row["accepted_at"],
        gone_at=row["gone_at"],
        gone_why=Gone(row["gone_why"]) if row["gone_why"] else None,
        transcript_rev=row["transcript_rev"],
        summary_rev=row["summary_rev"],
        owed=Owed(row["owed"]),
        not_before=row["not_before"],
        trouble=row["trouble"],
        watched=bool(row["watched"]),
    )
