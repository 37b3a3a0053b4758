"""Whether a model's summary takes the place of the picked sentences, by what can be measured, and what of both is shown.

A model that is too small for it answers in the right form, with one sentence about an hour, or with tasks that nobody took
on. What is measured: how many of its lines the recording bears out, how much of what the recording speaks of comes up in
them, and how much of the recording it saw. Of its lists only what `backing` bears out is shown. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from rapidfuzz import fuzz

from earmark.domain import Point, Summary, Task
from earmark.summarization.backing import backed, in_one_language
from earmark.summarization.cues import cues_for
from earmark.summarization.extractive import BY as PICKED
from earmark.summarization.extractive import LISTS
from earmark.summarization.lists import ALIKE
from earmark.summarization.picking import weights_of
from earmark.summarization.sentences import Sentence
from earmark.summarization.words import content_words, empty_words_for

HELD = 0.5
"""Share of a model's lines that have to be borne out by the recording, without a name or a number that nobody said."""

COVERED = 0.2
"""Share of what the picked sentences speak of (the weights of their words) that a model's summary has to speak of. A floor,
not a ranking: whoever says it in other words shares few with the recording. The summaries that people wrote of QMSum's 35
validation meetings reach 0.22 to 0.94 (half of them 0.49 or more), their first twenty words 0.13 in the middle
(benchmarks/summaries.py --fit).
"""

SEEN = 0.5
"""Share of the speech that the model gave an answer about."""

MOST_MERGED = 3
"""Points of a model that does not fit that are shown beside the picked ones."""

MODEL = "model"

Line = TypeVar("Line", Point, Task)


@dataclass(frozen=True, slots=True)
class Fit:
    """What was measured. `covered`: None where it says nothing. `backed` of `listed` entries of its lists say what somebody
    said outright; both 0 in languages without words for that.
    """

    said: int
    held: int
    covered: float | None
    seen: float
    listed: int = 0
    backed: int = 0

    @property
    def why_not(self) -> str:
        """Why the picked sentences stay; "" if the model's summary takes their place."""
        if self.held < HELD * self.said:
            return f"{self.held} of {self.said} lines held"
        if self.seen < SEEN:
            return f"it gave an answer about {self.seen:.0%} of what was said"
        if self.covered is not None and self.covered < COVERED:
            return f"its summary speaks of {self.covered:.0%} of what the picked sentences speak of"
        return ""


def measured(
    model: Summary, picked: Summary, sentences: Sequence[Sentence], language: str, held: int, said: int
) -> Fit:
    """Hold a model's summary against the picked one. `held` of `said` lines of all its answers were borne out."""
    entries = [item for name in LISTS for item in getattr(model, name)] if cues_for(language) else []
    flagged = sum(bool(item.flagged) for item in (*model.key_points, *entries))
    told = in_one_language(model, language) and bool(picked.key_points)
    return Fit(
        said=said,
        held=max(0, held - flagged),
        # A recording of a few sentences stands in the picked summary whole, and one sentence may be all it takes.
        covered=_covered(model, picked, sentences, language) if told else None,
        seen=model.coverage,
        listed=len(entries),
        backed=sum(map(len, backed(model, picked, language).values())),
    )


def merged(
    model: Summary, picked: Summary, fit: Fit, sentences: Sequence[Sentence], language: str
) -> Summary:
    """The summary that is shown: of who fits, with what only the other has, each line by whom it is."""
    together = in_one_language(model, language)
    if not fit.why_not:
        return _with_lists(model, picked, sentences, language) if cues_for(language) else model
    shown = replace(
        picked,
        model=model.model,
        made_at=model.made_at,
        locality=model.locality,
        unsupported=model.unsupported,
    )
    if not together:
        return shown
    points = [point for point in model.key_points if not point.flagged]
    return replace(
        shown,
        key_points=_with(picked.key_points, points, MODEL, sentences, MOST_MERGED),
        extra={
            heading: tuple(replace(point, by=MODEL) for point in section if not point.flagged)
            for heading, section in model.extra.items()
        },
    )


def _with_lists(model: Summary, picked: Summary, sentences: Sequence[Sentence], language: str) -> Summary:
    """The model's summary with those entries of its lists that count, and with what else the rules list."""
    lists: dict[str, Any] = {}
    for name, entries in backed(model, picked, language).items():
        others = getattr(picked, name) if in_one_language(model, language) else ()
        lists[name] = _with(entries, others, PICKED, sentences)
    return replace(model, **lists)


def _with(
    first: Sequence[Line],
    others: Sequence[Line],
    by: str,
    sentences: Sequence[Sentence],
    most: int = 1_000,
) -> tuple[Line, ...]:
    """The lines, and of the others at most so many that say something else, marked with whom they are by, by time."""
    new = [other for other in others if not any(_same(other, line, sentences) for line in first)]
    if not new:
        return tuple(first)
    lines = list(first)
    lines.extend(replace(other, by=by) for other in new[:most])
    return tuple(sorted(lines, key=lambda line: line.at or 0.0))


def _same(one: Point | Task, other: Point | Task, sentences: Sequence[Sentence]) -> bool:
    """Whether two lines rest on the same sentence, or on neighbors and say the same, or say the same anyway."""
    if one.at is not None and one.at == other.at:
        return True
    near = other.at is not None and other.at in {sentence.start for sentence in _around(one, sentences)}
    return fuzz.token_set_ratio(one.text.lower(), other.text.lower()) >= (ALIKE - 25 if near else ALIKE)


def _around(line: Point | Task, sentences: Sequence[Sentence]) -> list[Sentence]:
    """The sentence that a line rests on, and those beside it."""
    index = next((i for i, sentence in enumerate(sentences) if sentence.start == line.at), None)
    return [] if index is None else [*sentences[max(0, index - 1) : index + 2]]


def _covered(model: Summary, picked: Summary, sentences: Sequence[Sentence], language: str) -> float:
    """How much of what the picked summary speaks of the other one speaks of, words weighed as for picking."""
    empty = empty_words_for(language)
    weights = weights_of([content_words(sentence.text, language, empty) for sentence in sentences])

    def spoken_of(summary: Summary) -> float:
        lines = (*summary.key_points, *(item for name in LISTS for item in getattr(summary, name)))
        text = " ".join((summary.overview, *(line.text for line in lines)))
        return sum(weights.get(word, 0.0) for word in {*content_words(text, language, empty)})

    of_picked = spoken_of(picked)
    return spoken_of(model) / of_picked if of_picked else 1.0
