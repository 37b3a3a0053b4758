"""Writing what is owed: for each place, the notes and sidecars that belong beside it, in the revision that is known.

The order on disk is always: a ledger row that says what is coming, the file, the row that says it is there. A kill
between any two leaves something that the next call recognises by its hash.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from earmark.context import Context
from earmark.domain import JobState, Kind, Stage
from earmark.errors import EarmarkError, EnvironmentFault, LedgerError
from earmark.ledger import Artifact, Place
from earmark.ledger.jobs import backoff
from earmark.log import get_logger
from earmark.notes.moving import follow
from earmark.notes.names import candidates
from earmark.notes.publication import environment_fault
from earmark.notes.writer import (
    PlanStale,
    digest,
    file_digest,
    plan_publish,
    publish,
    remove_stale_temps,
)
from earmark.pipeline.outputs import Output, outputs
from earmark.retention.fate import outdate_unedited

log = get_logger(__name__)

BACK = "back"
"""`places.outputs` of a file that was away and is here again: notes that are missing beside it are written anew."""

UNWRITABLE = "notes cannot be written"
"""`troubles.seen` of a folder whose notes could not be written; over when one of them is written."""

RETRY_SECONDS = 10.0
"""First wait after a folder could not be written to; doubles up to five minutes."""


@dataclass(frozen=True, slots=True)
class Written:
    """What publishing one place came to. `notes`: the Markdown files beside it now."""

    place: Place
    notes: tuple[Path, ...]
    beside: tuple[Path, ...]


def publish_owed(context: Context, limit: int = 20) -> tuple[list[Written], bool]:
    """Write what is owed, a bounded number of places at a time. Second value: whether more is owed right now."""
    owed = context.ledger.places.owed(context.now(), limit + 1)
    written = []
    relooks = _relooked(context, limit)
    for place in (*owed[:limit], *relooks):
        try:
            written.append(publish_place(context, place))
        except PlanStale:
            pass  # somebody wrote there in this very moment; it is still owed and comes again
        except OSError as error:
            _not_written(context, place, environment_fault(error, place.path.parent))
        except EnvironmentFault as fault:
            if str(context.home.ledger_file) in str(fault):
                raise
            _not_written(context, place, fault)
        except LedgerError:
            raise
        except EarmarkError as error:  # such as a folder that is full of notes of that name
            _not_written(context, place, error)
    return written, len(owed) > limit or len(relooks) == limit


def _relooked(context: Context, limit: int) -> list[Place]:
    """Places whose notes say something about the audio that is no longer so: it expires on another day, or is gone.

    Their row goes when their notes are on disk (`publish_place`), so that a kill in between leaves them owed.
    """
    ledger, found = context.ledger, []
    for path in ledger.retention.relooks(limit):
        place = ledger.places.at(path)
        with ledger.transaction():
            if place is None or not outdate_unedited(ledger, place):
                ledger.retention.relooked(path)
            elif place.not_before <= context.now():
                found.append(place)
    return found


def publish_place(context: Context, place: Place) -> Written:
    """Write everything that belongs beside this file. Does nothing twice."""
    ledger = context.ledger
    recording = ledger.places.recording(place.recording_id)
    transcript = ledger.words.transcript(place.recording_id)
    if recording is None or transcript is None:
        # Nothing can be written, so nothing is owed: the words were removed since.
        ledger.retention.relooked(place.path)
        ledger.places.caught_up(
            place.path,
            recording.transcript_rev if recording else 0,
            recording.summary_rev if recording else 0,
            "",
        )
        return Written(place, (), ())
    summary = ledger.words.summary(place.recording_id)
    settings = context.settings(place.folder)
    _bring_along(context, place)
    notes: list[Path] = []
    beside: list[Path] = []
    for output in outputs(context, place, settings, recording, transcript, summary):
        path, was_edited = _write(context, place, output)
        if path is not None and output.form == "md":
            notes.append(path)
        if path is not None and was_edited:
            beside.append(path)
    now = context.now()
    with ledger.transaction():
        ledger.retention.relooked(place.path)
        ledger.places.caught_up(
            place.path, recording.transcript_rev, recording.summary_rev, ",".join(settings.formats)
        )
        if place.trouble is not None:
            ledger.journal.clear(place.path.parent)
        if is_done(context, place.recording_id):
            ledger.places.mark_done(place.recording_id, now)
    return Written(place, tuple(notes), tuple(beside))


def clear_litter(context: Context) -> None:
    """Remove the temp files of notes that were being written when the daemon was killed."""
    for folder in {a.path.parent for a in context.ledger.artifacts.all() if a.state == "writing"}:
        with contextlib.suppress(EnvironmentFault):
            remove_stale_temps(folder, float("-inf"), 0.0)


def is_done(context: Context, recording_id: str) -> bool:
    """True if nothing more is to come: transcript and summary exist and no stage waits to be tried.

    A summary that is parked for a better model counts as done: what the person was promised is there.
    """
    jobs = [context.ledger.jobs.of(recording_id, stage) for stage in Stage]
    open_states = (JobState.WAITING, JobState.CLAIMED)
    return all(job is not None and job.state not in open_states for job in jobs) and bool(
        context.ledger.words.summary(recording_id)
    )


def _write(context: Context, place: Place, output: Output) -> tuple[Path | None, bool]:
    """Put one output on disk. Returns its path (None: the user removed it and wants none) and whether it had to go
    beside an edited one.
    """
    ledger, folder = context.ledger, place.path.parent
    ours: dict[str, str] = {}
    for artifact in _earlier(context, place, output):
        on_disk = file_digest(artifact.path)
        if artifact.state == "writing":
            # Left by a crash; its temp file, if there is one, is nobody's any more.
            remove_stale_temps(folder, float("-inf"), 0.0)
        if on_disk is None:
            if artifact.state == "writing" or place.outputs == BACK:
                ledger.artifacts.forget(artifact.path)
                continue
            # Ours was there and is not: the user removed it, and it stays removed.
            ledger.artifacts.set_state(artifact.path, "gone")
            return None, False
        if artifact.state == "writing":
            ours[artifact.path.name] = on_disk if on_disk == artifact.next_sha256 else artifact.sha256
            continue
        if on_disk != artifact.sha256 and artifact.state != "edited":
            ledger.artifacts.set_state(artifact.path, "edited")
        if artifact.rev >= output.rev:
            return artifact.path, False
        ours[artifact.path.name] = artifact.sha256
    plan = plan_publish(folder, output.names(place.path.name), output.text, ours)
    path, sha256 = folder / plan.name, digest(output.text)
    context.step("before:announce")
    ledger.artifacts.writing(
        place.recording_id, place.path, output.kind, output.form, path, output.rev, sha256, context.now()
    )
    context.step("after:announce")
    publish(folder, plan, output.text, step=context.step)
    context.step("before:written")
    with ledger.transaction():
        ledger.artifacts.written(path, sha256, context.now())
        ledger.journal.note(
            context.now(), "written", f"{plan.name} ({plan.reason}).", place.recording_id, path
        )
    context.step("after:written")
    log.info("written", file=str(place.path), note=str(path), kind=output.kind.value, action=plan.action)
    return path, plan.action == "beside"


def _earlier(context: Context, place: Place, output: Output) -> list[Artifact]:
    """What we wrote before for this output, in this folder, latest first."""
    found = [
        a
        for a in context.ledger.artifacts.of_place(place.path)
        if (a.kind, a.form, a.path.parent) == (output.kind, output.form, place.path.parent)
        and a.recording_id == place.recording_id
        and a.state not in ("gone", "trashed")
    ]
    return sorted(found, key=lambda a: -a.rev)


def _bring_along(context: Context, place: Place) -> None:
    """After a rename: untouched notes that still have the old name or lie in the old folder follow the recording;
    edited ones stay where their owner knows them.
    """
    ledger = context.ledger
    for artifact in ledger.artifacts.of_place(place.path):
        if artifact.recording_id != place.recording_id or artifact.state != "here":
            continue
        kind = artifact.kind if artifact.form == "md" else artifact.form
        in_folder = artifact.path.parent == place.path.parent
        if in_folder and _belongs(artifact.path.name, place.path.name, kind):
            if place.transcript_rev == 0 and file_digest(artifact.path) == artifact.sha256:
                ledger.artifacts.outdate(
                    artifact.path
                )  # same note name, but the recording's own name changed
            continue
        names = candidates(place.path.name, kind)
        new = follow(artifact.path, place.path.parent, names, artifact.sha256, context.step)
        if new is None:
            ledger.artifacts.set_state(artifact.path, "edited" if artifact.path.exists() else "gone")
            continue
        with ledger.transaction():
            ledger.artifacts.move(artifact.path, new)
            ledger.artifacts.outdate(new)
        log.info("note-followed", note=str(new), before=str(artifact.path))


def _belongs(note: str, audio: str, kind: Kind | str) -> bool:
    names = candidates(audio, kind)
    return any(note == next(names) for _ in range(12))


def _not_written(context: Context, place: Place, fault: EarmarkError) -> None:
    ledger, now = context.ledger, context.now()
    fails = 1 if place.trouble is None else 5
    ledger.places.not_written(
        place.path, str(fault), now + min(300.0, backoff(fails, context.jitter(), RETRY_SECONDS))
    )
    if ledger.journal.trouble(place.path.parent, "folder", str(fault), now, UNWRITABLE):
        ledger.journal.note(now, "not-written", str(fault), place.recording_id, place.path)
        log.warning("not-written", file=str(place.path), reason=str(fault))
