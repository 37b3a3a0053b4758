"""One actor at a time: the daemon's sweep and a person's verb must not take the same file at once."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from earmark.errors import LedgerBusy
from earmark.ledger import Ledger


@contextmanager
def one_at_a_time(ledger: Ledger) -> Iterator[None]:
    """Hold `retention.lock` in the state folder; the kernel lets go of it when the process dies. Raises LedgerBusy."""
    file = ledger.db.file.parent / "retention.lock"
    fd = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise LedgerBusy(
                "Another earmark is sweeping, restoring or erasing right now; try again in a moment"
            ) from None
        yield
    finally:
        os.close(fd)
