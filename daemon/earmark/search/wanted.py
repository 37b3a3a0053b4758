"""The words of a query as they are looked for: by stems, beginnings or pairs of signs, and in the language of FTS5. Pure."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from earmark.search.query import ASK, Query, Word
from earmark.search.terms import LONGEST, TOKEN, folded, pairs_of, runs, stem_of
from earmark.summarization.words import stop_words_for

ASKING = frozenset(
    "summarize summary discuss discussion discussed mention mentioned opinion opinions conclusion conclude describe"
    " thought thoughts think thinks talk talked say said attitude reason reasons regarding group team meeting view views"
    " agree".split()
)
"""English words of a question that say what is wanted, and not what was said: they hardly tell passages apart. Out of the
questions of QMSum's validation split."""

ASKED = 0.3
"""What such a word counts in a question."""

MOST_SIGNS = 4
"""Signs of a script without spaces that are looked for as one word; more are several, and nobody knows which."""


class By(StrEnum):
    """How a term is looked for."""

    STEM = "stem"
    BEGINNING = "beginning"
    PAIRS = "pairs"


@dataclass(frozen=True, slots=True)
class Term:
    """One word that is looked for. `forms`: what it may be in the index, one for each language; `plain`: as it was typed,
    folded; `typed`: not folded. `telling`: it says what the query is about. `said_only`: it counts where it was said only,
    and in no title or name.
    """

    by: By
    forms: tuple[str, ...]
    plain: str
    telling: bool = True
    weight: float = 1.0
    typed: str = ""
    said_only: bool = False

    @property
    def expression(self) -> str:
        """What FTS5 is asked."""
        heading = "" if self.said_only else " heading"
        match self.by:
            case By.BEGINNING:
                names = "" if self.said_only else " speakers"
                return f"{{text{names}{heading}}} : ({_as_said(self.plain, self.typed, ' *')})"
            case By.PAIRS:
                return f"{{pairs{heading}}} : ({_in_pairs(self.plain)})"
            case By.STEM:
                stems = " OR ".join(f'"{form}"' for form in self.forms)
                if self.said_only:
                    return f"{{stems}} : ({stems})"
                return f"({{stems heading}} : ({stems}) OR {{speakers heading}} : ({_as_said(self.plain, self.typed)}))"


def _as_said(plain: str, typed: str, ending: str = "") -> str:
    """Words as they stand in columns whose accents FTS5 folds by itself, which it does for Latin letters only."""
    both = dict.fromkeys(each for each in (plain, typed.lower()) if each)
    return " OR ".join(f'"{each}"{ending}' for each in both)


def _in_pairs(run: str) -> str:
    return f'"{run}" *' if len(run) == 1 else f'"{" ".join(pairs_of(run)[:-1])}"'


def terms_of(query: Query, languages: Sequence[str]) -> list[Term]:
    """What is looked for, each once: the query's words, and those of its phrases. `languages`: of what is in the index."""
    words = [*query.words, *(Word(token) for phrase in query.phrases for token in phrase)]
    found = list(dict.fromkeys(term for word in words for term in _terms(word, languages, query.asks)))
    if not any(term.telling for term in found):
        found = [Term(term.by, term.forms, term.plain, typed=term.typed) for term in found]
    return [replace(term, said_only=bool(query.speakers)) for term in found]


def _terms(word: Word, languages: Sequence[str], asks: bool = False) -> Iterable[Term]:
    parts = list(runs(word.text))
    for n, (paired, part) in enumerate(parts, start=1):
        plain = folded(part)[:LONGEST]
        if paired and len(plain) <= MOST_SIGNS:
            yield Term(By.PAIRS, (), plain)
        elif paired:
            yield from (Term(By.PAIRS, (), pair) for pair in pairs_of(part)[:-1])
        elif word.prefix and n == len(parts):
            yield Term(By.BEGINNING, (), plain, typed=part[:LONGEST])
        else:
            asked = asks and plain in ASKING
            empty = any(plain in _empty(language) for language in languages)
            yield Term(
                By.STEM,
                _forms(part, languages),
                plain,
                not (asked or empty),
                ASKED if asked else 1.0,
                part[:LONGEST],
            )


def meant(query: Query) -> str:
    """What a query means, in words: of a question without those with which it begins to ask."""
    words = query.said.split()
    begins = ASK | ASKING | _empty("en") if query.asks else frozenset[str]()
    first = next((n for n, word in enumerate(words) if not begins.issuperset(TOKEN.findall(folded(word)))), 0)
    return " ".join(words[first:])


@functools.cache
def _empty(language: str) -> frozenset[str]:
    return frozenset(map(folded, stop_words_for(language)))


def _forms(word: str, languages: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(stem_of(word, language) for language in languages or ("en",)))


def required(query: Query, languages: Sequence[str]) -> str:
    """What has to be there whatever else is: phrases, and who speaks. "" where nothing has to."""
    parts = [_phrase(phrase, said_only=bool(query.speakers)) for phrase in query.phrases]
    parts += [named(TOKEN.findall(speaker)) for speaker in query.speakers]
    return " AND ".join(parts)


def named(words: Sequence[str]) -> str:
    """Who has these words in their name, in this order."""
    return f"{{speakers}} : ({_in_order(words)})"


def excluded(query: Query, languages: Sequence[str]) -> str:
    """What may not be there. "" where anything may."""
    parts = []
    for words in query.without:
        terms = [term.expression for word in words for term in _terms(word, languages)]
        parts.append(terms[0] if len(terms) == 1 else _phrase([word.text for word in words]))
    return " OR ".join(parts)


def _phrase(tokens: Sequence[str], *, said_only: bool = False) -> str:
    """Words in this order. Where signs are among them that are found by pairs, all of them, in any order of the parts."""
    heading = "" if said_only else " heading"
    parts = [part for token in tokens for part in runs(token)]
    if not any(paired for paired, _ in parts):
        return f"{{text{heading}}} : ({_in_order(tokens)})"
    asked = [
        f"{{pairs{heading}}} : ({_in_pairs(folded(part))})"
        if paired
        else f"{{text{heading}}} : ({_in_order([part])})"
        for paired, part in parts
    ]
    return f"({' AND '.join(asked)})"


def _in_order(tokens: Sequence[str]) -> str:
    return _as_said(" ".join(map(folded, tokens)), " ".join(tokens))


def all_of(parts: Iterable[str], but: str) -> str:
    """An expression for all of these and nothing of `but`."""
    whole = " AND ".join(f"({part})" for part in parts if part)
    return f"({whole}) NOT ({but})" if but else whole


def any_of(parts: Iterable[str]) -> str:
    return " OR ".join(f"({part})" for part in parts)
