"""Hashing off the loop: a thread that reads settled files and leaves what it read as notes in the inbox."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from earmark.intake.content import Content, StillChanging, Stopped, read_content


@dataclass(frozen=True, slots=True)
class Read:
    """A note in the inbox: the content of a file, or why it could not be read."""

    path: bytes
    file: Path
    folder: Path
    content: Content | None
    error: OSError | None = None


class Reader:
    """Reads one file at a time, so that a large video does not keep the loop from its other duties."""

    def __init__(self, post: Callable[[Read], None]) -> None:
        self._post = post
        self._queue: queue.SimpleQueue[tuple[bytes, Path, Path] | None] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)
        self._thread.start()

    def read(self, path: bytes, file: Path, folder: Path) -> None:
        self._queue.put((path, file, folder))

    def stop(self) -> None:
        """Give up what is being read; the file will be found again."""
        self._stop.set()
        self._queue.put(None)

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            path, file, folder = item
            try:
                self._post(Read(path, file, folder, read_content(file, self._stop.is_set)))
            except StillChanging:
                self._post(Read(path, file, folder, None))
            except OSError as error:
                self._post(Read(path, file, folder, None, error))
            except Stopped:
                return
