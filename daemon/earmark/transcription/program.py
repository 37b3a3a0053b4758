"""Program streams (ISO 13818-1, 2.5; DVD, older cameras): where one ends, and the sound tracks that begin late in it.

FFmpeg learns of a track by its first packet, and PyAV of none that comes after what was looked at for the beginning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from earmark.transcription import mpeg
from earmark.transcription.ends import begins_at, reader
from earmark.transcription.follows import next_of_any

PACK = b"\0\0\1\xba"

SCAN, HEAD = 1 << 20, 288
"""Bytes that are read at a time; bytes of a packet with the longest header, and the first ones behind it."""

HERTZ = 90_000
"""Units of the clock per second."""

BACK = 1.0
"""Seconds by which the clock goes back where another recording begins."""


@dataclass(frozen=True, slots=True)
class _Packet:
    """A pack's header or a packet, at a byte of the file. `pack`: where the pack that it is in begins."""

    at: int
    head: bytes
    pack: int


def after_program(fd: int, start: int, size: int) -> int | None:
    """Behind the last pack or packet; damaged ones are passed. Where the clock begins anew, another recording does."""
    clock: float | None = None
    at = start
    for packet in _packets(fd, start, size):
        if packet.head.startswith(PACK):
            now = _clock(packet.head)
            if clock is not None and now < clock - BACK:
                return packet.at
            clock = now
        at = packet.at + mpeg.program_packet(packet.head)
    return size if at > size - mpeg.HEAD else at


def first_places(fd: int, start: int, end: int) -> dict[int, int]:
    """The sound tracks, by FFmpeg's numbers for them, with the byte at which the pack begins that each is first in."""
    found: dict[int, int] = {}
    for packet in _packets(fd, start, end):
        track = _track(packet.head)
        if track is not None:
            found.setdefault(track, packet.pack)
    return found


def _packets(fd: int, start: int, size: int) -> Iterator[_Packet]:
    read = reader(fd)
    at = pack = start
    held, first = b"", start
    while at < size:
        if not first <= at <= first + len(held) - HEAD:
            held, first = read(min(SCAN, size - at), at), at
        head = held[at - first : at - first + HEAD]
        length = mpeg.program_packet(head[: mpeg.HEAD])
        if length:
            pack = at if head.startswith(PACK) else pack
            yield _Packet(at, head, pack)
            at += length
            continue
        if len(head) < mpeg.HEAD or begins_at(fd, at):
            return
        zeros = len(head) - len(head.lstrip(b"\0"))
        if zeros > 2:  # they may stand between two packs
            at += zeros - 2
            continue
        following = next_of_any(fd, at, size)
        if following is None or read(4, following) != PACK:
            return
        at = following


def _clock(head: bytes) -> float:
    """The second that the header of a pack names (2.5.3.4; ISO 11172-1, 2.4.3.2)."""
    if head[4] >> 6 == 1:
        bits, shifts = int.from_bytes(head[4:10]), (43, 27, 11)
    else:
        bits, shifts = int.from_bytes(head[4:9]), (33, 17, 1)
    high, middle, low = (bits >> shift for shift in shifts)
    return ((high & 7) << 30 | (middle & 0x7FFF) << 15 | low & 0x7FFF) / HERTZ


def _track(head: bytes) -> int | None:
    """The number of the sound track that a packet is of; None if it is of none."""
    kind = head[3]
    if 0xC0 <= kind <= 0xDF:
        return 0x100 | kind
    if kind != 0xBD or len(head) < 9 or head[6] >> 6 != 2:
        return None
    behind = 9 + head[8]
    within = head[behind : behind + 2]
    if within == b"\x0bw":
        return 0x100 | kind  # AC-3 as it is, without the number that DVD puts before it
    return within[0] if within and 0x80 <= within[0] <= 0xCF else None
