"""After damage nobody may know whether all that protects is there. Then nothing goes, and nothing is heard that may have
been erased, until a person has looked.
"""

from __future__ import annotations

from collections.abc import Collection

from earmark.context import Context
from earmark.domain import Instant
from earmark.events import Event
from earmark.ledger import Ledger
from earmark.ledger.digests import ALL_TABLES, ERASED, in_words
from earmark.ledger.second_copy import CopyUnreadable

DOUBT = "[protection]"
"""Under which name `status` shows that nobody knows whether all holds are there, after damage to the ledger."""

UNSURE = (
    "it waits: the ledger was damaged, and nobody knows whether its content was erased with `earmark forget`; if it was not,"
    " say: earmark retention trust"
)
"""The sentence for a file that is not taken meanwhile."""


def reconcile(context: Context) -> None:
    """Compare the ledger with what was written into it, and with the copy of what protects; whatever one has lost comes back
    from the other. Where nobody can tell what was there, nothing goes until a person has looked.
    """
    ledger, second = context.ledger, context.ledger.protection.second
    if second.agrees():
        return
    try:
        with ledger.transaction():
            found = second.reconcile()
            if found.doubtful:
                other = "The ledger was damaged: other rows are there than were written in"
                begin_doubt(
                    ledger, f"{other} {', '.join(in_words(found.doubtful))}", found.doubtful, context.now()
                )
    except CopyUnreadable as unreadable:
        with ledger.transaction():
            begin_doubt(ledger, f"{unreadable}; it is kept as {second.aside}", ALL_TABLES, context.now())
        context.step("after:doubt")
        second.set_aside()
        with ledger.transaction():
            second.changed()
        return
    if found.restored:
        sentence = f"The ledger had lost part of {', '.join(found.restored_in_words)}; it is there again."
        context.tell(Event.PROTECTION_RESTORED, sentence, level="error")


def begin_doubt(ledger: Ledger, what: str, tables: Collection[str], now: Instant) -> None:
    """Write down that nobody knows whether all rows of these tables are there, and what a person can do. Call in a
    transaction.
    """
    doubt = (
        f"{what}. No rule takes anything{_and_nothing_new(tables)} until you have looked (earmark hold, earmark retention"
        " plan) and say that all is as it should be: earmark retention trust"
    )
    ledger.journal.record(now, Event.PROTECTION_DOUBTFUL, doubt)
    ledger.journal.trouble(DOUBT, "system", doubt, now, " ".join(sorted({*tables, *in_doubt(ledger)})))


def in_doubt(ledger: Ledger) -> frozenset[str]:
    """The tables of which nobody knows whether all their rows are there."""
    found = (trouble.seen for trouble in ledger.journal.troubles() if trouble.subject == DOUBT)
    return frozenset(table for seen in found for table in seen.split())


def may_be_erased(ledger: Ledger, recording_id: str) -> bool:
    """True if a content may have been erased, and nobody can tell. One that the ledger knows was not."""
    return not ERASED.isdisjoint(in_doubt(ledger)) and ledger.recordings.get(recording_id) is None


def end_doubt(ledger: Ledger) -> bool:
    """A person has looked; files that waited for it are looked at again. True if there was a doubt. Call in a
    transaction.
    """
    if not ledger.journal.clear(DOUBT):
        return False
    for trouble in ledger.journal.troubles():
        if trouble.kind == "file" and trouble.sentence == UNSURE:
            ledger.journal.clear(trouble.subject)
    ledger.protection.second.changed()
    return True


def _and_nothing_new(tables: Collection[str]) -> str:
    return "" if ERASED.isdisjoint(tables) else ", and no content is heard that was not known,"
