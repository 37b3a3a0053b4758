"""Reading Whisper's answer: runs of text tokens between time tokens, and how far the model got. Pure.

The rules are those of openai/whisper and faster-whisper (`_split_segments_by_timestamps`, MIT), but for UNSAID.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

STEP = 0.02
"""Seconds between two neighbouring time tokens."""

UNSAID = 1.5
"""Seconds of speech after the last word from which the model is asked again. Whisper takes an answer that ends with a
time to mean that the rest is silence; but silence has been left out here, and whole sentences were lost to that."""

LEAST_PROGRESS = 1.0
"""Seconds; an answer that would go on from less than this is taken as it is, so that hearing never stands still."""


def split(
    tokens: Sequence[int], first_time: int, seconds: float
) -> tuple[list[tuple[float, float, list[int]]], float]:
    """(start, end, tokens) of each run, and the second up to which the answer is complete.

    `first_time`: the token for 0.00; greater ones are times. `seconds`: length of what was heard. A run whose end the
    model did not write is left out, to be heard again from its start, unless the answer holds nothing else.
    """
    pairs = [at for at in range(1, len(tokens)) if tokens[at] >= first_time and tokens[at - 1] >= first_time]
    ends_with_one = len(tokens) >= 2 and tokens[-2] < first_time <= tokens[-1]

    def second(token: int) -> float:
        return min((token - first_time) * STEP, seconds)

    runs: list[tuple[float, float, list[int]]] = []
    if pairs:
        edges = [0, *pairs, *([len(tokens)] if ends_with_one else [])]
        for a, b in itertools.pairwise(edges):
            run = list(tokens[a:b])
            first = second(run[0]) if run[0] >= first_time else 0.0
            last = second(run[-1]) if run[-1] >= first_time else seconds
            if last > first:  # words that took no time are what Whisper adds at a seam, mostly "You"
                runs.append((first, last, run))
        reached = second(tokens[-1] if ends_with_one else tokens[pairs[-1] - 1])
        if ends_with_one and seconds - reached < UNSAID:
            reached = seconds
        if reached >= min(LEAST_PROGRESS, seconds):
            return runs, reached
        if not ends_with_one:
            runs.append((reached, seconds, list(tokens[pairs[-1] :])))
        return runs, seconds
    times = [t for t in tokens if t > first_time]
    end = second(times[-1]) if times else seconds
    reached = end if ends_with_one and end >= LEAST_PROGRESS and seconds - end >= UNSAID else seconds
    return [(0.0, end, list(tokens))], reached
