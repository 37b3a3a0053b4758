"""After the ledger was lost or damaged, or knew less than it does now: what folders and notes tell by themselves."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

from earmark.context import Context
from earmark.domain import Instant, Kind, Owed, Stage
from earmark.events import Event
from earmark.files import StillChanging, digest, read_bytes, what_is_at
from earmark.ledger import Ledger, Recording
from earmark.ledger.digests import in_words
from earmark.ledger.repair import Repaired
from earmark.notes.comparing import Likeness, likeness
from earmark.notes.dates import date_of
from earmark.notes.frontmatter import LIMIT, decoded, owner_of, read_frontmatter
from earmark.notes.names import candidates
from earmark.notes.style import style_of
from earmark.pipeline.outputs import revision
from earmark.pipeline.own_fault import own_fault
from earmark.retention.doubt import begin_doubt

NAMES = 8
"""Candidates for a note's name that are looked at: two recordings of one name, each edited a few times."""

FOUND = "its notes were here already, so it was not heard again; `earmark retry` does that"

FOUND_DRAFT = "its notes were here already and are a draft: it waits for its better transcription, which goes beside them"

ASIDE = "[ledger]"
"""Under which name `status` shows that a damaged ledger was kept."""


def say_repaired(ledger: Ledger, result: Repaired, now: Instant) -> None:
    """Write into a ledger that was filled from a damaged one what a person should know of it."""
    sentence = (
        f"The ledger was damaged and was set aside as {result.aside}. {result.copied.get('recordings', 0)} recordings"
        " could be read from it; the rest is found again in the folders and the notes there. Delete that file when you"
        " do not need it."
    )
    with ledger.transaction():
        ledger.journal.record(now, Event.LEDGER_SET_ASIDE, sentence)
        ledger.journal.trouble(ASIDE, "system", sentence, now, str(result.aside))
        if result.doubtful:
            begin_doubt(
                ledger,
                f"The ledger was damaged, and could not be read whole: {', '.join(in_words(result.doubtful))}",
                result.doubtful,
                now,
            )


def forget_aside(context: Context) -> None:
    """Once the damaged ledger that was kept is deleted, there is nothing left to say about it."""
    for trouble in context.ledger.journal.troubles():
        if trouble.subject == ASIDE and trouble.seen and not Path(trouble.seen).exists():
            context.ledger.journal.clear(ASIDE)


def date_recordings(context: Context) -> None:
    """Give a date to the recordings of a ledger that did not know of dates yet."""
    ledger = context.ledger
    for recording in ledger.recordings.undated():
        with own_fault(context, lambda *_: None):
            _date(context, recording)


def _date(context: Context, recording: Recording) -> None:
    ledger = context.ledger
    places = ledger.places.of(recording.id)
    transcript = ledger.words.transcript(recording.id)
    said = transcript.recorded_at if transcript is not None else None
    name = places[0].path.name if places else ""
    # What such a ledger has as the recording's time is the modification time of the file it came as.
    ledger.recordings.date(recording.id, date_of(said, name, recording.recorded_at, recording.accepted_at))


def adopt_notes(context: Context, path: Path, recording_id: str) -> bool:
    """If a recording that the ledger has just met has its notes beside it already, know them instead of making them
    again; true if so. Call in the transaction that accepts it.

    Notes carry their recording's hash (`earmark_id`), which is that of the very bytes that were just read. Whether
    somebody edited them nobody can tell any more, so they count as edited: never written over, moved or deleted.
    """
    found = {kind: _note_of(context, path, recording_id, kind) for kind in _kinds(context)}
    if not all(found.values()):
        return False
    ledger, now = context.ledger, context.now()
    for kind, note in found.items():
        if note is not None:
            ledger.artifacts.adopt(recording_id, path, kind, note, now, what_is_at(note.parent))
    draft = any(_is_draft(context, note) for note in found.values() if note is not None)
    for stage in Stage:
        ledger.jobs.add(recording_id, stage, now)
        job = ledger.jobs.of(recording_id, stage)
        if job is not None and not (draft and stage is Stage.TRANSCRIBE):
            ledger.jobs.done(job.id, now, FOUND)
    if draft:
        ledger.drafts.owe(recording_id, 0)
    else:
        ledger.recordings.mark_done(recording_id, now)
    said = FOUND_DRAFT if draft else FOUND
    context.tell(
        Event.NOTES_FOUND, f"{said[0].upper()}{said[1:]}.", recording=recording_id, file=path,
        notes=[str(n) for n in found.values()],
    )  # fmt: skip
    return True


def _is_draft(context: Context, note: Path) -> bool:
    style = style_of(context.config.notes)
    try:
        found = read_frontmatter(decoded(read_bytes(note, most=LIMIT))) or {}
    except (OSError, StillChanging):
        return False
    return any(found.get(key) is True for key in (style.key("draft"), "draft"))


def adopt_copied_notes(context: Context, path: Path, recording_id: str) -> None:
    """Know the notes beside another file with the content of a recording, which were copied along with it: those that are
    as we wrote them go on as such, and those that a person changed stay theirs. Call in the transaction that accepts it.
    """
    ledger, recording = context.ledger, context.ledger.recordings.get(recording_id)
    written = [a for a in ledger.artifacts.of_recording(recording_id) if a.note]
    for kind in _kinds(context):
        note = _note_of(context, path, recording_id, kind)
        if note is None or recording is None or ledger.artifacts.at(note) is not None:
            continue
        try:
            data = read_bytes(note)
        except OSError:
            continue
        current = revision(recording, kind, one_file=len(_kinds(context)) == 1)
        lies_in = what_is_at(note.parent)
        ledger.artifacts.adopt(recording_id, path, kind, note, context.now(), lies_in, current)
        likes = (Likeness.SAME, Likeness.LINKS)
        ours = next((a for a in written if a.kind is kind and likeness(data, a) in likes), None)
        if ours is not None:
            ledger.artifacts.as_written(note, replace(ours, sha256=digest(data)))
            ledger.places.owe(path, recording_id, Owed.RENAMED)  # its links may name the other file


def _kinds(context: Context) -> tuple[Kind, ...]:
    """Of which kinds there is a note of each recording."""
    one_file = context.config.notes.layout == "one-file"
    return (Kind.SUMMARY,) if one_file else (Kind.TRANSCRIPT, Kind.SUMMARY)


def _note_of(context: Context, path: Path, recording_id: str, kind: Kind) -> Path | None:
    """The note beside the recording that says it is this recording's."""
    style = style_of(context.config.notes)
    ids = context.ledger.lineage.names_of(recording_id)
    for name in itertools.islice(candidates(path.name, kind), NAMES):
        note = path.with_name(name)
        try:
            if owner_of(read_bytes(note, most=LIMIT), style) in ids:
                return note
        except FileNotFoundError:
            return None  # names are taken in order, so nothing of ours lies under a later one
        except (OSError, StillChanging):
            continue
    return None
