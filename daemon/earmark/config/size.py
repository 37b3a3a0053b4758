"""Sizes as people write them: `500MB`, `20GB`, `1.5 GiB`. Without a unit, bytes."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

_PATTERN = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?", re.IGNORECASE)


def parse_size(text: object) -> int:
    """Bytes; k, M, G and T are powers of 1000, Ki, Mi, Gi and Ti of 1024 (IEC 80000-13). Raises ValueError."""
    if isinstance(text, int) and not isinstance(text, bool):
        return text
    match = _PATTERN.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is not a size; write 500MB, 20GB or 1.5GiB")
    number, prefix, binary = match.groups()
    power = " kmgt".index(prefix.lower()) if prefix else 0
    return int(float(number) * (1024 if binary else 1000) ** power)


def _validate(value: Any) -> int:
    return parse_size(value)


SizeField = Annotated[int, BeforeValidator(_validate), Field(ge=0)]
"""A pydantic field in bytes that reads the notation."""
