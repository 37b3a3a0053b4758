"""Work that ended without an answer: its worker died, earmark itself went wrong, or the daemon stops. The same for all
stages.
"""

from __future__ import annotations

from pathlib import Path

from earmark.context import Context
from earmark.domain import Stage, later
from earmark.events import Event
from earmark.files import counted
from earmark.ledger import Job
from earmark.ledger.jobs import AT_ONCE, MAX_ATTEMPTS, backoff
from earmark.pipeline import drafts, next_stage
from earmark.pipeline.verdict import End, judge


def worker_died(context: Context, job: Job, end: End, file: Path | None, name: str) -> None:
    """The worker is gone in the middle of it. What was heard or written before is safe; what it costs is judged.

    `file`: the recording, for `earmark why`; `name`: what the log calls it.
    """
    ledger, now = context.ledger, context.now()
    # The row knows of progress that was made during this very attempt.
    job = ledger.jobs.get(job.id) or job
    verdict = judge(end, job.attempts, job.interruptions, context.jitter())
    with ledger.transaction():
        match verdict.action:
            case "fail":
                give_up(context, job, verdict.reason)
            case "retry":
                ledger.jobs.try_later(job.id, verdict.reason, later(now, verdict.delay), now)
            case "refund" if job.stage is Stage.DIARIZE and job.interruptions >= MAX_ATTEMPTS:
                give_up(context, job, f"{verdict.reason}, {job.interruptions + 1} times")
            case "refund":
                not_before = later(now, verdict.delay) if verdict.delay else AT_ONCE
                ledger.jobs.give_back(job.id, verdict.reason, now, interrupted=True, not_before=not_before)
        context.tell(
            Event.WORKER_DIED, f"{verdict.reason[0].upper()}{verdict.reason[1:]}{_COST[verdict.action]}.",
            recording=job.recording_id, file=file, level="warning", outcome=verdict.action, name=name,
        )  # fmt: skip


_COST = {"retry": "; it is tried again", "refund": "; that costs the recording nothing", "fail": ""}


def went_wrong(
    context: Context, job: Job, file: Path | None, name: str, sentence: str, charged: bool
) -> None:
    """earmark itself could not go on with it. Tried again, and failed after as many tries as a worker has."""
    ledger, now = context.ledger, context.now()
    with ledger.transaction():
        current = ledger.jobs.get(job.id)
        if current is None or current.recording_id != job.recording_id:
            return  # a verb erased the recording meanwhile: that is why, and nothing is left to be said
        if not charged:
            ledger.jobs.give_back(job.id, None, now)
        elif current.attempts >= MAX_ATTEMPTS:
            give_up(context, job, f"{sentence}; tried {counted(current.attempts, 'time')}. {REPORT_IT}")
        else:
            not_before = later(now, backoff(current.attempts, context.jitter()))
            ledger.jobs.try_later(job.id, sentence, not_before, now)
        context.tell(
            Event.WENT_WRONG, f"{sentence[0].upper()}{sentence[1:]}.", recording=job.recording_id, file=file,
            level="error", name=name,
        )  # fmt: skip


REPORT_IT = "Please report it; `earmark retry` tries again"


def give_up(context: Context, job: Job, reason: str) -> None:
    """It has failed; where it was to replace a draft, that stays and nothing has."""
    if not drafts.stays(context, job, reason):
        context.ledger.jobs.fail(job.id, reason, context.now())
    if job.stage is Stage.DIARIZE:
        next_stage.after_speakers(context, job.recording_id)


def give_back(context: Context, job: Job) -> None:
    """The daemon stops: the work goes back to the queue and is charged nothing."""
    context.ledger.jobs.give_back(job.id, None, context.now())
