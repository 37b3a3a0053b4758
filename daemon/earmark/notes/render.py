"""Transcript and summary become notes that look as if somebody had written them by hand. Pure but for templates.

Everything that was said or answered goes through `escape_inline` (the filter `said`); links are made here and
nowhere else.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from earmark.domain import Point, Seconds, Summary, Task, Transcript, wordless_seconds
from earmark.errors import ConfigError
from earmark.misheard import NO_SPEECH, NOT_UNDERSTOOD
from earmark.notes import properties
from earmark.notes.damage import damage, untranslated_as
from earmark.notes.escape import Dialect, clip, escape_inline, escape_notice, normalize
from earmark.notes.filling import fill
from earmark.notes.frontmatter import frontmatter
from earmark.notes.labels import IN_ENGLISH, LANGUAGES, labels_for
from earmark.notes.layout import fill_layout
from earmark.notes.links import file_link, player, time_link
from earmark.notes.notices import NO_SPEECH as NO_SPEECH_HEARD
from earmark.notes.notices import NOBODY_NAMED, OVERLAPPED, UNSURE, UNSURE_ENGLISH, unsupported
from earmark.notes.paragraphs import Paragraph, paragraphs
from earmark.notes.runs import marked_up, why_left_out
from earmark.notes.speakers import called, names_of
from earmark.notes.style import NoteContext, NoteStyle, length, stamp
from earmark.notes.writers import MARK, by_others, made
from earmark.speaking import as_told
from earmark.translation import in_english, is_translated

TITLE, OVERVIEW, POINT, NAME = 120, 4000, 600, 120
"""Most characters of a summary's title, overview, single statement, and of a name, owner or date in a note."""

MOST_ITEMS = 200
"""Statements per section; a model that loops does not make a note of a thousand lines."""


