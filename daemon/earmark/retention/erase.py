"""Erasing a recording on its owner's word: every copy that can be reached, the ledger's words, and the proof of it.

The order makes a kill harmless: what has to go is written down first, together with the tombstone; then the files go; then
all rows in one transaction with the receipt; then the ledger is written anew, so that no free page holds a word.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from earmark.domain import Instant
from earmark.errors import EnvironmentFault
from earmark.ledger import Ledger
from earmark.ledger.erasing import COMPACT_DUE
from earmark.messages import pack_path, unpack_path
from earmark.retention import logs, receipts, search
from earmark.retention.copies import Found, find
from earmark.retention.moves import Step, quiet


@dataclass(slots=True)
class Erased:
    """What came of it. `remaining`: files that would not go, with the reason; `found_again`: files in the state folder
    that still hold bytes of it; `compacted`: whether the ledger could be written anew; `receipts`: their numbers.
    """

    recordings: int = 0
    files: int = 0
    bytes: int = 0
    remaining: list[str] = field(default_factory=list)
    found_again: list[Path] = field(default_factory=list)
    compacted: bool = True
    receipts: list[int] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        return not self.remaining and not self.found_again and self.compacted


def matching(ledger: Ledger, text: str) -> list[str]:
    """Recordings in whose words or names `text` occurs, whatever the case."""
    wanted = text.casefold()
    found = []
    for recording in ledger.places.recordings():
        names = " ".join(str(place.path) for place in ledger.places.of(recording.id))
        transcript = ledger.words.transcript(recording.id)
        spoken = (
            transcript.text
            if transcript
            else " ".join(s.text for s in ledger.words.heard_so_far(recording.id))
        )
        summary = ledger.words.summary(recording.id)
        written = " ".join((summary.title, summary.overview)) if summary else ""
        if any(wanted in part.casefold() for part in (names, " ".join(spoken.split()), written)):
            found.append(recording.id)
    return found


def erase(
    ledger: Ledger,
    found: Found,
    recording_ids: Iterable[str],
    now: Instant,
    folders: Iterable[Path],
    step: Step = quiet,
) -> Erased:
    """Erase recordings with the copies found of them, then look for what might be left. Call in `one_at_a_time`.

    `folders`: the drop folders, looked through once more at the end for what a running daemon wrote meanwhile.
    """
    result = Erased()
    tops = set(folders)
    wanted = list(recording_ids)
    share = max(1, search.NEEDLES // max(1, len(wanted)))
    needles: set[bytes] = set()
    for recording_id in wanted:
        copies = found.of(recording_id)
        if len(needles) < search.NEEDLES:
            audio = [c.path for c in copies if "audio" in c.what]
            needles |= search.needles_of(ledger, recording_id, audio, share)
        tops.update(place.folder for place in ledger.places.of(recording_id))
        step("before:announce")
        with ledger.transaction():
            ledger.erasing.begin(
                recording_id, [pack_path(c.path) for c in copies], receipts.keyed(ledger, recording_id), now
            )
        step("after:announce")
        _finish(ledger, recording_id, now, result, step, sum(c.size for c in copies))
    # Notes that a running daemon published between looking and announcing.
    for copy in find(ledger, wanted, tops).copies:
        _unlink(copy.path, result)
    compact(ledger, result, now, step)
    result.found_again = _left(ledger, needles)
    return result


def recover(ledger: Ledger, now: Instant, step: Step = quiet) -> Erased:
    """Finish erasures that a kill or an unwilling file left open."""
    result = Erased()
    for recording_id in ledger.erasing.begun():
        _finish(ledger, recording_id, now, result, step, 0)
    if ledger.journal.fact(COMPACT_DUE) is not None:
        compact(ledger, result, now, step)
    return result


def remove_set_aside(ledger: Ledger) -> list[Path]:
    """Remove damaged ledgers that were set aside and hold everybody's words: for erasing everything."""
    name = ledger.db.file.name
    gone = sorted(ledger.db.file.parent.glob(f"{name}.damaged-*"))
    for path in gone:
        path.unlink(missing_ok=True)
    return gone


def compact(ledger: Ledger, result: Erased, now: Instant, step: Step = quiet) -> None:
    """Write the ledger anew and empty its write-ahead log; a busy ledger is left for the next sweep."""
    step("before:compact")
    try:
        result.compacted = ledger.erasing.compact()
    except EnvironmentFault:
        result.compacted = False
    step("after:compact")


def _finish(ledger: Ledger, recording_id: str, now: Instant, result: Erased, step: Step, size: int) -> None:
    """Files, then rows: from the announcement to the receipt."""
    files = [unpack_path(p) for p in ledger.erasing.files_of(recording_id)]
    stubborn = []
    for path in files:
        step("before:unlink")
        if not _unlink(path, result):
            stubborn.append(pack_path(path))
        step("after:unlink")
    mark = receipts.keyed(ledger, recording_id)
    names = {p.path.name for p in ledger.places.of(recording_id)}
    names |= {a.path.name for a in ledger.artifacts.of_recording(recording_id)}
    with ledger.transaction():
        rows = ledger.erasing.drop_rows(recording_id, names, now)
        if stubborn:
            ledger.erasing.keep_open(recording_id, stubborn)
        else:
            ledger.erasing.done(recording_id)
            receipt = receipts.issue(
                ledger, now, "erased", recording=mark, files=len(files), bytes=size, ledger_rows=rows
            )
            result.receipts.append(receipt.seq)
            ledger.journal.note(
                now, "erased", f"A recording was erased; receipt {receipt.seq} has the proof."
            )
    result.recordings += 1
    result.bytes += size
    step("after:rows")


def _unlink(path: Path, result: Erased) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return True
    except OSError as error:
        result.remaining.append(f"{path}: {error.strerror}")
        return False
    result.files += 1
    with contextlib.suppress(OSError):
        fd = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    if path.parent.parent.name in ("trash", ".earmark-trash"):
        with contextlib.suppress(OSError):
            path.parent.rmdir()
    return True


def _left(ledger: Ledger, needles: set[bytes]) -> list[Path]:
    """Files of the state folder that still hold bytes of what was erased, logs and status cleaned of it first.

    What lies in the trash under a row of another recording is that recording's.
    """
    state = ledger.db.file.parent
    others = {row.trashed for row in ledger.trash.in_state("here") if row.trashed is not None}
    hits = search.where_found(state, needles, others)
    alive = search.still_alive(ledger, set().union(*hits.values())) if hits else set()
    left = []
    for path, found in sorted(hits.items()):
        if path.name == "status.json":
            path.unlink(missing_ok=True)  # the daemon's last account of itself; it writes a new one
        elif logs.is_log(path):
            _scrub(path, found)
        elif found - alive:
            left.append(path)
    return left


def _scrub(path: Path, needles: set[bytes]) -> None:
    """Take the lines that hold any of these out of a log."""
    lines = path.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if not any(needle in line for needle in needles)]
    logs.rewrite(path, kept)
