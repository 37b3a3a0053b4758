"""A settled file becomes a row: new recording, same content again, renamed, or replaced by other content."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from earmark.context import Context
from earmark.domain import Stage
from earmark.intake.content import Content
from earmark.ledger import Place
from earmark.log import get_logger
from earmark.pipeline.publishing import BACK
from earmark.pipeline.rebuild import adopt_notes
from earmark.retention.tombstones import why_refused

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a settled file turned out to be. `moved_from` only for "renamed"."""

    what: Literal["new", "known", "again", "renamed", "replaced", "back", "erased"]
    moved_from: Path | None = None


def classify(
    here: Place | None, same_content: list[Place], recording_id: str, still_there: set[Path]
) -> Arrival:
    """What a file with this content at this path is, given what the ledger knows. Pure.

    `here`: the ledger's row for the path. `same_content`: all places of the content. `still_there`: which of those
    paths exist right now.
    """
    if here is not None and here.recording_id == recording_id:
        return Arrival("back" if here.gone_at is not None else "known")
    departed = [
        p for p in same_content if p.path not in still_there and p.gone_why not in ("trashed", "replaced")
    ]
    if departed:
        # The place that left last is the one that was renamed; with several, any of them serves.
        latest = max(departed, key=lambda p: p.gone_at or float("inf"))
        return Arrival("renamed", latest.path)
    if here is not None and here.gone_at is None:
        return Arrival("replaced")
    return Arrival("again" if same_content else "new")


def accept(context: Context, path: Path, folder: Path, content: Content) -> Arrival:
    """Write a settled file into the ledger, in one transaction, and queue what it needs."""
    ledger, now, recording_id = context.ledger, context.now(), content.sha256
    if (erased := why_refused(ledger, recording_id)) is not None:
        if ledger.journal.trouble(path, "file", erased, now, str(content.identity)):
            log.info("refused", file=str(path), reason=erased)
        return Arrival("erased")
    same = ledger.places.of(recording_id)
    there = {p.path for p in same if os.path.lexists(p.path)}
    arrival = classify(ledger.places.at(path), same, recording_id, there)
    settings = context.settings(folder)
    context.step("before:accept")
    with ledger.transaction():
        ledger.places.add_recording(
            recording_id, content.identity.size, now, content.modified_at, settings.priority
        )
        if arrival.what == "renamed" and arrival.moved_from is not None:
            ledger.places.move(arrival.moved_from, path, folder, content.identity)
            # Links in the notes name the file; they are written again under the new name.
            ledger.places.caught_up(path, 0, 0, "")
        else:
            ledger.places.put(path, folder, recording_id, content.identity, now)
        if arrival.what == "back":
            ledger.places.caught_up(path, 0, 0, BACK)
        ledger.journal.clear(path)
        queued = ledger.jobs.add(recording_id, Stage.TRANSCRIBE, now)
        if queued and arrival.what in ("new", "replaced"):
            queued = not adopt_notes(context, path, folder, recording_id)
        if arrival.what != "known":
            ledger.journal.note(now, _EVENTS[arrival.what], _detail(arrival), recording_id, path)
    context.step("after:accept")
    if arrival.what != "known":
        log.info(_EVENTS[arrival.what], file=str(path), recording=recording_id[:12], queued=queued)
    return arrival


_EVENTS = {
    "new": "accepted",
    "known": "known",
    "again": "same-content",
    "renamed": "renamed",
    "replaced": "replaced",
    "back": "back",
}


def _detail(arrival: Arrival) -> str:
    match arrival.what:
        case "new":
            return "A new recording; it waits for its transcription."
        case "again":
            return "The same content is here under another name; it is not transcribed a second time."
        case "renamed":
            return f"Renamed from {os.fsencode(str(arrival.moved_from)).decode(errors='backslashreplace')}."
        case "replaced":
            return (
                "The file at this path has other content now; the earlier recording's notes stay as they are."
            )
        case "back":
            return "The file is here again."
        case _:
            return ""


def note_missing(context: Context, paths: set[Path]) -> None:
    """Files that a complete look at their folder did not find: their notes stay, their recordings stay known."""
    if not paths:
        return
    ledger, now = context.ledger, context.now()
    with ledger.transaction():
        for path in sorted(paths):
            place = ledger.places.at(path)
            ledger.places.gone(path, now, "missing")
            ledger.journal.note(
                now, "missing", "The file is not in the folder any more; its notes stay.",
                place.recording_id if place else None, path,
            )  # fmt: skip
            log.info("missing", file=str(path))
