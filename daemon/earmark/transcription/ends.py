"""Where a recording ends by its own structure: containers of chunks, boxes or objects that name their lengths.

Each function gets the descriptor, where the recording begins and how many bytes the file has. It gives the byte behind the
recording, or None if the structure does not say it: who records live knows no length, and of what was cut off it lies
behind the file.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Literal

from earmark.transcription import tags
from earmark.transcription.begins import begins
from earmark.transcription.pages import Read

Order = Literal["little", "big"]

MOST_CHUNKS = 1_000_000
"""Chunks that are walked over in search of the end; a file of nothing but empty ones is none."""

_BOXES = frozenset(b"moov mdat moof mfra free skip wide udta meta uuid sidx styp ssix pdin emsg pnot".split())
"""Boxes that stand at the top of movies."""

_OBJECTS = frozenset(
    bytes.fromhex(guid)
    for guid in (
        "3626b2758e66cf11a6d900aa0062ce6c",
        "90080033b1e5cf1189f400a0c90349cb",
        "d329e2d6da35d111903400a0c90349be",
        "f803b1fead12644c840f2a1d2f7ad48c",
        "d03fb73c4a0c0348953dedf7b6228f0c",
    )
)
"""The GUIDs of the objects behind an ASF file's header: data, and four kinds of indexes (ASF 5 and 6)."""


def reader(fd: int) -> Read:
    """So many bytes from a place of the file on."""
    return lambda count, at: os.pread(fd, count, at)


def begins_at(fd: int, at: int) -> bool:
    """Whether a recording begins there, behind a tag or without one."""
    read = reader(fd)
    return begins(read, tags.behind(read, at, os.fstat(fd).st_size))


def is_riff(kind: bytes) -> Callable[[bytes], bool]:
    """Whether a file of that form of RIFF begins so."""
    return lambda head: head[:4] == b"RIFF" and head[8:12] == kind


def is_form(head: bytes) -> bool:
    """Whether an AIFF begins so."""
    return head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC")


def after_riff(fd: int, start: int, size: int) -> int | None:
    return _after_form(fd, start, size, "little")


def after_aiff(fd: int, start: int, size: int) -> int | None:
    return _after_form(fd, start, size, "big")


def _after_form(fd: int, start: int, size: int, order: Order) -> int | None:
    """Behind the whole by its length, with or without the byte that makes it even, where something begins there; else behind
    the last of its chunks, which programs add without counting them.
    """
    length = int.from_bytes(os.pread(fd, 4, start + 4), order)
    for at in (start + 8 + length, start + 8 + length + length % 2):
        if length and begins_at(fd, at):
            return at
    return _after_chunks(fd, start + 12, size, order)


def _after_chunks(fd: int, at: int, size: int, order: Order) -> int | None:
    for _ in range(MOST_CHUNKS):
        head = os.pread(fd, 8, at)
        name, length = head[:4], int.from_bytes(head[4:], order)
        if name in (b"data", b"SSND") and (length == 0 or at + 8 + length > size):
            return None
        if len(head) < 8 or not _is_name(name) or at + 8 + length > size or begins_at(fd, at):
            return min(at, size)
        at += 8 + length + length % 2
    return None


def _is_name(name: bytes) -> bool:
    return len(name) == 4 and name.isascii() and name.decode().isprintable()


def after_avi(fd: int, start: int, size: int) -> int | None:
    """A long AVI goes on in further chunks, which are AVIX (OpenDML 1.02, 4.1)."""
    at = start
    for _ in range(MOST_CHUNKS):
        length = int.from_bytes(os.pread(fd, 4, at + 4), "little")
        for end in (at + 8 + length, at + 8 + length + length % 2):
            head = os.pread(fd, 12, end)
            if head[:4] == b"RIFF" and head[8:] == b"AVIX":
                at = end
                break
        else:
            if not length or at + 8 + length > size:
                return None
            behind = at + 8 + length
            return behind + (length % 2 if not begins_at(fd, behind) else 0)
    return None


def after_long_wave(fd: int, start: int, size: int) -> int | None:
    """The size of an RF64 stands in its first chunk, ds64 (EBU Tech 3306)."""
    length = int.from_bytes(os.pread(fd, 8, start + 20), "little")
    return start + 8 + length + length % 2


def after_sun(fd: int, start: int, size: int) -> int | None:
    """The header of an au or snd file names its own length and that of the sound, which may be unknown."""
    head = os.pread(fd, 12, start)
    length = int.from_bytes(head[8:12], "big")
    return start + int.from_bytes(head[4:8], "big") + length if length not in (0, 0xFFFFFFFF) else None


def after_wave64(fd: int, start: int, size: int) -> int | None:
    length = int.from_bytes(os.pread(fd, 8, start + 16), "little")
    return start + (length + 7) // 8 * 8  # chunks begin at multiples of eight


