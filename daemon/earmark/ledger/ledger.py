"""The ledger as one thing: the only truth about what was seen, done, written and decided."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from earmark.errors import EnvironmentFault, LedgerBusy, LedgerError
from earmark.files import Busy, FileLock, why
from earmark.ledger.artifacts import Artifacts
from earmark.ledger.connection import Connection
from earmark.ledger.corrected import Corrected
from earmark.ledger.drafts import Drafts
from earmark.ledger.erasing import Erasing
from earmark.ledger.index import Index
from earmark.ledger.jobs import Jobs
from earmark.ledger.journal import Journal
from earmark.ledger.lineage import Lineage
from earmark.ledger.places import Place, Places
from earmark.ledger.protection import Protection
from earmark.ledger.receipts import Receipts
from earmark.ledger.recordings import Recordings
from earmark.ledger.retention import Retention
from earmark.ledger.shelf import Shelf
from earmark.ledger.trash import Trash
from earmark.ledger.turns import Turns
from earmark.ledger.voices import Voices
from earmark.ledger.words import Words

ACTING = "acting.lock"


class Ledger:
    """All tables of one ledger file. Open it for writing in the daemon only (see `DaemonLock`); verbs that look
    open it read-only, verbs that decide (`retry`, `hold`) write short transactions that the daemon's loop finds.
    """

    def __init__(
        self, file: Path, *, read_only: bool = False, alive: Callable[[], None] = lambda: None
    ) -> None:
        self.db = Connection(file, read_only=read_only, alive=alive)
        self.recordings = Recordings(self.db)
        self.places = Places(self.db)
        self.shelf = Shelf(self.db)
        self.jobs = Jobs(self.db)
        self.drafts = Drafts(self.db)
        self.words = Words(self.db)
        self.corrected = Corrected(self.db)
        self.turns = Turns(self.db)
        self.artifacts = Artifacts(self.db)
        self.voices = Voices(self.db)
        self.journal = Journal(self.db)
        self.retention = Retention(self.db)
        self.protection = Protection(self.db)
        self.lineage = Lineage(self.db, self.protection)
        self.trash = Trash(self.db)
        self.receipts = Receipts(self.db)
        self.index = Index(self.db)
        self.erasing = Erasing(self.db, self.protection, self.lineage, self.index)

    @property
    def file(self) -> Path:
        return self.db.file

    @property
    def state(self) -> Path:
        """The state folder, which the ledger lies in."""
        return self.db.file.parent

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing, durable at the end; see `Connection.transaction`."""
        return self.db.transaction()

    def one_moment(self) -> AbstractContextManager[None]:
        """What is read in the block fits together; see `Connection.one_moment`."""
        return self.db.one_moment()

    @contextmanager
    def acting(self, seconds: float = 0.0) -> Iterator[None]:
        """Hold the lock under which the user's files are written, moved and taken: one actor at a time, so that a verb and
        the daemon never act on the same file at once. Waits at most so long. Raises LedgerBusy.
        """
        lock = FileLock(self.state / ACTING)
        try:
            lock.acquire(seconds)
        except Busy:
            raise LedgerBusy(
                "Another earmark is writing, sweeping, restoring or erasing right now; try again in a moment"
            ) from None
        except OSError as error:
            raise EnvironmentFault(f"{lock.file}: the lock cannot be taken: {why(error)}") from error
        try:
            yield
        finally:
            lock.release()

    def place_of(self, path: Path) -> Place | None:
        """The place that is meant by the path of a recording or of one of its notes."""
        artifact = self.artifacts.at(path)
        if artifact is None:
            return self.places.at(path)
        return self.places.get(artifact.place, artifact.recording_id)

    def go_on(self, former: Place, recording_id: str, tags: Iterable[str]) -> None:
        """The file of `former` begins with its content and goes on as `recording_id`, which is in the ledger already.

        Its notes belong to that one from now on, and so does what people decided about it; if nothing else holds the
        former content, that content is forgotten. `tags`: those that earmark wrote into its notes. Call in a transaction.
        """
        self.places.continued(former, recording_id)
        self.protection.pass_on(former.recording_id, recording_id)
        self.lineage.went_on(former.recording_id, recording_id, former.identity.size, tags)
        if not any(place.here for place in self.places.of(former.recording_id)):
            # What people decided stays with the former content, too: a backup or a sync client may bring it back.
            self.recordings.merge(former.recording_id, recording_id)

    def check(self) -> bool:
        """Look at all of it; true if the index of search was damaged, and is made anew. Raises LedgerError if more is."""
        anew = self.index.made_sound()
        try:
            self.db.check()
        except LedgerError:
            if anew or not self.index.made_sound(pages=True):
                raise
            return True
        return anew

    def close(self) -> None:
        self.db.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
