"""The trash by hand: which rows are meant, restoring them, letting them go."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from earmark.context import Context
from earmark.domain import TrashState
from earmark.errors import NotFound, RetentionError, UsageError
from earmark.ledger import Trashed
from earmark.retention import NotesSeen
from earmark.retention.trash.purging import purge, why_not_purge
from earmark.retention.trash.recovery import recover
from earmark.retention.trash.restoring import restore
from earmark.verbs.known import known_path
from earmark.verbs.sweeping import PATIENCE, write_owed


def meant(context: Context, name: str) -> Trashed:
    """A row by its id, or the latest by where the file was. Raises NotFound."""
    trash = context.ledger.trash
    if name.isascii() and name.isdigit() and len(name) < 19:  # what a row can be numbered
        row = trash.get(int(name))
        found = [row] if row is not None and row.state is TrashState.HERE else []
    else:
        found = [r for r in _taken(context, Path(name)) if r.state is TrashState.HERE]
    if not found:
        raise NotFound(f"{name}: is not in the trash; see: earmark trash list")
    return found[-1]


def _taken(context: Context, file: Path) -> list[Trashed]:
    """The rows of a file by where it was; of a bare name those of the only one in the trash that is called so. Raises
    UsageError where several are.
    """
    if len(file.parts) == 1 and not os.path.lexists(file):
        here = [r for r in context.ledger.trash.in_state(TrashState.HERE) if r.original.name == file.name]
        if len(originals := sorted({str(row.original) for row in here})) == 1:
            return here
        if len(originals) > 1:
            which = f"{file}: {len(originals)} files in the trash are called so; which of them? Say its path, or its id:"
            raise UsageError("\n".join([which, *map(shlex.quote, originals)]))
        with suppress(UsageError):  # several are called so, and none of them is in the trash
            return context.ledger.trash.of_original(known_path(context, file))
        return []
    return context.ledger.trash.of_original(known_path(context, file))


def _once(rows: Iterable[Trashed]) -> list[Trashed]:
    """Each row once, however often it was named."""
    return list({row.id: row for row in rows}.values())


def bring_back(context: Context, names: list[str], tell: Callable[[Path], None]) -> None:
    """Restore files; `tell` is told where each is. Raises NotFound before any is, RetentionError at the first that cannot
    be.
    """
    back = 0
    try:
        with context.ledger.acting(PATIENCE):
            recover(context)
            for row in _once(meant(context, name) for name in names):
                tell(restore(context, row))
                back += 1
    finally:
        if back:
            write_owed(context)


def to_empty(
    context: Context, names: list[str], *, even_held: bool
) -> tuple[list[Trashed], list[tuple[Trashed, str]]]:
    """What would go for good, and what stays because it is held."""
    with context.ledger.acting(PATIENCE):
        recover(context)
        NotesSeen(context).inspect_everywhere()
    trash = context.ledger.trash
    rows = _once(meant(context, name) for name in names) if names else trash.in_state(TrashState.HERE)
    goes, stays = [], []
    for row in rows:
        reason = None if even_held else why_not_purge(context, row)
        if reason is None:
            goes.append(row)
        else:
            stays.append((row, reason))
    return goes, stays


def empty(context: Context, rows: list[Trashed], *, even_held: bool) -> list[tuple[Trashed, str]]:
    """Remove these for good; returns those that stay after all, with the reason: what holds one is asked again."""
    stays = []
    with context.ledger.acting(PATIENCE):
        context.ledger.check()
        NotesSeen(context).inspect_everywhere()
        for row in rows:
            reason = None if even_held else why_not_purge(context, row)
            if reason is None:
                try:
                    purge(context, row, even_held=even_held)
                except (RetentionError, OSError) as error:
                    reason = str(error)
            if reason is not None:
                stays.append((row, reason))
        context.ledger.db.fold()
    write_owed(context)
    return stays
