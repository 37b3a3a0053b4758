"""From one sound track of an open container to samples at 16 kHz, whatever the file does on the way.

faster-whisper's own `decode_audio` holds the whole recording in memory, stops at the first bad packet, and crashes
when the format changes mid-stream (SYSTRAN/faster-whisper#1451).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.packet import Packet

from earmark.errors import MediaError
from earmark.files import says_in_cloud
from earmark.transcription.container import Track
from earmark.transcription.engine import RATE
from earmark.transcription.losses import STREAMS, Losses
from earmark.transcription.mixing import Channels, clean
from earmark.transcription.tracks import check_channels, check_rate
from earmark.transcription.unclaimed import Reach

BLOCK = RATE
"""Samples of each channel that are resampled at a time: one second."""

LEAST_GAP = 0.2
"""Seconds by which a timestamp must lie ahead before silence is put in; below it is jitter of the container."""

MOST_GAP = 60.0
"""Seconds of silence that a timestamp is believed where the container does not say how long it is."""

MOST_ERRORS = 100
"""Read errors without a packet between them after which the rest is given up."""


class Reader:
    """Reads one track once, from its start. After the last block the counters are final.

    `most_gap`: seconds without sound that are believed where the container does not declare its length.
    """

    def __init__(self, track: Track, most_gap: float = MOST_GAP) -> None:
        self.track = track
        self._most_gap = most_gap
        self._resampler: AudioResampler | None = None
        self._format: tuple[int, str, str] | None = None
        self._ahead = 0.0
        self.samples = 0
        """Samples of each channel given out so far."""
        self.bad_packets = 0
        self.strangers = False
        """Whether there are packets of streams that were not there when the container was opened."""
        self._counted: float | None = None
        self._by_packets = track.container.format.name in STREAMS
        alone = len(track.container.streams) == 1
        self.losses = Losses(track.container.format.name, alone, track.read)
        self.reach = Reach(track.container.format.name)

    @property
    def seconds(self) -> float:
        """Seconds given out so far."""
        return self.samples / RATE

    def blocks(self) -> Iterator[Channels]:
        """The track as cleaned arrays of shape (channels, n), n up to about a second.

        Raises MediaError for an absurd rate or number of channels, unless sound came before it: then that is damage.

        The number of channels changes where the file changes it, and is 1 for silence that is put in.
        """
        for block in self._blocks():
            self.samples += block.shape[1]
            yield block

    def _blocks(self) -> Iterator[Channels]:
        for packet in self._packets():
            for frame in self._frames(packet):
                try:
                    yield from self._resampled(frame)
                except (av.FFmpegError, ValueError, OSError):
                    self._lose()
                    self._resampler = self._format = None
                except MediaError:
                    if self.samples == 0:
                        raise
                    self._lose()
        yield from self._drain()
        self.losses.ended(self.track.size, self.track.declared.lost_from)
        if self.losses.only_tags:
            self.bad_packets = 0

    def _packets(self) -> Iterator[Packet[AudioStream]]:
        errors = 0
        while errors < MOST_ERRORS:
            try:
                for packet in self.track.container.demux(self.track.stream):
                    errors = 0
                    length = packet.duration or 0
                    self.reach.packet(packet.pos, packet.size, length * self._bytes_at_a_time())
                    self.losses.packet(
                        packet.pos, packet.size, float(length * packet.time_base) if packet.time_base else 0.0
                    )
                    yield packet
                return
            except av.EOFError:
                return
            except IndexError:  # PyAV, of a packet of a stream that it did not see begin
                self.strangers = True
            except (av.FFmpegError, ValueError, OSError) as error:
                if says_in_cloud(error):
                    raise OSError(errno.EDEADLK, os.strerror(errno.EDEADLK)) from error
                # A generator that has raised is finished; a new one reads on where the demuxer stands.
                errors += 1
                self.bad_packets += 1
                self.losses.unreadable()

    def _bytes_at_a_time(self) -> int:
        """Of all channels together, uncompressed; 0 if that is not known yet."""
        context = self.track.stream.codec_context
        return context.channels * (context.format.bytes if context.format is not None else 0)

    def _frames(self, packet: Packet[AudioStream]) -> list[AudioFrame]:
        self._counted = None
        if self._by_packets and packet.duration and packet.time_base:
            self._counted = float(packet.duration * packet.time_base)
        try:
            return [f for f in packet.decode() if f.samples > 0]
        except av.EOFError:
            return []  # the end of a decoder that was told of it before
        except (av.FFmpegError, ValueError, IndexError, OSError):
            self._lose()
            return []

    def _lose(self) -> None:
        self.bad_packets += 1
        self.losses.failed()

    def _resampled(self, frame: AudioFrame) -> Iterator[Channels]:
        form = (frame.sample_rate, frame.layout.name, frame.format.name)
        if form != self._format:
            check_rate(frame.sample_rate)
            check_channels(frame.layout.nb_channels)
            yield from self._drain()
            self._resampler = AudioResampler(format="flt", layout=frame.layout, rate=RATE, frame_size=BLOCK)
            self._format = form
        yield from self._gap_before(frame)
        self.losses.decoded(frame.samples / frame.sample_rate)
        frame.pts = None  # the resampler would put in or take out samples to follow damaged timestamps
        assert self._resampler is not None
        for ready in self._resampler.resample(frame):
            yield _channels(ready)

    def _drain(self) -> Iterator[Channels]:
        """What is left in the resampler."""
        resampler, self._resampler, self._format = self._resampler, None, None
        if resampler is not None:
            try:
                for ready in resampler.resample(None):
                    yield _channels(ready)
            except (av.FFmpegError, ValueError, OSError):
                self.bad_packets += 1

    def _gap_before(self, frame: AudioFrame) -> Iterator[Channels]:
        """Silence where the container's clock says that time passed without sound (lost packets, a late track).

        Without it every later link into the recording would point too early.
        """
        declared = self.track.declared
        # Where FFmpeg counts what it finds, as it counts: of AAC it goes on with the rate of the first packet.
        length = frame.samples / frame.sample_rate if self._counted is None else self._counted
        self._counted = None if self._counted is None else 0.0  # once for all frames of a packet
        if frame.pts is None or frame.time_base is None:
            self._ahead += length
            return
        at = float(frame.pts * frame.time_base) - declared.origin
        gap = at - self._ahead
        end = self.track.end
        believable = gap <= self._most_gap if end is None else at <= end + LEAST_GAP
        self._ahead += length
        if gap > LEAST_GAP and believable:
            yield from self._drain_keeping()
            self.losses.gap(gap)
            self._ahead += gap
            missing = round(gap * RATE)
            while missing > 0:
                yield np.zeros((1, min(missing, BLOCK)), dtype=np.float32)
                missing -= BLOCK

    def _drain_keeping(self) -> Iterator[Channels]:
        form = self._format
        resampler = self._resampler
        yield from self._drain()
        if form is not None and resampler is not None:
            self._resampler = AudioResampler(
                format="flt", layout=resampler.layout, rate=RATE, frame_size=BLOCK
            )
            self._format = form


def _channels(frame: AudioFrame) -> Channels:
    """A packed float frame as a cleaned array of shape (channels, n).

    Planar frames are not asked for: PyAV reads their planes from an array of eight pointers, however many there are.
    """
    count = frame.layout.nb_channels
    packed = np.asarray(frame.to_ndarray(), dtype=np.float32).reshape(-1, count)
    return clean(np.ascontiguousarray(packed.T))
