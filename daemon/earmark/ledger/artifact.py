"""One file that we wrote, as the ledger knows it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from earmark.domain import ArtifactState, Instant, Kind
from earmark.ledger.connection import Row

SUMMARY_COUNTS = 1_000_000
"""What a revision of the summary counts in a note's, so that notes of both layouts are on one scale: a later summary is
always news, and a later transcript where the note holds both."""


NOT_OURS = (
    "sha256 = CASE WHEN mergeable THEN '' ELSE sha256 END,"
    " plain_sha256 = CASE WHEN mergeable THEN NULL ELSE plain_sha256 END,"
    " words_sha256 = CASE WHEN mergeable THEN NULL ELSE words_sha256 END, mergeable = 0"
)
"""Assignments in SQL by which a note's version that was a person's is nothing any more that may be replaced."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A note or sidecar of the recording at `place`. `sha256` is of the bytes that we last know to be on disk,
    `next_sha256` of those being written; `plain_sha256` and `words_sha256` are of the text that we wrote, without the
    targets of its links and without its frontmatter (notes/comparing.py; None for sidecars and where nobody knows), with
    a second digest behind each where it names speakers. `names` are those that stand in its list of speakers, as we wrote it
    or as they were read last; None where nobody knows.
    `words_rev`: of which words of its recording it was written or read last (`Words.revision`); -1 where nobody knows.
    `mergeable`: a person changed it, and `sha256` is of their version, in which all that they changed is known (words that
    they corrected, properties): a later one with that in it may take its place. `top`: its properties as we wrote them; ""
    where nobody knows.
    `lay_in`: what its folder is (files/handles.py), as of when it was last written or moved there; "" where nobody knows.
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
    plain_sha256: str | None
    words_sha256: str | None
    state: ArtifactState
    written_at: Instant
    lay_in: str
    names: tuple[str, ...] | None = None
    words_rev: int = -1
    mergeable: bool = False
    top: str = ""

    @property
    def note(self) -> bool:
        """True for Markdown, false for a sidecar."""
        return self.form == "md"

    def has_bytes(self, sha256: str) -> bool:
        """True for those that we know to be on disk, or are writing."""
        return sha256 in (self.sha256, self.next_sha256)

    @property
    def named_as(self) -> Kind | str:
        """What its name is made for (notes/names.py): the kind of a note, the form of a sidecar."""
        return self.kind if self.note else self.form

    @property
    def on_disk(self) -> bool:
        """True if it was there when last looked at."""
        return self.state in (ArtifactState.HERE, ArtifactState.EDITED)


@dataclass(frozen=True, slots=True)
class Digests:
    """What is kept of a text that we wrote, to know it again: SHA-256 of its bytes, of it without link targets, and of
    its words; the names in its list of speakers, and its properties as we would write them.
    """

    sha256: str
    plain_sha256: str | None = None
    words_sha256: str | None = None
    names: tuple[str, ...] = ()
    top: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """A note and the recording beside which it was written, as bytes of their paths."""

    note: bytes
    place: bytes


@dataclass(frozen=True, slots=True)
class Written:
    """A note as far as it takes to see whether it may have been changed since it was written, or moved."""

    path: bytes
    recording_id: str
    at: Instant
    place: bytes
    kind: Kind


def artifact_of(row: Row) -> Artifact:
    """The artifact of a row of `artifacts`."""
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
        plain_sha256=row["plain_sha256"],
        words_sha256=row["words_sha256"],
        state=ArtifactState(row["state"]),
        written_at=row["written_at"],
        lay_in=row["lay_in"],
        names=_names(row["names"]),
        words_rev=row["words_rev"],
        mergeable=bool(row["mergeable"]),
        top=row["top"],
    )


def _names(kept: str | None) -> tuple[str, ...] | None:
    """None, too, where a damaged page was read that holds something else."""
    try:
        found = json.loads(kept) if kept is not None else None
    except ValueError:
        return None
    return tuple(map(str, found)) if isinstance(found, list) else None
