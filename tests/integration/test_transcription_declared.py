"""Whether a file breaks off is judged by what it says of its sound, on its own clock: not by its picture, nor by zero."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from earmark.transcription.engine import RATE, Samples

from tests.media import Decoded, alike, write
from tests.speech import SAMPLE

SECONDS, PICTURE = 6, 14


@pytest.fixture(scope="module")
def speech() -> Samples:
    return Decoded(SAMPLE).samples[: SECONDS * RATE]


def with_picture(path: Path, sound: Path, tracks: int, video: str) -> Path:
    """A film whose picture goes on long after its sound, which is there `tracks` times."""
    with av.open(str(path), "w") as out:
        picture: Any = out.add_stream(video, rate=25)
        picture.width, picture.height, picture.pix_fmt = 64, 64, "yuvj420p" if video == "mjpeg" else "yuv420p"
        sources = [av.open(str(sound)) for _ in range(tracks)]
        copies: list[Any] = [out.add_stream_from_template(s.streams.audio[0]) for s in sources]
        packets = []
        for _ in range(PICTURE * 25):
            packets += picture.encode(
                av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), dtype=np.uint8), format="rgb24")
            )
        packets += picture.encode(None)
        for source, copy in zip(sources, copies, strict=True):
            for packet in source.demux(source.streams.audio[0]):
                if packet.dts is not None:
                    packet.stream = copy
                    packets.append(packet)
        for packet in sorted(packets, key=lambda p: float(p.dts * p.time_base)):
            out.mux(packet)
        for source in sources:
            source.close()
    return path


@pytest.mark.parametrize("tracks", [1, 2])
@pytest.mark.parametrize(
    ("suffix", "sound", "video"),
    [("mkv", "m4a", "mpeg4"), ("mp4", "m4a", "mpeg4"), ("mov", "m4a", "mpeg4"), ("webm", "webm", "libvpx"),
     ("wmv", "wma", "mpeg4"), ("avi", "wav", "mjpeg"), ("flv", "m4a", "flv")],
)  # fmt: skip
@pytest.mark.shows("transcription:damage")
def test_a_picture_that_goes_on_after_the_sound_makes_no_sound_missing(
    tmp_path: Path, speech: Samples, suffix: str, sound: str, video: str, tracks: int
) -> None:
    if suffix == "flv" and tracks == 2:
        pytest.skip("flv has one track of sound")
    codec = {"m4a": "aac", "webm": "libopus", "wma": "wmav2", "wav": "pcm_s16le"}[sound]
    path = with_picture(
        tmp_path / f"x.{suffix}", write(tmp_path / f"a.{sound}", speech, codec), tracks, video
    )
    found = Decoded(path)
    assert (found.tracks, round(found.unreadable, 1), found.truncated) == (tracks, 0.0, False)
    assert found.seconds == pytest.approx(SECONDS, abs=0.3)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 4])
    assert suffix in ("mp4", "mov", "flv") or Decoded(path).truncated  # they have no index, or do not say


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [("mka", "aac"), ("webm", "libopus"), ("mp4", "aac"), ("mov", "aac"), ("ts", "aac")],
)
def test_a_track_of_which_nothing_was_recorded_makes_no_sound_missing(
    tmp_path: Path, speech: Samples, suffix: str, codec: str
) -> None:
    path = tmp_path / f"x.{suffix}"
    with (
        av.open(str(write(tmp_path / f"a.{suffix}", speech, codec))) as source,
        av.open(str(path), "w") as out,
    ):
        sound, _ = (out.add_stream_from_template(source.streams.audio[0]) for _ in range(2))
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = sound
                out.mux(packet)
    found = Decoded(path)
    assert (round(found.unreadable, 1), found.truncated, found.tracks_unheard) == (0.0, False, 0)
    assert found.seconds == pytest.approx(SECONDS, abs=0.2)


def moved(source: Path, path: Path, seconds: float) -> Path:
    """The same sound on a clock that stood at `seconds` when it began, as who cuts it out of a stream leaves it."""
    with av.open(str(source)) as whole, av.open(str(path), "w") as out:
        copy = out.add_stream_from_template(whole.streams.audio[0])
        for packet in whole.demux(whole.streams.audio[0]):
            if packet.dts is not None and packet.pts is not None:
                packet.pts += round(seconds / packet.time_base)
                packet.dts += round(seconds / packet.time_base)
                packet.stream = copy
                out.mux(packet)
    return path


@pytest.mark.parametrize("seconds", [2.0, 3_600.0, 300_000.0])
@pytest.mark.parametrize(
    ("suffix", "codec"),
    [("webm", "libopus"), ("mka", "aac"), ("opus", "libopus"), ("mp4", "aac")],
)
@pytest.mark.shows("transcription:damage")
def test_a_clock_that_does_not_begin_at_zero_makes_no_sound_missing(
    tmp_path: Path, speech: Samples, suffix: str, codec: str, seconds: float
) -> None:
    source = write(tmp_path / f"a.{suffix}", speech, codec)
    found = Decoded(moved(source, tmp_path / f"x.{suffix}", seconds))
    assert (round(found.unreadable, 1), found.truncated) == (0.0, False)
    assert found.seconds == pytest.approx(SECONDS, abs=0.2)
    assert alike(found.samples, speech) > 0.9
    cut = tmp_path / f"cut.{suffix}"
    cut.write_bytes((tmp_path / f"x.{suffix}").read_bytes()[: (tmp_path / f"x.{suffix}").stat().st_size // 2])
    assert suffix == "mp4" or Decoded(cut).truncated


def test_windows_media_sound_that_breaks_off_is_said_to(tmp_path: Path, speech: Samples) -> None:
    path = write(tmp_path / "x.wma", speech, "wmav2")
    assert not Decoded(path).truncated
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])
    assert Decoded(path).truncated


@pytest.mark.parametrize("suffix", ["caf", "w64", "aiff", "au", "wav"])
@pytest.mark.shows("transcription:damage")
def test_of_a_copy_that_was_cut_off_the_seconds_that_are_missing_are_named(
    tmp_path: Path, speech: Samples, suffix: str
) -> None:
    path = write(
        tmp_path / f"whole.{suffix}", speech, "pcm_s16le" if suffix in ("w64", "wav") else "pcm_s16be"
    )
    assert not Decoded(path).truncated
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    found = Decoded(path)
    assert found.truncated
    assert found.declared.duration == pytest.approx(SECONDS, abs=0.2)
