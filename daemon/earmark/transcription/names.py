"""Names that a person knows, found where the engine heard something that sounds like one of them.

The engine is not made to expect names: what it is told to expect it hears everywhere. It hears as always; where its words
sound like a name, it is asked how probable the passage is with that name in their place.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from earmark.sounding import letters, sounds
from earmark.transcription.engine import Answer, Engine, Phrase, Samples, Weight, Wish
from earmark.transcription.word_times import respelled

BONUS = 4.5
"""By how much (natural logarithm of the probability) a passage may be less probable with a name than without it.

The engine knows hardly any names, and finds common words more probable. Measured: docs/measurements.md.
"""

UNSURE = 0.3
"""Probability that a word leaves to all others, from which it may be a name. Measured: the words that gave way to a name
left 0.37 and more; three words in four that sound like one leave less, and need not be weighed."""

FAR = 0.34
"""Distance to a name, as a share of its letters, from which words do not sound like it."""

LEAST_LETTERS = 3
"""Letters of a name that is looked for; of fewer, half the words of a language are near."""

MOST_WORDS = 3
"""Words that are taken for one name: "Al Zaman" for "Alzaman"."""

MOST_WEIGHED = 8
"""Names that are tried in a passage, the nearest first."""

WORDS_AFTER = 3
"""Words behind a name that are weighed with it: a wrong one makes what follows less probable."""

_WORD = re.compile(r"[^\W_]+(?:['’](?!s\b)[^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of an answer, in which phrase it is, and where in its text."""

    phrase: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Near:
    """Words `first` up to (not with) `last` sound like a name. `distance`: a share of its letters; 0 for the same ones with
    other accents, doubled or in other words.
    """

    distance: float
    first: int
    last: int
    name: str

    def shares_words_with(self, other: Near) -> bool:
        return self.first < other.last and other.first < self.last


@dataclass(frozen=True)
class Names:
    """Names as they are spelled, each once."""

    spelled: tuple[str, ...]

    @cached_property
    def _letters(self) -> list[str]:
        return [letters(name) for name in self.spelled]

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(name.casefold() for name in self.spelled)

    @cached_property
    def _sounds(self) -> list[str]:
        return [sounds(one) for one in self._letters]

    def near(self, words: Sequence[str]) -> list[Near]:
        """Where these words sound like a name and are none, the nearest first."""
        runs = list(_runs(words, self._known))
        if not runs or not self.spelled:
            return []
        heard = [letters("".join(words[first:last])) for first, last in runs]
        edits = _edits(heard, self._letters) + _edits([sounds(one) for one in heard], self._sounds)
        shares = edits / (2.0 * np.array([len(one) for one in self._letters]))
        found = [
            Near(float(shares[run, name]), runs[run][0], runs[run][1], self.spelled[name])
            for run, name in zip(*np.nonzero(shares <= FAR), strict=True)
        ]
        found.sort(key=lambda one: (one.distance, one.first, one.last, one.name))
        # "to Anna" sounds like "Anna", too, and is shorter with it in its place.
        kept: dict[str, list[Near]] = {}
        for one in found:
            nearer = kept.setdefault(one.name, [])
            if not any(one.shares_words_with(other) for other in nearer):
                nearer.append(one)
        return [one for one in found if one in kept[one.name]]


def names_of(titles: Iterable[str]) -> Names:
    """The names in titles of notes: each title that has letters, and each word in it that is written like a name."""
    found: dict[str, None] = {}
    for title in titles:
        words = [match.group() for match in _WORD.finditer(title)]
        for one in (" ".join(words), *words):
            if len(letters(one)) >= LEAST_LETTERS and not one[:1].islower() and not one[:1].isdigit():
                found.setdefault(one)
    return Names(tuple(found))


def _edits(heard: Sequence[str], names: Sequence[str]) -> NDArray[np.float64]:
    """Edits between each of `heard` and each name (Levenshtein); what both spelling and sound differ in counts twice."""
    return np.asarray(process.cdist(heard, names, scorer=Levenshtein.distance), dtype=np.float64)


