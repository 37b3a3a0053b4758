"""The summary stage: what a worker is asked, and what its answers do to the ledger.

A recording gets a summary at once, whatever answers: if no server does, the extractive one is stored and the job is
parked, to be done better when a server comes back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from earmark.config import api_key
from earmark.context import Context
from earmark.domain import Fault, JobState, Stage, Summary, Transcript, later
from earmark.errors import ConfigError
from earmark.events import Event
from earmark.files import pack_path
from earmark.ledger import Job
from earmark.ledger.jobs import MAX_ATTEMPTS, backoff
from earmark.locality.policy.consent import FACT, missing_consent
from earmark.messages import Failed, Summarized, SummarizeRequest
from earmark.notes.naming import renamed
from earmark.notes.speakers import names_of
from earmark.pipeline import fitting
from earmark.pipeline.claiming import next_of

EXTRACTIVE = "none"
"""The endpoint that stands for the built-in summarizer."""


WAITS = (Fault.ENDPOINT, Fault.LOCALITY, Fault.ENVIRONMENT)
"""Faults that no other try would mend: something outside has to change, and the job is parked until it does."""


@dataclass(slots=True)
class Summarizing:
    """One claimed summary. `words`: of which words it is made (`Words.revision`). `fallback`: why the extractive summary is
    being made instead of the wanted one.
    """

    job: Job
    request: SummarizeRequest
    name: str
    words: int
    fallback: Failed | None = None


def claim(context: Context, by: str, *, scout: bool = False) -> Summarizing | None:
    """Take the next transcript that wants a summary. `scout`: it is to find out whether another model is there than the one
    that does not fit.
    """
    jobs, newest_first = context.ledger.jobs, context.config.intake.order == "newest-first"
    return next_of(
        context,
        lambda: jobs.claim(Stage.SUMMARIZE, by, context.now(), newest_first),
        lambda job: _prepare(context, job, scout),
    )


def _prepare(context: Context, job: Job, scout: bool) -> Summarizing | None:
    """What to ask for; None if there is nothing to ask anybody, and why is written down."""
    ledger, now = context.ledger, context.now()
    transcript = ledger.words.transcript(job.recording_id)
    if transcript is None:
        ledger.jobs.fail(job.id, "there is no transcript to summarize; run: earmark retry", now)
        return None
    places = ledger.places.of(job.recording_id)
    settings = context.settings(places[0].folder if places else context.home.state)
    summary = context.config.summary
    endpoint = summary.endpoint
    fallback, key = None, ""
    reason, fault = forbidden(context), Fault.LOCALITY
    if reason is None:
        try:
            key = api_key(context.config)
        except ConfigError as error:
            reason, fault = str(error), Fault.ENVIRONMENT
    unfit = fitting.unfit(context) if endpoint != EXTRACTIVE else ""
    if reason is None and unfit and not scout:
        reason, fault = fitting.sentence_on(context), Fault.ENVIRONMENT
    if reason is None and job.attempts >= MAX_ATTEMPTS and ledger.words.summary(job.recording_id) is None:
        # The worker died of it each time before; the recording still gets the summary that needs no server.
        reason, fault = job.reason or "the summary worker ended each time", Fault.ANSWER
    if reason is not None:
        if ledger.words.summary(job.recording_id) is not None:
            ledger.jobs.park(job.id, reason, now)
            return None
        fallback, endpoint = Failed(job=job.id, fault=fault, sentence=reason), EXTRACTIVE
    request = SummarizeRequest(
        job=job.id,
        transcript=_words_only(transcript),
        endpoint=endpoint,
        model=summary.model,
        api_key=key,
        privacy=context.config.privacy,
        allowed_hosts=summary.allowed_hosts,
        consent=consent(context) or "",
        template=ledger.words.wished_template(job.recording_id) or settings.template,
        template_dir=pack_path(context.home.templates),
        language=summary.language,
        vocabulary=settings.vocabulary,
        max_points=summary.max_points,
        timeout=summary.timeout_seconds,
        context=summary.context,
        meanwhile=ledger.words.summary(job.recording_id) is None,
        unfit=unfit,
    )
    name = str(places[0].path) if places else job.recording_id[:12]
    context.tell(Event.SUMMARIZING, name=name, endpoint=endpoint)
    return Summarizing(job, request, name, ledger.words.revision(job.recording_id), fallback)


def forbidden(context: Context) -> str | None:
    """Why the words may not go to the configured server yet; None if they may."""
    return missing_consent(context.config, consent(context))


def consent(context: Context) -> str | None:
    """What a person allowed, as it was written down."""
    allowed = context.ledger.journal.fact(FACT)
    return allowed[0] if allowed else None


def summarized(context: Context, work: Summarizing, message: Summarized) -> None:
    """Store the summary. After a fallback the job stays open for a better one."""
    ledger, now, job = context.ledger, context.now(), work.job
    context.step("before:summarized")
    with ledger.transaction():
        ledger.words.store_summary(_by_present_names(context, work, message.summary), now)
        if work.fallback is None:
            ledger.jobs.done(job.id, now, message.note or None)
            if by_a_server(message):
                context.server_faults_told.clear()
            if message.unfit:
                fitting.lost(context, job.id, message.summary.model, message.unfit)
            elif work.request.endpoint != EXTRACTIVE:
                fitting.fitted(context, message.summary.model)
        else:
            _settle_fallback(context, work, work.fallback)
        if ledger.words.revision(job.recording_id) != work.words:
            # Somebody corrected words meanwhile, or they were heard anew.
            ledger.jobs.requeue(job.recording_id, Stage.SUMMARIZE, now)
        context.tell(
            Event.SUMMARIZED, f"By {_maker(message.summary)}. {message.note}".strip(),
            recording=job.recording_id, name=work.name, by=message.summary.by, coverage=message.summary.coverage,
            by_worker=True,
        )  # fmt: skip
    context.step("after:summarized")


def by_a_server(message: Summarized) -> bool:
    """Whether a server answered: of a recording without a word none is asked, wherever its summary was to come from."""
    return message.summary.by != "extractive"


def _maker(summary: Summary) -> str:
    return summary.by if summary.by == "extractive" else summary.model or summary.by


def _by_present_names(context: Context, work: Summarizing, summary: Summary) -> Summary:
    """The summary with the names of those who speak as they are by now, if somebody was named while it was being made."""
    transcript = context.ledger.words.transcript(work.job.recording_id)
    if transcript is None or len(transcript.speakers) != len(work.request.transcript.speakers):
        return summary
    return renamed(summary, names_of(work.request.transcript), names_of(transcript))


def meanwhile(context: Context, work: Summarizing, message: Summarized) -> None:
    """Store what stands there while the server takes its time; the job goes on."""
    ledger, job = context.ledger, work.job
    with ledger.transaction():
        if ledger.words.summary(job.recording_id) is not None:
            return
        ledger.words.store_summary(_by_present_names(context, work, message.summary), context.now())
        context.tell(
            Event.SUMMARIZED, "By extractive, while the server takes its time.", recording=job.recording_id,
            name=work.name, by=message.summary.by, coverage=message.summary.coverage, by_worker=True,
        )  # fmt: skip


def _words_only(transcript: Transcript) -> Transcript:
    """What a summary rests on: what was said, and neither the same in English nor when each word was said."""
    return replace(
        transcript,
        segments=tuple(replace(s, words=(), heard=None, replaced=()) for s in transcript.segments),
        english=(),
    )


def failed(context: Context, work: Summarizing, message: Failed) -> SummarizeRequest | None:
    """No summary came. Returns the request for the extractive one if the recording has none at all yet."""
    ledger, now, job = context.ledger, context.now(), work.job
    if message.fault is Fault.ANSWER and message.model and work.fallback is None:
        fitting.lost(context, job.id, message.model, "its answers could not be used")
    if (
        work.fallback is None
        and ledger.words.summary(job.recording_id) is None
        and work.request.endpoint != EXTRACTIVE
    ):
        _tell_failed(context, work, message, journal=False)
        work.fallback = message
        return work.request.model_copy(update={"endpoint": EXTRACTIVE})
    with ledger.transaction():
        if work.request.endpoint == EXTRACTIVE or work.fallback is not None:
            ledger.jobs.fail(job.id, message.sentence, now)
        else:
            _settle_fallback(context, work, message)
        _tell_failed(context, work, message)
    return None


def _tell_failed(context: Context, work: Summarizing, message: Failed, *, journal: bool = True) -> None:
    if message.fault in WAITS:
        # Of the server, not of this recording: told once, and not for each one that waits. The job's row has it, too.
        if message.sentence in context.server_faults_told:
            return
        context.server_faults_told.add(message.sentence)
    context.tell(
        Event.NOT_SUMMARIZED, message.sentence, recording=work.job.recording_id, level="warning",
        journal=journal, fault=message.fault.value, name=work.name, by_worker=True,
    )  # fmt: skip


def _settle_fallback(context: Context, work: Summarizing, failure: Failed) -> None:
    ledger, now, job = context.ledger, context.now(), work.job
    match failure.fault:
        case fault if fault in WAITS:
            ledger.jobs.park(job.id, failure.sentence, now)
        case _ if job.attempts >= MAX_ATTEMPTS:
            ledger.jobs.fail(job.id, failure.sentence, now)
        case _:
            ledger.jobs.try_later(
                job.id, failure.sentence, later(now, backoff(job.attempts, context.jitter())), now
            )


def parked(context: Context) -> bool:
    """True if any summary waits for a server."""
    return context.ledger.jobs.any_in(Stage.SUMMARIZE, JobState.PARKED)
