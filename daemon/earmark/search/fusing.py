"""What words find and what a meaning finds, as one list. Pure.

Each passage counts by its share of the best of its kind. Over all of QMSum's meetings that found more than reciprocal ranks,
and as much within one: how far the first is ahead of the next says how sure it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from earmark.search.ranking import Ranked

WORDS = 0.5
"""What words count; meaning counts the rest."""

UNRELATED = 0.1
"""How near two texts are that have nothing to do with each other, in the middle."""

LEAST = 0.25
"""How near a passage is at least that is found by its meaning alone: nineteen in twenty that answer QMSum's questions
are nearer."""


def fuse(ranked: Sequence[Ranked], near: Mapping[int, float], *, asks: bool) -> list[Ranked]:
    """The best first. `ranked`: what words found, the best first; `near`: how near passages are, in any order. Where
    nobody asks a question, passages with all words come first.
    """
    best = max((each.score for each in ranked), default=0.0) or 1.0
    nearest = max(max(near.values(), default=0.0) - UNRELATED, 0.01)
    by_words = {each.id: each for each in ranked}
    fused = []
    for id in dict.fromkeys([*by_words, *near]):
        words, meaning = by_words.get(id), near.get(id, 0.0)
        if words is None and meaning < LEAST:
            continue
        found = words or Ranked(id, 0.0, whole=False, meant=True)
        score = WORDS * found.score / best + (1 - WORDS) * max(0.0, meaning - UNRELATED) / nearest
        fused.append(replace(found, score=score))
    return sorted(fused, key=lambda each: (not each.whole and not asks, -each.score, each.id))
