"""What SQLite's machine does in a turn of the loop: the same number on every machine."""

from __future__ import annotations

from earmark.ledger import Ledger
from earmark.supervisor.session import Session


def sqlite_steps(session: Session, ledger: Ledger) -> int:
    """Its steps in one turn, with the questions for how long to wait afterwards."""
    counted = 0

    def step() -> int:
        nonlocal counted
        counted += 1
        return 0

    db = vars(ledger.db)["_db"]
    db.set_progress_handler(step, 1)
    session._turn()
    session._patience()
    db.set_progress_handler(None, 1)
    return counted
