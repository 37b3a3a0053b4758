"""A row's own folder in the trash, and what is written down of each act."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from earmark.config import Config
from earmark.config.duration import EVER_AFTER
from earmark.context import Context
from earmark.domain import Instant
from earmark.errors import RetentionError
from earmark.files import Folder, SymlinkInTheWay, make_private, named, opened, put_back, remove_empty
from earmark.ledger import Trashed
from earmark.retention import receipts


def own_trash(context: Context) -> Path:
    """The trash in the state folder."""
    return context.ledger.state / "trash"


@contextmanager
def made_folder(trash: Path, row: int) -> Iterator[Folder]:
    """The row's own folder in a trash, made if need be; never through a symlink that somebody planted."""
    if trash.is_symlink():
        raise SymlinkInTheWay(trash)
    make_private(trash)
    here = trash / str(row)
    here.mkdir(mode=0o700, exist_ok=True)
    with opened(here, trash, follow_top=False) as folder:
        yield folder


@contextmanager
def folder_of(row: Trashed) -> Iterator[Folder]:
    """The row's own folder, as it is. Raises OSError."""
    if row.trashed is None:
        raise FileNotFoundError(errno.ENOENT, "it is in no trash of ours", str(row.original))
    with opened(row.trashed.parent, row.trashed.parent.parent, follow_top=False) as folder:
        yield folder


def top_of(context: Context, row: Trashed) -> Path | None:
    """The drop folder that the file came from, as far as anybody knows it."""
    place = context.ledger.places.get(row.place, row.recording_id)
    return context.top_of(row.original) if place is None else place.folder


def bring_back(context: Context, row: Trashed, *, alone: bool = False) -> Path:
    """Put a file where it was, or beside it if something else is there; returns where it is now. Raises OSError. `alone`:
    nobody has had it open since it was taken.

    Folders below its drop folder that are gone are made again; the drop folder itself is not, nor is a symlink followed.
    """
    assert row.trashed is not None
    with folder_of(row) as at, opened(row.original.parent, top_of(context, row), make=True) as folder:
        if at.look_at(row.trashed.name) is None:
            raise FileNotFoundError(errno.ENOENT, "somebody took it out of the trash", str(row.trashed))
        where = put_back(at, row.trashed.name, folder, row.original.name, alone=alone)
    if where == row.trashed:
        raise OSError(errno.EIO, "it could not be moved back", str(row.original))
    remove_empty(row.trashed.parent)
    return where


def reachable(row: Trashed) -> bool:
    """False if the trash that the file went to is not there at all, as on a disk that is not mounted."""
    return row.trashed is None or os.path.isdir(row.trashed.parent.parent)  # noqa: PTH112 - false, too, where nobody may look


def must_be_reachable(row: Trashed) -> None:
    """Raises RetentionError if it is not."""
    if row.trashed is not None and not reachable(row):
        trash = named(row.trashed.parent.parent)
        raise RetentionError(f"{trash}: the trash folder is not there; mount its disk, then try again")


def lies_in_trash(row: Trashed) -> bool:
    """True if something has the name that the file had in the trash."""
    return row.trashed is not None and os.path.lexists(row.trashed)


def purged_from(config: Config, row: Trashed) -> Instant | None:
    """From when on the purge may take it; None: never by itself."""
    rule = config.retention.trash
    if rule.never or rule.keep_for is None:
        return None
    end = rule.keep_for.after(row.trashed_at)
    return None if end == EVER_AFTER else end


def forget_row(context: Context, row: int) -> None:
    """The file was never taken."""
    found = context.ledger.trash.get(row)
    context.ledger.trash.drop(row)
    if found is not None and found.trashed is not None:
        remove_empty(found.trashed.parent)


def receipt(context: Context, row: Trashed, act: str) -> None:
    """Leave proof of what was done to a file; call in the transaction that records it."""
    receipts.issue(
        context.ledger,
        context.now(),
        act,
        recording=receipts.keyed(context.ledger, row.recording_id),
        file=receipts.keyed(context.ledger, row.original),
        kind=row.kind.value,
        bytes=row.size,
        rule=row.rule,
    )
