"""When each word is said: the engine says which of its tokens is heard when, and the tokens say which letters they are.

The rules are those of openai/whisper and faster-whisper (`find_alignment`, `merge_punctuations`, MIT): a word ends where
what follows its last letter begins, so that a pause behind a comma is no part of it. Pure.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from earmark.domain import Seconds, WordTimes
from earmark.spacing import between_words
from earmark.transcription.windows import FRAME, QUIET

STATE = 0.02
"""Seconds of one state of the encoder (openai/whisper): what an alignment counts in."""

PAUSE = 5
"""Frames of quiet in a row, 0.16 s, from which they are no part of a word: an alignment gives a pause to the word behind it.
Measured on 215 sentences of the corpus, by where their first words begin: half of these are within 0.2 s of each other, and
0.4 without this; of fifty, one is more than 0.25 s before its sentence, and without this 1.5.
"""

LEAST_VOICE = 2
"""Frames, 0.06 s, that are left of a word."""

UNREADABLE = "\N{REPLACEMENT CHARACTER}"
"""What stands for bytes that are no text."""


def begins(alignment: Iterable[tuple[int, int]], tokens: int) -> list[Seconds] | None:
    """The second at which each of so many tokens begins, and behind them what ends them; None if the alignment is not one of
    these tokens. `alignment`: pairs of a token's number and a state of the encoder, in order.
    """
    found: list[Seconds] = []
    for token, state in alignment:
        if token == len(found):
            found.append(state * STATE)
        elif token != len(found) - 1:
            return None
    return found if len(found) == tokens + 1 and found == sorted(found) else None


def word_times(said: str, sizes: Sequence[int], times: Sequence[Seconds]) -> WordTimes:
    """When each word of `said`, without the blanks around it, is said; empty if the tokens are not those of this text.

    `sizes`: how many bytes of UTF-8 each token is. `times`: as `begins` says them.
    """
    edges = [0, *accumulate(sizes)]
    letters = [0, *accumulate(len(char.encode()) for char in said)]
    if letters[-1] != edges[-1] or len(times) != len(edges) or UNREADABLE in said:
        return ()
    tokens = [bisect_right(edges, at) - 1 for at in letters[:-1]]
    starts = [at for at in range(len(said)) if _begins_word(said, at, letters[at] in edges)]
    found: list[tuple[Seconds, Seconds, int]] = []
    blank = len(said) - len(said.lstrip())
    for at, after in pairwise([*starts, len(said)]):
        last = next((n for n in reversed(range(at, after)) if said[n].isalnum()), at)
        found.append((times[tokens[at]], times[tokens[last] + 1], at - blank))
    return tuple(found)


def spoken(first: int, last: int, voice: NDArray[np.float32]) -> tuple[int, int]:
    """The samples of a word without the pause before it, or else behind it. `voice`: probability of speech per FRAME."""
    frame, stop = first // FRAME, last // FRAME
    pauses = []
    for quiet, run in groupby(voice[frame:stop] < QUIET):
        length = len(list(run))
        if quiet and length >= PAUSE:
            pauses.append((frame, frame + length))
        frame += length
    if pauses and stop - pauses[-1][1] >= LEAST_VOICE:
        return pauses[-1][1] * FRAME, last
    if pauses and pauses[0][0] - first // FRAME >= LEAST_VOICE:
        return first, pauses[0][0] * FRAME
    return first, last


def moved(words: WordTimes, to: Callable[[Seconds], Seconds]) -> WordTimes:
    """The words at other times."""
    return tuple((to(start), to(end), at) for start, end, at in words)


def within(words: Sequence[tuple[Seconds, Seconds, int]], first: Seconds, last: Seconds) -> WordTimes:
    """The words between two seconds, forward, in hundredths of a second: a little before and behind them is rounded off."""
    found: list[tuple[Seconds, Seconds, int]] = []
    now = first
    for start, end, at in words:
        now = min(max(now, round(start, 2)), last)
        found.append((now, min(max(now, round(end, 2)), last), at))
    return tuple(found)


def respelled(words: WordTimes, first: int, last: int, letters: int) -> WordTimes:
    """The words of a text in which the characters `first` up to (not with) `last` became so many `letters`: what began among
    them is one word now.
    """
    found = [word for word in words if word[2] < first]
    among = [word for word in words if first <= word[2] < last]
    if among and (among[0][2] == first or not found):
        found.append((among[0][0], among[-1][1], first))
    elif among:  # they began within a word, behind a quotation mark
        found[-1] = (found[-1][0], among[-1][1], found[-1][2])
    after = [(start, end, at - (last - first) + letters) for start, end, at in words if at >= last]
    return (*found, *after)


def _begins_word(text: str, at: int, token: bool) -> bool:
    """Whether a word begins at this character. `token`: a token does."""
    if text[at].isspace():
        return False
    if at == 0 or text[at - 1].isspace():
        return True
    return token and unicodedata.category(text[at])[0] in "LN" and between_words(text, at)
