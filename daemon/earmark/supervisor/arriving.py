"""Files that were seen and are not taken yet: one record for each, from the scan that found it to its row in the ledger."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from earmark.domain import Tick
from earmark.files import Identity, StillChanging, Stopped, being_written, fingerprint, open_regular
from earmark.formats import HEAD, of_others
from earmark.intake.rules import settle_times
from earmark.supervisor.inbox import Read

RESTLESS = 30.0
"""Seconds after which a file that never stays the same is one that is still written to; at least ten settle times."""


class Phase(Enum):
    """How far a file is."""

    SETTLING = auto()
    WRITTEN_TO = auto()
    """Some process has it open for writing."""
    READING = auto()
    """A thread reads it."""


@dataclass(slots=True)
class ArrivingFile:
    """`identity` is as it was seen last, `since` when it was first seen so, `first` when it was seen at all."""

    path: bytes
    folder: Path
    identity: Identity
    since: Tick
    first: Tick
    phase: Phase = Phase.SETTLING
    settle_times: int = 1

    @property
    def file(self) -> Path:
        return Path(os.fsdecode(self.path))


class Arriving:
    """All of them. Nothing is ever dropped from here but by being taken or vanishing. Only the loop's thread calls it."""

    def __init__(self, settle_seconds: float) -> None:
        self.settle_seconds = settle_seconds
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

    def read(self, arriving: ArrivingFile) -> None:
        """It is being read from now on."""
        arriving.phase = Phase.READING

    def again(self, path: bytes, now: Tick) -> None:
        """It changed while it was read: its wait starts anew."""
        if path in self._files:
            self._files[path].since, self._files[path].phase = now, Phase.SETTLING

    def leave(self, path: bytes) -> None:
        """It was taken, or it is not there any more."""
        self._files.pop(path, None)

    def next_at(self) -> float:
        """When the next of them could be settled, on the monotonic clock."""
        waiting = (self._settled_at(f) for f in self._files.values() if f.phase is not Phase.READING)
        return min(waiting, default=float("inf"))

    def in_phase(self, *phases: Phase) -> list[str]:
        """Their paths, sorted."""
        return sorted(os.fsdecode(f.path) for f in self._files.values() if f.phase in phases)

    def idle(self) -> bool:
        """True if nothing has still to be taken but what others are writing to, all the time or again and again. One that
        stays the same since it was seen to change last is waited for, however long that took.
        """
        return all(
            f.phase is Phase.WRITTEN_TO
            or (f.phase is Phase.SETTLING and f.since - f.first > self._patience(f))
            for f in self._files.values()
        )

    def _settled_at(self, arriving: ArrivingFile) -> float:
        return arriving.since + arriving.settle_times * self.settle_seconds

    def _patience(self, arriving: ArrivingFile) -> float:
        return max(RESTLESS, 10 * self.settle_seconds) + arriving.settle_times * self.settle_seconds


class Reader:
    """A thread that reads settled files one at a time, so that a large video does not keep the loop from its duties."""

    def __init__(self, post: Callable[[Read], None]) -> None:
        self._post = post
        self._queue: queue.SimpleQueue[tuple[ArrivingFile, Collection[int], bool] | None] = (
            queue.SimpleQueue()
        )
        self._stop = threading.Event()
        threading.Thread(target=self._run, name="reader", daemon=True).start()

    def read(self, arriving: ArrivingFile, begins: Collection[int], is_news: bool = False) -> None:
        """Read this file, and say also how it begins up to these sizes. `is_news`: nothing is known of its path, so that it
        may be no recording.
        """
        self._queue.put((arriving, begins, is_news))

    def stop(self) -> None:
        """Give up what is being read; the file will be found again."""
        self._stop.set()
        self._queue.put(None)

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            arriving, begins, is_news = item
            path, file, folder = arriving.path, arriving.file, arriving.folder
            try:
                with open_regular(file) as fd:
                    if is_news and of_others(file.name, os.pread(fd, HEAD, 0)):
                        self._post(Read(path, file, folder, None, of_others=Identity.of(os.fstat(fd))))
                        continue
                    content = fingerprint(fd, self._stop.is_set, begins)
                self._post(Read(path, file, folder, content))
            except StillChanging:
                self._post(Read(path, file, folder, None))
            except OSError as error:
                self._post(Read(path, file, folder, None, error))
            except Stopped:
                return
