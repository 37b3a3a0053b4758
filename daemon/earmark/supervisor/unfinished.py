"""Whether a run that is stopped leaves something unfinished, which goes on at the next start."""

from __future__ import annotations

from collections.abc import Collection

from earmark.context import Context
from earmark.domain import JobState, Stage
from earmark.ledger import Job
from earmark.ledger.jobs import LONGEST_BACKOFF

MOST = 10_000
"""Jobs that are looked at, those that changed last."""


def is_open(context: Context, arriving: Collection[str]) -> bool:
    """True if something of the folders of this run is under way, or would be if there were time. `arriving`: files that are
    on their way into the ledger.
    """
    ledger = context.ledger
    if arriving or any(
        place.folder in context.folders for place in ledger.places.owed(context.now(), but=context.silent)
    ):
        return True
    jobs = ledger.jobs.not_done((JobState.CLAIMED, JobState.WAITING), MOST)
    return any(_is_meant(context, job) and _lies_in_them(context, job) for job in jobs)


def _is_meant(context: Context, job: Job) -> bool:
    """What rests, and what is to replace a draft and waits for its hour, is not under way."""
    if job.state is JobState.CLAIMED:
        return True
    if 0 < job.not_before - context.now() <= LONGEST_BACKOFF:
        return False
    draft = context.ledger.drafts.of(job.recording_id) if job.stage is Stage.TRANSCRIBE else None
    return draft is None or bool(draft.kept)


def _lies_in_them(context: Context, job: Job) -> bool:
    return any(
        place.here and place.folder in context.folders for place in context.ledger.places.of(job.recording_id)
    )
