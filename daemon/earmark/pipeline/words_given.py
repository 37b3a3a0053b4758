"""Words that people correct in the notes of a transcript: from then on they are what was said, in all that rests on it.

A note that holds the words of now (`Artifact.words_rev`) is held against these, and an older one against those that it held
when it was read last (`Words.of_notes`), so that it takes nothing back. What stands in it besides is a person's own: then it
stays as it is, and only its words count. A note in which words were corrected and nothing else was changed may be written
again; for the rest it counts as edited, so that no rule takes it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from earmark.context import Context
from earmark.corrections import Corrected, corrected
from earmark.domain import ArtifactState, Kind, Transcript
from earmark.events import Event
from earmark.files import counted, digest
from earmark.ledger import Artifact, Recording
from earmark.notes.comparing import Likeness, digests
from earmark.notes.encoding import is_utf_8, with_our_ends
from earmark.notes.frontmatter import body_of, read_frontmatter
from earmark.notes.name_lists import names_in
from earmark.notes.own_links import compared
from earmark.notes.reading import Read, read_transcript
from earmark.notes.speakers import TURN, names_of
from earmark.notes.style import NoteStyle, style_of
from earmark.pipeline import next_stage
from earmark.pipeline.moved_notes import lies_at
from earmark.pipeline.names_given import edited_otherwise, leave_edited
from earmark.pipeline.names_there import is_read
from earmark.pipeline.outputs import revision
from earmark.pipeline.stands_there import what_stands_there
from earmark.pipeline.words_held import has_transcript, holds_words, text_of, words_held
from earmark.rehearing import brought_over


@dataclass(frozen=True, slots=True)
class _Stands:
    """What stands in a note, and the SHA-256 of its bytes. `plain`: these are in the encoding that we write."""

    text: str
    sha256: str
    plain: bool


def has_words(context: Context, artifact: Artifact) -> bool:
    """Whether a note may have words that nobody has read."""
    return _is_known(context, artifact) and _changed(context, artifact) is not None


def has_other_words(context: Context, artifact: Artifact) -> bool:
    """Whether a note says other words than when it was read last. Takes longer than `has_words`, which is true of each that
    a person changed otherwise, too.
    """
    stands = _changed(context, artifact) if _is_known(context, artifact) else None
    before, style = words_held(context, artifact), style_of(context.config.notes)
    if stands is None or before is None or other_model(artifact, stands.text, style.key("model")):
        return False
    read = read_transcript(stands.text, before, style)
    if read is None:
        return False
    return corrected(before, read.passages, marks=style.confidence_marks).transcript != before


def take_words(context: Context, recording_id: str) -> bool:
    """Read what people have corrected in a recording's notes; true if any words are news. Call in `ledger.acting`."""
    taken = False
    for artifact in context.ledger.artifacts.of_recording(recording_id):
        if is_read(context, artifact) and _is_known(context, artifact):
            stands = _changed(context, artifact)
            taken = (stands is not None and _take(context, artifact, stands)) or taken
    return taken


def is_behind(context: Context, artifact: Artifact) -> bool:
    """Whether words that a person corrects in a note are not read: others were corrected elsewhere, or heard, since, and
    nobody knows any more which it held.
    """
    return has_transcript(context, artifact) and not _is_known(context, artifact)


def _is_known(context: Context, artifact: Artifact) -> bool:
    """Whether it is known which words the transcript in a note is of."""
    return has_transcript(context, artifact) and (
        holds_words(context, artifact) or context.ledger.words.of_notes.known(artifact)
    )


def _changed(context: Context, artifact: Artifact) -> _Stands | None:
    """What stands in a note, if its words may be a person's."""
    key = style_of(context.config.notes).key("speakers")
    for _, data in what_stands_there(context, artifact):
        text, sha256 = text_of(context, artifact, data), digest(data)
        if text is None:
            continue
        stands = _Stands(text, sha256, is_utf_8(data))
        if artifact.has_bytes(sha256):
            # Without its corrections, byte for byte what we once wrote, it is an edit that somebody took back.
            return stands if artifact.state is ArtifactState.EDITED and not artifact.mergeable else None
        if artifact.state is ArtifactState.EDITED:
            return stands
        return stands if compared(context.ledger, data, artifact, key) is Likeness.EDITED else None
    return None


