"""Writing what is owed: for each place, the notes and sidecars that belong beside it, in the revision that is known.

The order on disk is always: a ledger row that says what is coming, the file, the row that says it is there. A kill
between any two leaves something that the next call recognizes by its content. All of it happens under the ledger's lock
for acting, so that a verb never erases what is being written.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from earmark.context import Context
from earmark.domain import Instant, JobState, Owed, Stage
from earmark.errors import EarmarkError, EnvironmentFault, LedgerBusy, LedgerError
from earmark.events import Event
from earmark.files import (
    Access,
    Folder,
    Identity,
    OtherContent,
    access_of,
    digest,
    for_a_note,
    in_cloud,
    make_durable,
    opened,
    put_in_place,
    remove,
)
from earmark.ledger import Digests, Job, Place
from earmark.ledger.jobs import LONGEST_BACKOFF, MAX_ATTEMPTS, backoff
from earmark.notes.comparing import digests
from earmark.notes.faults import environment_fault
from earmark.notes.frontmatter import top_of
from earmark.notes.placement import Action, Placement, place_note
from earmark.notes.style import style_of
from earmark.pipeline.changed_places import name_base
from earmark.pipeline.earlier import look_at_earlier
from earmark.pipeline.endings import REPORT_IT
from earmark.pipeline.following import bring_along
from earmark.pipeline.outputs import Output, outputs
from earmark.pipeline.own_fault import own_fault
from earmark.pipeline.put_right import put_right
from earmark.pipeline.said_in_notes import take_said

UNWRITABLE = "notes cannot be written"
"""`troubles.seen` of a folder whose notes could not be written; over when one of them is written."""

RETRY_SECONDS = 10.0
"""First wait after a folder could not be written to; doubles up to five minutes."""

MOST_PATIENCE = 30.0
"""Seconds between two looks at a note that another program has open."""

NOTES_FAILED = "its notes cannot be written"
"""How the reason of a job begins that is done, and whose recording has failed for want of notes."""

ELSEWHERE_SECONDS = 5.0
"""Wait until a recording is looked for again that is not where it was: a scan finds out meanwhile where it is."""


@dataclass(frozen=True, slots=True)
class Written:
    """What publishing one place came to. `notes`: the Markdown files beside it now; `beside`: those that had to go beside
    one that was edited.
    """

    place: Place
    notes: tuple[Path, ...] = ()
    beside: tuple[Path, ...] = ()


class _Erased(Exception):
    """The recording was erased while its note was being written; what was written went again."""


class Elsewhere(Exception):
    """The recording is not where it was when it was last looked at, so that nothing is written there."""


def publish_owed(context: Context, limit: int = 20) -> tuple[list[Written], bool]:
    """Write what is owed, a bounded number of places at a time. Second value: whether more is owed right now."""
    owed = context.ledger.places.owed(context.now(), limit + 1, context.silent)
    written = []
    # Where recordings took each other's names, it is known of all of them before a note of any is moved.
    under_way = {p.path for p in owed if p.owed is Owed.REPLACED and context.coming(p.identity.size)}
    for place in owed[:limit]:
        if place.path in under_way:
            continue
        with own_fault(context, partial(_went_wrong, context, place)):
            if (done := _publish(context, place)) is not None:
                written.append(done)
    return written, len(owed) > limit


def _publish(context: Context, place: Place) -> Written | None:
    """Write one place's, or write down why not now."""
    try:
        with context.ledger.acting():
            done = publish_place(context, place)
        context.quicker.pop(place.path, None)
        return done
    except (OtherContent, FileExistsError, LedgerBusy):
        # Somebody saved, moved or took something at this very moment; it is still owed and comes again.
        context.ledger.places.not_written(place, None, Instant(context.now() + _patience(context, place)))
    except Elsewhere:
        context.ledger.places.not_written(place, None, Instant(context.now() + ELSEWHERE_SECONDS))
    except OSError as error:
        _not_written(context, place, environment_fault(error, place.path.parent))
    except EnvironmentFault as fault:
        if str(context.home.state) in str(fault):
            raise
        _not_written(context, place, fault)
    except LedgerError:
        raise
    except EarmarkError as error:  # such as a folder that is full of notes of that name
        _not_written(context, place, error)
    return None


