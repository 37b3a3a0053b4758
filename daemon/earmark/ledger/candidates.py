"""Every file that a rule could take, with what the ledger knows of it; streamed, because a ledger may hold millions."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from earmark.domain import Instant, Kind
from earmark.files import Identity
from earmark.ledger.connection import Connection


@dataclass(slots=True)
class Candidate:
    """One file that a rule could take, with everything the ledger knows of it. Nothing here was read from the disk.

    `done_at` is when all outputs of its recording were on disk (of a draft without any file: when the last went);
    `dated` is the recording's one date, which orders "newest". `identity` and a non-zero `size` are known for audio only;
    `sha256` is of the bytes that the file must still have. `unfinished` is a plain reason or "". `failed` is true if
    transcription gave up on it, at `failed_at`. `held`: why a person holds the recording, or None. `watched`: its drop
    folder still is.
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
    item_rule: str | None
    watched: bool = True
    tags: tuple[str, ...] = ()

    # Made when asked for: of a million files a plan names few.
    @property
    def path(self) -> Path:
        return Path(os.fsdecode(self.raw_path))

    @property
    def place(self) -> Path:
        return Path(os.fsdecode(self.raw_place))


_DRAFT_ALONE_SINCE = """
    CASE WHEN d.recording_id IS NOT NULL AND d.kept = '' AND t.state = 'waiting' AND r.summary_rev > 0 AND NOT EXISTS (
        SELECT 1 FROM places q WHERE q.recording_id = r.id AND q.gone_at IS NULL
    ) THEN (SELECT max(q.gone_at) FROM places q WHERE q.recording_id = r.id) END
"""
"""When the last file went of a recording whose draft cannot be replaced any more: its clock starts then, unless a file of it
comes back."""

# Everything about a recording is joined through the recording, never through a path that another one may have taken.
# Jobs are looked up through their unique index.
_FACTS = f"""
    r.recorded_at AS dated, r.done_at AS done_at, {_DRAFT_ALONE_SINCE} AS alone_since,
    h.why AS held, i.body AS item_rule, t.state AS t_state,
    t.changed_at AS t_changed, d.kept = '' AS draft, v.state AS v_state, s.state AS s_state, p.watched AS watched,
    (p.transcript_rev < r.transcript_rev OR p.summary_rev < r.summary_rev)
        AND (p.gone_at IS NULL OR p.gone_why = 'trashed') AS behind,
    p.folder AS folder
"""
_JOINS = """
    LEFT JOIN holds h ON h.recording_id = {id}
    LEFT JOIN jobs t ON t.recording_id = {id} AND t.stage = 'transcribe'
    LEFT JOIN drafts d ON d.recording_id = {id}
    LEFT JOIN jobs v ON v.recording_id = {id} AND v.stage = 'diarize'
    LEFT JOIN jobs s ON s.recording_id = {id} AND s.stage = 'summarize'
    LEFT JOIN item_rules i ON i.recording_id = {id}
        AND i.kind = CASE WHEN :kind = 'audio' AND t.state = 'failed' THEN 'failed' ELSE :kind END
"""
_OF_ONE = _JOINS.format(id="r.id")
_OF_ALL = f"""
    LEFT JOIN (
        SELECT recording_id FROM holds UNION SELECT recording_id FROM item_rules UNION SELECT recording_id FROM drafts
        UNION SELECT recording_id FROM jobs WHERE stage IN ('transcribe', 'diarize', 'summarize')
            AND state IN ('waiting', 'claimed', 'parked', 'failed')
    ) x ON x.recording_id = r.id {_JOINS.format(id="x.recording_id")}
"""
"""Of a recording of which no more is known than that all its jobs are done, nothing is looked up: of a million files that is
most of the time.
"""

_AUDIO = f"""
    SELECT p.path AS path, p.path AS place, r.id AS recording_id, r.id AS sha256, p.size AS size,
        p.mtime_ns AS mtime_ns, p.inode AS inode, p.device AS device, 'here' AS state, {_FACTS}
    FROM places p JOIN recordings r ON r.id = p.recording_id {{joins}}
    WHERE p.gone_at IS NULL
"""
_WRITTEN = f"""
    SELECT f.path AS path, f.place AS place, r.id AS recording_id, f.sha256 AS sha256,
        0 AS size, 0 AS mtime_ns, 0 AS inode, 0 AS device, f.state AS state, {_FACTS}
    FROM artifacts f JOIN recordings r ON r.id = f.recording_id
    JOIN places p ON p.path = f.place AND p.recording_id = f.recording_id {{joins}}
    WHERE f.kind = :kind AND f.state IN ('here', 'writing', 'edited')
"""
_ORDER = " ORDER BY p.folder, r.recorded_at DESC, r.id, path"
FAILED = "failed"
"""The class of recordings that could not be transcribed."""

