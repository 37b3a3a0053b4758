"""The sentences of a passage as its row has them: of each the character at which it begins, its second, and who says it."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Sequence
from typing import overload


def sentences_of(told: str) -> tuple[tuple[int, float, int], ...]:
    """The column `sentences` of a passage. Raises ValueError, TypeError where it is none."""
    return tuple([(int(at), float(second), int(speaker)) for at, second, speaker in json.loads(told)])


class Sentences(Sequence[tuple[int, float, int]]):
    """The same, read when one of them is asked for: of hundreds of passages that are ranked ten are shown."""

    def __init__(self, told: str) -> None:
        self._told = told

    @functools.cached_property
    def _read(self) -> tuple[tuple[int, float, int], ...]:
        return sentences_of(self._told)

    @overload
    def __getitem__(self, number: int) -> tuple[int, float, int]: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[tuple[int, float, int]]: ...
    def __getitem__(self, number: int | slice) -> tuple[int, float, int] | Sequence[tuple[int, float, int]]:
        return self._read[number]

    def __len__(self) -> int:
        return len(self._read)

    def __iter__(self) -> Iterator[tuple[int, float, int]]:
        return iter(self._read)
