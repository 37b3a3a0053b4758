"""Recordings made and read by tests: PyAV writes them, earmark's own decoder reads them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.stream import Disposition
from earmark.transcription.container import open_recording
from earmark.transcription.decode import Decoder
from earmark.transcription.engine import RATE, Samples
from earmark.transcription.versions import mute_tracks
from earmark.transcription.windows import FRAME
from faster_whisper.vad import get_vad_model

VOICE = get_vad_model()

HOURS = 24 * 3600.0


class Decoded:
    """A file decoded to its end."""

    def __init__(self, path: Path, max_seconds: float = HOURS) -> None:
        fd = os.open(path, os.O_RDONLY)
        try:
            recording = open_recording(fd, mute_tracks(fd, max_seconds, _voice))
            try:
                decoder = Decoder(recording, max_seconds, _voice)
                blocks = list(decoder.blocks())
                self.longest_block = max(len(b) for b in blocks)
                self.samples: Samples = np.concatenate(blocks)
                self.declared = recording.declared
                self.bad_packets = decoder.bad_packets
                self.seconds = decoder.seconds
                self.truncated = decoder.truncated
                self.unreadable, self.loudest = decoder.unreadable_seconds, decoder.loudest
                self.parts, self.parts_unheard = decoder.parts, decoder.parts_unheard
                self.bytes_unheard = decoder.bytes_unheard
                self.tracks, self.tracks_unheard = len(recording.tracks), decoder.tracks_unheard
                self.tracks_of_file = decoder.tracks
            finally:
                recording.close()
        finally:
            os.close(fd)


def _voice(samples: Samples) -> Samples:
    padded = np.pad(samples, (0, -len(samples) % FRAME))
    return np.asarray(VOICE(padded), dtype=np.float32).reshape(-1)


def write(
    path: Path, channels: Samples, codec: str, rate: int = RATE, layout: str = "mono", **tags: str
) -> Path:
    """Encode float samples of shape (n,) or (channels, n) with PyAV."""
    planes = np.atleast_2d(channels).astype(np.float32)
    with av.open(str(path), "w") as out:
        out.metadata.update(tags)
        stream: Any = out.add_stream(codec, rate=rate, layout=layout)
        if codec == "wmav2":
            stream.bit_rate = 64_000  # it has no default that it accepts
        resampler = av.AudioResampler(
            format=stream.codec_context.format, layout=layout, rate=rate,
            frame_size=stream.codec_context.frame_size or None,
        )  # fmt: skip
        at = 0
        while at < planes.shape[1]:
            part = np.ascontiguousarray(planes[:, at : at + RATE])
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = RATE, at, Fraction(1, RATE)
            for ready in resampler.resample(frame):
                out.mux(stream.encode(ready))
            at += part.shape[1]
        for ready in resampler.resample(None):
            out.mux(stream.encode(ready))
        out.mux(stream.encode(None))
    return path


def write_tracks(
    path: Path,
    sounds: Sequence[Samples],
    codec: str = "aac",
    late: Sequence[float] = (),
    languages: Sequence[str] = (),
    comment: int | None = None,
) -> Path:
    """Encode a mono track per sound; `late` gives the second at which each begins."""
    with av.open(str(path), "w") as out:
        streams: list[Any] = [out.add_stream(codec, rate=RATE, layout="mono") for _ in sounds]
        for stream, language in zip(streams, languages, strict=False):
            stream.metadata["language"] = language
        if comment is not None:
            streams[comment].disposition = Disposition.comment
        packets = []
        for number, (stream, sound) in enumerate(zip(streams, sounds, strict=True)):
            delay = round((late[number] if late else 0.0) * RATE)
            fifo = av.AudioResampler(
                format=stream.codec_context.format, layout="mono", rate=RATE,
                frame_size=stream.codec_context.frame_size or 1_024,
            )  # fmt: skip
            frame = av.AudioFrame.from_ndarray(sound[None].astype(np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE, delay, Fraction(1, RATE)
            for ready in (*fifo.resample(frame), *fifo.resample(None)):
                packets += stream.encode(ready)
            packets += stream.encode(None)
        for packet in sorted(packets, key=lambda p: float(p.dts * p.time_base)):
            out.mux(packet)
    return path


def write_poly_wav(path: Path, planes: Samples) -> Path:
    """A wav without a channel mask, as field recorders write it."""
    count, length = planes.shape
    data = (planes.T * 32767).astype("<i2").tobytes()
    form = b"".join(n.to_bytes(size, "little") for n, size in
                    ((1, 2), (count, 2), (RATE, 4), (RATE * count * 2, 4), (count * 2, 2), (16, 2)))  # fmt: skip
    assert len(data) == length * count * 2
    body = b"WAVEfmt " + (16).to_bytes(4, "little") + form + b"data" + len(data).to_bytes(4, "little") + data
    path.write_bytes(b"RIFF" + len(body).to_bytes(4, "little") + body)
    return path


def alike(heard: Samples, said: Samples) -> float:
    """Correlation of the loudness of two recordings in steps of 20 ms; 1 if the same.

    The best of shifts up to 0.12 s: encoders put a little silence before the sound, and some formats cannot say so.
    """

    def loudness(x: Samples) -> Samples:
        means: Samples = np.sqrt(np.mean(np.square(x[: len(x) // 320 * 320].reshape(-1, 320)), axis=1))
        return means

    a, b = loudness(heard), loudness(said)
    found = []
    for shift in range(-6, 7):
        x, y = a[max(0, shift) :], b[max(0, -shift) :]
        length = min(len(x), len(y))
        found.append(float(np.corrcoef(x[:length], y[:length])[0, 1]))
    return max(found)