def after_core_audio(fd: int, start: int, size: int) -> int | None:
    """Behind the last of the chunks (Apple Core Audio Format 1.0)."""
    at = start + 8
    for _ in range(MOST_CHUNKS):
        head = os.pread(fd, 12, at)
        length = int.from_bytes(head[4:12], "big", signed=True)
        if len(head) < 12 or not _is_name(head[:4]) or begins_at(fd, at):
            return at
        if length < 0 or at + 12 + length > size:
            return None
        at += 12 + length
    return None


def after_asf(fd: int, start: int, size: int) -> int | None:
    """Behind the last of the objects of the file."""
    at = start
    for _ in range(MOST_CHUNKS):
        head = os.pread(fd, 24, at)
        length = int.from_bytes(head[16:24], "little")
        if at > start and head[:16] not in _OBJECTS:
            return at
        if length < 24:
            return None
        at += length
    return None


def after_movie(fd: int, start: int, size: int) -> int | None:
    """Behind the last of the boxes of the file (ISO 14496-12, 4.2), which has one `ftyp` only, at its start."""
    at, index, sound = start, False, False
    while at + 8 <= size:
        head = os.pread(fd, 16, at)
        length, kind = int.from_bytes(head[:4], "big"), head[4:8]
        known = kind in _BOXES
        if at > start and (kind == b"ftyp" or (not known and begins_at(fd, at))):
            return at
        if index and sound and is_movie_of_old(fd, at):
            return at
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length == 0 and known:  # the box goes to the end of the file
            return size
        if at > start and not known and (length < 8 or not _is_name(kind) or at + length > size):
            return at
        if length < 8:
            return None
        index, sound = index or kind == b"moov", sound or kind == b"mdat"
        at += length
    return min(at, size) if at <= size else None


def is_movie_of_old(fd: int, at: int) -> bool:
    """Whether a recording begins there without a box that says so, as QuickTime wrote them: with its `moov`, or with
    boxes after which one comes.
    """
    for _ in range(4):
        head = os.pread(fd, 16, at)
        length, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if kind == b"moov":
            return True
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if kind not in (b"wide", b"mdat", b"free", b"skip", b"pnot") or length < 8:
            return False
        at += length
    return False


def after_true_audio(fd: int, start: int, size: int) -> int | None:
    """Behind the frames, whose lengths stand in a table after the header (TTA1 format description)."""
    head = os.pread(fd, 22, start)
    rate, samples = (int.from_bytes(head[i : i + 4], "little") for i in (10, 14))
    frame = 256 * rate // 245
    if not frame or -(-samples // frame) > MOST_CHUNKS:
        return None
    table = os.pread(fd, -(-samples // frame) * 4, start + 22)
    lengths = (int.from_bytes(table[i : i + 4], "little") for i in range(0, len(table), 4))
    return start + 22 + len(table) + 4 + sum(lengths)


def after_voice(fd: int, start: int, size: int) -> int | None:
    """Behind the block of type 0 (Creative Voice File), which some programs do not write."""
    at = start + int.from_bytes(os.pread(fd, 2, start + 20), "little")
    for _ in range(MOST_CHUNKS):
        head = os.pread(fd, 4, at)
        if not head or not 0 < head[0] <= 9:  # the kinds of blocks that there are
            return at + (head[:1] == b"\0" and not begins_at(fd, at)) if head else None
        at += 4 + int.from_bytes(head[1:], "little")
    return None


def after_material(fd: int, start: int, size: int) -> int | None:
    """Behind the last key, length and value of an MXF (SMPTE 336, 377)."""
    at = start
    for _ in range(MOST_CHUNKS):
        head = os.pread(fd, 25, at)
        if head[:4] != b"\x06\x0e+4" or (at > start and begins_at(fd, at)) or len(head) < 17:
            return at
        width = head[16] & 0x7F if head[16] & 0x80 else 0
        length = int.from_bytes(head[17 : 17 + width], "big") if width else head[16]
        at += 17 + width + length
    return None


def after_real(fd: int, start: int, size: int) -> int | None:
    """Behind the last chunk of a RealMedia file; who sends one live knows no lengths."""
    at = start
    for _ in range(MOST_CHUNKS):
        head = os.pread(fd, 8, at)
        length = int.from_bytes(head[4:], "big")
        if at > start and head[:4] not in (b"PROP", b"CONT", b"MDPR", b"DATA", b"INDX", b"RMMD", b"RJMD"):
            return at - 10 if begins_at(fd, at - 10) else at  # FFmpeg counts the head of the data twice
        if length < 10:
            return None
        at += length
    return None


def after_stream_file(fd: int, start: int, size: int) -> int | None:
    """The header of a DSF names the length of the whole file (Sony, DSF file format 1.01)."""
    return start + int.from_bytes(os.pread(fd, 8, start + 12), "little") or None
