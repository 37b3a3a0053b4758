"""Notes as they are seen: whose they are, whether they say `keep`, which tags they have. What one said once counts until a
person says otherwise, wherever the note is now.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path

from earmark.context import Context
from earmark.domain import ArtifactState, Owed, TrashState
from earmark.files import InCloud, digest, files_below, in_cloud, read_bytes, sha256_of
from earmark.intake.folder import where_notes_may_be
from earmark.intake.mounts import why_unmounted
from earmark.ledger import Seen, Trashed
from earmark.ledger.note_ids import short
from earmark.notes.names import is_note
from earmark.retention.lost_notes import LostNotes
from earmark.retention.note_reading import Said, identity_of, names_without_keep, read_note


class NotesSeen:
    """Reads notes and keeps what they say. Asks the disk each time; reads only what has changed since.

    `writes=False`: the ledger is open read-only, and what is seen is kept here only. `remember`: folders are looked through
    once, for a plan; next to an act they are asked anew.
    """

    def __init__(self, context: Context, *, writes: bool = True, remember: bool = False) -> None:
        self._context = context
        self._writes = writes
        self._lost = LostNotes(context, remember=remember)
        self._remember = remember
        self._looked: dict[Path, list[Path]] = {}
        self._elsewhere: dict[Path, str] = {}
        """Identities of files that were read and belong to no recording."""
        self._relatives: dict[str, tuple[str, ...]] = {}
        self._fresh: dict[tuple[Path, str], Seen] = {}
        """What was seen and could not be written down."""

    def _forget_tags(self, path: Path, identity: str) -> None:
        """A note that is as we wrote it again has no tags of a person's any more."""
        protection, now = self._context.ledger.protection, self._context.now()
        for before in protection.at(path):
            if before.tags:
                protection.saw(replace(before, tags=(), identity=identity, seen_at=now))
                self._owe(before.recording_id)

    def inspect(self, path: Path) -> bool:
        """Read a note if it has changed since it was last read; false if nothing is there. Raises OSError."""
        protection = self._context.ledger.protection
        try:
            identity = identity_of(self._context, path)
        except FileNotFoundError:
            if in_cloud(path):
                raise InCloud(path) from None
            top = self._context.top_of(path)
            if self._writes and (top is None or self._away(top) is None):
                protection.unsee(path)
            return False
        if self._elsewhere.get(path) == identity:
            return True
        if any(note.identity == identity for note in protection.at(path)):
            return True
        said = [] if self._as_we_wrote_it(path) else read_note(self._context, path)
        if not said:
            if self._writes:
                self._forget_tags(path, identity)
                self._named_no_longer(path, identity)
            self._elsewhere[path] = identity
            return True
        # All or nothing: one row of it says that the whole note was read.
        with self._context.ledger.transaction() if self._writes else nullcontext():
            # Before what it says now is written down: whether it is the note that said so.
            if self._writes and not any(each.keep for each in said):
                self._named_no_longer(path, identity, {each.recording_id for each in said})
            for each in said:
                self._saw(path, each, identity)
        return True

    def _named_no_longer(self, path: Path, identity: str, but: Collection[str] = ()) -> None:
        """A note that asks for nothing any more asks for nothing for the others that it names, `but` for those of which it
        says more. Another note under its name takes nothing back.
        """
        protection = self._context.ledger.protection
        asked = [note for note in protection.at(path) if note.keep]
        own, named = names_without_keep(self._context, path) if asked else (set[str](), set[str]())
        if not any(note.recording_id in own for note in asked):
            return
        for before in asked:
            if before.recording_id in named and before.recording_id not in but:
                protection.saw(replace(before, keep=False, identity=identity, seen_at=self._context.now()))
                self._owe(before.recording_id)

    def _saw(self, path: Path, said: Said, identity: str) -> None:
        protection = self._context.ledger.protection
        before = protection.seen_at(path, said.recording_id)
        keep = said.keep or (before is not None and before.keep and self._is_our_writing(path, before))
        now = self._context.now()
        seen = Seen(path, said.recording_id, said.kind, identity, keep, said.tags, now, now)
        if not self._writes:
            self._fresh[path, said.recording_id] = seen
            return
        with self._context.ledger.transaction():
            if before is None and keep:
                before = self._forget_where_it_was(seen)
            protection.saw(seen)
            if (keep, said.tags) != ((before.keep, before.tags) if before is not None else (False, ())):
                self._owe(said.recording_id)

    def _forget_where_it_was(self, seen: Seen) -> Seen | None:
        """A note that says `keep` has been moved here: that it said so in its former place is over. Returns what it said."""
        protection = self._context.ledger.protection
        for before in protection.seen(seen.recording_id):
            gone = not os.path.lexists(before.path) and os.path.isdir(before.path.parent)  # noqa: PTH112
            if before.keep and gone and _same_file(before.identity, seen.identity):
                protection.forget_seen(before)
                return before
        return None

    def _owe(self, recording_id: str) -> None:
        """What a note says of a recording is news for the notes of it, of what it was, and of what it went on as."""
        lineage, ledger = self._context.ledger.lineage, self._context.ledger
        for each in (recording_id, *lineage.successors(recording_id), *lineage.formers(recording_id)):
            ledger.places.owe_recording(each, Owed.POLICY)

    def _as_we_wrote_it(self, path: Path) -> bool:
        """True for a note of ours that nobody has touched: it says nothing that the ledger does not know. One that said
        `keep` before is read all the same, and so is a later version with a person's properties in it.
        """
        artifact = self._context.ledger.artifacts.at(path)
        if artifact is None or artifact.mergeable:
            return False
        if any(note.keep for note in self._context.ledger.protection.at(path)):
            return False
        try:
            return digest(read_bytes(path)) == artifact.sha256
        except OSError:
            return False

    def glance(self, path: Path) -> None:
        """The same, for a note that need not be there or readable."""
        with suppress(OSError):
            self.inspect(path)

    def inspect_below(self, folders: Iterable[Path]) -> list[Path]:
        """Look at every note in and below folders; returns which of them, or of those below, could not be read."""
        unread: list[Path] = []
        for top in folders:
            if self._away(top) is not None:
                unread.append(top)
            elif self._remember and top in self._looked:
                unread += self._looked[top]
            else:
                unread += self._look_through(top)
        return unread

    def _look_through(self, top: Path) -> list[Path]:
        unread = self._looked[top] = []
        for path, _ in files_below([top], unread, where_notes_may_be([top])):
            if is_note(path.name) and not _hidden(path, top):
                self.glance(path)
        return unread

    def inspect_everywhere(self, recording_id: str | None = None) -> list[Path]:
        """The same in all drop folders: those that are watched, those of the configuration, and those of a recording."""
        return self.inspect_below(self._tops(recording_id))

    def _tops(self, recording_id: str | None) -> list[Path]:
        context = self._context
        tops = {*context.folders, *(folder.path for folder in context.config.folder)}
        tops |= {place.folder for place in context.ledger.places.of(recording_id)} if recording_id else set()
        return sorted(tops)

    def _away(self, folder: Path) -> str | None:
        """Why nobody can see what is in a drop folder, or None."""
        try:
            return why_unmounted(self._context.ledger, folder)
        except OSError as error:
            return f"{folder} cannot be looked at: {error.strerror}"

    def keeping(self, recording_id: str) -> str | None:
        """Why notes of this recording keep it, or None: one says so, or one said so and nobody took it back.

        Asked of the disk at this moment; a note that cannot be read keeps.
        """
        ledger = self._context.ledger
        places = [place for each in self._lineage(recording_id) for place in ledger.places.of(each)]
        for folder in sorted({place.folder for place in places if place.watched}):
            if (why := self._away(folder)) is not None:
                return f"held, as long as nobody can see what its notes say: {why}"
        notes = {
            a.path
            for a in ledger.artifacts.of_recording(recording_id)
            # One that a rule took may have been saved again by an editor that had it open.
            if a.note and (a.state is not ArtifactState.TRASHED or os.path.lexists(a.path))
        }
        notes |= {seen.path for seen in self._seen(recording_id)}
        # A person may have found one in the trash, and written there that it is to be kept.
        taken = [
            row
            for row in ledger.trash.of_recording(recording_id)
            if row.state is TrashState.HERE and row.trashed
        ]
        notes |= set(filter(None, map(_changed_in_trash, taken)))
        away = any(is_note(row.original.name) and not os.path.lexists(row.trashed or "") for row in taken)
        for path in notes:
            try:
                away = not self.inspect(path) or away
            except OSError as error:
                return f"{path.name} cannot be read for a hold: {error.strerror or error}"
        if away:
            # Renamed or moved by its owner, perhaps with a hold in it; a note says whose it is.
            unread = self.inspect_everywhere(recording_id)
            if unread:
                return f"held, as long as {unread[0]} cannot be looked at for a note that says `keep`"
        for note in self._seen(recording_id):
            if note.keep:
                if os.path.exists(note.path):  # noqa: PTH110 - false, too, where nobody may look
                    return f"held by `keep: true` in {note.path.name}"
                return f"held: {note.path.name}, which is not there any more, said `keep: true`"
        return self._why_lost_note_keeps(recording_id) if away else None

    def _why_lost_note_keeps(self, recording_id: str) -> str | None:
        """Why a note that is missing, and that is nowhere else as one, may keep the recording."""
        ledger = self._context.ledger
        found = {seen.kind for seen in self._seen(recording_id) if os.path.lexists(seen.path)}
        missing = [
            artifact.written_at
            for artifact in ledger.artifacts.of_recording(recording_id)
            if artifact.note and artifact.kind not in found and artifact.state is not ArtifactState.TRASHED
            and not os.path.lexists(artifact.path)
        ]  # fmt: skip
        if not missing:
            return None
        ids = ledger.lineage.may_name(recording_id)
        # One that was written by a clock in the future says nothing of when.
        since = min(missing) - 2.0 if min(missing) <= self._context.now() else 0.0
        return self._lost.why_kept(ids, since, self._tops(recording_id))

    def _seen(self, recording_id: str) -> list[Seen]:
        """Every note that was seen of the recording, of what it was before it went on, or of what it went on as, as it was
        seen last.
        """
        ledger = self._context.ledger
        wanted = self._lineage(recording_id)
        found = {(note.path, each): note for each in wanted for note in ledger.protection.seen(each)}
        for key, note in self._fresh.items():
            if key[1] in wanted or key[1] in map(short, wanted):
                found[key] = replace(note, first_seen=found[key].first_seen) if key in found else note
        return list(found.values())

    def _lineage(self, recording_id: str) -> tuple[str, ...]:
        """What it was, what it went on as, and itself: a person who keeps one of them keeps them all, whether another file
        holds one as a recording of its own or not.
        """
        if self._remember and recording_id in self._relatives:
            return self._relatives[recording_id]
        lineage = self._context.ledger.lineage
        found = (*lineage.formers(recording_id), *lineage.successors(recording_id), recording_id)
        self._relatives[recording_id] = found
        return found

    def all_keeping(self) -> list[Seen]:
        """Every note that says `keep`, or said so when it was last seen."""
        found = {(note.path, note.recording_id): note for note in self._context.ledger.protection.keeping()}
        found |= self._fresh
        return [note for note in found.values() if note.keep]

    def _is_our_writing(self, path: Path, before: Seen) -> bool:
        """True if the file holds what we wrote there after `before` was seen: not a person's word on anything."""
        artifact = self._context.ledger.artifacts.at(path)
        # What was seen in the future, by a clock that was put right since, is no earlier or later than anything.
        if artifact is None or artifact.mergeable:
            return False  # what a person took out of the one before stays out of the later version
        if artifact.written_at <= before.seen_at <= self._context.now():
            return False
        try:
            return artifact.has_bytes(digest(read_bytes(path)))
        except OSError:
            return False


def _changed_in_trash(row: Trashed) -> Path | None:
    """A note in the trash that is not as it was taken."""
    path = row.trashed
    if (
        row.state is not TrashState.HERE
        or path is None
        or not is_note(path.name)
        or not os.path.lexists(path)
    ):
        return None
    return None if sha256_of(path) == row.sha256 else path


def _same_file(one: str, other: str) -> bool:
    """True if both identities are of a file with one size, time and inode: one that was renamed, or moved on its disk."""
    return one.split(":")[:3] == other.split(":")[:3]


def _hidden(path: Path, top: Path) -> bool:
    """True if a part of the path below `top` begins with a dot."""
    return any(part.startswith(".") for part in os.fspath(path.relative_to(top)).split("/"))
