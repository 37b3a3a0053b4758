"""Every file that a rule could take, with what the ledger knows of it; streamed, because a ledger may hold millions."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from earmark.domain import Instant, Kind
from earmark.ledger.connection import Connection, Row
from earmark.ledger.places import Identity


@dataclass(slots=True)
class Candidate:
    """One file that a rule could take, with everything the ledger knows of it. Nothing here was read from the disk.

    `done_at` is when all outputs of its recording were on disk; `dated` is the recording's own date (file time), which
    orders "newest". `identity` and a non-zero `size` are known for audio only; `sha256` is of the bytes that the file
    must still have. `unfinished` is a plain reason or "". `failed` is true if transcription gave up on it, at
    `failed_at`. `policy` is the row of `policies` under which the recording was accepted.
    """

    kind: Kind
    raw_path: bytes
    raw_place: bytes
    folder: Path
    recording_id: str
    sha256: str
    size: int
    identity: Identity | None
    dated: Instant
    done_at: Instant | None
    unfinished: str
    failed: bool
    failed_at: Instant | None
    held: str | None
    policy: int | None
    item_rule: str | None
    tags: tuple[str, ...] = ()

    # Made when asked for: of a million files a plan names few.
    @property
    def path(self) -> Path:
        return Path(os.fsdecode(self.raw_path))

    @property
    def place(self) -> Path:
        return Path(os.fsdecode(self.raw_place))


# The facts of a recording that are the same for each of its files. Jobs are looked up through their unique index.
_RECORDING = """
    r.media_time AS dated, r.done_at AS done_at, h.why AS held, a.policy_id AS policy, i.body AS item_rule,
    t.state AS t_state, t.changed_at AS t_changed, s.state AS s_state,
    p.transcript_rev < r.transcript_rev OR p.summary_rev < r.summary_rev AS behind, p.folder AS folder
"""
_JOINS = """
    JOIN recordings r ON r.id = p.recording_id
    LEFT JOIN holds h ON h.recording_id = r.id
    LEFT JOIN accepted_under a ON a.recording_id = r.id
    LEFT JOIN jobs t ON t.recording_id = r.id AND t.stage = 'transcribe'
    LEFT JOIN jobs s ON s.recording_id = r.id AND s.stage = 'summarize'
"""
_AUDIO = f"""
    SELECT p.path AS path, p.path AS place, p.recording_id AS recording_id,
        p.recording_id AS sha256, p.size AS size, p.mtime_ns AS mtime_ns, p.inode AS inode, p.device AS device,
        'here' AS state, {_RECORDING}
    FROM places p {_JOINS}
    LEFT JOIN item_rules i ON i.recording_id = r.id AND i.kind = 'audio'
    WHERE p.gone_at IS NULL ORDER BY p.folder, r.media_time DESC, p.path
"""
_WRITTEN = f"""
    SELECT f.path AS path, f.place AS place, f.recording_id AS recording_id, f.sha256 AS sha256,
        0 AS size, 0 AS mtime_ns, 0 AS inode, 0 AS device, f.state AS state, {_RECORDING}
    FROM artifacts f JOIN places p ON p.path = f.place {_JOINS}
    LEFT JOIN item_rules i ON i.recording_id = r.id AND i.kind = f.kind
    WHERE f.kind = ? AND f.state IN ('here', 'writing', 'edited') ORDER BY p.folder, r.media_time DESC, f.path
"""


def stream(db: Connection, kind: Kind) -> Iterator[Candidate]:
    """All files of a kind: folder by folder, newest recording first."""
    cursor = db.execute(_AUDIO) if kind is Kind.AUDIO else db.execute(_WRITTEN, (kind,))
    tags = _tags_of_notes(db)
    folders: dict[bytes, Path] = {}
    for row in cursor:
        raw = row["folder"]
        if raw not in folders:
            folders[raw] = Path(os.fsdecode(raw))
        yield _candidate(row, kind, folders[raw], tags)


def _tags_of_notes(db: Connection) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for row in db.execute("SELECT recording_id, tags FROM note_marks WHERE tags != '[]'"):
        found.setdefault(row["recording_id"], set()).update(json.loads(row["tags"]))
    return {key: tuple(sorted(value)) for key, value in found.items()}


def _unfinished(row: Row) -> str:
    if row["t_state"] in ("waiting", "claimed", "parked"):
        return "its transcription is not finished"
    # Once all its notes were written, a summary that waits is only a better one, perhaps for ever (no server runs).
    if row["s_state"] == "claimed" or (row["s_state"] == "waiting" and row["done_at"] is None):
        return "its summary is not finished"
    if row["state"] == "writing":
        return "it is being written"
    if row["t_state"] == "failed":
        return ""
    if row["done_at"] is None:
        return "not all of its notes are written"
    return "its notes are behind" if row["behind"] else ""


def _candidate(row: Row, kind: Kind, folder: Path, tags: dict[str, tuple[str, ...]]) -> Candidate:
    audio = kind is Kind.AUDIO
    failed = row["t_state"] == "failed"
    return Candidate(
        kind=kind,
        raw_path=row["path"],
        raw_place=row["place"],
        folder=folder,
        recording_id=row["recording_id"],
        sha256=row["sha256"],
        size=row["size"],
        identity=Identity(row["size"], row["mtime_ns"], row["inode"], row["device"]) if audio else None,
        dated=row["dated"],
        done_at=row["done_at"],
        unfinished=_unfinished(row),
        failed=failed,
        failed_at=row["t_changed"] if failed else None,
        held=row["held"],
        policy=row["policy"],
        item_rule=row["item_rule"],
        tags=tags.get(row["recording_id"], ()),
    )
