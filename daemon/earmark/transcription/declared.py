"""What a container says of itself: how long it is, when it was recorded, and whether the file has all its bytes."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from av.audio.stream import AudioStream
from av.container import InputContainer

from earmark.messages.fields import YEARS
from earmark.transcription.begins import ASF_HEADER
from earmark.transcription.breaking import ends_within
from earmark.transcription.parts import Part
from earmark.transcription.unfinished import cut_off

AV_TIME_BASE = 1_000_000
"""Units of a container's duration per second (libavutil/avutil.h)."""

_ESTIMATED = frozenset({"aac", "loas", "ac3", "eac3", "dts", "amr", "mpegts", "mpeg"})
"""Formats without a length of their own: FFmpeg guesses one from the bit rate, which proves nothing."""

_ENDS_ON_ITS_CLOCK = frozenset({"matroska,webm", "ogg"})
"""Formats that say when they end, not how long they are: what was cut out of a stream does not begin at zero."""

_LENGTH_OF_ALL = frozenset({"asf", "matroska,webm"})
"""Formats with one length for all their streams, which FFmpeg gives to each that has none of its own, even if it is empty: a
picture that goes on makes no sound longer."""

_ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
"""The GUID of the object that holds the size of an ASF file, and whether it is known (Advanced Systems Format, 3.2)."""

_LAST_PAGE = 65_536 + 282
"""Bytes at the end of an Ogg file in which its last page begins: one has at most 65,307 (RFC 3533)."""

_XING = (b"Xing", b"Info", b"VBRI")
"""Headers in the first frame of an mp3 that state its number of frames."""


@dataclass(frozen=True, slots=True)
class Declared:
    """`duration`: seconds of sound that the container promises, None if it does not say.

    `recorded_at`: local wall time "YYYY-MM-DDTHH:MM:SS" or None. `short_of_bytes`: the header promises more bytes
    than the file has, or the last page that ends such a stream is missing. `origin`: the container's time zero
    in seconds on the stream's own clock. `lost_from`: the byte from which a fragmented movie cannot be followed.
    """

    duration: float | None
    recorded_at: str | None
    short_of_bytes: bool
    origin: float
    lost_from: int | None = None


def read_declared(
    container: InputContainer, stream: AudioStream, fd: int, part: Part, alone: bool = True
) -> Declared:
    """Collect what the open container declares of its part of `fd`, which is read without moving its position.

    `alone`: no other track is heard beside it, so that the container's length is its own, too.
    """
    start = container.start_time
    cut = 1.0 if part.prefix else cut_off(fd, part.start, part.end)
    short = is_short_of_bytes(fd, part) or cut > 1.0
    duration = _of_wav(fd, part) if short and alone else None
    if not (part.goes_on or part.broken):  # a piece of a movie says where it ends, or what FFmpeg made of it
        duration = duration or _from_its_start(_duration(container, stream, fd, part, alone), container)
    return Declared(
        duration=sensible(duration * cut if duration is not None else None),
        recorded_at=recorded_at({**stream.metadata, **container.metadata}),
        short_of_bytes=short,
        origin=start / AV_TIME_BASE if start is not None else 0.0,
        lost_from=part.lost_from,
    )


def sensible(seconds: float | None) -> float | None:
    """A duration that can be one; damaged headers promise times before zero and after centuries."""
    return seconds if seconds is not None and 0.0 <= seconds <= YEARS else None


def is_truncated(declared: Declared, decoded: float) -> bool:
    """Whether the file ends before it says it should.

    Encoders pad and players trim by up to a tenth of a second, and long containers drift; half a second or one
    percent, whichever is more, is beyond both.
    """
    return declared.short_of_bytes or breaks_off(declared, decoded) > 0.0


def breaks_off(declared: Declared, decoded: float) -> float:
    """The seconds that the file is shorter than it declares; 0 if that is as usual, or it does not say."""
    if declared.duration is None:
        return 0.0
    missing = declared.duration - decoded
    return missing if missing > max(0.5, declared.duration * 0.01) else 0.0


def is_short_of_bytes(fd: int, part: Part) -> bool:
    """Look at the part's own size fields: RIFF, ASF, the end-of-stream flag of Ogg, frames without a whole."""
    if part.prefix:
        return False  # a header of our own, made to fit
    size = part.end - part.start
    head = os.pread(fd, 12, part.start)
    if head[:4] == b"RIFF" and head[8:12] in (b"WAVE", b"AVI "):
        (promised,) = struct.unpack("<I", head[4:8])
        return not _is_unknown(promised) and promised + 8 > size + 1  # odd chunks may lack a pad byte
    if head == ASF_HEADER[:12]:
        about = os.pread(fd, 4_096, part.start)
        at = about.find(_ASF_FILE)
        promised = int.from_bytes(about[at + 40 : at + 48], "little")
        while_sent = about[at + 88 : at + 89] != b"" and about[at + 88] & 1  # nobody knew its end
        return at >= 0 and not while_sent and promised > size
    if head[:4] == b"OggS":
        tail = os.pread(fd, min(size, _LAST_PAGE), part.end - min(size, _LAST_PAGE))
        last = tail.rfind(b"OggS\0")
        return last < 0 or last + 5 >= len(tail) or not tail[last + 5] & 0x04
    return ends_within(lambda count, at: os.pread(fd, count, at), part.start, part.end)


