"""What is to be said of a recording at this moment: one word, and the reason if there is one to give. Asked by `list`, `why`
and `status` alike, so that they count the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from earmark.config import Config
from earmark.context import Context
from earmark.domain import JobState, Stage
from earmark.files import is_locked
from earmark.ledger import Draft, Job, Place
from earmark.pipeline import drafts


class Group(StrEnum):
    """What each recording is, exactly one of them: the numbers of `status` and `list` add up."""

    DONE = "done"
    WAITING = "waiting"
    FAILED = "failed"


class Word(StrEnum):
    """The word for a recording at a path."""

    DONE = "done"
    DRAFT = "draft"
    PARKED = "parked"
    WAITING = "waiting"
    TRANSCRIBING = "transcribing"
    TRANSCRIBED = "transcribed"
    """It still waits for its speakers or its summary."""
    NOT_WRITTEN = "not written"
    FAILED = "failed"


GROUPS = {
    Word.DONE: Group.DONE, Word.DRAFT: Group.DONE, Word.PARKED: Group.WAITING, Word.WAITING: Group.WAITING,
    Word.TRANSCRIBING: Group.WAITING, Word.TRANSCRIBED: Group.WAITING, Word.NOT_WRITTEN: Group.WAITING,
    Word.FAILED: Group.FAILED,
}  # fmt: skip

AWAY = "its file is not in the folder any more; it goes on when the file is back"
LAID_DOWN = "earmark does not run; it goes on where it was when it does"


@dataclass(frozen=True, slots=True)
class State:
    """What is to be said of a recording."""

    word: Word
    reason: str = ""

    @property
    def group(self) -> Group:
        return GROUPS[self.word]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What states are told from, of all recordings at once. `works`: a daemon runs."""

    jobs: Mapping[tuple[str, Stage], Job]
    drafts: Mapping[str, Draft]
    config: Config
    works: bool

    def of(self, recording_id: str, *, here: bool) -> State:
        """The state of a recording. `here`: one of its files is. Pure."""
        heard, draft = self.jobs.get((recording_id, Stage.TRANSCRIBE)), self.drafts.get(recording_id)
        follow = [self.jobs.get((recording_id, stage)) for stage in (Stage.DIARIZE, Stage.SUMMARIZE)]
        if draft is not None and not draft.kept:
            return State(Word.DRAFT, drafts.of_one(draft, self.config))
        if heard is not None and heard.state is not JobState.DONE:
            return self._unheard(heard, here)
        for job in follow:
            if job is not None and job.state is JobState.FAILED:
                return State(Word.FAILED, failed_reason(job))
        for job in follow:
            if job is not None and job.state is JobState.WAITING:
                return State(Word.TRANSCRIBED, job.reason or "")
            if job is not None and job.state is JobState.CLAIMED:
                return State(Word.TRANSCRIBED, "" if self.works else LAID_DOWN)
        parked = follow[-1]
        if parked is not None and parked.state is JobState.PARKED:
            return State(Word.DONE, parked.reason or "")
        return State(Word.DONE, f"its transcript is a draft and stays one: {draft.kept}" if draft else "")

    def at(self, place: Place, *, here: bool) -> State:
        """The same for one of its files, whose notes may have troubles of their own."""
        if place.trouble and place.here:
            return State(Word.NOT_WRITTEN, place.trouble)
        return self.of(place.recording_id, here=here)

    def _unheard(self, job: Job, here: bool) -> State:
        if job.state is JobState.CLAIMED:
            # What went wrong before is over: it is tried anew.
            return State(Word.TRANSCRIBING) if self.works else State(Word.WAITING, LAID_DOWN)
        if job.state is JobState.FAILED:
            return State(Word.FAILED, failed_reason(job))
        if job.state is JobState.WAITING and not here:
            return State(Word.WAITING, AWAY)
        return State(Word.PARKED if job.state is JobState.PARKED else Word.WAITING, job.reason or "")


def everything(context: Context) -> Knowledge:
    """Of all recordings."""
    ledger = context.ledger
    jobs = {(job.recording_id, job.stage): job for job in ledger.jobs.all()}
    owed = {draft.recording_id: draft for draft in ledger.drafts.all()}
    return Knowledge(jobs, owed, context.config, is_locked(context.home.lock_file))


def of_one(context: Context, place: Place) -> State:
    """Of one file."""
    ledger, recording_id = context.ledger, place.recording_id
    jobs = {(recording_id, stage): job for stage in Stage if (job := ledger.jobs.of(recording_id, stage))}
    draft = ledger.drafts.of(recording_id)
    known = Knowledge(
        jobs, {recording_id: draft} if draft else {}, context.config, is_locked(context.home.lock_file)
    )
    return known.at(place, here=any(each.here for each in ledger.places.of(recording_id)))


def of_some(context: Context, recording_ids: Iterable[str]) -> Knowledge:
    """Of these recordings."""
    ledger, ids = context.ledger, list(recording_ids)
    jobs = {(each, stage): job for each in ids for stage in Stage if (job := ledger.jobs.of(each, stage))}
    drafts_of = {each: draft for each in ids if (draft := ledger.drafts.of(each))}
    return Knowledge(jobs, drafts_of, context.config, is_locked(context.home.lock_file))


def failed_reason(job: Job) -> str:
    """Why a job failed, with what it was if there is a transcript all the same."""
    reason = job.reason or "failed without a reason (a bug: please report it)"
    what = {Stage.DIARIZE: "who says what is not known: ", Stage.SUMMARIZE: "it has no summary: "}
    return what.get(job.stage, "") + reason
