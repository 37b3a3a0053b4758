"""How many bytes of a stream of bare packets are tags: a cover, lyrics, a title are no sound that was lost. Pure.

FFmpeg takes the tag before an MP3 or AAC stream away; one between two that were joined, and most at the end, it does not.
"""

from __future__ import annotations

import re

from earmark.transcription.pages import Read

SCAN, OVERLAP = 1 << 20, 64

_MARKS = re.compile(rb"ID3[\x02-\x04]|APETAGEX|LYRICSBEGIN")

MOST_LYRICS = 1_000_000
"""Bytes of lyrics at most: their length has six digits (id3.org, Lyrics3 2.00)."""


def tag_bytes(read: Read, start: int, end: int) -> int:
    """The bytes of all tags that begin between `start` and `end`."""
    found, at = 0, start
    while at < end and (chunk := read(min(SCAN + OVERLAP, end - at), at)):
        mark = _MARKS.search(chunk)
        if mark is None or mark.start() >= SCAN:
            at += SCAN
            continue
        place = at + mark.start()
        length = min(_length(read, place, end), end - place)
        found += length
        at = place + max(length, len(mark[0]))
    return found


def behind(read: Read, at: int, end: int) -> int:
    """Where what follows the tags begins that are at that place; the place itself if none is."""
    while at < end:
        length = 128 if read(3, at) == b"TAG" else _length(read, at, end)  # ID3v1 (id3.org)
        if length == 0:
            break
        at += length
    return at


def _length(read: Read, at: int, end: int) -> int:
    """The bytes of the tag there; 0 if it is none, however it begins."""
    head = read(32, at)
    if head.startswith(b"ID3") and len(head) >= 10 and not any(byte & 0x80 for byte in head[6:10]):
        # Four times seven bits (id3.org, ID3v2 3.1).
        return 10 + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9])
    if head.startswith(b"APETAGEX") and len(head) == 32:
        # The size counts the items and the footer; bit 29 says that this is the header (APEv2).
        size, is_header = int.from_bytes(head[12:16], "little"), head[23] & 0x20
        return size + 32 if is_header else 32
    if head.startswith(b"LYRICSBEGIN"):
        lyrics = read(min(MOST_LYRICS, end - at), at)
        close = lyrics.find(b"LYRICS200")
        return close + 9 if close >= 0 else 0
    return 0
