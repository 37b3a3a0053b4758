"""What lies behind a recording in its file is heard if it is one, of whatever kind, and named in bytes if it is not."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from earmark.transcription.engine import RATE, Samples
from earmark.transcription.parts import find_parts

from tests.media import Decoded, write
from tests.speech import SAMPLE

CODECS = {
    "wav": "pcm_s16le", "aiff": "pcm_s16be", "avi": "pcm_s16le", "flac": "flac", "ogg": "libopus", "m4a": "aac",
    "caf": "pcm_s16le", "wma": "wmav2", "w64": "pcm_s16le", "au": "pcm_s16be", "webm": "libopus", "live.webm": "libopus",
    "wv": "wavpack", "tta": "tta", "flv": "aac", "mp3": "libmp3lame", "mp2": "mp2", "aac": "aac", "ac3": "ac3",
    "latm": "aac", "ts": "aac", "m2ts": "ac3", "mpg": "mp2", "vob": "ac3", "rm": "ac3", "voc": "pcm_s16le",
}  # fmt: skip

SAID_BY_BYTES = (
    "m4a",
    "flac",
    "ts",
    "m2ts",
    "mpg",
    "rm",
    "webm",
    "live.webm",
    "ogg",
    "avi",
    "wma",
    "flv",
    "tta",
    "wv",
)
"""Those behind which nothing is taken for their sound: uncompressed sound goes on, and bare frames count it as damage."""

JUNK = random.Random(12).randbytes(60_000)


@pytest.fixture(scope="module")
def each(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A recording of each kind, of two seconds."""
    speech, folder = Decoded(SAMPLE).samples[: 2 * RATE], tmp_path_factory.mktemp("each")
    made = {ending: _made(folder / f"x.{ending}", codec, speech) for ending, codec in CODECS.items()}
    return made | {"dts": b"".join(_dts_frame(number) for number in range(40))}


def _dts_frame(number: int) -> bytes:
    """A frame of 1,000 bytes with a right header; nobody writes DTS here."""
    size = 1_000 - 1
    head = b"\x7f\xfe\x80\x01\xfc" + bytes((0x3C | size >> 12, size >> 4 & 0xFF, (size & 15) << 4))
    return head + random.Random(number).randbytes(1_000 - len(head))


