"""Vectors as the ledger has them, checked as they come from a worker. Pure, and without numpy: the supervisor asks this."""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass

from earmark.messages.meaning import Embedded
from earmark.search.models import FEWEST, MOST

AWAY = 0.02
"""How far from 1 a vector's length may be; rounding to float16 moves it by a thousandth."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a query means, as a vector of the model with this digest."""

    model: str
    vector: bytes


_BITS = bytes(0x31 if high < 0x80 else 0x30 for high in range(256))
"""Of the higher byte of a number in float16 whether it is positive, as a digit."""


def checked(told: Embedded, count: int) -> list[bytes] | str:
    """The vectors of so many texts, or what cannot be of what a worker told, as the end of "the worker said ..."."""
    try:
        raw = base64.b64decode(told.vectors, validate=True)
    except ValueError:
        return "vectors that are none"
    if not FEWEST <= told.size <= MOST or len(raw) != 2 * told.size * count:
        return "vectors of another number or size than there can be"
    vectors = [raw[at : at + 2 * told.size] for at in range(0, len(raw), 2 * told.size)]
    for vector in vectors:
        length = sum(number * number for number in struct.unpack(f"<{told.size}e", vector))
        if not abs(length - 1) <= AWAY:  # nor for a number that is none
            return "a vector that is none"
    return vectors


def signs_of(vector: bytes) -> bytes:
    """A bit for each number: 1 where it is not negative; as many whole bytes as it takes."""
    digits = vector[1::2].translate(_BITS)
    digits += b"0" * (-len(digits) % 8)
    return int(digits, 2).to_bytes(len(digits) // 8, "big")