def _runs(words: Sequence[str], known: frozenset[str]) -> Iterator[tuple[int, int]]:
    """Up to MOST_WORDS words in a row, none of them a name by itself."""
    for first in range(len(words)):
        for last in range(first + 1, min(len(words), first + MOST_WORDS) + 1):
            if words[last - 1].casefold() in known:
                break
            yield first, last


def words_of(phrases: Sequence[Phrase]) -> list[Word]:
    """The words of an answer in their order."""
    return [
        Word(index, match.start(), match.end(), match.group())
        for index, phrase in enumerate(phrases)
        for match in _WORD.finditer(phrase.text)
    ]


def with_names(engine: Engine, speech: Samples, wish: Wish, answer: Answer, names: Names) -> Answer:
    """The answer with those names in it that the engine finds about as probable as what it heard."""
    words = words_of(answer.phrases)
    near = names.near([word.text for word in words])
    if not near:
        return answer
    said, starts = _text(answer.phrases), _starts(answer.phrases)
    plain = engine.weigh(speech, wish, [said])[0]
    doubts = _doubts(words, starts, plain)
    near = [one for one in near if _fits(one, words) and max(doubts[one.first : one.last]) > UNSURE]
    near = near[:MOST_WEIGHED]
    if not near:
        return answer
    ends = [_end(words[min(len(words), one.last + WORDS_AFTER) - 1], starts) for one in near]
    # Only so far as the name can matter: what comes later costs as much to weigh.
    others = [_text(_spelled(answer.phrases, words, one)) for one in near]
    others = [text[: len(text) - len(said) + end] for text, end in zip(others, ends, strict=True)]
    losses = [
        _sum(weight) - sum(log for upto, log in plain if upto <= end)
        for weight, end in zip(engine.weigh(speech, wish, others), ends, strict=True)
    ]
    taken = set[int]()
    chosen: list[Near] = []
    for one, loss in sorted(zip(near, losses, strict=True), key=lambda pair: -pair[1]):
        if loss > -BONUS and taken.isdisjoint(range(one.first, one.last)):
            taken.update(range(one.first, one.last))
            chosen.append(one)
    phrases = answer.phrases
    for one in sorted(
        chosen, key=lambda each: -each.first
    ):  # from the end, so that places stay where they are
        phrases = _spelled(phrases, words, one)
    return replace(answer, phrases=phrases)


def _fits(near: Near, words: Sequence[Word]) -> bool:
    return words[near.first].phrase == words[near.last - 1].phrase


def _doubts(words: Sequence[Word], starts: Sequence[int], weight: Weight) -> list[float]:
    """For each word, the probability that its least sure token leaves to all others."""
    begins = [0, *(end for end, _ in weight)]
    found = []
    for word in words:
        first, last = starts[word.phrase] + word.start, _end(word, starts)
        tokens = [
            log for begin, (end, log) in zip(begins, weight, strict=False) if begin < last and end > first
        ]
        found.append(-math.expm1(min(tokens, default=0.0)))
    return found


def _starts(phrases: Sequence[Phrase]) -> list[int]:
    """Where each phrase begins in the text of all of them."""
    return [0, *accumulate(len(phrase.text) + 1 for phrase in phrases)]


def _end(word: Word, starts: Sequence[int]) -> int:
    return starts[word.phrase] + word.end


def _sum(weight: Weight) -> float:
    return sum(log for _, log in weight)


def _spelled(phrases: tuple[Phrase, ...], words: Sequence[Word], near: Near) -> tuple[Phrase, ...]:
    first, last = words[near.first], words[near.last - 1]
    text = phrases[first.phrase].text
    times = respelled(phrases[first.phrase].words, first.start, last.end, len(near.name))
    text = text[: first.start] + near.name + text[last.end :]
    said = replace(phrases[first.phrase], text=text, words=times)
    return (*phrases[: first.phrase], said, *phrases[first.phrase + 1 :])


def _text(phrases: Sequence[Phrase]) -> str:
    return " ".join(phrase.text for phrase in phrases)
