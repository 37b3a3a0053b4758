"""Asking the index: the passages that a query finds, the best first, with the sentence that shows why."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from earmark.domain import Seconds
from earmark.ledger import Stored
from earmark.ledger.index import Index
from earmark.search.fusing import fuse
from earmark.search.query import Query
from earmark.search.ranking import AROUND, Ranked, idf, rank
from earmark.search.said_by import as_typed, theirs, whose
from earmark.search.snippet import shown
from earmark.search.terms import TOKEN
from earmark.search.vectors import Meaning
from earmark.search.wanted import Term, all_of, any_of, excluded, named, required, terms_of

CHOSEN = 50
"""Passages with some of the words that are compared with one another, and as many with all of them."""

NEAR = 100
"""Passages near in meaning that are."""

EXACT = 500
"""Passages among which one is looked for of a speaker who is called exactly as was said, where others are called alike."""

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
    signs = [name for name in query.speakers if not _has_words(index, name)]
    if signs:  # which alone can be looked for
        asked = {as_typed(name) for name in signs}
        there = index.spoken_in(lambda names: asked <= {as_typed(name) for name in names})
        among = there if among is None else there & {*among}
        query_of_words = replace(query, speakers=tuple(name for name in query.speakers if name not in signs))
        needed = required(query_of_words, languages)
    asking = _Asking(index, query, terms, among, but)
    if not terms:
        expression = all_of([needed], left_out) if needed else None
        ids = asking.those(lambda many: index.latest(expression, many, among, but, first=not signs), most)
        found = [Ranked(n, 0.0, True) for n in ids]
    else:
        found = _by_words(asking, query, needed, left_out)
        if meaning is not None:
            near = _near(index, meaning, [each.id for each in found], needed, left_out, among, but)
            found = fuse(found, asking.with_theirs(near), asks=query.asks)
    stored = asking.stored
    found = sorted(found, key=lambda each: not asking.is_exact(each.id))[:most]
    missing = index.stored({each.id for each in found} - stored.keys()) if not query.speakers else {}
    return [_hit(each, at, terms) for each in found if (at := stored.get(each.id) or missing.get(each.id))]


def _has_words(index: Index, name: str) -> bool:
    """Whether somebody may be found by the words of a name: there are none in a smile, and FTS5 knows other ones in ①."""
    words = TOKEN.findall(name)
    return bool(words) and index.count(named(words)) > 0


class _Asking:
    """The passages that one query is asked about, as they are looked at: where it says who speaks, with their words only."""

    def __init__(
        self,
        index: Index,
        query: Query,
        terms: Sequence[Term],
        among: Collection[str] | None,
        but: Collection[str],
    ) -> None:
        self.index, self.terms, self.among, self.but = index, terms, among, but
        self.stored: dict[int, Stored] = {}
        self._query, self._telling = query, [term for term in terms if term.telling]

    def those(self, found: Callable[[int], list[int]], most: int) -> list[int]:
        """At least so many of what is found, if there are. `found`: the first so many of all, the best first."""
        many = most
        while True:
            ids = found(many)
            if not self._query.speakers:
                return ids
            self._take(ids, self._telling)
            kept = [id for id in ids if id in self.stored]
            enough = len(kept) >= most and (many >= EXACT or any(map(self.is_exact, kept)))
            if enough or len(ids) < many:
                return kept
            many *= 4

    def with_words(self, expression: str) -> list[int]:
        """Those that an FTS5 expression finds, to be compared with one another."""
        return self.those(lambda many: self.index.found(expression, many, self.among, self.but), CHOSEN)

    def with_theirs(self, near: Mapping[int, float]) -> dict[int, float]:
        """Of passages near in meaning those in which somebody speaks who is asked for."""
        if not self._query.speakers:
            return dict(near)
        self._take(near, ())
        return {id: how for id, how in near.items() if id in self.stored}

    def is_exact(self, id: int) -> bool:
        """Whether those who are asked for are called exactly so, or nobody is."""
        said = self._query.speakers
        return not said or (id in self.stored and whose(said, self.stored[id].entry.speakers).exactly)

    def _take(self, ids: Collection[int], terms: Sequence[Term]) -> None:
        for id, each in self.index.stored({*ids} - self.stored.keys()).items():
            own = theirs(each, self._query, terms)
            if own is not None:
                self.stored[id] = own


def _by_words(asking: _Asking, query: Query, needed: str, left_out: str) -> list[Ranked]:
    """The passages that words find, the best first."""
    index, terms = asking.index, asking.terms
    passages, having = index.newest(), [index.count(term.expression) for term in terms]
    telling = [(n, term.expression) for n, term in zip(having, terms, strict=True) if term.telling]
    # Phrases say which; the words only rank them.
    any_word = [any_of([needed, *(word for n, word in telling if n)])]
    expressions = [any_word] if query.phrases else [*_expressions(telling)]
    found = [asking.with_words(all_of([needed, *each], left_out)) for each in expressions]
    ids = list(dict.fromkeys(id for some in found for id in some))
    around = {n + away for n in ids for away in range(-len(AROUND), len(AROUND) + 1)}
    beside = index.stored(around - asking.stored.keys())
    if not query.speakers:
        asking.stored |= beside
    return rank(ids, beside | asking.stored, terms, [idf(passages, n) for n in having])


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
