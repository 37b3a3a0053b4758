"""Every copy of a recording that can be reached: files in the drop folders, in the trash, in the state folder."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from earmark.domain import Kind
from earmark.ledger import Ledger
from earmark.retention.look import HEAD, hash_of

TEXT = frozenset((".md", ".txt", ".srt", ".vtt", ".json", ".tmp"))
"""Endings of what earmark writes, its temp files included."""

UNREACHABLE = (
    "backups, and versions kept by a sync service on another device or in the cloud",
    "snapshots of the file system (Time Machine, btrfs, ZFS, APFS), and what an SSD keeps in cells it has not erased yet",
    "the desktop's trash, if files were put there (trash_to = \"system\"), and the notes app's own history and cache",
    "text that you copied elsewhere, and links to the note in other notes",
    "what a summary server keeps of the requests it was sent (its own logs and caches)",
    "exports made with `earmark export`",
    "the system's journal and a terminal's scrollback, where the daemon names files (never words)",
)
"""What erasing cannot reach, said plainly each time."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One file. `what` in a word; `edited`: it holds words that are not ours; `recording_id`: whose copy it is.

    `audio`: it is the recording itself. `place`: for a note, the recording file that it was written for, if known.
    """

    path: Path
    what: str
    size: int
    edited: bool
    recording_id: str
    audio: bool = False
    place: Path | None = None


@dataclass(slots=True)
class Found:
    """All copies of some recordings, and files that stand where a copy was but are something else now."""

    copies: list[Copy] = field(default_factory=list)
    left: list[tuple[Path, str]] = field(default_factory=list)
    paths: set[Path] = field(default_factory=set)

    def of(self, recording_id: str) -> list[Copy]:
        return [copy for copy in self.copies if copy.recording_id == recording_id]

    def elsewhere(self, ledger: Ledger, named: Iterable[Path]) -> set[Path]:
        """Files that go only because a recording is its content: other audio than was named, and the notes of it.

        `named`: recordings or notes that a person said; where none of a recording was, its first audio stands for it.
        """
        said = {os.path.realpath(path) for path in named}
        for path in list(said):
            if (artifact := ledger.artifacts.at(Path(path))) is not None:
                said.add(os.path.realpath(artifact.place))
        by_recording: dict[str, list[Path]] = {}
        for copy in self.copies:
            if copy.audio:
                by_recording.setdefault(copy.recording_id, []).append(copy.path)
        also: set[Path] = set()
        for paths in by_recording.values():
            mine = [path for path in paths if os.path.realpath(path) in said] or paths[:1]
            also.update(path for path in paths if path not in mine)
        return also | {copy.path for copy in self.copies if copy.place in also}


def find(ledger: Ledger, recording_ids: Iterable[str], folders: Iterable[Path]) -> Found:
    """Look everywhere: what the ledger knows, then every file below the drop folders, hidden ones included.

    A note that was moved or renamed is known by the recording id in its frontmatter, a sidecar by its hash, a copy of the
    audio by its content. Symlinks are not followed. Reads, changes nothing.
    """
    wanted = set(recording_ids)
    found = Found()
    tops = set(folders)
    for recording_id in wanted:
        _from_ledger(ledger, recording_id, found)
        tops.update(place.folder for place in ledger.places.of(recording_id))
    away = "is not there; what it may hold of them stays, and is refused when it comes back"
    found.left += [(top, away) for top in sorted(tops) if not top.is_dir()]
    _strays(ledger, wanted, tops, found)
    return found


def _from_ledger(ledger: Ledger, recording_id: str, found: Found) -> None:
    for place in ledger.places.of(recording_id):
        digest = _digest(place.path)
        if digest == recording_id:
            _add(found, place.path, Kind.AUDIO.value, False, recording_id, audio=True)
        elif digest is not None:
            found.left.append((place.path, "other content is there now; it is not this recording"))
    for artifact in ledger.artifacts.of_recording(recording_id):
        digest = _digest(artifact.path)
        if digest is None:
            continue
        ours = digest in (artifact.sha256, artifact.next_sha256)
        if not ours and artifact.state in ("gone", "trashed") and not _names(artifact.path, recording_id):
            found.left.append((artifact.path, "something else has taken the note's name"))
            continue
        _add(found, artifact.path, artifact.kind.value, not ours, recording_id, place=artifact.place)
    for row in ledger.trash.of_recording(recording_id):
        if row.trashed is not None and os.path.lexists(row.trashed):
            _add(found, row.trashed, f"{row.kind.value} in the trash", False, recording_id)


def _strays(ledger: Ledger, wanted: set[str], tops: set[Path], found: Found) -> None:
    """Copies that the ledger does not know."""
    sizes = {r.size: r.id for r in (ledger.places.recording(i) for i in wanted) if r is not None}
    hashes = {a.sha256: a for i in wanted for a in ledger.artifacts.of_recording(i) if a.sha256}
    outermost = [top for top in tops if not any(top != o and top.is_relative_to(o) for o in tops)]
    for path, size in _files(outermost):
        if path in found.paths:
            continue
        if size in sizes:
            digest = _digest(path)
            if digest in wanted:
                _add(found, path, "another copy of the audio", False, str(digest), audio=True)
                continue
        if path.suffix.lower() in TEXT and size <= 64 * 1024 * 1024:
            digest = _digest(path)
            if digest in hashes:
                _add(
                    found,
                    path,
                    f"another copy of the {hashes[digest].kind.value}",
                    False,
                    hashes[digest].recording_id,
                )
            elif (owner := _owner(path)) in wanted:
                _add(found, path, "a note that was moved or copied", True, str(owner))


def _files(tops: Iterable[Path]) -> Iterator[tuple[Path, int]]:
    pending = list(tops)
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(Path(entry.path))
                    elif entry.is_file(follow_symlinks=False):
                        yield Path(entry.path), entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue


_OWNER = re.compile(rb'(?m)^\s*(?:- )?"?[\w./-]+"?:{1,2}[ \t]*"?([0-9a-f]{64})"?,?[ \t]*\r?$')
"""A property or JSON key on its own line whose whole value is a recording id: only our notes and sidecars have one."""

_JSON_OWNER = re.compile(rb'"recording_id":\s*"([0-9a-f]{64})"')


def _owner(path: Path) -> str | None:
    """The recording that a note or JSON sidecar names as its own."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(fd, "rb") as file:
            head = file.read(HEAD)
    except OSError:
        return None
    if head.lstrip().startswith(b"{"):
        owners = set(_JSON_OWNER.findall(head))
        # A document that lists several recordings (an export's manifest) belongs to none of them.
        return owners.pop().decode() if len(owners) == 1 else None
    match = _OWNER.search(head)
    return match[1].decode() if match else None


def _names(path: Path, recording_id: str) -> bool:
    return _owner(path) == recording_id


def _digest(path: Path) -> str | None:
    try:
        return hash_of(path)[0]
    except OSError:
        return None


def _add(
    found: Found,
    path: Path,
    what: str,
    edited: bool,
    recording_id: str,
    *,
    audio: bool = False,
    place: Path | None = None,
) -> None:
    if path in found.paths:
        return
    info = path.lstat()
    if stat.S_ISREG(info.st_mode):
        found.paths.add(path)
        found.copies.append(Copy(path, what, info.st_size, edited, recording_id, audio, place))
