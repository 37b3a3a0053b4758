"""Which of the passages that were found come first: those with all words, then by how much each word tells. Pure.

BM25 (Robertson), and on top of it what QMSum's meetings showed to help: who speaks, how much of the query is there, and what
is said just before and after.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from earmark.ledger import Stored
from earmark.search.terms import TOKEN, folded
from earmark.search.wanted import By, Term

K1, B = 1.2, 0.75
"""BM25's usual ones."""

USUAL = 120.0
"""Words of a passage, with which longer and shorter ones are compared."""

NAMED, SHARE = 0.5, 1.0
"""What a word counts that is the name of somebody who speaks there, and what it counts more if nobody else does."""

HEADED = 0.5
"""What a word counts that stands in the title, a file name or a tag."""

AROUND = (0.3, 0.15)
"""What the passages before and after count, and those next to them."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A passage with its rank. `whole`: each word that tells something is in it, or names its recording. `meant`: it was
    found by its meaning, and not by its words.
    """

    id: int
    score: float
    whole: bool
    meant: bool = False


def idf(passages: int, having: int) -> float:
    """How much a word tells that so many of the passages have."""
    return math.log(1 + (passages - having + 0.5) / (having + 0.5))


def rank(
    found: Sequence[int], stored: Mapping[int, Stored], terms: Sequence[Term], tells: Sequence[float]
) -> list[Ranked]:
    """The passages that were found, the best first. `stored`: they, and those around them; `tells`: the idf of each term."""
    telling = sum(weight for term, weight in zip(terms, tells, strict=True) if term.telling)
    scores: dict[int, float] = {}
    whole: dict[int, bool] = {}
    for number, each in stored.items():
        score, there, whole[number] = 0.0, 0.0, True
        for count, weight, term in zip(_counts(each, terms), tells, terms, strict=True):
            score += count * weight * term.weight
            if term.telling and count:
                there += weight
            elif term.telling:
                whole[number] = False
        scores[number] = score * (1 + (there / telling if telling else 0.0))
    ranked = [Ranked(n, _with_around(n, scores, stored), whole[n]) for n in found if n in stored]
    return sorted(ranked, key=lambda each: (not each.whole, -each.score, each.id))


def _with_around(number: int, scores: Mapping[int, float], stored: Mapping[int, Stored]) -> float:
    total = scores[number]
    for away, weight in enumerate(AROUND, start=1):
        for other in (number - away, number + away):
            if other in stored and stored[other].recording_id == stored[number].recording_id:
                total += weight * scores[other]
    return total


def _counts(stored: Stored, terms: Sequence[Term]) -> list[float]:
    """How much each term is there."""
    entry = stored.entry
    stems = entry.stems.split()
    wanted = {form for term in terms if term.by is By.STEM for form in term.forms}
    there = Counter(stem for stem in stems if stem in wanted)
    length = len(stems) + len(entry.pairs.split()) / 2
    plain = "" if all(term.by is By.STEM for term in terms) else folded(entry.text)
    begun = TOKEN.findall(plain) if any(term.by is By.BEGINNING for term in terms) else []
    named, heading = _shares(stored, {term.plain for term in terms}), _tokens(stored.heading)
    counts = []
    for term in terms:
        match term.by:
            case By.STEM:
                times = sum(there[form] for form in term.forms)
            case By.BEGINNING:
                times = sum(token.startswith(term.plain) for token in begun)
            case By.PAIRS:
                times = plain.count(term.plain)
        count = times * (K1 + 1) / (times + K1 * (1 - B + B * length / USUAL))
        if term.plain in named:
            count += NAMED + SHARE * named[term.plain]
        if _is_in(term, heading):
            count += HEADED
        counts.append(count)
    return counts


@functools.lru_cache(maxsize=1_000)
def _tokens(text: str) -> frozenset[str]:
    return frozenset(TOKEN.findall(folded(text)))


def _is_in(term: Term, heading: frozenset[str]) -> bool:
    if term.by is By.STEM:
        return term.plain in heading or not heading.isdisjoint(term.forms)
    if term.by is By.BEGINNING:
        return any(token.startswith(term.plain) for token in heading)
    return any(term.plain in token for token in heading)


def _shares(stored: Stored, wanted: set[str]) -> dict[str, float]:
    """How much of a passage is said by whoever has one of these words in their name."""
    entry = stored.entry
    if wanted.isdisjoint(_tokens(" ".join(entry.speakers))):
        return {}
    ends = [*(at for at, _, _ in entry.sentences[1:]), len(entry.text)]
    shares: dict[str, float] = {}
    for (at, _, speaker), end in zip(entry.sentences, ends, strict=True):
        if 0 < speaker <= len(entry.speakers):
            for token in wanted.intersection(TOKEN.findall(folded(entry.speakers[speaker - 1]))):
                shares[token] = shares.get(token, 0.0) + (end - at) / max(1, len(entry.text))
    return shares
