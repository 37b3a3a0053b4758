"""Notes that their owner removed while the recording stayed, and notes that were put back."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from earmark.context import Context
from earmark.domain import ArtifactState
from earmark.errors import LedgerBusy
from earmark.files import read_bytes, sha256_of
from earmark.intake.mounts import why_unmounted
from earmark.ledger import Artifact
from earmark.pipeline.changed_places import know_swapped
from earmark.pipeline.own_fault import own_fault
from earmark.pipeline.renamed_folder import is_of
from earmark.retention import NotesSeen

SHARE = 0.2
"""Seconds of a turn that go into this; a folder of which all notes went or were moved takes many turns."""

REST = 1.0
"""Seconds between two tries while somebody else is acting, or a folder does not answer."""

KNOWN = (ArtifactState.HERE, ArtifactState.EDITED)


@dataclass
class _Look:
    """What one scan found missing, or there again, and has not been settled yet. `notes`: all that it found."""

    folder: Path
    notes: Collection[bytes]
    missing: dict[bytes, None]
    back: list[bytes]
    steps: Iterator[None] = field(default_factory=lambda: iter(()))


class RemovedNotes:
    """Writes down which notes went without their recording, so that they stay removed if it leaves and comes back later; and
    which are there again. A little in each turn of the loop: when a vault was moved, these are all there are.
    """

    def __init__(self, context: Context, seen: NotesSeen) -> None:
        self._context = context
        self._seen = seen
        self._looks: dict[Path, _Look] = {}
        self._later: dict[Path, _Look] = {}
        """What a scan found while that of before was still being settled, which would never end if it began anew."""
        self._moved: dict[bytes, bytes] = {}
        """Missing notes that were found to lie elsewhere, which are not asked for again while what lies there does."""
        self._not_before = 0.0

    def idle(self) -> bool:
        """True if nothing is left to settle but in folders that do not answer."""
        return all(folder in self._context.silent for folder in self._looks)

    def next_at(self) -> float:
        """When the loop should come here again, on the monotonic clock."""
        if not self._looks:
            return float("inf")
        rest = self._context.clock.monotonic() + REST if self.idle() else 0.0
        return max(self._not_before, rest)

    def found(self, folder: Path, notes: Collection[bytes], unsure: Collection[bytes]) -> None:
        """A drop folder was looked through completely. `notes`: all that are there; `unsure`: recordings that were not where
        they were, or changed.

        A note that an editor is just saving may not be there for a moment: that is asked again before anything is written.
        """
        artifacts, now = self._context.ledger.artifacts, self._looks.get(folder)
        missing = {
            known.note: None
            for known in artifacts.notes_below(folder, KNOWN)
            if known.note not in notes
            and known.place not in unsure
            and os.path.dirname(known.note) == os.path.dirname(known.place)  # noqa: PTH120 - bytes
            and (now is None or known.note not in now.missing)
            and self._moved.get(known.note) not in notes
        }
        if (before := self._later.pop(folder, None)) is not None:  # its recordings may have left since
            missing |= {note: None for note in before.missing if note not in notes}
        self._context.missed.update(missing)
        gone = artifacts.notes_below(folder, (ArtifactState.GONE,))
        look = _Look(folder, notes, missing, [known.note for known in gone if known.note in notes])
        if not look.missing and not look.back:
            return
        if now is None:
            self._begin(look)
        else:
            self._later[folder] = look

    def turn(self, went_wrong: Callable[[Path, str, bool], None]) -> None:
        """Settle some. `went_wrong`: who is told of a folder in which that was a mistake of earmark's own."""
        clock, context = self._context.clock, self._context
        if not self._looks or clock.monotonic() < self._not_before:
            return
        until = clock.monotonic() + SHARE
        for folder, look in list(self._looks.items()):
            if folder in context.silent:
                continue
            ended = True  # also by a mistake: the next scan finds it again
            try:
                with own_fault(context, partial(went_wrong, folder)):
                    ended = folder not in context.folders or self._settle(look, until)
            except LedgerBusy:
                self._not_before, ended = clock.monotonic() + REST, False
            if ended:
                context.missed.difference_update(self._looks.pop(folder).missing)
                if (later := self._later.pop(folder, None)) is not None:
                    self._begin(later)
            if clock.monotonic() >= until:
                return

    def _begin(self, look: _Look) -> None:
        look.steps = self._steps(look)
        self._looks[look.folder] = look

    def _settle(self, look: _Look, until: float) -> bool:
        """True if nothing of it is left. Raises LedgerBusy if somebody else is acting."""
        with self._context.ledger.acting(), self._context.ledger.transaction():
            for _ in look.steps:
                if self._context.clock.monotonic() >= until:
                    return False
        return True

    def _steps(self, look: _Look) -> Iterator[None]:
        """Each step looks at one note; none is looked at once for every other one."""
        artifacts = self._context.ledger.artifacts
        for note in list(look.missing):
            if self._unexplained(look, note) is None:
                self._is_settled(look, note)
            yield
        # Those that nobody knew of may be the missing ones: moved, perhaps ahead of their recordings.
        for path in (Path(os.fsdecode(note)) for note in (look.notes if look.missing else ())):
            if artifacts.at(path) is None:
                self._seen.glance(path)
            yield
        for note in list(look.missing):
            artifact = self._unexplained(look, note)
            # Another recording's note may have gone from where this one is now.
            if artifact is not None and know_swapped(self._context, artifact) == artifact:
                artifacts.owner_removed(artifact)
            self._is_settled(look, note)
            yield
        for path in map(Path, map(os.fsdecode, look.back)):
            artifact = artifacts.at(path)
            if artifact is not None and artifact.state is ArtifactState.GONE and os.path.lexists(path):
                _put_back(self._context, artifact)
            yield

    def _is_settled(self, look: _Look, note: bytes) -> None:
        del look.missing[note]
        self._context.missed.discard(note)

    def _unexplained(self, look: _Look, note: bytes) -> Artifact | None:
        """The note, if it is missing at this moment and nothing is known that says why."""
        path = Path(os.fsdecode(note))
        artifact = self._context.ledger.artifacts.at(path)
        if artifact is None or artifact.state not in KNOWN or os.path.lexists(path):
            return None
        if not _is_folder_there(self._context, look.folder, path):
            return None
        if _has_a_successor(self._context, artifact):
            return None
        if (elsewhere := _known_elsewhere(self._context, artifact, look.notes)) is None:
            return artifact
        self._moved[note] = elsewhere
        return None


