"""Keeping the index of search up to date, a little in each turn of the loop."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from earmark.context import Context
from earmark.errors import EarmarkError, EnvironmentFault, LedgerError
from earmark.events import Event
from earmark.ledger import NO_WORDS, Ledger, index_saved
from earmark.ledger.index import DAY
from earmark.log import get_logger
from earmark.search.indexing import bring_up_to_date

log = get_logger(__name__)

DAMAGED = "The index of search was damaged and is made anew from the transcripts"

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
        self._looked_at = context.now()  # before this session began
        journal = context.ledger.journal
        if not (lacks := context.ledger.index.lacks()):
            journal.clear(NO_WORDS)
        elif journal.trouble(NO_WORDS, "system", lacks, context.now()):
            log.error(Event.NO_WORDS, sentence=lacks)

    def turn(self) -> None:
        version = self._context.ledger.db.version()
        if version == self._nothing_at:
            return
        self.more = bring_up_to_date(self._context, BUDGET)
        self._nothing_at = None if self.more else self._context.ledger.db.version()

    def look(self, idle: Callable[[], bool]) -> None:
        """Look at the whole index once a day, when nothing else is to be done. Raises LedgerError where it is damaged."""
        now, index = self._context.now(), self._context.ledger.index
        if 0 <= now - self._looked_at < DAY or not idle():
            return
        if not index.check():
            raise LedgerError(f"{self._context.ledger.file}: the ledger is damaged: the index of search")
        index.was_checked(now)
        self._looked_at = now


def check(ledger: Ledger) -> None:
    """Look at the whole ledger; an index that alone is damaged is made anew. Raises LedgerError if more is."""
    if ledger.check():
        log.error(Event.INDEX_MADE_ANEW, sentence=DAMAGED)


def made_anew(file: Path, alive: Callable[[], None]) -> bool:
    """True if nothing but the index of search was damaged: it is empty now, and is filled from the transcripts. Raises
    EnvironmentFault where the disk is the trouble.
    """
    try:
        try:
            with Ledger(file, alive=alive) as ledger:
                anew = ledger.index.made_sound(pages=True)
        except LedgerError:
            anew = index_saved(file, alive)
    except EnvironmentFault:
        raise
    except (EarmarkError, OSError, sqlite3.Error):
        return False
    if anew:
        log.error(Event.INDEX_MADE_ANEW, sentence=DAMAGED)
    return anew
