"""Which language is spoken where: pieces of a few seconds are asked for, and a change has to be worth it. Pure.

Whisper hears a passage in the one language it is told, and puts what is said in another into it or leaves it out. So the
speech of a window is cut into pieces at its quietest places, each piece says how probable each language is, and the best
way through the pieces is taken, in which each change of language costs (Viterbi's algorithm). A window depends on nothing
but its own samples and the recording's main language, so hearing may go on anywhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from earmark.transcription.engine import RATE, Engine, Samples
from earmark.transcription.windows import MOST_SPEECH, Windows

Odds = Mapping[str, float]
"""Probability by language code; what is missing is improbable."""

SHORTEST, PIECE = 3.0, 8.0
"""Seconds of speech in one piece, at least (but for the last one) and at most. Of less than SHORTEST Whisper cannot tell the
language, of more than PIECE a short remark in another language is lost.
"""

RARE, RARE_SHARE = frozenset({"la", "sa"}), 0.1
"""Languages that Whisper takes unclear speech for, and nobody is recorded in but on purpose, who can name them; and what
counts of their probability. Of telephone prompts in Spanish some pieces were Latin by 0.2, of a synthetic German voice all.
"""

PLAIN = 0.8
"""Probability of the main language, of a piece in its context, from which no other is looked for. In the mixtures of five
languages that were tried, each piece in another one had less than 0.1.
"""

LEAST = 1e-3
"""What a probability counts at least: Whisper is sure to three digits of what is wrong, too."""

CHANGE, FOREIGN, EDGE = 3.4, 0.5, 1.5
"""What a change of language costs, a piece that is not in the main one, and a window that begins or ends so, in nats. One
piece in another language is worth up to -ln(LEAST) = 6.9: enough at an end of a window, and in its middle it takes two.
Looked for on 700 s of LibriSpeech and on mixtures of five languages (docs/measurements.md).
"""

OUTSIDE = 0.25
"""Probability of all allowed languages together below which what is spoken is hardly in one of them. In 8 s of each of 16
recordings in six languages the right one had 0.68 at least, two wrong ones 0.06 together, and once 0.23 (base)."""

TO_SETTLE, MOST_WINDOWS = 40.0, 8
"""Seconds of speech by which the main language is settled, and the windows with speech that are asked at most."""


@dataclass(frozen=True, slots=True)
class Main:
    """The language that most of a recording is in, as far as its beginning tells. `probability`: 0-1, 0 without speech."""

    language: str
    probability: float


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch in one language: first sample and sample after the last, of the window's speech."""

    first: int
    last: int
    language: str


