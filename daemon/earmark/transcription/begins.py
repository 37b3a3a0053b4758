"""How recordings of each kind begin: by marks that are not there by chance, or by several frames one after the other.

Marks are looked for anywhere in a stream of bare frames, which does not say where it ends; frames only where something ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from earmark.transcription import mpeg
from earmark.transcription.pages import Read

ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
"""The GUID of the object that an ASF file begins with (Advanced Systems Format, 3.1)."""

W64_RIFF = bytes.fromhex("726966662e91cf11a5d628db04c10000")
"""The GUID of the chunk that is a whole Wave64 file (Sony Pictures Digital, Wave64)."""

EBML = b"\x1aE\xdf\xa3"
"""The id of Matroska's header (RFC 8794, 11.2.1)."""

FLAC_MARK = b"fLaC\0\0\0\x22"
"""The marker of a FLAC stream and its first block, STREAMINFO of 34 bytes, not the last one (RFC 9639, 8)."""

HEAD = 64
"""Bytes that tell whether a recording begins."""

SCAN = 1 << 20

FRAMES = 3
"""Frames in a row by which a stream without a mark is known."""

PACKETS = 5
"""The same of a transport stream (ISO 13818-1), whose packets have a mark of one byte and PACKET bytes."""

PACKET = 188

Order = Literal["little", "big"]


@dataclass(frozen=True, slots=True)
class _Mark:
    """`letters` stand `at` bytes behind the beginning; `fits`: whether what is around them is as it has to be."""

    letters: bytes
    fits: Callable[[bytes], bool]
    at: int = 0


def _int(head: bytes, first: int, last: int, order: Order) -> int:
    return int.from_bytes(head[first:last], order)


def _is_movie(head: bytes) -> bool:
    return (
        16 <= _int(head, 0, 4, "big") <= 1_024 and head[8:12].isascii() and head[8:12].decode().isprintable()
    )


def _is_sun(head: bytes) -> bool:
    return 24 <= _int(head, 4, 8, "big") <= 1 << 16 and 1 <= _int(head, 12, 16, "big") <= 27


def _is_wavpack(head: bytes) -> bool:
    return 0x402 <= _int(head, 8, 10, "little") <= 0x410 and _int(head, 16, 20, "little") == 0


def _is_true_audio(head: bytes) -> bool:
    channels, bits, rate = (_int(head, a, b, "little") for a, b in ((6, 8), (8, 10), (10, 14)))
    return head[4:6] in (b"\1\0", b"\2\0") and 0 < channels <= 64 and bits in (8, 16, 24) and rate <= 384_000


_MARKS = (
    _Mark(b"RIFF", lambda head: head[8:12] in (b"WAVE", b"AVI ")),
    _Mark(b"RF64", lambda head: head[8:16] == b"WAVEds64"),
    _Mark(b"FORM", lambda head: head[8:12] in (b"AIFF", b"AIFC")),
    _Mark(b"ftyp", _is_movie, at=4),
    _Mark(b"fLaC", lambda head: head.startswith(FLAC_MARK)),
    _Mark(b"caff", lambda head: head[4:12] == b"\0\1\0\0desc"),
    _Mark(ASF_HEADER[:4], lambda head: head.startswith(ASF_HEADER)),
    _Mark(W64_RIFF[:4], lambda head: head.startswith(W64_RIFF)),
    _Mark(b".snd", _is_sun),
    _Mark(EBML, lambda head: b"webm" in head or b"matroska" in head),
    _Mark(b"OggS", lambda head: head[4:14] == b"\0\2" + bytes(8)),
    _Mark(b"wvpk", _is_wavpack),
    _Mark(b"TTA1", _is_true_audio),
    _Mark(b"FLV\1", lambda head: head[4] in (1, 4, 5) and head[5:9] == b"\0\0\0\x09"),
    _Mark(b"Crea", lambda head: head.startswith(b"Creative Voice File\x1a")),
    _Mark(b"#!AM", lambda head: head.startswith((b"#!AMR\n", b"#!AMR-WB\n"))),  # RFC 4867, 5.1
    _Mark(b"NIST", lambda head: head.startswith(b"NIST_1A\n")),
    _Mark(b".RMF", lambda head: head[4:10] in (b"\0\0\0\x12\0\0", b"\0\0\0\x12\0\1")),
    _Mark(b"DSD ", lambda head: head[4:12] == b"\x1c" + bytes(7)),
    _Mark(b"tBaK", lambda head: head[4:8] == b"\1\x10\0\0"),
    _Mark(
        b"\x06\x0e+4", lambda head: head.startswith(bytes.fromhex("060e2b34020501010d0102010102"))
    ),  # SMPTE 377
)
"""All but the first are sure by eight bytes at least, with a hundred bits or so that have to be as they are."""


