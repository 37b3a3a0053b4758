"""What was erased stays erased: a keyed hash of the content, so that a sync client cannot bring it back unasked.

HMAC-SHA256 of the recording's id under a key that never leaves the state folder. Whoever has a file and the state folder
can ask whether that very file was erased; nobody can tell from a tombstone what was.
"""

from __future__ import annotations

from pathlib import Path

from earmark.context import Context
from earmark.domain import Instant
from earmark.files import sha256_of
from earmark.ledger import Ledger
from earmark.retention.doubt import UNSURE, may_be_erased
from earmark.retention.receipts import issue, keyed


def tombstoned(ledger: Ledger, recording_id: str) -> bool:
    """True if a recording with this content was erased and must not be taken again; ask before accepting a file."""
    return erased_at(ledger, recording_id) is not None


def erased_at(ledger: Ledger, recording_id: str) -> Instant | None:
    """When it was erased, or None."""
    return ledger.protection.tombstoned(keyed(ledger, recording_id))


REFUSED = (
    "its content was erased with `earmark forget` and is not taken again unasked;"
    " if you want it back, say: earmark forget --lift FILE"
)


def why_refused(ledger: Ledger, recording_id: str) -> str | None:
    """The sentence for a file that is not taken because its content was erased, or may have been; None if it may be."""
    if erased_at(ledger, recording_id) is not None:
        return REFUSED
    return UNSURE if may_be_erased(ledger, recording_id) else None


def lift(context: Context, recording_id: str) -> bool:
    """A person wants it back: it may be accepted again. False if it was never erased.

    The refusals of files with this content are forgotten too: the daemon passes by what it refused and did not change.
    """
    ledger = context.ledger
    keyed_id = keyed(ledger, recording_id)
    refused = _refused_files(ledger, recording_id)
    with ledger.transaction():
        lifted = ledger.protection.lift_tombstone(keyed_id)
        if lifted:
            # An erasure that is still open because a file would not go ends here: its owner wants it.
            ledger.erasing.done(recording_id)
            issue(ledger, context.now(), "tombstone-lifted", recording=keyed_id)
        cleared = [file for file in refused if ledger.journal.clear(file)]
    return lifted or bool(cleared)


def _refused_files(ledger: Ledger, recording_id: str) -> list[Path]:
    """Files that were refused because this content was erased, by reading what they hold now."""
    refused = (
        Path(t.subject) for t in ledger.journal.troubles() if t.kind == "file" and t.sentence == REFUSED
    )
    return [file for file in refused if sha256_of(file) == recording_id]
