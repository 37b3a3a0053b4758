"""Several pieces of work at once, and what comes of them in the order in which they were asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

from earmark.transcription.between import NOTHING, Between

Piece = TypeVar("Piece")
Made = TypeVar("Made")

AHEAD = 2
"""Pieces that are taken from the source for each that is worked on: while one takes long, the others do not wait for it."""


def side_by_side(
    do: Callable[[Piece], Made], pieces: Iterable[Piece], at_once: int, between: Between = NOTHING
) -> Iterator[Made]:
    """What `do` makes of each piece, in their order; `at_once` of them are worked on at a time, each in a thread.

    Pieces are taken from their source in the caller's thread, at most AHEAD times `at_once` before what was made of them is
    taken. Where something is wanted in `between`, no piece is begun, and it comes when those that are worked on are done.
    The first piece that fails, in order, raises what it raised, and no other one is begun.
    """
    if at_once <= 1:
        for piece in pieces:
            between.hear()
            yield do(piece)
        return
    pool = ThreadPoolExecutor(at_once, thread_name_prefix="window")
    try:
        waiting = _Waiting(do, pool, between)
        for piece in pieces:
            waiting.add(piece)
            while len(waiting) >= at_once * AHEAD or (len(waiting) and between.wanted()):
                yield waiting.first()
            if not len(waiting):
                between.hear()
        while len(waiting):
            yield waiting.first()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class _NotBegun:
    """In the place of what is made of a piece: it was not begun."""


class _Waiting(Generic[Piece, Made]):
    """Pieces that are worked on, or are to be."""

    def __init__(self, do: Callable[[Piece], Made], pool: ThreadPoolExecutor, between: Between) -> None:
        self._do, self._pool, self._between = do, pool, between
        self._pieces: deque[tuple[Piece, Future[Made | _NotBegun]]] = deque()

    def __len__(self) -> int:
        return len(self._pieces)

    def add(self, piece: Piece) -> None:
        self._pieces.append((piece, self._pool.submit(self._begin, piece)))

    def first(self) -> Made:
        """What was made of the first piece."""
        while isinstance(made := self._pieces[0][1].result(), _NotBegun):
            wait(future for _, future in self._pieces)
            self._between.hear()
            for _ in range(len(self._pieces)):
                piece, future = self._pieces.popleft()
                # One after it may have been begun a moment before somebody else came.
                if future.exception() is None and isinstance(future.result(), _NotBegun):
                    future = self._pool.submit(self._begin, piece)
                self._pieces.append((piece, future))
        self._pieces.popleft()
        return made

    def _begin(self, piece: Piece) -> Made | _NotBegun:
        return _NotBegun() if self._between.wanted() else self._do(piece)
