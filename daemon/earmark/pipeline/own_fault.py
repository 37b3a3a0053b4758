"""A mistake of earmark's own ends with the recording that brought it to light, and never with the daemon.

Numbers that SQLite cannot hold, rows that a verb took away, a template that nobody foresaw: whatever comes out as an error
that is neither the machine's nor the ledger's is settled here, by the one who knows which recording it was.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from earmark.context import Context
from earmark.domain import Tick
from earmark.errors import (
    NO_MORE_THREADS,
    EarmarkError,
    EnvironmentFault,
    LedgerBusy,
    LedgerError,
    no_more_threads,
    place_of,
)
from earmark.events import Event
from earmark.files import why
from earmark.ledger.mending import mend
from earmark.log import get_logger

log = get_logger(__name__)

MACHINE = frozenset({
    errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN,
    errno.ENOBUFS,
})  # fmt: skip
"""Errors of the system that no recording is to blame for."""

EXAMINE_SECONDS = 600.0
"""Between two looks at the whole ledger; a second for every 180 MB each."""

Settle = Callable[[str, bool], object]
"""Is told what went wrong, as a sentence, and whether the recording is to be charged for it."""


@contextmanager
def own_fault(context: Context, settle: Settle) -> Iterator[None]:
    """Let whatever goes wrong in the block end there; not in a transaction, which has to be rolled back first.

    Raises EnvironmentFault for what is the machine's trouble, and LedgerError if the ledger turns out to be damaged.
    """
    try:
        yield
    except (EnvironmentFault, LedgerError, LedgerBusy):
        raise
    except Exception as error:
        if of_the_machine(error):
            raise EnvironmentFault(machine_fault(error)) from error
        where = place_of(error)
        log.error(Event.WENT_WRONG, error=type(error).__name__, where=where)
        charged = not _mended(context)
        settle(_sentence(error, where), charged)


def of_the_machine(error: Exception) -> bool:
    """True for what no recording is to blame for."""
    return no_more_threads(error) or (isinstance(error, OSError) and error.errno in MACHINE)


def machine_fault(error: Exception) -> str:
    """The machine's trouble as a sentence."""
    if not isinstance(error, OSError):
        return NO_MORE_THREADS
    what = f"{Path(str(error.filename))}: " if isinstance(error.filename, str) else ""
    return f"{what}{why(error)}"


def _sentence(error: Exception, where: list[str]) -> str:
    if isinstance(error, EarmarkError):
        return str(error)
    return f"earmark itself went wrong with it ({type(error).__name__} at {where[-1] if where else 'an unknown place'})"


def _mended(context: Context) -> bool:
    """True if it was the ledger's rows, which are taken out now, and not the recording. Raises LedgerError."""
    anew, now = False, context.clock.monotonic()
    if context.examined is None or now - context.examined > EXAMINE_SECONDS:
        anew = context.ledger.check()
        context.examined = Tick(now)
    count = mend(context.ledger)
    if count:
        context.tell(Event.LEDGER_MENDED, level="error", rows=count)
    return anew or count > 0
