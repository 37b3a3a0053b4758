"""Where one recording ends and the next one begins in a file that somebody glued together, by the containers' own marks.

FFmpeg reads the first and says nothing of the rest. Chained Ogg of one codec, MP3, AAC, AC-3, AMR, Sphere and MPEG streams
it reads to their end; of another kind behind them the mark is looked for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Literal

from earmark.transcription import tags
from earmark.transcription.begins import (
    ASF_HEADER,
    EBML,
    HEAD,
    SCAN,
    W64_RIFF,
    begins,
    is_stream,
    next_marked,
)
from earmark.transcription.pages import Read

SEGMENT, VOID = b"\x18S\x80g", b"\xec"
"""Element ids of Matroska's top level (RFC 9559, 5.1)."""

PADDING = 4_096
"""Bytes that may lie between two recordings: the rest of a sector, or what a program counted wrongly (sox, in voc)."""

MOST_CHUNKS = 1_000_000
"""Chunks that are walked over in search of the end; a file of nothing but empty ones is none."""


def following(fd: int, start: int, size: int) -> int | None:
    """Where the recording after the one at `start` begins, in a file of `size` bytes; None if that one is the last."""
    read = _reader(fd)
    first = tags.behind(read, start, size)
    head = read(HEAD, first)
    walk = next((walk for fits, walk in _WALKS if fits(head)), None)
    if walk is not None:
        found = walk(fd, first, size)
    elif is_stream(read, first) or head.startswith(_BARE):
        found = _searched(fd, first, size)
    else:
        return None
    if found is None or found <= start:
        return None
    found = tags.behind(read, found, size)
    if found <= size - 16 and begins(read, found):
        return found
    return next_marked(read, found, min(size, found + PADDING))


def _reader(fd: int) -> Read:
    return lambda count, at: os.pread(fd, count, at)


def _begins_at(fd: int, at: int) -> bool:
    """Whether a recording begins there, behind a tag or without one."""
    read = _reader(fd)
    return begins(read, tags.behind(read, at, os.fstat(fd).st_size))


def _searched(fd: int, start: int, size: int) -> int | None:
    """The next mark behind that at `start`."""
    return next_marked(_reader(fd), start + 1, size)


def _is_riff(kind: bytes) -> Callable[[bytes], bool]:
    return lambda head: head[:4] == b"RIFF" and head[8:12] == kind


def _is_form(head: bytes) -> bool:
    return head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC")


def _after_riff(fd: int, start: int, size: int) -> int | None:
    return _after_chunk(fd, start, "little")


def _after_form(fd: int, start: int, size: int) -> int | None:
    return _after_chunk(fd, start, "big")


def _after_chunk(fd: int, start: int, order: Literal["little", "big"]) -> int | None:
    """After a chunk of type and length, with or without the byte that makes it even."""
    head = os.pread(fd, 12, start)
    length = int.from_bytes(head[4:8], order)
    for at in (start + 8 + length, start + 8 + length + length % 2):
        if length and _begins_at(fd, at):
            return at
    return None


def _after_avi(fd: int, start: int, size: int) -> int | None:
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
            return _after_riff(fd, at, size)
    return None


def _after_long_wave(fd: int, start: int, size: int) -> int | None:
    """The size of an RF64 stands in its first chunk, ds64 (EBU Tech 3306)."""
    length = int.from_bytes(os.pread(fd, 8, start + 20), "little")
    return start + 8 + length + length % 2


def _after_sun(fd: int, start: int, size: int) -> int | None:
    head = os.pread(fd, 12, start)
    length = int.from_bytes(head[8:12], "big")
    return start + int.from_bytes(head[4:8], "big") + length if length != 0xFFFFFFFF else None


def _after_wave64(fd: int, start: int, size: int) -> int | None:
    length = int.from_bytes(os.pread(fd, 8, start + 16), "little")
    return start + (length + 7) // 8 * 8  # chunks begin at multiples of eight


def _next_core_audio(fd: int, start: int, size: int) -> int | None:
    """Behind the last of the chunks (Apple Core Audio Format 1.0); sound without a length goes to the end or to a mark."""
    at = start + 8
    for _ in range(MOST_CHUNKS):
        head = os.pread(fd, 12, at)
        length = int.from_bytes(head[4:12], "big", signed=True)
        if len(head) < 12 or _begins_at(fd, at):
            return at
        if length < 0:
            return _searched(fd, at, size)
        at += 12 + length
    return None


