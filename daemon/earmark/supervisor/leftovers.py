"""Hidden files of ours that a crash left in a drop folder: removed if they are ours, else given back their names."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from earmark.context import Context
from earmark.errors import LedgerBusy
from earmark.events import Event
from earmark.files import hidden_kind, opened, recover_hidden


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
    """A file whose bytes are those of a note of ours can be made again; any other is somebody's. Where a replacement takes
    two renames, a crash between them leaves nothing under the name, or an empty file that claims it: then ours has it back,
    too.
    """
    _, name = hidden_kind(path.name) or ("", "")
    try:
        with opened(path.parent, context.top_of(path)) as folder:
            there = folder.look_at(name) if name else None
            replaced = not name or (there is not None and there.st_size > 0)
            where = recover_hidden(
                folder, path.name, lambda sha256: replaced and context.ledger.artifacts.knows(sha256)
            )
    except OSError:
        return
    if where is not None:
        context.tell(
            Event.LEFTOVER_NAMED, "It was being replaced when earmark was ended; it has its name back.", file=where,
            level="warning",
        )  # fmt: skip
