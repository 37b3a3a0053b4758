"""Transcripts for tests, made from plain text: one sentence a segment, five seconds apart."""

from __future__ import annotations

import re
from typing import Any

from earmark.domain import Segment, Transcript
from earmark.messages import SummarizeRequest

MEETING = (
    "Good morning everyone, let's start with the budget for the spring campaign. "
    "Marketing spent twelve thousand euros so far, and the campaign budget is twenty thousand. "
    "I think we should keep four thousand for the autumn. Okay. "
    "We decided to postpone the launch to the tenth of May because the payment page is not ready. "
    "Anna will send the updated budget to the bank by Friday. "
    "Ben, can you fix the payment page before next Wednesday? "
    "Yes, I will look at the payment page tomorrow. "
    "We still don't know whether the new supplier can deliver in time. "
    "How do we tell our customers about the new launch date? "
    "Let's write a short newsletter about the launch date. "
    "I'll draft the newsletter this week. "
    "Don't forget to book the room for the review. Thanks everyone."
)


def transcript(text: str, language: str = "en", step: float = 5.0) -> Transcript:
    """One segment per sentence, each a second shorter than `step`."""
    said = [sentence for sentence in re.split(r"(?<=[.!?]) +", text) if sentence]
    segments = tuple(Segment(i * step, i * step + step - 1, sentence) for i, sentence in enumerate(said))
    return Transcript(
        recording_id="ab" * 32,
        segments=segments,
        language=language,
        language_probability=1.0,
        duration=len(said) * step,
        speech_seconds=len(said) * (step - 1),
        model="tiny.en",
        engine="faster-whisper",
    )


TOPICS = (
    "harbour bridge river engineers concrete pillar traffic detour winter budget contractor delay inspection steel cable",
    "school library teacher lesson homework reading garden playground bus timetable kitchen parents evening concert",
    "hospital nurse ward patient medicine surgery appointment laboratory sample blood insurance doctor corridor night",
    "orchard apple harvest frost tractor irrigation bees market price basket neighbour barn fence autumn cider",
)


FORMS = (
    "In item {i} the {a} report mentions the {b} and asks about the {c}.",
    "Nobody had expected that {a} would cost more than {b}, as page {i} shows.",
    "My neighbour told me on day {i} that every {c} needs a {a}.",
    "Please compare {b} with {c} before we close number {i}.",
    "Since spring the {a} has been too small for {c}, see table {i}.",
    "There are {i} reasons to keep the {b} and only one against {a}.",
    "What surprised all of them in round {i} was how quickly the {c} changed.",
)


def long_meeting(sentences: int, step: float = 6.0) -> Transcript:
    """A meeting of any length in which every sentence is different and says its own number in words."""
    words = [topic.split() for topic in TOPICS]
    said = []
    for i in range(sentences):
        topic = words[(i * len(TOPICS)) // max(sentences, 1)]
        a, b, c = (topic[(i * k) % len(topic)] for k in (1, 3, 7))
        said.append(FORMS[i % len(FORMS)].format(i=i, a=a, b=b, c=c))
    return transcript(" ".join(said), step=step)


def request(endpoint: str, spoken: Transcript | None = None, **options: Any) -> SummarizeRequest:
    return SummarizeRequest(
        job=1,
        transcript=spoken or transcript(MEETING),
        endpoint=endpoint,
        **options,
    )
