"""Asking the disk about one file: is it still what the ledger knows, and does anything near it say "keep"?"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from earmark.domain import Kind
from earmark.ledger import Identity, Ledger
from earmark.messages import unpack_path
from earmark.retention import quality
from earmark.retention.plan import Decision

HOLD_MARKER = ".earmark-hold"
"""A file of this name holds everything in its folder and below."""

Frontmatter = Callable[[str], Mapping[str, Any] | None]
"""Reads the properties on top of a note's text (`earmark.notes.frontmatter.read_frontmatter`)."""

HEAD = 64 * 1024
"""Bytes of a note that are read for its frontmatter."""

_CHUNK = 1 << 20
_ID = re.compile(rb"\b[0-9a-f]{64}\b")


def hash_of(path: Path) -> tuple[str, Identity]:
    """SHA-256 of a file and the identity it had while it was read. Follows no symlink. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(f"{path}: not a regular file")
        digest = hashlib.sha256()
        while chunk := os.read(fd, _CHUNK):
            digest.update(chunk)
        return digest.hexdigest(), Identity.of(os.fstat(fd))
    finally:
        os.close(fd)


def held_by_folder(path: Path, top: Path) -> Path | None:
    """The hold marker in the file's folder or one above it, up to the drop folder `top`."""
    folder = path.parent
    while True:
        marker = folder / HOLD_MARKER
        if os.path.lexists(marker):
            return marker
        if folder in (top, folder.parent) or not folder.is_relative_to(top):
            return None
        folder = folder.parent


def symlink_on_the_way(path: Path, top: Path) -> Path | None:
    """The first symlink from the drop folder down to the file, both included."""
    steps = [path]
    while steps[-1] != top and steps[-1].parent != steps[-1] and steps[-1].is_relative_to(top):
        steps.append(steps[-1].parent)
    return next((step for step in reversed(steps) if step.is_symlink()), None)


@dataclass(frozen=True, slots=True)
class NoteMarks:
    """What a note's frontmatter says about keeping."""

    keep: bool
    tags: tuple[str, ...]