BETTER_OWED = "it waits for its better transcription"
"""Why nothing of a recording whose transcript is a draft goes, while a file of it is here to be heard again."""

CLASSES = (*(kind.value for kind in Kind), FAILED)
"""What a rule for files can be given for."""


def stream(db: Connection, kind: Kind, tags: frozenset[str] = frozenset()) -> Iterator[Candidate]:
    """All files of a kind: folder by folder, newest recording first. `tags`: those of notes that matter."""
    cursor = db.execute(_query(kind, _OF_ALL) + _ORDER, {"kind": kind.value})
    of_notes = _tags_of_notes(db, tags) if tags else {}
    cursor.row_factory = None  # a tuple each: of a million rows every look-up by name shows
    folders: dict[bytes, Path] = {}
    for row in cursor:
        raw = row[-1]
        if raw not in folders:
            folders[raw] = Path(os.fsdecode(raw))
        yield _candidate(row, kind, folders[raw], of_notes.get(row[2], ()) if of_notes else ())


def single(
    db: Connection, kind: Kind, path: Path, recording_id: str, tags: frozenset[str] = frozenset()
) -> Candidate | None:
    """What the ledger knows at this moment of one file of a recording; None if it is no candidate (any more)."""
    where = f" AND {'p' if kind is Kind.AUDIO else 'f'}.path = :path AND r.id = :recording"
    row = db.one(
        _query(kind, _OF_ONE) + where,
        {"kind": kind.value, "path": os.fsencode(path), "recording": recording_id},
    )
    if row is None:
        return None
    of_notes = _tags_of_notes(db, tags, recording_id) if tags else {}
    return _candidate(tuple(row), kind, Path(os.fsdecode(row["folder"])), of_notes.get(recording_id, ()))


def _query(kind: Kind, joins: str) -> str:
    return (_AUDIO if kind is Kind.AUDIO else _WRITTEN).format(joins=joins)


def _tags_of_notes(
    db: Connection, wanted: frozenset[str], recording_id: str | None = None
) -> dict[str, tuple[str, ...]]:
    """By recording, which of the wanted tags its notes have."""
    found: dict[str, set[str]] = {}
    only = "" if recording_id is None else " WHERE recording_id = :recording"
    query = (
        "SELECT recording_id, tags FROM (SELECT recording_id, tags FROM notes_seen WHERE tags != '[]' UNION ALL"
        " SELECT f.recording_id, n.tags FROM notes_seen n JOIN formers f ON f.former = n.recording_id"
        f" WHERE n.tags != '[]'){only}"
    )
    for row in db.execute(query, {"recording": recording_id}):
        if tags := wanted.intersection(json.loads(row["tags"])):
            found.setdefault(row["recording_id"], set()).update(tags)
    return {key: tuple(sorted(value)) for key, value in found.items()}


def _unfinished(
    state: str, done_at: Instant | None, t_state: str | None, draft: int | None, v_state: str | None,
    s_state: str | None, behind: int, *, alone: bool,
) -> str:  # fmt: skip
    if draft and not alone:
        return BETTER_OWED
    if not alone and t_state in ("waiting", "claimed", "parked"):
        return "its transcription is not finished"
    if t_state == "done" and v_state in ("waiting", "claimed") and not alone:
        return "who says what in it is being found out"
    # Once all its notes were written, a summary that waits is only a better one, perhaps for ever (no server runs).
    if s_state == "claimed" or (s_state == "waiting" and done_at is None):
        return "its summary is not finished"
    if state == "writing":
        return "it is being written"
    if t_state == "failed":
        return ""
    if done_at is None and not alone:
        return "not all of its notes are written"
    return "its notes are behind" if behind else ""


def _candidate(row: tuple[Any, ...], kind: Kind, folder: Path, tags: tuple[str, ...]) -> Candidate:
    """`row`: the columns of the queries above, in their order."""
    (
        path, place, recording_id, sha256, size, mtime_ns, inode, device, state, dated, done_at, alone_since, held,
        item_rule, t_state, t_changed, draft, v_state, s_state, watched, behind, _,
    ) = row  # fmt: skip
    failed = t_state == "failed"
    alone = alone_since is not None
    return Candidate(
        kind,
        path,
        place,
        folder,
        recording_id,
        sha256,
        size,
        Identity(size, mtime_ns, inode, device) if kind is Kind.AUDIO else None,
        dated,
        alone_since if done_at is None else done_at,
        _unfinished(state, done_at, t_state, draft, v_state, s_state, behind, alone=alone),
        failed,
        t_changed if failed else None,
        held,
        item_rule,
        watched == 1,
        tags,
    )
