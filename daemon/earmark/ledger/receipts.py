"""The chain of receipts: append one, read them all, cut off the oldest. What they mean is retention/receipts.py's."""

from __future__ import annotations

from dataclasses import dataclass

from earmark.domain import Instant
from earmark.ledger.connection import Connection, Row

HEAD = "receipts.head"
_PRUNING = "receipts.pruning"


@dataclass(frozen=True, slots=True)
class Receipt:
    """One deletion. `body` is canonical JSON without any content; `hash` covers all of it and `prev`."""

    seq: int
    at: Instant
    act: str
    body: str
    prev: str
    hash: str


class Receipts:
    """Rows of `receipts`; the fact `receipts.head` says how the chain ends."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def last(self) -> Receipt | None:
        row = self._db.one("SELECT * FROM receipts ORDER BY seq DESC LIMIT 1")
        return _receipt(row) if row else None

    def all(self) -> list[Receipt]:
        return [_receipt(r) for r in self._db.all("SELECT * FROM receipts ORDER BY seq")]

    def has(self, act: str, text: str) -> bool:
        """Whether a receipt for such an act has this text in its body."""
        sql = "SELECT 1 FROM receipts WHERE act = ? AND instr(body, ?) LIMIT 1"
        return self._db.one(sql, (act, text)) is not None

    def append(self, receipt: Receipt, head: str) -> None:
        """Add the next receipt and say that it is the last one; call inside a transaction."""
        self._db.execute(
            "INSERT INTO receipts (seq, at, act, body, prev, hash) VALUES (?, ?, ?, ?, ?, ?)",
            (receipt.seq, receipt.at, receipt.act, receipt.body, receipt.prev, receipt.hash),
        )
        self._db.execute(
            "INSERT OR REPLACE INTO facts (name, value, at) VALUES (?, ?, ?)", (HEAD, head, receipt.at)
        )

    def head(self) -> str | None:
        row = self._db.one("SELECT value FROM facts WHERE name = ?", (HEAD,))
        return row["value"] if row else None

    def prune(self, through: int, now: Instant) -> int:
        """Remove receipts up to and including this number, past the trigger that forbids it to everybody else."""
        with self._db.transaction():
            self._db.execute("INSERT INTO facts (name, value, at) VALUES (?, '', ?)", (_PRUNING, now))
            count = self._db.execute("DELETE FROM receipts WHERE seq <= ?", (through,)).rowcount
            self._db.execute("DELETE FROM facts WHERE name = ?", (_PRUNING,))
        return count


def _receipt(row: Row) -> Receipt:
    return Receipt(row["seq"], row["at"], row["act"], row["body"], row["prev"], row["hash"])
