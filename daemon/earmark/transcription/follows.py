"""Where a recording ends that goes on as long as packets, pages or frames follow one another: none says how many there are.

As in `ends`, but that the search for whatever comes next takes the place of a length that nobody knows.
"""

from __future__ import annotations

import os
import re

import numpy as np

from earmark.transcription import chains, tags
from earmark.transcription.begins import EBML, SCAN, is_of_cameras, next_marked
from earmark.transcription.ends import MOST_CHUNKS, reader
from earmark.transcription.pages import Read

SEGMENT, VOID = b"\x18S\x80g", b"\xec"
"""Element ids of Matroska's top level (RFC 9559, 5.1)."""

_IN_SEGMENT = tuple(
    bytes.fromhex(id_)
    for id_ in "114d9b74 1549a966 1654ae6b 1c53bb6b 1941a469 1043a770 1254c367 ec bf e7 a3 a0 a7 ab af 5854".split()
)
"""Ids of elements in a segment and in a cluster, both of which who records live enters without a length."""

_CLUSTER = b"\x1fC\xb6u"

MOST_TAG = 1 << 24
"""Bytes before a stream in which its tag, with a cover, may begin."""

_GO_ON = (b"OpusH", b"\x01vorb", b"\x7fFLAC")
"""How streams of Ogg begin that FFmpeg decodes on where another one of their kind follows."""


def next_of_any(fd: int, at: int, size: int, but: chains.Kind | None = None) -> int | None:
    """Where the next recording of any kind begins, by its mark or by its frames; `but`: a kind of frames that are here."""
    read = reader(fd)
    marked = next_marked(read, at, size)
    bare = chains.next_stream(read, at, marked or size, but)
    return _tag_before(read, at, bare) if bare is not None else marked


def _tag_before(read: Read, at: int, bare: int) -> int:
    """Where the tag begins that ends at the first frame of a stream; that frame, if none does."""
    first = max(at, bare - MOST_TAG)
    for tag in re.finditer(rb"ID3[\x02-\x04]\0", read(bare - first, first)):
        if tags.behind(read, first + tag.start(), bare) == bare:
            return first + tag.start()
    return bare


def after_matroska(fd: int, start: int, size: int) -> int | None:
    """Behind the last of the elements; those of unknown length (all ones) are entered."""
    at, entered = start, False
    for _ in range(MOST_CHUNKS):
        head = os.pread(fd, 12, at)
        known = (EBML, SEGMENT, VOID, *((_CLUSTER, *_IN_SEGMENT) if entered else ()))
        mark = next((mark for mark in known if head.startswith(mark)), None)
        if mark is None or len(head) <= len(mark) or (mark == EBML and at > start):
            return at
        first = head[len(mark)]
        width = 9 - first.bit_length()
        number = head[len(mark) : len(mark) + width]
        length = int.from_bytes(number, "big") & ((1 << 7 * width) - 1)
        if width > 8 or len(number) < width:
            return None
        at += len(mark) + width
        if length == (1 << 7 * width) - 1:
            if mark not in (SEGMENT, _CLUSTER):
                return None
            entered = True
        elif not (entered and mark == _CLUSTER):
            at += length
    return None


def after_ogg(fd: int, start: int, size: int) -> int | None:
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


def after_wavpack(fd: int, start: int, size: int) -> int | None:
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


def after_flash(fd: int, start: int, size: int) -> int | None:
    """The next header between two tags (Adobe Flash Video File Format 10.1, E.2 to E.4)."""
    at = start + int.from_bytes(os.pread(fd, 4, start + 5), "big") + 4
    for _ in range(MOST_CHUNKS):
        head = os.pread(fd, 4, at)
        if len(head) < 4 or head[0] & 0xDF not in (8, 9, 18):  # sound, picture, description; 0x20: encrypted
            return at
        at += 11 + int.from_bytes(head[1:], "big") + 4
    return None


def after_transport(fd: int, start: int, size: int) -> int | None:
    """Behind the last of the packets, of 188 bytes or of 192 with the time before each; damaged ones are passed."""
    read = reader(fd)
    length, before = (chains.PACKET + 4, 4) if is_of_cameras(read, start) else (chains.PACKET, 0)
    at = start
    while at < size:
        held = np.frombuffer(read(length * (SCAN // length), at), dtype=np.uint8)
        wrong = np.flatnonzero(held[before::length] != ord("G"))
        if len(held) == 0:
            break
        if not len(wrong):
            at += len(held)
            continue
        at += int(wrong[0]) * length
        following = next_of_any(fd, at, size)
        if following is None or read(1, following + before) + read(1, following + before + length) != b"GG":
            return at
        at = following
    return size


def flac_sound(fd: int, start: int) -> int:
    """Where the sound of a FLAC begins, behind its blocks."""
    at = start + 4
    for _ in range(MOST_CHUNKS):
        head = os.pread(fd, 4, at)
        if len(head) < 4:
            break
        at += 4 + int.from_bytes(head[1:], "big")
        if head[0] & 0x80:
            break
    return at
