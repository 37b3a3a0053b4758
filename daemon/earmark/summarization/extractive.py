"""A summary without a model: the recording's own sentences, chosen and never rewritten.

Sentences by counting words (`picking`); decisions, tasks and open questions by what people say when they make them
(`lists`). Every line is something that was said, at the time it was said, without what only fills time (`tidying`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from earmark.domain import Point, Summary, Transcript, wordless_seconds
from earmark.messages import SummarizeRequest
from earmark.misheard import NO_SPEECH, NOT_UNDERSTOOD
from earmark.notes.speakers import names_of
from earmark.summarization.chapters import jump_marks
from earmark.summarization.cues import cues_for
from earmark.summarization.engine import Heartbeat, Result
from earmark.summarization.lists import decisions_in, owner_in, questions_in, tasks_in
from earmark.summarization.picking import WORDS, pick, shown
from earmark.summarization.sentences import Sentence, sentences_of
from earmark.summarization.topics import Topics
from earmark.summarization.words import WORD, length_in_words

LISTS = ("decisions", "tasks", "open_questions")
BY = "extractive"
SHORT = 3
"""A recording of so few sentences is its own summary."""
SHORT_WORDS = 65
SHARE = 1 / 3
"""Of a recording's words, that are picked at most."""
OVERVIEW = 3
OVERVIEW_SHARE = 0.4
"""Sentences of the overview at most, and their share of the picked words."""
LONGEST_OVERVIEW = 2400
"""Characters; nothing longer is one paragraph."""


class ExtractiveSummarizer:
    """Implements `Summarizer` on this machine, without a model, in less than a second per hour of speech."""

    def summarize(self, request: SummarizeRequest, beat: Heartbeat) -> Result:
        beat(0, 1)
        summary = extract(request.transcript, request.template, request.max_points)
        beat(1, 1)
        return Result(summary)


def extract(transcript: Transcript, template: str = "meeting", max_points: int = 7) -> Summary:
    """The extractive summary of a transcript. Never fails: no speech gives an honest empty one."""
    sentences = sentences_of(transcript.segments, names_of(transcript))
    language = transcript.language

    def summary(title: str, overview: str, **parts: object) -> Summary:
        return Summary(
            recording_id=transcript.recording_id, by=BY, title=title, overview=overview, language=language,
            template=template, **parts,  # type: ignore[arg-type]
        )  # fmt: skip

    if not any(WORD.search(sentence.text) for sentence in sentences):
        return summary("", NOT_UNDERSTOOD if wordless_seconds(transcript) else NO_SPEECH)
    if transcript.misheard is not None:
        # A title and points out of words that nobody said would be believed.
        return summary("", NOT_UNDERSTOOD)

    sentences = shown(sentences, language)
    items = _listed(sentences, language)
    title = Topics(sentences, language).title()
    whole = " ".join(sentence.text for sentence in sentences)
    words = length_in_words(whole)
    if len(sentences) <= SHORT or words <= SHORT_WORDS:
        # The whole text stands above; listing its only sentence again as a point would be noise.
        return summary(title, bounded(whole, LONGEST_OVERVIEW), **items)

    listed = {item.at for name in LISTS for item in items[name]}
    picked = pick(sentences, language, min(WORDS, round(words * SHARE)), without=listed)
    above = _overview(picked, sentences, len(picked) - max_points)
    points = sorted([i for i in picked if i not in above][:max_points])
    return summary(
        title,
        " ".join(sentences[i].text for i in above),
        key_points=tuple(Point(sentences[i].text, sentences[i].start) for i in points),
        jump_marks=jump_marks(sentences, language),
        **items,
    )


def _listed(sentences: Sequence[Sentence], language: str) -> dict[str, Any]:
    """Decisions, tasks and questions; what is one of them is no other."""
    cues = cues_for(language)
    decisions = decisions_in(sentences, cues, language)
    taken = {point.at for point in decisions}
    questions = questions_in(sentences, cues, language, taken)
    taken |= {point.at for point in questions}
    tasks = tasks_in(sentences, cues, language, taken)
    # Who speaks stands in the list of speakers; here are those who are spoken of.
    people = dict.fromkeys(name for task in tasks if cues and (name := owner_in(task.text, cues)[0]))
    return {"decisions": decisions, "tasks": tasks, "open_questions": questions, "people": tuple(people)}


def _overview(picked: Sequence[int], sentences: Sequence[Sentence], least: int) -> list[int]:
    """The best of what was picked, in the order in which it was said; `least`: so many do not fit below."""
    room = OVERVIEW_SHARE * sum(sentences[i].words for i in picked)
    above = [*picked[:1]]
    for index in picked[1:]:
        fits = len(above) < OVERVIEW and sum(sentences[i].words for i in (*above, index)) <= room
        if fits or len(above) < least:
            above.append(index)
    return sorted(above)


def bounded(text: str, characters: int) -> str:
    """The text, cut at a word with an ellipsis if it is longer."""
    if len(text) <= characters:
        return text
    return text[: characters - 1].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"
