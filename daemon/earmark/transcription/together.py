"""What several threads ask of one graphics card at the same time is done in one call, as far as its memory bears it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from earmark.transcription.gpu import is_out_of_memory

Item = TypeVar("Item")
Made = TypeVar("Made")

GATHER = 0.05
"""Seconds that are waited for whoever may ask for the same, since the last one did. A call takes several times as long."""


class Together:
    """Calls that are made for several at a time. `most`: how many; it is halved where the memory is not enough, and stays
    so, because a card that was full once will be again.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._changed = threading.Condition()
        self._card = threading.Lock()
        self._waiting: list[_Asked] = []
        self._inside = 0

    @contextmanager
    def inside(self) -> Iterator[None]:
        """While this is held, its thread may ask for something any moment: others wait a little for it."""
        with self._changed:
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    def do(self, key: Hashable, item: Item, work: Callable[[Sequence[Item]], Sequence[Made]]) -> Made:
        """What `work` makes of this item, perhaps in one call with others of the same key, whose `work` does the same.
        Raises what that raised.
        """
        asked = _Asked(key, item)
        with self._changed:
            self._waiting.append(asked)
            self._changed.notify_all()
        with self._card:
            if not asked.over:
                self._work(self._gather(asked), work)
        if asked.error is not None:
            raise asked.error
        made: Made = asked.made
        return made

    def _gather(self, asked: _Asked) -> list[_Asked]:
        with self._changed:
            while len(self._waiting) < min(self._inside, self.most) and self._changed.wait(GATHER):
                pass
            same = [other for other in self._waiting if other.key == asked.key and other is not asked]
            batch = [asked, *same[: self.most - 1]]
            self._waiting = [other for other in self._waiting if other not in batch]
        return batch

    def _work(self, batch: list[_Asked], work: Callable[[Sequence[Any]], Sequence[Any]]) -> None:
        try:
            made = work([asked.item for asked in batch])
        except BaseException as error:
            half = len(batch) // 2
            if half and is_out_of_memory(error):
                self.most = min(self.most, max(1, half))
                self._work(batch[:half], work)
                self._work(batch[half:], work)
                return
            for asked in batch:
                asked.error, asked.over = error, True
            return
        for asked, each in zip(batch, made, strict=True):
            asked.made, asked.over = each, True


class _Asked:
    """What one thread asks for, and what comes of it."""

    def __init__(self, key: Hashable, item: Any) -> None:
        self.key, self.item = key, item
        self.made: Any = None
        self.error: BaseException | None = None
        self.over = False
