"""The queue of recordings that are to be heard: how many of it are done, and how long the rest takes as fast as recordings
were heard on this machine so far.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from earmark.context import Context
from earmark.diarization.models import speaker_folder
from earmark.domain import Instant, JobState, Stage
from earmark.errors import ModelError
from earmark.ledger import Job, Place, Recording
from earmark.report import Queue
from earmark.speaking import how_many
from earmark.transcription.drafting import draft_model
from earmark.transcription.models import find_model


@dataclass(frozen=True, slots=True)
class Hearing:
    """When a recording came in, and when it had been heard or had failed; None while it waits."""

    came: Instant
    over: Instant | None


def progress(hearings: Iterable[Hearing]) -> tuple[int, int]:
    """How many of the queue are over, and how many it has: all that have come since it was empty last. Pure."""
    newest_first = sorted(hearings, key=lambda h: h.came, reverse=True)
    waiting = [h.came for h in newest_first if h.over is None]
    if not waiting:
        return 0, 0
    begin, over, of = min(waiting), 0, 0
    for hearing in newest_first:
        if hearing.came >= begin or (hearing.over is not None and hearing.over >= begin):
            # Whatever was not done yet when another one came belongs to the same queue.
            begin = min(begin, hearing.came)
            over, of = over + (hearing.over is not None), of + 1
    return over, of


def guessed_length(place: Place, heard: Mapping[str, tuple[float, int]]) -> float | None:
    """Seconds of a recording that nobody has opened yet: by its bytes, as those of the same ending have them. `heard`: by
    ending ("" for all), seconds and bytes of what was heard. None if nothing was.
    """
    seconds, size = heard.get(place.path.suffix.lower()) or heard.get("") or (0.0, 0)
    return place.identity.size * seconds / size if seconds and size else None


def queue(context: Context, workers: int) -> Queue | None:
    """The queue at this moment, None if nothing waits to be heard. `workers`: recordings that are heard at once."""
    ledger = context.ledger
    if not ledger.jobs.any_unheard():
        return None  # without looking through all that was ever heard
    jobs = [job for job in ledger.jobs.all() if job.stage in (Stage.TRANSCRIBE, Stage.DIARIZE)]
    owed = {draft.recording_id for draft in ledger.drafts.all()}
    unheard = [j for j in jobs if _is_unheard(j) and j.recording_id not in owed]
    if not unheard:
        return None
    places = {p.recording_id: p for p in ledger.places.all() if p.here and p.watched}
    recordings = {recording.id: recording for recording in ledger.recordings.all()}
    waiting = [job for job in unheard if job.recording_id in places]
    over, of = progress(_hearings(jobs, waiting, recordings))
    if not of:
        return None
    lengths = _lengths(context, waiting, places, recordings)
    left = _left(context, jobs, lengths, places, recordings, workers)
    return Queue(heard=over, of=of, left=None if left is None else round(left, 1))


def _is_unheard(job: Job) -> bool:
    return job.stage is Stage.TRANSCRIBE and job.state in (JobState.WAITING, JobState.CLAIMED)


def _hearings(jobs: list[Job], waiting: list[Job], recordings: Mapping[str, Recording]) -> list[Hearing]:
    """What is away waits in nobody's queue."""
    ended = [
        job for job in jobs if job.stage is Stage.TRANSCRIBE and job.state in (JobState.DONE, JobState.FAILED)
    ]
    return [
        *(Hearing(recordings[job.recording_id].accepted_at, None) for job in waiting),
        *(Hearing(recordings[job.recording_id].accepted_at, job.changed_at) for job in ended),
    ]


def _lengths(
    context: Context, waiting: list[Job], places: Mapping[str, Place], recordings: Mapping[str, Recording]
) -> list[float] | None:
    """Seconds that are still to be heard of each; None if nobody can tell."""
    heard: dict[str, tuple[float, int]] = {}
    for recording_id, place in places.items():
        recording = recordings[recording_id]
        for ending in (place.path.suffix.lower(), ""):
            seconds, size = heard.get(ending, (0.0, 0))
            if recording.duration is not None:
                heard[ending] = seconds + recording.duration, size + recording.size
    lengths = []
    for job in waiting:
        recording, place = recordings[job.recording_id], places[job.recording_id]
        seconds_of_it = recording.duration or guessed_length(place, heard)
        if seconds_of_it is None:
            return None
        checkpoint = context.ledger.words.checkpoint(job.recording_id)
        lengths.append(max(0.0, seconds_of_it - (checkpoint.upto if checkpoint is not None else 0.0)))
    return lengths


def _left(
    context: Context, jobs: list[Job], lengths: list[float] | None, places: Mapping[str, Place],
    recordings: Mapping[str, Recording], workers: int,
) -> float | None:  # fmt: skip
    """Seconds until all is heard and told apart: what is slower of both, because they go on beside one another. None where
    the model that hears was not measured here yet.
    """
    speed = context.ledger.journal.speeds().get(_who_hears(context) or "")
    if lengths is None or speed is None or not speed[0]:
        return None
    # Workers share what one of them was measured with; no recording is heard by two.
    hearing = max(sum(lengths) / max(1, workers), *lengths) * speed[1] / speed[0]
    pace = context.ledger.journal.paces().get(Stage.DIARIZE)
    if pace is None or not pace[0] or not _is_told_apart(context, places.values()):
        return hearing
    untold = [
        recordings[job.recording_id].duration or 0.0
        for job in jobs
        if job.stage is Stage.DIARIZE
        and job.state in (JobState.WAITING, JobState.CLAIMED)
        and job.recording_id in places
    ]
    return max(hearing, (sum(lengths) + sum(untold)) * pace[1] / pace[0])


def _who_hears(context: Context) -> str | None:
    """The name of the model that hears what is new: the one that writes drafts, where there is one."""
    settings, home = context.settings(context.home.state), context.home
    try:
        final = find_model(settings.model, context.config.transcription.model_dir, home.models)
    except ModelError:
        return None
    quick = draft_model(settings.draft, final, settings.language, settings.languages, home.models)
    return (quick or final).name


def _is_told_apart(context: Context, places: Collection[Place]) -> bool:
    folders = {place.folder for place in places}
    wanted = any(how_many(context.settings(folder).speakers) is not None for folder in folders)
    return wanted and speaker_folder(context.home.models) is not None
