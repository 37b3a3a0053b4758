"""The ledger's own copy of what was said: it goes when the last note that showed it has gone for good."""

from __future__ import annotations

from earmark.domain import Instant, JobState, Kind, Stage
from earmark.ledger import Ledger
from earmark.retention import quality


def drop_unneeded(ledger: Ledger, recording_id: str, now: Instant) -> None:
    """Remove transcript and summary from the ledger where rules took every note of them; call in a transaction.

    A transcript note that is edited or merely missing keeps its words: only rules' own deletions count.
    """
    rows = ledger.artifacts.of_recording(recording_id)
    waiting = {
        t.kind
        for t in ledger.trash.of_recording(recording_id)
        if t.state not in ("purged", "handed", "restored")
    }
    kinds = {a.kind for a in rows if a.form == "md"}
    gone = {
        kind
        for kind in kinds
        if kind not in waiting
        and all(a.state == "trashed" for a in rows if a.kind is kind and a.form == "md")
    }
    one_file = Kind.TRANSCRIPT not in kinds
    dropped = False
    if Kind.TRANSCRIPT in gone or (one_file and Kind.SUMMARY in gone):
        _judge_first(ledger, recording_id)
        if ledger.retention.drop_transcript(recording_id):
            dropped = True
            ledger.journal.note(
                now, "words-dropped", "The ledger's copy of the transcript went too.", recording_id
            )
    if Kind.SUMMARY in gone and ledger.retention.drop_summary(recording_id):
        dropped = True
        ledger.journal.note(now, "words-dropped", "The ledger's copy of the summary went too.", recording_id)
    job = ledger.jobs.of(recording_id, Stage.SUMMARIZE)
    if dropped and job is not None and job.state in (JobState.WAITING, JobState.PARKED):
        # A better summary cannot be made of words that are gone, nor is one wanted of a note that a rule took.
        ledger.jobs.done(job.id, now, "a retention rule took its words")


def _judge_first(ledger: Ledger, recording_id: str) -> None:
    """The audio may outlive its transcript by rule; the gate's verdict must be there when its turn comes."""
    recording = ledger.places.recording(recording_id)
    transcript = ledger.words.transcript(recording_id)
    if recording is None or transcript is None:
        return
    if ledger.retention.judged(recording_id, recording.transcript_rev, quality.GATE) is None:
        failing = "\n".join(quality.failings(transcript))
        ledger.retention.judge(recording_id, recording.transcript_rev, quality.GATE, failing)
