"""Summaries from an OpenAI-compatible server: connect, map over the recording, reduce to one summary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from earmark.domain import Fault, Summary
from earmark.errors import ConfigError
from earmark.files import counted, unpack_path
from earmark.messages import SummarizeRequest
from earmark.notes.speakers import names_of
from earmark.summarization.chapters import jump_marks
from earmark.summarization.connection import Connection, connect
from earmark.summarization.engine import AnswerFault, EndpointFault, Heartbeat, Result, SummaryFault
from earmark.summarization.evidence import Evidence, distinct_tasks
from earmark.summarization.extractive import extract
from earmark.summarization.fit import measured, merged
from earmark.summarization.mapping import Mapper
from earmark.summarization.parts import Mapped, covered
from earmark.summarization.reduce import gathered, last_words, people_in, tags_in
from earmark.summarization.sentences import Sentence, sentences_of
from earmark.summarization.templating import Template, load_template
from earmark.summarization.topics import Topics
from earmark.summarization.words import WORD

MOST_LISTED = 40
"""Most decisions, tasks, questions or points of an own section in one summary."""
SECRET_WORDS = 24
"""Characters that a server's error may share with the transcript before it is not shown any more."""


class ChatSummarizer:
    """Implements `Summarizer` on a Chat Completions server."""

    def summarize(self, request: SummarizeRequest, beat: Heartbeat) -> Result:
        sentences = sentences_of(request.transcript.segments, names_of(request.transcript))
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
            request.consent,
        )
        if connection.shown_model == request.unfit:
            raise EndpointFault(f"{request.unfit} does not fit, and no other model is there")
        try:
            return summarize_with(connection, request, template, sentences, beat)
        except AnswerFault as fault:
            fault.model = connection.shown_model
            raise


def summarize_with(
    connection: Connection,
    request: SummarizeRequest,
    template: Template,
    sentences: Sequence[Sentence],
    beat: Heartbeat,
) -> Result:
    """What is shown of a model that is connected, and of the picked sentences (`fit`)."""
    answered = answer_of(connection, request, template, sentences, beat)
    language = request.transcript.language
    picked = extract(request.transcript, request.template, request.max_points)
    fit = measured(answered.summary, picked, sentences, language, answered.held, answered.said)
    summary = merged(answered.summary, picked, fit, sentences, language)
    note = answered.note if not fit.why_not else f"{connection.shown_model} does not fit: {fit.why_not}"
    return Result(summary, note, unfit=fit.why_not)


@dataclass(frozen=True, slots=True)
class Answered:
    """A model's summary alone, how many lines of its answers held, and a sentence on what is missing."""

    summary: Summary
    held: int
    said: int
    parts: int
    note: str


def answer_of(
    connection: Connection,
    request: SummarizeRequest,
    template: Template,
    sentences: Sequence[Sentence],
    beat: Heartbeat,
) -> Answered:
    """The summary of a transcript by a model that is connected, without the lines that the recording does not bear out."""
    transcript = request.transcript
    language = transcript.language if request.language in ("auto", "") else request.language
    evidence = Evidence(sentences, transcript.language, written=language)
    mapper = _mapper(connection, request, template, language, evidence, beat)
    mapped = mapper.run(sentences)
    points = {key: gathered(mapped.parts, key) for key in template.sections if key != "tasks"}
    tasks = distinct_tasks((task for part in mapped.parts for task in part.tasks), evidence.speakers)
    unsupported = sum(part.unsupported for part in mapped.parts)
    _require_something(connection, mapped, bool(tasks) or any(points.values()), unsupported)
    title, overview, best, dropped = last_words(
        connection, mapper, mapped.parts, points, language, request.max_points
    )
    coverage, missing = covered(sentences, mapped.missing)
    # A title cites nothing, so it has to consist of what was said; numbers and years are where models invent.
    title, _ = evidence.supported_prose(title)
    if not title:
        title = Topics(sentences, transcript.language).title()
    summary = Summary(
        recording_id=transcript.recording_id,
        by=connection.server.kind,
        title=title,
        overview=overview,
        key_points=tuple(best),
        decisions=tuple(points.get("decisions", ())[:MOST_LISTED]),
        tasks=tuple(tasks[:MOST_LISTED]),
        open_questions=tuple(points.get("open_questions", ())[:MOST_LISTED]),
        jump_marks=jump_marks(sentences, transcript.language),
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
    held = sum(part.held for part in mapped.parts)
    return Answered(summary, held, held + summary.unsupported, len(mapped.parts), note_on(mapped, connection))


def _mapper(
    connection: Connection,
    request: SummarizeRequest,
    template: Template,
    language: str,
    evidence: Evidence,
    beat: Heartbeat,
) -> Mapper:
    """What asks the model part by part, with the window it really has."""
    transcript = request.transcript
    said = [sentence.text for sentence in evidence.sentences]
    whole = " ".join(said)
    connection.chat.secret = lambda text: repeats(text, whole)
    mapper = Mapper(
        connection.chat,
        connection.meter(transcript.language),
        evidence,
        template,
        language,
        window=request.context or connection.window,
        slots=connection.slots,
        most=request.max_points,
        vocabulary=request.vocabulary,
        beat=beat,
    )
    mapper.calibrate("\n".join(said))
    if not request.context and not connection.window and (told := connection.window_now()):
        mapper.window = told
    return mapper


def _require_something(connection: Connection, mapped: Mapped, found: bool, unsupported: int) -> None:
    """Raise AnswerFault unless the model said something about the recording that is borne out by it."""
    if not mapped.parts:
        raise AnswerFault(nothing_usable(connection, mapped))
    if found or any(part.overview for part in mapped.parts):
        return
    model = f"{connection.shown_model} on {connection.server.name}"
    if unsupported:
        raise AnswerFault(
            f"{model} said {unsupported} things about this recording, and none of them is in it"
        )
    raise AnswerFault(f"{model} answered in the right form, and said nothing about this recording")


def nothing_usable(connection: Connection, mapped: Mapped) -> str:
    reasons = "; ".join(dict.fromkeys(mapped.faults)) or "it never came to an answer"
    return f"{connection.shown_model} on {connection.server.name} gave no usable summary: {reasons}"[:600]


def note_on(mapped: Mapped, connection: Connection) -> str:
    """One sentence on what is missing, or nothing."""
    if not mapped.missing:
        return ""
    reasons = "; ".join(dict.fromkeys(mapped.faults)) or "no answer"
    return f"{connection.shown_model} gave no usable answer for {counted(len(mapped.missing), 'part')}: {reasons}"[
        :400
    ]


def repeats(text: str, whole: str) -> bool:
    """True if a text shares a stretch of words with the transcript, so that it must not be shown as an error."""
    line, said = " ".join(text.lower().split()), " ".join(whole.lower().split())
    if len(line) < SECRET_WORDS:
        return False
    return any(line[i : i + SECRET_WORDS] in said for i in range(0, len(line) - SECRET_WORDS + 1))
