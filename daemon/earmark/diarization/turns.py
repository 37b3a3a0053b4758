"""Pieces whose person is known become turns of a recording. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from earmark.diarization.encoder import Prints, unit
from earmark.diarization.linkage import people
from earmark.diarization.pieces import SHORTEST, Both, Piece
from earmark.speaking import MOST_PEOPLE, Turn

PAUSE = 1.0
"""Seconds of silence that a turn may have in it, if nobody else speaks meanwhile."""

MOST_NARROW = 2
"""People that can be told apart over a telephone; of more, two are often taken for one (benchmarks/speakers.py)."""

LEAST_LONG = 120.0
"""Seconds of a recording from which who says what is sure enough to be told."""


@dataclass(frozen=True, slots=True)
class Turns:
    """All turns by time. `count`: how many people; `unsure`: it is not known well enough to be told. `prints` has a row for
    each person, of so many `seconds` of speech, and none over a telephone.
    """

    turns: tuple[Turn, ...]
    count: int
    unsure: bool
    prints: Prints
    seconds: tuple[float, ...]


def turns_of(
    pieces: Sequence[Piece],
    prints: Prints,
    both: Iterable[Both],
    duration: float,
    wanted: tuple[int, int] = (1, MOST_PEOPLE),
    *,
    narrow: bool = False,
) -> Turns:
    """Who speaks when. `prints` has a row for each piece; `narrow`: it was heard over a telephone."""
    long_enough = np.array([piece.seconds >= SHORTEST for piece in pieces], np.bool_)
    heard = [int(i) for i in np.flatnonzero(long_enough)]
    found = people(prints[heard], np.array([pieces[i].seconds for i in heard]), wanted)
    if not found.count:
        return Turns((), 0, False, prints[:0], ())
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
    joined = _joined(sorted(spoken, key=lambda turn: (turn.start, turn.end)))
    unsure = not found.clear or duration < LEAST_LONG or (narrow and found.count > MOST_NARROW)
    order = _order(joined)
    numbered = tuple(replace(turn, speaker=order[turn.speaker]) for turn in joined)
    means, seconds = np.zeros((found.count, prints.shape[1]), np.float32), [0.0] * found.count
    for index, person in who.items():
        means[order[person] - 1] += prints[index] * pieces[index].seconds
        seconds[order[person] - 1] += pieces[index].seconds
    if narrow:
        # Nobody could be known again by them: strangers over a telephone sound alike (benchmarks/recognizing.py).
        return Turns(numbered, found.count, unsure, prints[:0], ())
    return Turns(numbered, found.count, unsure, unit(means), tuple(seconds))


def _joined(spoken: Sequence[Turn]) -> list[Turn]:
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


def _order(turns: Sequence[Turn]) -> dict[int, int]:
    """Which number each person gets: in the order in which they first speak."""
    order: dict[int, int] = {}
    for turn in turns:
        order.setdefault(turn.speaker, len(order) + 1)
    return order
