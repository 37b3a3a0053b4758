"""One recording: its words with their times, its summary, and when it goes by which rule."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from earmark.context import Context
from earmark.domain import Instant, Kind, Segment, Transcript, is_speech
from earmark.errors import NotFound
from earmark.ledger import Place
from earmark.ledger.candidates import CLASSES
from earmark.notes.speakers import called, names_of
from earmark.pages.looking import folder_shown, titled
from earmark.retention import NotesSeen
from earmark.retention.gate import why_shut
from earmark.retention.holds import why_held
from earmark.retention.rules.decide import Decider
from earmark.retention.rules.policy import policy_of
from earmark.verbs import states
from earmark.verbs.listing import not_heard

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
    """What one person says from `at` on. `unsure`: the engine was."""

    at: float
    speaker: str
    unsure: bool
    pieces: list[Piece] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Goes:
    """When a file goes: `when`, None where that is never or cannot be said; `why`: by which rule, or what keeps it."""

    name: str
    about: str
    when: Instant | None
    why: str


def place_meant(context: Context, recording_id: str, *, here: bool = False) -> Place:
    """A file of the recording with this whole id, one that is there before others. Raises NotFound. `here`: only one that is
    there.
    """
    is_id = len(recording_id) == ID and set(recording_id) <= set("0123456789abcdef")
    places = context.ledger.places.of(recording_id) if is_id else []
    if not places or context.ledger.erasing.is_begun(recording_id):
        raise NotFound("there is no such recording")
    if here and not places[0].here:
        raise NotFound("its file is not in the folder any more")
    return places[0]


def told(context: Context, recording_id: str, since: float) -> dict[str, Any]:
    """All that the page of a recording shows; its words from a second on. Raises NotFound."""
    place, ledger = place_meant(context, recording_id), context.ledger
    recording = ledger.recordings.get(recording_id)
    if recording is None:
        raise NotFound("there is no such recording")
    shown = bool(ledger.index.unfound.seen_at(recording_id))
    transcript = ledger.words.transcript(recording_id) if shown else None
    lines, more = words_of(transcript, since) if transcript else ([], None)
    speakers = names_of(transcript) if transcript else ()
    return {
        "recording": recording, "place": place, "where": folder_shown(place), "title": titled(context, place),
        "others": [other.path for other in ledger.places.of(recording_id) if other.here and other.path != place.path],
        "state": states.of_one(context, place), "shown": shown, "lines": lines, "more": more, "since": since,
        "summary": ledger.words.summary(recording_id) if shown else None,
        "named": [name for name in (transcript.speakers if transcript else ()) if name], "speakers": speakers,
        "wrong": not_heard(ledger, transcript) if transcript else (), "goes": list(goes(context, recording_id)),
    }  # fmt: skip


def words_of(transcript: Transcript, since: float) -> tuple[list[Line], float | None]:
    """What is said from a second on, and the second from which the next page goes on. Pure."""
    names, left = names_of(transcript), MOST_WORDS
    lines: list[Line] = []
    for segment in transcript.segments:
        if segment.start < since or not is_speech(segment) or not segment.text.strip():
            continue
        pieces = list(_pieces(segment))
        if left < len(pieces) and lines:
            return lines, segment.start
        left -= max(len(pieces), segment.text.count(" ") + 1)
        lines.append(Line(segment.start, called(segment.speaker, names), segment.mark is not None, pieces))
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
    decider = Decider(policy, context.now())
    places = [place for place in ledger.places.of(recording_id) if place.here]
    files = [(place.path, place.folder) for place in places]
    held = why_held(context, NotesSeen(context, writes=False), recording_id, files, kinds) if files else None
    shut = why_shut(context, recording_id, writes=False) if files and not policy.empty else None
    for kind, path in _files(context, recording_id, places):
        item = ledger.retention.candidate(kind, path, recording_id, policy.tags_of_notes)
        if item is None:
            continue
        decided = decider.decide_alone(item)
        keeps = held or (shut if kind is Kind.AUDIO and decided.rule else None)
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