def pieces(speech: Samples) -> list[tuple[int, int]]:
    """The speech in pieces of SHORTEST to PIECE seconds, cut at the quietest tenth of a second: (first, after the last)."""
    found: list[tuple[int, int]] = []
    at, tenth = 0, RATE // 10
    while len(speech) - at > PIECE * RATE:
        first, last = at + int(SHORTEST * RATE), at + int(PIECE * RATE)
        last = min(last, len(speech) - int(SHORTEST * RATE))
        tries = range(first, max(last - tenth, first + 1), tenth // 2)
        loudness = [(float(np.mean(np.square(speech[t : t + tenth]))), t) for t in tries]
        cut = min(loudness)[1] + tenth // 2
        found.append((at, cut))
        at = cut
    if at < len(speech):
        found.append((at, len(speech)))
    return found


def limited(odds: Odds, allowed: Sequence[str]) -> Odds:
    """The odds among the allowed languages only; if none are named, of all, with RARE ones less probable."""
    if not allowed:
        return {code: share * (RARE_SHARE if code in RARE else 1.0) for code, share in odds.items()}
    kept = {code: odds.get(code, 0.0) + 1e-9 for code in allowed}
    total = sum(kept.values())
    return {code: share / total for code, share in kept.items()}


def best_way(odds: Sequence[Odds], seconds: Sequence[float], main: str | None = None) -> list[str]:
    """The language of each piece, by Viterbi's algorithm over what the pieces say and what CHANGE and FOREIGN cost.

    `seconds`: how long each piece is; a short one counts for less. Without `main` no language is foreign.
    """
    if not odds:
        return []
    states = sorted({max(o, key=lambda code: o[code]) for o in odds} | ({main} if main else set()))
    cost = dict.fromkeys(states, 0.0)
    came_from: list[dict[str, str]] = []
    for number, piece in enumerate(odds):
        weight = min(1.0, seconds[number] / SHORTEST)
        here, back = {}, {}
        for state in states:
            before = min(states, key=lambda s: cost[s] + (CHANGE if s != state else 0.0)) if number else state
            change = CHANGE if number and before != state else 0.0
            said = -math.log(max(piece.get(state, 0.0), LEAST)) * weight
            foreign = main is not None and state != main
            ends = (number == 0) + (number == len(odds) - 1)
            here[state] = cost[before] + change + said + (FOREIGN + EDGE * ends if foreign else 0.0)
            back[state] = before
        cost = here
        came_from.append(back)
    way = [min(states, key=lambda s: (cost[s], s != main))]
    for back in reversed(came_from[1:]):
        way.append(back[way[-1]])
    return way[::-1]


def stretches(engine: Engine, speech: Samples, main: str, allowed: Sequence[str] = ()) -> list[Stretch]:
    """The languages of a window's speech in order, each stretch as long as it lasts; at least one if there is speech."""
    cut = pieces(speech)
    if not cut:
        return []
    # In its context a piece costs next to nothing to ask, and is easily taken for its neighbor. That is enough to see that
    # nothing changes; where something may, each is asked for itself.
    within = (limited(odds, allowed) for odds in engine.language_odds_within(speech, cut))
    if all(odds.get(main, 0.0) >= PLAIN for odds in within):
        return [Stretch(0, len(speech), main)]
    odds = [limited(engine.language_odds(speech[first:last]), allowed) for first, last in cut]
    way = best_way(odds, [(b - a) / RATE for a, b in cut], main)
    found: list[Stretch] = []
    for (first, last), language in zip(cut, way, strict=True):
        if found and found[-1].language == language:
            found[-1] = Stretch(found[-1].first, last, language)
        else:
            found.append(Stretch(first, last, language))
    return found


def of_side(engine: Engine, speech: Samples, main: str, allowed: Sequence[str] = ()) -> str:
    """The language of most of what one side says in a window; it may be longer than an engine hears at once."""
    seconds: dict[str, int] = {}
    for first in range(0, len(speech), int(MOST_SPEECH * RATE)):
        for found in stretches(engine, speech[first : first + int(MOST_SPEECH * RATE)], main, allowed):
            seconds[found.language] = seconds.get(found.language, 0) + found.last - found.first
    return max(seconds, key=lambda code: (seconds[code], code == main)) if seconds else main


def settle(engine: Engine, blocks: Iterable[Samples], allowed: Sequence[str] = ()) -> Main:
    """The main language of a recording: the one of most of its first TO_SETTLE seconds of speech (of MOST_WINDOWS windows).

    Depends on the start of the recording only, so it is the same wherever hearing goes on. Without any speech: ("en", 0.0).
    """
    odds: list[Odds] = []
    seconds: list[float] = []
    windows, in_list = 0, 0.0
    for window in Windows(blocks, engine.voice):
        speech = window.speech()
        if len(speech) == 0:
            continue
        for first, last in pieces(speech):
            of_all = engine.language_odds(speech[first:last])
            odds.append(limited(of_all, allowed))
            seconds.append((last - first) / RATE)
            in_list += seconds[-1] * sum(of_all.get(code, 0.0) for code in allowed)
        windows += 1
        if sum(seconds) >= TO_SETTLE or windows >= MOST_WINDOWS:
            break
    if not odds:
        return Main("en", 0.0)
    way = best_way(odds, seconds)
    spoken = {code: sum(s for s, c in zip(seconds, way, strict=True) if c == code) for code in way}
    sure = 0.0
    for code, length in spoken.items():
        there = [n for n, c in enumerate(way) if c == code]
        sure += length * together([odds[n] for n in there], [seconds[n] for n in there])[code]
    sure, in_list = min(1.0, sure / sum(seconds)), in_list / sum(seconds)
    if allowed and in_list < OUTSIDE:
        sure = min(sure, in_list)
    return Main(max(spoken, key=lambda code: (spoken[code], code)), sure)


def together(odds: Sequence[Odds], seconds: Sequence[float]) -> dict[str, float]:
    """The odds of some pieces that are in one language: their geometric mean by seconds, to the power of their number.

    Pieces of one voice err alike, so that more than three of them make nothing surer.
    """
    total = sum(seconds)
    power = min(3.0, max(1.0, total / PIECE))
    codes = {code for piece in odds for code in piece}
    logs = {
        code: power * sum(math.log(max(o.get(code, 0.0), LEAST)) * s for o, s in zip(odds, seconds, strict=True)) / total
        for code in codes
    }  # fmt: skip
    most = max(logs.values())
    shares = {code: math.exp(log - most) for code, log in logs.items()}
    # What is as improbable as can be is not one of a hundred rivals.
    rivals = sum(s for code, s in shares.items() if logs[code] > power * math.log(LEAST) * 0.999)
    return {code: share / max(rivals, 1e-9) for code, share in shares.items()}
