"""An export of receipts: a first line that says how many follow and where they end, the receipts, and the same as last line.

Version 2, one JSON object a line. Both outer lines carry a seal, a keyed hash over what they say, which the installation
that wrote it can check. Exports of version 1 are the receipts alone; they verify as far as can be told.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from earmark.domain import Instant
from earmark.ledger import Ledger, Receipt
from earmark.retention import receipts as chain
from earmark.retention.receipts_lines import (
    FIRST_LINE,
    LAST_LINE,
    VERSION,
    is_as_written,
    is_outer,
    object_in,
    rows_of,
    written,
)

__all__ = ["FIRST_LINE", "LAST_LINE", "VERSION", "Examined", "examine", "key_id", "lines", "seal"]

EMPTY = "it is empty: an export has at least a first and a last line, also without receipts"


@dataclass(slots=True)
class Examined:
    """What an export comes to. `problems`: what is wrong. `untold`: what nobody can tell here, and why.

    `sealed_at`: when this installation wrote it, if its seal was checked. `says_its_end`: whether a line tells how many
    there are; False for an export of version 1.
    """

    receipts: list[Receipt] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    sealed_at: Instant | None = None
    says_its_end: bool = True


def lines(ledger: Ledger, now: Instant) -> list[str]:
    """All receipts of this ledger as an export, line by line, each with its end of line."""
    rows = ledger.receipts.all()
    said = {
        "count": len(rows),
        "first": rows[0].seq if rows else 0,
        "last": rows[-1].seq if rows else 0,
        "end": rows[-1].hash if rows else chain.FIRST,
        "at": float(now),
    }
    key = ledger.protection.key()
    said |= {"key": key_id(key), "seal": seal(key, said)}
    return [
        f"{written(line)}\n"
        for line in ({FIRST_LINE: VERSION} | said, *map(chain.exported, rows), {LAST_LINE: VERSION} | said)
    ]


def key_id(key: bytes) -> str:
    """By which a key is known without being told: 16 hex digits; "" without a key."""
    return hmac.new(key, b"earmark receipts: which key", hashlib.sha256).hexdigest()[:16] if key else ""


def seal(key: bytes, said: dict[str, Any]) -> str:
    """HMAC-SHA256 in hex over what an outer line says; "" without a key."""
    text = json.dumps(
        ["earmark receipts", VERSION, *(said.get(name) for name in ("count", "first", "last", "end", "at"))]
    )
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest() if key else ""


def examine(text: str, ledger: Ledger | None) -> Examined:
    """Check an export. `ledger`: this installation's, for its key and to compare with; None if there is none.

    Raises ValueError for a text that is no export at all.
    """
    found = Examined()
    outer: list[tuple[int, str, dict[str, Any]]] = []
    if not text.strip():
        found.problems.append(EMPTY)
        return found
    rows = rows_of(text, found.problems)
    for number, line in rows:
        receipt: Receipt | None = None
        try:
            fields = object_in(line, number)
            name = next((name for name in (FIRST_LINE, LAST_LINE) if name in fields), "")
            if not name:
                receipt = chain.receipt_in(fields, number)
        except ValueError as error:
            if not outer and not found.receipts:
                raise
            cut = number == rows[-1][0] and not line.endswith("}")
            found.problems.append(
                f"line {number} is cut off" if cut else f"{error}: it was changed or put there"
            )
            continue
        if receipt is not None:
            found.receipts.append(receipt)
            if not (set(fields) == set(chain.EXPORT_FIELDS) and is_as_written(line, fields)):
                found.problems.append(_changed(number, f"receipt {receipt.seq}"))
            continue
        if not outer and name == FIRST_LINE and type(fields[name]) is int and fields[name] != VERSION:
            found.problems.append("it was written by another version of earmark, which has to check it")
            return found
        outer.append((number, name, fields))
        if not (is_outer(name, fields) and is_as_written(line, fields)):
            found.problems.append(_changed(number, "an outer line"))
    found.problems += _outer_problems(outer, rows[0][0], rows[-1][0])
    found.problems += chain.problems(found.receipts)
    _check_ends(found, outer, ledger)
    return found


def _changed(number: int, what: str) -> str:
    return f"line {number}, {what}, was changed: it is not written as earmark writes it"


def _outer_problems(outer: Sequence[tuple[int, str, dict[str, Any]]], first: int, last: int) -> Iterable[str]:
    """What is wrong with where the outer lines stand, and with what they say to each other."""
    if not outer:
        return
    heads = [(number, said) for number, name, said in outer if name == FIRST_LINE]
    tails = [(number, said) for number, name, said in outer if name == LAST_LINE]
    if len(heads) > 1 or len(tails) > 1:
        yield "it is several exports in one file, or lines of it are there twice; verify each export alone"
    if not heads:
        yield "its first line, which says how many receipts there are, is missing"
    elif heads[0][0] != first:
        yield f"line {first} stands before the first line of the export"
    if not tails:
        yield "its last line is missing: it was cut off, or not written to its end"
    elif tails[-1][0] != last:
        yield f"line {last} stands after the last line of the export"
    if heads and tails and _said(heads[0][1]) != _said(tails[-1][1]):
        yield "its first and its last line do not say the same: one of them was changed"


def _said(line: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name not in (FIRST_LINE, LAST_LINE)}


def _check_ends(
    found: Examined, outer: Sequence[tuple[int, str, dict[str, Any]]], ledger: Ledger | None
) -> None:
    """Hold the receipts against what the outer lines say, and those against this installation's key and ledger."""
    rows = found.receipts
    if not outer:
        found.says_its_end = False
        last = f"receipt {rows[-1].seq}" if rows else "its last line"
        found.untold.append(
            f"whether anything followed {last}: no line says where it ends (exports of earlier versions have none; in a "
            "newer one both outer lines were taken away)"
        )
    for name, said in _claims(outer):
        for about, is_so in (
            ("count", said.get("count") == len(rows)),
            ("first", said.get("first") == (rows[0].seq if rows else 0)),
            ("last", said.get("last") == (max(r.seq for r in rows) if rows else 0)),
            ("end", said.get("end") == (max(rows, key=lambda r: r.seq).hash if rows else chain.FIRST)),
        ):
            if not is_so:
                found.problems.append(_differs(about, name, said, rows))
    if outer:
        _check_seal(found, outer[0][2], ledger)
    if ledger is not None and outer and outer[0][2].get("key") == key_id(ledger.protection.key()):
        own = {r.seq: r.hash for r in ledger.receipts.all()}
        for r in rows:
            if own.get(r.seq, r.hash) != r.hash:
                found.problems.append(f"receipt {r.seq} is not the one that this installation has")


