"""Summaries from an OpenAI-compatible server: connect, map over the recording, reduce to one summary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rapidfuzz import fuzz

from earmark.domain import Fault, Point, Summary
from earmark.errors import ConfigError
from earmark.messages import SummarizeRequest, unpack_path
from earmark.summarization.answer import OVERVIEW, TITLE, clean, objects_in, prose, without_thinking
from earmark.summarization.connection import Connection, connect
from earmark.summarization.engine import AnswerFault, Heartbeat, Result, SummaryFault
from earmark.summarization.evidence import Evidence, distinct, distinct_tasks
from earmark.summarization.extractive import extract, title_of
from earmark.summarization.overflow import Overflow
from earmark.summarization.prompts import joined, reduce_instructions, reduce_messages
from earmark.summarization.ranking import WORD, content_words, rank
from earmark.summarization.reduce import Mapped, Mapper, Part, covered
from earmark.summarization.sentences import Sentence, sentences_of
from earmark.summarization.templating import STANDARD, Template, load_template

REDUCE_TOKENS = 700
MOST_TAGS = 5
MOST_PEOPLE = 20
MOST_LISTED = 40
"""Most decisions, tasks, questions or points of an own section in one summary."""
SECRET_WORDS = 24
"""Characters that a server's error may share with the transcript before it is not shown any more."""


class ChatSummarizer:
    """Implements `Summarizer` on a Chat Completions server."""

    def summarize(self, request: SummarizeRequest, beat: Heartbeat) -> Result:
        sentences = sentences_of(request.transcript.segments)
        if not any(WORD.search(sentence.text) for sentence in sentences):
            return Result(extract(request.transcript, request.template))
        try:
            template = load_template(
                request.template, unpack_path(request.template_dir) if request.template_dir else None
            )
        except ConfigError as error:
            raise SummaryFault(Fault.ENVIRONMENT, str(error)) from None
        beat(0, None)
        connection = connect(
            request.endpoint,
            request.model,
            request.api_key,
            request.privacy,
            request.allowed_hosts,
            request.timeout,
        )
        return summarize_with(connection, request, template, sentences, beat)


def summarize_with(
    connection: Connection,
    request: SummarizeRequest,
    template: Template,
    sentences: Sequence[Sentence],
    beat: Heartbeat,
) -> Result:
    """The summary of a transcript by a model that is connected."""
    transcript = request.transcript
    language = transcript.language if request.language in ("auto", "") else request.language
    whole = " ".join(sentence.text for sentence in sentences)
    connection.chat.secret = lambda text: repeats(text, whole)
    evidence = Evidence(sentences, transcript.language, written=language)
    mapper = Mapper(
        connection.chat,
        connection.meter(),
        evidence,
        template,
        language,
        window=request.context or connection.window,
        slots=connection.slots,
        most=request.max_points,
        vocabulary=request.vocabulary,
        beat=beat,
    )
    mapper.calibrate("\n".join(sentence.text for sentence in sentences))
    if not request.context and not connection.window and (told := connection.window_now()):
        mapper.window = told
    mapped = mapper.run(sentences)
    if not mapped.parts:
        raise AnswerFault(nothing_usable(connection, mapped))
    unsupported = sum(part.unsupported for part in mapped.parts)
    points = {key: gathered(mapped.parts, key) for key in template.sections if key != "tasks"}
    tasks = distinct_tasks(task for part in mapped.parts for task in part.tasks)
    if not any(points.values()) and not tasks and not any(part.overview for part in mapped.parts):
        model = f"{connection.shown_model} on {connection.server.name}"
        if unsupported:
            raise AnswerFault(
                f"{model} said {unsupported} things about this recording, and none of them is in it"
            )
        raise AnswerFault(f"{model} answered in the right form, and said nothing about this recording")
    title, overview, best, dropped = last_words(
        connection, mapper, mapped.parts, points, language, request.max_points
    )
    coverage, missing = covered(sentences, mapped.missing)
    # A title cites nothing, so it has to consist of what was said; numbers and years are where models invent.
    title, _ = evidence.supported_prose(title)
    if not title:
        title = title_of(sentences, rank(sentences, transcript.language), transcript.language)
    summary = Summary(
        recording_id=transcript.recording_id,
        by=connection.server.kind,
        title=title,
        overview=overview,
        key_points=tuple(best),
        decisions=tuple(points.get("decisions", ())[:MOST_LISTED]),
        tasks=tuple(tasks[:MOST_LISTED]),
        open_questions=tuple(points.get("open_questions", ())[:MOST_LISTED]),
        people=people_in(mapped.parts),
        tags=tags_in(mapped.parts, evidence),
        language=language,
        template=template.name,
        model=connection.shown_model,
        made_at=connection.made_at,
        locality=connection.locality,
        coverage=round(coverage, 4),
        missing=missing,
        unsupported=unsupported + dropped,
        extra={
            heading: tuple(points[key][:MOST_LISTED])
            for key, heading in template.headings.items()
            if points.get(key)
        },
    )
    return Result(summary, note_on(mapped, connection))


def nothing_usable(connection: Connection, mapped: Mapped) -> str:
    reasons = "; ".join(dict.fromkeys(mapped.faults)) or "it never came to an answer"
    return f"{connection.shown_model} on {connection.server.name} gave no usable summary: {reasons}"[:600]


def note_on(mapped: Mapped, connection: Connection) -> str:
    """One sentence on what is missing, or nothing."""
    if not mapped.missing:
        return ""
    reasons = "; ".join(dict.fromkeys(mapped.faults)) or "no answer"
    return f"{connection.shown_model} gave no usable answer for {len(mapped.missing)} part(s): {reasons}"[
        :400
    ]


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


def repeats(text: str, whole: str) -> bool:
    """True if a text shares a stretch of words with the transcript, so that it must not be shown as an error."""
    line, said = " ".join(text.lower().split()), " ".join(whole.lower().split())
    if len(line) < SECRET_WORDS:
        return False
    return any(line[i : i + SECRET_WORDS] in said for i in range(0, len(line) - SECRET_WORDS + 1))
