"""What belongs beside a recording: its notes and sidecars as text, in the order they are written."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from earmark.config import FolderSettings
from earmark.context import Context
from earmark.domain import Gone, Kind, Summary, Transcript
from earmark.errors import ConfigError
from earmark.events import Event
from earmark.ledger import SUMMARY_COUNTS, Place, Recording
from earmark.notes.forms import sidecars
from earmark.notes.names import candidates, later
from earmark.notes.notices import hard_to_hear
from earmark.notes.our_properties import earlier_one
from earmark.notes.render import render_one_file, render_summary, render_transcript
from earmark.notes.style import NoteContext, style_of
from earmark.pipeline import drafts
from earmark.pipeline.moved_notes import moved_to
from earmark.retention import expires_on, how_it_went
from earmark.summarization.templating import load_template


@dataclass(frozen=True, slots=True)
class Output:
    """One file that belongs beside a recording. `text`: of a note."""

    kind: Kind
    form: str
    rev: int
    data: bytes

    @property
    def text(self) -> str:
        return self.data.decode()

    def names(self, audio_name: str) -> Iterable[str]:
        """Candidate file names, best first."""
        return candidates(audio_name, self.kind if self.form == "md" else self.form)

    def later_names(self, audio_name: str) -> Iterable[str]:
        """The same where one of ours was edited, and stays."""
        return later(audio_name, self.kind if self.form == "md" else self.form)


def outputs(
    context: Context,
    place: Place,
    settings: FolderSettings,
    recording: Recording,
    transcript: Transcript,
    summary: Summary | None,
) -> Iterator[Output]:
    """What belongs beside the file, in the order it is written; later ones may link to earlier ones."""
    notes = context.config.notes
    style = style_of(notes, _layout(context, summary))
    audio = place.path.name
    about = NoteContext(
        recording_id=place.recording_id,
        note_id=context.ledger.lineage.note_id(place.recording_id),
        audio_name=audio,
        recorded_at=recording.recorded_text,
        recorded_from=recording.recorded_from or None,
        duration=transcript.duration,
        tags=settings.tags,
    )
    about = replace(
        about,
        audio_here=place.here,
        audio_expires=expires_on(context, place),
        audio_gone=what_became(context, place),
        likely=context.ledger.voices.likely(place.recording_id) if context.config.remember_voices else {},
    )
    draft = context.ledger.drafts.of(place.recording_id)
    if draft is not None and not draft.kept and draft.here:
        about = replace(about, draft=True, notices=(drafts.notice(context.config),))
    heard = recording.transcript_rev
    noted = revision(recording, Kind.SUMMARY, one_file=notes.layout == "one-file")
    if notes.layout == "one-file":
        yield Output(Kind.SUMMARY, "md", noted, render_one_file(summary, transcript, about, style).encode())
    else:
        yield Output(Kind.TRANSCRIPT, "md", heard, render_transcript(transcript, about, style).encode())
    for form, data in sidecars(transcript, about, settings.formats):
        yield Output(Kind.SIDECAR, form, heard, data)
    if summary is not None and notes.layout == "two-files":
        about = replace(
            about,
            transcript_note=_way_to(context, place, Kind.TRANSCRIPT),
            notices=(*about.notices, *hard_to_hear(transcript)),
        )
        yield Output(Kind.SUMMARY, "md", noted, render_summary(summary, transcript, about, style).encode())


def revision(recording: Recording, kind: Kind, *, one_file: bool) -> int:
    """Which revision a note of this kind has that says what is known now."""
    if kind is Kind.TRANSCRIPT:
        return recording.transcript_rev
    return recording.summary_rev * SUMMARY_COUNTS + (recording.transcript_rev if one_file else 0)


def what_became(context: Context, place: Place) -> str | None:
    """What a note says of a recording that is not at its place any more; None while it is, or if nobody knows."""
    if place.here or place.gone_at is None:
        return None
    if place.gone_why is Gone.REPLACED:
        day = datetime.fromtimestamp(place.gone_at).astimezone().strftime("%Y-%m-%d")
        return earlier_one(place.path.name, day)
    return how_it_went(context, place)


def _layout(context: Context, summary: Summary | None) -> str:
    """The layout that the user's template of this summary brings along, if there is one."""
    if summary is None:
        return ""
    try:
        return load_template(summary.template, context.home.templates).layout
    except ConfigError as error:
        # The template was fine when the summary was made, and is only missed for the looks of its note.
        context.tell(
            Event.LAYOUT_NOT_USED, str(error), level="warning", journal=False, template=summary.template
        )
        return ""


def _way_to(context: Context, place: Place, kind: Kind) -> str | None:
    """The way from the recording's folder to its note of this kind, also where its owner moved it."""
    folder = place.path.parent
    for artifact in reversed(context.ledger.artifacts.of_place(place)):
        if artifact.kind is not kind:
            continue
        if (path := moved_to(context, artifact)) is not None:
            return os.path.relpath(path, folder)
        if artifact.on_disk and artifact.path.parent == folder:
            return artifact.path.name
    return None
