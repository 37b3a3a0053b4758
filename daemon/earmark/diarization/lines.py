"""Who says what in a call: whoever is on a line, one person each unless it is clear that there are several. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from earmark.diarization.calls import PER_SECOND, Call, Frames
from earmark.diarization.encoder import Prints, unit
from earmark.diarization.likeness import Likeness
from earmark.diarization.linkage import people
from earmark.diarization.pieces import SHORTEST, Both, Piece
from earmark.diarization.turns import Turns, joined, means, numbered, order
from earmark.speaking import LEAST_LONG, MOST_PEOPLE, Turn

ITS_OWN, ANOTHERS = 0.8, 0.2
"""Share of a piece in which its side speaks at least, and any other at most, for its print to be of that side."""

PAUSES = 10
"""How many times as far a pause is as speech, where it is asked who of a line is nearest."""

Numbers = NDArray[np.int64]
"""The number of a person for each frame."""


@dataclass(frozen=True, slots=True)
class _Line:
    """One side: when it speaks, and, of all pieces by their index, those that are its own, and those that are so mostly."""

    active: Frames
    own: tuple[int, ...]
    mostly: tuple[int, ...]


def turns_in_call(
    call: Call,
    pieces: Sequence[Piece],
    prints: Prints,
    both: Iterable[Both],
    duration: float,
    likeness: Likeness,
    wanted: tuple[int, int] = (1, MOST_PEOPLE),
    *,
    narrow: bool = False,
) -> Turns | None:
    """Who speaks when, by the lanes; None if these are not as many people as are wanted, or if one voice is on two of them.
    The rest as in `turns_of`.
    """
    fewest, most = wanted
    lines = _lines(call, pieces)
    if not narrow and any(_one_voice(a, b, pieces, prints, likeness) for a, b in combinations(lines, 2)):
        return None
    people_of: list[tuple[Numbers, int]] = [(np.zeros(len(line.active), np.int64), 1) for line in lines]
    if duration >= LEAST_LONG and most > len(lines):
        said = [*pieces, *(Piece(b.start, b.end, b.window, voice) for b in both for voice in b.voices)]
        people_of = [_on(line, said, prints, likeness) for line in lines]
    count = sum(several for _, several in people_of)
    if not fewest <= count <= most:
        return None
    at_once = np.count_nonzero(call.active, axis=0) > 1
    spoken: list[Turn] = []
    whose: dict[int, int] = {}
    before = 1
    for line, (number, several) in zip(lines, people_of, strict=True):
        spoken += _turns(np.where(line.active, before + number, 0), at_once)
        whose |= {index: before + int(number[_frames(pieces[index]).start]) for index in line.own}
        before += several
    spoken.sort(key=lambda turn: (turn.start, turn.end))
    by_time = joined(spoken)
    if narrow or len(set(whose.values())) < count:
        return Turns(numbered(by_time), count, unsure=narrow and count > len(lines))
    return Turns(numbered(by_time), count, False, *means(pieces, prints, whose, order(by_time)))


def _lines(call: Call, pieces: Sequence[Piece]) -> list[_Line]:
    found: list[tuple[list[int], list[int]]] = [([], []) for _ in call.active]
    for index, piece in enumerate(pieces):
        here = _frames(piece)
        if piece.seconds < SHORTEST or not here.start < min(here.stop, call.active.shape[1]):
            continue
        shares = call.active[:, here].mean(axis=1)
        side = int(shares.argmax())
        own, mostly = found[side]
        others = float(np.delete(shares, side).max())
        if shares[side] >= ITS_OWN and others <= ANOTHERS:
            own.append(index)
        elif shares[side] > max(0.5, others):
            mostly.append(index)
    return [
        _Line(active, tuple(own), tuple(mostly))
        for active, (own, mostly) in zip(call.active, found, strict=True)
    ]


def _one_voice(one: _Line, other: _Line, pieces: Sequence[Piece], prints: Prints, likeness: Likeness) -> bool:
    """Whether who speaks on two lines is surely one person: a voice that was moved from one channel to the other."""
    if not one.own or not other.own:
        return False
    means = []
    for line in (one, other):
        weights = np.array([pieces[index].seconds for index in line.own])
        means.append(weights @ prints[list(line.own)] / weights.sum())
    return bool(np.dot(*means) >= likeness.sure_same)


def _on(line: _Line, pieces: Sequence[Piece], prints: Prints, likeness: Likeness) -> tuple[Numbers, int]:
    """Who of the people on a line speaks, for each frame, from 0, and how many they are."""
    number: Numbers = np.full(len(line.active), -1, np.int64)
    own = list(line.own)
    weights = np.array([pieces[index].seconds for index in own])
    found = people(prints[own], weights, likeness)
    if found.count < 2 or not found.clear:
        return np.zeros_like(number), 1
    who = dict(zip(own, found.of.tolist(), strict=True))
    votes: dict[tuple[int, int], Counter[int]] = {}
    for index, person in who.items():
        votes.setdefault((pieces[index].window, pieces[index].voice), Counter())[person] += 1
    for piece in pieces:
        if (voted := votes.get((piece.window, piece.voice))) is not None:
            number[_frames(piece)] = voted.most_common(1)[0][0]
    centers = np.stack([weights[found.of == n] @ prints[own][found.of == n] for n in range(found.count)])
    likest = (prints[list(line.mostly)] @ unit(centers.astype(np.float32)).T).argmax(axis=1)
    for index, person in (*zip(line.mostly, likest.tolist(), strict=True), *who.items()):
        number[_frames(pieces[index])] = person
    # In between it is who is nearest, rather in the same breath than behind a pause.
    known = np.flatnonzero(number >= 0)
    way = np.cumsum(np.where(line.active, 1, PAUSES))
    edges = np.searchsorted(way, (way[known[1:]] + way[known[:-1]]) / 2)
    return np.repeat(number[known], np.diff([0, *edges.tolist(), len(number)])), found.count


def _frames(piece: Piece) -> slice:
    return slice(round(piece.start * PER_SECOND), round(piece.end * PER_SECOND))


def _turns(person: Numbers, at_once: Frames) -> list[Turn]:
    """A turn for each run of frames of one person. 0: nobody."""
    state = np.where(person > 0, 2 * person + at_once, 0)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], state, [0]))))
    return [
        Turn(a / PER_SECOND, b / PER_SECOND, int(state[a]) // 2, overlapped=bool(state[a] % 2))
        for a, b in pairwise(edges.tolist())
        if state[a]
    ]