@dataclass(frozen=True, slots=True)
class Line:
    """One bullet of a section. `text`, `by` and `doubt` are hostile text, `link` and `mark` are markup of ours (or "")."""

    text: str
    link: str = ""
    by: str = ""
    doubt: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with its bullets."""

    heading: str
    lines: tuple[Line, ...]
    tasks: bool = False


def render_transcript(transcript: Transcript, context: NoteContext, style: NoteStyle) -> str:
    """The whole transcript note: frontmatter, player, timed paragraphs."""
    head = (
        properties.about_recording("transcript", context, style)
        | properties.about_transcript(transcript, context)
        | {"summary": properties.sister(context.summary_note, style)}
        | properties.closing(context, style)
    )
    body = _transcript_body(transcript, context, style) + _english(transcript, context, style)
    return frontmatter(head, style) + body


def render_summary(
    summary: Summary, transcript: Transcript | None, context: NoteContext, style: NoteStyle
) -> str:
    """The whole summary note: frontmatter, title, player, overview, sections, link to the transcript."""
    head = (
        properties.about_recording("summary", context, style)
        | {"transcript": properties.sister(context.transcript_note, style)}
        | {"language": summary.language or (transcript.language if transcript else "") or None}
        | (properties.about_speakers(transcript, context) if transcript else {})
        | properties.about_summary(summary)
        | (properties.about_damage(transcript) if transcript else {})
        | properties.closing(context, style, summary.tags)
    )
    wrong = damage(transcript, draft=context.draft) if transcript else []
    return frontmatter(head, style) + _summary_body(summary, context, style, wrong)


def render_one_file(
    summary: Summary | None, transcript: Transcript, context: NoteContext, style: NoteStyle
) -> str:
    """Both in one note (`layout = "one-file"`): the summary, if there is one, over the transcript."""
    head = properties.about_recording("recording", context, style) | properties.about_transcript(
        transcript, context
    )
    if summary is None:
        head |= properties.closing(context, style)
        body = _transcript_body(transcript, context, style) + _english(transcript, context, style)
        return frontmatter(head, style) + body
    head |= properties.about_summary(summary) | properties.closing(context, style, summary.tags)
    above = _summary_body(summary, context, style, one_file=True)
    below = _transcript_body(transcript, context, style, heading=labels_for(transcript.language).transcript)
    return f"{frontmatter(head, style)}{above}\n{below}{_english(transcript, context, style)}"


def _summary_body(
    summary: Summary,
    context: NoteContext,
    style: NoteStyle,
    wrong: Iterable[str] = (),
    one_file: bool = False,
) -> str:
    """`wrong`: what a reader of the summary alone has to know of the recording."""
    dialect = style.dialect
    notices = [*context.notices, *wrong]
    notices += unsupported(summary)
    if style.summary_layout:
        try:
            return fill_layout(style.summary_layout, _for_layout(summary, context, dialect, notices))
        except ConfigError as error:
            notices.append(f"{error}. This is the usual layout instead.")
    return fill(
        "summary",
        dialect,
        title=clip(summary.title, TITLE) or os.path.splitext(context.audio_name)[0],  # noqa: PTH122 - a name
        player=_player(context, dialect),
        gone=_gone(context),
        notices=notices,
        unseen=_unseen(summary, context, dialect),
        overview=[
            clip(line, OVERVIEW) for line in summary.overview[: 2 * OVERVIEW].splitlines() if line.strip()
        ],
        sections=_sections(summary, context, dialect),
        made=made(summary, dialect),
        transcript_link=None
        if one_file or not context.transcript_note
        else file_link(context.transcript_note, "transcript", dialect),
        extractive=summary.by == "extractive",
        by_other=by_others(summary, dialect),
        says_nothing=summary.overview in (NO_SPEECH, NOT_UNDERSTOOD),
        lists=_about_lists(summary),
    )


def _transcript_body(
    transcript: Transcript, context: NoteContext, style: NoteStyle, heading: str = ""
) -> str:
    dialect, transcript = style.dialect, as_told(transcript)
    parts = paragraphs(transcript.segments, style.paragraph_pause, style.paragraph_seconds)
    notices = [
        *(() if heading else context.notices),
        *damage(transcript, draft=context.draft),
        *untranslated_as(transcript),
    ]
    if all(part.left_out for part in parts) and not wordless_seconds(transcript):
        notices.append(NO_SPEECH_HEARD)
    if transcript.speakers_unsure:
        notices.append(NOBODY_NAMED)
    if _unsure(parts, style):
        notices.append(UNSURE)
    if any(run.overlapped for part in parts for run in part.runs()):
        notices.append(OVERLAPPED)
    return fill(
        "transcript",
        dialect,
        heading=heading,
        player="" if heading else _player(context, dialect),
        gone="" if heading else _gone(context),
        notices=notices,
        parts=_named(parts, transcript, context, style),
    )


def _english(transcript: Transcript, context: NoteContext, style: NoteStyle) -> str:
    """The section below the transcript that says the same in English; "" where nothing was translated."""
    if not is_translated(transcript):
        return ""
    dialect, transcript = style.dialect, as_told(transcript)
    parts = paragraphs(in_english(transcript), style.paragraph_pause, style.paragraph_seconds)
    model = f"the speech model {transcript.model}" if transcript.model else "the speech model"
    notices = [f"Translated by {model} on this device. Compare with what was said before you quote."]
    if _unsure(parts, style):
        notices.append(UNSURE_ENGLISH)
    section = fill(
        "transcript",
        dialect,
        heading=IN_ENGLISH,
        player="",
        gone="",
        notices=notices,
        parts=_named(parts, transcript, context, style),
    )
    return section if dialect == "logseq" else f"\n{section}"


def _named(
    parts: Iterable[Paragraph], transcript: Transcript, context: NoteContext, style: NoteStyle
) -> list[tuple[str, str, str, str]]:
    """Of each paragraph the speaker's name, the time, the words as Markdown, and why nothing is shown."""
    names, dialect = names_of(transcript), style.dialect
    # Without a recording to jump into, times within the text would only be in the way.
    sentences = style.times == "sentence" and context.audio_there
    link = partial(time_link, context.audio_name, dialect=dialect)
    return [
        (
            called(part.speaker, names),
            _time(context, part.at, dialect),
            marked_up(part.runs(sentences=sentences), dialect, marks=style.confidence_marks, link=link),
            why_left_out(part),
        )
        for part in parts
    ]


def _unsure(parts: Iterable[Paragraph], style: NoteStyle) -> bool:
    return style.confidence_marks and any(run.unsure for part in parts for run in part.runs())


