"""What is in the drop folders and is not taken, counted by endings for `status` to say: files that may be recordings, and
folders that are not looked into because they are a program's own.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

from earmark.domain import Instant
from earmark.files import pack_path
from earmark.ledger import Ledger

UNTAKEN = "untaken:"
"""What the facts begin with that count files of a folder."""

CLOSED = "closed:"
"""What those begin with that count its closed folders."""

MOST = 40
"""Endings that are kept of one folder, the most frequent ones."""


def note_untaken(
    ledger: Ledger, folder: Path, found: Counter[str], now: Instant, fact: str = UNTAKEN
) -> None:
    """Write down what a scan of a folder counted, if it is news."""
    name, value = fact + pack_path(folder), json.dumps(dict(found.most_common(MOST)), sort_keys=True)
    known = ledger.journal.fact(name)
    if (known[0] if known else "{}") != value:
        ledger.journal.set_fact(name, value, now)


def forget_untaken(ledger: Ledger, folders: Collection[Path], now: Instant) -> None:
    """Nothing is known any more of folders that are watched no longer."""
    watched = {pack_path(folder) for folder in folders}
    for fact in (UNTAKEN, CLOSED):
        for folder, value in ledger.journal.facts(fact).items():
            if folder not in watched and value != "{}":
                ledger.journal.set_fact(fact + folder, "{}", now)


def untaken(ledger: Ledger, fact: str = UNTAKEN) -> dict[str, int]:
    """How many there are by ending, the most frequent first."""
    total: Counter[str] = Counter()
    for value in ledger.journal.facts(fact).values():
        try:
            found = json.loads(value)
        except ValueError:
            continue  # a damaged fact is no reason to fall over
        if isinstance(found, Mapping):
            total.update({k: v for k, v in found.items() if isinstance(k, str) and isinstance(v, int)})
    return dict(total.most_common())


def in_words(found: Mapping[str, int]) -> str:
    """`3 files with endings that earmark does not take: .xyz (2), .dvf`; "" for none."""
    if not found:
        return ""
    count = sum(found.values())
    files = "1 file with an ending" if count == 1 else f"{count} files with endings"
    dotted = {f".{ending}" if ending else "none at all": number for ending, number in found.items()}
    return f"{files} that earmark does not take: {_listed(dotted)}"


def closed_in_words(found: Mapping[str, int]) -> str:
    """`2 folders that belong to programs are not looked into: .band, .photoslibrary`; "" for none."""
    if not found:
        return ""
    count = sum(found.values())
    folders = (
        "1 folder that belongs to a program is"
        if count == 1
        else f"{count} folders that belong to programs are"
    )
    return f"{folders} not looked into: {_listed(found)}"


def _listed(found: Mapping[str, int]) -> str:
    named = [
        name + (f" ({number})" if number > 1 and len(found) > 1 else "")
        for name, number in list(found.items())[:5]
    ]
    more = f" and {len(found) - 5} others" if len(found) > 5 else ""
    return f"{', '.join(named)}{more}"
