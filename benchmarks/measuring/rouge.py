"""ROUGE as rouge-score counts it without stemming (Lin, 2004): F of words, of pairs, and of the summary-level LCS.

Held against rouge-score 0.1.2 on the first validation meeting of QMSum: the same to six places.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

WORD = re.compile(r"[a-z0-9]+")


def words(text: str) -> list[str]:
    return WORD.findall(text.lower())


def recall(produced: Sequence[str], reference: str) -> float:
    """The share of the reference's words that were produced."""
    made, wanted = Counter(words(" ".join(produced))), Counter(words(reference))
    return (made & wanted).total() / max(1, wanted.total())


def rouge(produced: Sequence[str], reference: str) -> tuple[float, float, float]:
    """ROUGE-1, ROUGE-2 and ROUGE-Lsum, each the F of precision and recall."""
    made, wanted = words(" ".join(produced)), words(reference)
    one, two = (_overlap(_runs(made, n), _runs(wanted, n)) for n in (1, 2))
    left, right = Counter(made), Counter(wanted)
    hits = 0
    for sentence in re.split(r"(?<=[.!?]) ", reference):
        tokens = words(sentence)
        union: set[int] = set()
        for text in produced:
            union |= _lcs(tokens, words(text))
        for at in sorted(union):
            token = tokens[at]
            if left[token] > 0 and right[token] > 0:
                hits += 1
                left[token] -= 1
                right[token] -= 1
    return one, two, _f(hits, len(made), len(wanted))


def _runs(tokens: Sequence[str], length: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(tokens[i : i + length]) for i in range(len(tokens) - length + 1))


def _overlap(made: Counter[tuple[str, ...]], wanted: Counter[tuple[str, ...]]) -> float:
    return _f((made & wanted).total(), made.total(), wanted.total())


def _f(hits: int, made: int, wanted: int) -> float:
    return 2 * hits / (made + wanted) if hits else 0.0


def _lcs(a: Sequence[str], b: Sequence[str]) -> set[int]:
    """The places of `a` that are in its longest common subsequence with `b`."""
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, left in enumerate(a):
        for j, right in enumerate(b):
            table[i + 1][j + 1] = table[i][j] + 1 if left == right else max(table[i][j + 1], table[i + 1][j])
    i, j, found = len(a), len(b), set()
    while i and j:
        if a[i - 1] == b[j - 1]:
            found.add(i - 1)
            i, j = i - 1, j - 1
        elif table[i][j - 1] > table[i - 1][j]:
            j -= 1
        else:
            i -= 1
    return found
