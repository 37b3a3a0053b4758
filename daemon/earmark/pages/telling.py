"""One recording: its words with their times, its summary, and when it goes by which rule."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from earmark.below import below
from earmark.context import Context
from earmark.domain import ArtifactState, Instant, Kind, Mark, Segment, Summary, Transcript, is_speech
from earmark.errors import NotFound
from earmark.ledger import Artifact, Place
from earmark.ledger.candidates import CLASSES
from earmark.notes.damage import untranslated_as
from earmark.notes.notices import NOBODY_NAMED, OVERLAPPED, UNSURE, hard_to_hear, unsupported
from earmark.notes.speakers import called, names_of
from earmark.pages.looking import folder_shown, titled
from earmark.pages.presence import heard_at, why_silent
from earmark.pipeline import drafts
from earmark.retention import NotesSeen
from earmark.retention.holds import why_held
from earmark.retention.rules.decide import Decider
from earmark.retention.rules.policy import policy_of
from earmark.retention.sweep.inspect import Inspector
from earmark.speaking import as_told
from earmark.standing.gathered import said_of_edited
from earmark.verbs import states
from earmark.verbs.listing import copied, copy_of, not_heard

MOST_WORDS = 6_000
"""Words on one page, some 40 minutes; a longer recording goes on on the next."""

ID = 64
"""Characters of a recording's id: a SHA-256 in hex."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of what is said, from `at` on: a word, or a segment whose words have no times."""

    at: float
    text: str


@dataclass(slots=True)
class Line:
    """What one person says from `at` on. `unsure`: it was hard to hear; `overlapped`: somebody else talks as well."""

    at: float
    speaker: str
    unsure: bool
    overlapped: bool
    pieces: list[Piece] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Goes:
    """When a file goes: `when`, None where that is never or cannot be said; `why`: by which rule, or what keeps it."""

    name: str
    about: str
    when: Instant | None
    why: str


def place_meant(context: Context, recording_id: str) -> Place:
    """A file of the recording with this whole id, one that is there before others. Raises NotFound."""
    is_id = len(recording_id) == ID and set(recording_id) <= set("0123456789abcdef")
    places = context.ledger.places.of(recording_id) if is_id else []
    if not places or context.ledger.erasing.is_begun(recording_id):
        raise NotFound("there is no such recording")
    return places[0]


def told(context: Context, recording_id: str, since: float) -> dict[str, Any]:
    """All that the page of a recording shows; its words from a second on. Raises NotFound."""
    place, ledger = place_meant(context, recording_id), context.ledger
    recording = ledger.recordings.get(recording_id)
    if recording is None:
        raise NotFound("there is no such recording")
    shown = bool(ledger.index.unfound.seen_at(recording_id))
    heard = ledger.words.transcript(recording_id)
    transcript = as_told(heard) if heard and shown else None
    lines, more = words_of(transcript, since) if transcript else ([], None)
    sounds = heard_at(context, recording_id)
    place = sounds or place
    named = partial(below, folders={*context.folders, *ledger.places.folders()})
    summary = ledger.words.summary(recording_id) if shown else None
    return {
        "recording": recording, "place": place, "name": named(place.path), "where": folder_shown(place),
        "title": titled(context, place), "others": list(_others(context, place, named)),
        "silent": "" if sounds else why_silent(context, recording_id),
        "state": states.of_one(context, place), "shown": shown, "lines": lines, "legends": legends(lines),
        "more": more, "since": since,
        "summary": summary, "named": [name for name in (transcript.speakers if transcript else ()) if name],
        "wrong": list(warned(context, place, heard, summary)), "goes": list(goes(context, recording_id)),
        "edited": [(named(a.path), said) for a, said in _edited(context, recording_id)],
    }  # fmt: skip


def warned(
    context: Context, place: Place, heard: Transcript | None, summary: Summary | None
) -> Iterator[str]:
    """What a reader has to know of a recording, in the sentences of its notes."""
    draft = context.ledger.drafts.of(place.recording_id)
    if draft is not None and not draft.kept and draft.here:
        yield drafts.notice(context.config)
    if heard is None:
        return
    yield from not_heard(context.ledger, heard)
    yield from untranslated_as(heard)
    yield from hard_to_hear(heard)
    if heard.speakers_unsure:
        yield NOBODY_NAMED
    if summary is not None:
        yield from unsupported(summary)


