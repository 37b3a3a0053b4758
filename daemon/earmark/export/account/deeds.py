"""What the receipts tell, put together file by file: when each went to the trash, and what came of it. Pure.

A receipt says one act; a reader asks after one file. Which acts belong to one file is known by the keyed hashes alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from earmark.ledger import Receipt

OF_ROWS = ("voices", "index")
"""What is in no file: stored voices, and words in the index of search."""


class Ended(StrEnum):
    """What came of a file that was taken."""

    PURGED = "purged"
    RESTORED = "restored"
    ERASED = "erased"


class What(StrEnum):
    """What a deed was done to."""

    FILE = "file"
    ERASURE = "erasure"
    """A recording with all that was made of it."""
    VOICES = "voices"
    INDEX = "index"


_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(slots=True)
class Deed:
    """One file from the trash on, one erasure, voices that were forgotten, or what went out of the index of search. `files`:
    keyed hashes of its paths.

    `taken`: the receipt of its way to the trash, None if that was cut off or there is none. `ended`: of what came of it.
    """

    what: What
    recording: str
    files: tuple[str, ...]
    kind: str
    bytes: int | None
    rule: str
    taken: Receipt | None = None
    ended: Receipt | None = None
    how: Ended | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def latest(self) -> Receipt:
        found = self.ended or self.taken
        assert found is not None
        return found


def deeds_of(receipts: Iterable[Receipt]) -> list[Deed]:
    """All deeds, in the order in which they began."""
    found: list[Deed] = []
    by_recording: dict[str, list[Deed]] = {}
    by_file: dict[tuple[str, str, str], list[Deed]] = {}
    by_size: dict[tuple[str, str, int | None], list[Deed]] = {}

    def open_one(deed: Deed) -> None:
        by_recording.setdefault(deed.recording, []).append(deed)
        by_file.setdefault((deed.recording, deed.files[0], deed.kind), []).append(deed)
        by_size.setdefault((deed.recording, deed.kind, deed.bytes), []).append(deed)

    for receipt in receipts:
        facts = facts_of(receipt)
        if receipt.act in ("trashed", "purged", "restored"):
            deed = _of_file(receipt, facts)
            if receipt.act == "trashed":
                found.append(deed)
                open_one(deed)
                continue
            # A file that comes back to another folder is known by its recording, its class and its size.
            file = (deed.recording, deed.files[0], deed.kind)
            begun = _open(by_file.get(file, ())) or _open(
                by_size.get((deed.recording, deed.kind, deed.bytes), ())
            )
            if begun is None:
                found.append(begun := deed)
            elif deed.files[0] not in begun.files:
                begun.files += deed.files
            begun.ended, begun.how = receipt, Ended(receipt.act)
        elif receipt.act == "erased":
            found.append(_of_erasure(receipt, facts))
            for other in by_recording.pop(found[-1].recording, ()):
                if other.ended is None:
                    other.ended, other.how = receipt, Ended.ERASED
        elif receipt.act == "forgotten":
            rule = text_of(facts, "rule")
            indexed = rule.startswith("index:")
            kind = "index" if indexed else "voiceprints"
            what = What.INDEX if indexed else What.VOICES
            found.append(Deed(what, "", (), kind, None, rule, ended=receipt, facts=facts))
    return found


def facts_of(receipt: Receipt) -> dict[str, Any]:
    """What a receipt says; nothing for one that was changed so that it says nothing."""
    try:
        facts = json.loads(receipt.body)
    except (ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}


def hash_of(receipt: Receipt) -> str:
    """Its hash; a sentence in brackets where a forger wrote something else there."""
    return receipt.hash if _HASH.fullmatch(receipt.hash) else "(what stands there is no hash)"


def text_of(facts: dict[str, Any], name: str) -> str:
    value = facts.get(name)
    return value if isinstance(value, str) else ""


def number_of(facts: dict[str, Any], name: str) -> int | None:
    """A count or size; None for what is none, or none that a disk can have."""
    value = facts.get(name)
    return value if type(value) is int and 0 <= value < 2**63 else None


def names_of(deed: Deed) -> list[list[str]]:
    """Keyed hashes of what an erased recording was called, the longest first, for each place that it had."""
    names = deed.facts.get("names")
    lists = [each for each in names if isinstance(each, list)] if isinstance(names, list) else []
    return [[name for name in each if isinstance(name, str)] for each in lists]


def _of_file(receipt: Receipt, facts: dict[str, Any]) -> Deed:
    taken = receipt if receipt.act == "trashed" else None
    return Deed(
        What.FILE, text_of(facts, "recording"), (text_of(facts, "file"),), text_of(facts, "kind"),
        number_of(facts, "bytes"), text_of(facts, "rule"), taken=taken,
    )  # fmt: skip


def _of_erasure(receipt: Receipt, facts: dict[str, Any]) -> Deed:
    paths = facts.get("paths")
    files = tuple(path for path in paths if isinstance(path, str)) if isinstance(paths, list) else ()
    return Deed(
        What.ERASURE, text_of(facts, "recording"), files, "", number_of(facts, "bytes"), "",
        ended=receipt, how=Ended.ERASED, facts=facts,
    )  # fmt: skip


def _open(deeds: Iterable[Deed]) -> Deed | None:
    """The latest that nothing came of yet."""
    return next((deed for deed in reversed(list(deeds)) if deed.ended is None), None)
