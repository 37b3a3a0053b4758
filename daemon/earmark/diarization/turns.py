"""Pieces whose person is known become turns of a recording. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from earmark.diarization.encoder import Prints, unit
from earmark.diarization.likeness import Likeness
from earmark.diarization.linkage import people
from earmark.diarization.pieces import SHORTEST, Both, Piece
from earmark.speaking import LEAST_LONG, MOST_PEOPLE, Turn

PAUSE = 1.0
"""Seconds of silence that a turn may have in it, if nobody else speaks meanwhile."""


@dataclass(frozen=True, slots=True)
class Turns:
    """All turns by time. `count`: how many people; `unsure`: it is not known well enough to be told. `prints` has a row for
    each person, of so many `seconds` of speech, and none over a telephone.
    """

    turns: tuple[Turn, ...]
    count: int
    unsure: bool
    prints: Prints = field(default_factory=lambda: np.zeros((0, 1), np.float32))
    seconds: tuple[float, ...] = ()


def turns_of(
    pieces: Sequence[Piece],
    prints: Prints,
    both: Iterable[Both],
    duration: float,
    likeness: Likeness,
    wanted: tuple[int, int] = (1, MOST_PEOPLE),
    *,
    narrow: bool = False,
    poor: bool = False,
) -> Turns:
    """Who speaks when. `prints` has a row for each piece, and `likeness` says what that of two means; `narrow`: it was heard
    over a telephone; `poor`: there, or in noise.
    """
    long_enough = np.array([piece.seconds >= SHORTEST for piece in pieces], np.bool_)
    heard = [int(i) for i in np.flatnonzero(long_enough)]
    doubt = likeness.doubt if poor else None
    found = people(prints[heard], np.array([pieces[i].seconds for i in heard]), likeness, wanted, doubt)
    if not found.count:
        return Turns((), 0, unsure=False)
    who = dict(zip(heard, found.of.tolist(), strict=True))
    votes: dict[tuple[int, int], Counter[int]] = {}
    for index, person in who.items():
        votes.setdefault((pieces[index].window, pieces[index].voice), Counter())[person] += 1
    spoken = [Turn(pieces[index].start, pieces[index].end, person) for index, person in who.items()]
    for index in np.flatnonzero(~long_enough).tolist():
        piece = pieces[index]
        if (said := votes.get((piece.window, piece.voice))) is not None:
            spoken.append(Turn(piece.start, piece.end, said.most_common(1)[0][0]))
    for one in both:
        named = {votes[one.window, v].most_common(1)[0][0] for v in one.voices if (one.window, v) in votes}
        spoken += [Turn(one.start, one.end, person, overlapped=True) for person in named]
    by_time = joined(sorted(spoken, key=lambda turn: (turn.start, turn.end)))
    unsure = not found.clear or duration < LEAST_LONG or (narrow and found.count > likeness.most_narrow)
    if narrow and found.count == 1 and wanted != (1, 1):
        # Two who sound alike over a telephone are one, and nothing shows it (docs/measurements.md).
        unsure = True
    if narrow:
        # Nobody could be known again by them: strangers over a telephone sound alike (benchmarks/recognizing.py).
        return Turns(numbered(by_time), found.count, unsure)
    return Turns(numbered(by_time), found.count, unsure, *means(pieces, prints, who, order(by_time)))


def joined(spoken: Sequence[Turn]) -> list[Turn]:
    """What one person says in a row, in one."""
    found: list[Turn] = []
    for turn in spoken:
        last = found[-1] if found else None
        if (
            last is not None
            and last.speaker == turn.speaker
            and last.overlapped == turn.overlapped
            and turn.start - last.end <= PAUSE
        ):
            found[-1] = replace(last, end=max(last.end, turn.end))
        else:
            found.append(turn)
    return found


def numbered(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """The same turns, with people numbered in the order in which they begin to speak."""
    number = order(turns)
    return tuple(replace(turn, speaker=number[turn.speaker]) for turn in turns)


def means(
    pieces: Sequence[Piece], prints: Prints, who: Mapping[int, int], number: Mapping[int, int]
) -> tuple[Prints, tuple[float, ...]]:
    """The print of each person, and of how many seconds: of the pieces that are theirs (`who`, by index), a row each, by
    their `number`, from 1.
    """
    found, seconds = np.zeros((len(number), prints.shape[1]), np.float32), [0.0] * len(number)
    for index, person in who.items():
        found[number[person] - 1] += prints[index] * pieces[index].seconds
        seconds[number[person] - 1] += pieces[index].seconds
    return unit(found), tuple(seconds)


def order(turns: Sequence[Turn]) -> dict[int, int]:
    """The number of each person, in the order in which they begin to speak."""
    found: dict[int, int] = {}
    for turn in turns:
        found.setdefault(turn.speaker, len(found) + 1)
    return found
