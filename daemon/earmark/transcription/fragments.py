"""Movies in fragments (ISO 14496-12, 8.8), as browsers, phones and cameras record: where they break, and where they go on.

FFmpeg looks for the next fragment where a damaged one says that it is, and takes not finding it for the end.
"""

from __future__ import annotations

import os

MOST_BOXES = 1_000_000
"""Boxes that are walked over; a file of nothing but empty ones is none."""

MOST_HEADING = 1 << 16
"""Bytes of what stands before the first fragment, the descriptions of the tracks; each further piece is read behind them."""

SCAN = 1 << 20

_FRAGMENT = b"moof\0\0\0\x10mfhd"


def breaks_at(fd: int, start: int, end: int) -> int | None:
    """Where the boxes from `start` on cannot be followed any more; None if they can, or there are no fragments."""
    at, fragments = start, False
    for _ in range(MOST_BOXES):
        head = os.pread(fd, min(16, max(0, end - at)), at)
        if len(head) < 8:
            return None
        length, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if at == start and kind not in (b"ftyp", b"moof"):
            return None
        if not (kind.isalnum() and kind.isascii()):
            return at if fragments else None
        fragments |= kind == b"moof"
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8:
            return None
        at += length
    return None


def next_fragment(fd: int, at: int, end: int) -> int | None:
    """Where the first fragment after `at` begins: a `moof` box whose first child is an `mfhd` of 16 bytes.

    None, too, if it looks for its sound elsewhere than beside itself, because bytes are gone before it.
    """
    while at < end and len(chunk := os.pread(fd, min(SCAN + 16, end - at), at)) >= 16:
        found = chunk.find(_FRAGMENT, 4)
        if found >= 0:
            return at + found - 4 if _is_in_place(fd, at + found - 4) else None
        at += SCAN
    return None


def _is_in_place(fd: int, at: int) -> bool:
    """Whether the fragment names no place of its own in the file (tfhd, 8.8.7: flag 1), or the one it is at."""
    track = os.pread(fd, 24, at + 32)
    named = track[4:8] == b"tfhd" and track[11:12] and track[11] & 1
    return not named or int.from_bytes(track[16:24], "big") == at


def heading(fd: int, start: int, end: int) -> bytes | None:
    """What stands before the first fragment and is needed to read any; None if it is larger than it can be."""
    head = os.pread(fd, min(MOST_HEADING, end - start), start)
    first = head.find(_FRAGMENT, 4) - 4
    return head[:first] if first > 0 and b"moov" in head[:first] else None
