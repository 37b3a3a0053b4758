"""Names, sentences and times as text that can be shown, on a terminal or on a page, whatever bytes are in them."""

from __future__ import annotations

import re
from datetime import datetime

_JOINS = re.compile(r"(?<=[^\x00-\x7f])[\u200c\u200d](?=[^\x00-\x7f])")
"""What joins letters or pictures, or keeps them apart, in names of many languages and in emoji: between two of them."""


def readable(text: object) -> str:
    """Any path or sentence as text that a terminal can show (names may hold bytes that are no text, or controls)."""
    raw = str(text).encode("utf-8", "backslashreplace").decode()
    if raw.isprintable():
        return raw
    joins = {found.start() for found in _JOINS.finditer(raw)}
    return "".join(
        c if c.isprintable() or c == "\n" or at in joins else repr(c)[1:-1] for at, c in enumerate(raw)
    )


def one_line(text: object) -> str:
    """The same where a line is one thing that is said: a name with a newline in it says no further line."""
    return readable(text).replace("\n", "\\n")


def moment(instant: float | None) -> str:
    """Local date and time to the minute; "" for none, and for one that no calendar knows."""
    try:
        return datetime.fromtimestamp(instant).astimezone().strftime("%Y-%m-%d %H:%M") if instant else ""
    except (OverflowError, ValueError, OSError):
        return ""


def day(instant: float | None) -> str:
    """The local day, as `moment` says it."""
    return moment(instant)[:10]
