"""Which recordings a text occurs in: by name, by what was heard, by what was made of it, by what people corrected."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from earmark.context import Context
from earmark.domain import Summary
from earmark.files import fold, named, read_bytes
from earmark.ledger import Artifact
from earmark.notes.comparing import Likeness, likeness
from earmark.notes.frontmatter import body_of
from earmark.notes.labels import SPEAKERS
from earmark.notes.name_lists import names_in
from earmark.notes.naming import given
from earmark.notes.style import style_of
from earmark.replacing import before_replacing

_LINK = re.compile(r"!?\[\[[^\[\]\n]*?(?:\|([^\[\]\n]*))?\]\]|\]\([^)\n]{0,1000}\)")
_OURS = re.compile(r"^[ \t]*(?:- )?(?:#+ .*|\*[^*\n]*\*[ \t\r]*)$", re.M)
"""Headings and lines in italics: section names and remarks that earmark itself writes, not what anybody said."""
_UNNAMED = re.compile(rf"^((?:- )?)\*\*(?:{'|'.join(sorted(SPEAKERS))}) \d+\*\*", re.M)
"""What stands for the name of somebody who speaks where nobody gave one."""


def matching(context: Context, text: str) -> list[str]:
    """Recordings in which `text` occurs, whatever the case or Unicode form.

    Searched are: the name below the drop folder (not the folders above), the transcript, also as it was heard before a
    person corrected it or the configuration spelled it otherwise, the summary, and the words of notes that a person edited.
    """
    wanted = fold(" ".join(text.split()))
    return [
        recording.id
        for recording in context.ledger.recordings.all()
        if any(wanted in fold(" ".join(part.split())) for part in _texts(context, recording.id))
    ]


def _texts(context: Context, recording_id: str) -> Iterator[str]:
    ledger = context.ledger
    for place in ledger.places.of(recording_id):
        yield named(_below(place.path, place.folder))
    transcript = ledger.words.transcript(recording_id)
    segments = transcript.segments if transcript else ledger.words.heard_so_far(recording_id)
    yield " ".join(s.text for s in segments)
    yield " ".join(s.heard for s in segments if s.heard is not None)
    yield " ".join(before_replacing(s) for s in segments if s.replaced)
    yield from transcript.speakers if transcript else ()
    yield from (former.text for former in ledger.words.of_notes.of_recording(recording_id))
    summary = ledger.words.summary(recording_id)
    if summary is not None:
        yield from _said(summary)
    key = style_of(context.config.notes).key("speakers")
    for artifact in ledger.artifacts.of_recording(recording_id):
        yield _corrected(artifact, key)


def _below(path: Path, folder: Path) -> Path:
    return path.relative_to(folder) if path.is_relative_to(folder) else Path(path.name)


def _said(summary: Summary) -> Iterator[str]:
    yield from (summary.title, summary.overview, *summary.people, *summary.tags)
    points = (*summary.key_points, *summary.decisions, *summary.open_questions, *summary.jump_marks)
    for point in (*points, *(p for section in summary.extra.values() for p in section)):
        yield point.text
    for task in summary.tasks:
        yield from (task.text, task.owner or "", task.due or "")


def _corrected(artifact: Artifact, key: str) -> str:
    """The words of a note that a person edited, or the names that they gave to those who speak there; "" for one that is as
    we wrote it, whose words are in the ledger.
    """
    if not artifact.note:
        return ""
    try:
        data = read_bytes(artifact.path)
    except OSError:
        return ""
    like = likeness(data, artifact, key)
    if like is Likeness.NAMES:
        return " ".join(given(names_in(data.decode(), key)))
    if like is not Likeness.EDITED:
        return ""
    body = _LINK.sub(lambda found: found[1] or "", body_of(data.decode("utf-8", "replace")))
    return _OURS.sub("", _UNNAMED.sub("", body))
