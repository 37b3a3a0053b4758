"""Writing what is owed: for each place, the notes and sidecars that belong beside it, in the revision that is known.

The order on disk is always: a ledger row that says what is coming, the file, the row that says it is there. A kill
between any two leaves something that the next call recognises by its hash.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from earmark.config import FolderSettings
from earmark.domain import JobState, Kind, Stage, Summary, Transcript
from earmark.errors import ConfigError, EarmarkError, EnvironmentFault, LedgerError
from earmark.ledger import Artifact, Place, Recording
from earmark.ledger.jobs import backoff
from earmark.log import get_logger
from earmark.notes import sidecars
from earmark.notes.dates import recorded_at, recorded_from
from earmark.notes.moving import follow
from earmark.notes.names import candidates
from earmark.notes.properties import confidence
from earmark.notes.publication import environment_fault
from earmark.notes.render import render_one_file, render_summary, render_transcript
from earmark.notes.style import NoteContext, NoteStyle
from earmark.notes.writer import (
    PlanStale,
    digest,
    file_digest,
    plan_publish,
    publish,
    remove_stale_temps,
)
from earmark.pipeline.context import Context
from earmark.retention.fate import audio_fate, outdate_unedited
from earmark.summarization.templating import load_template

log = get_logger(__name__)

_SIDECARS: dict[str, Callable[[Transcript], str]] = {
    "srt": sidecars.srt,
    "vtt": sidecars.vtt,
    "txt": sidecars.txt,
    "json": sidecars.as_json,
}

BACK = "back"
"""`places.outputs` of a file that was away and is here again: notes that are missing beside it are written anew."""

UNWRITABLE = "notes cannot be written"
"""`troubles.seen` of a folder whose notes could not be written; over when one of them is written."""

PARAGRAPH_SECONDS = 30.0
"""A new paragraph, and so a new time to click on, at the first sentence end after this many seconds."""

HARD_TO_HEAR = 0.6
"""Mean confidence under which a summary warns: read speech comes to 0.75 and more here, far-field meetings to 0.4."""

RETRY_SECONDS = 10.0
"""First wait after a folder could not be written to; doubles up to five minutes."""


@dataclass(frozen=True, slots=True)
class Output:
    """One file that belongs beside a recording."""

    kind: Kind
    form: str
    rev: int
    text: str

    def names(self, audio_name: str) -> Iterable[str]:
        """Candidate file names, best first."""
        return candidates(audio_name, self.kind if self.form == "md" else self.form)


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
            if str(context.places.ledger_file) in str(fault):
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
    for output in _outputs(context, place, settings, recording, transcript, summary):
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


def _outputs(
    context: Context,
    place: Place,
    settings: FolderSettings,
    recording: Recording,
    transcript: Transcript,
    summary: Summary | None,
) -> Iterator[Output]:
    """What belongs beside the file, in the order it is written; later ones may link to earlier ones."""
    notes = context.config.notes
    style = NoteStyle(
        dialect=notes.dialect,
        layout=notes.layout,
        key_prefix=notes.key_prefix,
        keys=notes.keys,
        summary_layout=_layout(context, summary),
        paragraph_seconds=PARAGRAPH_SECONDS,
    )
    audio = place.path.name
    about = NoteContext(
        recording_id=place.recording_id,
        audio_name=audio,
        recorded_at=recorded_at(transcript.recorded_at, audio, recording.media_time),
        recorded_from=recorded_from(transcript.recorded_at, audio),
        duration=transcript.duration,
        tags=settings.tags,
    )
    fate = audio_fate(context.ledger, context.config, place, context.now())
    about = replace(about, audio_here=place.gone_at is None, audio_expires=fate.expires, audio_gone=fate.gone)
    heard, summed = recording.transcript_rev, recording.summary_rev
    if notes.layout == "one-file":
        yield Output(Kind.SUMMARY, "md", heard + summed, render_one_file(summary, transcript, about, style))
    else:
        yield Output(Kind.TRANSCRIPT, "md", heard, render_transcript(transcript, about, style))
    for form in settings.formats:
        yield Output(Kind.SIDECAR, form, heard, _SIDECARS[form](transcript))
    if summary is not None and notes.layout == "two-files":
        about = replace(
            about,
            transcript_note=_name_of(context, place, Kind.TRANSCRIPT),
            notices=_hard_to_hear(transcript),
        )
        yield Output(Kind.SUMMARY, "md", summed, render_summary(summary, transcript, about, style))


def _hard_to_hear(transcript: Transcript) -> tuple[str, ...]:
    """A summary shows single sentences without the marks of the transcript, so it says once that they are doubtful."""
    sure = confidence(transcript)
    if sure is None or sure >= HARD_TO_HEAR:
        return ()
    return (f"Much of this recording was hard to hear (confidence {sure}): listen before you quote.",)


def _layout(context: Context, summary: Summary | None) -> str:
    """The layout that the user's template of this summary brings along, if there is one."""
    if summary is None:
        return ""
    try:
        return load_template(summary.template, context.places.templates).layout
    except ConfigError as error:
        # The template was fine when the summary was made, and is only missed for the looks of its note.
        log.warning("template-layout-not-used", template=summary.template, reason=str(error))
        return ""


def _name_of(context: Context, place: Place, kind: Kind) -> str | None:
    for artifact in reversed(context.ledger.artifacts.of_place(place.path)):
        if (
            artifact.kind is kind
            and artifact.state in ("here", "edited")
            and artifact.path.parent == place.path.parent
        ):
            return artifact.path.name
    return None


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
