"""The sound of a recording, whole or a part of it (RFC 9110, 14): of a place that the ledger knows, and nothing else.

No address has a path in it: what is asked for is a recording by its id. Its file is opened through no symlink, and is the
one that earmark took in, by size, time and inode, or nothing is sent.
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

import anyio
import anyio.to_thread
from starlette.responses import Response, StreamingResponse

from earmark.errors import NotFound
from earmark.files import Identity, open_regular, opened
from earmark.ledger import Place

CHUNK = 64 * 1024

MOST = 1024 * 1024
"""Bytes of the answer to a request that names no end of its part: a player that pauses holds no connection, and asks again.
"""

_RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))", re.ASCII)

TYPES = {
    ".m4a": "audio/mp4", ".mp4": "video/mp4", ".m4b": "audio/mp4", ".mov": "video/quicktime", ".3gp": "video/3gpp",
    ".mp3": "audio/mpeg", ".wav": "audio/wav", ".flac": "audio/flac", ".ogg": "audio/ogg", ".oga": "audio/ogg",
    ".opus": "audio/ogg", ".webm": "video/webm", ".weba": "audio/webm",
    ".mkv": "video/x-matroska", ".mka": "video/x-matroska",
    ".aac": "audio/aac", ".aif": "audio/aiff", ".aiff": "audio/aiff", ".amr": "audio/amr", ".caf": "audio/x-caf",
}  # fmt: skip
"""What a player is told by the name's ending (iana.org/assignments/media-types); nothing that a browser shows as a page."""


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes `start` to before `end`, of a file of `size`. `whole`: no part was asked for that could be told."""

    start: int
    end: int
    size: int
    whole: bool = False


def part_of(asked: str | None, size: int) -> Part | None:
    """The part that a Range header asks for; the whole where it is none that can be understood, or asks for several; None
    where it begins behind the end. Pure.
    """
    whole = Part(0, size, size, whole=True)
    match = _RANGE.fullmatch(asked.strip()) if asked else None
    if match is None:
        return whole
    first, last, tail = match.groups()
    if tail is not None:
        return Part(max(0, size - int(tail)), size, size) if int(tail) and size else None
    start = int(first)
    if last and int(last) < start:
        return whole
    if start >= size:
        return None
    return Part(start, min(int(last) + 1 if last else start + MOST, size), size)


def open_sound(place: Place) -> int:
    """A descriptor of the file at a place. Raises NotFound where it is not there, or is another one by now."""
    try:
        with (
            opened(place.path.parent, place.folder) as folder,
            open_regular(place.path.name, folder) as fd,
        ):
            if Identity.of(os.fstat(fd)) != place.identity:
                raise NotFound("its file is not as it was when earmark last looked at it")
            return os.dup(fd)
    except OSError:
        raise NotFound("its file cannot be read here") from None


async def sound(place: Place, asked: str | None, tag: str, unless: str | None) -> Response:
    """The answer to a request for the sound at a place. `asked`: its Range header; `tag`: what the content goes by;
    `unless`: its If-Range header. Raises NotFound.
    """
    fd = await anyio.to_thread.run_sync(open_sound, place)
    size = os.fstat(fd).st_size
    part = part_of(asked if unless in (None, f'"{tag}"') else None, size)
    about = {
        "accept-ranges": "bytes", "etag": f'"{tag}"', "content-disposition": "inline",
        "last-modified": formatdate(place.identity.mtime_ns // 1_000_000_000, usegmt=True),
    }  # fmt: skip
    if part is None:
        os.close(fd)
        return Response(status_code=416, headers=about | {"content-range": f"bytes */{size}"})
    about["content-length"] = str(part.end - part.start)
    if not part.whole:
        about["content-range"] = f"bytes {part.start}-{part.end - 1}/{part.size}"
    kind = TYPES.get(Path(place.path.name).suffix.lower(), "application/octet-stream")
    return StreamingResponse(
        _Bytes(fd, part), status_code=200 if part.whole else 206, headers=about, media_type=kind
    )


class _Bytes:
    """Reads the part, and closes the descriptor in the end, also where nobody began to read."""

    def __init__(self, fd: int, part: Part) -> None:
        self._fd, self._part = fd, part

    def __del__(self) -> None:
        os.close(self._fd)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        at = self._part.start
        while at < self._part.end:
            read = await anyio.to_thread.run_sync(os.pread, self._fd, min(CHUNK, self._part.end - at), at)
            if not read:
                return  # it was cut meanwhile
            at += len(read)
            yield read
