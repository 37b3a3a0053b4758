"""Whose voices those of a recording are, as far as they are known: only where `remember_voices` asks for it.

Somebody is known once a person has named them in a recording whose voices are stored. What a voice only sounds like
never counts as known, so that a mistake does not grow.
"""

from __future__ import annotations

import json
import math
from array import array
from base64 import b64decode
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from sys import byteorder

from earmark.context import Context
from earmark.ledger.voices import Known, Print
from earmark.messages.voices import VoicePrint
from earmark.retention import receipts

SURE, MAYBE = 0.82, 0.72
"""Likeness from which a voice is somebody's, and from which it may be, as the d-vector encoder hears it. Two readers of the
corpus came to 0.75 at most; one and the same to 0.80 and more, half of those with noise around them to less than 0.82
(benchmarks/recognizing.py)."""

APART = 0.05
"""A voice is only surely somebody's if the next likest person is so much less like it."""

LEAST = 15.0
"""Seconds of speech from which a voice can be surely somebody's."""

MOST = 120.0
"""Seconds from which a recording of somebody counts no more than another: each has its own room and microphone."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A voice is somebody's, or `sure` is false, and it may be."""

    name: str
    sure: bool


def prints_of(voices: Sequence[VoicePrint], encoder: str) -> list[Print]:
    """The voices that a worker told of, by number, as they are kept. `encoder`: what made them."""
    return [Print(n, encoder, b64decode(v.print), v.seconds) for n, v in enumerate(voices, start=1)]


def recognized(known: Sequence[Known], prints: Sequence[Print]) -> dict[int, Guess]:
    """Who speaks, by number, as far as voices tell; all of them by the same encoder. Nobody is two of the speakers. Pure."""
    people = _people(known)
    voices = {p.speaker: (_numbers(p.print), p.seconds) for p in prints}
    likeness = {
        (speaker, name): _product(voice, mean)
        for speaker, (voice, _) in voices.items()
        for (name, size), mean in people.items()
        if len(voice) == size
    }
    found: dict[int, Guess] = {}
    taken: set[str] = set()
    for (speaker, name), like in sorted(likeness.items(), key=lambda item: (-item[1], item[0])):
        if like < MAYBE or speaker in found or name in taken:
            continue
        others = [value for (one, other), value in likeness.items() if one == speaker and other != name]
        rivals = [value for (one, other), value in likeness.items() if one != speaker and other == name]
        clear = like - max([-1.0, *others]) >= APART and like - max([-1.0, *rivals]) >= APART
        found[speaker] = Guess(name, like >= SURE and clear and voices[speaker][1] >= LEAST)
        taken.add(name)
    return found


def remember(
    context: Context,
    recording_id: str,
    prints: Sequence[Print],
    names: Sequence[str],
    *,
    unsure: bool = False,
) -> tuple[str, ...]:
    """Keep the voices of a recording in the place of any earlier ones, and say who is who: the names of its speakers, by
    number.

    `names`: those that they have by now; what a person said stands, but that somebody whose voice was forgotten is known by
    a name that was left there. Nothing is kept where nobody asked for it, where there
    is one voice, or where who says what is `unsure`. Call in the transaction that stores its speakers.
    """
    voices, now = context.ledger.voices, context.now()
    prints = [each for each in prints if each.speaker <= len(names)]
    if not context.config.remember_voices or unsure or len(prints) < 2:
        voices.drop(recording_id)
        return tuple(names)
    guessed = {*voices.likely(recording_id).values()} - voices.said(recording_id)
    guessed |= _forgotten(context, {*names} - {""})
    voices.store(recording_id, prints, now)
    by_person = {n: name for n, name in enumerate(names, start=1) if name and name not in guessed}
    for number, name in by_person.items():
        voices.say(recording_id, number, name, now)
    found = _among(voices.known(prints[0].encoder, recording_id), prints, by_person)
    for number, guess in found.items():
        voices.liken(recording_id, number, guess.name)
    sure = {n: guess.name for n, guess in found.items() if guess.sure and guess.name not in names}
    return tuple(name or sure.get(n, "") for n, name in enumerate(names, start=1))


def _forgotten(context: Context, names: Iterable[str]) -> set[str]:
    """Those of them whose voice was erased, and to whom none was said to belong since."""
    unknown = {name for name in names if context.ledger.voices.person(name) is None}
    if not unknown:
        return set()
    acts = (json.loads(each.body) for each in context.ledger.receipts.all() if each.act == "forgotten")
    whose = {act.get("person") for act in acts}
    return {name for name in unknown if whose & {receipts.keyed(context.ledger, name), "everybody"}}


def _among(known: Sequence[Known], prints: Sequence[Print], by_person: Mapping[int, str]) -> dict[int, Guess]:
    """Those who were not named, among those who are nobody there."""
    there = {*by_person.values()}
    others = [each for each in known if each.name not in there]
    return recognized(others, [p for p in prints if p.speaker not in by_person])


def _people(known: Sequence[Known]) -> dict[tuple[str, int], list[float]]:
    """The mean voice of each, by name and how many numbers it has: others than the encoder makes spoil none of those."""
    sums: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
    for each in known:
        weight = min(each.seconds, MOST)
        voice = [number * weight for number in _numbers(each.print)]
        before = sums[each.name, len(voice)]
        sums[each.name, len(voice)] = [a + b for a, b in zip(before, voice, strict=True)] if before else voice
    return {person: _unit(total) for person, total in sums.items() if total}


def _numbers(print_: bytes) -> list[float]:
    """A print as numbers, of length 1; without any, if these bytes are none."""
    numbers = array("f")
    numbers.frombytes(print_[: len(print_) // 4 * 4])
    if byteorder == "big":
        numbers.byteswap()
    return _unit(numbers.tolist())


def _unit(numbers: list[float]) -> list[float]:
    length = math.sqrt(sum(number * number for number in numbers))
    return [number / length for number in numbers] if 0 < length < math.inf else []


def _product(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))
