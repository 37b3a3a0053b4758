"""Which passages lie nearest to a query in meaning. Needs numpy, which is loaded only where there are vectors.

First all are compared by the signs of their numbers, 48 bytes a passage; then those that come out best by the numbers. That
misses hardly any of the nearest, and reads a fifteenth of the bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from earmark.ledger.vectors import Vectors
from earmark.search.vectors import AWAY, Meaning, signs_of

COMPARED = 5
"""How many times as many passages as are wanted are compared by their numbers."""


def nearest(
    vectors: Vectors,
    meaning: Meaning,
    most: int,
    among: Collection[str] | None,
    but: Collection[str],
    also: Collection[int] = (),
) -> dict[int, float]:
    """The passages nearest in meaning, at most so many, and how near: up to 1. `among`, `but`: of these recordings only, of
    none of these. `also`: and how near these passages are.
    """
    own = np.frombuffer(signs_of(meaning.vector), np.uint8)
    found = [each for each in vectors.signs(meaning.model, among, but) if len(each[1]) % len(own) == 0]
    if not found:
        return {}
    return _best(found, own, vectors, meaning, most) | _by_numbers(vectors.of(also), meaning.vector)


def _best(
    found: Sequence[tuple[int, bytes]], own: NDArray[np.uint8], vectors: Vectors, meaning: Meaning, most: int
) -> dict[int, float]:
    counts = np.array([len(signs) for _, signs in found]) // len(own)
    ids = np.arange(counts.sum()) + np.repeat(
        np.array([first for first, _ in found]) - (np.cumsum(counts) - counts), counts
    )
    signs = np.frombuffer(b"".join([signs for _, signs in found]), np.uint8).reshape(-1, len(own))
    if len(ids) > COMPARED * most:
        ids = ids[np.argpartition(_apart(signs, own), COMPARED * most)[: COMPARED * most]]
    near = _by_numbers(vectors.of(ids.tolist()), meaning.vector)
    return dict(sorted(near.items(), key=lambda each: (-each[1], each[0]))[:most])


def _apart(signs: NDArray[np.uint8], own: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """How many signs differ."""
    different = np.bitwise_xor(signs, own)
    if len(own) % 8 == 0:
        different = different.view(np.uint64)
    counted = np.bitwise_count(different).astype(np.uint16)
    apart = np.zeros(len(counted), np.uint16)
    for column in counted.T:  # a fifth of the time that numpy takes to add up rows as short as these
        apart += column
    return apart


def _by_numbers(stored: dict[int, bytes], own: bytes) -> dict[int, float]:
    """How near; without those that are no vectors of this size and of length 1, as `checked` has it."""
    fitting = {id: vector for id, vector in stored.items() if len(vector) == len(own)}
    if not fitting:
        return {}
    with np.errstate(all="ignore"):  # what no worker made, in a damaged ledger
        rows = np.frombuffer(b"".join(fitting.values()), "<f2").reshape(len(fitting), -1).astype(np.float32)
        near = rows @ np.frombuffer(own, "<f2").astype(np.float32)
        right = np.abs(np.einsum("ij,ij->i", rows, rows) - 1) <= AWAY  # nor where a number is none
    return {id: how for id, how, is_one in zip(fitting, near.tolist(), right.tolist(), strict=True) if is_one}
