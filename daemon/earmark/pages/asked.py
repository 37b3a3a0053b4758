"""What an address asks for, and how it bears a name, also one that is no text: its bytes are what it is called by."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote

LONGEST_WORD = 1_000
"""Characters of what is typed into a field."""

FURTHEST = 10**9

_ESCAPED = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|([nrt]))")
"""How `readable` and `one_line` show what cannot be shown."""

_CONTROLS = {"n": "\n", "r": "\r", "t": "\t"}


def asked_in(query: bytes) -> dict[str, str]:
    """The values of a query, the first of each name. Bytes that are no text stay what they are (surrogate escapes)."""
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, errors="surrogateescape")
    return dict(reversed(pairs))


def in_address(said: object) -> str:
    """A name, or names and values, as the query of an address bears them; `asked_in` is its other half."""
    if isinstance(said, Mapping):
        return "&".join(f"{in_address(name)}={in_address(value)}" for name, value in said.items())
    text = str(said)
    try:
        return quote(os.fsencode(text), safe="/")
    except UnicodeEncodeError:  # half a character, which no file is called by
        return quote(text.encode("utf-8", "replace"), safe="/")


def word(asked: Mapping[str, str], name: str) -> str:
    """What was typed, or stands in a link: spaces around it may be a part of the name."""
    return asked.get(name, "")[:LONGEST_WORD]


def number(asked: Mapping[str, str], name: str) -> int:
    """A count; 0 for what is none."""
    said = asked.get(name, "")
    return min(int(said), FURTHEST) if said.isascii() and said.isdigit() and len(said) < 12 else 0


def second(asked: Mapping[str, str], name: str) -> float:
    """Seconds; 0 for what are none."""
    try:
        said = float(asked.get(name, "0"))
    except ValueError:
        return 0.0
    return said if math.isfinite(said) and 0 <= said <= FURTHEST else 0.0


def meanings(said: str) -> list[str]:
    """What a name may be that was linked to, or typed as a page shows it: the name as it is, without spaces around it, and
    with what an escape stands for. None that no file could have.
    """
    unescaped = _ESCAPED.sub(lambda found: _character(*found.groups()), said)
    found = dict.fromkeys(each for each in (said, said.strip(), unescaped, unescaped.strip()) if each)
    return [each for each in found if _is_a_name(each)]


def _character(two: str | None, four: str | None, eight: str | None, control: str | None) -> str:
    if control:
        return _CONTROLS[control]
    code = int(two or four or eight or "0", 16)
    return chr(code) if code <= 0x10FFFF else "\ufffd"


def _is_a_name(text: str) -> bool:
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False
