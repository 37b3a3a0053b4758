"""How far the queue is, asked anew every few seconds: in a large ledger the answer costs a tenth of a second."""

from __future__ import annotations

from earmark.context import Context
from earmark.domain import Tick
from earmark.pipeline.queued import queue
from earmark.report import Queue

SECONDS = 10.0
"""Between two looks; who waits for hours sees no difference."""


class Outlook:
    """The queue as it was a moment ago."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._next = Tick(0.0)
        self._known: Queue | None = None

    def queue(self, workers: int) -> Queue | None:
        """None if nothing waits to be heard. `workers`: recordings that are heard at once."""
        now = self._context.clock.monotonic()
        if now >= self._next:
            self._next, self._known = Tick(now + SECONDS), queue(self._context, workers)
        return self._known