def _for_layout(
    summary: Summary, context: NoteContext, dialect: Dialect, notices: list[str]
) -> dict[str, object]:
    """What a user's layout can use (docs/summaries.md lists it). Strings are escaped, or markup of ours."""

    def said(text: str, most: int = POINT) -> str:
        return escape_inline(clip(text, most), dialect)

    def lines(items: Iterable[Point | Task]) -> list[dict[str, object]]:
        return [
            {
                "text": said(item.text),
                "link": _time(context, item.at, dialect) if item.at is not None else "",
                "owner": said(item.owner or "", NAME) if isinstance(item, Task) else "",
                "due": said(item.due or "", NAME) if isinstance(item, Task) else "",
                "doubt": ", ".join(said(word, NAME) for word in item.flagged if normalize(word)),
                "by": item.by,
            }
            for item in list(items)[:MOST_ITEMS]
            if normalize(item.text)
        ]

    link = context.transcript_note
    return {
        "title": said(summary.title, TITLE) or said(os.path.splitext(context.audio_name)[0]),  # noqa: PTH122
        "overview": said(summary.overview, OVERVIEW),
        "key_points": lines(summary.key_points),
        "decisions": lines(summary.decisions),
        "tasks": lines(summary.tasks),
        "open_questions": lines(summary.open_questions),
        "jump_marks": lines(summary.jump_marks),
        "sections": {said(name, NAME): lines(points) for name, points in summary.extra.items()},
        "people": [said(name, NAME) for name in summary.people[:MOST_ITEMS] if normalize(name)],
        "tags": [said(tag, NAME) for tag in summary.tags[:MOST_ITEMS] if normalize(tag)],
        "template": said(summary.template, NAME),
        "language": said(summary.language, NAME),
        "recorded_at": context.recorded_at,
        "duration": length(context.duration),
        "player": _player(context, dialect),
        "gone": said(_gone(context)),
        "transcript": file_link(link, "transcript", dialect) if link else "",
        "unseen": _unseen(summary, context, dialect),
        "notices": [escape_notice(clip(notice, POINT), dialect) for notice in notices],
        "made": made(summary, dialect),
        "extractive": summary.by == "extractive",
    }


def _sections(summary: Summary, context: NoteContext, dialect: Dialect) -> list[Section]:
    labels = labels_for(summary.language)

    def lines(items: Iterable[Point | Task]) -> tuple[Line, ...]:
        return tuple(
            _line(item, context, dialect) for item in list(items)[:MOST_ITEMS] if normalize(item.text)
        )

    people = ", ".join(clip(name, NAME) for name in summary.people[:MOST_ITEMS] if normalize(name))
    sections = [
        Section(labels.key_points, lines(summary.key_points)),
        Section(labels.decisions, lines(summary.decisions)),
        Section(labels.tasks, lines(summary.tasks), tasks=True),
        Section(labels.open_questions, lines(summary.open_questions)),
        *(Section(clip(name, NAME) or "…", lines(points)) for name, points in summary.extra.items()),
        Section(labels.people, (Line(people),) if people else ()),
        Section(labels.jump_marks, lines(summary.jump_marks)),
    ]
    return [section for section in sections if section.lines]


def _line(item: Point | Task, context: NoteContext, dialect: Dialect) -> Line:
    # A task in the speaker's own words names owner and day already; a model's wording may not.
    named = [item.owner, item.due] if isinstance(item, Task) else []
    said = [word for word in named if word and normalize(word).lower() not in normalize(item.text).lower()]
    return Line(
        text=clip(item.text, POINT),
        link=_time(context, item.at, dialect) if item.at is not None else "",
        by=", ".join(clip(word, NAME) for word in said if normalize(word)),
        doubt=", ".join(clip(word, NAME) for word in item.flagged if normalize(word)),
        mark=MARK if item.by else "",
    )


def _unseen(summary: Summary, context: NoteContext, dialect: Dialect) -> str:
    """Markup of ours: which ranges the summarizer has not seen; "" if it saw everything."""
    if not summary.missing:
        if summary.coverage >= 0.995:
            return ""
        return f"The summary rests on {summary.coverage:.0%} of what was said."
    ranges = ", ".join(f"{_time(context, start, dialect)}–{stamp(end)}" for start, end in summary.missing)
    return f"The summary rests on {summary.coverage:.0%} of what was said; it has not seen {ranges}."


def _about_lists(summary: Summary) -> str:
    """What an empty list means: not that there was nothing. "" where a model lists what it finds."""
    if summary.language.split("-")[0].lower() not in LANGUAGES:
        without = "Decisions, tasks and open questions are not looked for in this language."
        return without if summary.by == "extractive" else ""
    return "Decisions, tasks and open questions stand here only if they were said in plain words; there may be more."


def _time(context: NoteContext, at: Seconds, dialect: Dialect) -> str:
    # A link to audio that is gone would make Obsidian offer to create it.
    return time_link(context.audio_name, at, dialect) if context.audio_there else stamp(at)


def _player(context: NoteContext, dialect: Dialect) -> str:
    return player(context.audio_name, dialect) if context.audio_there else ""


def _gone(context: NoteContext) -> str:
    return "" if context.audio_there else context.audio_gone or "The audio is not here any more."
