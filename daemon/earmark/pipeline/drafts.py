"""Drafts: a first version of a transcript by a quick model, which a better one replaces when nothing else waits."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from earmark.config import Config
from earmark.context import Context
from earmark.domain import Instant, JobState, Owed, Stage, later
from earmark.events import Event
from earmark.files import counted
from earmark.ledger import Among, Draft, Job
from earmark.ledger.jobs import backoff
from earmark.translation import untranslated

REST = 60.0
"""Seconds until a better transcription is tried again that could not begin, because its model is away or does not get ready
here; twice as long each time, up to an hour."""

ASKED_FOR = "when what is new is done"
"""When the better one comes that a person asked for."""

NO_LARGER = "no larger model than the one that wrote it is here any more"


def begins(within: bool, plugged: bool, others_wait: bool) -> Among | None:
    """Which drafts may be heard again at this moment. Pure.

    `within`: the time of day is one of those that were chosen. `others_wait`: there is other work, which always comes first.
    What a person asked for minds neither the hour nor the plug.
    """
    if others_wait:
        return None
    return Among.DRAFTS if within and plugged else Among.ASKED


def may_begin(context: Context) -> Among | None:
    """The same, asked of the clock, the plug and the ledger next to the claim."""
    ledger, now = context.ledger, context.now()
    if not ledger.jobs.any_waiting(Stage.TRANSCRIBE, now, Among.DRAFTS, context.silent):
        return None
    follow = (Stage.DIARIZE, Stage.SUMMARIZE)
    busy = any(ledger.jobs.any_in(stage, JobState.CLAIMED) for stage in follow)
    others = (
        busy
        or any(ledger.jobs.any_waiting(stage, now, but=context.silent) for stage in follow)
        or ledger.jobs.any_waiting(Stage.TRANSCRIBE, now, but=context.silent)
    )
    return begins(within(context.config, now), not on_battery(context), others)


def any_now(context: Context) -> bool:
    """True if a draft would be heard again now, or as soon as what comes before it is done."""
    jobs, now = context.ledger.jobs, context.now()
    if not jobs.any_waiting(Stage.TRANSCRIBE, now, Among.DRAFTS, context.silent):
        return False
    among = begins(within(context.config, now), not on_battery(context), others_wait=False)
    return among is not None and jobs.any_waiting(Stage.TRANSCRIBE, now, among, context.silent)


def gives_way(context: Context, recording_id: str, *, free_seat: bool) -> bool:
    """True if a better transcription that is under way is to stop at the checkpoint it has just reached: a new recording
    waits and nobody is free for it, or the time of day or the plug do not allow it any more.
    """
    draft, now = context.ledger.drafts.of(recording_id), context.now()
    if not free_seat and context.ledger.jobs.any_waiting(Stage.TRANSCRIBE, now, but=context.silent):
        return True
    asked = draft is not None and draft.asked
    return not asked and not (within(context.config, now) and not on_battery(context))


def within(config: Config, now: Instant) -> bool:
    """True if drafts may be heard again at this time of the day."""
    return config.transcription.better_between.now(now)


def on_battery(context: Context) -> bool:
    """True if drafts have to wait for the plug."""
    return not context.config.transcription.better_on_battery and context.on_battery()


def when(config: Config) -> str:
    """When the better one comes, as the end of a sentence."""
    chosen = config.transcription
    if chosen.better_between.always:
        return "when nothing else waits"
    start, _, end = str(chosen.better_between).partition("-")
    return f"between {start} and {end}"


def notice(config: Config) -> str:
    """What stands in a note that is a draft."""
    return (
        f"This is a draft. A better version follows {when(config)}, and takes the place of this note unless you have"
        " changed it."
    )


def owe(context: Context, recording_id: str, job: Job, model_bytes: int) -> None:
    """The first version is there: from now on its job is the better one. Call in the transaction that stores it."""
    context.ledger.drafts.owe(recording_id, model_bytes)
    context.ledger.jobs.requeue(recording_id, job.stage, context.now())


def replaced(context: Context, recording_id: str) -> bool:
    """The better one is there; true if there was a draft. What its owner removed does not come back by it, which is the
    same request and no new wish. Call in the transaction that stores it.
    """
    if not context.ledger.drafts.over(recording_id):
        return False
    context.ledger.artifacts.stay_removed(recording_id)
    # A summary that a server made of the draft stands until there is another; its note is no draft's any more.
    context.ledger.places.owe_recording(recording_id, Owed.POLICY)
    return True


def lacks_english(context: Context, recording_id: str) -> bool:
    """True if a draft has words that are not English, or may not be: drafts are never translated."""
    transcript = context.ledger.words.transcript(recording_id)
    return transcript is not None and untranslated(replace(transcript, to_english=True))


def stays(context: Context, job: Job, why: str) -> bool:
    """No better one comes, and the draft is the transcript: its notes say so no more. False if none was owed."""
    ledger = context.ledger
    with ledger.transaction():
        if job.stage is not Stage.TRANSCRIBE or not ledger.drafts.keep(job.recording_id, why):
            return False
        ledger.jobs.done(job.id, context.now(), f"its draft stays: {why}")
        ledger.words.drop_checkpoint(job.recording_id)
        ledger.places.owe_recording(job.recording_id, Owed.POLICY)
        context.tell(
            Event.DRAFT_STAYS, f"Its draft stays its transcript: {why}. `earmark retry FILE` tries again.",
            recording=job.recording_id, level="warning", by_worker=True,
        )  # fmt: skip
    return True


def rest(context: Context, job: Job, why: str) -> None:
    """It cannot be heard again now, which is not the recording's fault; the draft stands meanwhile."""
    now, seconds = context.now(), backoff(job.interruptions + 1, context.jitter(), base=REST)
    context.ledger.jobs.give_back(job.id, why, now, interrupted=True, not_before=later(now, seconds))


def of_one(draft: Draft, config: Config) -> str:
    """What a draft waits for. Pure."""
    if draft.state is JobState.CLAIMED:
        return "it is being heard again"
    if not draft.here:
        return "its file is not in the folder any more; it is heard again when the file is back"
    comes = ASKED_FOR if draft.asked else when(config)
    return f"the better transcript follows {comes}{f' ({draft.reason})' if draft.reason else ''}"


def waiting(context: Context, drafts: list[Draft]) -> str:
    """How many of these drafts wait, and for what; "" if none does."""
    owed = [draft for draft in drafts if not draft.kept]
    if not owed:
        return ""
    count = len(owed)
    who = counted(count, "draft waits", "drafts wait")
    asked = sum(draft.asked for draft in owed)
    comes = ASKED_FOR if asked == count else when(context.config)
    if 0 < asked < count:
        comes += f"; {asked} of them {ASKED_FOR}"
    said = [f"{who} for the better model ({comes})"]
    if away := sum(not draft.here for draft in owed):
        said.append(f"of {away} the file is not in its folder")
    if asked < count and on_battery(context):
        said.append("this machine runs on its battery")
    reasons = Counter(draft.reason.rstrip(".") for draft in owed if draft.reason and draft.here)
    return "; ".join([*said, *(reason for reason, _ in reasons.most_common(2))])
