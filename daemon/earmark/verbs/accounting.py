"""An account of deletions for somebody outside, with or without a table of codes; and what its maker has to know of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from earmark.context import Context
from earmark.domain import TrashState
from earmark.errors import NotFound, RetentionError
from earmark.export.account import Account, Codes, gather, read_codes
from earmark.export.account.codes import MOST_BYTES, refuse_swapped
from earmark.export.account.gathering import Asked
from earmark.files import counted, named, read_bytes, why
from earmark.formats import ENDINGS

MOST_LINES = 8
"""Lines of a table that are named in one warning."""


def account_for(context: Context, asked: Asked, table: Path | None) -> tuple[Account, list[str]]:
    """The account, and warnings for whoever asked, which may name what the account does not.

    Raises NotFound for a folder in which nothing was, RetentionError for a table that cannot be understood.
    """
    if asked.folder is not None:
        _refuse_unheard_of(context, asked.folder)
    codes = _codes(context, table) if table is not None else None
    account = gather(context, asked, codes)
    return account, list(_warnings(account, codes, table, list(_known(context))))


def _refuse_unheard_of(context: Context, below: Path) -> None:
    """Raises NotFound for a folder in which nothing was, as far as anybody can tell: of what was erased no path is left."""
    if any(path.is_relative_to(below) for path in _known(context)):
        return
    if any(receipt.act == "erased" for receipt in context.ledger.receipts.all()):
        tops = {*context.folders, *(f.path for f in context.config.folder), *context.ledger.places.folders()}
        if os.path.isdir(below) or any(below.is_relative_to(top) for top in tops):  # noqa: PTH112 - false, too, where nobody may look
            return
        raise NotFound(
            f"{below}: there is no such folder, and no recording that is known is or was at or below it; of what was erased"
            " no path is left, so a report without --folder has it"
        )
    raise NotFound(f"{below}: no recording is or was at or below it")


def _codes(context: Context, table: Path) -> Codes:
    shown = named(table)
    try:
        data = read_bytes(table, most=MOST_BYTES + 1)
    except FileNotFoundError:
        raise NotFound(f"{shown}: there is no such file") from None
    except OSError as error:
        raise RetentionError(f"{shown}: cannot be read as a table of codes: {why(error)}") from error
    codes = read_codes(data, shown)
    refuse_swapped(codes, _known(context), shown)
    return codes


def _known(context: Context) -> Iterator[Path]:
    """Every path at which the ledger knows or knew a recording."""
    yield from (place.path for place in context.ledger.places.all())
    yield from (row.place for row in context.ledger.trash.in_state(*TrashState))


def _warnings(account: Account, codes: Codes | None, table: Path | None, known: list[Path]) -> Iterator[str]:
    if codes is None or table is None:
        return
    if codes.encoding == "cp1252":
        yield f"{named(table)}: is not in UTF-8 and was read as Windows-1252; look whether its names are right"
    if telling := codes.telling(ENDINGS, known):
        shown = ", ".join(map(str, telling[:MOST_LINES])) + (", ..." if len(telling) > MOST_LINES else "")
        yield (
            f"{named(table)}: {'lines' if telling[1:] else 'line'} {shown}: the code says a name itself, and whoever reads"
            " the report reads it there; if the name is to stay unknown, give another code"
        )
    if account.not_in_table:
        yield (
            f"{counted(account.not_in_table, 'recording')} in the report without an entry in {named(table)}: shown without "
            'name and code, as "(not in the table of codes)"'
        )
    for line, code, count, whole_path in codes.ambiguous():
        what = "path" if whole_path else "name"
        how = "" if whole_path else "the folder before the name, or "
        yield (
            f"{named(table)}: line {line}: {count} different recordings have or had this {what}, and all are shown as "
            f"{code}; write {how}the SHA-256 in the place of it, to tell them apart"
        )
    for lines, different in codes.split():
        yield (
            f"{named(table)}: lines {' and '.join(map(str, lines))}: one recording (the same content) has or had all these "
            f"names; each of its files has the code of its own, {' or '.join(different)}; give them one if it is one person"
        )
    if not codes.headed and not codes.fits and not any(map(codes.knows, known)):
        yield (
            f"{named(table)}: has no line of headings, and no entry is of a recording that is known: its first column was"
            " taken for the names and its second for the codes; look whether they are, or write name and code over them"
        )
    if unused := codes.unused():
        yield f"{counted(unused, 'entry is', 'entries are')} of no recording in the report, in {named(table)}"