def legends(lines: list[Line]) -> list[str]:
    """What marks of these lines mean."""
    unsure, overlapped = any(line.unsure for line in lines), any(line.overlapped for line in lines)
    return [*([UNSURE] if unsure else []), *([OVERLAPPED] if overlapped else [])]


def _others(context: Context, place: Place, named: Callable[[Path], str]) -> Iterator[str]:
    """Further files with the same content."""
    same = context.ledger.places.of(place.recording_id)
    for other in same:
        if other.here and other.path != place.path:
            of = copy_of(other, same)
            yield f"{named(other.path)}: {copied(of or place.path, named)}"


def _edited(context: Context, recording_id: str) -> Iterator[tuple[Artifact, str]]:
    for artifact in context.ledger.artifacts.of_recording(recording_id):
        if artifact.state is ArtifactState.EDITED and (said := said_of_edited(context, artifact)):
            yield artifact, said


def words_of(transcript: Transcript, since: float) -> tuple[list[Line], float | None]:
    """What is said from a second on, and the second from which the next page goes on. Pure."""
    names, left = names_of(transcript), MOST_WORDS
    lines: list[Line] = []
    for segment in transcript.segments:
        over = segment.start < since and segment.end <= since
        if over or not is_speech(segment) or not segment.text.strip():
            continue
        pieces = list(_pieces(segment))
        if left < len(pieces) and lines:
            return lines, segment.start
        left -= max(len(pieces), segment.text.count(" ") + 1)
        unsure = segment.mark is Mark.LOW_CONFIDENCE
        lines.append(Line(segment.start, called(segment.speaker, names), unsure, segment.overlapped, pieces))
    return lines, None


def _pieces(segment: Segment) -> Iterator[Piece]:
    """The words of a segment; the whole of it where their times do not fit its text."""
    starts = [begins for _, _, begins in segment.words]
    if not starts or starts != sorted(set(starts)) or starts[0] < 0 or starts[-1] >= len(segment.text):
        yield Piece(segment.start, segment.text.strip())
        return
    starts[0] = 0
    for (at, _, _), begins, ends in zip(segment.words, starts, [*starts[1:], None], strict=True):
        yield Piece(at if math.isfinite(at) else segment.start, segment.text[begins:ends].strip())


def goes(context: Context, recording_id: str) -> Iterator[Goes]:
    """When each file of a recording goes, by the rules as they are now. What depends on other files, or on the disk, a sweep
    decides.
    """
    policy, ledger, kinds = policy_of(context.config), context.ledger, CLASSES
    decider, notes = Decider(policy, context.now()), NotesSeen(context, writes=False)
    inspect = Inspector(context, notes, thorough=False, writes=False)
    places = [place for place in ledger.places.of(recording_id) if place.here]
    files = [(place.path, place.folder) for place in places]
    held = why_held(context, notes, recording_id, files, kinds) if files else None
    for kind, path in _files(context, recording_id, places):
        item = ledger.retention.candidate(kind, path, recording_id, policy.tags_of_notes)
        if item is None:
            continue
        decided = decider.decide_alone(item)
        keeps = held or (inspect(decided) if decided.goes else None)
        if not keeps and decided.keeping and not item.unfinished:
            keeps = inspect.guards(item)  # it will be kept then, too, as far as can be said now
        if keeps:
            yield Goes(path.name, decided.about, None, keeps)
        elif decided.goes:
            yield Goes(path.name, decided.about, decided.since, f"goes at the next sweep: {decided.rule}")
        else:
            yield Goes(path.name, decided.about, decided.when, decided.reason)


def _files(context: Context, recording_id: str, places: Iterable[Place]) -> Iterator[tuple[Kind, Any]]:
    for place in places:
        yield Kind.AUDIO, place.path
    for artifact in context.ledger.artifacts.of_recording(recording_id):
        if artifact.on_disk:
            yield artifact.kind, artifact.path
