"""Whether the sound of a recording is here at this moment, looked at as it is when it is sent, and else why it is not."""

from __future__ import annotations

import os

from earmark.context import Context
from earmark.errors import NotFound
from earmark.ledger import Place
from earmark.pages.sound import open_sound
from earmark.pipeline.outputs import what_became

GONE = "Its file is not in the folder any more."


def heard_at(context: Context, recording_id: str) -> Place | None:
    """The first of its files that can be heard; None if none can."""
    return next((p for p in context.ledger.places.of(recording_id) if p.here and _why_not(p) == ""), None)


def why_silent(context: Context, recording_id: str) -> str:
    """Why none of its files can be heard."""
    places = context.ledger.places.of(recording_id)
    said = [_why_not(place) for place in places if place.here]
    said = said or [became for place in places if (became := what_became(context, place))]
    return next((sentence for sentence in said if sentence != GONE), GONE)


def _why_not(place: Place) -> str:
    """Why a file cannot be heard; "" if it can."""
    try:
        os.close(open_sound(place))
    except NotFound as error:
        return f"There is no sound: {error}." if os.path.lexists(place.path) else GONE
    return ""
