"""A transcript as a document to hand to somebody: a title, what is known of the recording, and what was said, with speakers
and times. html.py and docx.py write it down. Pure.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from earmark.domain import Segment, Transcript
from earmark.notes.damage import damage, untranslated_as
from earmark.notes.escape import normalize
from earmark.notes.labels import IN_ENGLISH, LANGUAGES, labels_for
from earmark.notes.notices import NO_SPEECH, NOBODY_NAMED, OVERLAPPED, UNSURE
from earmark.notes.paragraphs import PAUSE, SECONDS, Paragraph, paragraphs
from earmark.notes.runs import why_left_out
from earmark.notes.speakers import called, names_of
from earmark.notes.style import NoteContext, length, stamp
from earmark.speaking import as_told
from earmark.translation import in_english, is_translated

RIGHT_TO_LEFT = frozenset("ar arc ckb dv fa he iw ku ps sd ug ur yi".split())
"""Languages that are written from right to left (CLDR, `characterOrder`)."""


@dataclass(frozen=True, slots=True)
class Words:
    """Words of one look. `unsure`: hard to hear; `overlapped`: somebody else talks as well; `ours`: not said, but why
    nothing is shown.
    """

    text: str
    unsure: bool = False
    overlapped: bool = False
    ours: bool = False

    @property
    def italic(self) -> bool:
        return self.unsure or self.overlapped or self.ours

    @property
    def shown(self) -> str:
        """The words with their marks, as in a note."""
        return self.text + (" (?)" if self.unsure else "") + (" (+)" if self.overlapped else "")


@dataclass(frozen=True, slots=True)
class Said:
    """A paragraph: the time, who says it ("": nobody knows), the words, and the code of their language."""

    at: float
    name: str
    words: tuple[Words, ...]
    language: str

    @property
    def stamp(self) -> str:
        return stamp(self.at)


@dataclass(frozen=True, slots=True)
class Part:
    """A heading, the code of its language, and what was said."""

    heading: str
    language: str
    said: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """`about`: names of what is known of the recording, and what it is. `notices`: what a reader has to know."""

    title: str
    language: str
    about: tuple[tuple[str, str], ...]
    notices: tuple[str, ...]
    parts: tuple[Part, ...]


def is_right_to_left(language: str) -> bool:
    return language.split("-")[0].lower() in RIGHT_TO_LEFT


def document(transcript: Transcript, context: NoteContext) -> Document:
    """The document of a transcript."""
    title = normalize(os.path.splitext(context.audio_name)[0])  # noqa: PTH122 - a name, not a path
    told = as_told(transcript)
    names = names_of(transcript)
    about = (
        ("Recording", normalize(context.audio_name)),
        ("Recorded", context.recorded_at.replace("T", " ")),
        ("Duration", length(context.duration)),
        ("Language", ", ".join(transcript.languages)),
        ("Speakers", ", ".join(names)),
        ("Heard by", normalize(transcript.model)),
    )
    spoken, heading = transcript.language, labels_for(transcript.language).transcript
    # A heading is in the language of the recording where there are words for it.
    own = spoken if spoken.split("-")[0].lower() in LANGUAGES else "en"
    parts = [Part(heading, own, _said(told.segments, names, spoken))]
    if is_translated(transcript):
        english = (replace(segment, language="en") for segment in in_english(told))
        parts.append(Part(IN_ENGLISH, "en", _said(english, names, "en")))
    notices = (
        *damage(transcript, draft=context.draft),
        *untranslated_as(transcript),
        *_notices(transcript, [said for part in parts for said in part.said]),
    )
    return Document(
        title or "recording",
        transcript.language,
        tuple((name, value) for name, value in about if value),
        tuple(map(normalize, notices)),
        tuple(parts),
    )


def _notices(transcript: Transcript, said: Iterable[Said]) -> Iterator[str]:
    words = [each for paragraph in said for each in paragraph.words]
    if all(each.ours for each in words):
        yield NO_SPEECH
    if transcript.speakers_unsure:
        yield NOBODY_NAMED
    if any(each.unsure for each in words):
        yield UNSURE
    if any(each.overlapped for each in words):
        yield OVERLAPPED


def _said(segments: Iterable[Segment], names: tuple[str, ...], language: str) -> tuple[Said, ...]:
    return tuple(
        Said(
            part.at,
            called(part.speaker, names),
            _words(part),
            part.pieces[0].segment.language or language if part.left_out is None else "en",
        )
        for part in paragraphs(segments, PAUSE, SECONDS)
    )


def _words(part: Paragraph) -> tuple[Words, ...]:
    if part.left_out is not None:
        return (Words(why_left_out(part), ours=True),)
    return tuple(Words(normalize(run.text), run.unsure, run.overlapped) for run in part.runs())
