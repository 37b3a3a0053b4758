"""Whether a stream that does not say how long it is ends in the middle of a frame, a packet or a block: then it was cut off.

One that was cut between two frames shows nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from earmark.transcription import mpeg, tags
from earmark.transcription.begins import EBML, PACKET, PACKETS
from earmark.transcription.pages import Read

TAIL = 1 << 17
"""Bytes at the end in which some frames of any of these lie."""

SURE = 4
"""Frames one after the other that are none by chance."""

MOST_BLOCKS = 1_000_000

_ENTERED = (b"\x18S\x80g", b"\x1fC\xb6u")
"""Segment and Cluster, whose lengths who records live does not know (RFC 9559, 5.1)."""

_AMR = ((b"#!AMR\n", mpeg.amr_frame), (b"#!AMR-WB\n", mpeg.wide_amr_frame))
"""RFC 4867, 5.1; of several channels nothing is known."""


def ends_within(read: Read, start: int, end: int) -> bool:
    """Whether the recording between these bytes of the file ends within a frame; False if it does not, or nobody knows."""
    first = tags.behind(read, start, end)
    head = read(64, first)
    for mark, length_of in _AMR:
        if head.startswith(mark):
            return _in_amr(read, first + len(mark), end, length_of)
    if head.startswith(b"Creative Voice File\x1a"):
        return _in_voice(read, first + int.from_bytes(head[20:22], "little"), end)
    if head.startswith(EBML):
        return _in_matroska(read, first, end)
    for size, at in ((PACKET, 0), (PACKET + 4, 4)):  # Blu-ray puts four bytes of time before each
        if all(read(1, first + at + size * n) == b"G" for n in range(PACKETS)):
            rest = (end - first) % size
            return rest > at and read(1, end - rest + at) == b"G"
    return any(_is(read, first, length) and _in_chain(read, first, end, length) for length in mpeg.FRAMES)


def _is(read: Read, at: int, length_of: Callable[[bytes], int]) -> bool:
    for _ in range(SURE - 1):
        if not (length := length_of(read(mpeg.HEAD, at))):
            return False
        at += length
    return True


def _in_chain(read: Read, start: int, end: int, length_of: Callable[[bytes], int]) -> bool:
    """By the first frame near the end from which others follow on one another to the end."""
    since = max(start, end - TAIL)
    tail = read(end - since, since)
    for at in range(len(tail) - mpeg.HEAD):
        frames, place = 0, at
        while (length := length_of(tail[place : place + mpeg.HEAD])) and place + length <= len(tail):
            frames, place = frames + 1, place + length
        if frames >= SURE:
            if length:
                return True
            # What is left is nothing, a tag, zeros, or the beginning of a header.
            left = tail[place:]
            return 0 < len(left) < mpeg.HEAD and tail[at:].startswith(left[:2]) and left != bytes(len(left))
    return False


def _in_amr(read: Read, at: int, end: int, length_of: Callable[[bytes], int]) -> bool:
    """Frames have no mark, so they are counted from the first one on."""
    held, first = b"", at
    while at < end:
        if at >= first + len(held):
            first, held = at, read(min(TAIL, end - at), at)
            if not held:
                return False
        length = length_of(held[at - first : at - first + 1])
        if not length:
            return False
        at += length
    return at > end


def _in_voice(read: Read, at: int, end: int) -> bool:
    """By the lengths of its blocks (Creative Voice File); who did not know one yet wrote all ones or nothing."""
    for _ in range(MOST_BLOCKS):
        head = read(4, at)
        if at >= end or not head or head[0] == 0 or head[0] > 9:
            return False
        length = int.from_bytes(head[1:], "little")
        if len(head) < 4 or at + 4 + length > end:
            return len(head) < 4 or length < 0xFFFFF0
        at += 4 + length
    return False


def _in_matroska(read: Read, at: int, end: int) -> bool:
    """By the lengths of its elements (RFC 8794, 4 and 5)."""
    for _ in range(MOST_BLOCKS):
        head = read(12, at)
        id_bytes = 9 - head[0].bit_length() if head else 9
        if at >= end or id_bytes > 4 or len(head) <= id_bytes:
            return False
        width = 9 - head[id_bytes].bit_length()
        if width > 8 or len(head) < id_bytes + width:
            return False
        length = int.from_bytes(head[id_bytes : id_bytes + width], "big") & ((1 << 7 * width) - 1)
        at += id_bytes + width
        if not head.startswith(_ENTERED):
            if at + length > end:
                return length < (1 << 7 * width) - 1
            at += length
    return False
