"""The transcription stage: what a worker is asked, and what its answers do to the ledger."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from earmark.config import FolderSettings
from earmark.context import Context
from earmark.domain import Fault, Gone, Instant, Stage, Transcript, later
from earmark.events import Event
from earmark.files import counted, pack_path
from earmark.files.cloud import where
from earmark.ledger import Among, Draft, Job, Place
from earmark.ledger.jobs import MAX_ATTEMPTS, backoff
from earmark.ledger.words import Checkpoint
from earmark.messages import Failed, Finished, Heard, TranscribeRequest
from earmark.notes.dates import date_of
from earmark.notes.titles import titles
from earmark.pipeline import diarizing, drafts, endings, next_stage
from earmark.pipeline.answering import Asking
from earmark.pipeline.claiming import files_of, next_of
from earmark.pipeline.plausible import Amount, Told
from earmark.pipeline.said_in_notes import take_first
from earmark.pipeline.vocabulary import expected
from earmark.rehearing import carried
from earmark.replacing import replaced
from earmark.retention.receipts import keyed
from earmark.transcription.models import SpeechModel, weights
from earmark.translation import is_translated

MINUTE = 60.0

TITLES = Asking(titles)
"""The titles of the notes in a folder, which need not answer."""

LEAST_PROGRESS = 1.0
"""Seconds by which a worker has to get further than any before to clear earlier bad ends: one that creeps, and dies each
time, would be tried for ever."""


@dataclass(slots=True)
class Transcribing:
    """One claimed transcription: the job, the file it is read from, and where it started from.

    `quick`: the model that writes the first version, None for the final one; `better`: the draft that it is to replace.
    """

    job: Job
    place: Place
    model: str
    settings: str
    base: Checkpoint | None
    request: TranscribeRequest
    furthest: float
    """Seconds up to which the recording had been heard; getting past it clears earlier bad ends."""
    told: Told
    quick: SpeechModel | None = None
    better: Draft | None = None
    began: float | None = None
    """Monotonic second at which the worker, its model loaded, opened the file."""


Quick = Callable[[FolderSettings], SpeechModel | None]
"""Which model writes the first version of what is in a folder with these settings; None if none does."""


def nobody(_: FolderSettings) -> SpeechModel | None:
    """No first versions."""
    return None


def claim(
    context: Context,
    by: str,
    auto: str = "",
    quick: Quick = nobody,
    among: Among = Among.NEW,
    most_bytes: int | None = None,
) -> Transcribing | None:
    """Take the next recording that is due, charge it with an attempt, and say what to ask a worker for.

    `auto`: the model that the name "auto" stands for now, if that is known: what another one heard is not gone on with.
    `most_bytes`: only what nobody has tried, of so many bytes at most.
    """
    jobs, newest_first = context.ledger.jobs, context.config.intake.order == "newest-first"
    return next_of(
        context,
        lambda: jobs.claim(
            Stage.TRANSCRIBE, by, context.now(), newest_first, among, context.silent, most_bytes
        ),
        lambda job: _prepare(context, job, auto, quick),
    )


def _prepare(context: Context, job: Job, auto: str, quick: Quick) -> Transcribing | None:
    """What to ask for; None if its file went at this very moment."""
    ledger = context.ledger
    files = files_of(context, job.recording_id)
    place = files.to_read
    if place is None:
        if files.answer:
            _wait_for_cloud(context, job, f"The file {where(files.answer[0].path)}.")
        else:
            ledger.jobs.give_back(job.id, None, context.now())
        return None
    settings = context.settings(place.folder)
    vocabulary = expected(context.home, settings, partial(_without_names, context, job, place))
    transcription = context.config.transcription
    draft = ledger.drafts.of(job.recording_id)
    better = draft if draft is not None and not draft.kept else None
    first = quick(settings) if draft is None and _never_heard(context, job) else None
    heard_with = _heard_with(context, settings, auto, first, vocabulary)
    base = ledger.words.begin(job.recording_id, heard_with)
    request = TranscribeRequest(
        job=job.id,
        path=pack_path(place.path),
        recording_id=job.recording_id,
        language=settings.language,
        languages=settings.languages,
        settled=base.language if base else None,
        settled_probability=base.language_probability if base else 0.0,
        to_english=settings.to_english and first is None,  # a draft is there soon, or is none
        hotwords=", ".join(vocabulary) or None,
        names=(*vocabulary, *_titles(context, job, place, settings.vocabulary_from)),
        initial_prompt=settings.prompt or None,
        beam_size=transcription.beam_size,
        word_times=next_stage.speakers_wanted(context, settings) or "json" in settings.formats,
        resume_at=base.upto if base else 0.0,
        careful=job.attempts > 1,
        max_seconds=transcription.max_hours * 3600,
    )
    context.tell(
        Event.TRANSCRIBING, file=place.path, attempt=job.attempts, resume_at=round(request.resume_at, 1),
        again=better is not None,
    )  # fmt: skip
    segments, characters = ledger.words.heard_size(job.recording_id)
    english = Amount(*ledger.words.heard_size(job.recording_id, english=True))
    told = Told(
        request.resume_at, place.identity.size, segments=segments, characters=characters,
        english=english if request.to_english else None,
    )  # fmt: skip
    return Transcribing(
        job, place, settings.model, heard_with, base, request, request.resume_at, told, first, better
    )


def _never_heard(context: Context, job: Job) -> bool:
    """True if there has never been a transcript of it. What is asked for again is asked of the final model."""
    recording = context.ledger.recordings.get(job.recording_id)
    return recording is not None and recording.transcript_rev == 0


def _heard_with(
    context: Context, settings: FolderSettings, auto: str, first: SpeechModel | None, expected: Sequence[str]
) -> str:
    """With which model and options a recording is heard: what was heard with others is not gone on with. The words that a
    person accepted are not in it, because they may take them back; a keyed hash tells that they are others.
    """
    accepted = "\n".join(expected[len(settings.vocabulary) :])
    transcription = context.config.transcription
    return json.dumps(
        {
            "model": settings.model if first is None else first.name,
            "model_dir": str(transcription.model_dir or ""),
            "language": settings.language,
            "vocabulary": settings.vocabulary,
            "prompt": settings.prompt,
            "beam_size": transcription.beam_size,
        }
        | ({"languages": settings.languages} if settings.languages else {})
        | ({"vocabulary_from": str(settings.vocabulary_from)} if settings.vocabulary_from else {})
        | ({"task": "translate"} if settings.to_english and first is None else {})
        | ({"auto": auto} if auto and settings.model == "auto" and first is None else {})
        | ({"draft": True} if first is not None else {})
        | ({"accepted": keyed(context.ledger, accepted)} if accepted else {}),
        sort_keys=True,
    )


def _titles(context: Context, job: Job, place: Place, folder: Path | None) -> list[str]:
    """The titles of notes that the folder's configuration names; that they cannot be read is said, and stops nothing."""
    if folder is None:
        return []
    try:
        return TITLES(folder)
    except OSError as error:
        sentence = f"The names in {folder} (vocabulary_from) cannot be read: {error.strerror}; it is heard without them."
        _without_names(context, job, place, sentence)
        return []


