"""Which stage follows which: who says what is found out before the summary is made, and never holds it up for good.

Call in the transaction that ends the stage before.
"""

from __future__ import annotations

from earmark.config import FolderSettings
from earmark.context import Context
from earmark.diarization.models import speaker_folder
from earmark.domain import JobState, Stage
from earmark.errors import ModelError
from earmark.speaking import how_many


def speakers_wanted(context: Context, settings: FolderSettings) -> bool:
    """True if who says what is to be found out in a folder with these settings, and what does so is here."""
    if how_many(settings.speakers) is None:
        return False
    try:
        return speaker_folder(context.home.models) is not None
    except ModelError:
        return False


def after_transcript(context: Context, recording_id: str, settings: FolderSettings, *, told: bool) -> None:
    """The transcript is there. `told`: with its speakers, as far as there are any."""
    if told or not speakers_wanted(context, settings):
        _forget_stage(context, recording_id)
        summarize(context, recording_id)
        return
    jobs, now = context.ledger.jobs, context.now()
    if jobs.add(recording_id, Stage.DIARIZE, now):
        return
    job = jobs.of(recording_id, Stage.DIARIZE)
    if (
        job is not None and job.state is not JobState.CLAIMED
    ):  # one under way goes by the sound, which is the same
        jobs.requeue(recording_id, Stage.DIARIZE, now)


def after_speakers(context: Context, recording_id: str) -> None:
    """Who says what is known, or will not be: the summary is made, unless there is one of these very words."""
    context.ledger.turns.drop_stretches(recording_id)
    if context.ledger.words.summary_is_older(recording_id):
        summarize(context, recording_id)


def summarize(context: Context, recording_id: str) -> None:
    """Queue the summary, also where there is one of other words."""
    jobs, now = context.ledger.jobs, context.now()
    if not jobs.add(recording_id, Stage.SUMMARIZE, now):
        jobs.requeue(recording_id, Stage.SUMMARIZE, now)


def _forget_stage(context: Context, recording_id: str) -> None:
    """What an earlier transcript still waited for, nobody asks for any more."""
    jobs = context.ledger.jobs
    job = jobs.of(recording_id, Stage.DIARIZE)
    if job is not None and job.state in (JobState.WAITING, JobState.FAILED):
        jobs.done(job.id, context.now())
