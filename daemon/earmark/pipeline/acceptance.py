"""A settled file becomes a row: new recording, same content again, renamed, going on, or replaced by other content."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from earmark.context import Context
from earmark.domain import Gone, Instant, Owed, Stage
from earmark.events import Event
from earmark.files import Content, Identity, fold, in_cloud, named, sha256_of
from earmark.files.content import HEADER
from earmark.ledger import Place, Recording
from earmark.notes.dates import date_of
from earmark.pipeline.rebuild import adopt_copied_notes, adopt_notes
from earmark.retention import tags_we_wrote, why_refused


class What(StrEnum):
    """What a settled file turned out to be."""

    NEW = "new"
    KNOWN = "known"
    AGAIN = "again"
    """The same content is somewhere else, too."""
    RENAMED = "renamed"
    REPLACED = "replaced"
    """The file at this path has other content now."""
    CONTINUED = "continued"
    """It begins with the content that it had, and goes on."""
    BACK = "back"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Arrival:
    """`before`: for RENAMED where the recording was, for CONTINUED and REPLACED what was there, for AGAIN the first that is
    there with the same content.
    """

    what: What
    before: Place | None = None


def classify(
    here: Place | None,
    same_content: list[Place],
    recording_id: str,
    still_there: set[Path],
    *,
    goes_on: bool = False,
    elsewhere: Place | None = None,
    spelled: Path | None = None,
) -> Arrival:
    """What a file with this content at this path is, given what the ledger knows. Pure.

    `here`: the ledger's row for the path. `same_content`: all places of the content. `still_there`: which of those paths
    hold it right now. `goes_on`: the file begins with what `here` says it held; `elsewhere`: it begins with what
    is missing there. `spelled`: the one of those paths that is this very name on a disk that folds case.
    """
    if here is not None and here.recording_id == recording_id:
        return Arrival(What.KNOWN if here.here else What.BACK)
    departed = [p for p in same_content if p.path not in still_there and p.gone_why is not Gone.TRASHED]
    if departed:
        # One that has this very name; else the place that left last is the one that was renamed, and any of several serves.
        gone = {p.path: p.gone_at if p.gone_at is not None else float("inf") for p in departed}
        latest = max(departed, key=lambda p: (p.path == spelled, gone[p.path]))
        if here is not None and latest.path == here.path:
            return Arrival(What.BACK)  # what was replaced here has replaced what replaced it
        return Arrival(What.RENAMED, latest)
    if here is not None and goes_on:
        return Arrival(What.CONTINUED, here)
    if here is not None and here.here:
        return Arrival(What.REPLACED, here)
    if elsewhere is not None:
        return Arrival(What.CONTINUED, elsewhere)  # renamed and appended to between two looks
    # Nothing of it has departed: what is not there any more a rule has taken.
    there = next((p for p in same_content if p.path in still_there), next(iter(same_content), None))
    return Arrival(What.AGAIN, there) if there is not None else Arrival(What.NEW)


def accept(context: Context, path: Path, folder: Path, content: Content) -> Arrival:
    """Write a settled file into the ledger, in one transaction, and queue what it needs."""
    ledger, now, recording_id = context.ledger, context.now(), content.sha256
    if (erased := why_refused(ledger, recording_id)) is not None:
        if ledger.journal.trouble(path, "file", erased, now, str(content.identity)):
            context.tell(Event.REFUSED, erased, file=path, journal=False)
        return Arrival(What.ERASED)
    same = ledger.places.of(recording_id)
    there = {p.path for p in same if not context.answers(p.path) or _holds(p, path, content.identity)}
    here = ledger.places.at(path)
    former = ledger.recordings.get(here.recording_id) if here is not None else None
    elsewhere = (
        _under_another_name(context, content) if not same and (here is None or not here.here) else None
    )
    goes_on = _goes_on(former, here, content) and here is not None and here.recording_id != recording_id
    spelled = next((p.path for p in same if p.path != path and _is_one(p.path, path)), None)
    arrival = classify(here, same, recording_id, there, goes_on=goes_on, elsewhere=elsewhere, spelled=spelled)
    settings = context.settings(folder)
    modified_at = Instant(content.identity.mtime_ns / 1e9)
    context.step("before:accept")
    with ledger.transaction():
        ledger.recordings.add(
            recording_id, content.size, now, date_of(None, path.name, modified_at, now), settings.priority,
            content.body_sha256,
        )  # fmt: skip
        ledger.protection.met(recording_id)
        if goes_on and here is not None and arrival.what in (What.RENAMED, What.BACK):
            # Known already, and what this file held until now goes on as it all the same.
            ledger.go_on(here, recording_id, tags_we_wrote(context, here.recording_id))
        if arrival.what is What.RENAMED and arrival.before is not None:
            ledger.places.move(arrival.before, path, folder, content.identity, now)
        else:
            if arrival.what is What.CONTINUED and arrival.before is not None:
                former_id = arrival.before.recording_id
                tags = tags_we_wrote(context, former_id)
                ledger.go_on(arrival.before, recording_id, tags)
                if arrival.before.path != path:
                    ledger.places.notes_belong_to(arrival.before.path, recording_id, path)
            ledger.places.put(path, folder, recording_id, content.identity, now)
        if arrival.what is What.BACK:
            ledger.places.owe(path, recording_id, Owed.BACK)
        ledger.journal.clear(path)
        queued = ledger.jobs.add(recording_id, Stage.TRANSCRIBE, now)
        if queued and arrival.what in (What.NEW, What.REPLACED):
            queued = not adopt_notes(context, path, recording_id)
        elif arrival.what is What.AGAIN:
            adopt_copied_notes(context, path, recording_id)
        if arrival.what is not What.KNOWN:
            same_as = arrival.before if arrival.what is What.AGAIN else None
            of: dict[str, Any] = {} if same_as is None else {"of": str(same_as.path)}
            context.tell(
                _EVENTS[arrival.what], _sentence(arrival), recording=recording_id, file=path, queued=queued,
                content=recording_id[:12], **of,
            )  # fmt: skip
    context.step("after:accept")
    return arrival


def prefixes(context: Context, path: Path) -> tuple[int, ...]:
    """The sizes at which a file that is about to be read may turn out to be one that goes on, here or under another name."""
    here = context.ledger.places.at(path)
    sizes = {place.identity.size for place in context.ledger.places.missed(MINIMAL)}
    return tuple(sizes | ({here.identity.size} if here is not None else set()))


def _under_another_name(context: Context, content: Content) -> Place | None:
    """The longest recording that is missing where it was, and that this file begins with every byte of."""
    for place in context.ledger.places.missed(MINIMAL):
        begin = content.begins.get(place.identity.size)
        if begin is not None and begin.sha256 == place.recording_id and place.identity.size < content.size:
            return place
    return None


def _holds(place: Place, path: Path, arriving: Identity) -> bool:
    """True if the file of a place is there and still what it was: another file than the arriving one, whatever names a
    disk that folds case finds it under.
    """
    try:
        found = Identity.of(place.path.lstat())
    except OSError:
        return in_cloud(place.path)
    if found.is_file(arriving) and (not place.here or (not place.watched and _one_name(place.path, path))):
        return False  # one inode is one file: a scan has not found it under its former name, or looks there no more
    if found == place.identity:
        return True
    if found.size != place.identity.size:
        return False
    # Touched, or copied back: as long as the content is there, it has not left. What would take minutes to be read, while
    # nobody is served, counts as there, and so does what is in a cloud only; its own turn tells.
    unread = found.size > MOST_READ_AT_ONCE or in_cloud(place.path)
    return unread or sha256_of(place.path) == place.recording_id


def _is_one(one: Path, other: Path) -> bool:
    """True if two spellings of one name in one folder lead to one file."""
    try:
        return _one_name(one, other) and os.path.samestat(one.lstat(), other.lstat())
    except OSError:
        return False


def _one_name(one: Path, other: Path) -> bool:
    """True if two paths are one name in one folder, which was reached in two ways."""
    try:
        return fold(one.name) == fold(other.name) and one.parent.samefile(other.parent)
    except OSError:
        return False


def _goes_on(former: Recording | None, here: Place | None, content: Content) -> bool:
    """True if the file begins with all bytes of a former content, or with all but its header (recorders write sizes and
    durations there when they go on).
    """
    begin = content.begins.get(former.size) if former is not None else None
    if former is None or here is None or begin is None or here.gone_why not in (None, Gone.MISSING):
        return False  # one that is missing a sync client may have taken away, and brings it back longer
    least = SAME_FILE if here.identity.is_file(content.identity) else MINIMAL
    body = former.size > least and former.body_sha256 and begin.body_sha256 == former.body_sha256
    return begin.sha256 == former.id or bool(body)


MINIMAL = 64 * 1024
"""Bytes that a former content must have to be recognized without its header, or under another name; less may be the same by
chance."""

MOST_READ_AT_ONCE = 4 << 30
"""Bytes of a file that is read by the loop itself; ten seconds."""

SAME_FILE = 2 * HEADER
"""The same where it is the very file (one inode) that the former content was in."""

_EVENTS = {
    What.NEW: Event.ACCEPTED,
    What.AGAIN: Event.SAME_CONTENT,
    What.RENAMED: Event.RENAMED,
    What.REPLACED: Event.REPLACED,
    What.CONTINUED: Event.CONTINUED,
    What.BACK: Event.BACK,
}


def _sentence(arrival: Arrival) -> str:
    match arrival.what:
        case What.NEW:
            return "A new recording; it waits for its transcription."
        case What.AGAIN:
            other = named(arrival.before.path) if arrival.before else "another name"
            where = "is here as" if arrival.before is None or arrival.before.here else "was here as"
            return f"The same content {where} {other}; it is not transcribed a second time."
        case What.RENAMED:
            return f"Renamed from {named(arrival.before.path) if arrival.before else 'another name'}."
        case What.REPLACED:
            return "The file at this path has other content now; the earlier recording's notes make room."
        case What.CONTINUED:
            return "The file goes on; it is the same recording, and is transcribed to its new end."
        case What.BACK:
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
            if place is not None and place.here:
                ledger.places.gone(path, place.recording_id, now, Gone.MISSING)
                notes = any(
                    a.note and a.on_disk and os.path.lexists(a.path) for a in ledger.artifacts.of_place(place)
                )
                context.tell(
                    Event.MISSING, f"The file is not in the folder any more{'; its notes stay' if notes else ''}.",
                    recording=place.recording_id, file=path,
                )  # fmt: skip