def _without_names(context: Context, job: Job, place: Place, sentence: str) -> None:
    context.tell(Event.NO_NAMES, sentence, recording=job.recording_id, file=place.path, level="warning")


def heard(context: Context, work: Transcribing, message: Heard) -> None:
    """Keep new segments; from now on they survive anything."""
    context.step("before:checkpoint")
    with context.ledger.transaction():
        context.ledger.words.hear(work.job.recording_id, work.settings, work.base, message)
        if message.upto >= work.furthest + LEAST_PROGRESS:
            context.ledger.jobs.progressed(work.job.id)
            work.furthest = message.upto
    context.step("after:checkpoint")


def finished(context: Context, work: Transcribing, message: Finished, model: str, engine: str) -> None:
    """The recording was heard to its end: store the transcript and queue what follows, in one transaction."""
    ledger, now = context.ledger, context.now()
    take_first(context, work.job.recording_id)
    context.step("before:transcribed")
    with ledger.transaction():
        folder = context.settings(work.place.folder)
        speakers, told = diarizing.again(context, work.job.recording_id, folder)
        earlier = ledger.words.transcript(work.job.recording_id)
        transcript = ledger.words.finish(
            work.job.recording_id, work.settings, work.base, message, model, engine, now,
            to_english=work.request.to_english, amended=partial(_amended, earlier, folder.replace, speakers),
        )  # fmt: skip
        if work.quick is not None:
            drafts.owe(context, work.job.recording_id, work.job, weights(work.quick.dir))
            more = " It is a draft, and a better one follows."
        else:
            ledger.jobs.done(work.job.id, now)
            more = " It replaces the draft." if drafts.replaced(context, work.job.recording_id) else ""
        ledger.words.drop_extractive_summary(work.job.recording_id)
        next_stage.after_transcript(context, work.job.recording_id, folder, told=told)
        _date(context, work, message.recorded_at)
        heard = len(transcript.segments)
        context.tell(
            Event.TRANSCRIBED,
            f"{counted(heard, 'segment')}, {transcript.speech_seconds:.0f} s of speech in "
            f"{transcript.duration:.0f} s, with {model}{', and in English' if is_translated(transcript) else ''}.{more}",
            recording=work.job.recording_id, file=work.place.path, seconds=round(transcript.duration, 1),
            speech=round(transcript.speech_seconds, 1), language=transcript.language, truncated=transcript.truncated,
        )  # fmt: skip
        if work.began is not None:
            took = context.clock.monotonic() - work.began
            ledger.journal.measured(model, message.duration - work.request.resume_at, took, now)
    context.step("after:transcribed")


