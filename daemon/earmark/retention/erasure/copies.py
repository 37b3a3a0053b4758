"""Every copy of a recording that can be reached: files in the drop folders, in the trash, in the state folder.

A file belongs to a recording if it has its bytes, if it has the bytes of a note that we wrote for it, or if it is a note
whose own frontmatter says so (`earmark_id` of exactly one recording). What only mentions it is somebody's document.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from earmark.context import Context
from earmark.domain import Kind
from earmark.files import InCloud, StillChanging, content_of, files_below, fold, read_bytes, spelled
from earmark.ledger import Artifact, Doomed
from earmark.ledger.note_ids import short
from earmark.notes.frontmatter import LIMIT, decoded, named_in_blocks, owner_of, recording_of
from earmark.notes.names import is_note, is_text
from earmark.notes.style import style_of
from earmark.notes.whose import LARGEST, known_as

TELLING = 64
"""Bytes from which a copy of a sidecar is taken for one; an empty file or a line may be anybody's."""

OTHERS_TOO = "has a note of another recording in it, too; take out of it yourself what is of this one"

UNREACHABLE = (
    "backups, and versions kept by a sync service on another device or in the cloud",
    "snapshots of the file system (Time Machine, btrfs, ZFS, APFS), and what an SSD keeps in cells it has not erased yet",
    "the notes app's own history and cache, and files that an earlier version gave to the desktop's trash",
    "text that you copied elsewhere, and links to the note in other notes",
    "what a summary server keeps of the requests it was sent (its own logs and caches)",
    "exports made with `earmark export`",
    "names that you accepted as vocabulary: `earmark vocabulary list` shows them, `earmark vocabulary forget` takes one out",
    "the system's journal and a terminal's scrollback, where the daemon names files (never words)",
)
"""What erasing cannot reach, said plainly each time."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One file and the content that was decided about. `what` in a word; `edited`: it holds words that are not ours.

    `audio`: it is the recording itself. `place`: for a note, the recording file that it was written for, if known.
    """

    path: Path
    sha256: str
    size: int
    what: str
    edited: bool
    recording_id: str
    audio: bool = False
    place: Path | None = None

    @property
    def doomed(self) -> Doomed:
        """As it is written down before it goes."""
        return Doomed(self.path, self.sha256)


@dataclass(slots=True)
class Found:
    """All copies of some recordings, and files that stay with the reason: other content, or a mention only."""

    copies: list[Copy] = field(default_factory=list)
    left: list[tuple[Path, str]] = field(default_factory=list)
    paths: set[Path] = field(default_factory=set)
    _by_recording: dict[str, list[Copy]] = field(default_factory=dict)
    _folded: dict[str, Path] = field(default_factory=dict)

    def of(self, recording_id: str) -> list[Copy]:
        """Asked several times for each recording, of which there may be thousands."""
        return self._by_recording.get(recording_id, [])

    def add(self, copy: Copy) -> None:
        """Another copy, unless the file is known already, be it in another spelling on a disk that folds case."""
        other = self._folded.setdefault(fold(str(copy.path)), copy.path)
        if copy.path not in self.paths and (other == copy.path or spelled(other) != spelled(copy.path)):
            self.paths.add(copy.path)
            self.copies.append(copy)
            self._by_recording.setdefault(copy.recording_id, []).append(copy)

    def elsewhere(self, context: Context, files: Iterable[Path]) -> set[Path]:
        """Files that go only because a recording is its content: other audio than was named, and the notes of it.

        `files`: recordings or notes that a person named; where none of a recording was, its first audio stands for it.
        """
        said = {os.path.realpath(path) for path in files}
        for path in list(said):
            if (artifact := context.ledger.artifacts.at(Path(path))) is not None:
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


def find(context: Context, recording_ids: Iterable[str]) -> Found:
    """Look everywhere: what the ledger knows, then every file below the drop folders, hidden ones included.

    Symlinks are not followed. Reads, changes nothing.
    """
    wanted = set(recording_ids)
    found = Found()
    mine = {name for each in wanted for name in context.ledger.lineage.names_of(each)}
    tops = set(context.folders) | {f.path for f in context.config.folder}
    for recording_id in wanted:
        _from_ledger(context, recording_id, found, mine)
        _formers(context, recording_id, wanted, found)
        tops.update(place.folder for place in context.ledger.places.of(recording_id))
        away = "is not there; what it may hold of them stays, and is refused when it comes back"
    found.left += [(top, away) for top in sorted(tops) if not os.path.isdir(top)]  # noqa: PTH112 - false, too, where nobody may look
    outermost = [top for top in tops if not any(top != o and top.is_relative_to(o) for o in tops)]
    _Search(context, wanted, found).look_through(outermost)
    found.left = [(path, why) for path, why in found.left if path not in found.paths]
    return found