def _patience(context: Context, place: Place) -> float:
    """Seconds until a place is tried again where somebody was quicker: at once the first time, then they have it open."""
    context.quicker[place.path] += 1
    return float(min(MOST_PATIENCE, 0.5 * 2 ** min(context.quicker[place.path] - 1, 10)))


def publish_place(context: Context, place: Place) -> Written | None:
    """Write everything that belongs beside this file; None if nothing of it is known any more. Does nothing twice.

    Call in `ledger.acting`. Raises Elsewhere, OSError, OtherContent or FileExistsError (somebody was quicker).
    """
    ledger = context.ledger
    # What a person wrote into one of its notes is in none of the others yet, and is no reason to leave that one alone.
    take_said(context, place.recording_id)
    current = ledger.places.get(place.path, place.recording_id)
    recording = ledger.recordings.get(place.recording_id)
    if current is None or recording is None:
        return None
    if not current.here and not place.path.parent.is_dir():
        ledger.places.caught_up(current, recording.transcript_rev, recording.summary_rev)
        return None
    with opened(place.path.parent, place.folder) as folder:
        if current.here and not _still_here(folder, current):
            raise Elsewhere
        bring_along(context, folder, current)
        transcript = ledger.words.transcript(place.recording_id)
        notes: list[Path] = []
        beside: list[Path] = []
        if transcript is not None:
            settings = context.settings(place.folder)
            summary = ledger.words.summary(place.recording_id)
            for output in outputs(context, current, settings, recording, transcript, summary):
                try:
                    path, was_edited = _write(context, folder, current, output)
                except _Erased:
                    return None
                if path is not None and output.form == "md":
                    notes.append(path)
                if path is not None and was_edited:
                    beside.append(path)
    with ledger.transaction():
        ledger.places.caught_up(current, recording.transcript_rev, recording.summary_rev)
        if current.trouble is not None:
            ledger.journal.clear(place.path.parent)
            _succeeded(context, place)
        if is_done(context, place.recording_id):
            ledger.recordings.mark_done(place.recording_id, context.now())
    return Written(place, tuple(notes), tuple(beside))


def is_done(context: Context, recording_id: str) -> bool:
    """True if nothing more is to come: transcript and summary exist and no stage waits to be tried.

    A summary that is parked for a better model counts as done: what the person was promised is there.
    """
    jobs = {stage: context.ledger.jobs.of(recording_id, stage) for stage in Stage}
    if jobs[Stage.TRANSCRIBE] is None or jobs[Stage.SUMMARIZE] is None:
        return False
    is_open = (JobState.WAITING, JobState.CLAIMED)
    return not any(job is not None and job.state in is_open for job in jobs.values()) and bool(
        context.ledger.words.summary(recording_id)
    )


def _still_here(folder: Folder, place: Place) -> bool:
    """True if the file in this very folder is the recording, as far as size, time and inode tell, or its cloud has it."""
    found = folder.look_at(place.path.name)
    if found is None:
        return in_cloud(place.path.name, folder.fd)
    return Identity.of(found) == place.identity


def _write(context: Context, folder: Folder, place: Place, output: Output) -> tuple[Path | None, bool]:
    """Put one output on disk. Returns its path (None: there is none, and none is wanted) and whether it had to go beside
    an edited one.
    """
    earlier = look_at_earlier(context, folder, place, output)
    if output.form == "md":
        put_right(context, folder, place, output)
    if earlier.unwanted or earlier.settled is not None:
        return earlier.settled, False
    if not place.here and not earlier.ours:
        return None, False  # where the recording is not, nothing new is written
    merged = earlier.merged.get(next(iter(earlier.ours), ""))
    data = output.data if merged is None else merged.encode()
    key = style_of(context.config.notes).key("speakers")
    known = digests(data.decode(), key) if output.form == "md" else Digests(digest(data))
    known = replace(known, top=top_of(output.text)) if merged is not None else known
    # A later version is not called like the note of a namesake.
    names = output.later_names if earlier.edited else output.names
    placement = place_note(
        folder, names(name_base(place)), known.sha256, earlier.ours, earlier.edited,
        lambda name: context.listings.taken(folder, name), telling=output.form == "md",
    )  # fmt: skip
    path = folder.at(placement.name)
    context.step("before:announce")
    context.ledger.artifacts.writing(
        place, output.kind, output.form, path, output.rev, known.sha256, context.now(), folder.what,
        merged=merged is not None,
    )  # fmt: skip
    context.step("after:announce")
    try:
        if placement.action is Action.UNCHANGED:
            make_durable(folder, placement.name, known.sha256, step=context.step)
        else:
            access = _access(folder, place) if placement.replaces is None else None
            put_in_place(folder, placement.name, data, placement.replaces, access=access, step=context.step)
            context.listings.changed(folder, added="" if placement.replaces else placement.name)
    except FileNotFoundError:
        if folder.is_at(folder.path):
            raise OtherContent(path, "it was removed at that very moment") from None
        raise
    context.step("before:written")
    _confirm(context, folder, place, output, placement, known)
    context.step("after:written")
    return path, placement.action is Action.BESIDE


