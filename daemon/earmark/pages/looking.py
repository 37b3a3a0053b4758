"""The list of recordings: a page of it at a time, by day, with what it is narrowed to."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from earmark.below import below
from earmark.context import Context
from earmark.domain import Instant
from earmark.errors import NotFound
from earmark.ledger import Place
from earmark.pages.asked import meanings
from earmark.verbs import states
from earmark.verbs.asking import day_of
from earmark.verbs.listing import copy_of, how_many, is_tagged, notes_of_places, title_of

ON_A_PAGE = 50

LOOKED_AT = 1_000
"""Recordings that are looked through for a tag or a speaker before a page is shown as it is; the next one goes on there. A
tag stands in the notes, which are read for it.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One file of the list."""

    recording: str
    name: str
    where: str
    day: str
    dated: Instant
    seconds: float | None
    title: str
    state: states.State
    here: bool
    copy: str


def listed(context: Context, *, folder: str, tag: str, speaker: str, skip: int) -> dict[str, Any]:
    """A page of the list after so many recordings. `more`: after how many the next page begins, None where this is the last;
    `of`: how many there are in all, as `earmark list` says it, "" where only some of them are asked for. Raises NotFound.
    """
    shelf = context.ledger.shelf
    below = _folder(context, folder) if folder else None
    spoken = _spoken_by(context, speaker) if speaker else None
    of, more = shelf.count(below), skip
    found: list[list[Place]] = []
    if not tag and spoken is None:
        found = shelf.newest(below, skip, ON_A_PAGE)
        more += len(found)
    else:
        for at, places in islice(shelf.each(below, skip), LOOKED_AT):
            more = at + 1
            if _is_meant(context, places, tag, spoken):
                found.append(places)
            if len(found) == ON_A_PAGE:
                break
    rows = _rows(context, [place for places in found for place in places])
    narrowed = bool(tag) or spoken is not None
    return {
        "rows": rows,
        "more": more if more < of else None,
        "of": "" if narrowed else how_many(*shelf.count_files(below)),
    }


def _is_meant(context: Context, places: list[Place], tag: str, spoken: set[str] | None) -> bool:
    if spoken is not None and not any(place.recording_id in spoken for place in places):
        return False
    return not tag or any(
        is_tagged(_notes(context, place), each) for place in places for each in meanings(tag)
    )


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
                    place.here and os.path.lexists(place.path), f"copy of {named(of)}" if of else "",
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