def _from_ledger(context: Context, recording_id: str, found: Found, mine: set[str]) -> None:
    ledger = context.ledger
    names = ledger.lineage.names_of(recording_id)
    for place in ledger.places.of(recording_id):
        content = _content(place.path, found)
        if content is None:
            continue
        if content[0] == recording_id:
            found.add(Copy(place.path, *content, Kind.AUDIO.value, False, recording_id, audio=True))
        elif place.here:
            found.left.append((place.path, "other content is there now; it is not this recording"))
    for artifact in ledger.artifacts.of_recording(recording_id):
        content = _content(artifact.path, found)
        if content is None:
            continue
        ours = artifact.has_bytes(content[0])
        if not ours and (others := _why_others(context, artifact.path, mine)):
            found.left.append((artifact.path, others))
        elif ours or _says(context, artifact.path) in names:
            what = artifact.kind.value
            found.add(Copy(artifact.path, *content, what, not ours, recording_id, place=artifact.place))
        else:
            found.left.append(
                (artifact.path, "it was changed, and does not say any more that it is of this one")
            )
    for row in ledger.trash.of_recording(recording_id):
        content = _content(row.trashed) if row.trashed is not None else None
        if content is not None and row.trashed is not None:
            ours = content[0] == row.sha256
            if ours or _says(context, row.trashed) in names:
                found.add(
                    Copy(row.trashed, *content, f"{row.kind.value} in the trash", not ours, recording_id)
                )
            else:
                found.left.append((row.trashed, "other content than was taken lies in the trash there"))


def _formers(context: Context, recording_id: str, wanted: set[str], found: Found) -> None:
    """Files with what a recording was before it went on, which are recordings of their own and stay."""
    ledger = context.ledger
    for former in ledger.lineage.formers(recording_id):
        for place in ledger.places.of(former) if former not in wanted else ():
            content = _content(place.path)
            if content is not None and content[0] == former:
                found.left.append((place.path, "holds the beginning of it, and is a recording of its own"))