def _next_asf(fd: int, start: int, size: int) -> int | None:
    """Behind the last of the objects of the file."""
    at = start
    for _ in range(MOST_CHUNKS):
        head = os.pread(fd, 24, at)
        length = int.from_bytes(head[16:24], "little")
        if at > start and (len(head) < 24 or head[:16] == ASF_HEADER or _begins_at(fd, at)):
            return at
        if length < 24:
            return None
        at += length
    return None


def _next_matroska(fd: int, start: int, size: int) -> int | None:
    """Behind the last of the elements; a segment of unknown length (all ones) goes to the end or to a mark."""
    at = start
    for _ in range(MOST_CHUNKS):
        head = os.pread(fd, 12, at)
        mark = next((mark for mark in (EBML, SEGMENT, VOID) if head.startswith(mark)), None)
        if mark is None or len(head) <= len(mark):
            return at
        if mark == EBML and at > start:
            return at
        first = head[len(mark)]
        width = 9 - first.bit_length()
        number = head[len(mark) : len(mark) + width]
        length = int.from_bytes(number, "big") & ((1 << 7 * width) - 1)
        if width > 8 or len(number) < width:
            return None
        if length == (1 << 7 * width) - 1:
            return _searched(fd, at, size)
        at += len(mark) + width + length
    return None


def _next_movie(fd: int, start: int, size: int) -> int | None:
    """The next `ftyp` among the boxes of the file (ISO 14496-12, 4.2), which has one only, at its start; or no box."""
    at = start
    while at + 8 <= size:
        head = os.pread(fd, 16, at)
        length, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if at > start and (kind == b"ftyp" or (kind not in _BOXES and _begins_at(fd, at))):
            return at
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8:  # 0: the box goes to the end of the file
            return None if kind.strip(b"\0") else at
        at += length
    return None


def _next_ogg(fd: int, start: int, size: int) -> int | None:
    """The next page that begins a stream of another codec or form than the first one's, or of one whose headers FFmpeg
    reads once.

    A page tells its length by its last header bytes (RFC 3533, 6).
    """
    at, form, begun = start, b"", False
    for _ in range(MOST_CHUNKS):
        head = os.pread(fd, 27 + 255 + 64, at)
        if len(head) < 28 or head[:4] != b"OggS":
            return at
        body = 27 + head[26]
        if head[5] & 2:
            found = _form(head[body : body + sum(head[27:body])])
            if begun and (found != form or not form.startswith(_GO_ON)):
                return at
            form = form or found
        begun |= not head[5] & 2
        at += body + sum(head[27:body])
    return None


def _form(packet: bytes) -> bytes:
    """What FFmpeg does not let change within a file, by the first packet of a stream: the codec, the channels, the rate."""
    if packet.startswith(b"OpusHead"):
        return packet[:5] + packet[9:10] + packet[18:]  # RFC 7845, 5.1: the count, and how they are mapped
    if packet.startswith(b"\x01vorbis"):
        return packet[:29]  # with its bit rates: others have other code books (Vorbis I, 4.2.2)
    if packet.startswith(b"\x7fFLAC"):
        return (
            packet[:5] + packet[27:30] + bytes([packet[30] & 0xF0] if len(packet) > 30 else [])
        )  # RFC 9639, 8.2 and 10.1
    return packet[:5]


def _next_wavpack(fd: int, start: int, size: int) -> int | None:
    """The next block that begins to count at zero (WavPack 4.0 file format): a recording has one, and one per further pair
    of channels, which is not marked as the first of its moment.
    """
    at, heard = start, False
    for _ in range(MOST_CHUNKS):
        head = os.pread(fd, 32, at)
        if len(head) < 32 or head[:4] != b"wvpk":
            return at
        length, counted, samples, flags = (int.from_bytes(head[i : i + 4], "little") for i in (4, 16, 20, 24))
        if heard and samples and counted == 0 and flags & 0x800:
            return at
        heard |= samples > 0
        at += 8 + length
    return None


