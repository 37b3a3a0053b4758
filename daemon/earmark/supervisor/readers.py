"""Threads that read settled files, so that a large or a slow one holds up neither the loop nor the others."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass

from earmark.context import Clock
from earmark.domain import Tick
from earmark.files import Identity, StillChanging, Stopped, fingerprint, open_regular
from earmark.formats import HEAD, of_others
from earmark.intake.copying import being_copied
from earmark.report import STALLED
from earmark.supervisor.arriving import ArrivingFile
from earmark.supervisor.inbox import Read

LARGE = 4 << 30
"""Bytes from which on a file is large and read beside the others: one of a terabyte takes half an hour or more."""

STEP = 16
"""How many times as large the files of the next reader are: whatever waits, waits for files of about its own size."""

READERS = 4
"""Up to 4, 64 and 1024 GiB, and beyond."""

MOST_THREADS = 4
"""Of one reader. Another one starts when no byte comes any more of what all of them read; and of files that are not large,
when these take long."""

LOOK = 1.0
"""Seconds between two looks at whether a file that is being read is still there and the same."""


@dataclass(frozen=True, slots=True)
class Order:
    """Read this file, and say also how it begins up to these sizes. `is_news`: nothing is known of its path, so that it may
    be no recording.
    """

    arriving: ArrivingFile
    begins: Collection[int] = ()
    is_news: bool = False


class Readers:
    """All of them; only the loop's thread calls them. Threads start when there is something to be read."""

    def __init__(self, post: Callable[[Read], None], clock: Clock) -> None:
        self._readers = [_Reader(post, clock, patient=number > 0) for number in range(READERS)]

    def read(self, order: Order) -> None:
        """Read a file when its turn has come, and post a `Read`. Raises RuntimeError where the system gives no thread."""
        size, number = order.arriving.identity.size, 0
        while number < READERS - 1 and size > LARGE * STEP**number:
            number += 1
        self._readers[number].read(order)

    def relieve(self, now: Tick) -> bool:
        """Whatever waits for a file of which no byte comes, or few, gets another thread; true if there is a new one."""
        relieved = [reader.relieve(now) for reader in self._readers]
        return any(relieved)

    def stop(self) -> None:
        """Give up what is being read; the files will be found again."""
        for reader in self._readers:
            reader.stop()


class _Reader:
    """Files of one order of magnitude, one at a time as long as their bytes come. `patient`: however long that takes."""

    def __init__(self, post: Callable[[Read], None], clock: Clock, patient: bool) -> None:
        self._patient = patient
        self._post, self._clock = post, clock
        self._queue: queue.SimpleQueue[Order | None] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._threads = 0
        self._at_work: dict[int, ArrivingFile] = {}

    def read(self, order: Order) -> None:
        if not self._threads:
            self._start()
        self._queue.put(order)

    def relieve(self, now: Tick) -> bool:
        at_work = list(self._at_work.values())
        stuck = 0 < len(at_work) == self._threads and all(
            (a.silent(now) if self._patient else a.took(now)) >= STALLED for a in at_work
        )
        if not stuck or self._threads >= MOST_THREADS or self._queue.empty():
            return False
        with contextlib.suppress(RuntimeError):  # no more threads here: it is tried again
            self._start()
            return True
        return False

    def stop(self) -> None:
        self._stop.set()
        for _ in range(self._threads):
            self._queue.put(None)

    def _start(self) -> None:
        threading.Thread(target=self._run, name="reader", daemon=True).start()
        self._threads += 1

    def _run(self) -> None:
        while (order := self._queue.get()) is not None and not self._stop.is_set():
            mine, arriving = threading.get_ident(), order.arriving
            arriving.begin(self._clock.monotonic())
            self._at_work[mine] = arriving
            found = self._found(order)
            del self._at_work[mine]
            if self._stop.is_set():
                return
            self._post(found)

    def _found(self, order: Order) -> Read:
        arriving = order.arriving
        path, file, folder = arriving.path, arriving.file, arriving.folder
        try:
            with open_regular(file) as fd:
                status, head = os.fstat(fd), os.pread(fd, HEAD, 0)
                if being_copied(status, self._clock.wall()):
                    return Read(path, file, folder, None)
                if order.is_news and of_others(file.name, head):
                    return Read(path, file, folder, None, of_others=Identity.of(status))
                if status.st_size > LARGE and not head.strip(b"\0"):
                    return Read(path, file, folder, None, blank=state_of(status))
                content = fingerprint(fd, self._watch(arriving, Identity.of(status)), order.begins)
            return Read(path, file, folder, content)
        except (StillChanging, Stopped):
            return Read(path, file, folder, None)
        except OSError as error:
            return Read(path, file, folder, None, error)

    def _watch(self, arriving: ArrivingFile, identity: Identity) -> Callable[[int], bool]:
        """What is told how far the reading is, and says when there is no more point in it."""
        looked_at = self._clock.monotonic()

        def stop(at: int) -> bool:
            nonlocal looked_at
            now = self._clock.monotonic()
            arriving.at, arriving.moved = at, now
            if now - looked_at >= LOOK:
                looked_at = now
                # Its last byte may be hours away, and what was begun with is gone or another by now.
                if Identity.of(os.lstat(arriving.path)) != identity:
                    raise StillChanging
            return arriving.unwanted or self._stop.is_set()

        return stop


def state_of(status: os.stat_result) -> str:
    """Another text after whatever is done to a file, also where its time of modification is set back."""
    return f"{Identity.of(status)}:{status.st_ctime_ns}:{getattr(status, 'st_blocks', 0)}"
