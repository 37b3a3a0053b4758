"""Opening a recording: only as a container of the allow-list, only from a descriptor that is already open.

FFmpeg gets no name. It reads through its `fd:` protocol, the only one it may use, so that the file that was hashed
is the file that is read and nothing in it (a playlist, a reference, an address) can make FFmpeg open anything
else. Playlists, `concat`, `sdp`, `hls` and `dash` are not in the list of demuxers.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, replace

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Discard

from earmark.errors import MediaError
from earmark.files import says_in_cloud
from earmark.formats import DEMUXERS, HEAD, is_text
from earmark.transcription.declared import AV_TIME_BASE, Declared, container_end, read_declared, sensible
from earmark.transcription.pages import Read
from earmark.transcription.parts import Part, PartFile, find_parts, mend_wav
from earmark.transcription.program import first_places
from earmark.transcription.tracks import choose_tracks

MOST_LATE = 3600.0
"""Seconds without sound that are believed of a track that begins late: its side joins, or is unmuted."""

_PLAYLISTS = (b"#EXTM3U", b"ffconcat", b"v=0", b"<?xml", b"<MPD", b"[playlist]", b"<asx", b"<ASX", b"<smil")


@dataclass(slots=True)
class Track:
    """A container with the one sound track that will be read from it, and what it says of this track.

    `end`: the second in which the whole container ends, None if it does not say; a track that begins late ends later
    than its own length says, and a picture later than any sound. `size`: bytes of the container; `read` gives so many of
    them from a place on, and `at` is the file's byte where its first one would be. `late`: the container is what the file
    has from where the track begins.
    """

    container: InputContainer
    stream: AudioStream
    declared: Declared
    end: float | None
    size: int
    read: Read
    at: int
    late: bool = False

    def close(self) -> None:
        self.container.close()


@dataclass(slots=True)
class OpenRecording:
    """A recording with the sound tracks that will be heard together, and what it says of itself.

    `tracks`: the container's default one first, each in a container of its own, so that each can be read at its own
    pace. `unheard`: tracks that are not among them. `later`: further recordings in the same file, to be opened with
    `open_part` when this one has been read; `before`: how many before it could not be opened. `declared` is of all
    together. `mute`: tracks in which nobody speaks, for the parts, too. `part`: which part of the file it is.
    """

    tracks: tuple[Track, ...]
    unheard: int
    declared: Declared
    fd: int
    part: Part
    later: tuple[Part, ...] = ()
    before: int = 0
    mute: frozenset[int] = frozenset()

    def close(self) -> None:
        for track in self.tracks:
            track.close()


def open_recording(fd: int, mute: frozenset[int] = frozenset()) -> OpenRecording:
    """Open the regular file behind `fd` as a recording; the caller keeps and closes the descriptor. `mute`: the numbers of
    tracks in which nobody speaks, so that another version of them is heard, too.

    Raises MediaError, in a sentence for the person who dropped the file, if it cannot be one.
    """
    size = os.fstat(fd).st_size
    head = os.pread(fd, HEAD, 0)
    if size == 0:
        raise MediaError(
            "The file is empty (0 bytes): the recorder or the copy did not finish. Copy it again, or delete it."
        )
    if any(head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(mark) for mark in _PLAYLISTS):
        raise MediaError(
            "The file is a playlist or a description that points to other files, not a recording. "
            "Drop the recordings themselves."
        )
    if not head.strip(b"\0"):
        raise MediaError(
            "The file begins with nothing but zero bytes: a placeholder of a sync tool, or a copy that went "
            "wrong. Copy it again."
        )
    parts = find_parts(fd)
    first, before = _first_of(fd, parts, mute)
    if len(parts) > 1:
        all_declared = [first.declared, *(_declared_of(fd, part) for part in parts[before + 1 :])]
        durations = [d.duration for d in all_declared if d is not None and d.duration is not None]
        first.declared = replace(
            first.declared,
            duration=sensible(sum(durations)) if len(durations) == len(parts) else None,
            short_of_bytes=any(d.short_of_bytes for d in all_declared if d is not None),
        )
        first.later, first.before = tuple(parts[before + 1 :]), before
    return first


def _first_of(fd: int, parts: list[Part], mute: frozenset[int]) -> tuple[OpenRecording, int]:
    """The first part that can be opened, and how many come before it. Raises MediaError of the first if none can be."""
    reason: MediaError | None = None
    for number, part in enumerate(parts):
        try:
            return open_part(fd, part, mute), number
        except MediaError as error:
            reason = reason or error
    assert reason is not None
    raise reason


def open_part(fd: int, part: Part, mute: frozenset[int] = frozenset()) -> OpenRecording:
    """Open one part of the file as a recording of its own. Raises MediaError like `open_recording`."""
    head = os.pread(fd, HEAD, part.start)
    whole = (part.start, part.end, part.prefix) == (0, os.fstat(fd).st_size, b"")
    try:
        container = _open(fd, None if whole else part)
    except _UNREADABLE as error:
        if says_in_cloud(error):
            raise OSError(errno.EDEADLK, os.strerror(errno.EDEADLK)) from error
        mended = mend_wav(fd, part.start, part.end) if not part.prefix else None
        if mended is not None:
            return open_part(fd, mended, mute)
        raise MediaError(_why_not(head, error)) from None
    opened: list[Track] = []
    try:
        late = _late_tracks(container, fd, part)
        chosen = choose_tracks(container, mute, late=len(late))
        alone = len(chosen.heard) == 1 and not late
        opened = [_track(container, track, fd, part, alone) for track in chosen.heard[:1]]
        for other in chosen.heard[1:]:
            opened.append(_opened_again(fd, part, other.index))
        begun = [track for place in late if (track := _opened_late(fd, part, *place, container))]
        opened += begun
        if not opened:
            raise MediaError("The sound track of the video begins late, and cannot be decoded here.")
        if not chosen.heard:
            container.close()
        unheard = chosen.unheard + len(late) - len(begun)
        return OpenRecording(tuple(opened), unheard, _declared_together(opened), fd, part, mute=mute)
    except BaseException:
        container.close()
        for track in opened:
            track.close()
        raise


def _opened_again(fd: int, part: Part, index: int) -> Track:
    """The track of this number, in a container of its own that does not share the descriptor's position."""
    container = _open(fd, part)
    try:
        stream = container.streams[index]
        if not isinstance(stream, AudioStream):
            raise MediaError(
                "The file changed while it was opened: a sound track is none any more. Copy it again."
            )
        return _track(container, stream, fd, part, alone=False)
    except BaseException:
        container.close()
        raise


