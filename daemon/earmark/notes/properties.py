"""Which properties stand on top of which note. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from earmark.domain import Summary, Transcript, is_speech
from earmark.ledger.note_ids import short
from earmark.notes.escape import as_tag, normalize
from earmark.notes.frontmatter import FileName, Link, LocalTime, Value
from earmark.notes.links import note_name, wikilinkable
from earmark.notes.speakers import names_of
from earmark.notes.style import NoteContext, NoteStyle, length
from earmark.notes.writers import writers
from earmark.translation import is_translated

Properties = dict[str, Value | None]


def about_recording(kind: str, context: NoteContext, style: NoteStyle) -> Properties:
    """What every note of a recording says first."""
    return {
        "type": kind,
        # A link to what is not there, or is something else now, would lead astray.
        "recording": _file(context.audio_name, style)
        if context.audio_there
        else FileName(context.audio_name),
        "recorded": _local_time(context.recorded_at),
        "recorded_from": context.recorded_from,
        "duration": length(context.duration),
        "seconds": round(context.duration),
        "draft": True if context.draft else None,
    }


def about_transcript(transcript: Transcript, context: NoteContext) -> Properties:
    """Where the words come from. `confidence` is the mean over the seconds of speech, 0-1."""
    return {
        "language": languages(transcript),
        "translated": "en" if is_translated(transcript) else None,
        **about_speakers(transcript, context),
        "model": transcript.model or None,
        "confidence": confidence(transcript),
    } | about_damage(transcript)


def languages(transcript: Transcript) -> Value | None:
    """The language, or the list of them if there are several, the one of most of it first."""
    found = transcript.languages
    return [*found] if len(found) > 1 else found[0] if found else None


def about_speakers(transcript: Transcript, context: NoteContext) -> Properties:
    """Who speaks, in the order of their numbers, or that this is not known well enough. "Speaker 2 (Anna?)" is one without a
    name whose voice is like hers.
    """
    names = enumerate(names_of(transcript), start=1)
    return {
        "speakers": tuple(
            f"{name} ({context.likely[n]}?)"
            if n in context.likely and not transcript.speakers[n - 1]
            else name
            for n, name in names
        ),
        "speakers_unsure": True if transcript.speakers_unsure else None,
    }


def about_damage(transcript: Transcript) -> Properties:
    """Why words may be missing, if they may."""
    return {
        "truncated": True if transcript.truncated else None,
        "unreadable_seconds": transcript.unreadable_seconds or None,
        "tracks_unheard": transcript.tracks_unheard or None,
        "misheard": transcript.misheard,
        "parts_unheard": transcript.parts_unheard or None,
        "bytes_unheard": transcript.bytes_unheard or None,
    }


def about_summary(summary: Summary) -> Properties:
    """Where the summary comes from and how far it can be trusted."""
    wrote_some = "model" in writers(summary)
    return {
        "people": [*dict.fromkeys(name for name in map(normalize, summary.people) if name)],
        "summary_by": summary.by,
        "summary_model": summary.model
        if summary.model and (wrote_some or summary.by != "extractive")
        else None,
        "summary_template": summary.template or None,
        "summary_coverage": round(summary.coverage, 2),
        "summary_unsupported": summary.unsupported or None,
        "endpoint_locality": summary.locality if summary.locality != "device" else None,
    }


def closing(context: NoteContext, style: NoteStyle, tags: Iterable[str] = ()) -> Properties:
    """Tags, the sister note, when the audio goes, and the id by which earmark knows the note again."""
    found = dict.fromkeys(tag for tag in map(as_tag, (*context.tags, *tags)) if tag)
    return {
        "tags": [*found],
        "audio_expires": _local_time(context.audio_expires or ""),
        "earmark_id": context.note_id or short(context.recording_id),
    }


def sister(name: str | None, style: NoteStyle) -> Value | None:
    """The other note of the same recording, as a property value."""
    return _file(name, style) if name else None


def confidence(transcript: Transcript) -> float | None:
    """Mean confidence of what is presented as speech, weighted by its seconds; None without speech."""
    said = [(s.confidence, max(s.end - s.start, 0.01)) for s in transcript.segments if is_speech(s)]
    return round(sum(c * w for c, w in said) / sum(w for _, w in said), 2) if said else None


def _file(name: str, style: NoteStyle) -> Value:
    if style.dialect == "obsidian" and wikilinkable(name):
        return Link(f"[[{note_name(name)}]]")
    return FileName(name)


def _local_time(text: str) -> LocalTime | None:
    return LocalTime(text) if LocalTime.PATTERN.fullmatch(text) else None
