"""Erasing a recording on its owner's word: every copy that can be reached, the ledger's words, and the proof of it.

The order makes a kill harmless: what has to go is written down first, each file with the content that was decided about,
together with the tombstone; then the files go, each only while it has that content; then all rows in one transaction
with the receipt; then the ledger is written anew, so that no free page holds a word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from earmark.context import Context
from earmark.errors import EnvironmentFault
from earmark.events import Event
from earmark.files import (
    OtherContent,
    named,
    opened,
    recover_hidden,
    remove,
    remove_empty,
    sha256_of,
    tails,
    why,
)
from earmark.ledger import Doomed, Place
from earmark.paths import TRASH
from earmark.retention import receipts
from earmark.retention.erasure import leftovers
from earmark.retention.erasure.copies import Copy, Found, find


@dataclass(slots=True)
class Erased:
    """What came of it. `remaining`: files that would not go, with the reason; `stays`: files that are something else by
    now; `kept`: recordings that were not erased after all, with the reason; `found_again`: files in the state folder that
    still hold bytes of it; `compacted`: whether the ledger could be written anew; `receipts`: their numbers.
    """

    recordings: int = 0
    files: int = 0
    bytes: int = 0
    remaining: list[str] = field(default_factory=list)
    stays: list[tuple[Path, str]] = field(default_factory=list)
    kept: list[tuple[str, str]] = field(default_factory=list)
    found_again: list[Path] = field(default_factory=list)
    compacted: bool = True
    receipts: list[int] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        return not self.remaining and not self.found_again and self.compacted


def erase(
    context: Context,
    found: Found,
    recording_ids: Iterable[str],
    why_not: Callable[[str], str | None] = lambda _: None,
) -> Erased:
    """Erase recordings with the copies found of them, then look for what might be left. Call in `ledger.acting`.

    `why_not` is asked of each recording in the transaction that announces its erasure: a reason to leave it.
    """
    ledger, result = context.ledger, Erased()
    wanted = list(recording_ids)
    share = max(1, leftovers.NEEDLES // max(1, len(wanted)))
    needles: set[bytes] = set()
    for recording_id in wanted:
        copies = found.of(recording_id)
        mine: set[bytes] = set()
        if len(needles) < leftovers.NEEDLES:
            audio = [c.path for c in copies if c.audio or "audio" in c.what]
            mine = leftovers.needles_of(context, recording_id, audio, share)
        context.step("before:announce")
        with ledger.transaction():
            reason = why_not(recording_id)
            if reason is None:
                # What went on as it must not come back either.
                ids = [recording_id, *ledger.lineage.own_formers(recording_id)]
                keyed = [receipts.keyed(ledger, each) for each in ids]
                ledger.erasing.begin(recording_id, (c.doomed for c in copies), keyed, context.now())
        if reason is not None:
            result.kept.append((recording_id, reason))
            continue
        needles |= mine
        context.step("after:announce")
        _finish(context, recording_id, result, copies)
    compact(context, result)
    result.found_again = leftovers.left(context, needles)
    return result


def recover(context: Context) -> Erased:
    """Finish erasures that a kill or an unwilling file left open. Call in `ledger.acting`."""
    result = Erased()
    for recording_id in context.ledger.erasing.begun():
        # What had to go may lie elsewhere by now, or say more; it is found by what is in it, as it was at first.
        known = context.ledger.erasing.files_of(recording_id) or []
        copies = find(context, [recording_id]).copies
        now = {file.path: file for file in (*known, *(copy.doomed for copy in copies))}
        context.ledger.erasing.keep_open(recording_id, now.values())
        _finish(context, recording_id, result, copies)
    if context.ledger.erasing.compact_due():
        compact(context, result)
    return result


def compact(context: Context, result: Erased) -> None:
    """Write the ledger anew and empty its write-ahead log; a busy ledger is left for the next sweep."""
    context.step("before:compact")
    try:
        result.compacted = context.ledger.erasing.compact()
    except EnvironmentFault:
        result.compacted = False
    context.step("after:compact")


def _finish(context: Context, recording_id: str, result: Erased, copies: Sequence[Copy]) -> None:
    """Files, then rows: from the announcement to the receipt."""
    ledger = context.ledger
    doomed = ledger.erasing.files_of(recording_id)
    if doomed is None:
        # What had to go cannot be read any more, so it is looked for again.
        doomed = [c.doomed for c in find(context, [recording_id]).copies]
    stubborn = [file for file in doomed if not _remove(context, recording_id, file, result)]
    paths = {p.path for p in ledger.places.of(recording_id)}
    paths |= {a.path for a in ledger.artifacts.of_recording(recording_id)}
    names, named_before = (
        {path.name for path in paths},
        sorted(receipts.keyed(ledger, path) for path in paths),
    )
    called = [
        [receipts.keyed(ledger, tail) for tail in _called(place)] for place in ledger.places.of(recording_id)
    ]
    size = sum(c.size for c in copies)
    with ledger.transaction():
        keyed = receipts.keyed(ledger, recording_id)
        rows = ledger.erasing.drop_rows(recording_id, names, context.now())
        if stubborn:
            ledger.erasing.keep_open(recording_id, stubborn)
        else:
            ledger.erasing.done(recording_id)
            receipt = receipts.issue(
                ledger,
                context.now(),
                "erased",
                recording=keyed,
                files=len(doomed),
                paths=named_before,
                names=sorted(called),
                bytes=size,
                ledger_rows=rows,
            )
            result.receipts.append(receipt.seq)
            context.tell(Event.ERASED, f"A recording was erased; receipt {receipt.seq} has the proof.")
    result.recordings += 1
    result.bytes += size
    context.step("after:rows")


def _called(place: Place) -> Iterator[str]:
    """What a person may call a recording, from its drop folder's name on, so that a table with its name finds its receipt
    when nobody knows the folder any more.
    """
    below = (
        place.path.relative_to(place.folder.parent) if place.path.is_relative_to(place.folder) else place.path
    )
    return (tail for tail in tails(below) if not tail.startswith("/"))


def _remove(context: Context, recording_id: str, file: Doomed, result: Erased) -> bool:
    """Let one file go, if it has the content that was decided about; false if it has that, and would not go."""
    path = file.path
    expected = file.sha256 or _recognized(context, recording_id, path)
    context.step("before:remove")
    try:
        with opened(path.parent, context.top_of(path)) as folder:
            if folder.look_at(path.name) is None:
                # It may be on its way out since before a kill.
                for name in folder.names():
                    recover_hidden(folder, name, lambda sha256: sha256 == expected)
                if folder.look_at(path.name) is None:
                    return True
            remove(folder, path.name, expected, step=context.step)
    except FileNotFoundError:
        return True
    except OtherContent as other:
        if sha256_of(other.where) == expected:
            # The very content, and somebody is writing to it: tried again, and never forgotten.
            result.remaining.append(f"{named(path)}: {other.reason}")
            return False
        result.stays.append((other.where, "other content is there now"))
        return True
    except OSError as error:
        result.remaining.append(f"{named(path)}: {why(error)}")
        return False
    result.files += 1
    if path.parent.parent.name in ("trash", TRASH):
        remove_empty(path.parent)
    return True


def _recognized(context: Context, recording_id: str, path: Path) -> str:
    """For an erasure that an older version began without writing contents down: what is there, if it is the recording's."""
    copies = find(context, [recording_id]).copies
    return next((c.sha256 for c in copies if c.path == path), "")
