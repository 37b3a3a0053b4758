"""Asking the world about one file that is about to go: is it still what the ledger knows, and does anything keep it?"""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

from earmark.context import Context
from earmark.domain import ArtifactState, Kind
from earmark.files import (
    Identity,
    NotRegular,
    StillChanging,
    SymlinkInTheWay,
    content_of,
    digest,
    is_dataless,
    opened,
    read_bytes,
)
from earmark.ledger import Candidate
from earmark.notes.own_links import is_as_written
from earmark.notes.style import style_of
from earmark.retention.gate import why_shut
from earmark.retention.holds import why_held
from earmark.retention.markers import FoldersSeen
from earmark.retention.notes_seen import NotesSeen
from earmark.retention.rules.decide import Decision

EDITED = "edited by you"
"""Why an edited note stays."""


class Inspector:
    """Looks at files that are about to go. `remember`: what it learns of a recording it does not ask twice, for a plan;
    without, everything is asked of the ledger and the disk at each call, for the moment of taking.

    `thorough`: audio is read whole, too; else an unchanged size, time and inode count as unchanged.
    """

    def __init__(
        self,
        context: Context,
        notes: NotesSeen,
        *,
        remember: bool = True,
        thorough: bool = True,
        writes: bool = True,
    ) -> None:
        self._context = context
        self._notes = notes
        self._remember = remember
        self._thorough = thorough
        self._writes = writes
        self._held: dict[tuple[str, Path, Kind], str | None] = {}
        self._shut: dict[str, str | None] = {}
        self._folders = FoldersSeen() if remember else None
        self._erased: set[Path] | None = None

    def __call__(self, decision: Decision) -> str | None:
        """A reason to keep the file, or None; fills in its size, and for a note the content that it has now."""
        item = decision.item
        if self._erased is None or not self._remember:
            self._erased = self._context.ledger.erasing.all_files()
        if item.path in self._erased:
            return "it is being erased"
        reason = self._look(item)
        if reason == EDITED and (held := self._hold(item)) is not None:
            return f"{EDITED}, and {held}"
        return reason or self.guards(item)

    def guards(self, item: Candidate) -> str | None:
        """What no rule can overcome, whatever the file is: holds of every kind, and for audio the quality gate."""
        return self._hold(item) or self._gate(item)

    def facts_changed(self, item: Candidate, tags: frozenset[str]) -> str | None:
        """A reason to keep the file if the ledger knows otherwise of it now than when it was decided."""
        now = self._context.ledger.retention.candidate(item.kind, item.path, item.recording_id, tags)
        if now is None:
            return "the ledger does not know it any more"
        same = replace(item, size=now.size, sha256=now.sha256, identity=now.identity, dated=now.dated)
        return (
            None
            if same == now
            else "something was decided about it since the plan was made; the next one sees to it"
        )

    def _look(self, item: Candidate) -> str | None:
        try:
            with opened(item.path.parent, item.folder, follow_top=False) as folder:
                found = folder.look_at(item.path.name)
                if found is None:
                    return "it is not there"
                item.size = found.st_size
                if stat.S_ISLNK(found.st_mode):
                    return f"{item.path} is a symlink; what is behind one is never deleted"
                if item.kind is Kind.AUDIO:
                    if is_dataless(found):
                        return "it is in iCloud only, and nobody can see whether it is what was transcribed"
                    return self._look_at_audio(item, Identity.of(found))
                return self._look_at_note(item, read_bytes(item.path.name, folder))
        except SymlinkInTheWay as link:
            return f"{link.filename} is a symlink; what is behind one is never deleted"
        except NotRegular:
            return "it is not a regular file"
        except FileNotFoundError:
            there = os.path.isdir(item.folder)  # noqa: PTH112 - false, too, where nobody may look
            return "it is not there" if there else "its drop folder is not there"
        except (OSError, StillChanging) as error:
            return f"it cannot be read: {getattr(error, 'strerror', None) or 'it is changing'}"

    def _look_at_audio(self, item: Candidate, identity: Identity) -> str | None:
        if item.identity is not None and item.identity != identity:
            return "it has changed since it was transcribed"
        if self._thorough and content_of(item.path).sha256 != item.sha256:
            return "its content is not what was transcribed"
        return None

    def _look_at_note(self, item: Candidate, data: bytes) -> str | None:
        artifact = self._context.ledger.artifacts.at(item.path)
        if artifact is None or artifact.state is ArtifactState.EDITED:
            return EDITED
        key = style_of(self._context.config.notes).key("speakers")
        if not is_as_written(self._context.ledger, data, artifact, key):
            return EDITED
        item.sha256 = digest(data)
        return None

    def _hold(self, item: Candidate) -> str | None:
        key = (item.recording_id, item.path.parent, item.kind)
        if self._remember and key in self._held:
            return self._held[key]
        files = [(item.path, item.folder)]
        why = why_held(
            self._context, self._notes, item.recording_id, files, (item.kind.value,), self._folders
        )
        self._held[key] = why
        return why

    def _gate(self, item: Candidate) -> str | None:
        """Audio of a transcribed recording goes only if the transcript can stand in for it."""
        if item.kind is not Kind.AUDIO or item.failed:
            return None
        if not self._remember or item.recording_id not in self._shut:
            self._shut[item.recording_id] = why_shut(self._context, item.recording_id, writes=self._writes)
        return self._shut[item.recording_id]
