"""Where one recording ends and the next one begins in a file that somebody glued together.

FFmpeg reads the first and says nothing of the rest. Chained Ogg of one codec, MP3, AAC, AC-3, AMR, Sphere and MPEG streams
it reads to their end; of another kind behind them the mark, or a row of frames, is looked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from earmark.transcription import chains, ends, follows, program, tags
from earmark.transcription.begins import (
    ASF_HEADER,
    EBML,
    FRAMES,
    HEAD,
    W64_RIFF,
    begins,
    is_of_cameras,
    is_stream,
)
from earmark.transcription.ends import is_form, is_riff, reader

LEAST = 16
"""Bytes that a recording has at least."""


@dataclass(frozen=True, slots=True)
class Behind:
    """What comes after a recording. `end`: the byte behind it and its tags, None if its structure does not say it; `start`:
    where the next one begins, None if none does.
    """

    end: int | None = None
    start: int | None = None


def behind(fd: int, start: int, size: int) -> Behind:
    """What comes after the recording that begins at `start`, in a file of `size` bytes."""
    read = reader(fd)
    first = tags.behind(read, start, size)
    head = read(HEAD, first)
    walk = next((walk for fits, walk in _WALKS if fits(head)), None)
    if walk is None and ((head[:1] == b"G" and is_stream(read, first)) or is_of_cameras(read, first)):
        walk = follows.after_transport
    if walk is not None:
        end = walk(fd, first, size)
        if end is None or not start < end < size:
            return Behind(size if end == size else None)
        end = tags.behind(read, end, size)
        if end > size - LEAST:
            return Behind(size)
        here = begins(read, end) or ends.is_movie_of_old(fd, end)
        return Behind(end, end if here else follows.next_of_any(fd, end, size))
    if head[:4] == b"fLaC":
        return Behind(None, follows.next_of_any(fd, follows.flac_sound(fd, first), size))
    if is_stream(read, first) or head.startswith(_BARE):
        kind = chains.kind_at(read, first, FRAMES)
        return Behind(None, follows.next_of_any(fd, first + 1, size, kind))
    return Behind()


_BARE = (b"#!AMR", b"NIST_1A\n", b"MAC ", b"MP+", b"MPCK", b"tBaK", b"ea3", b"EA3")
"""How recordings begin of whose end nothing is known but the next one's beginning; MPEG's begin with a frame."""

_WALKS: tuple[tuple[Callable[[bytes], bool], Callable[[int, int, int], int | None]], ...] = (
    (is_riff(b"WAVE"), ends.after_riff),
    (is_riff(b"AVI "), ends.after_avi),
    (lambda head: head[:4] == b"RF64", ends.after_long_wave),
    (is_form, ends.after_aiff),
    (lambda head: head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide"), ends.after_movie),
    (lambda head: head[:4] == b"caff", ends.after_core_audio),
    (lambda head: head.startswith(ASF_HEADER), ends.after_asf),
    (lambda head: head.startswith(W64_RIFF), ends.after_wave64),
    (lambda head: head[:4] == b".snd", ends.after_sun),
    (lambda head: head.startswith(b"\x06\x0e+4"), ends.after_material),
    (lambda head: head[:4] == b".RMF", ends.after_real),
    (lambda head: head[:4] == b"DSD ", ends.after_stream_file),
    (lambda head: head[:4] == b"TTA1", ends.after_true_audio),
    (lambda head: head.startswith(b"Creative Voice F"), ends.after_voice),
    (lambda head: head[:4] == EBML, follows.after_matroska),
    (lambda head: head[:4] == b"OggS", follows.after_ogg),
    (lambda head: head[:4] == b"wvpk", follows.after_wavpack),
    (lambda head: head[:4] == b"FLV\1", follows.after_flash),
    (lambda head: head.startswith(program.PACK), program.after_program),
)
"""How a container begins, and how to get behind it."""
