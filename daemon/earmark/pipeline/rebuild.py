"""After the ledger was lost or damaged: what of it can be read, and what folders and notes tell by themselves."""

from __future__ import annotations

import contextlib
import itertools
import time
from pathlib import Path

from earmark.context import Context
from earmark.domain import Instant, Kind, Stage
from earmark.ledger import Ledger
from earmark.ledger.salvage import salvage
from earmark.log import get_logger
from earmark.notes.frontmatter import LIMIT, recording_of
from earmark.notes.names import candidates
from earmark.notes.style import NoteStyle

log = get_logger(__name__)

NAMES = 8
"""Candidates for a note's name that are looked at: two recordings of one name, each edited a few times."""

FOUND = "its notes were here already, so it was not heard again; `earmark retry` does that"


def set_aside(ledger_file: Path, now: Instant) -> Path:
    """Give the damaged ledger (with its log) another name, so that nothing is lost that a person might want."""
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(now))
    first = f"{ledger_file.name}.damaged-{stamp}"
    names = itertools.chain((first,), (f"{first}-{number}" for number in itertools.count(2)))
    aside = next(p for name in names if not (p := ledger_file.with_name(name)).exists())
    for suffix in ("-wal", "-shm", ""):
        with contextlib.suppress(FileNotFoundError):
            ledger_file.with_name(ledger_file.name + suffix).rename(aside.with_name(aside.name + suffix))
    return aside


def refill(ledger: Ledger, aside: Path, now: Instant) -> None:
    """Put into the new ledger what can be read of the damaged one, and say so where `status` finds it."""
    copied = salvage(aside, ledger)
    sentence = (
        f"The ledger was damaged and was set aside as {aside}. {copied.get('recordings', 0)} recordings could be read "
        "from it; the rest is found again in the folders and the notes there. Delete that file when you do not need it."
    )
    with ledger.transaction():
        ledger.journal.note(now, "ledger-set-aside", sentence)
        ledger.journal.trouble("[ledger]", "system", sentence, now, str(aside))
    log.warning("ledger-rebuilt", recordings=copied.get("recordings", 0), kept=str(aside))


def forget_aside(context: Context) -> None:
    """Once the damaged ledger that was kept is deleted, there is nothing left to say about it."""
    for trouble in context.ledger.journal.troubles():
        if trouble.subject == "[ledger]" and trouble.seen and not Path(trouble.seen).exists():
            context.ledger.journal.clear("[ledger]")


def adopt_notes(context: Context, path: Path, folder: Path, recording_id: str) -> bool:
    """If a recording that the ledger has just met has its notes beside it already, know them instead of making them
    again; true if so. Call in the transaction that accepts it.

    Notes carry their recording's hash (`earmark_id`), which is that of the very bytes that were just read. Whether
    somebody edited them nobody can tell any more, so they count as edited: never written over, moved or deleted.
    """
    kinds = (Kind.SUMMARY,) if context.config.notes.layout == "one-file" else (Kind.TRANSCRIPT, Kind.SUMMARY)
    found = {kind: _note_of(context, path, recording_id, kind) for kind in kinds}
    if not all(found.values()):
        return False
    ledger, now = context.ledger, context.now()
    for kind, note in found.items():
        if note is not None:
            ledger.artifacts.adopt(recording_id, path, kind, note, now)
    for stage in Stage:
        ledger.jobs.add(recording_id, stage, now)
        job = ledger.jobs.of(recording_id, stage)
        if job is not None:
            ledger.jobs.done(job.id, now, FOUND)
    ledger.places.mark_done(recording_id, now)
    ledger.journal.note(now, "notes-found", f"{FOUND[0].upper()}{FOUND[1:]}.", recording_id, path)
    log.info("notes-found", file=str(path), notes=[str(n) for n in found.values()])
    return True


def _note_of(context: Context, path: Path, recording_id: str, kind: Kind) -> Path | None:
    """The note beside the recording that says it is this recording's."""
    notes = context.config.notes
    style = NoteStyle(notes.dialect, notes.layout, notes.key_prefix, notes.keys)
    for name in itertools.islice(candidates(path.name, kind), NAMES):
        note = path.with_name(name)
        try:
            with note.open(encoding="utf-8") as file:
                if recording_of(file.read(LIMIT), style) == recording_id:
                    return note
        except FileNotFoundError:
            return None  # names are taken in order, so nothing of ours lies under a later one
        except (OSError, UnicodeError, ValueError):
            continue
    return None
