"""What stands in a note that a person may have changed, and whether it is that recording's note at all.

Two notes whose names were swapped, or one that was copied over another, would give one recording what the other one says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from earmark.context import Context
from earmark.files import digest, read_bytes
from earmark.ledger import Artifact
from earmark.notes.comparing import words_of
from earmark.notes.encoding import text_for_sure
from earmark.notes.frontmatter import decoded, recording_of
from earmark.notes.style import style_of
from earmark.pipeline.moved_notes import moved_to


def what_stands_there(context: Context, artifact: Artifact) -> Iterator[tuple[float, bytes]]:
    """When a note was written last, and its bytes, for each place in which it may lie and can be read. What is another
    recording's note is none.
    """
    for path in _where_it_lies(context, artifact):
        if not context.answers(path):
            continue
        try:
            found = path.lstat().st_mtime, read_bytes(path)
        except OSError:
            continue
        if not is_anothers(context, artifact, found[1]):
            yield found


def is_anothers(context: Context, artifact: Artifact, data: bytes) -> bool:
    """Whether what stands where a note was is the note of another recording: by its `earmark_id`, and where it has none, by
    its words, if they are those of a note that was written for that one.
    """
    if artifact.has_bytes(digest(data)):
        return False  # as we wrote it, which most are: asked before YAML is read
    text = text_for_sure(data) or decoded(data)
    says = recording_of(text, style_of(context.config.notes))
    if says is not None:
        return says not in context.ledger.lineage.may_name(artifact.recording_id)
    same_words = _worded_as(context, text)
    return bool(same_words) and not same_words & context.ledger.lineage.names_of(artifact.recording_id)


def why_anothers(context: Context, artifact: Artifact, data: bytes) -> str:
    """What is said of it, and what would be right: to give it another id, only where its words are those that were written
    for this recording.
    """
    key, mine = (
        style_of(context.config.notes).key("earmark_id"),
        context.ledger.lineage.note_id(artifact.recording_id),
    )
    place = next(iter(context.ledger.places.of(artifact.recording_id)), None)
    of = f"of {place.path.name}" if place is not None else "that was here"
    worded = _worded_as(context, text_for_sure(data) or decoded(data))
    is_ours = bool(worded & context.ledger.lineage.names_of(artifact.recording_id))
    return (
        f"it is the note of another recording, by its `{key}` or its words, and is read for none; put the one {of} back in"
        f" its place{f', or let it say `{key}: {mine}`' if is_ours else ''}"
    )


def _worded_as(context: Context, text: str) -> set[str]:
    """The recordings for which a note with these words was written, whatever space is behind them."""
    return context.ledger.artifacts.worded_as(words_of(f"{text.rstrip()}\n"))


def _where_it_lies(context: Context, artifact: Artifact) -> Iterable[Path]:
    """Where a note lies; if its folder has another name by now, beside its recording; or where its owner moved it."""
    yield artifact.path
    if (moved := moved_to(context, artifact)) is not None:
        yield moved
    for place in context.ledger.places.of(artifact.recording_id):
        if place.here and place.path.parent != artifact.path.parent:
            beside = place.path.parent / artifact.path.name
            if context.ledger.artifacts.at(beside) is None:
                yield beside
