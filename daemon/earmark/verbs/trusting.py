"""Whether the index of search may be answered from: a small one is looked at whole before each answer, a large one where
nothing was found, and where nobody did for a day.
"""

from __future__ import annotations

import contextlib

from earmark.config import Config
from earmark.context import Clock, Context
from earmark.errors import EnvironmentFault, LedgerBusy, LedgerError
from earmark.ledger import Ledger
from earmark.ledger.index import DAY
from earmark.paths import Home
from earmark.verbs.opening import cut_index_made_anew, opened_context

ANEW = "the index of search is damaged; `earmark run` or `earmark search`, where it may write, makes it anew"


def require_trusted(context: Context) -> bool:
    """Look at a small index whole; false for one that is not, at which nobody looked. Raises LedgerError where it is
    damaged.
    """
    index = context.ledger.index
    if not index.is_small():
        return False
    if not index.check():
        raise _damaged(context.ledger)
    return True


def require_looked_at(context: Context) -> None:
    """Have a large index looked at whole, if nobody did for a day and this process may write that it did. Raises LedgerError
    where it is damaged.
    """
    ledger, now = context.ledger, context.now()
    if ledger.index.is_small() or 0 <= now - ledger.index.checked_at() < DAY:
        return
    try:
        with Ledger(ledger.file) as written:
            sound = written.index.check()
            if sound:
                written.index.was_checked(now)
    except (EnvironmentFault, LedgerBusy):
        return
    if not sound:
        raise _damaged(ledger)


def made_anew_in_doubt(home: Home, config: Config, *, writes: bool) -> bool:
    """Look at a large index whole, as nothing was found in it; true if it was damaged and is another one now. Raises
    LedgerError where it is damaged and cannot be made anew.
    """
    with opened_context(home, config, read_only=True) as context:
        if context.ledger.index.is_small():
            return False  # which was looked at
    return made_anew(home, writes=writes)


def made_anew(home: Home, *, writes: bool, pages: bool = False) -> bool:
    """True if nothing but the index was damaged, and it is another one now. Raises LedgerError where it is damaged and this
    process may not write. `pages`: look at all pages of the file.
    """
    if writes:
        try:
            with contextlib.suppress(EnvironmentFault), Ledger(home.ledger_file) as ledger:
                anew = ledger.index.made_sound(pages=pages)
                if anew:
                    ledger.index.was_checked(Clock().wall())
                return anew
        except LedgerError as error:
            if not cut_index_made_anew(home, error):
                raise
            return True
    with Ledger(home.ledger_file, read_only=True) as ledger:
        if ledger.index.check():
            return False
        raise _damaged(ledger)


def _damaged(ledger: Ledger) -> LedgerError:
    return LedgerError(f"{ledger.file}: {ANEW}")
