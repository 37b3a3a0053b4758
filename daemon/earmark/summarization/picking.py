"""Which sentences stand for the whole, by counting words. Pure; a tenth of a second for an hour of speech.

A word counts for more the more sentences hold it, and for less once a picked sentence holds it; a sentence counts for the
words that it holds, for its length, and for standing on its own: what speaks of I and you, or points at something ("that",
"there"), says little to somebody who was not there. The method is SumBasic's (Nenkova and Vanderwende, "The Impact of
Frequency on Summarization", 2005) with the weights of what did best on the validation meetings of QMSum (Zhong et al., 2021;
benchmarks/summaries.py).
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from earmark.domain import Seconds
from earmark.summarization.cues import phrases_for
from earmark.summarization.sentences import Sentence
from earmark.summarization.tidying import tidied
from earmark.summarization.words import (
    content_words,
    empty_words_for,
    length_in_words,
    stop_words_for,
    words_in,
)

WORDS = 150
"""In all, picked for a recording that has more than three times as many."""
SHORTEST, LONGEST = 5, 35
"""Words of a sentence that can stand for others."""
FEWEST = 3
"""Different words that carry a topic."""
OFTEN = 3
"""Sentences from which on a word counts in a long recording."""
FADES = 0.6
"""What a word still counts after each sentence that holds it was picked."""
LENGTH = 0.65
"""Exponent of the length by which a sentence's words are divided: 0 would pick long sentences, 1 short ones."""
ADDRESSING, POINTING = 5.0, 3.0
"""How much the share of "I", "you" (and half of "we"), and of "it", "that", "there", takes away."""
OPENING, FIRST = 2.0, 0.1
"""What a sentence counts for at the very beginning, falling to 1 at this share of the recording."""
TENTHS, CROWDED, DAY = 10, 0.5, 3 * 3600
"""What a sentence counts for after each that was picked from the same tenth of a recording of so many seconds or more. In
shorter ones, meetings among them, that picks worse sentences.
"""
ALIKE = 85
"""rapidfuzz token_set_ratio (0-100) from which two sentences say the same."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What counting made of a sentence. `terms` carry topics, in order; `value` is what all else makes of each."""

    terms: tuple[str, ...]
    length: int
    value: float


def shown(sentences: Sequence[Sentence], language: str) -> list[Sentence]:
    """The sentences without fillers and stammers; the times stay."""
    return [Sentence(tidied(s.text, language), s.start, s.end, s.speaker) for s in sentences]


def pick(
    sentences: Sequence[Sentence],
    language: str,
    words: int = WORDS,
    without: Collection[Seconds | None] = (),
) -> list[int]:
    """The numbers of the sentences that stand for all, the best first, of about so many words together. `without`: the
    times of those that stand elsewhere already.
    """
    counted = [_counted(sentence, sentences, language) for sentence in sentences]
    weights = weights_of([c.terms for c in counted], tempered=not stop_words_for(language))
    free = [i for i, sentence in enumerate(sentences) if sentence.start not in without]
    spoken = [
        i for i in free if SHORTEST <= counted[i].length <= LONGEST and len(set(counted[i].terms)) >= FEWEST
    ]
    terms = {
        i: frozenset(t for t in (*counted[i].terms, *_pairs(counted[i].terms)) if t in weights)
        for i in spoken
    }
    # What holds no word that comes back says something too; it comes last, as it was said.
    left = [i for i in spoken if terms[i]] or spoken or free or [0]
    end = max((sentence.end for sentence in sentences), default=0.0)
    crowd: Counter[int] = Counter()
    crowded = CROWDED if end >= DAY else 1.0
    where = [int(TENTHS * sentence.start / (end + 1.0)) for sentence in sentences]
    picked: list[int] = []
    used = 0

    def worth(i: int) -> float:
        return counted[i].value * crowded ** crowd[where[i]] * sum(weights[t] for t in terms.get(i, ()))

    while left:
        best = max(left, key=worth)
        left.remove(best)
        if picked and used + counted[best].length / 2 > words:
            break
        text = sentences[best].text
        if any(fuzz.token_set_ratio(text, sentences[other].text) >= ALIKE for other in picked):
            continue
        picked.append(best)
        crowd[where[best]] += 1
        used += counted[best].length
        for term in terms.get(best, ()):
            weights[term] *= FADES
    return picked


def _counted(sentence: Sentence, sentences: Sequence[Sentence], language: str) -> Counted:
    phrases = phrases_for(language)
    said = [word.replace("’", "'").split("'")[0] for word in words_in(sentence.text)]
    length = max(1, length_in_words(sentence.text))

    def share(name: str) -> float:
        listed = frozenset(phrases.get(name, ()))
        return sum(word in listed for word in said) / length

    end = sentences[-1].end or 1.0
    standing = math.exp(
        -ADDRESSING * (share("me_and_you") + 0.5 * share("us")) - POINTING * share("pointing")
    )
    opening = max(1.0, OPENING - (OPENING - 1.0) * sentence.start / end / FIRST)
    terms = tuple(content_words(sentence.text, language, empty_words_for(language)))
    return Counted(terms, length, standing * opening / length**LENGTH)


def _pairs(terms: Sequence[str]) -> list[str]:
    """Neighbours: what is said together several times is a name for something."""
    return [f"{a} {b}" for a, b in itertools.pairwise(terms)]


def weights_of(sentences: Sequence[Sequence[str]], tempered: bool = False) -> dict[str, float]:
    """What each word and pair counts for that is in enough sentences. `tempered`: those that are in most count little,
    for languages without a list of stop words.
    """
    often = min(OFTEN, 1 + len(sentences) // 30)
    held = Counter(term for terms in sentences for term in {*terms, *_pairs(terms)})
    return {
        term: math.log1p(count) * (math.log((1 + len(sentences)) / count) if tempered else 1.0)
        for term, count in held.items()
        if count >= (often if " " not in term else max(often, 2))
    }