def _is_folder_there(context: Context, folder: Path, note: Path) -> bool:
    """False if the disk or the folder went with the note since the scan: then its owner did not remove it."""
    with suppress(OSError):
        return note.parent.is_dir() and why_unmounted(context.ledger, folder) is None
    return False


def _has_a_successor(context: Context, artifact: Artifact) -> bool:
    """True if another version of the same note is there: a later one, or one that its owner put this one in place of."""
    artifacts = context.ledger.artifacts
    place = context.ledger.places.get(artifact.place, artifact.recording_id)
    for other in artifacts.of_place(place) if place is not None else ():
        same = (other.kind, other.form) == (artifact.kind, artifact.form) and other.path != artifact.path
        if not same or not other.on_disk or not os.path.lexists(other.path):
            continue
        if artifact.sha256 and sha256_of(other.path) == artifact.sha256:
            artifacts.as_written(other.path, artifact)
        elif (other.rev, other.id) < (artifact.rev, artifact.id):
            continue
        artifacts.forget(artifact.path)
        return True
    return False


def _known_elsewhere(context: Context, artifact: Artifact, notes: Collection[bytes]) -> bytes | None:
    """Where a note of the kind lies that nobody knew of: moved, perhaps ahead of its recording."""
    for note in context.ledger.protection.seen(artifact.recording_id):
        there = os.fsencode(note.path)
        if note.kind == artifact.kind and there in notes and context.ledger.artifacts.at(note.path) is None:
            return there
    return None


def _put_back(context: Context, artifact: Artifact) -> None:
    """A person's act on a note of ours, so it is theirs from now on; what else has the name is not."""
    try:
        if not is_of(context, read_bytes(artifact.path), artifact):
            return
    except OSError:
        return
    context.ledger.artifacts.set_state(artifact.path, ArtifactState.EDITED)
    place = context.ledger.places.get(artifact.place, artifact.recording_id)
    if place is not None:
        context.ledger.artifacts.not_removed(place, artifact.kind, artifact.form)
