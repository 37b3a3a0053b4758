"""Why words that a person corrects in a note do not count, and what would be right. Asks the file each time."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from earmark.context import Context
from earmark.corrections import MOST_WORDS, corrected
from earmark.domain import ArtifactState, Transcript
from earmark.events import Event
from earmark.files import NotRegular, digest, read_bytes
from earmark.ledger import Artifact
from earmark.notes.comparing import Likeness
from earmark.notes.escape import clip
from earmark.notes.own_lines import is_own
from earmark.notes.own_links import compared
from earmark.notes.reading import read_transcript, why_unread
from earmark.notes.style import style_of
from earmark.pipeline.moved_notes import lies_at, moved_here, seen_as
from earmark.pipeline.names_there import READ, is_read
from earmark.pipeline.stands_there import is_anothers, why_anothers
from earmark.pipeline.words_given import is_behind, other_model
from earmark.pipeline.words_held import has_transcript, kind_with_words, text_of, words_held

_PLAYER = re.compile(r"(?:- )?!\[")
_PLAYER_OR_GONE = re.compile(r"(?:- )?(?:!\[|\*[^*].*\*$)")
"""What we write above a transcript for the recording, or that it went; what else is shown there is no line of words."""

LONGEST_MODEL = 60
"""Characters of the name of a model that are shown."""


def why_not_read(context: Context, artifact: Artifact) -> str:
    """Why words that a person corrects in a note are not read; "" if they are, or nobody changed it. Of a note of which
    `is_behind` is true that is the reason.
    """
    if (
        not is_read(context, artifact)
        or not has_transcript(context, artifact)
        or is_behind(context, artifact)
    ):
        return ""
    path = lies_at(context, artifact)
    if not context.answers(path):
        return ""
    try:
        data = read_bytes(path)
    except NotRegular:
        if path.is_symlink():
            return "it is a symlink, which is not followed; put the file itself in its place"
        return "it is no ordinary file; put one in its place"
    except OSError:
        return ""
    if is_anothers(context, artifact, data):
        return why_anothers(context, artifact, data)
    style = style_of(context.config.notes)
    like = compared(context.ledger, data, artifact, style.key("speakers"))
    if like is not Likeness.EDITED and (artifact.mergeable or artifact.state is not ArtifactState.EDITED):
        return ""
    text, before = text_of(context, artifact, data), words_held(context, artifact)
    if text is None:
        return "it is not in UTF-8, and nobody can tell for sure in which encoding it is; save it as UTF-8"
    model = other_model(artifact, text, style.key("model"))
    if model:
        return (
            f"its property {style.key('model')} names {clip(model, LONGEST_MODEL)}, which is not what heard its words; put"
            " back what stood there, or the newer version of the note"
        )
    return _unread(context, text, before) if before is not None else ""


def said_besides(context: Context, artifact: Artifact) -> str:
    """That lines of a person's own are in a note, and nowhere else; "" if there are none, or it is not read at all."""
    if (
        artifact.state not in READ
        or not has_transcript(context, artifact)
        or not context.answers(artifact.path)
    ):
        return ""
    try:
        data = read_bytes(artifact.path)
    except OSError:
        return ""
    if digest(data) == artifact.sha256 and artifact.state is not ArtifactState.EDITED:
        return ""
    text, before = text_of(context, artifact, data), words_held(context, artifact)
    style = style_of(context.config.notes)
    read = read_transcript(text, before, style) if text is not None and before is not None else None
    if read is None or before is None or not read.besides:
        return ""
    gone = not any(place.here for place in context.ledger.places.of(artifact.recording_id))
    skipped = _PLAYER_OR_GONE if gone else _PLAYER
    count = sum(not is_own(line) and skipped.match(line) is None for line in read.besides)
    if not count:
        return ""
    what = "1 line of yours is" if count == 1 else f"{count:,} lines of yours are"
    return f"{what} in the note only, and in no summary, export or search, because nobody said so in the recording"


def _unread(context: Context, text: str, before: Transcript) -> str:
    style = style_of(context.config.notes)
    read = read_transcript(text, before, style)
    if read is None:
        return why_unread(text, before, style)
    left = corrected(before, read.passages, marks=style.confidence_marks).left
    if not left:
        return ""
    where = "one passage of it has" if left == 1 else f"{left} passages of it have"
    return (
        f"{where} more than {MOST_WORDS:,} words between two times, and nobody can tell there which were said; put the times"
        " back between them, or take out what is none of the transcript (all others are read)"
    )


def notes_read(context: Context, recording_id: str) -> list[Path]:
    """The notes of a recording in which words that a person corrects are read."""
    notes = context.ledger.artifacts.of_recording(recording_id)
    return [
        a.path
        for a in notes
        if a.state in READ
        and has_transcript(context, a)
        and not is_behind(context, a)
        and os.path.lexists(a.path)
    ]


def changed_elsewhere(context: Context) -> Iterator[tuple[Path, list[Path]]]:
    """Notes with a transcript that somebody copied, or moved away, and then changed, which are not read; and those of
    their recording that are.
    """
    for note in context.ledger.protection.seen_elsewhere(seen_as(context, kind_with_words(context))):
        recording_id = context.ledger.lineage.only(note.recording_id)
        if recording_id is None or not context.answers(note.path):
            continue
        try:
            data = read_bytes(note.path)
        except OSError:
            continue
        if not context.ledger.artifacts.knows(digest(data)) and moved_here(context, note.path) is None:
            yield note.path, notes_read(context, recording_id)


def say_what_is_not_read(context: Context, artifact: Artifact) -> None:
    """Tell once why corrections in a note are not read, and have it count as a person's. Call in `ledger.acting`."""
    why = why_not_read(context, artifact)
    if not why:
        return
    if artifact.state is ArtifactState.HERE:
        context.ledger.artifacts.set_state(artifact.path, ArtifactState.EDITED)
    context.warn_once(
        Event.CORRECTIONS_NOT_READ, f"{artifact.path.name}: {why}.", artifact.recording_id, artifact.path
    )
