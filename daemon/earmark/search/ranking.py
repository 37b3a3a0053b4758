"""Which of the passages that were found come first: those with all words, then by how much each word tells. Pure.

BM25 (Robertson), and on top of it what QMSum's meetings showed to help: who speaks, how much of the query is there, and what
is said just before and after.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping, Sequence
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
    counts = _Counts(terms)
    scores: dict[int, float] = {}
    whole: dict[int, bool] = {}
    for number, each in stored.items():
        score, there, whole[number] = 0.0, 0.0, True
        for count, weight, term in zip(counts.of(each), tells, terms, strict=True):
            if count:
                score += count * weight * term.weight
                there += weight if term.telling else 0.0
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


class _Counts:
    """How much each term is in a passage. What depends on the query alone is made once: it is asked of hundreds."""

    def __init__(self, terms: Sequence[Term]) -> None:
        self._terms = terms
        self._plain = {term.plain for term in terms}
        self._stems: dict[str, list[int]] = {}
        for number, term in enumerate(terms):
            for form in term.forms if term.by is By.STEM else ():
                self._stems.setdefault(form, []).append(number)
        self._others = [(n, term) for n, term in enumerate(terms) if term.by is not By.STEM]
        self._headed: dict[str, list[int]] = {}

    def of(self, stored: Stored) -> list[float]:
        entry = stored.entry
        stems = entry.stems.split()
        length = len(stems) + len(entry.pairs.split()) / 2
        counts = [0.0] * len(self._terms)
        for number, times in self._times(entry.text, stems):
            counts[number] = times * (K1 + 1) / (times + K1 * (1 - B + B * length / USUAL))
        names = _names(entry.speakers)
        if not self._plain.isdisjoint(names) or any(_is_named(term, names) for _, term in self._others):
            for number, share in _shares(stored, self._terms).items():
                counts[number] += NAMED + SHARE * share
        if stored.heading:
            for number in self._in_heading(stored.heading):
                counts[number] += HEADED
        return counts

    def _times(self, text: str, stems: Sequence[str]) -> Iterable[tuple[int, int]]:
        """Which terms are there, and how often."""
        times: dict[int, int] = {}
        wanted = self._stems
        for stem in [stem for stem in stems if stem in wanted]:
            for number in wanted[stem]:
                times[number] = times.get(number, 0) + 1
        if self._others:
            plain = folded(text)
            begun = TOKEN.findall(plain) if any(term.by is By.BEGINNING for _, term in self._others) else []
            for number, term in self._others:
                if term.by is By.BEGINNING:
                    times[number] = sum(token.startswith(term.plain) for token in begun)
                else:
                    times[number] = plain.count(term.plain)
        return times.items()

    def _in_heading(self, heading: str) -> list[int]:
        if heading not in self._headed:
            tokens = frozenset(TOKEN.findall(folded(heading)))
            self._headed[heading] = [n for n, term in enumerate(self._terms) if _is_in(term, tokens)]
        return self._headed[heading]


@functools.lru_cache(maxsize=1_000)
def _tokens(text: str) -> frozenset[str]:
    return frozenset(TOKEN.findall(folded(text)))


@functools.lru_cache(maxsize=1_000)
def _names(speakers: tuple[str, ...]) -> frozenset[str]:
    return _tokens(" ".join(speakers))


def _is_in(term: Term, heading: frozenset[str]) -> bool:
    if term.by is By.STEM:
        return term.plain in heading or not heading.isdisjoint(term.forms)
    if term.by is By.BEGINNING:
        return any(token.startswith(term.plain) for token in heading)
    return any(term.plain in token for token in heading)


def _is_named(term: Term, names: frozenset[str]) -> bool:
    """Whether a word is one of names, or in one as it is looked for."""
    if term.by is By.STEM or term.said_only:
        return term.plain in names
    return _is_in(term, names)


def _shares(stored: Stored, terms: Sequence[Term]) -> dict[int, float]:
    """How much of a passage is said by whoever has one of these words in their name, by the word's number."""
    entry = stored.entry
    ends = [*(at for at, _, _ in entry.sentences[1:]), len(entry.text)]
    called = [_tokens(name) for name in entry.speakers]
    named = [[n for n, term in enumerate(terms) if _is_named(term, names)] for names in called]
    shares: dict[int, float] = {}
    for (at, _, speaker), end in zip(entry.sentences, ends, strict=True):
        if 0 < speaker <= len(named):
            for number in named[speaker - 1]:
                shares[number] = shares.get(number, 0.0) + (end - at) / max(1, len(entry.text))
    return shares
