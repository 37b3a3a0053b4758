"""Files that are almost recordings: valid ones in ten containers, spoiled in ways that disks, copies and attackers do."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np

from tests.conftest import SAMPLE

RATE = 16_000

CONTAINERS = {
    "wav": "pcm_s16le", "flac": "flac", "mp3": "mp3", "ogg": "libvorbis", "opus": "libopus", "m4a": "aac",
    "mka": "flac", "webm": "libopus", "aiff": "pcm_s16be", "avi": "mp3", "mov": "alac", "wma": "wmav2", "au": "pcm_s16be",
}  # fmt: skip
"""Suffix and codec of the valid ones."""


def clips(folder: Path, seconds: float) -> list[Path]:
    """The first moments of the sample in each container that this FFmpeg can write; at least ten."""
    with av.open(str(SAMPLE)) as source:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=48_000)
        pieces = [f.to_ndarray() for d in source.decode(audio=0) for f in resampler.resample(d)]
    samples = np.concatenate(pieces, axis=1)[:, : int(seconds * 48_000)].astype(np.int16)
    made = []
    for suffix, codec in CONTAINERS.items():
        target = folder / f"clip.{suffix}"
        try:
            with av.open(str(target), "w") as out:
                stream: Any = out.add_stream(codec, rate=48_000, layout="mono")
                frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
                frame.rate = 48_000
                encode = av.AudioResampler(
                    format=stream.codec_context.format or "s16",
                    layout="mono",
                    rate=48_000,
                    frame_size=stream.codec_context.frame_size or 1024,
                )
                for part in [*encode.resample(frame), *encode.resample(None)]:
                    out.mux(stream.encode(part))
                out.mux(stream.encode(None))
        except (av.FFmpegError, ValueError):
            target.unlink(missing_ok=True)
            continue
        made.append(target)
    assert len(made) >= 10, f"only {[m.suffix for m in made]} can be written here"
    return made


def _cut(data: bytearray, dice: random.Random) -> None:
    del data[dice.randrange(1, len(data)) :]


def _flip(data: bytearray, dice: random.Random) -> None:
    for _ in range(dice.choice((1, 5, 50, 500))):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def _header(data: bytearray, dice: random.Random) -> None:
    for _ in range(dice.choice((1, 3, 10))):
        data[dice.randrange(min(200, len(data)))] = dice.choice((0, 1, 0x7F, 0x80, 0xFF, dice.randrange(256)))


def _numbers(data: bytearray, dice: random.Random) -> None:
    """Sizes, counts and rates in headers become enormous, negative or zero."""
    for _ in range(dice.choice((1, 2, 4))):
        at = dice.randrange(max(1, min(600, len(data) - 4)))
        data[at : at + 4] = dice.choice(
            (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\0", b"\x80\0\0\0")
        )


def _hole(data: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(data))
    length = dice.choice((16, 512, 4096))
    data[at : at + length] = bytes(min(length, len(data) - at))


def _missing(data: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(data))
    del data[at : at + dice.choice((1, 7, 512, 5000))]


def _doubled(data: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(data))
    data[at:at] = data[at : at + dice.choice((10, 1000, 8000))] * dice.choice((1, 3, 20))


def _noise(data: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(data))
    length = dice.choice((64, 1024, len(data)))
    data[at : at + length] = dice.randbytes(min(length, len(data) - at))


WAYS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    _cut, _flip, _header, _numbers, _hole, _missing, _doubled, _noise,
)  # fmt: skip


def spoil(folder: Path, valid: list[Path], count: int, seed: int) -> list[Path]:
    """`count` bad files in `folder`: each valid clip in turn, each way in turn, some twice, some under another suffix."""
    dice = random.Random(seed)
    made = []
    for number in range(count):
        clip = valid[number % len(valid)]
        data = bytearray(clip.read_bytes())
        way = WAYS[(number // len(valid)) % len(WAYS)]
        way(data, dice)
        if data and dice.random() < 0.2:
            dice.choice(WAYS)(data, dice)
        suffix = clip.suffix if dice.random() < 0.9 else dice.choice(valid).suffix
        target = folder / f"bad-{number:04}-{way.__name__[1:]}-{clip.suffix[1:]}{suffix}"
        target.write_bytes(bytes(data) or b"\0")
        made.append(target)
    return made
