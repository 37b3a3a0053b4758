"""Chunked recordings whose header names an end that the sound has passed: a recorder that died wrote it some time before.

FFmpeg stops where the header says, without a word. What lies there is the next chunk, another recording or a tag, or it
is sound; then all of it is read, under a header that fits.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass

MOST_CHUNKS = 10_000
"""Chunks that are walked over in search of the sound; a file of nothing but empty ones is none."""

MOST_HEADING = 1 << 16
"""Bytes of what stands before the sound (format, dates, marks) that are kept; of more only what FFmpeg needs."""

LEAST = 4_096
"""Bytes behind the named end below which nobody asks what they are: a twentieth of a second on a compact disc."""

SCAN = 1 << 20

_TAGS = (b"ID3", b"TAG", b"APET", b"LYRI")
"""How tags begin that programs put behind a file, whatever it is."""

_W64_REST = bytes.fromhex("f3acd3118cd100c04f8edb8a")
"""What the names of Wave64's chunks end with after their four letters (Sony Pictures Digital, Wave64)."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """`first`: where the chunks begin; `sound`, `form`: names of those that hold it and say how; `skip`: bytes before the
    sound in its chunk; `size`: how sizes are written; `whole`: they count name and size, too; `step`: of the places.
    """

    first: int
    sound: bytes
    form: bytes
    skip: int
    size: str
    whole: bool
    step: int

    @property
    def heading(self) -> int:
        """Bytes of a chunk's name and size."""
        return len(self.sound) + struct.calcsize(self.size)


_WAVE = _Kind(12, b"data", b"fmt ", 0, "<I", whole=False, step=2)
_FORM = _Kind(12, b"SSND", b"COMM", 8, ">I", whole=False, step=2)
_CORE = _Kind(8, b"data", b"desc", 4, ">q", whole=False, step=1)
_W64 = _Kind(40, b"data" + _W64_REST, b"fmt " + _W64_REST, 0, "<Q", whole=True, step=8)


def sound_of(fd: int, start: int, end: int) -> Iterator[tuple[int, int, bytes]]:
    """Where the sound of an unfinished recording begins and ends, and the header to read it under.

    Several, one after the other, if it has several chunks of sound; nothing if its header is right, or it is none of these.
    """
    head = os.pread(fd, 40, start)
    if head[:4] == b".snd" and head[8:12] == bytes(4):
        first = start + int.from_bytes(head[4:8], "big")
        if start + 24 <= first < end and first - start <= MOST_HEADING:
            before = os.pread(fd, first - start, start)
            yield first, end, before[:8] + b"\xff" * 4 + before[12:]
    kind = _kind_of(head)
    found = list(_chunks_of_sound(fd, start, end, kind)) if kind is not None else []
    if kind is None or (len(found) == 1 and not found[0].passed):
        return
    for sound in found:
        form = _form(fd, start, sound.at, kind)
        if form is not None and sound.last > sound.first:
            yield sound.first, sound.last, _header(fd, start, sound, form, kind)


def cut_off(fd: int, start: int, end: int) -> float:
    """How many times the sound that is there a header names, of kinds whose length FFmpeg takes from what is there; 1.0 if
    all of it is there, or nobody knew the length.
    """
    kind = _kind_of(os.pread(fd, 40, start))
    if kind is None or kind not in (_CORE, _W64):
        return 1.0
    at = start + kind.first
    for _ in range(MOST_CHUNKS):
        name, payload, size = _chunk(fd, at, kind)
        if not name or size < 0:
            break
        if name == kind.sound:
            there = end - payload - kind.skip
            return max(1.0, (size - kind.skip) / there) if there > 0 else 1.0
        at = start + _stepped(payload + size - start, kind)
    return 1.0


@dataclass(frozen=True, slots=True)
class _Sound:
    """`at`: where the chunk begins; `first` to `last`: its sound; `passed`: that goes on behind the end that is named."""

    at: int
    first: int
    last: int
    passed: bool


def _kind_of(head: bytes) -> _Kind | None:
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return _WAVE
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return _FORM
    if head[:4] == b"caff":
        return _CORE
    return _W64 if head[:4] == b"riff" and head[28:40] == _W64_REST else None


