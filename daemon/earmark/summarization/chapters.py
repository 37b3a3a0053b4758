"""Jump marks: where in a long recording the words change, found by dynamic programming over word counts. Pure.

Each stretch is taken for a text of its own, with its own word frequencies; the cuts that make the whole cheapest to write
down win (Utiyama and Isahara, "A Statistical Model for Domain-Independent Text Segmentation", 2001; Eisenstein and Barzilay,
"Bayesian Unsupervised Topic Segmentation", 2008). About half of the places at which people see another topic begin have a
mark within a minute: good to jump to, not to quote.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence

from earmark.domain import Point, Seconds
from earmark.summarization.sentences import Sentence
from earmark.summarization.topics import Topics
from earmark.summarization.words import content_words, empty_words_for

LONG: Seconds = 15 * 60
"""A shorter recording is looked through without jump marks."""
STEP: Seconds = 20
"""Cuts are looked for at sentences so far apart."""
SHORTEST, LONGEST = 2 * 60, 20 * 60
"""Seconds of a stretch."""
EACH: Seconds = 6 * 60
"""Seconds of a recording that a jump mark stands for, about."""
MOST = 24
UNSEEN = 0.1
"""How often a word counts as said in a stretch before it is said there."""


def jump_marks(sentences: Sequence[Sentence], language: str) -> tuple[Point, ...]:
    """Times at which other words begin, each with up to three phrases that are said there; none in a short recording, and
    none where no phrase can be named.
    """
    if not sentences or sentences[-1].end - sentences[0].start < LONG:
        return ()
    empty = empty_words_for(language)
    terms = [content_words(s.text, language, empty) for s in sentences]
    spoken_of = Topics(sentences, language, sure=False)
    marks = []
    for first, last in stretches(sentences, terms):
        named = spoken_of.between(first, last)
        if named:
            marks.append(Point(", ".join(named), sentences[first].start))
    return tuple(marks)


def stretches(sentences: Sequence[Sentence], terms: Sequence[Sequence[str]]) -> list[tuple[int, int]]:
    """The numbers of the first sentence of each stretch, and of the one after its last."""
    often = Counter(term for held in terms for term in held)
    starts = _places(sentences)
    texts = [
        [t for i in range(first, last) for t in terms[i] if often[t] > 1]
        for first, last in zip(starts, [*starts[1:], len(sentences)], strict=True)
    ]
    times = [sentences[i].start for i in starts] + [sentences[-1].end]
    length = times[-1] - times[0]
    count = min(MOST, max(2, round(length / EACH)))
    vocabulary = max(2, len(often))
    shortest, longest = min(SHORTEST, length / count / 2), max(LONGEST, 2 * length / count)
    # best[k][j]: the cheapest way to write what comes before place j in k stretches.
    best = [[math.inf] * (len(times)) for _ in range(count + 1)]
    come_from = [[0] * len(times) for _ in range(count + 1)]
    best[0][0] = 0.0
    for i in range(len(texts)):
        for j, cost in _costs(texts, times, i, vocabulary, longest):
            if times[j] - times[i] < shortest:
                continue
            for k in range(count):
                if best[k][i] + cost < best[k + 1][j]:
                    best[k + 1][j], come_from[k + 1][j] = best[k][i] + cost, i
    k = next((k for k in range(count, 0, -1) if best[k][-1] < math.inf), 0)
    cuts, j = [len(sentences)], len(texts)
    while k:
        j, k = come_from[k][j], k - 1
        cuts.append(starts[j])
    cuts.reverse()
    return list(itertools.pairwise(cuts))


def _places(sentences: Sequence[Sentence]) -> list[int]:
    """The sentences at which a stretch may begin."""
    places = [0]
    for i, sentence in enumerate(sentences):
        if sentence.start - sentences[places[-1]].start >= STEP:
            places.append(i)
    return places


def _costs(
    texts: Sequence[Sequence[str]], times: Sequence[Seconds], first: int, vocabulary: int, longest: Seconds
) -> list[tuple[int, float]]:
    """What it costs to write the texts from `first` up to each later one as one stretch, in nats."""
    counts: Counter[str] = Counter()
    total, cost = 0, 0.0
    found = []
    for j in range(first, len(texts)):
        if j > first and times[j + 1] - times[first] > longest:
            break
        for term in texts[j]:
            cost += math.log((total + vocabulary * UNSEEN) / (counts[term] + UNSEEN))
            counts[term] += 1
            total += 1
        found.append((j + 1, cost))
    return found
