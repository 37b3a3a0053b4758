"""Whether a page of an Ogg file is the next one of its stream (RFC 3533, 6): what was lost between two leaves a mark. Pure.

A gap in the times proves nothing: who writes down a call leaves out what a muted side did not send.
"""

from __future__ import annotations

from collections.abc import Callable

Read = Callable[[int, int], bytes]
"""So many bytes from that place of the file on."""

MARK, HEADER = b"OggS", 27

MOST_PAGES = 10_000
"""Pages of other streams that are passed over in search of the next one of this."""


def follows(read: Read, first: int, second: int) -> bool:
    """Whether the page at `second` comes next in its stream after that at `first`, with nothing but whole pages between.

    Pages that the reader refused lie between, too, and make the number of the second one jump.
    """
    head, later = read(HEADER, first), read(HEADER, second)
    if not head.startswith(MARK) or not later.startswith(MARK):
        return False
    if head[14:18] != later[14:18]:
        return True  # the next of several streams that follow each other
    if (_number(head) + 1) & 0xFFFFFFFF != _number(later):
        return False
    at = first
    for _ in range(MOST_PAGES):
        if at >= second:
            break
        head = read(HEADER, at)
        if len(head) < HEADER or not head.startswith(MARK):
            return False
        segments = read(head[26], at + HEADER)
        at += HEADER + head[26] + sum(segments)
    return at == second


def _number(head: bytes) -> int:
    return int.from_bytes(head[18:22], "little")
