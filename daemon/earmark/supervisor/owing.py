"""Writing the notes that are owed, without asking a large ledger again and again whether any are."""

from __future__ import annotations

from earmark.context import Context
from earmark.domain import Instant, Tick
from earmark.ledger import Place
from earmark.pipeline.publishing import publish_owed
from earmark.pipeline.unwritable import Unwritable

GLANCE = 30.0
"""Seconds after which is looked for owed notes whatever happened (the wall clock may have been set)."""

LONGEST_WAIT = 60.0
"""Seconds that a run that is to end waits for notes that another program has open."""

LOOK = 3.0
"""Seconds between two looks at folders whose notes could not be written."""

NEVER = float("inf")


class Owing:
    """In a large ledger it costs to find that nothing is owed, so that is found out again only after a change to the
    ledger, when a wait is over, or after a while.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self.more = False
        self._nothing_at: object = None
        """The state of the ledger, and which folders did not answer, when nothing was to be written."""
        self._next_due: Instant | None = None
        self._next_glance = 0.0
        self._waiting_since: Tick | None = None
        self._unwritable = Unwritable(context)
        self._next_look = float("-inf")

    def turn(self) -> None:
        """Write a bounded number of notes, if any may be owed."""
        ledger, now, clock = self._context.ledger, self._context.now(), self._context.clock.monotonic()
        if clock >= self._next_look:
            self._look(clock)
        state = ledger.db.version(), self._context.silent
        waiting = self._next_due is None or now < self._next_due
        if self._nothing_at == state and waiting and clock < self._next_glance:
            return
        self._next_glance = clock + GLANCE
        written, self.more = publish_owed(self._context)
        nothing = not written and not self.more and (ledger.db.version(), self._context.silent) == state
        self._nothing_at = state if nothing else None
        self._next_due = ledger.places.next_due(now)
        if self._next_due is not None and self._next_look == NEVER:
            self._look(clock)

    def next_at(self) -> float:
        """When the loop should come here again, on the monotonic clock."""
        return self._next_look

    def _look(self, clock: Tick) -> None:
        self._next_look = clock + LOOK if self._unwritable.look() else NEVER

    def idle(self) -> bool:
        """True if nothing is owed that could be written now: not in folders that do not answer."""
        context = self._context
        return not self.more and not context.ledger.places.owed(context.now(), 1, context.silent)

    def done_with(self) -> bool:
        """True if nothing more can be expected of a run that is to end: what is still owed was tried, and is in trouble, or
        has been open in another program for too long.
        """
        if not self.idle():
            self._waiting_since = None
            return False
        if all(place.trouble for place in self.still_owed()):
            return True
        now = self._context.clock.monotonic()
        self._waiting_since = now if self._waiting_since is None else self._waiting_since
        return now - self._waiting_since >= LONGEST_WAIT

    def still_owed(self) -> list[Place]:
        """All that is owed, whether or not it is to be tried now."""
        return self._context.ledger.places.owed(Instant(float("inf")))