def _chunks_of_sound(fd: int, start: int, end: int, kind: _Kind) -> Iterator[_Sound]:
    at, mark = start + kind.first, os.pread(fd, 4, start)
    for _ in range(MOST_CHUNKS):
        name, payload, size = _chunk(fd, at, kind)
        if payload > end or name[:4] in (b"", mark):
            return
        if name == kind.sound:
            first, behind = payload + kind.skip, payload + max(0, size)
            # Of a size that nobody knew yet FFmpeg reads on to the end by itself, in these two.
            by_itself = (kind is _WAVE and size == 0) or (kind is _CORE and size < 0)
            passed = not by_itself and behind < end - LEAST and not _ends_at(fd, behind, end, kind)
            yield _Sound(at, first, end if passed or by_itself else min(behind, end), passed)
            if passed or by_itself:
                return
        if size < 0:
            return
        at = start + _stepped(payload + size - start, kind)


def _chunk(fd: int, at: int, kind: _Kind) -> tuple[bytes, int, int]:
    """Name, place of the content and its size; no name at the end of the file."""
    head = os.pread(fd, kind.heading, at)
    if len(head) < kind.heading:
        return b"", at, 0
    (size,) = struct.unpack(kind.size, head[len(kind.sound) :])
    return head[: len(kind.sound)], at + kind.heading, size - (kind.heading if kind.whole else 0)


def _stepped(length: int, kind: _Kind) -> int:
    return -(-length // kind.step) * kind.step


def _ends_at(fd: int, at: int, end: int, kind: _Kind) -> bool:
    """Whether what lies there is the next chunk, or a tag, or nothing but zeros: no sound."""
    for place in (at, at + 1) if kind.step == 2 else (at, _stepped(at, kind)):
        name, payload, size = _chunk(fd, place, kind)
        if name.startswith(_TAGS) or (_is_name(name, kind) and 0 <= size <= end - payload + 1):
            return True
    while at < end and (read := os.pread(fd, min(SCAN, end - at), at)):
        if read.strip(b"\0"):
            return False
        at += len(read)
    return True


def _is_name(name: bytes, kind: _Kind) -> bool:
    letters = name[:4]
    return (
        len(letters) == 4
        and letters.isascii()
        and letters.decode().isprintable()
        and name[4:] == (_W64_REST if kind is _W64 else b"")
    )


def _header(fd: int, start: int, sound: _Sound, form: bytes, kind: _Kind) -> bytes:
    """What stands before the sound, with the size that it has."""
    before = os.pread(fd, min(MOST_HEADING, sound.first - start), start)
    told = before[kind.first : sound.at - start]
    if kind is _FORM or sound.first - start > MOST_HEADING or told.count(kind.sound):
        told = form
    length = sound.last - sound.first + kind.skip
    most = (1 << 8 * struct.calcsize(kind.size) - kind.size.islower()) - 1
    size = struct.pack(kind.size, min(most, length + (kind.heading if kind.whole else 0)))
    rest = (
        told
        + os.pread(fd, len(kind.sound), sound.at)
        + size
        + os.pread(fd, kind.skip, sound.first - kind.skip)
    )
    if kind.first != 12:
        return before[: kind.first] + rest
    return before[:4] + struct.pack(kind.size, min(most, 4 + len(rest) + length)) + before[8:12] + rest


def _form(fd: int, start: int, upto: int, kind: _Kind) -> bytes | None:
    """The chunk that says how the sound is stored; one that counts the sound counts none of it, which is to say all."""
    at = start + kind.first
    for _ in range(MOST_CHUNKS):
        name, payload, size = _chunk(fd, at, kind)
        if not name or at >= upto or size < 0:
            return None
        following = start + _stepped(payload + size - start, kind)
        if name == kind.form and size <= MOST_HEADING:
            form = os.pread(fd, following - at, at)
            counted = kind.heading + 2
            return form[:counted] + bytes(4) + form[counted + 4 :] if kind is _FORM else form
        at = following
    return None
