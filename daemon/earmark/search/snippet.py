"""The sentence of a passage that shows why it was found, with where the words in it are. Pure."""

from __future__ import annotations

import bisect
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from earmark.domain import Seconds
from earmark.ledger import Entry
from earmark.search.terms import TOKEN, folded, runs, stem_of
from earmark.search.wanted import By, Term

LONGEST = 200
"""Characters of a snippet: three lines of a terminal."""

BEFORE = 60
"""Characters before the first word that was found."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Words of a passage from one second on, who says the first of those that were found, and where they are in `text`."""

    text: str
    marks: tuple[tuple[int, int], ...]
    at: Seconds
    speaker: str


def shown(entry: Entry, terms: Sequence[Term], language: str) -> Shown:
    """The part of a passage with most of the words, or its beginning where it was found by something else."""
    spans = list(_spans(entry.text, terms, language))
    first, last = _window(entry.text, spans)
    text = entry.text[first:last].strip()
    first += len(entry.text[first:last]) - len(entry.text[first:last].lstrip())
    marks = tuple((a - first, b - first) for _, a, b in spans if first <= a and b <= first + len(text))
    begins = [at for at, _, _ in entry.sentences]
    if not begins:
        return Shown("", (), entry.start, "")
    number = max(0, bisect.bisect_right(begins, first + (marks[0][0] if marks else 0)) - 1)
    _, second, speaker = entry.sentences[number]
    name = entry.speakers[speaker - 1] if 0 < speaker <= len(entry.speakers) else ""
    return _with_dots(Shown(text, marks, second, name), first > 0, first + len(text) < len(entry.text))


def has_any(text: str, terms: Sequence[Term], language: str) -> bool:
    """Whether one of these words is in a text."""
    return next(_spans(text, terms, language), None) is not None


def _with_dots(shown: Shown, before: bool, after: bool) -> Shown:
    dots = "… " if before else ""
    marks = tuple((a + len(dots), b + len(dots)) for a, b in shown.marks)
    return Shown(f"{dots}{shown.text}{' …' if after else ''}", marks, shown.at, shown.speaker)


def _spans(text: str, terms: Sequence[Term], language: str) -> Iterator[tuple[int, int, int]]:
    """Where words of the query are: which, from and until which character."""
    which = _which(tuple(terms), language)
    paired = [(term.plain, n) for n, term in enumerate(terms) if term.by is By.PAIRS]
    for found in TOKEN.finditer(text):
        at = found.start()
        for is_paired, part in runs(found[0]):
            if is_paired:
                yield from _inside(at, part, paired)
            elif (number := which(part)) >= 0:
                yield number, at, at + len(part)
            at += len(part)


@functools.lru_cache(maxsize=4)
def _which(terms: tuple[Term, ...], language: str) -> Callable[[str], int]:
    """Which of the terms a word is, if any; -1 if none. One answer shows ten passages for one query."""
    words = {
        form: n for n, term in enumerate(terms) if term.by is By.STEM for form in (*term.forms, term.plain)
    }
    begun = [(term.plain, n) for n, term in enumerate(terms) if term.by is By.BEGINNING]

    @functools.lru_cache(maxsize=5_000)
    def which(word: str) -> int:
        if not words and not begun:
            return -1
        plain = folded(word)
        number = words.get(plain, words.get(stem_of(word, language), -1))
        return next((n for begin, n in begun if plain.startswith(begin)), number)

    return which


def _inside(at: int, part: str, paired: Sequence[tuple[str, int]]) -> Iterator[tuple[int, int, int]]:
    """Where stretches of signs are in a run that begins at a character; none where folding has moved its signs about."""
    run = folded(part)
    begins = [n for n, char in enumerate(part) for _ in folded(char)] + [len(part)]
    if len(begins) != len(run) + 1:
        return
    for wanted, number in paired:
        found = run.find(wanted)
        while found >= 0:
            yield number, at + begins[found], at + begins[found + len(wanted)]
            found = run.find(wanted, found + len(wanted))


def _window(text: str, spans: Sequence[tuple[int, int, int]]) -> tuple[int, int]:
    """From and until which character: where most different words are, and not within one."""
    if len(text) <= LONGEST:
        return 0, len(text)
    best, most = 0, -1
    for _, at, _ in spans:
        inside = {number for number, a, b in spans if at <= a and b <= at + LONGEST - BEFORE}
        if len(inside) > most:
            best, most = at, len(inside)
    first = max(0, best - BEFORE)
    if first:
        space = text.find(" ", first, best)
        first = space + 1 if space >= 0 else first
    last = min(len(text), first + LONGEST)
    if last < len(text):
        space = text.rfind(" ", best, last)
        last = space if space > best else last
    return first, last