def _after_true_audio(fd: int, start: int, size: int) -> int | None:
    """Behind the frames, whose lengths stand in a table after the header (TTA1 format description)."""
    head = os.pread(fd, 22, start)
    rate, samples = (int.from_bytes(head[i : i + 4], "little") for i in (10, 14))
    frame = 256 * rate // 245
    if not frame or -(-samples // frame) > MOST_CHUNKS:
        return None
    table = os.pread(fd, -(-samples // frame) * 4, start + 22)
    lengths = (int.from_bytes(table[i : i + 4], "little") for i in range(0, len(table), 4))
    return start + 22 + len(table) + 4 + sum(lengths)


def _next_flash(fd: int, start: int, size: int) -> int | None:
    """The next header between two tags (Adobe Flash Video File Format 10.1, E.2 to E.4)."""
    at = start + int.from_bytes(os.pread(fd, 4, start + 5), "big") + 4
    for _ in range(MOST_CHUNKS):
        head = os.pread(fd, 4, at)
        if len(head) < 4 or head[0] & 0xDF not in (8, 9, 18):  # sound, picture, description; 0x20: encrypted
            return at
        at += 11 + int.from_bytes(head[1:], "big") + 4
    return None


def _after_voice(fd: int, start: int, size: int) -> int | None:
    """Behind the block of type 0 (Creative Voice File), which some programs do not write."""
    at = start + int.from_bytes(os.pread(fd, 2, start + 20), "little")
    for _ in range(MOST_CHUNKS):
        head = os.pread(fd, 4, at)
        if not head or not 0 < head[0] <= 9:  # the kinds of blocks that there are
            return at + (head[:1] == b"\0" and not _begins_at(fd, at)) if head else None
        at += 4 + int.from_bytes(head[1:], "little")
    return None


def _next_flac(fd: int, start: int, size: int) -> int | None:
    """The next mark behind the blocks in front of the sound, in which those of other files may be kept (RFC 9639, 8)."""
    at = start + 4
    for _ in range(MOST_CHUNKS):
        head = os.pread(fd, 4, at)
        if len(head) < 4:
            return None
        at += 4 + int.from_bytes(head[1:], "big")
        if head[0] & 0x80:
            break
    found = _searched(fd, at, size)
    return _tagged_stream(fd, at, found or size) or found


def _tagged_stream(fd: int, at: int, end: int) -> int | None:
    """The first tag of an MP3 or AAC behind which there is one."""
    read = _reader(fd)
    while at < end and len(chunk := read(min(SCAN + 16, end - at), at)) > 16:
        for tag in re.finditer(rb"ID3[\x02-\x04]\0", chunk):
            behind = tags.behind(read, at + tag.start(), end)
            if behind > at + tag.start() and is_stream(read, behind):
                return at + tag.start()
        at += SCAN
    return None


_BOXES = frozenset(b"moov mdat moof mfra free skip wide udta meta uuid sidx styp ssix pdin emsg pnot".split())
"""Boxes that stand at the top of movies."""

_BARE = (
    b"#!AMR",
    b"NIST_1A\n",
    b".RMF",
    b"DSD ",
    b"MAC ",
    b"MP+",
    b"MPCK",
    b"tBaK",
    b"\x06\x0e+4",
    b"ea3",
    b"EA3",
)
"""How recordings begin of whose end nothing is known but the next one's mark; MPEG's begin with a frame."""

_GO_ON = (b"OpusH", b"\x01vorb", b"\x7fFLAC")
"""How streams of Ogg begin that FFmpeg decodes on where another one of their kind follows."""

_WALKS: tuple[tuple[Callable[[bytes], bool], Callable[[int, int, int], int | None]], ...] = (
    (_is_riff(b"WAVE"), _after_riff),
    (_is_riff(b"AVI "), _after_avi),
    (lambda head: head[:4] == b"RF64", _after_long_wave),
    (_is_form, _after_form),
    (lambda head: head[4:8] == b"ftyp", _next_movie),
    (lambda head: head[:4] == b"fLaC", _next_flac),
    (lambda head: head[:4] == b"caff", _next_core_audio),
    (lambda head: head.startswith(ASF_HEADER), _next_asf),
    (lambda head: head.startswith(W64_RIFF), _after_wave64),
    (lambda head: head[:4] == b".snd", _after_sun),
    (lambda head: head[:4] == EBML, _next_matroska),
    (lambda head: head[:4] == b"OggS", _next_ogg),
    (lambda head: head[:4] == b"wvpk", _next_wavpack),
    (lambda head: head[:4] == b"TTA1", _after_true_audio),
    (lambda head: head[:4] == b"FLV\1", _next_flash),
    (lambda head: head.startswith(b"Creative Voice F"), _after_voice),
)
"""How a container begins, and how to get behind it."""
