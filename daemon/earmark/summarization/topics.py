"""What a recording, or a stretch of it, speaks of: phrases that come back and that are names of things. Pure.

A phrase is a run of topic words as it was said. It names a thing if what stands before it is an article or the like, more
than once; German writes such words with a capital. Where neither can be known there are no topics.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from earmark.summarization.cues import phrases_for
from earmark.summarization.picking import OFTEN
from earmark.summarization.sentences import Sentence
from earmark.summarization.words import WORD, content_words, empty_words_for

TITLE_CHARACTERS = 60
FEW = 30
"""Sentences of a recording in which what is said twice comes back."""
MOST = 3
"""Topics of a title or a stretch."""
LONGEST = 3
"""Words of a phrase."""
NOUN_SHARE = 0.3
"""Share of a word's places with an article or the like before its phrase from which on it is taken for a noun."""
PART = 0.35
"""Share of a word's places within a longer phrase from which on the phrase is named and not the word."""


@dataclass(slots=True)
class Phrase:
    """Words that were said together: how they look, the sentences that hold them, and how often like a noun."""

    forms: Counter[str] = field(default_factory=Counter)
    held: list[int] = field(default_factory=list)
    noun: int = 0

    def is_noun(self) -> bool:
        """Whether it looks like the name of a thing, more than once."""
        return self.noun >= 2 and self.noun >= NOUN_SHARE * self.forms.total()


class Topics:
    """The phrases of a recording that are names of things and come back. `sure`: none in a language of which it is not known
    what stands before a name, instead of all that come back.
    """

    def __init__(self, sentences: Sequence[Sentence], language: str, sure: bool = True) -> None:
        self.language = language
        self.sentences = len(sentences)
        often = OFTEN if len(sentences) > FEW else 2
        unknown = not sure and "determiners" not in phrases_for(language)
        named = {
            key: said
            for key, said in _phrases_in(sentences, language).items()
            if len(said.held) >= often and (unknown or said.is_noun())
        }
        within: Counter[str] = Counter()
        for key in named:
            if len(key) > 1:
                for stem in key:
                    within[stem] = max(within[stem], len(named[key].held))
        self._named = {
            key: said for key, said in named.items() if len(key) > 1 or within[key[0]] < PART * len(said.held)
        }

    def title(self) -> str:
        """What the recording is about, from what is said of it most; "" if that is in doubt."""
        title = ""
        for phrase in self.between(0, self.sentences):
            longer = f"{title}, {phrase}" if title else phrase
            if len(longer) <= TITLE_CHARACTERS:
                title = longer
        return title[:1].upper() + title[1:]

    def between(self, first: int, last: int) -> list[str]:
        """At most three phrases that stand out between two sentences, the weightiest first: said there several times, and
        there more than elsewhere.
        """
        weights: dict[tuple[str, ...], float] = {}
        for key, phrase in self._named.items():
            here = bisect_left(phrase.held, last) - bisect_left(phrase.held, first)
            if here >= 2:
                weights[key] = here * len(key) * (here / len(phrase.held)) ** 0.5
        chosen: list[str] = []
        used: set[str] = set()
        for key in sorted(weights, key=lambda key: (-weights[key], key)):
            if not used & set(key) and len(chosen) < MOST:
                chosen.append(self._form(self._named[key]))
                used |= set(key)
        return chosen

    def _form(self, phrase: Phrase) -> str:
        """As it is said most, in small letters where it stood at the beginning of a sentence."""
        form = phrase.forms.most_common(1)[0][0]
        lower = form[:1].lower() + form[1:]
        return lower if self.language != "de" and phrase.forms[lower] else form


def _phrases_in(sentences: Sequence[Sentence], language: str) -> dict[tuple[str, ...], Phrase]:
    """The phrases of one to three topic words by their stems."""
    found: defaultdict[tuple[str, ...], Phrase] = defaultdict(Phrase)
    determiners = frozenset(phrases_for(language).get("determiners", ()))
    for index, sentence in enumerate(sentences):
        for before, run in runs_in(sentence.text, language):
            stems = [next(iter(content_words(word, language)), "") for word in run]
            for at, to in itertools.combinations(range(len(run) + 1), 2):
                key = tuple(stems[at:to])
                if to - at > LONGEST or "" in key:
                    continue
                phrase = found[key]
                phrase.forms[" ".join(run[at:to])] += 1
                if not phrase.held or phrase.held[-1] != index:
                    phrase.held.append(index)
                if language == "de":
                    phrase.noun += (at > 0 or before != "") and all(
                        w[:1].isupper() for w in (run[at], run[to - 1])
                    )
                else:
                    # Of "the new payment page" the last word is the noun, and what stands before it belongs to it.
                    phrase.noun += before in determiners and (at == 0 or to == len(run))
    return found


def runs_in(text: str, language: str) -> list[tuple[str, list[str]]]:
    """Neighbouring topic words, each run with the word before it in lower case ("" at a beginning)."""
    empty = empty_words_for(language).union(
        *(phrases_for(language).get(name, ()) for name in ("vague", "nobody"))
    )
    runs: list[tuple[str, list[str]]] = []
    for part in re.split(r"[^\w\s'’-]+", text):
        before, run = "", list[str]()
        for word in WORD.findall(re.sub(r"\b(\w{1,2}|dell|all|nell)['’]", r"\1 ", part)):
            if word.lower() in empty or len(word) < 3:
                if run:
                    runs.append((before, run))
                before, run = word.lower(), []
            else:
                run.append(word)
        if run:
            runs.append((before, run))
    return runs
