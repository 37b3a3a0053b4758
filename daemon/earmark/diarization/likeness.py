"""What the likeness of two prints means: each kind of encoder has its own, as it was measured with one of that kind."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Doubt:
    """What it takes over a telephone or in noise for it to be sure how many people there are: nobody is put together out of
    groups that are less alike than `one`, no two people are as alike as `far`, and everybody says so many seconds.
    """

    one: float
    far: float
    least: float = 12.0
    """Who read in a room in which others talked, 15 dB softer, was two, with 4 and 6 s for the second."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """All but the last two are likenesses, from -1 to 1."""

    sure_same: float
    """From this pieces in one part of a long recording are joined at once: two people never come to it."""

    range: tuple[float, float]
    """Between these lies the line between two people and one."""

    clear: float
    """So wide around the line, no two groups join; from this it is clear."""

    one: float
    """From this two groups that join are surely one person; below it, above the line, they may be two that sound alike."""

    most_narrow: int
    """People that can be told apart over a telephone; of more, two are often taken for one."""

    doubt: Doubt


D_VECTOR = Likeness(
    sure_same=0.66, range=(0.42, 0.62), clear=0.07, one=0.56, most_narrow=2, doubt=Doubt(0.66, 0.40)
)
"""Groups of at least 6 s that were of one person joined at 0.55 and more, those of two at 0.51 and less (mixes of ten
readers, not over a telephone; tests/mixes.py, benchmarks/speakers.py)."""

D_VECTOR_NARROW = replace(D_VECTOR, one=0.60, doubt=Doubt(0.73, 0.40))
"""Over a telephone groups of three and more people that were taken for fewer joined at 0.60 and less, those of one at 0.56
and more; some of two at 0.72, which nothing tells from one (docs/measurements.md)."""

FILTER_BANKS = Likeness(
    sure_same=0.55, range=(0.25, 0.50), clear=0.07, one=0.33, most_narrow=2, doubt=Doubt(0.50, 0.30)
)
"""Measured with CAM++ on the same readers: groups of one person joined at 0.41 and more, mostly from 0.50, those of two at
0.24 and less, so that any line between 0.25 and 0.45 found the same people. WeSpeaker's and others were not measured."""

FILTER_BANKS_NARROW = Likeness(
    sure_same=0.66, range=(0.42, 0.62), clear=0.12, one=0.60, most_narrow=2, doubt=Doubt(0.66, 0.40)
)
"""Over a telephone all are more alike: groups of one person joined at 0.48 and more, those of two at 0.57 and less."""
