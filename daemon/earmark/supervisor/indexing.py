"""Keeping the index of search up to date, a little in each turn of the loop."""

from __future__ import annotations

from earmark.context import Context
from earmark.search.indexing import bring_up_to_date

BUDGET = 0.2
"""Seconds of indexing before the loop looks at its other duties; some ten recordings."""


class Indexing:
    """Puts words into the index that are not in it. In a large ledger it costs to find that there are none, so that is
    looked for again only after a change to the ledger.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self.more = False
        """True if there are words that are not in the index."""
        self._nothing_at: object = None

    def turn(self) -> None:
        version = self._context.ledger.db.version()
        if version == self._nothing_at:
            return
        self.more = bring_up_to_date(self._context, BUDGET)
        self._nothing_at = None if self.more else self._context.ledger.db.version()
