"""What one stretch of the recording came to: the draft in an answer, held against the recording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from earmark.domain import Point, Seconds, Task
from earmark.summarization.answer import Claim, Draft, read_draft, without_thinking
from earmark.summarization.completion import Spoken
from earmark.summarization.engine import AnswerFault
from earmark.summarization.evidence import Evidence
from earmark.summarization.sentences import Sentence
from earmark.summarization.window import Chunk


@dataclass(frozen=True, slots=True)
class Part:
    """What one chunk came to, checked."""

    chunk: Chunk
    title: str
    overview: str
    sections: dict[str, tuple[Point, ...]]
    tasks: tuple[Task, ...]
    people: tuple[str, ...]
    tags: tuple[str, ...]
    claims: int
    held: int
    """Claims and sentences of the overview that the recording bears out; the others are `unsupported`."""
    unsupported: int


@dataclass
class Mapped:
    """The outcome of the map step: parts in the order of the recording, and what never reached the model."""

    parts: list[Part] = field(default_factory=list)
    missing: list[Chunk] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def thought_too_long(spoken: Spoken) -> bool:
    """True if all the tokens of an answer went into reasoning."""
    if spoken.finish != "length":
        return False
    return bool(spoken.reasoning and not spoken.content.strip()) or not without_thinking(spoken.content)


def draft_in(spoken: Spoken, sections: tuple[str, ...], last_resort: bool = False) -> Draft:
    """The draft in what was said. JSON in the reasoning field counts only if there is nothing else and it validates.

    An answer that was cut off or went in circles is read only as a last resort: what it did not come to say about its
    chunk is lost, and a smaller chunk would not lose it.
    """
    reason = "the model did not come to an end" if spoken.finish == "length" else "the model repeated itself"
    if spoken.cut_off and not last_resort:
        raise AnswerFault(reason)
    try:
        draft = read_draft(spoken.content, sections, partial=spoken.cut_off)
    except AnswerFault:
        if spoken.content.strip() or not spoken.reasoning:
            raise
        draft = read_draft(spoken.reasoning, sections, partial=spoken.cut_off)
    if spoken.cut_off and not draft.claims and not draft.overview:
        raise AnswerFault(reason)
    return draft


def checked(claims: Sequence[Claim], evidence: Evidence, key: str) -> tuple[list[Point | Task], int]:
    """The claims that the recording bears out, and how many were dropped."""
    judge: Callable[[Claim], Point | Task | None] = evidence.task if key == "tasks" else evidence.point
    found = [judge(claim) for claim in claims]
    kept = [item for item in found if item is not None]
    return kept, len(found) - len(kept)


def covered(
    sentences: Sequence[Sentence], missing: Sequence[Chunk]
) -> tuple[float, tuple[tuple[Seconds, Seconds], ...]]:
    """The share of speech seconds that reached the model, and the ranges that did not, joined where they touch."""
    lost = {sentence for chunk in missing for sentence in chunk.sentences}
    total = sum(max(s.end - s.start, 0.001) for s in sentences)
    gone = sum(max(s.end - s.start, 0.001) for s in sentences if s in lost)
    ranges: list[tuple[Seconds, Seconds]] = []
    previous_lost = False
    for sentence in sentences:
        if sentence in lost:
            if previous_lost:
                ranges[-1] = (ranges[-1][0], sentence.end)
            else:
                ranges.append((sentence.start, sentence.end))
        previous_lost = sentence in lost
    return (1.0 - gone / total if total else 1.0), tuple(ranges)
