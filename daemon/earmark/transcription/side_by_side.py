"""Several pieces of work at once, and what comes of them in the order in which they were asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Piece = TypeVar("Piece")
Made = TypeVar("Made")

AHEAD = 2
"""Pieces that are taken from the source for each that is worked on: while one takes long, the others do not wait for it."""


def side_by_side(do: Callable[[Piece], Made], pieces: Iterable[Piece], at_once: int) -> Iterator[Made]:
    """What `do` makes of each piece, in their order; `at_once` of them are worked on at a time, each in a thread.

    Pieces are taken from their source in the caller's thread, at most AHEAD times `at_once` before what was made of them is
    taken. The first piece that fails, in order, raises what it raised, and no other one is begun.
    """
    if at_once <= 1:
        yield from map(do, pieces)
        return
    pool = ThreadPoolExecutor(at_once, thread_name_prefix="window")
    waiting: deque[Future[Made]] = deque()
    try:
        for piece in pieces:
            waiting.append(pool.submit(do, piece))
            if len(waiting) >= at_once * AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