def _made(path: Path, codec: str, speech: Samples) -> bytes:
    rate = 44_100 if path.suffix == ".flv" else 48_000
    if path.suffix == ".wma":
        return write(path.with_suffix(".asf"), speech, codec, rate).read_bytes()
    options = {"x.live.webm": {"live": "1"}, "x.mp3": {"id3v2_version": "0"}}.get(path.name, {})
    muxer = {".dts": "dts", ".rm": "rm", ".vob": "vob", ".mpg": "mpeg"}.get(path.suffix)
    with av.open(str(path), "w", format=muxer, options=options) as out:
        stream: Any = out.add_stream(codec, rate=rate, layout="mono", options={"strict": "-2"})
        context = stream.codec_context
        fifo = av.AudioResampler(
            format=context.format, layout="mono", rate=rate, frame_size=context.frame_size or 1_920
        )
        frame = av.AudioFrame.from_ndarray(speech[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = RATE, 0
        for ready in (*fifo.resample(frame), *fifo.resample(None)):
            out.mux(stream.encode(ready))
        out.mux(stream.encode(None))
    return path.read_bytes()


def parts_of(path: Path, content: bytes) -> list[int]:
    """Where the recordings in the file begin."""
    path.write_bytes(content)
    fd = os.open(path, os.O_RDONLY)
    try:
        return [part.start for part in find_parts(fd)]
    finally:
        os.close(fd)


@pytest.mark.shows("transcription:joined")
@pytest.mark.parametrize("first", [*CODECS, "dts"])
def test_a_recording_of_any_kind_behind_one_of_any_other_is_found_at_its_first_byte(
    tmp_path: Path, each: dict[str, bytes], first: str
) -> None:
    before = each[first]
    missed = [
        second
        for second, behind in each.items()
        if second != first and parts_of(tmp_path / "both.bin", before + behind)[1:] != [len(before)]
    ]
    assert missed == []


@pytest.mark.shows("transcription:joined")
@pytest.mark.parametrize(("first", "second"), [("flac", "mp3"), ("ts", "aac"), ("rm", "mp2"),
    ("live.webm", "ac3"), ("mp3", "aac"), ("vob", "mpg"), ("m2ts", "latm"), ("mp2", "mp3")])  # fmt: skip
def test_bare_frames_behind_a_recording_without_an_end_are_heard(
    tmp_path: Path, each: dict[str, bytes], first: str, second: str
) -> None:
    path = tmp_path / "both.bin"
    path.write_bytes(each[first] + each[second])
    found = Decoded(path)
    assert (found.parts, found.parts_unheard, found.bytes_unheard) == (2, 0, 0)
    assert found.seconds == pytest.approx(4.0, abs=0.3)
    assert np.abs(found.samples[3 * RATE :]).max() > 0.05


@pytest.mark.shows("transcription:behind")
@pytest.mark.parametrize("kind", SAID_BY_BYTES)
def test_bytes_behind_a_recording_that_are_none_are_counted_and_what_recorders_put_there_is_not(
    tmp_path: Path, each: dict[str, bytes], kind: str
) -> None:
    path, whole = tmp_path / "x.bin", each[kind]

    def unheard(behind: bytes) -> int:
        path.write_bytes(whole + behind)
        found = Decoded(path)
        assert found.seconds == pytest.approx(2.0, abs=0.3)
        assert found.parts == 1
        return found.bytes_unheard

    # What the last packet of a FLAC could hold at most is let pass.
    assert len(JUNK) - 20_000 < unheard(JUNK) <= len(JUNK)
    assert unheard(b"Dear diary, today nobody said a word.\n" * 2_000) > 50_000
    for usual in (b"", bytes(60_000), b"TAG" + b"x" * 125, b"\xff" * 60_000, JUNK[:2_000]):
        assert unheard(usual) == 0
    assert unheard(JUNK + b"8db42d694ccc418790edff439fe026bf") == 0


@pytest.mark.shows("transcription:behind")
def test_a_recording_behind_rubbish_is_heard_and_half_a_copy_is_a_part_that_is_not(
    tmp_path: Path, each: dict[str, bytes]
) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(each["m4a"] + JUNK + each["mp3"] + JUNK + each["ogg"])
    found = Decoded(path)
    assert (found.parts, found.parts_unheard) == (3, 0)
    assert found.bytes_unheard == len(JUNK)  # of what lies behind the MP3 it is known in seconds
    assert found.unreadable > 1.0
    path.write_bytes(each["m4a"] + each["m4a"][: len(each["m4a"]) // 2])
    found = Decoded(path)
    assert (found.parts, found.parts_unheard) == (2, 1)


@pytest.mark.shows("transcription:behind")
def test_a_movie_without_a_mark_behind_another_is_heard(tmp_path: Path, each: dict[str, bytes]) -> None:
    old = each["m4a"][int.from_bytes(each["m4a"][:4]) :]  # as QuickTime wrote them, without ftyp
    shift = len(each["m4a"]) - len(old)
    at = old.index(b"stco")
    moved = int.from_bytes(old[at + 12 : at + 16]) - shift
    old = old[: at + 12] + moved.to_bytes(4) + old[at + 16 :]
    path = tmp_path / "x.mov"
    path.write_bytes(each["m4a"] + old)
    found = Decoded(path)
    assert found.parts == 2
    assert found.seconds == pytest.approx(4.0, abs=0.3)


@pytest.mark.shows("transcription:late-tracks")
@pytest.mark.parametrize(("alone", "codec"), [(False, "ac3"), (True, "mp2")])
def test_a_track_of_a_program_stream_that_begins_late_is_heard_at_its_own_time(
    tmp_path: Path, alone: bool, codec: str
) -> None:
    speech = Decoded(SAMPLE).samples[: 3 * RATE]
    path = tmp_path / "x.vob"
    with av.open(str(path), "w", format="vob") as out:
        picture = out.add_stream("mpeg2video", rate=25, options={"b": "8M", "minrate": "8M", "maxrate": "8M"})
        picture.width, picture.height, picture.pix_fmt = 320, 240, "yuv420p"
        first = None if alone else out.add_stream(codec, rate=48_000, layout="mono")
        late = out.add_stream(codec, rate=48_000, layout="mono")
        packets: list[Any] = []
        noise = np.random.default_rng(5)
        for number in range(20 * 25):
            frame = av.VideoFrame.from_ndarray(
                noise.integers(0, 255, (360, 320), dtype=np.uint8), format="yuv420p"
            )
            frame.pts = number
            packets += picture.encode(frame)
        packets += picture.encode(None)
        for stream, delay in ((first, 0), (late, 12)):
            if stream is not None:
                packets += _encoded(stream, speech, delay)
        for packet in sorted(packets, key=lambda p: float(p.dts * p.time_base)):
            out.mux(packet)
    found = Decoded(path)
    assert (found.tracks, found.tracks_unheard) == (1 if alone else 2, 0)
    assert (found.bad_packets, found.truncated) == (0, False)
    assert found.seconds == pytest.approx(15.0, abs=0.4)
    assert np.abs(found.samples[round(12.2 * RATE) :]).max() > 0.05
    assert np.abs(found.samples[4 * RATE : 11 * RATE]).max() < 0.01


def _encoded(stream: Any, speech: Samples, delay: int) -> list[Any]:
    context = stream.codec_context
    fifo = av.AudioResampler(
        format=context.format, layout="mono", rate=48_000, frame_size=context.frame_size or 1_152
    )
    frame = av.AudioFrame.from_ndarray(speech[None], format="fltp", layout="mono")
    frame.sample_rate, frame.pts = RATE, delay * RATE
    packets = []
    for ready in (*fifo.resample(frame), *fifo.resample(None)):
        packets += stream.encode(ready)
    return [*packets, *stream.encode(None)]
