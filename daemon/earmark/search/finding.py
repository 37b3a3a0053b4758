"""Asking the index: the passages that a query finds, the best first, with the sentence that shows why."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from earmark.domain import Seconds
from earmark.ledger import Stored
from earmark.ledger.index import Index
from earmark.search.fusing import fuse
from earmark.search.query import Query
from earmark.search.ranking import AROUND, Ranked, idf, rank
from earmark.search.snippet import shown
from earmark.search.vectors import Meaning
from earmark.search.wanted import Term, all_of, any_of, excluded, required, terms_of

CHOSEN = 50
"""Passages with some of the words that are compared with one another, and as many with all of them."""

NEAR = 100
"""Passages near in meaning that are."""

READ = 5_000
"""Passages that are gone through for the words of a query, about: the rare ones first. What all have tells nothing."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found. `whole`: with all words of the query; `meant`: by its meaning, and not by its words. `at`,
    `speaker`: of the sentence that shows why; `snippet` is that sentence, with where the words in it begin and end.
    """

    recording_id: str
    number: int
    start: Seconds
    end: Seconds
    whole: bool
    score: float
    at: Seconds
    speaker: str
    snippet: str
    marks: tuple[tuple[int, int], ...]
    meant: bool = False


def find(
    index: Index,
    query: Query,
    most: int,
    among: Collection[str] | None = None,
    but: Collection[str] = (),
    meaning: Meaning | None = None,
) -> list[Hit]:
    """The best passages, at most so many. `among`: of these recordings only; `but`: of none of these. `meaning`: what the
    query means; without it words alone find.
    """
    languages = index.languages()
    terms = terms_of(query, languages)
    needed, left_out = required(query, languages), excluded(query, languages)
    if not terms:
        expression = all_of([needed], left_out) if needed else None
        ids = index.latest(expression, most, among, but)
        stored = index.stored(ids)
        return [_hit(Ranked(n, 0.0, True), stored[n], terms) for n in ids if n in stored]
    stored, ranked = _by_words(index, query, terms, needed, left_out, among, but)
    if meaning is not None:
        near = _near(index, meaning, [each.id for each in ranked], needed, left_out, among, but)
        ranked = fuse(ranked, near, asks=query.asks)[:most]
        stored |= index.stored({each.id for each in ranked} - stored.keys())
    return [_hit(each, stored[each.id], terms) for each in ranked[:most] if each.id in stored]


def _by_words(
    index: Index,
    query: Query,
    terms: Sequence[Term],
    needed: str,
    left_out: str,
    among: Collection[str] | None,
    but: Collection[str],
) -> tuple[dict[int, Stored], list[Ranked]]:
    """The passages that words find, the best first, with those around them."""
    passages, having = index.newest(), [index.count(term.expression) for term in terms]
    telling = [(n, term.expression) for n, term in zip(having, terms, strict=True) if term.telling]
    if query.phrases:  # they say which; the words only rank them
        words = any_of([needed, *(word for n, word in telling if n)])
        ids = index.found(all_of([needed, words], left_out), CHOSEN, among, but)
    else:
        ids = [
            number
            for each in _expressions(telling)
            for number in index.found(all_of([needed, *each], left_out), CHOSEN, among, but)
        ]
    ids = list(dict.fromkeys(ids))
    around = {n + away for n in ids for away in range(-len(AROUND), len(AROUND) + 1)}
    stored = index.stored(around)
    return stored, rank(ids, stored, terms, [idf(passages, n) for n in having])


def _near(
    index: Index,
    meaning: Meaning,
    also: Collection[int],
    needed: str,
    left_out: str,
    among: Collection[str] | None,
    but: Collection[str],
) -> dict[int, float]:
    """The passages near in meaning, with what has to be there and without what may not; and how near `also` are."""
    from earmark.search.nearest import nearest  # numpy, which takes a moment to load

    near = nearest(index.vectors, meaning, NEAR, among, but, also)
    if needed:
        there = index.which(needed, near)
        near = {id: how for id, how in near.items() if id in there}
    if left_out:
        out = index.which(left_out, near)
        near = {id: how for id, how in near.items() if id not in out}
    return near


def _expressions(telling: Sequence[tuple[int, str]]) -> Iterator[list[str]]:
    """What is asked for words that so many passages have: those with all of them, and those with some that tell most."""
    there = sorted(((n, word) for n, word in telling if n), key=lambda pair: pair[0])
    if 1 < len(there) == len(telling):
        yield [word for _, word in there]
    some: list[str] = []
    read = 0
    for n, word in there:
        if some and read + n > READ:
            break
        some.append(word)
        read += n
    if some:
        yield [any_of(some)]


def _hit(ranked: Ranked, stored: Stored, terms: Sequence[Term]) -> Hit:
    entry = stored.entry
    said = shown(entry, terms, stored.language)
    return Hit(
        stored.recording_id, entry.number, entry.start, entry.end, ranked.whole, ranked.score, said.at, said.speaker,
        said.text, said.marks, ranked.meant,
    )  # fmt: skip
