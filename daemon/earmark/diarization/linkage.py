"""Which prints are of one person: average linkage, and how many people there are without a threshold that needs luck. Pure.

The likeness of two groups is the mean over all pairs of their prints, weighted by seconds; it follows from the sums of the
prints alone, so that groups of groups are exact, and a recording of any length is done in parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from earmark.diarization.encoder import Prints, unit
from earmark.diarization.likeness import Doubt, Likeness
from earmark.speaking import MOST_PEOPLE

PART = 400
"""Pieces that are compared with one another; the time that takes grows with their square."""

COUNTS, COUNTS_OF_ALL = 6.0, 400
"""Seconds of a group whose joining says anything about where the line lies, and the part of all speech: of hours of one
person there are ever more groups of some seconds that are odd."""

LEAST = 4.0
"""Seconds of speech that make a person; who has less is taken for the likest of the others."""

MUCH = 15.0
"""Seconds of a group from which it means something that it is not much like the one that it joins."""

SMALL, SMALL_OF_ALL = 12.0, 0.1
"""Seconds of speech, and the part of all, below both of which a group is a person only if it is clearly unlike all others:
what one says while laughing or far from the microphone is unlike the rest, too, though less so."""


@dataclass(frozen=True, slots=True)
class People:
    """`of`: the number of the person of each piece, from 0, in no order. `clear`: it would have been the same people with
    another line, within reason, and nobody is put together out of parts that are as unlike as two who sound alike.
    """

    of: NDArray[np.int64]
    count: int
    clear: bool


@dataclass(frozen=True, slots=True)
class _Join:
    likeness: float
    one: int
    other: int
    seconds: float
    """Of the smaller of both."""


def people(
    prints: Prints,
    seconds: NDArray[np.float64],
    likeness: Likeness,
    wanted: tuple[int, int] = (1, MOST_PEOPLE),
    doubt: Doubt | None = None,
) -> People:
    """Who says each piece. `seconds`: how long each is; `likeness`: what that of two prints means; `wanted`: the fewest and
    the most people; `doubt`: what it takes more, where voices were not heard well.
    """
    if not len(prints):
        return People(np.zeros(0, np.int64), 0, clear=True)
    first = _parts(prints, seconds, likeness.sure_same)
    sums, weights = _summed(prints * seconds[:, None], seconds, first)
    joins = _joins(sums, weights)
    counts = max(COUNTS, float(weights.sum()) / COUNTS_OF_ALL)
    line, clear = _line(joins, counts, likeness)
    line = _for_count(joins, weights, line, wanted)
    groups = _settled(sums, weights, _cut(len(weights), joins, line), likeness.range[0], wanted[0])
    found = _dissolved(prints, seconds, groups[first])
    names, numbers = np.unique(found, return_inverse=True)
    if wanted[0] < wanted[1]:
        much = max(MUCH, counts)
        clear &= not any(line <= join.likeness < likeness.one for join in joins if join.seconds >= much)
        if doubt is not None:
            said = np.bincount(numbers, weights=seconds)
            clear &= _far(joins, line, counts, much, doubt) and (len(said) < 2 or said.min() >= doubt.least)
    return People(numbers.astype(np.int64), len(names), clear)


def _parts(prints: Prints, seconds: NDArray[np.float64], sure_same: float) -> NDArray[np.int64]:
    """A group for each piece: of a long recording those that are surely one person are joined part by part, and their groups
    again, until one look takes in all of them or no more are alike.
    """
    group = np.arange(len(prints))
    count = len(prints)
    while count > PART:
        sums, weights = _summed(prints * seconds[:, None], seconds, group)
        merged, after = np.zeros(count, np.int64), 0
        for at in range(0, count, PART):
            here = slice(at, at + PART)
            cut = _cut(len(weights[here]), _joins(sums[here], weights[here]), sure_same)
            names, numbers = np.unique(cut, return_inverse=True)
            merged[here] = after + numbers
            after += len(names)
        group = merged[group]
        if after == count:
            break
        count = after
    return group


def _summed(
    weighted: NDArray[np.float64], seconds: NDArray[np.float64], group: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    count = int(group.max()) + 1
    sums, weights = np.zeros((count, weighted.shape[1])), np.zeros(count)
    np.add.at(sums, group, weighted)
    np.add.at(weights, group, seconds)
    return sums, weights


def _joins(sums: NDArray[np.float64], seconds: NDArray[np.float64]) -> list[_Join]:
    """All joins in the order in which the likest two come first, down to one group."""
    sums, weights = sums.astype(np.float64), seconds.astype(np.float64)
    count = len(weights)
    likeness = (sums @ sums.T) / np.outer(weights, weights)
    np.fill_diagonal(likeness, -np.inf)
    found: list[_Join] = []
    for _ in range(count - 1):
        one, other = divmod(int(likeness.argmax()), count)
        found.append(_Join(float(likeness[one, other]), one, other, float(min(weights[one], weights[other]))))
        sums[one] += sums[other]
        weights[one] += weights[other]
        row = (sums @ sums[one]) / (weights * weights[one])
        row[one] = row[other] = -np.inf
        row[np.isneginf(likeness[one])] = -np.inf
        likeness[one], likeness[:, one] = row, row
        likeness[other], likeness[:, other] = -np.inf, -np.inf
    return found


def _cut(count: int, joins: Sequence[_Join], line: float) -> NDArray[np.int64]:
    """The group of each, with all joins above the line done."""
    group = np.arange(count)
    for join in joins:
        if join.likeness < line:
            break
        group[group == join.other] = join.one
    return group


def _line(joins: Sequence[_Join], counts: float, likeness: Likeness) -> tuple[float, bool]:
    """The middle of the widest gap between joins that count, within the range in which it has to lie; and if it is wide.
    `counts`: seconds of the smaller group of a join from which it does.
    """
    low, high = likeness.range
    inside = sorted(j.likeness for j in joins if j.seconds >= counts and low < j.likeness < high)
    marks = [low, *inside, high]
    width, at = max((b - a, a) for a, b in pairwise(marks))
    return at + width / 2, width >= likeness.clear


def _far(joins: Sequence[_Join], line: float, counts: float, much: float, doubt: Doubt) -> bool:
    """Whether all who are one person are clearly alike, and all others clearly are not."""
    one = all(join.likeness >= doubt.one for join in joins if join.likeness >= line and join.seconds >= much)
    return one and all(
        join.likeness < doubt.far for join in joins if join.likeness < line and join.seconds >= counts
    )


def _for_count(
    joins: Sequence[_Join], seconds: NDArray[np.float64], line: float, wanted: tuple[int, int]
) -> float:
    """The line that is nearest to this one and makes as many people as are wanted."""

    def count(at: float) -> int:
        _, numbers = np.unique(_cut(len(seconds), joins, at), return_inverse=True)
        return max(1, int((np.bincount(numbers, weights=seconds) >= LEAST).sum()))

    fewest, most = wanted
    if fewest <= count(line) <= most:
        return line
    edges = sorted({join.likeness for join in joins} | {1.01}, key=lambda edge: abs(edge - line))
    return next((at for edge in edges if fewest <= count(at := edge + 1e-9) <= most), line)


def _settled(
    sums: NDArray[np.float64],
    weights: NDArray[np.float64],
    group: NDArray[np.int64],
    unlike: float,
    fewest: int,
) -> NDArray[np.int64]:
    """The groups, without those small ones that are not clearly unlike whom they are likest, likest first."""
    while True:
        of, seconds = _summed(sums, weights, group)
        people_now = np.flatnonzero(seconds >= LEAST)
        small = [int(g) for g in people_now if seconds[g] < min(SMALL, SMALL_OF_ALL * float(seconds.sum()))]
        if not small or len(people_now) <= max(1, fewest):
            return group
        likeness = (of[small] @ of[people_now].T) / np.outer(seconds[small], seconds[people_now])
        likeness[np.array(small)[:, None] == people_now] = -np.inf
        row, column = divmod(int(likeness.argmax()), len(people_now))
        if likeness[row, column] < unlike:
            return group
        group = np.where(group == small[row], people_now[column], group)


def _dissolved(prints: Prints, seconds: NDArray[np.float64], group: NDArray[np.int64]) -> NDArray[np.int64]:
    """The pieces of groups that are too small for a person go to whom they are likest."""
    sums, weights = _summed(prints * seconds[:, None], seconds, group)
    least = min(LEAST, float(weights.max()))
    stays = np.flatnonzero(weights >= least)
    centers = unit(sums[stays].astype(np.float32))
    small = np.flatnonzero(weights[group] < least)
    found = group.copy()
    if len(small):
        found[small] = stays[(prints[small] @ centers.T).argmax(axis=1)]
    return found
