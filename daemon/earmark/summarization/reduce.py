"""Reduce: many checked parts become one summary.

The model is shown the points that survived the check, writes the title and the overview from them, and picks the best
by number. It does not get to restate them, so that nothing unchecked comes in at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rapidfuzz import fuzz

from earmark.domain import Point
from earmark.summarization.answer import OVERVIEW, TITLE, clean, objects_in, prose, without_thinking
from earmark.summarization.connection import Connection
from earmark.summarization.engine import AnswerFault
from earmark.summarization.evidence import Evidence, distinct
from earmark.summarization.mapping import Mapper
from earmark.summarization.overflow import Overflow
from earmark.summarization.parts import Part
from earmark.summarization.prompts import joined, reduce_instructions, reduce_messages
from earmark.summarization.templating import STANDARD
from earmark.summarization.words import content_words

REDUCE_TOKENS = 700
MOST_TAGS = 5
MOST_PEOPLE = 20


def gathered(parts: Sequence[Part], key: str) -> list[Point]:
    """All points of a section in the order of the recording, without repetitions."""
    return sorted(
        distinct(point for part in parts for point in part.sections.get(key, ())),
        key=lambda point: point.at or 0.0,
    )


def last_words(
    connection: Connection,
    mapper: Mapper,
    parts: Sequence[Part],
    points: dict[str, list[Point]],
    language: str,
    most: int,
) -> tuple[str, str, list[Point], int]:
    """Title, overview, the best key points, and how many statements were dropped on the way.

    One part has said it all already. Of several, the model joins what survived the check; if it cannot, the parts'
    own overviews and an even choice of points over the recording have to do.
    """
    key_points = points.get("key_points", [])
    if len(parts) == 1:
        overview = parts[0].overview or fallback_overview(key_points)
        return parts[0].title, overview, key_points[:most], 0
    everything = sorted(
        (point for key, found in points.items() if key in STANDARD for point in found),
        key=lambda point: point.at or 0.0,
    )
    mapper.done, mapper.total = mapper.done, mapper.done + 1
    try:
        answer = reduce_once(
            connection, mapper, everything, [part.overview for part in parts], language, most
        )
    except (AnswerFault, Overflow):
        answer = {}
    mapper.beat(mapper.total, mapper.total)
    overview, dropped = mapper.evidence.supported_prose(clean(answer.get("overview"), OVERVIEW))
    title = clean(answer.get("title"), TITLE) or next((part.title for part in parts if part.title), "")
    chosen = {number for number in answer.get("best", []) if isinstance(number, int)}
    best = [point for number, point in enumerate(everything, 1) if number in chosen and point in key_points]
    best = (best or spread(key_points, most))[:most]
    if not overview:
        overview = clean(
            " ".join(part.overview for part in parts if part.overview), OVERVIEW
        ) or fallback_overview(best)
    return title, overview, best, dropped


def reduce_once(
    connection: Connection,
    mapper: Mapper,
    everything: Sequence[Point],
    overviews: Sequence[str],
    language: str,
    most: int,
) -> dict[str, Any]:
    """The model's answer to the last question, as a dict (empty if it could not be read).

    If the points do not fit, every second one is left out until they do: they stay in the note, the model only does
    not see them when it writes the overview.
    """
    system = reduce_instructions(language, most)
    numbers = {"type": "array", "items": {"type": "integer"}, "maxItems": most}
    schema = {
        "type": "object",
        "properties": {"title": prose(80), "overview": prose(900), "best": numbers},
        "required": ["title", "overview", "best"],
        "additionalProperties": False,
    }
    indexes = list(range(len(everything)))
    shown_overviews = list(overviews)
    while True:
        messages = reduce_messages(system, [everything[i] for i in indexes], shown_overviews)
        if mapper.meter.tokens(joined(messages)) + REDUCE_TOKENS <= mapper.window * 0.94 or len(indexes) <= 4:
            break
        if shown_overviews:
            shown_overviews = []
        else:
            indexes = indexes[::2]
    spoken = connection.chat.ask(messages, schema, REDUCE_TOKENS, mapper.pulse)
    text = spoken.content if spoken.content.strip() else spoken.reasoning
    for value in reversed(objects_in(without_thinking(text), partial=spoken.cut_off)):
        if {"title", "overview"} & value.keys():
            best = value.get("best")
            real = (
                [indexes[n - 1] + 1 for n in best if isinstance(n, int) and 0 < n <= len(indexes)]
                if best
                else []
            )
            return {**value, "best": real}
    return {}


def spread(points: Sequence[Point], most: int) -> list[Point]:
    """At most `most` points, evenly over the recording."""
    if len(points) <= most:
        return list(points)
    return [points[round(i * (len(points) - 1) / max(1, most - 1))] for i in range(most)]


def fallback_overview(points: Sequence[Point]) -> str:
    return " ".join(point.text for point in points[:3])


def people_in(parts: Sequence[Part]) -> tuple[str, ...]:
    """Names that were said, each once."""
    names: list[str] = []
    for name in (name for part in parts for name in part.people):
        if not any(fuzz.ratio(name.lower(), other.lower()) >= 90 for other in names):
            names.append(name)
    return tuple(names[:MOST_PEOPLE])


def tags_in(parts: Sequence[Part], evidence: Evidence) -> tuple[str, ...]:
    """Topics that were spoken of: the commonest of the parts' tags whose words were said."""
    counts: dict[str, int] = {}
    for tag in (tag.strip("# ").lower() for part in parts for tag in part.tags):
        stems = set(content_words(tag, evidence.language))
        if len(tag.split()) <= 3 and stems and (stems <= evidence.all_stems or not evidence.same_language):
            counts[tag] = counts.get(tag, 0) + 1
    return tuple(sorted(counts, key=lambda tag: -counts[tag])[:MOST_TAGS])
