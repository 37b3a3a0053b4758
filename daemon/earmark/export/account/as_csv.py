"""An account as a table for a spreadsheet: a line for each file that was taken, with what holds for all of it at the end.

RFC 4180, in UTF-8 with the mark by which Excel knows it. A cell that a spreadsheet would compute begins with an apostrophe
(OWASP, "CSV Injection").
"""

from __future__ import annotations

import csv
import io

from earmark.export.account.model import Account, Entry
from earmark.notes.escape import spreadsheet_cell

COLUMNS = (
    "state", "name", "what", "files", "bytes", "sha256", "by", "to_trash_at", "to_trash_receipt", "ended_at",
    "ended_receipt", "receipt_hash", "same_content_here_now", "note", "report_made_at", "report_from", "report_until",
    "receipts_whole", "last_receipt", "hash_of_last_receipt", "key_name",
)  # fmt: skip


def as_csv(account: Account) -> str:
    """The whole file. What holds for the report stands in each line: a file of its own would get lost."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([column if column != "name" else _names(account) for column in COLUMNS])
    chain = account.chain
    common = (
        account.made_at, account.since or "first receipt", account.until or account.made_at,
        "yes" if chain.whole else "NO", chain.last, chain.end_hash, chain.key_id,
    )  # fmt: skip
    for entry in (*account.deletions, *account.in_trash, *account.brought_back):
        writer.writerow([_cell(value) for value in (*_line(entry), *common)])
    return "\ufeff" + text.getvalue()


def _names(account: Account) -> str:
    return "code" if account.coded else "file"


def _line(e: Entry) -> tuple[object, ...]:
    return (
        e.state, e.name, e.what, e.files, e.bytes, e.sha256, e.by, e.left_at, e.left_receipt, e.ended_at,
        e.ended_receipt, e.receipt_hash, "yes" if e.here_again else "", e.note,
    )  # fmt: skip


def _cell(value: object) -> object:
    if isinstance(value, str):
        return spreadsheet_cell(value)
    return "" if value is None else value
