"""By which ids notes name recordings: by 20 of the 64 digits, which fit beside a property's name, or by all, as earlier
versions wrote. Pure.
"""

from __future__ import annotations

import re

BEGIN = "em-"
"""Before the digits, so that no reader of YAML takes them for a number, and no other word is one."""

DIGITS = 20
"""Digits of a recording's id in a note: 80 bits. That two of a million recordings share them by chance is less probable than
1 in 10**12; who makes two such on purpose has notes with all digits of the later one.
"""

ANY = re.compile(rf"[0-9a-f]{{64}}|{BEGIN}[0-9a-f]{{{DIGITS}}}")
"""An id in a note."""


def short(recording_id: str) -> str:
    """The id in notes, if no other recording has the same."""
    return recording_id if recording_id.startswith(BEGIN) else BEGIN + recording_id[:DIGITS]


def is_short(said: str) -> bool:
    return said.startswith(BEGIN)
