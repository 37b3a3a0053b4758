"""From an open recording to mono samples at 16 kHz, in bounded memory, whatever the file does on the way.

faster-whisper's own `decode_audio` holds the whole recording in memory, stops at the first bad packet, and crashes
when the format changes mid-stream (SYSTRAN/faster-whisper#1451).
"""

from __future__ import annotations

from collections.abc import Iterator

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.packet import Packet
from numpy.typing import NDArray

from earmark.errors import MediaError
from earmark.transcription.container import OpenRecording, check_rate, open_part
from earmark.transcription.engine import RATE, Samples

BLOCK = RATE
"""Samples that are resampled and mixed at a time: one second."""

CANCELLED = 0.1
"""A mix with less than this share of its loudest channel's amplitude has cancelled out (-20 dB)."""

LEAST_GAP = 0.2
"""Seconds by which a timestamp must lie ahead before silence is put in; below it is jitter of the container."""

MOST_ERRORS = 100
"""Read errors without a packet between them after which the rest is given up."""


class Decoder:
    """Reads one recording once, from its start. After the last block the counters are final."""

    def __init__(self, recording: OpenRecording, max_seconds: float) -> None:
        self._recording = recording
        self._limit = int(max_seconds * RATE)
        self._max_seconds = max_seconds
        self._resampler: AudioResampler | None = None
        self._format: tuple[int, str, str] | None = None
        self._ahead = 0.0
        self.samples = 0
        """Samples given out so far."""
        self.bad_packets = 0

    @property
    def seconds(self) -> float:
        """Seconds given out so far."""
        return self.samples / RATE

    def blocks(self) -> Iterator[Samples]:
        """The recording as arrays of shape (n,), n up to about a second.

        Raises MediaError if nothing at all can be decoded, if the sample rate is absurd, or past `max_seconds`.
        """
        for block in self._mixed():
            if self.samples + len(block) > self._limit:
                raise MediaError(
                    f"The recording is longer than {self._max_seconds / 3600:g} hours, the most that is "
                    "transcribed. Cut it into parts."
                )
            self.samples += len(block)
            yield block
        if self.samples == 0:
            raise MediaError(
                "The file is a recording by its header, but not one moment of sound in it can be decoded."
            )

    def _mixed(self) -> Iterator[Samples]:
        yield from self._part()
        whole = self._recording
        for part in whole.later:
            try:
                self._recording = open_part(whole.fd, part)
            except MediaError:
                self.bad_packets += 1
                continue
            self._ahead = 0.0
            try:
                yield from self._part()
            finally:
                self._recording.close()
                self._recording = whole

    def _part(self) -> Iterator[Samples]:
        for packet in self._packets():
            for frame in self._frames(packet):
                try:
                    yield from self._resampled(frame)
                except (av.FFmpegError, ValueError, OSError):
                    self.bad_packets += 1
                    self._resampler = self._format = None
        yield from self._drain()

    def _packets(self) -> Iterator[Packet[AudioStream]]:
        errors = 0
        while errors < MOST_ERRORS:
            try:
                for packet in self._recording.container.demux(self._recording.stream):
                    errors = 0
                    yield packet
                return
            except av.EOFError:
                return
            except (av.FFmpegError, ValueError, OSError):
                # A generator that has raised is finished; a new one reads on where the demuxer stands.
                errors += 1
                self.bad_packets += 1

    def _frames(self, packet: Packet[AudioStream]) -> list[AudioFrame]:
        try:
            return [f for f in packet.decode() if f.samples > 0]
        except (av.FFmpegError, ValueError, IndexError, OSError):
            self.bad_packets += 1
            return []

    def _resampled(self, frame: AudioFrame) -> Iterator[Samples]:
        form = (frame.sample_rate, frame.layout.name, frame.format.name)
        if form != self._format:
            check_rate(frame.sample_rate)
            yield from self._drain()
            self._resampler = AudioResampler(format="fltp", layout=frame.layout, rate=RATE, frame_size=BLOCK)
            self._format = form
        yield from self._gap_before(frame)
        frame.pts = None  # the resampler would put in or take out samples to follow damaged timestamps
        assert self._resampler is not None
        for ready in self._resampler.resample(frame):
            yield mix_down(_channels(ready))

    def _drain(self) -> Iterator[Samples]:
        """What is left in the resampler."""
        resampler, self._resampler, self._format = self._resampler, None, None
        if resampler is not None:
            try:
                for ready in resampler.resample(None):
                    yield mix_down(_channels(ready))
            except (av.FFmpegError, ValueError, OSError):
                self.bad_packets += 1

    def _gap_before(self, frame: AudioFrame) -> Iterator[Samples]:
        """Silence where the container's clock says that time passed without sound (lost packets, a late track).

        Without it every later link into the recording would point too early.
        """
        declared = self._recording.declared
        length = frame.samples / frame.sample_rate
        if frame.pts is None or frame.time_base is None:
            self._ahead += length
            return
        at = float(frame.pts * frame.time_base) - declared.origin
        gap = at - self._ahead
        end = declared.duration
        believable = gap <= 60.0 if end is None else at <= end + LEAST_GAP
        self._ahead += length
        if gap > LEAST_GAP and believable:
            yield from self._drain_keeping()
            self._ahead += gap
            missing = round(gap * RATE)
            while missing > 0:
                yield np.zeros(min(missing, BLOCK), dtype=np.float32)
                missing -= BLOCK

    def _drain_keeping(self) -> Iterator[Samples]:
        form = self._format
        resampler = self._resampler
        yield from self._drain()
        if form is not None and resampler is not None:
            self._resampler = AudioResampler(
                format="fltp", layout=resampler.layout, rate=RATE, frame_size=BLOCK
            )
            self._format = form


def mix_down(channels: NDArray[np.float32]) -> Samples:
    """One channel from an array of shape (channels, n): their mean, or the loudest if the mean cancels out.

    Headsets and balanced cables wired wrongly give L = -R, whose mean is silence. Not-a-number samples become
    silence, everything else is cut off at full scale.
    """
    clean = np.clip(np.nan_to_num(channels, nan=0.0, posinf=1.0, neginf=-1.0), -1.0, 1.0)
    if clean.shape[0] == 1:
        return np.ascontiguousarray(clean[0], dtype=np.float32)
    mean = clean.mean(axis=0, dtype=np.float32)
    loudness = np.sqrt(np.mean(np.square(clean), axis=1))
    loudest = int(np.argmax(loudness))
    if np.sqrt(np.mean(np.square(mean))) < CANCELLED * loudness[loudest]:
        return np.ascontiguousarray(clean[loudest], dtype=np.float32)
    return np.ascontiguousarray(mean, dtype=np.float32)


def _channels(frame: AudioFrame) -> NDArray[np.float32]:
    """A planar float frame as an array of shape (channels, n)."""
    return np.asarray(frame.to_ndarray(), dtype=np.float32)
