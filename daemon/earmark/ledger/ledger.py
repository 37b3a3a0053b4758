"""The ledger as one thing: the only truth about what was seen, done, written and decided."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from earmark.ledger.artifacts import Artifacts
from earmark.ledger.connection import Connection
from earmark.ledger.erasing import Erasing
from earmark.ledger.jobs import Jobs
from earmark.ledger.journal import Journal
from earmark.ledger.places import Place, Places
from earmark.ledger.receipts import Receipts
from earmark.ledger.retention import Retention
from earmark.ledger.trash import Trash
from earmark.ledger.words import Words


class Ledger:
    """All tables of one ledger file. Open it for writing in the daemon only (see `DaemonLock`); verbs that look
    open it read-only, verbs that decide (`retry`, `hold`) write short transactions that the daemon's loop finds.
    """

    def __init__(self, file: Path, *, read_only: bool = False) -> None:
        self.db = Connection(file, read_only=read_only)
        self.places = Places(self.db)
        self.jobs = Jobs(self.db)
        self.words = Words(self.db)
        self.artifacts = Artifacts(self.db)
        self.journal = Journal(self.db)
        self.retention = Retention(self.db)
        self.trash = Trash(self.db)
        self.receipts = Receipts(self.db)
        self.erasing = Erasing(self.db)

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing, durable at the end; see `Connection.transaction`."""
        return self.db.transaction()

    def place_of(self, path: Path) -> Place | None:
        """The place that is meant by the path of a recording or of one of its notes."""
        artifact = self.artifacts.at(path)
        return self.places.at(artifact.place if artifact else path)

    def close(self) -> None:
        self.db.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