class _Search:
    """Copies that the ledger does not know, and documents that mention a recording."""

    def __init__(self, context: Context, wanted: set[str], found: Found) -> None:
        ledger = context.ledger
        self._context, self._wanted, self._found = context, wanted, found
        sizes = [r.size for r in map(ledger.recordings.get, wanted) if r is not None]
        artifacts = [a for i in wanted for a in ledger.artifacts.of_recording(i)]
        self._hashes = {a.sha256: a for a in artifacts if a.sha256}
        others = [a for a in ledger.artifacts.all() if a.recording_id not in wanted]
        self._others = {a.path for a in others}
        self._shared = {a.sha256 for a in others}
        self._owners = {former: i for i in wanted for former in ledger.lineage.own_formers(i)}
        self._sizes = {*sizes, *map(ledger.lineage.size_of, self._owners)}
        self._owners |= {i: i for i in wanted}
        self._names = names = {*self._owners, *map(short, self._owners)}
        self._ids = {name.encode(encoding) for name in names for encoding in ("ascii", "utf-16-le")}
        meant = ledger.lineage.meant
        self._owners |= {short(i): to for i, to in self._owners.items() if meant(short(i)) in ([], [i])}
        self._left = {path for path, _ in found.left}

    def look_through(self, tops: list[Path]) -> None:
        for path, stat in files_below(tops):
            if path not in self._found.paths:
                self._look(path, stat.st_size)

    def _look(self, path: Path, size: int) -> None:
        text = is_text(path.name)
        if path in self._others and not is_note(path.name):
            return  # written for another recording, whatever it has in common with this one
        if size not in self._sizes and not text:
            return
        content = _content(path, self._found if size in self._sizes else None)
        if content is None or (path in self._others and content[0] in self._contents_at(path)):
            return
        if (of := self._owners.get(content[0])) is not None:
            what = (
                "another copy of the audio" if of == content[0] else "a copy of what it was before it went on"
            )
            self._found.add(Copy(path, *content, what, False, of, audio=True))
        elif (artifact := self._hashes.get(content[0])) is not None and not self._anybodys(
            artifact, content[1]
        ):
            what = f"another copy of the {artifact.kind.value}"
            self._found.add(Copy(path, *content, what, False, artifact.recording_id))
        elif text and (owner := self._owners.get(_owner(self._context, path) or "")) is not None:
            if others := _why_others(self._context, path, self._names):
                self._found.left.append((path, others))
                return
            if self._went_on(path, owner):
                self._found.left.append((path, "may be a note of what it went on as, which stays"))
                return
            if (known := self._known_as(path, owner)) is not None:
                self._found.left.append(
                    (path, f"its earmark_id is of this one, and it is known as a note of {known}")
                )
                return
            self._found.add(Copy(path, *content, "a note that was moved or copied", True, owner))
        elif text and size <= LARGEST and path not in self._left and self._mentions(path):
            self._found.left.append((path, "mentions it, and is no note of it by its own properties"))

    def _went_on(self, path: Path, owner: str) -> bool:
        """True for a note that names `owner` and may belong to what that went on as, which nobody wants forgotten: it was
        the note of that, or was moved, so that nobody knows of which it was.
        """
        ledger = self._context.ledger
        artifact = ledger.artifacts.at(path)
        if artifact is not None and artifact.recording_id in self._wanted:
            return False
        if artifact is not None:
            return owner in ledger.lineage.formers(artifact.recording_id)
        return any(each not in self._wanted for each in ledger.lineage.successors(owner))

    def _known_as(self, path: Path, owner: str) -> str | None:
        """The name of a recording that is to stay, and of which this is known to be a note, whatever it says; None for any
        other.
        """
        ledger = self._context.ledger
        try:
            known = known_as(ledger, path, read_bytes(path, most=LARGEST), owner)
        except OSError:
            return None
        if known is None or known in self._wanted:
            return None
        return next((place.path.name for place in ledger.places.of(known)), known[:12])

    def _contents_at(self, path: Path) -> set[str]:
        """What we wrote at a path, for whichever recording."""
        artifact = self._context.ledger.artifacts.at(path)
        return set() if artifact is None else {artifact.sha256, artifact.next_sha256 or artifact.sha256}

    def _anybodys(self, artifact: Artifact, size: int) -> bool:
        """True if the bytes of a sidecar, which names no recording, may be somebody else's: few, or another's as well."""
        return not artifact.note and (size < TELLING or artifact.sha256 in self._shared)

    def _mentions(self, path: Path) -> bool:
        try:
            data = read_bytes(path, most=LARGEST)
        except OSError:
            return False
        return any(recording_id in data for recording_id in self._ids)


def _owner(context: Context, path: Path) -> str | None:
    """The recording that a file is a note of, by its own frontmatter."""
    if not is_note(path.name) and path.suffix.lower() != ".tmp":
        return None
    try:
        return owner_of(read_bytes(path, most=LIMIT), style_of(context.config.notes))
    except OSError:
        return None


def _says(context: Context, path: Path) -> str | None:
    """The same for a file that we wrote, and that a person may have changed."""
    try:
        text = decoded(read_bytes(path, most=LIMIT))
    except OSError:
        return None
    return recording_of(text, style_of(context.config.notes))


def _why_others(context: Context, path: Path, mine: set[str]) -> str:
    """What is said of a file that names other recordings than these in properties: with these, as notes do that somebody put
    together, or alone, as one that took a note's place; "" for any other.
    """
    if not is_note(path.name) and path.suffix.lower() != ".tmp":
        return ""
    try:
        text = decoded(read_bytes(path, most=LARGEST))
    except OSError:
        return ""
    named = named_in_blocks(text, style_of(context.config.notes))
    if named <= mine:
        return ""
    if named & mine:
        return OTHERS_TOO
    of = context.ledger.lineage.only(min(named)) if len(named) == 1 else None
    places = context.ledger.places.of(of) if of is not None else []
    return f"is a note of {next((place.path.name for place in places), 'another recording')}"


def _content(path: Path, found: Found | None = None) -> tuple[str, int] | None:
    """SHA-256 and size of a regular file that can be read; None for anything else. That its bytes are in a cloud only, and
    it stays, is put down in `found`.
    """
    try:
        content = content_of(path)
    except InCloud as cloud:
        if found is not None:
            found.left.append((path, f"{cloud.strerror}, and forget it again"))
        return None
    except (OSError, StillChanging):
        return None
    return content.sha256, content.size
