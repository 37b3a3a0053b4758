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
    return keyed_by(ledger.protection.key(), what)


def keyed_by(key: bytes, what: str | Path) -> str:
    """The same under a key that was read already, for who asks often."""
    return hmac.digest(key, os.fsencode(what) if isinstance(what, Path) else what.encode(), "sha256").hex()


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
    """What is wrong with a chain, one sentence each: a changed, missing, added, repeated or moved receipt."""
    begins, before = _beginning(receipts)
    found = _order_problems(receipts, begins)
    by_number = {receipt.seq: receipt for receipt in reversed(receipts)}
    for seq, receipt in sorted(by_number.items()):
        former = before if seq == begins else by_number[seq - 1].hash if seq - 1 in by_number else None
        if former is not None and receipt.prev != former:
            found.append(f"receipt {seq} does not follow the one before it")
    for receipt in receipts:
        honest = chained(receipt.seq, receipt.at, receipt.act, receipt.body, receipt.prev)
        if honest.hash != receipt.hash:
            found.append(f"receipt {receipt.seq} has been changed")
    return found


def _order_problems(receipts: Sequence[Receipt], begins: int) -> list[str]:
    """Receipts that are missing, there twice, in another order, or before the beginning."""
    found: list[str] = []
    seen: set[int] = set()
    furthest = begins - 1
    for receipt in receipts:
        if receipt.seq in seen:
            found.append(f"receipt {receipt.seq} is there more than once")
        elif receipt.seq < begins:
            found.append(f"receipt {receipt.seq} is from before the first one, {begins}")
        elif receipt.seq < furthest:
            found.append(f"receipt {receipt.seq} was moved: it stands after receipt {furthest}")
        seen.add(receipt.seq)
        furthest = max(furthest, receipt.seq)
    expected = begins
    for seq in sorted(number for number in seen if number >= begins):
        if seq == expected + 1:
            found.append(f"receipt {expected} is missing")
        elif seq > expected:
            found.append(f"receipts {expected} to {seq - 1} are missing")
        expected = seq + 1
    return found


def verify(ledger: Ledger) -> list[str]:
    """What is wrong with this ledger's receipts, the end of the chain included; empty if nothing is."""
    with ledger.one_moment():  # a daemon that adds one would change the end between two looks
        receipts, head = ledger.receipts.all(), ledger.receipts.head()
    found = problems(receipts)
    if not ledger.protection.key():
        return found  # what cannot be told then, `untold` says
    if receipts and head != _sealed(ledger, receipts[-1]):
        found.append(
            f"the chain ends at receipt {receipts[-1].seq}, which is not where it was left: some were removed"
        )
    if not receipts and head is not None:
        found.append("all receipts were removed")
    return found


def untold(ledger: Ledger) -> list[str]:
    """What nobody can tell of this ledger's receipts, and why."""
    if ledger.protection.key():
        return []
    return [
        "whether the last receipts are missing: the key of this installation is lost, and with it the seal of the end"
    ]


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


def receipt_in(fields: dict[str, Any], number: int) -> Receipt:
    """A receipt from a line of an export, `number` for people. Raises ValueError for a line that is none."""
    try:
        seq, at, act, body, prev, digest = (fields[name] for name in EXPORT_FIELDS)
    except KeyError as error:
        raise ValueError(f"line {number} is not a receipt") from error
    texts = all(isinstance(text, str) for text in (act, body, prev, digest))
    numbers = type(seq) is int and type(at) in (int, float)
    if not texts or not numbers:
        raise ValueError(f"line {number} is not a receipt")
    try:
        return Receipt(seq, Instant(float(at)), act, body, prev, digest)
    except OverflowError:
        raise ValueError(f"line {number} is not a receipt") from None


def _beginning(receipts: Sequence[Receipt]) -> tuple[int, str]:
    """Number of the first receipt and the hash before it: 1, or where the latest pruning says."""
    for receipt in reversed(receipts):
        if receipt.act == PRUNED:
            try:
                facts = json.loads(receipt.body)
                return int(facts["through"]) + 1, str(facts["hash"])
            except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
                break  # changed, which its hash tells
    return 1, FIRST


def _sealed(ledger: Ledger, last: Receipt) -> str:
    text = f"{last.seq}:{last.hash}"
    return f"{text}:{hmac.new(ledger.protection.key(), text.encode(), hashlib.sha256).hexdigest()}"
