"""The lines of an export of receipts, to the byte: what earmark writes, and whether a line is exactly that. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

VERSION = 2
FIRST_LINE, LAST_LINE = "earmark_receipts", "earmark_receipts_end"
"""The key by which each outer line is known; its value is the version."""

OUTER_FIELDS: dict[str, type] = {
    "count": int,
    "first": int,
    "last": int,
    "end": str,
    "at": float,
    "key": str,
    "seal": str,
}
"""What an outer line says besides the version, and of which type."""


def rows_of(text: str, problems: list[str]) -> list[tuple[int, str]]:
    """The lines with their numbers; what is around them and is not earmark's is told."""
    if text.startswith("\ufeff"):
        problems.append("it begins with a byte order mark, which earmark does not write")
    if "\r\n" in text:
        problems.append("its lines end with a carriage return, which earmark does not write")
    # Not splitlines(): that takes for an end what earmark never ends a line with.
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    if lines[-1]:
        problems.append(f"line {len(lines)} is not ended: something of it, or after it, was cut off")
    else:
        lines.pop()
    problems += [
        f"line {n} is empty, which no line of an export is" for n, line in _numbered(lines) if not line
    ]
    return [(number, line) for number, line in _numbered(lines) if line]


def _numbered(lines: Sequence[str]) -> Iterable[tuple[int, str]]:
    return enumerate(lines, start=1)


def written(line: dict[str, Any]) -> str:
    """The one text of a line, without its end; that of version 1, too."""
    return json.dumps(line, sort_keys=True)


def is_as_written(line: str, fields: dict[str, Any]) -> bool:
    """True for the very text that earmark writes: a field that is there twice, other spacing or order is another one."""
    try:
        return written(fields) == line
    except (ValueError, RecursionError):
        return False


def is_outer(name: str, fields: dict[str, Any]) -> bool:
    """True for exactly the fields of an outer line of this version, each of its type, and a seal if there is a key."""
    expected = {name: int} | OUTER_FIELDS
    return (
        set(fields) == set(expected)
        and all(type(fields[known]) is kind for known, kind in expected.items())
        and fields[name] == VERSION
        and bool(fields["key"]) == bool(fields["seal"])
    )


def object_in(line: str, number: int) -> dict[str, Any]:
    """The JSON object of a line, `number` for people. Raises ValueError for a line that is none."""
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise ValueError(f"line {number} is not a receipt")
    return fields
