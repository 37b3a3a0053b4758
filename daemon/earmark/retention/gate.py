"""The quality gate: may the audio of a recording go, now that this is what was understood of it and this lies on disk?"""

from __future__ import annotations

from earmark.context import Context
from earmark.corrections import as_heard, is_corrected
from earmark.domain import ArtifactState, Kind, Transcript
from earmark.files import read_bytes
from earmark.ledger import Artifact
from earmark.notes.comparing import Likeness, likeness
from earmark.notes.frontmatter import body_of
from earmark.retention.rules import quality


def why_shut(context: Context, recording_id: str, *, writes: bool = True) -> str | None:
    """Why the gate keeps this recording's audio, or None. A person's word opens it: `retention accept`, or words of the
    transcript note that they corrected and that still cover the recording.

    `writes`: keep the verdict in the ledger.
    """
    ledger = context.ledger
    recording = ledger.recordings.get(recording_id)
    if recording is None:
        return "not in the ledger"
    failing = verdict(context, recording_id, writes=writes)
    if failing is None:
        return "quality gate: its transcript is not in the ledger any more"
    if ledger.retention.quality_accepted(recording_id, recording.transcript_rev):
        return None
    stands, corrected = _notes_on_disk(context, recording_id)
    if corrected:
        return None
    if failing:
        return "quality gate: " + "; ".join(failing.splitlines())
    return None if stands else "quality gate: no transcript note that covers the recording is on disk"


def verdict(context: Context, recording_id: str, *, writes: bool = True) -> str | None:
    """What fails in the transcript, a sentence a line; "" if nothing does, None if there is no transcript to judge."""
    ledger = context.ledger
    recording = ledger.recordings.get(recording_id)
    if recording is None:
        return None
    known = ledger.retention.judged(recording_id, recording.transcript_rev, quality.GATE)
    if known is not None:
        return known
    transcript = ledger.words.transcript(recording_id)
    if transcript is None:
        return None
    failing = "\n".join(quality.failings(transcript))
    if writes:
        ledger.retention.judge(recording_id, recording.transcript_rev, quality.GATE, failing)
    return failing


def _notes_on_disk(context: Context, recording_id: str) -> tuple[bool, bool]:
    """Whether a transcript is on disk as we wrote it (or was let go by its own rule), and whether one is there that a
    person corrected and that still covers the recording. What stands in its frontmatter says nothing of words.
    """
    artifacts = context.ledger.artifacts.of_recording(recording_id)
    transcript = context.ledger.words.transcript(recording_id)
    stands = corrected = False
    with_theirs = transcript is not None and is_corrected(transcript)
    for artifact in artifacts:
        if not artifact.note or not _holds_words(artifact, artifacts):
            continue
        if artifact.state is ArtifactState.TRASHED:
            stands = True
        elif artifact.on_disk:
            like, words = _words_of(artifact)
            stands = stands or like in (Likeness.SAME, Likeness.LINKS, Likeness.NAMES, Likeness.PROPERTIES)
            theirs = like is Likeness.EDITED or (artifact.mergeable and with_theirs)
            corrected = corrected or (theirs and _covers(words, transcript))
    return stands, corrected


def _words_of(artifact: Artifact) -> tuple[Likeness | None, str]:
    try:
        data = read_bytes(artifact.path)
        return likeness(data, artifact), body_of(data.decode())
    except (OSError, UnicodeDecodeError):
        return None, ""


def _covers(words: str, transcript: Transcript | None) -> bool:
    # A paragraph that a person took out is not in the transcript any more, and was said all the same.
    return transcript is not None and quality.covers(words, as_heard(transcript))


def _holds_words(artifact: Artifact, artifacts: list[Artifact]) -> bool:
    """The transcript note; in the one-file layout the summary's note holds the transcript too."""
    if artifact.kind is Kind.TRANSCRIPT:
        return True
    return artifact.kind is Kind.SUMMARY and not any(a.kind is Kind.TRANSCRIPT and a.note for a in artifacts)
