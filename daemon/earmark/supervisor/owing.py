"""Writing the notes that are owed, without asking a large ledger again and again whether any are."""

from __future__ import annotations

from earmark.context import Context
from earmark.domain import Instant
from earmark.pipeline.publishing import publish_owed

GLANCE = 30.0
"""Seconds after which is looked for owed notes whatever happened (the wall clock may have been set)."""


class Owing:
    """In a large ledger it costs to find that nothing is owed, so that is found out again only after a change to the
    ledger, when a wait is over, or after a while.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self.more = False
        self._nothing_at: tuple[int, int] | None = None
        self._next_due: Instant | None = None
        self._next_glance = 0.0

    def turn(self) -> None:
        """Write a bounded number of notes, if any may be owed."""
        ledger, now, clock = self._context.ledger, self._context.now(), self._context.clock.monotonic()
        version = ledger.db.version()
        waiting = self._next_due is None or now < self._next_due
        if self._nothing_at == version and waiting and clock < self._next_glance:
            return
        self._next_glance = clock + GLANCE
        written, self.more = publish_owed(self._context)
        nothing = not written and not self.more and ledger.db.version() == version
        self._nothing_at = version if nothing else None
        self._next_due = ledger.places.next_due(now)

    def idle(self) -> bool:
        """True if nothing is owed that could be written now."""
        return not self.more and not self._context.ledger.places.owed(self._context.now(), 1)
