"""What programs read in a note, and nobody said: comments that go over several lines, and the marks of a merge. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

_CLOSES = {"%%": "%%", "<!--": "-->"}
_OPENS = re.compile("|".join(_CLOSES))

_MERGE = re.compile(r"^(<{7}|>{7}|\|{7})(?: |$)", re.M)
"""What git, and others that merge, put around two versions of a text."""


def mark_of_merge(text: str) -> str:
    """The first mark of a merge that nobody has finished; "" if there is none."""
    found = _MERGE.search(text)
    return found[1] if found is not None else ""


def without_long_comments(lines: Sequence[str], numbers: Sequence[int]) -> dict[int, str]:
    """Those of these lines that a comment of several lines is in, without that. One that is never closed is none."""
    last = {close: max((n for n in numbers if close in lines[n]), default=-1) for close in _CLOSES.values()}
    found: dict[int, str] = {}
    inside = ""
    for n in numbers:
        line, at, shown = lines[n], 0, ""
        before = inside
        while at <= len(line):
            if inside:
                end = line.find(inside, at)
                at = len(line) + 1 if end < 0 else end + len(inside)
                inside = inside if end < 0 else ""
                continue
            opens = _OPENS.search(line, at)
            close = _CLOSES[opens[0]] if opens is not None else ""
            end = line.find(close, opens.end()) if opens is not None else -1
            if opens is not None and end >= 0:
                shown, at = shown + line[at : end + len(close)], end + len(close)
            elif opens is not None and last[close] > n:
                shown, at, inside = shown + line[at : opens.start()], len(line) + 1, close
            else:
                shown, at = shown + line[at:], len(line) + 1
        if before or inside:
            found[n] = shown
    return found