def marks_of(path: Path, frontmatter: Frontmatter, keep_keys: frozenset[str]) -> NoteMarks:
    """Read a note's `keep` and `tags`. A note that cannot be understood asks to be kept. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    try:
        found = frontmatter(head.decode("utf-8", "replace")) or {}
    except Exception:
        # Whatever the reader trips over, the safe reading of a note is that it says "keep".
        return NoteMarks(True, ())
    keep = any(_true(v) for k, v in found.items() if str(k).lower() in keep_keys)
    tags = found.get("tags") or ()
    if isinstance(tags, str):
        tags = tags.replace(",", " ").split()
    return NoteMarks(keep, tuple(sorted({str(t).lstrip("#") for t in tags if t})))


def _true(value: object) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in ("true", "yes", "on", "1")
    return value is True or value == 1


class Inspector:
    """Looks at files that are about to go. One per plan: what it learns of a recording it does not ask twice."""

    def __init__(
        self,
        ledger: Ledger,
        frontmatter: Frontmatter,
        keep_keys: frozenset[str] = frozenset({"keep"}),
        *,
        remember: bool = True,
        thorough: bool = True,
    ) -> None:
        self._ledger = ledger
        self._frontmatter = frontmatter
        self._keep_keys = keep_keys
        self._remember = remember
        self._thorough = thorough
        self._holds: dict[str, str | None] = {}
        self._gates: dict[str, str | None] = {}
        self._links: dict[tuple[Path, Path], Path | None] = {}
        self._kept_notes: dict[Path, dict[str, Path]] = {}
        self._erasing = {
            unpack_path(p)
            for r in ledger.db.all("SELECT files FROM erasures")
            for p in json.loads(r["files"])
        }

    def __call__(self, decision: Decision) -> str | None:
        """A reason to keep the file, or None; fills in its size."""
        item = decision.item
        if item.path in self._erasing:
            return "it is being erased"
        try:
            found = item.path.lstat()
        except FileNotFoundError:
            return "it is not there" if item.folder.is_dir() else "its drop folder is not there"
        except OSError as error:
            return f"it cannot be looked at: {error.strerror}"
        item.size = found.st_size
        link = self._link(item.path, item.folder)
        if link is not None:
            return f"{link} is a symlink; what is behind one is never deleted"
        if not stat.S_ISREG(found.st_mode):
            return "it is not a regular file"
        if item.identity is not None and item.identity != Identity.of(found):
            return "it has changed since it was transcribed"
        return (
            self.hold_on(item.recording_id, item.path, item.folder)
            or self._changed(decision)
            or self._gate(decision)
        )

    def hold_on(self, recording_id: str, path: Path, folder: Path) -> str | None:
        """Why nothing of this file may be deleted by a rule: a folder's marker, a note's `keep: true`, a hold."""
        marker = held_by_folder(path, folder)
        if marker is not None:
            return f"held by {marker}"
        if recording_id not in self._holds:
            self._holds[recording_id] = self._hold_of(recording_id)
        return self._holds[recording_id]

    def _hold_of(self, recording_id: str) -> str | None:
        why = self._ledger.retention.held(recording_id)
        if why is not None:
            return f"held{': ' + why if why else ''}"
        for artifact in self._ledger.artifacts.of_recording(recording_id):
            if artifact.form != "md" or artifact.state == "trashed":
                continue
            try:
                if marks_of(artifact.path, self._frontmatter, self._keep_keys).keep:
                    return f"held by `keep: true` in {artifact.path.name}"
            except FileNotFoundError:
                # Renamed or moved by its owner, perhaps with a hold in it; a note says whose it is.
                for place in self._ledger.places.of(recording_id):
                    stray = self._strays(place.folder).get(recording_id)
                    if stray is not None:
                        return f"held by `keep: true` in {stray.name}"
            except OSError as error:
                return f"{artifact.path.name} cannot be read for a hold: {error.strerror}"
        return None

    def _strays(self, folder: Path) -> dict[str, Path]:
        """Notes anywhere in a drop folder that ask to be kept, by the recording that they name."""
        if folder not in self._kept_notes:
            found: dict[str, Path] = {}
            for note in folder.rglob("*.md"):
                try:
                    with note.open("rb") as file:
                        ids = _ID.findall(file.read(HEAD))
                    if ids and marks_of(note, self._frontmatter, self._keep_keys).keep:
                        found.update({match.decode(): note for match in ids})
                except OSError:
                    continue
            self._kept_notes[folder] = found
        return self._kept_notes[folder]

    def _link(self, path: Path, folder: Path) -> Path | None:
        if path.is_symlink():
            return path
        key = (path.parent, folder)
        if key not in self._links:
            self._links[key] = symlink_on_the_way(path.parent, folder)
        return self._links[key]

    def _changed(self, decision: Decision) -> str | None:
        item = decision.item
        if item.identity is not None and not self._thorough:
            return None
        try:
            digest, identity = hash_of(item.path)
        except OSError as error:
            return f"it cannot be read: {error.strerror or error}"
        if digest != item.sha256:
            return (
                "edited by you" if item.kind is not Kind.AUDIO else "its content is not what was transcribed"
            )
        item.identity = identity
        return None

    def _gate(self, decision: Decision) -> str | None:
        """Audio of a transcribed recording goes only if the transcript can stand in for it."""
        item = decision.item
        if item.kind is not Kind.AUDIO or item.failed:
            return None
        if item.recording_id not in self._gates:
            self._gates[item.recording_id] = self.gate_of(item.recording_id)
        return self._gates[item.recording_id]

    def gate_of(self, recording_id: str) -> str | None:
        """Why the quality gate keeps this recording's audio, or None. A person's word opens it."""
        retention = self._ledger.retention
        recording = self._ledger.places.recording(recording_id)
        if recording is None:
            return "not in the ledger"
        verdict = retention.judged(recording_id, recording.transcript_rev, quality.GATE)
        if verdict is None:
            transcript = self._ledger.words.transcript(recording_id)
            if transcript is None:
                return "quality gate: its transcript is not in the ledger any more"
            verdict = "\n".join(quality.failings(transcript))
            if self._remember:
                retention.judge(recording_id, recording.transcript_rev, quality.GATE, verdict)
        if retention.quality_accepted(recording_id, recording.transcript_rev):
            return None
        if verdict:
            return "quality gate: " + "; ".join(verdict.splitlines())
        return (
            None
            if self._note_stands(recording_id)
            else "quality gate: no transcript note as we wrote it is on disk"
        )

    def _note_stands(self, recording_id: str) -> bool:
        """A transcript is on disk with the hash that we wrote, or was let go by its own rule."""
        for artifact in self._ledger.artifacts.of_recording(recording_id):
            if artifact.form != "md" or not self._holds_words(artifact.kind, recording_id):
                continue
            if artifact.state == "trashed":
                return True
            if artifact.state != "here":
                continue
            try:
                if hash_of(artifact.path)[0] == artifact.sha256:
                    return True
            except OSError:
                continue
        return False

    def _holds_words(self, kind: Kind, recording_id: str) -> bool:
        """The transcript note; in the one-file layout the summary's note holds the transcript too."""
        if kind is Kind.TRANSCRIPT:
            return True
        kinds = {a.kind for a in self._ledger.artifacts.of_recording(recording_id) if a.form == "md"}
        return kind is Kind.SUMMARY and Kind.TRANSCRIPT not in kinds