def _take(context: Context, artifact: Artifact, stands: _Stands) -> bool:
    """Give the transcript the words of a note; true if any of them are news."""
    ledger, style = context.ledger, style_of(context.config.notes)
    now, recording = (
        ledger.words.transcript(artifact.recording_id),
        ledger.recordings.get(artifact.recording_id),
    )
    before = words_held(context, artifact)
    older = None if holds_words(context, artifact) else before
    if before is None or now is None or other_model(artifact, stands.text, style.key("model")):
        return False
    read = read_transcript(stands.text, before, style)
    if recording is None or read is None:
        if artifact.mergeable:  # what a person made of it since is not known
            _not_read(context, artifact)
        return False
    theirs = corrected(before, read.passages, marks=style.confidence_marks)
    if theirs.transcript == before:
        return False
    found = theirs if older is None else brought_over(older, theirs.transcript, now)
    if found.transcript == now:
        with ledger.transaction():
            ledger.words.of_notes.read(artifact, theirs.transcript)
        return False
    edited = [a for a in edited_otherwise(context, artifact.recording_id) if a.id != artifact.id]
    with ledger.transaction():
        ledger.words.correct(found.transcript, context.now())
        after = ledger.recordings.get(artifact.recording_id) or recording
        leave_edited(context, edited, recording, after)
        if older is None:
            _read(context, artifact, stands, read, found, style, recording, after)
        else:
            ledger.artifacts.older_words_read(artifact.path)
            ledger.words.of_notes.read(artifact, theirs.transcript)
            leave_edited(context, [artifact], recording, after)
        lies = lies_at(context, artifact)
        if lies != artifact.path:  # their owner has it there, and wants none where it was
            ledger.artifacts.owner_removed(artifact)
        ledger.artifacts.stay_removed(artifact.recording_id)
        if not any(a.note and a.kind is Kind.SUMMARY for a in edited):
            # Of other words it would be another one, and costs nothing to be made anew, whether a server answers or not.
            ledger.words.drop_extractive_summary(artifact.recording_id)
            next_stage.summarize(context, artifact.recording_id)
        context.tell(
            Event.CORRECTED, f"{_counted(found)} in {lies.name}.", recording=artifact.recording_id, file=lies,
        )  # fmt: skip
    return True


def _not_read(context: Context, artifact: Artifact) -> None:
    if holds_words(context, artifact):
        context.ledger.artifacts.words_read(artifact.path, artifact.rev)
    else:
        context.ledger.artifacts.older_words_read(artifact.path)


def _counted(found: Corrected) -> str:
    said = []
    for number, what in ((found.words, "corrected"), (found.gone, "taken out")):
        if number:
            said.append(f"{counted(number, 'word was', 'words were')} {what}")
    return " and ".join(said) or "Marks were taken away"


def other_model(artifact: Artifact, text: str, key: str) -> str:
    """The model that a note names (in the property `key`), if it is another than the one that heard these words: an older
    one that was put back says what was heard then. "" if it is not.
    """
    ours, theirs = ((read_frontmatter(each) or {}).get(key) for each in (artifact.top, text))
    return "" if None in (ours, theirs) or ours == theirs else str(theirs)


def _read(
    context: Context,
    artifact: Artifact,
    stands: _Stands,
    read: Read,
    found: Corrected,
    style: NoteStyle,
    before: Recording,
    after: Recording,
) -> None:
    """Write down what a note is, now that its words are known."""
    key, one_file = style.key("speakers"), style.layout == "one-file"
    rev = revision(after, artifact.kind, one_file=one_file)
    restored = compared(context.ledger, read.restored.encode(), artifact, key)
    likes = (Likeness.SAME, Likeness.LINKS, Likeness.PROPERTIES)
    as_ours = found.whole and read.spelled and not read.foreign and stands.plain
    ours = bool(artifact.top) and restored in likes and as_ours
    if ours and (
        artifact.rev < revision(before, artifact.kind, one_file=one_file)
        or _misnamed(stands.text, found.transcript, key)
    ):
        rev = artifact.rev  # something else is to be said there as well
    theirs = replace(digests(with_our_ends(stands.text), key), sha256=stands.sha256) if ours else None
    context.ledger.artifacts.words_read(artifact.path, rev, theirs)


def _misnamed(text: str, transcript: Transcript, key: str) -> bool:
    """Whether turns begin with names that nobody has (any more), or the list has such."""
    names = names_of(transcript)
    listed = names_in(text, key)
    return (bool(listed) and listed != names) or any(
        turn[2] not in names for turn in TURN.finditer(body_of(text))
    )
