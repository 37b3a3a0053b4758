"""The list of recordings: a page of it at a time, by day, with what it is narrowed to."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from earmark.below import below
from earmark.context import Context
from earmark.domain import Instant
from earmark.errors import NotFound
from earmark.ledger import Place
from earmark.ledger.artifacts import NotePath
from earmark.pages.asked import meanings
from earmark.pages.tags import Tags
from earmark.verbs import states
from earmark.verbs.asking import day_of
from earmark.verbs.listing import copy_of, how_many, notes_of_places, title_of

ON_A_PAGE = 50

LOOKED_AT = 1_000
"""Recordings that are looked through for a tag or a speaker before a page is shown as it is; the next one goes on there. A
tag stands in the notes, which are read for it.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One file of the list. `known`: the ledger has it as being there; `here`: it is, at this moment, too."""

    recording: str
    name: str
    where: str
    day: str
    dated: Instant
    seconds: float | None
    title: str
    state: states.State
    known: bool
    here: bool
    copy: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list is narrowed to, "" for nothing, and after how many recordings it begins."""

    folder: str = ""
    tag: str = ""
    speaker: str = ""
    skip: int = 0

    @property
    def is_slow(self) -> bool:
        """Whether recordings have to be looked through."""
        return bool(self.tag or self.speaker)


def listed(context: Context, asked: Asked, tags: Tags, left: Callable[[], bool]) -> dict[str, Any]:
    """A page of the list. `more`: after how many recordings the next page begins, None where this is the last; `of`: how
    many there are in all, as `earmark list` says it, "" where only some of them are asked for. `left`: whether nobody waits
    for it any more. Raises NotFound.
    """
    shelf = context.ledger.shelf
    below = _folder(context, asked.folder) if asked.folder else None
    of, more = shelf.count(below), asked.skip
    if asked.is_slow:
        found, more = _looked_through(context, asked, below, tags, left)
    else:
        found = shelf.newest(below, asked.skip, ON_A_PAGE)
        more += len(found)
    rows = _rows(context, [place for places in found for place in places])
    said = "" if asked.is_slow else how_many(*shelf.count_files(below))
    return {"rows": rows, "more": more if more < of else None, "of": said}


def _looked_through(
    context: Context, asked: Asked, below: Path | None, tags: Tags, left: Callable[[], bool]
) -> tuple[list[list[Place]], int]:
    """The recordings that are asked for, as many as a page shows, and how many were looked at by then, all in all."""
    spoken = _spoken_by(context, asked.speaker) if asked.speaker else None
    found: list[list[Place]] = []
    at = asked.skip
    for batch in context.ledger.shelf.batches(below, asked.skip):
        meant = [places for places in batch if spoken is None or _among(places, spoken)]
        notes = _notes_of(context, meant) if asked.tag else {}
        for places in batch:
            if len(found) == ON_A_PAGE or at - asked.skip == LOOKED_AT or left():
                return found, at
            at += 1
            if spoken is not None and not _among(places, spoken):
                continue
            mine = [note for p in places for note in notes.get((p.recording_id, os.fsencode(p.path)), ())]
            if not asked.tag or any(tags.any_has(mine, each) for each in meanings(asked.tag)):
                found.append(places)
    return found, at


def _among(places: list[Place], recordings: set[str]) -> bool:
    return any(place.recording_id in recordings for place in places)


def _notes_of(context: Context, batch: list[list[Place]]) -> dict[tuple[str, bytes], list[NotePath]]:
    """By recording and path of its file, the notes beside it."""
    found: dict[tuple[str, bytes], list[NotePath]] = {}
    for note in context.ledger.artifacts.note_paths([places[0].recording_id for places in batch if places]):
        found.setdefault((note.recording_id, note.place), []).append(note)
    return found


def _folder(context: Context, said: str) -> Path:
    """The folder that is meant: a whole path, or one below a drop folder, with that one's name or without it."""
    tops = sorted({*context.folders, *context.ledger.places.folders()})
    for typed in map(Path, meanings(said)):
        if ".." in typed.parts:
            continue
        for folder in (*(top.parent / typed for top in tops), *(top / typed for top in tops)):
            if context.ledger.shelf.count(folder):
                return folder
    raise NotFound(f"{said}: no recording is or was at or below this folder")


def _spoken_by(context: Context, name: str) -> set[str]:
    words = context.ledger.words
    wanted = {each.casefold() for each in meanings(name)}
    names = [each for each in words.names_given() if each.casefold() in wanted]
    return {recording_id for each in names for recording_id in words.spoken_by(each)}


def _notes(context: Context, place: Place) -> Any:
    return notes_of_places(context.ledger.artifacts.of_place(place)).get((place.path, place.recording_id), [])


def _rows(context: Context, places: list[Place]) -> list[Row]:
    ids = list(dict.fromkeys(place.recording_id for place in places))
    known = states.of_some(context, ids)
    same = {each: context.ledger.places.of(each) for each in ids}
    here = {each for each, files in same.items() if any(place.here for place in files)}
    rows, named = [], partial(below, folders={*context.folders, *context.ledger.places.folders()})
    for place in places:
        recording = context.ledger.recordings.get(place.recording_id)
        if recording is not None:
            of = copy_of(place, same[place.recording_id])
            state = known.at(place, here=place.recording_id in here)
            rows.append(
                Row(
                    recording.id, place.path.name, folder_shown(place), day_of(recording.recorded_at) or "undated",
                    recording.recorded_at, recording.duration, titled(context, place), state,
                    place.here, place.here and os.path.lexists(place.path), f"copy of {named(of)}" if of else "",
                )
            )  # fmt: skip
    return rows


def titled(context: Context, place: Place) -> str:
    """The heading of its summary; "" where there is none, and where its words may not be shown."""
    summary = context.ledger.words.summary(place.recording_id)
    if summary is None or not context.ledger.index.unfound.seen_at(place.recording_id):
        return ""
    return title_of(_notes(context, place), summary.title)


def folder_shown(place: Place) -> str:
    """The folder of a file from its drop folder's own name on, as the list can be narrowed to it."""
    if not place.path.is_relative_to(place.folder):
        return str(place.path.parent)
    return str(Path(place.folder.name) / place.path.parent.relative_to(place.folder))
