"""Files that are several recordings one after the other, and wav headers that nobody finished writing.

`cat a.wav b.wav`, and recorders that append to the file they have, give a file of which FFmpeg reads the first part
only, without a word. The parts are found by the containers' own marks, and each is read as a file of its own.
"""

from __future__ import annotations

import io
import itertools
import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

from earmark.transcription import ends, fragments, joined, unfinished
from earmark.transcription.unclaimed import is_filling

MOST_PARTS = 1_000


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes `start` to `end` of a file, after `prefix`.

    `goes_on`: it is the same recording as the part before, behind a damaged place; `broken`: such a one follows;
    `lost_from`: the byte of the part from which nothing can be found any more. `ends`: the byte of the file that its
    structure ends before, None if that says nothing.
    """

    start: int
    end: int
    prefix: bytes = b""
    goes_on: bool = False
    broken: bool = False
    lost_from: int | None = None
    ends: int | None = None


def find_parts(fd: int) -> list[Part]:
    """Where each recording in the file begins and ends; one part, the whole file, for nearly every file."""
    size, read = os.fstat(fd).st_size, ends.reader(fd)
    parts: list[Part] = []
    start: int | None = 0
    while start is not None and len(parts) < MOST_PARTS:
        behind = joined.behind(fd, start, size)
        end = behind.start or size
        if behind.end is not None and is_filling(read, behind.end, end):
            end = behind.end  # some of FFmpeg's demuxers take it for damage
        parts.append(Part(start, end, ends=behind.end))
        start = behind.start
    return list(itertools.islice(itertools.chain.from_iterable(_pieces(fd, p) for p in parts), MOST_PARTS))


def _pieces(fd: int, part: Part) -> Iterator[Part]:
    """The part up to where its fragments break, and from the next whole one on, as often as they do. Of one with a header
    that nobody finished writing, its sound.
    """
    if sounds := [Part(*found) for found in unfinished.sound_of(fd, part.start, part.end)]:
        yield from sounds
        return
    at, init = part.start, None
    while (broken := fragments.breaks_at(fd, at, part.end)) is not None:
        onward = fragments.next_fragment(fd, broken, part.end)
        init = init or fragments.heading(fd, part.start, part.end)
        if onward is None or init is None:
            yield replace(part, lost_from=broken - part.start + len(part.prefix))
            return
        yield replace(part, end=onward, broken=True, ends=None)
        # Fragments name places in the file, so what lies before them is covered and not left out.
        covered = init + struct.pack(">I4sQ", 1, b"free", onward - part.start - len(init) + len(part.prefix))
        part = Part(
            part.start - len(part.prefix) + len(covered), part.end, covered, goes_on=True, ends=part.ends
        )
        at = onward
    yield part


def mend_wav(fd: int, start: int, end: int) -> Part | None:
    """The sound of a wav whose chunks have wrong sizes, under a header that fits; None if it has no format or data.

    A recorder that is killed leaves sizes of zero behind. FFmpeg mends the sound's own, and gives up at others.
    """
    head = os.pread(fd, min(65_536, end - start), start)
    form = re.search(rb"fmt (?s:.{4})(?s:(.{16}))", head[12:])
    sound = head.find(b"data", 36)
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE" or form is None or sound < 0:
        return None
    length = end - start - sound - 8
    if length <= 0:
        return None
    tag, channels, rate, _, block, bits = struct.unpack("<HHIIHH", form[1])
    if (
        tag not in (1, 3, 6, 7) or not channels or not block
    ):  # PCM, float, A-law, mu-law: nothing else fits 16 bytes
        return None
    form_chunk = b"fmt " + struct.pack("<IHHIIHH", 16, tag, channels, rate, rate * block, block, bits)
    sizes = min(length, 0xFFFFFFFF - 36)
    prefix = (
        b"RIFF" + struct.pack("<I", sizes + 36) + b"WAVE" + form_chunk + b"data" + struct.pack("<I", sizes)
    )
    return Part(start + sound + 8, end, prefix)


class PartFile(io.RawIOBase):
    """A part as a file of its own for PyAV to read. Uses pread: the descriptor's position is left alone."""

    def __init__(self, fd: int, part: Part) -> None:
        super().__init__()
        self._fd, self._part, self._at = fd, part, 0
        self._length = len(part.prefix) + part.end - part.start

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._length}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int = -1) -> bytes:
        prefix, part = self._part.prefix, self._part
        left = max(0, self._length - self._at)
        wanted = left if size < 0 else min(size, left)
        if self._at < len(prefix):
            found = prefix[self._at : self._at + wanted]
        else:
            found = os.pread(self._fd, wanted, part.start + self._at - len(prefix))
        self._at += len(found)
        return found