def _amended(
    earlier: Transcript | None,
    table: Mapping[str, str],
    speakers: Callable[[Transcript], Transcript] | None,
    heard: Transcript,
) -> Transcript:
    """What was heard, with what people have said of the recording before, what the configuration spells otherwise in the
    rest, and with its speakers, where they are known.
    """
    heard = replaced(carried(earlier, heard) if earlier is not None else heard, table)
    return speakers(heard) if speakers is not None else heard


def _date(context: Context, work: Transcribing, from_container: str | None) -> None:
    """What the container says of the date is known only now that it was opened."""
    recording = context.ledger.recordings.get(work.job.recording_id)
    if recording is not None and from_container is not None:
        modified_at = Instant(work.place.identity.mtime_ns / 1e9)
        date = date_of(from_container, work.place.path.name, modified_at, recording.accepted_at)
        context.ledger.recordings.date(recording.id, date)


def failed(context: Context, work: Transcribing, message: Failed) -> None:
    """The worker is well but could not do it. Who is to blame decides what it costs."""
    ledger, now, job = context.ledger, context.now(), work.job
    sentence = message.sentence
    with ledger.transaction():
        match message.fault:
            case Fault.MEDIA:
                endings.give_up(context, job, sentence)
                ledger.words.drop_checkpoint(job.recording_id)
            case Fault.CHANGED:
                # What was heard so far may be a mixture of two files.
                ledger.words.drop_checkpoint(job.recording_id)
                _no_longer_there(context, work, Gone.REPLACED)
                _give_back(context, job, sentence, 0.0)
            case Fault.GONE:
                # Asking again and again would not bring it back; the next look that finds it does.
                _no_longer_there(context, work, Gone.MISSING)
                _give_back(context, job, sentence, 0.0)
            case Fault.ACCESS:
                _give_back(context, job, sentence, 1.0)
            case Fault.CLOUD:
                _wait_for_cloud(context, job, sentence)
            case Fault.ENVIRONMENT:
                _give_back(context, job, sentence, 15.0)
            case _ if job.attempts >= MAX_ATTEMPTS:
                endings.give_up(context, job, f"{sentence} (tried {job.attempts} times)")
            case _:
                ledger.jobs.try_later(
                    job.id, sentence, later(now, backoff(job.attempts, context.jitter())), now
                )
        context.tell(
            Event.NOT_TRANSCRIBED, sentence, recording=job.recording_id, file=work.place.path, level="warning",
            fault=message.fault.value, by_worker=True,
        )  # fmt: skip


def _give_back(context: Context, job: Job, sentence: str, first_rest: float) -> None:
    """It costs the recording nothing, on the word of a worker; so it rests longer each time, up to an hour."""
    at_once = not first_rest and not job.interruptions
    rest = 0.0 if at_once else backoff(job.interruptions + 1, context.jitter(), base=first_rest or 2.0)
    now = context.now()
    context.ledger.jobs.give_back(job.id, sentence, now, interrupted=True, not_before=later(now, rest))


def _wait_for_cloud(context: Context, job: Job, sentence: str) -> None:
    """It is not here, and nobody knows when it will be; looked for each minute, because a look costs nothing."""
    now, rest = context.now(), backoff(job.interruptions + 1, context.jitter(), base=1.0)
    later_on = later(now, min(rest, MINUTE))
    context.ledger.jobs.give_back(job.id, sentence, now, interrupted=True, not_before=later_on)


def _no_longer_there(context: Context, work: Transcribing, why: Gone) -> None:
    """The file did not hold the recording any more when the worker came to it. If a look has already found what is at
    that path now, that stands.
    """
    place = context.ledger.places.get(work.place.path, work.job.recording_id)
    if place is not None and place.here and place.identity == work.place.identity:
        context.ledger.places.gone(place.path, place.recording_id, context.now(), why)
