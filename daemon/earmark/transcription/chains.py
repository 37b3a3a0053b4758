"""Where a stream without a mark of its own begins in what is no part of a recording: many frames that fit, in a row.

Three frames in a row are there by chance in hours of compressed sound; a dozen of one kind, rate and layer are not.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from earmark.transcription import mpeg
from earmark.transcription.pages import Read

SCAN, OVERLAP = 1 << 20, 1 << 16
"""Bytes that are looked through at a time, and those of the next ones that are looked at with them."""

SURE = 12
"""Frames of one kind in a row that are no chance: a quarter of a second of MP3."""

PACKETS = 24
"""Packets of a transport stream in a row: their mark is one byte long."""

PACKET = 188

Bytes = np.ndarray[tuple[int], np.dtype[np.uint8]]
Places = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of frames: how one begins (`first` two bytes, under `masks`), `length_of` one by its first bytes, and what has
    to stay the same from one to the next (`form`).
    """

    name: str
    first: tuple[int, int]
    masks: tuple[int, int]
    length_of: Callable[[bytes], int]
    form: Callable[[bytes], bytes]

    @property
    def layer(self) -> bool:
        """Whether it is one of MPEG audio."""
        return self.name.startswith("mp")


def _mpeg(layer: int) -> Kind:
    bits = (4 - layer) << 1

    def length_of(head: bytes) -> int:
        return mpeg.mpeg_frame(head) if len(head) > 1 and head[1] & 6 == bits else 0

    def form(head: bytes) -> bytes:
        return bytes((head[1] & 0xFE, head[2] & 0x0C))

    return Kind(f"mp{layer}", (0xFF, 0xE0 | bits), (0xFF, 0xE6), length_of, form)


KINDS = (
    *(_mpeg(layer) for layer in (1, 2, 3)),
    Kind("adts", (0xFF, 0xF0), (0xFF, 0xF6), mpeg.adts_frame, lambda head: bytes((head[1], head[2] & 0xFD))),
    Kind("ac3", (0x0B, 0x77), (0xFF, 0xFF), mpeg.ac3_frame, lambda head: bytes((head[4] >> 6, head[5]))),
    Kind("latm", (0x56, 0xE0), (0xFF, 0xE0), mpeg.latm_frame, lambda head: head[:1]),
    Kind("dts", (0x7F, 0xFE), (0xFF, 0xFF), mpeg.dts_frame, lambda head: head[:4]),
    Kind("program", (0, 0), (0xFF, 0xFF), mpeg.program_packet, lambda head: head[:3]),
)


def kind_at(read: Read, at: int, least: int) -> Kind | None:
    """The kind of which so many frames follow one another from there on; None if none does."""
    return next((kind for kind in KINDS if _in_row(read, at, kind, least)), None)


def next_stream(read: Read, at: int, size: int, but: Kind | None = None) -> int | None:
    """Where the first stream of bare frames, or of transport packets, begins between these bytes; `but`: the kind that is
    there anyway.
    """
    while at < size and len(chunk := read(min(SCAN + OVERLAP, size - at), at)) > mpeg.HEAD:
        whole = np.frombuffer(chunk, dtype=np.uint8)
        kinds = _kinds()[whole[:-3].astype(np.uint16) << 8 | whole[1:-2]]
        candidates = np.flatnonzero(kinds)
        places = [next(_transports(whole), None)]
        for number, kind in enumerate(KINDS):
            if kind is not but:
                may = candidates[kinds[candidates] & (1 << number) != 0]
                places.append(next(_of_kind(read, chunk, at, size, kind, _likely(whole, kind, may)), None))
        if found := [place for place in places if place is not None and place < SCAN]:
            return at + min(found)
        at += SCAN
    return None


@functools.cache
def _kinds() -> Bytes:
    """By two bytes: which kinds of frames may begin with them, a bit for each."""
    found = np.zeros(1 << 16, dtype=np.uint8)
    first, second = np.divmod(np.arange(1 << 16), 256)
    for number, kind in enumerate(KINDS):
        fits = (first & kind.masks[0] == kind.first[0]) & (second & kind.masks[1] == kind.first[1])
        found[fits] |= 1 << number
    return found


@functools.cache
def _lengths() -> Places:
    """The bytes of a frame of MPEG audio by its second and third one."""
    return np.array([mpeg.mpeg_frame(b"\xff" + n.to_bytes(2) + b"\0") for n in range(1 << 16)])


def _likely(found: Bytes, kind: Kind, may: Places) -> Places:
    """Those of the places at which a further look is worth its time: silence is full of zeros, noise of ones."""
    if kind.layer:
        fits = _goes_on(found, may)
    elif kind.name == "program":
        fits = (found[may + 2] == 1) & (found[may + 3] == 0xBA)
    else:
        fits = np.ones(len(may), dtype=np.bool_)
    likely: Places = may[fits]
    return likely


def _goes_on(found: Bytes, may: Places) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Of places of frames of MPEG audio, whether the next frame is where it has to be, or too far away to be seen."""
    lengths = _lengths()[found[may + 1].astype(np.uint16) << 8 | found[may + 2]]
    later = np.minimum(may + lengths, len(found) - 2)
    goes_on = (found[later] == 0xFF) & (found[later + 1] & 0xFE == found[may + 1] & 0xFE)
    fits: np.ndarray[tuple[int], np.dtype[np.bool_]]
    fits = (lengths > 0) & (goes_on | (may + lengths >= len(found) - 2))
    return fits


def _of_kind(read: Read, chunk: bytes, at: int, size: int, kind: Kind, places: Places) -> Iterator[int]:
    def held(count: int, place: int) -> bytes:
        found = chunk[place - at : place - at + count]
        return found if len(found) == count else read(min(count, max(0, size - place)), place)

    for place in places.tolist():
        if _in_row(held, at + place, kind, SURE):
            yield place


def _in_row(read: Read, at: int, kind: Kind, least: int) -> bool:
    form = None
    for _ in range(least):
        head = read(mpeg.HEAD, at)
        length = kind.length_of(head)
        if not length or (form is not None and kind.form(head) != form):
            return False
        form = kind.form(head)
        at += length
    return True


def _transports(found: Bytes) -> Iterator[int]:
    """Where packets of a transport stream begin, with or without the four bytes of time that cameras put before each."""
    marks = found == ord("G")
    for length, before in ((PACKET, 0), (PACKET + 4, 4)):
        upto = len(marks) - length * (PACKETS - 1)
        if upto <= 0:
            continue
        # In a run of one and the same byte every place looks so.
        places = np.flatnonzero(marks[:upto] & marks[length : length + upto] & ~marks[1 : 1 + upto])
        for number in range(2, PACKETS):
            places = places[marks[places + length * number]]
        yield from (place - before for place in places.tolist() if place >= before)
