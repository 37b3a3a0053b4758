"""Asking a folder something in a thread, so that one that does not answer holds nobody up for long."""

from __future__ import annotations

import errno
import os
import queue
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Generic, TypeVar

PATIENCE = 2.0
"""Seconds."""

_Answer = TypeVar("_Answer")


class Asking(Generic[_Answer]):
    """Asks folders. Of one that does not answer there is one thread at most, however often it is asked."""

    def __init__(self, ask: Callable[[Path], _Answer]) -> None:
        self._ask = ask
        self._waiting: dict[Path, Thread] = {}

    def __call__(self, folder: Path) -> _Answer:
        """What it answers. Raises OSError, TimeoutError if it does not answer."""
        silent = TimeoutError(errno.ETIMEDOUT, f"{folder} does not answer", str(folder))
        if (before := self._waiting.get(folder)) is not None and before.is_alive():
            raise silent
        answers: queue.SimpleQueue[_Answer | OSError] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answers.put(self._ask(folder))
            except OSError as error:
                answers.put(error)
            except Exception as error:
                answers.put(
                    OSError(errno.EIO, f"{os.strerror(errno.EIO)} ({type(error).__name__})", str(folder))
                )

        self._waiting[folder] = thread = Thread(target=ask, name="ask", daemon=True)
        thread.start()
        try:
            answer = answers.get(timeout=PATIENCE)
        except queue.Empty:
            raise silent from None
        if isinstance(answer, OSError):
            raise answer
        return answer
