"""Receipts: that something was deleted, when, how much and by which rule; never what it was.

Each receipt's hash covers the one before it (the construction of Haber and Stornetta, 1991, and of every audit log
since), and a keyed hash over the end of the chain shows when the last ones are missing. Files and recordings are named
by keyed hash only: with the file in hand and this installation's key one can ask whether it was deleted, not else.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from earmark.domain import Instant
from earmark.ledger import Ledger, Receipt

FIRST = "0" * 64
"""What the first receipt has for the hash of the one before it."""

PRUNED = "receipts-pruned"
"""The act of cutting off old receipts; says where the chain begins from then on."""

EXPORT_FIELDS = ("seq", "at", "act", "body", "prev", "hash")


def keyed(ledger: Ledger, what: str | Path) -> str:
    """HMAC-SHA256 of a recording id or a path under this installation's key."""
    data = os.fsencode(what) if isinstance(what, Path) else what.encode()
    return hmac.new(ledger.protection.key(), data, hashlib.sha256).hexdigest()


def chained(seq: int, at: Instant, act: str, body: str, prev: str) -> Receipt:
    """The receipt with its hash: SHA-256 over the canonical JSON of everything else in it."""
    text = json.dumps([seq, repr(at), act, body, prev], separators=(",", ":"))
    return Receipt(seq, at, act, body, prev, hashlib.sha256(text.encode()).hexdigest())


def issue(ledger: Ledger, now: Instant, act: str, **facts: Any) -> Receipt:
    """Append a receipt; call inside the transaction that records the deletion itself."""
    body = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    last = ledger.receipts.last()
    receipt = chained(
        last.seq + 1 if last else 1, Instant(float(now)), act, body, last.hash if last else FIRST
    )
    ledger.receipts.append(receipt, _sealed(ledger, receipt))
    return receipt


def problems(receipts: Sequence[Receipt]) -> list[str]:
    """What is wrong with a chain, one sentence each: a changed, missing, added or moved receipt."""
    found: list[str] = []
    begins, before = _beginning(receipts)
    for receipt in receipts:
        if receipt.seq != begins:
            found.append(f"receipt {begins} is missing: {receipt.seq} stands in its place")
        elif receipt.prev != before:
            found.append(f"receipt {receipt.seq} does not follow the one before it")
        honest = chained(receipt.seq, receipt.at, receipt.act, receipt.body, receipt.prev)
        if honest.hash != receipt.hash:
            found.append(f"receipt {receipt.seq} has been changed")
        begins, before = receipt.seq + 1, receipt.hash
    return found


def verify(ledger: Ledger) -> list[str]:
    """What is wrong with this ledger's receipts, the end of the chain included; empty if nothing is."""
    receipts = ledger.receipts.all()
    found = problems(receipts)
    head = ledger.receipts.head()
    if receipts and head != _sealed(ledger, receipts[-1]):
        found.append(
            f"the chain ends at receipt {receipts[-1].seq}, which is not where it was left: some were removed"
        )
    if not receipts and head is not None:
        found.append("all receipts were removed")
    return found


def prune(ledger: Ledger, before: Instant, now: Instant) -> int:
    """Cut off the receipts older than `before`, never the last one; returns how many went. One transaction."""
    old = [r for r in ledger.receipts.all()[:-1] if r.at < before]
    if not old or any(r.at >= before for r in ledger.receipts.all()[: len(old)]):
        return 0
    with ledger.transaction():
        issue(ledger, now, PRUNED, through=old[-1].seq, hash=old[-1].hash, count=len(old))
        return ledger.receipts.prune(old[-1].seq, now)


def exported(receipt: Receipt) -> dict[str, Any]:
    """A receipt as it is written to a file, one JSON object a line."""
    return asdict(receipt)


def imported(lines: Sequence[str]) -> list[Receipt]:
    """Receipts from the lines of an export. Raises ValueError for a line that is none."""
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            fields = json.loads(line)
            found.append(Receipt(**{name: fields[name] for name in EXPORT_FIELDS}))
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"line {number} is not a receipt") from error
    return found


def _beginning(receipts: Sequence[Receipt]) -> tuple[int, str]:
    """Number of the first receipt and the hash before it: 1, or where the latest pruning says."""
    for receipt in reversed(receipts):
        if receipt.act == PRUNED:
            facts = json.loads(receipt.body)
            return facts["through"] + 1, facts["hash"]
    return 1, FIRST


def _sealed(ledger: Ledger, last: Receipt) -> str:
    text = f"{last.seq}:{last.hash}"
    return f"{text}:{hmac.new(ledger.protection.key(), text.encode(), hashlib.sha256).hexdigest()}"
