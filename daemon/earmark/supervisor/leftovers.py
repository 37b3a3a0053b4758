"""Hidden files of ours that a crash left in a drop folder: removed if they are ours, else given back their names."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from earmark.context import Context
from earmark.domain import Event
from earmark.errors import LedgerBusy
from earmark.files import opened, recover_hidden


def settle_leftovers(context: Context, hidden: Iterable[bytes]) -> None:
    """Settle what a scan found; while a verb is acting, its hidden files are left to it and to the next scan."""
    found = [Path(os.fsdecode(path)) for path in hidden]
    if not found:
        return
    try:
        with context.ledger.acting():
            for path in found:
                _settle(context, path)
    except LedgerBusy:
        return


def _settle(context: Context, path: Path) -> None:
    """A file whose bytes are those of a note of ours can be made again; any other is somebody's."""
    known = {
        sha256
        for artifact in context.ledger.artifacts.in_folder(path.parent)
        for sha256 in (artifact.sha256, artifact.next_sha256)
        if sha256
    }
    try:
        with opened(path.parent, context.top_of(path)) as folder:
            where = recover_hidden(folder, path.name, known.__contains__)
    except OSError:
        return
    if where is not None:
        context.tell(
            Event.LEFTOVER_NAMED, "It was being replaced when earmark was ended; it has its name back.", file=where,
            level="warning",
        )  # fmt: skip
