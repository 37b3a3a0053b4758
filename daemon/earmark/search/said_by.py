"""Only what those say whom a query asks for by `speaker:`: their sentences of a passage in the place of all of it. Pure."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from earmark.ledger import Stored
from earmark.notes.escape import normalize
from earmark.search.query import Query
from earmark.search.snippet import has_any
from earmark.search.terms import TOKEN, folded, runs, stems_and_pairs
from earmark.search.wanted import Term

BETWEEN = " … "
"""What stands where somebody else speaks between two sentences of theirs."""


@dataclass(frozen=True, slots=True)
class Whose:
    """Who of those that speak in a passage is meant, by their numbers from 1. `exactly`: their names are what was said, and
    do not only share words with it.
    """

    numbers: frozenset[int]
    exactly: bool


@functools.lru_cache(maxsize=2_000)
def whose(said: tuple[str, ...], speakers: tuple[str, ...]) -> Whose:
    """Who is meant by names that a query says; nobody unless each of the names is somebody's."""
    numbers: set[int] = set()
    exactly = True
    for name in said:
        same = {n for n, other in enumerate(speakers, start=1) if as_typed(other) == as_typed(name)}
        words = _words(name)
        alike = same or {n for n, other in enumerate(speakers, start=1) if _follow(words, _words(other))}
        if not alike:
            return Whose(frozenset(), exactly=False)
        numbers |= alike
        exactly = exactly and bool(same)
    return Whose(frozenset(numbers), exactly)


@functools.lru_cache(maxsize=1_000)
def as_typed(name: str) -> str:
    """A name as two are compared of which one may have no letters: all of its signs, without capitals."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", normalize(name)).casefold()).strip()


def theirs(stored: Stored, query: Query, terms: Sequence[Term] = ()) -> Stored | None:
    """A passage with their sentences only, and without what its recording is called; None where they do not speak, or say
    not all of the query's phrases, or none of `terms`, where there are any.
    """
    entry = stored.entry
    numbers = whose(query.speakers, entry.speakers).numbers
    if not numbers:
        return None
    text, begins, stretches = "", [], [""]
    before, last = 0, -1
    for n, (sentence, (_, second, number)) in enumerate(zip(sentences(stored), entry.sentences, strict=True)):
        if number not in numbers:
            continue
        text += "" if not text else " " if last == n - 1 else BETWEEN
        begins.append((len(text), second, number))
        text += sentence
        if last == n - 1 and before == number:
            stretches[-1] += f" {sentence}"
        else:
            stretches.append(sentence)
        before, last = number, n
    if not begins or not all(_is_said(phrase, stretches) for phrase in query.phrases):
        return None
    if terms and not has_any(text, terms, stored.language):
        return None
    stems, pairs = entry.stems, entry.pairs
    if len(begins) < len(entry.sentences):
        stems, pairs = stems_and_pairs(text, stored.language)
    own = replace(entry, sentences=tuple(begins), text=text, stems=stems, pairs=pairs)
    return replace(stored, heading="", entry=own)


def sentences(stored: Stored) -> Iterator[str]:
    """The sentences of a passage, in order, without what stands for those that `theirs` left out."""
    entry = stored.entry
    ends = [*(begin for begin, _, _ in entry.sentences[1:]), len(entry.text)]
    for (begin, _, _), end in zip(entry.sentences, ends, strict=True):
        yield entry.text[begin:end].removesuffix(BETWEEN).strip()


def _is_said(phrase: Sequence[str], stretches: Sequence[str]) -> bool:
    """Whether a phrase is in what one of them says at a time; as `wanted` asks for one, whatever its script."""
    parts = [part for token in phrase for part in runs(token)]
    if not any(paired for paired, _ in parts):
        words = [word for token in phrase for word in _words(token)]
        return any(_follow(words, _words(stretch)) for stretch in stretches)
    return all(
        any(
            folded(part) in folded(stretch) if paired else _follow(_words(part), _words(stretch))
            for stretch in stretches
        )
        for paired, part in parts
    )


@functools.lru_cache(maxsize=2_000)
def _words(text: str) -> tuple[str, ...]:
    return tuple(TOKEN.findall(folded(text)))


def _follow(words: Sequence[str], among: Sequence[str]) -> bool:
    """Whether some words are among others, in this order and next to each other; none never are."""
    few, size = tuple(words), len(words)
    return bool(few) and any(tuple(among[n : n + size]) == few for n in range(len(among) - size + 1))
