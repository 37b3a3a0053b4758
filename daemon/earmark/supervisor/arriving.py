"""Files that were seen and are not taken yet: one record for each, from the scan that found it to its row in the ledger."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from earmark.domain import Tick
from earmark.files import Identity, being_written
from earmark.intake.rules import settle_times
from earmark.report import STALLED

RESTLESS = 30.0
"""Seconds after which a file that never stays the same is one that is still written to; at least ten settle times."""


SOON = (1.0, 10.0)
"""Seconds that a file has to stay the same, from which to which a worker is started meanwhile: it takes most of a second to
get ready, and is not to stand by for what will take a while."""

LONGEST_REST = 600.0
"""Seconds that a file which changed while it was read has to stay the same at most; else as long as that reading took."""


class Phase(Enum):
    """How far a file is."""

    SETTLING = auto()
    WRITTEN_TO = auto()
    """Some process has it open for writing."""
    READING = auto()
    """A thread reads it, or will when its turn has come."""


@dataclass(slots=True)
class ArrivingFile:
    """`identity` is as it was seen last, `since` when it was first seen so, `first` when it was seen at all.

    `rest`: seconds that it has to stay the same at least, because it changed while it was read. The reader's thread writes
    `began`, `at` (bytes read) and `moved` (when the last of them came), and the loop reads them; `unwanted` the other way.
    """

    path: bytes
    folder: Path
    identity: Identity
    since: Tick
    first: Tick
    phase: Phase = Phase.SETTLING
    settle_times: int = 1
    rest: float = 0.0
    began: Tick | None = None
    at: int = 0
    moved: Tick | None = None
    unwanted: bool = False

    @property
    def file(self) -> Path:
        return Path(os.fsdecode(self.path))

    def begin(self, now: Tick) -> None:
        """Its reading begins."""
        self.began, self.at, self.moved = now, 0, now

    def took(self, now: Tick) -> float:
        """Seconds since its reading began."""
        return 0.0 if self.began is None else now - self.began

    def silent(self, now: Tick) -> float:
        """Seconds since the last byte came of one that is being read."""
        return 0.0 if self.moved is None else now - self.moved


class Arriving:
    """All of them. Nothing is ever dropped from here but by being taken or vanishing. Only the loop's thread calls it."""

    def __init__(self, settle_seconds: float) -> None:
        self.settle_seconds = settle_seconds
        self.silent: Collection[Path] = ()
        """Folders that do not answer: what arrives there waits, and is not waited for."""
        self._files: dict[bytes, ArrivingFile] = {}

    def see(self, path: bytes, folder: Path, identity: Identity, now: Tick) -> bool:
        """A scan found it. True if it is news that its name asks for a longer wait. One that is being read is left to its
        reader.
        """
        known = self._files.get(path)
        if known is None:
            times = settle_times(Path(os.fsdecode(path)).name)
            self._files[path] = ArrivingFile(path, folder, identity, now, now, settle_times=times)
            return times > 1
        if known.identity != identity and known.phase is not Phase.READING:
            known.identity, known.since = identity, now
        return False

    def settled(self, now: Tick) -> tuple[list[ArrivingFile], list[ArrivingFile]]:
        """Those that have looked the same for the settle time, looked at once more; and those of which it is news that
        somebody writes to them. The vanished are dropped.
        """
        found, written_to = [], []
        for arriving in list(self._files.values()):
            if arriving.phase is Phase.READING or now < self._settled_at(arriving):
                continue
            if arriving.folder in self.silent:
                continue
            try:
                identity = Identity.of(os.lstat(arriving.path))
            except OSError:
                self.leave(arriving.path)
                continue
            if identity != arriving.identity:
                arriving.identity, arriving.since = identity, now
                continue
            if being_written(arriving.file):
                if arriving.phase is not Phase.WRITTEN_TO:
                    written_to.append(arriving)
                arriving.since, arriving.phase = now, Phase.WRITTEN_TO
            else:
                found.append(arriving)
        return found, written_to

    def read(self, arriving: ArrivingFile, now: Tick) -> None:
        """It is to be read from now on."""
        arriving.phase, arriving.since, arriving.began, arriving.moved = Phase.READING, now, None, None

    def again(self, path: bytes, now: Tick) -> None:
        """It changed while it was read: its wait starts anew, and is as long as that reading took."""
        if (file := self._files.get(path)) is not None:
            file.rest = min(LONGEST_REST, file.took(now))
            file.since, file.phase = now, Phase.SETTLING

    def get(self, path: bytes) -> ArrivingFile | None:
        """What is known of it, if it is on its way."""
        return self._files.get(path)

    def keep_to(self, folders: Collection[Path]) -> None:
        """Other folders are watched no longer."""
        for file in [f for f in self._files.values() if f.folder not in folders]:
            file.unwanted = True
            self.leave(file.path)

    def refuse(self, path: bytes) -> None:
        """It is not to be taken as it is now. One that is being read is left to its reader."""
        if (file := self._files.get(path)) is not None and file.phase is not Phase.READING:
            self.leave(path)

    def leave(self, path: bytes) -> None:
        """It was taken, or it is not there any more."""
        self._files.pop(path, None)

    def next_at(self) -> float:
        """When the next of them could be settled, on the monotonic clock."""
        waiting = (f for f in self._files.values() if f.phase is not Phase.READING)
        return min(
            (self._settled_at(f) for f in waiting if f.folder not in self.silent), default=float("inf")
        )

    def soon(self, now: Tick) -> Path | None:
        """The drop folder of a file that is probably taken in a moment; None if there is none."""
        return next(
            (
                file.folder
                for file in self._files.values()
                if file.phase is Phase.SETTLING
                and file.folder not in self.silent
                and SOON[0] <= self._settled_at(file) - file.since <= SOON[1]
                and now - file.first <= self._patience(file)
            ),
            None,
        )

    def in_phase(self, *phases: Phase) -> list[str]:
        """Their paths, sorted."""
        return sorted(os.fsdecode(f.path) for f in self._files.values() if f.phase in phases)

    def being_read(self) -> list[ArrivingFile]:
        """Those that a thread reads or will read."""
        return [f for f in self._files.values() if f.phase is Phase.READING]

    def awaits(self, size: int, now: Tick) -> bool:
        """True if a file of so many bytes is on its way that will be taken before long: it is read, or settles."""
        return any(
            file.identity.size == size
            and file.folder not in self.silent
            and (
                (file.phase is Phase.READING and max(now - file.since, file.silent(now)) < STALLED)
                or (file.phase is Phase.SETTLING and file.since - file.first <= self._patience(file))
            )
            for file in self._files.values()
        )

    def idle(self, now: Tick) -> bool:
        """True if nothing has still to be taken but what others are writing to, all the time or again and again, and what
        gives no byte any more. One that stays the same since it was seen to change last is waited for, however long that
        took, and one that is read, as long as its bytes come.
        """
        no_byte_comes = all(f.silent(now) >= STALLED for f in self.being_read() if f.began is not None)
        return all(
            f.phase is Phase.WRITTEN_TO
            or f.folder in self.silent
            or (f.phase is Phase.SETTLING and f.since - f.first > self._patience(f))
            or (f.phase is Phase.READING and no_byte_comes and now - f.since >= STALLED)
            for f in self._files.values()
        )

    def _settled_at(self, arriving: ArrivingFile) -> float:
        return arriving.since + max(arriving.settle_times * self.settle_seconds, arriving.rest)

    def _patience(self, arriving: ArrivingFile) -> float:
        return max(RESTLESS, 10 * self.settle_seconds) + arriving.settle_times * self.settle_seconds
