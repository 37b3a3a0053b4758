"""Which words of its recording a note holds, and what stands in it."""

from __future__ import annotations

from earmark.context import Context
from earmark.domain import Kind, Transcript
from earmark.ledger import Artifact
from earmark.notes.encoding import WESTERN, in_windows_1252, text_for_sure


def kind_with_words(context: Context) -> Kind:
    """Which of the notes have the transcript in them."""
    return Kind.SUMMARY if context.config.notes.layout == "one-file" else Kind.TRANSCRIPT


def has_transcript(context: Context, artifact: Artifact) -> bool:
    """Whether it is a note with a transcript in it."""
    return artifact.note and artifact.kind is kind_with_words(context)


def holds_words(context: Context, artifact: Artifact) -> bool:
    """Whether the transcript in a note is of the words of now."""
    return has_transcript(context, artifact) and artifact.words_rev == context.ledger.words.revision(
        artifact.recording_id
    )


def words_held(context: Context, artifact: Artifact) -> Transcript | None:
    """What is said by the transcript that a note holds: that of now, or an older one; None where nobody knows."""
    if holds_words(context, artifact):
        return context.ledger.words.transcript(artifact.recording_id)
    return context.ledger.words.of_notes.of(artifact)


def text_of(context: Context, artifact: Artifact, data: bytes) -> str | None:
    """What stands in a note; None if nobody can tell in which encoding."""
    text = text_for_sure(data)
    held = words_held(context, artifact) if text is None else None
    if held is None or held.language not in WESTERN:
        return text
    return in_windows_1252(data, (segment.text for segment in held.segments))
