"""The stage that finds out who says what: what a worker is asked, and what its answers do to the ledger.

The transcript is there already and can be read; however this ends, the summary follows.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from earmark.config import FolderSettings
from earmark.context import Context
from earmark.diarization.models import SpeakerModel, find_speaker_model
from earmark.domain import Fault, Stage, Tick, Transcript, later
from earmark.errors import ModelError
from earmark.events import Event
from earmark.files import counted, pack_path
from earmark.files.cloud import where
from earmark.ledger import Job, Place
from earmark.ledger.jobs import MAX_ATTEMPTS, backoff
from earmark.ledger.turns import Spoken
from earmark.messages import Failed, Stretch, TellApart, ToldApart
from earmark.pipeline import endings, next_stage
from earmark.pipeline.claiming import files_of, next_of
from earmark.pipeline.plausible import ToldOf
from earmark.pipeline.recognizing import prints_of, remember
from earmark.pipeline.said_in_notes import take_first
from earmark.speaking import Turn, how_many, names_after, with_speakers


@dataclass(slots=True)
class Diarizing:
    """One claimed recording whose speakers are looked for: the job, the file it is read from, and with which models.

    `known`: with which models its stretches are found; `settings`: also for how many people its turns are.
    """

    job: Job
    place: Place
    known: str
    settings: str
    request: TellApart
    told: ToldOf
    kept: int
    """Windows that are done with what is kept of it."""
    began: Tick
    resumed: float
    """Seconds of it that were known when it began."""


def claim(context: Context, by: str, models: SpeakerModel | None, why_none: str) -> Diarizing | None:
    """Take the next recording that is due and say what to ask a worker for. Without `models`, and where there is nothing to
    ask, what is due is over with at once.
    """
    jobs, newest_first = context.ledger.jobs, context.config.intake.order == "newest-first"
    return next_of(
        context,
        lambda: jobs.claim(Stage.DIARIZE, by, context.now(), newest_first, but=context.silent),
        lambda job: _prepare(context, job, models, why_none),
    )


def _prepare(context: Context, job: Job, models: SpeakerModel | None, why_none: str) -> Diarizing | None:
    ledger = context.ledger
    files = files_of(context, job.recording_id)
    place, there = files.to_read, files.answer
    transcript = ledger.words.transcript(job.recording_id)
    if transcript is None:
        ledger.jobs.done(job.id, context.now(), "there is no transcript any more")
        ledger.turns.drop(job.recording_id)
    elif files.here and not there:
        ledger.jobs.give_back(job.id, None, context.now())
    elif place is None:
        over(context, job, f"its file {where(there[0].path)}" if there else "its file is not there any more")
    elif (wanted := how_many(context.settings(place.folder).speakers)) is None:
        over(context, job, 'speakers = "off" is set for its folder')
    elif models is None:
        over(context, job, why_none)
    else:
        return _ask(context, job, place, transcript, models, wanted)
    return None


def _ask(
    context: Context,
    job: Job,
    place: Place,
    transcript: Transcript,
    models: SpeakerModel,
    wanted: tuple[int, int],
) -> Diarizing:
    known = settings_of(models)
    done = context.ledger.turns.begin(job.recording_id, known)
    request = TellApart(
        job=job.id,
        path=pack_path(place.path),
        recording_id=job.recording_id,
        fewest=wanted[0],
        most=wanted[1],
        max_seconds=context.config.transcription.max_hours * 3600,
        voices=context.config.remember_voices,
        done=tuple(stretch.model_copy(update={"job": job.id}) for stretch in done),
    )
    told = ToldOf(transcript.duration, *((done[-1].windows, done[-1].upto) if done else (0, 0.0)))
    context.tell(Event.TELLING_APART, file=place.path, attempt=job.attempts, resume_at=round(told.upto, 1))
    began = context.clock.monotonic()
    return Diarizing(
        job, place, known, settings_of(models, wanted), request, told, told.windows, began, told.upto
    )


def settings_of(models: SpeakerModel, wanted: tuple[int, int] | None = None) -> str:
    """With which models, and for how many people, something is found."""
    found: dict[str, object] = {"encoder": models.digest, "features": models.features}
    return json.dumps(found | ({"people": wanted} if wanted else {}), sort_keys=True)


def stretch(context: Context, work: Diarizing, message: Stretch) -> None:
    """Keep what was found; from now on it survives anything. Not if what it follows on was forgotten meanwhile: half of it
    would pass for all.
    """
    context.step("before:stretch")
    with context.ledger.transaction():
        if context.ledger.turns.known_upto(work.job.recording_id) == work.kept:
            context.ledger.turns.keep(work.job.recording_id, work.known, message)
            context.ledger.jobs.progressed(work.job.id)
            work.kept = message.windows
    context.step("after:stretch")


def told(context: Context, work: Diarizing, message: ToldApart) -> None:
    """Who says what is known: the transcript says so from now on, and its notes follow."""
    ledger, now, recording_id = context.ledger, context.now(), work.job.recording_id
    take_first(context, recording_id)
    context.step("before:told apart")
    with ledger.transaction():
        ledger.turns.store(recording_id, Spoken(work.settings, message.turns, message.unsure))
        ledger.jobs.done(work.job.id, now)
        before = ledger.words.transcript(recording_id)
        if before is not None:
            after = with_speakers(before, message.turns, names_after(before, message.turns), message.unsure)
            voices = prints_of(message.voices, work.known)
            names = remember(context, recording_id, voices, after.speakers, unsure=message.unsure)
            after = replace(after, speakers=names)
            if after != before and before.speakers:
                ledger.words.correct(after, now)  # a note that stays is of those who spoke there before
            elif after != before:
                ledger.words.store_speakers(after, now)
                # What its owner removed does not come back for it, which nobody asked for.
                ledger.artifacts.stay_removed(recording_id)
            context.tell(
                Event.TOLD_APART, f"{_counted(after)}.", recording=recording_id, file=work.place.path,
                speakers=len(after.speakers), unsure=after.speakers_unsure,
            )  # fmt: skip
        took = context.clock.monotonic() - work.began
        ledger.journal.paced(Stage.DIARIZE, max(0.0, work.told.duration - work.resumed), took, now)
        next_stage.after_speakers(context, recording_id)
    context.step("after:told apart")


def again(
    context: Context, recording_id: str, settings: FolderSettings
) -> tuple[Callable[[Transcript], Transcript] | None, bool]:
    """What gives a new transcript of the recording the speakers of the one before, by the sound that is the same, and
    whether these are still who speaks there. They are not where they were found with other models or for another number of
    people; then they are only given on where somebody has named them, so that whoever has a name keeps it. None without any.
    """
    spoken, wanted = context.ledger.turns.of(recording_id), how_many(settings.speakers)
    before = context.ledger.words.transcript(recording_id)
    names = before.speakers if before else ()
    if wanted is None:
        return None, False
    if spoken is not None and spoken.settings == _settings_now(context, wanted):
        return partial(with_speakers, turns=spoken.turns, names=names, unsure=spoken.unsure), True
    if before is None or not any(names):
        return None, False
    turns = tuple(Turn(s.start, s.end, s.speaker, s.overlapped) for s in before.segments if s.speaker)
    return partial(with_speakers, turns=turns, names=names, unsure=before.speakers_unsure), False


def _settings_now(context: Context, wanted: tuple[int, int]) -> str | None:
    """With what speakers would be found now; None if they would not."""
    try:
        models = find_speaker_model(context.home.models)
    except ModelError:
        return None
    return settings_of(models, wanted) if models is not None else None


def failed(context: Context, work: Diarizing, message: Failed) -> None:
    """The worker is well but could not do it. What costs nothing is not waited for long."""
    ledger, now, job = context.ledger, context.now(), work.job
    sentence = message.sentence
    with ledger.transaction():
        match message.fault:
            case Fault.CHANGED | Fault.GONE | Fault.CLOUD:
                over(context, job, sentence)
            case Fault.ACCESS | Fault.ENVIRONMENT if job.interruptions < MAX_ATTEMPTS:
                rest = later(now, backoff(job.interruptions + 1, context.jitter(), base=2.0))
                ledger.jobs.give_back(job.id, sentence, now, interrupted=True, not_before=rest)
            case Fault.ACCESS | Fault.ENVIRONMENT:
                over(context, job, sentence)
            case Fault.MEDIA:
                endings.give_up(context, job, sentence)
            case _ if job.attempts >= MAX_ATTEMPTS:
                endings.give_up(context, job, f"{sentence} (tried {job.attempts} times)")
            case _:
                rest = later(now, backoff(job.attempts, context.jitter()))
                ledger.jobs.try_later(job.id, sentence, rest, now)
        context.tell(
            Event.NOT_TOLD_APART, sentence, recording=job.recording_id, file=work.place.path, level="warning",
            fault=message.fault.value, by_worker=True,
        )  # fmt: skip


def over(context: Context, job: Job, why: str) -> None:
    """Who says what will not be known, for a reason that is not the recording's. `earmark retry --speakers` tries again."""
    with context.ledger.transaction():
        context.ledger.jobs.done(job.id, context.now(), f"who says what is not known: {why}")
        context.tell(
            Event.NOT_TOLD_APART, f"Who says what in it is not known: {why}.", recording=job.recording_id,
            name=_name(context, job.recording_id), by_worker=True,
        )  # fmt: skip
        next_stage.after_speakers(context, job.recording_id)


def _name(context: Context, recording_id: str) -> str:
    places = context.ledger.places.of(recording_id)
    return str(places[0].path) if places else recording_id[:12]


def _counted(transcript: Transcript) -> str:
    count = len(transcript.speakers)
    if not count:
        alike = ", or several that sound alike" if transcript.speakers_unsure else ", or nobody is heard"
        return f"One voice says everything{alike}"
    return f"{counted(count, 'speaker')}{', which is not sure' if transcript.speakers_unsure else ''}"