def _late_tracks(container: InputContainer, fd: int, part: Part) -> list[tuple[int, int]]:
    """The tracks of a program stream of which the container does not know, and the byte of the file where each begins."""
    if container.format.name != "mpeg" or part.prefix:
        return []
    known = {stream.id for stream in container.streams}
    places = first_places(fd, part.start, part.end)
    return [(number, at) for number, at in places.items() if number not in known]


def _opened_late(fd: int, part: Part, number: int, at: int, first: InputContainer) -> Track | None:
    """The track of that number from where it begins, on the clock of the whole; None if it cannot be heard."""
    rest = replace(part, start=at)
    container = _open(fd, rest)
    try:
        stream = next(s for s in container.streams.audio if s.id == number)
        if stream.codec_context.sample_rate == 0:
            raise StopIteration
        track = _track(container, stream, fd, rest, alone=False)
    except (StopIteration, *_UNREADABLE):
        container.close()
        return None
    began = ((container.start_time or 0) - (first.start_time or 0)) / AV_TIME_BASE
    origin = (first.start_time or 0) / AV_TIME_BASE
    return replace(track, declared=replace(track.declared, origin=origin), end=began + MOST_LATE, late=True)


def _track(container: InputContainer, stream: AudioStream, fd: int, part: Part, alone: bool) -> Track:
    for other in container.streams:
        if other.index != stream.index:
            other.discard = Discard.all
    declared = read_declared(container, stream, fd, part, alone)
    end = declared.duration if alone else container_end(container)
    source = PartFile(fd, part)

    def read(count: int, at: int) -> bytes:
        source.seek(at)
        return source.read(count)

    at = part.start - len(part.prefix)
    return Track(container, stream, declared, end, part.end - at, read, at)


def _declared_together(tracks: list[Track]) -> Declared:
    """What the first track says, with the length of the longest one."""
    if len(tracks) == 1:
        return tracks[0].declared
    ends = [track.declared.duration for track in tracks]
    if len(tracks) == len(tracks[0].container.streams):
        ends += [track.end for track in tracks if not track.late]
    recorded = next((t.declared.recorded_at for t in tracks if t.declared.recorded_at), None)
    return replace(
        tracks[0].declared,
        duration=sensible(max((end for end in ends if end is not None), default=None)),
        recorded_at=recorded,
    )


_UNREADABLE = (av.FFmpegError, ValueError, IndexError, OSError)


def _open(fd: int, part: Part | None) -> InputContainer:
    options = {"protocol_whitelist": "fd", "format_whitelist": DEMUXERS}
    if part is not None:
        return av.open(PartFile(fd, part), mode="r", options=options, metadata_errors="replace")
    os.lseek(fd, 0, os.SEEK_SET)
    return av.open("fd:", mode="r", options=options | {"fd": str(fd)}, metadata_errors="replace")


def _declared_of(fd: int, part: Part) -> Declared | None:
    try:
        opened = open_part(fd, part)
    except MediaError:
        return None
    opened.close()
    return opened.declared


def _why_not(head: bytes, error: BaseException) -> str:
    """A sentence for a file that no demuxer of the list would take."""
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip"):
        return (
            "The recording was never finished or only partly copied: its index (the moov atom) is missing. "
            "Copy it again from the recorder, or repair it there."
        )
    if (
        head[:4] in (b"RIFF", b"RF64", b"FORM", b"fLaC", b"OggS", b"caff", b"riff")
        or head[:4] == b"\x1aE\xdf\xa3"
    ):
        return (
            "The file begins like a recording, but its header is damaged or cut off, so it cannot be read. "
            "Copy it again, or export it anew."
        )
    if head[:3] == b"ID3":
        return "The file has a music tag but no sound that can be read after it. Copy it again."
    if is_text(head):
        return "The file is text, whatever its name says; a recording is needed."
    if isinstance(error, av.EOFError):
        return "The file ends before any sound begins: it was cut off. Copy it again."
    return "The content is no sound or video format that is known here, whatever the file's name says."