def _claims(outer: Sequence[tuple[int, str, dict[str, Any]]]) -> Iterable[tuple[str, dict[str, Any]]]:
    """What is said of the receipts, once if both lines say the same."""
    seen: list[dict[str, Any]] = []
    for _, name, line in outer:
        if (said := _said(line)) not in seen:
            seen.append(said)
            yield ("first" if name == FIRST_LINE else "last"), said


def _differs(about: str, name: str, said: dict[str, Any], rows: Sequence[Receipt]) -> str:
    line = f"its {name} line says"
    value = said.get(about)
    if about == "count":
        found = "1 is" if len(rows) == 1 else f"{len(rows)} are"
        return f"{line} that there {'is 1 receipt' if value == 1 else f'are {value!r:.20} receipts'}; {found} there"
    if about == "end":
        return f"{line} that they end with a receipt that is not there: it was changed or taken away"
    is_so = (rows[0].seq if about == "first" else rows[-1].seq) if rows else "none"
    return f"{line} that the {about} one is receipt {value!r:.20}; it is {is_so}"


def _check_seal(found: Examined, said: dict[str, Any], ledger: Ledger | None) -> None:
    """Whether this installation wrote what the outer lines say."""
    anew = "whoever can write this file can write all of it anew, with another count and another end"
    key = ledger.protection.key() if ledger is not None else b""
    if not said.get("key"):
        found.untold.append(f"whether it was written anew: it has no seal, and {anew}")
    elif not key:
        found.untold.append(
            f"whether it was written anew: its seal can be checked only with the key of the installation that wrote it, "
            f"which is not here, and {anew}"
        )
    elif said["key"] != key_id(key):
        found.untold.append(
            "whether it was written anew: its seal is another installation's (or was changed to look so), can be checked "
            f"only there, and {anew}"
        )
    elif not hmac.compare_digest(str(said.get("seal")).encode(), seal(key, said).encode()):
        found.problems.append(
            "its seal is not this installation's: the count, the end or the time was changed"
        )
    elif not found.problems:
        found.sealed_at = Instant(float(said["at"]))