def _access(folder: Folder, place: Place) -> Access | None:
    """A new note is for whom its recording is for; None where that cannot be seen."""
    try:
        return for_a_note(access_of(place.path.name, folder))
    except OSError:
        return None


def _confirm(
    context: Context, folder: Folder, place: Place, output: Output, placement: Placement, known: Digests
) -> None:
    """The bytes are on disk. If the recording was erased meanwhile, they go again."""
    path = folder.at(placement.name)
    with context.ledger.transaction():
        kept = context.ledger.artifacts.written(path, known, context.now())
        if kept:
            context.ledger.artifacts.not_removed(place, output.kind, output.form)
            context.tell(
                Event.WRITTEN, f"{placement.name} ({placement.reason}).", recording=place.recording_id, file=place.path,
                note=str(path), kind=output.kind.value, action=placement.action.value,
            )  # fmt: skip
    if not kept:
        remove(folder, placement.name, known.sha256, step=context.step)
        raise _Erased


def _went_wrong(context: Context, place: Place, sentence: str, charged: bool) -> None:
    """earmark itself cannot write the notes of a recording: tried again, less and less often, and after a few tries the
    recording has failed; at once where it was the ledger's rows, which are mended now.
    """
    ledger, now = context.ledger, context.now()
    context.stumbled[place.path] += charged
    tries = context.stumbled[place.path]
    with ledger.transaction():
        if ledger.places.get(place.path, place.recording_id) is None:
            return  # a verb erased the recording meanwhile
        wait = min(LONGEST_BACKOFF, backoff(tries, context.jitter(), RETRY_SECONDS)) if charged else 0.0
        ledger.places.not_written(place, sentence, Instant(now + wait))
        job = _last_job(context, place.recording_id)
        if tries >= MAX_ATTEMPTS and job is not None and job.state in (JobState.DONE, JobState.PARKED):
            ledger.jobs.fail(job.id, f"{NOTES_FAILED}: {sentence}; tried {tries} times. {REPORT_IT}", now)
        context.tell(
            Event.WENT_WRONG, f"{sentence[0].upper()}{sentence[1:]}.", recording=place.recording_id, file=place.path,
            level="error",
        )  # fmt: skip


def _last_job(context: Context, recording_id: str) -> Job | None:
    jobs = context.ledger.jobs
    return jobs.of(recording_id, Stage.SUMMARIZE) or jobs.of(recording_id, Stage.TRANSCRIBE)


def _succeeded(context: Context, place: Place) -> None:
    """Notes that could not be written are there now."""
    context.stumbled.pop(place.path, None)
    job = _last_job(context, place.recording_id)
    if job is not None and job.state is JobState.FAILED and (job.reason or "").startswith(NOTES_FAILED):
        context.ledger.jobs.done(job.id, context.now())


def _not_written(context: Context, place: Place, fault: EarmarkError) -> None:
    ledger, now = context.ledger, context.now()
    fails = 1 if place.trouble is None else 5
    wait = min(300.0, backoff(fails, context.jitter(), RETRY_SECONDS))
    ledger.places.not_written(place, str(fault), Instant(now + wait))
    if ledger.journal.trouble(place.path.parent, "folder", str(fault), now, UNWRITABLE):
        context.tell(
            Event.NOT_WRITTEN, str(fault), recording=place.recording_id, file=place.path, level="warning"
        )
