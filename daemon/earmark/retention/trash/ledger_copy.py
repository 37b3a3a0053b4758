"""The ledger's own copy of what was said: it goes when the last note that showed it has gone for good."""

from __future__ import annotations

from earmark.context import Context
from earmark.domain import ArtifactState, JobState, Kind, Stage, TrashState
from earmark.events import Event
from earmark.retention.gate import verdict


def drop_unneeded(context: Context, recording_id: str) -> None:
    """Remove transcript and summary from the ledger where rules took every note of them; call in a transaction.

    A transcript note that is edited or merely missing keeps its words: only rules' own deletions count.
    """
    ledger = context.ledger
    rows = ledger.artifacts.of_recording(recording_id)
    waiting = {
        t.kind
        for t in ledger.trash.of_recording(recording_id)
        if t.state not in (TrashState.PURGED, TrashState.HANDED, TrashState.RESTORED)
    }
    kinds = {a.kind for a in rows if a.note}
    gone = {
        kind
        for kind in kinds
        if kind not in waiting
        and all(a.state is ArtifactState.TRASHED for a in rows if a.kind is kind and a.note)
    }
    one_file = Kind.TRANSCRIPT not in kinds
    dropped = False
    if Kind.TRANSCRIPT in gone or (one_file and Kind.SUMMARY in gone):
        # The audio may outlive its transcript by rule; the gate's verdict must be there when its turn comes.
        verdict(context, recording_id)
        if ledger.retention.drop_transcript(recording_id):
            dropped = True
            context.tell(
                Event.WORDS_DROPPED, "The ledger's copy of the transcript went too.", recording=recording_id
            )
    if Kind.SUMMARY in gone and ledger.retention.drop_summary(recording_id):
        dropped = True
        context.tell(
            Event.WORDS_DROPPED, "The ledger's copy of the summary went too.", recording=recording_id
        )
    follow = [ledger.jobs.of(recording_id, stage) for stage in (Stage.DIARIZE, Stage.SUMMARIZE)]
    for job in follow if dropped else ():
        if job is None or job.state not in (JobState.WAITING, JobState.PARKED):
            continue
        # A better summary cannot be made of words that are gone, nor is one wanted of a note that a rule took.
        ledger.jobs.done(job.id, context.now(), "a retention rule took its words")