def _is_unknown(promised: int) -> bool:
    """Whether the size is what writes who does not know it yet: 0, or as much as fits 31 or 32 bits, less some headers."""
    return promised == 0 or any(abs(promised - most) <= 4_096 for most in (1 << 31, 1 << 32))


def _of_wav(fd: int, part: Part) -> float | None:
    """Seconds that the header of a wav promises, where FFmpeg believes the size of the file instead; None elsewhere."""
    head = os.pread(fd, min(65_536, part.end - part.start), part.start)
    form = re.search(rb"fmt (?s:.{4})(?s:(.{16}))", head[12:])
    sound = head.find(b"data", 36)
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE" or form is None or not 0 <= sound <= len(head) - 8:
        return None
    (promised,), (per_second,) = (
        struct.unpack("<I", head[sound + 4 : sound + 8]),
        struct.unpack("<I", form[1][8:12]),
    )
    return promised / per_second if per_second and not _is_unknown(promised) else None


def recorded_at(metadata: Mapping[str, str]) -> str | None:
    """The local wall time of the recording from a container's tags, or its day if no tag has a time; None without either.

    Apple's own tag carries the recorder's offset and is taken as it reads. `creation_time` is UTC by specification
    (ISO 14496-12, Matroska) and becomes this machine's local time. Broadcast Wave and ID3 give local times without an
    offset. Tags that people's programs wrote part day and time with any of `-_./:`, or with
    nothing. Matroska's `creation_time` is that of the file, which a converter writes anew; `date_recorded` is not.
    """
    tags = {key.lower(): value.strip() for key, value in metadata.items()}
    day = None
    for key in ("com.apple.quicktime.creationdate", "date_recorded", "creation_time", "date", "tdrc", "icrd"):
        value = tags.get(key, "")
        if key == "creation_time" and re.fullmatch(r"\d\d[:-]\d\d[:-]\d\d", value):
            # Broadcast Wave: OriginationDate and OriginationTime arrive as two tags.
            value = f"{tags.get('date', '')}T{value}"
        found = _TAG.fullmatch(value)
        if found is None:
            continue
        date, time = "-".join(found.group("year", "month", "day")), re.sub(r"\D", ":", found["time"] or "")
        try:
            moment = datetime.fromisoformat(f"{date}T{time}{found['zone'] or ''}" if time else date)
        except ValueError:
            continue
        if moment.tzinfo is not None and key != "com.apple.quicktime.creationdate":
            moment = moment.astimezone()
        # Recorders without a clock write 1904, 1970 or 1980, the zeros of their formats.
        if 1990 <= moment.year <= 2100:
            if time:
                return moment.replace(tzinfo=None, microsecond=0).isoformat()
            day = day or moment.date().isoformat()
    return day


_TAG = re.compile(
    r"(?P<year>\d{4})(?P<mark>[-_./:])?(?P<month>\d\d)(?(mark)[-_./:])(?P<day>\d\d)"
    r"(?:[T _](?P<time>\d\d[-._:]\d\d(?:[-._:]\d\d(?!\d))?|\d{4}(?:\d\d)?)(?:\.\d+)?(?P<zone>Z|[-+]\d\d:?\d\d)?)?"
)
"""A day with or without a time, its fraction and zone."""


def container_end(container: InputContainer) -> float | None:
    """The second in which the container says that its last stream ends; None if it does not say, or only guesses."""
    if container.format.name in _ESTIMATED or not container.duration:
        return None
    return sensible(_from_its_start(container.duration / AV_TIME_BASE, container))


def _from_its_start(end: float | None, container: InputContainer) -> float | None:
    """Seconds from the container's own time zero to its end. Some programs write just that, whatever their time zero is."""
    zero = (container.start_time or 0) / AV_TIME_BASE
    on_its_clock = container.format.name in _ENDS_ON_ITS_CLOCK and end is not None and end > zero > 0.0
    return end - zero if end is not None and on_its_clock else end


def _duration(
    container: InputContainer, stream: AudioStream, fd: int, part: Part, alone: bool
) -> float | None:
    name = container.format.name
    if name in _ESTIMATED or (name == "mp3" and not _has_frame_count(fd, part)):
        return None
    alone = alone and len(container.streams) == 1
    tag = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", stream.metadata.get("DURATION", ""))
    if tag:
        return int(tag[1]) * 3600 + int(tag[2]) * 60 + float(tag[3])
    if stream.duration and stream.time_base and (alone or name not in _LENGTH_OF_ALL):
        return float(stream.duration * stream.time_base)
    if container.duration and alone:
        return container.duration / AV_TIME_BASE
    return None


def _has_frame_count(fd: int, part: Part) -> bool:
    """Whether an mp3 states its length, and states it for the whole file: of two glued together only the first does."""
    head = os.pread(fd, 10, part.start)
    offset = part.start
    if head[:3] == b"ID3" and len(head) == 10:  # the tag's size is four times seven bits (id3.org, ID3v2 3.1)
        offset += 10 + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9])
    frame = os.pread(fd, 4_096, offset)
    at = max(frame.find(mark) for mark in _XING)
    if at < 0:
        return False
    flags = int.from_bytes(frame[at + 4 : at + 8], "big")
    if frame[at : at + 4] != b"VBRI" and flags & 3 == 3:
        promised = int.from_bytes(frame[at + 12 : at + 16], "big")
        return part.end - offset <= promised * 1.05 + 4_096  # room for tags at the end
    return True
