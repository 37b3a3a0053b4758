"""Reading drop folders through, each in a thread of its own: one that does not answer holds up itself and nothing else.

A folder hangs when it is listed while macOS asks its user whether earmark may read it, and while the server of a network
folder is gone.
"""

from __future__ import annotations

import os
import queue
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

from earmark.context import Clock
from earmark.domain import Instant, Tick
from earmark.files import Identity, fold, spelled
from earmark.intake.folder import Scan, rules_of, scan
from earmark.intake.mounts import device_of
from earmark.intake.watcher import Watcher
from earmark.supervisor.inbox import Hint, Scanned

PATIENCE = 2.0
"""Seconds that the loop waits for scans. A folder of which no name came for as long is silent."""

SILENT = 10.0
"""Seconds after which it is said of a folder; a disk that spins up takes as many."""


@dataclass(frozen=True, slots=True)
class Order:
    """Read this folder through. `asked_by`: under which configuration of which session; `watch`: arm it before."""

    folder: Path
    ignore: tuple[str, ...]
    recursive: bool
    known: Mapping[bytes, Identity]
    others: frozenset[Path]
    now: Instant
    watch: bool
    asked_by: object


@dataclass(slots=True)
class UnderWay:
    """A scan. Its thread writes all but `left_alone`, which says that the loop waits for it no longer."""

    order: Order
    began: Tick
    moved: Tick
    """When the last name came."""
    silence: float = 0.0
    """The longest time without a name, seconds."""
    took: float = 0.0
    found: Scan | None = None
    device: str | None = None
    unwatched: str | None = None
    error: Exception | None = None
    left_alone: bool = field(default=False)

    @property
    def folder(self) -> Path:
        return self.order.folder

    @property
    def was_silent(self) -> bool:
        """True if part of what it found is of before a long silence."""
        return self.silence >= SILENT


class Scans:
    """All that are under way, one a folder at most, also of a session before. Only the loop's thread calls it."""

    def __init__(self, post: Callable[[Hint | Scanned], None], clock: Clock) -> None:
        self._post, self._clock = post, clock
        self._watcher = Watcher(lambda folder: post(Hint(folder)))
        self._done: queue.SimpleQueue[UnderWay] = queue.SimpleQueue()
        self._under_way: dict[Path, UnderWay] = {}
        self.answered: set[Path] = set()
        """Folders that were read through since this process began."""

    def begin(self, order: Order) -> bool:
        """Begin to read a folder; false if that is still being done."""
        if order.folder in self._under_way:
            return False
        now = self._clock.monotonic()
        self._under_way[order.folder] = mine = UnderWay(order, now, now)
        try:
            Thread(target=self._run, args=(mine,), name="scan", daemon=True).start()
        except RuntimeError:
            self._run(mine)  # no more threads here
        return True

    def wait(self) -> list[UnderWay]:
        """What is done by now, after a moment for what was begun just now. A `Scanned` is posted for the rest."""
        until, found = self._clock.monotonic() + PATIENCE, self.done()
        with suppress(queue.Empty):
            while not all(each.left_alone for each in self._under_way.values()):
                found.append(self._ended(self._done.get(timeout=max(0.0, until - self._clock.monotonic()))))
        for each in self._under_way.values():
            each.left_alone = True
        return found + self.done()  # whoever was done before it saw that

    def done(self) -> list[UnderWay]:
        """What is done by now."""
        found = []
        with suppress(queue.Empty):
            while True:
                found.append(self._ended(self._done.get_nowait()))
        return found

    def any_under_way(self, silent_for: float = float("inf")) -> bool:
        """True if a folder is being read of which a name has come within so many seconds."""
        now = self._clock.monotonic()
        return any(now - each.moved < silent_for for each in self._under_way.values())

    def silent(self, seconds: float | None = None) -> list[Path]:
        """Folders of which no name has come for so long (default: for as long as the loop waits)."""
        now, least = self._clock.monotonic(), PATIENCE if seconds is None else seconds
        return [folder for folder, each in self._under_way.items() if now - each.moved >= least]

    def to_be_said(self) -> list[Path]:
        """Those of them that somebody is to hear of."""
        return self.silent(SILENT)

    def next_at(self) -> float:
        """When there may be something new to say of one that is silent, on the monotonic clock."""
        now, times = self._clock.monotonic(), [float("inf")]
        for each in self._under_way.values():
            times += [each.moved + wait for wait in (PATIENCE, SILENT) if each.moved + wait > now]
        return min(times)

    def unwatched(self) -> list[Path]:
        """Folders of which no change is told any more, although they were watched."""
        return self._watcher.dead()

    def keep_to(self, folders: Collection[Path]) -> None:
        """Others are watched no longer."""
        self._watcher.keep_to(folders)

    def stop(self) -> None:
        """No changes are told any more; what hangs is left alone."""
        self._watcher.stop()

    def _ended(self, ended: UnderWay) -> UnderWay:
        self._under_way.pop(ended.folder, None)
        self.answered.add(ended.folder)
        return ended

    def _run(self, mine: UnderWay) -> None:
        try:
            self._read(mine)
        except Exception as error:  # told in the loop
            mine.error = error
        mine.took = self._sign(mine) - mine.began
        self._done.put(mine)
        if mine.left_alone:
            self._post(Scanned())

    def _read(self, mine: UnderWay) -> None:
        order, folder = mine.order, mine.folder

        def sign() -> None:
            self._sign(mine)

        # Nothing else is asked of a folder before it has answered once.
        with suppress(OSError), os.scandir(folder) as entries:
            next(entries, None)
        sign()
        # Watch first, then read: what arrives in between is seen twice rather than never.
        if order.watch:
            mine.unwatched = self._watcher.arm(folder, order.recursive) or self._watcher.in_doubt(folder)
            sign()
        else:
            self._watcher.drop(folder)
        rules = rules_of(folder, order.ignore)
        others = frozenset(os.fsencode(_as_met(other, folder)) for other in order.others)
        mine.found = scan(folder, rules, order.recursive, order.known, others, order.now, sign)
        if mine.found.away is None:
            try:
                mine.device = device_of(folder)
            except OSError as error:
                mine.found.away = f"{folder} cannot be read: {error.strerror}"

    def _sign(self, mine: UnderWay) -> Tick:
        now = self._clock.monotonic()
        mine.silence = max(mine.silence, now - mine.moved)
        mine.moved = now
        return now


def _as_met(other: Path, folder: Path) -> Path:
    """A drop folder as the look through another one meets it, which reads names as the disk lists them. One that cannot lie
    in it is asked nothing: it may be the one that does not answer.
    """
    if not fold(str(other)).startswith(f"{fold(str(folder))}/"):
        return other
    listed, top = spelled(other), spelled(folder)
    return folder / listed.relative_to(top) if listed.is_relative_to(top) else other