def is_marked(head: bytes) -> bool:
    """Whether a recording with a mark begins with these `HEAD` bytes."""
    return len(head) >= 16 and any(
        head[mark.at : mark.at + 4] == mark.letters and mark.fits(head) for mark in _MARKS
    )


def begins(read: Read, at: int) -> bool:
    """Whether a recording of any kind begins there."""
    head = read(HEAD, at)
    return is_marked(head) or is_stream(read, at)


def is_stream(read: Read, at: int) -> bool:
    """Whether a stream without a mark of its own begins there: MPEG audio, ADTS, LATM, AC-3, DTS, a transport or a program
    stream.
    """
    head = read(HEAD, at)
    if head.startswith((b"\x7f\xfe\x80\x01", b"\xfe\x7f\x01\x80")):  # DTS, ETSI TS 102 114, 5.3
        return True
    if head.startswith(b"\0\0\1\xba") and len(head) > 4 and (head[4] >> 6 == 1 or head[4] >> 4 == 2):
        return True  # ISO 13818-1, 2.5.3.3, and ISO 11172-1, 2.4.3.2
    if head.startswith(b"G") and all(read(1, at + PACKET * n) == b"G" for n in range(1, PACKETS)):
        return True
    return is_of_cameras(read, at) or any(_in_frames(read, at, length) for length in mpeg.FRAMES)


def is_of_cameras(read: Read, at: int) -> bool:
    """Whether a transport stream begins there that has four bytes of time before each packet (Blu-ray, AVCHD)."""
    return all(read(1, at + 4 + (PACKET + 4) * number) == b"G" for number in range(PACKETS))


def _in_frames(read: Read, at: int, length_of: Callable[[bytes], int]) -> bool:
    for _ in range(FRAMES):
        head = read(mpeg.HEAD, at)
        if not (length := length_of(head)):
            return False
        at += length
    return True


def next_marked(read: Read, at: int, size: int) -> int | None:
    """Where the first recording with a mark begins, from byte `at` on, before byte `size`."""
    # Read, not mapped: a file that is cut off while it is mapped kills the process that looks at it.
    while at < size and len(chunk := read(min(SCAN + HEAD, size - at), at)) >= 16:
        for place in _places(chunk):
            if is_marked(chunk[place : place + HEAD]):
                return at + place
        at += SCAN
    return None


def _places(chunk: bytes) -> Iterator[int]:
    """Where a mark may stand, by its letters."""
    found = np.frombuffer(chunk, dtype=np.uint8).astype(np.uint16)
    pairs = found[:-1] << 8 | found[1:]
    first, second = _tables()
    for place in np.flatnonzero(first[pairs[:-2]] & second[pairs[2:]]).tolist():
        for mark in _MARKS:
            if chunk[place : place + 4] == mark.letters and mark.at <= place:
                yield place - mark.at


def _tables() -> tuple[
    np.ndarray[tuple[int], np.dtype[np.bool_]], np.ndarray[tuple[int], np.dtype[np.bool_]]
]:
    first, second = np.zeros(1 << 16, dtype=bool), np.zeros(1 << 16, dtype=bool)
    for mark in _MARKS:
        first[int.from_bytes(mark.letters[:2])] = True
        second[int.from_bytes(mark.letters[2:4])] = True
    return first, second
