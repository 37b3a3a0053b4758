"""Whether something holds words of a recording: runs of words, whatever stands between them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote_plus

RUN, IN_NAMES, AMONG_OTHERS = 3, 2, 5
"""Words in a run. Two are found in any text; four miss a log line that has the first words of a sentence only. The name of
a process has 15 bytes, and that of a file few words. Among files that other people and programs write, three words in a row
("what about the") are nothing strange.
"""

SHORTEST = {RUN: 12, IN_NAMES: 8, AMONG_OTHERS: 18}
"""Letters that a run must have: "at the end" is in any text."""

Runs = frozenset[tuple[str, ...]]


def runs_of(texts: Iterable[str]) -> Runs:
    """All runs of words in these texts."""
    return frozenset(
        run
        for text in texts
        for length, shortest in SHORTEST.items()
        for run in _runs(_words(text), length)
        if sum(map(len, run)) >= shortest
    )


def found_in(text: str, runs: Runs, length: int = RUN) -> str | None:
    """The first run that a text holds, as it is or percent-encoded; None if it holds none."""
    for version in (text, unquote_plus(text)) if "%" in text or "+" in text else (text,):
        for run in _runs(_words(version), length):
            if run in runs:
                return " ".join(run)
    return None


def phrases_of(text: str) -> list[str]:
    """A few runs of four words as they stand in a text, from all over it."""
    words = re.findall(r"\S+", text)
    step = max(4, len(words) // 10)
    phrases = [" ".join(words[i : i + 4]) for i in range(0, len(words) - 3, step)][:10]
    return [phrase for phrase in phrases if len(phrase) > 15]


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())


def _runs(words: list[str], length: int) -> Iterable[tuple[str, ...]]:
    return zip(*(words[i:] for i in range(length)), strict=False)
