"""What could not be decoded is counted in seconds, and the count is true: files destroyed in the middle and cut off."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from earmark.errors import MediaError
from earmark.messages import Finished, Heard
from earmark.transcription.engine import RATE, Samples

from tests.media import Decoded, write
from tests.retention_world import World
from tests.speech import SAMPLE, WorkerProcess

pytest_plugins = ("tests.retention_root",)

SECONDS = 24


@pytest.fixture(scope="module")
def sound() -> Samples:
    """A tone in noise without a moment of silence, so that what is missing can be seen."""
    at = np.arange(SECONDS * RATE) / RATE
    tone = 0.3 * np.sin(2 * np.pi * (300 + 50 * np.sin(at)) * at)
    return (tone + np.random.default_rng(7).normal(0, 0.05, len(at))).astype(np.float32)


FILES = {
    "a.mp3": "libmp3lame", "a.m4a": "aac", "a.aac": "aac", "a.flac": "flac", "a.opus": "libopus", "a.webm": "libopus",
    "a.mka": "libmp3lame", "a.ts": "aac", "a.wma": "wmav2",
}  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, sound: Samples) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("whole")
    return {name: write(folder / name, sound, codec) for name, codec in FILES.items()}


def sounding(found: Decoded) -> float:
    """The seconds in which something is heard."""
    frames = found.samples[: len(found.samples) // 160 * 160].reshape(-1, 160)
    return float(np.count_nonzero(np.sqrt(np.mean(np.square(frames), axis=1)) > 1e-3)) / 100


def zeros(data: bytes, first: int, last: int) -> bytes:
    return data[:first] + bytes(last - first) + data[last:]


def rubbish(data: bytes, first: int, last: int) -> bytes:
    return data[:first] + np.random.default_rng(3).bytes(last - first) + data[last:]


def missing(data: bytes, first: int, last: int) -> bytes:
    return data[:first] + data[last:]


def destroyed(path: Path, target: Path, how: Callable[[bytes, int, int], bytes], share: float = 0.15) -> Path:
    """The file with a share of its bytes destroyed, from two fifths on."""
    data = path.read_bytes()
    first = len(data) * 2 // 5
    target.write_bytes(how(data, first, first + round(len(data) * share)))
    return target


@pytest.mark.parametrize("name", FILES)
def test_of_a_whole_file_nothing_is_unreadable(whole: dict[str, Path], name: str) -> None:
    found = Decoded(whole[name])
    assert (round(found.unreadable, 1), found.truncated) == (0.0, False)


@pytest.mark.parametrize("how", [zeros, rubbish, missing])
@pytest.mark.parametrize("name", FILES)
@pytest.mark.shows("transcription:damage")
def test_what_is_destroyed_in_the_middle_is_counted_in_seconds(
    tmp_path: Path, whole: dict[str, Path], name: str, how: Callable[[bytes, int, int], bytes]
) -> None:
    if how is missing and name in ("a.m4a", "a.aac"):
        pytest.skip(
            "an m4a without some of its bytes has no index; bare packets do not tell that some are missing"
        )
    found = Decoded(destroyed(whole[name], tmp_path / name, how))
    lost = SECONDS - sounding(found)
    assert lost > 0.14 * SECONDS
    assert found.unreadable == pytest.approx(lost, abs=0.3)


def test_damage_here_and_there_adds_up(tmp_path: Path, whole: dict[str, Path]) -> None:
    path = whole["a.m4a"]
    data = bytearray(path.read_bytes())
    for first in range(20_000, 60_000, 4_000):
        data[first : first + 700] = bytes(700)
    found = tmp_path / "a.m4a"
    found.write_bytes(data)
    decoded = Decoded(found)
    assert decoded.unreadable == pytest.approx(SECONDS - sounding(decoded), abs=0.5)
    assert decoded.unreadable > 0.5
    assert not decoded.truncated


@pytest.mark.parametrize("name", ["a.mp3", "a.flac", "a.webm", "a.mka", "a.wav", "a.aiff"])
@pytest.mark.shows("transcription:damage")
def test_what_a_file_that_breaks_off_announces_and_does_not_have_is_counted(
    tmp_path: Path, sound: Samples, whole: dict[str, Path], name: str
) -> None:
    path = whole.get(name) or write(
        tmp_path / f"whole-{name}", sound, {"a.wav": "pcm_s16le"}.get(name, "pcm_s16be")
    )
    cut = tmp_path / name
    cut.write_bytes(path.read_bytes()[: path.stat().st_size * 7 // 10])
    found = Decoded(cut)
    assert found.truncated
    assert found.unreadable == pytest.approx(SECONDS - found.seconds, abs=0.1)
    assert found.unreadable == pytest.approx(0.3 * SECONDS, abs=1.0)


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.aac", "aac"), ("a.latm", "aac"), ("a.mp2", "mp2"), ("a.ac3", "ac3"), ("a.eac3", "eac3"),
     ("a.amr", "libopencore_amrnb"), ("a.voc", "pcm_s16le"), ("a.ts", "mp2"), ("a.m2ts", "ac3"), ("a.mpg", "mp2"),
     ("a.webm", "libopus")],
)  # fmt: skip
@pytest.mark.shows("transcription:cut")
def test_a_stream_that_ends_within_a_frame_breaks_off_and_one_that_ends_with_it_does_not(
    tmp_path: Path, sound: Samples, name: str, codec: str
) -> None:
    path = write(tmp_path / name, sound[: 8 * RATE], codec, 8_000 if name == "a.amr" else 48_000)
    data = path.read_bytes()
    if name == "a.webm":  # as a browser records it: no length of all, and none of any cluster
        data = re.sub(
            rb"(\x18S\x80g|\x1fC\xb6u)\x01.{7}",
            lambda found: found[1] + b"\x01" + b"\xff" * 7,
            data,
            flags=re.DOTALL,
        )
        path.write_bytes(data)
    assert not Decoded(path).truncated
    for share in (0.5, 0.51, 0.9):
        path.write_bytes(data[: round(len(data) * share) // 188 * 188 + 33])
        assert Decoded(path).truncated


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0x7FFFF024])
def test_a_wav_whose_recorder_did_not_know_its_length_misses_nothing(
    tmp_path: Path, sound: Samples, size: int
) -> None:
    path = write(tmp_path / "a.wav", sound[: 2 * RATE], "pcm_s16le")
    data = bytearray(path.read_bytes())
    at = data.index(b"data")
    data[4:8], data[at + 4 : at + 8] = struct.pack("<I", size), struct.pack("<I", size)
    path.write_bytes(data)
    found = Decoded(path)
    assert (found.truncated, found.unreadable) == (False, 0.0)
    assert found.seconds == pytest.approx(2.0, abs=0.1)


def in_fragments(path: Path, target: Path, relative: bool) -> Path:
    """The same packets in a movie of fragments of a second, as browsers record."""
    flags = "frag_keyframe+empty_moov" + "+default_base_moof" * relative
    options = {"movflags": flags, "frag_duration": "1000000"}
    with av.open(str(path)) as source, av.open(str(target), "w", options=options) as out:
        stream = out.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    return target


@pytest.mark.parametrize(
    ("how", "relative"), [(zeros, True), (zeros, False), (rubbish, True), (rubbish, False), (missing, True)]
)
@pytest.mark.shows("transcription:damage")
def test_a_movie_in_fragments_goes_on_behind_the_damaged_one_at_its_own_time(
    tmp_path: Path, whole: dict[str, Path], how: Callable[[bytes, int, int], bytes], relative: bool
) -> None:
    path = in_fragments(whole["a.m4a"], tmp_path / "whole.mp4", relative)
    assert round(Decoded(path).unreadable, 1) == 0.0
    found = Decoded(destroyed(path, tmp_path / "a.mp4", how))
    assert found.unreadable == pytest.approx(SECONDS - sounding(found), abs=0.3)
    assert 0.14 * SECONDS < found.unreadable < 0.3 * SECONDS
    assert found.seconds == pytest.approx(SECONDS, abs=0.1)
    assert (found.parts, found.parts_unheard, found.truncated) == (1, 0, False)


def test_a_movie_whose_fragments_are_not_where_they_say_is_lost_from_there_on(
    tmp_path: Path, whole: dict[str, Path]
) -> None:
    path = in_fragments(whole["a.m4a"], tmp_path / "whole.mp4", relative=False)
    found = Decoded(destroyed(path, tmp_path / "a.mp4", missing))
    assert found.unreadable == pytest.approx(0.85 * SECONDS - sounding(found), abs=1.0)


def test_a_movie_that_is_damaged_twice_is_heard_in_three_pieces(
    tmp_path: Path, whole: dict[str, Path]
) -> None:
    path = in_fragments(whole["a.m4a"], tmp_path / "whole.mp4", relative=True)
    once = destroyed(path, tmp_path / "once.mp4", zeros)
    data, size = once.read_bytes(), path.stat().st_size
    twice = tmp_path / "twice.mp4"
    twice.write_bytes(zeros(data, size * 7 // 10, size * 8 // 10))
    found = Decoded(twice)
    assert found.seconds == pytest.approx(SECONDS, abs=0.1)
    assert found.unreadable == pytest.approx(SECONDS - sounding(found), abs=0.4)
    assert found.unreadable < 0.5 * SECONDS


@pytest.mark.parametrize("kind", ["webm", "ogg", "m4a", "mkv"])
def test_a_side_that_is_muted_for_a_while_is_not_damaged(tmp_path: Path, sound: Samples, kind: str) -> None:
    path = tmp_path / f"muted.{kind}"
    whole = write(tmp_path / f"a.{kind}", sound, "aac" if kind == "m4a" else "libopus")
    with av.open(str(whole)) as source, av.open(str(path), "w") as out:
        stream = out.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None and not 6.0 < float(packet.pts * packet.time_base) < 14.0:  # type: ignore[operator]
                packet.stream = stream
                out.mux(packet)
    found = Decoded(path)
    assert sounding(found) == pytest.approx(SECONDS - 8.0, abs=0.2)
    assert round(found.unreadable, 1) == 0.0


def absurd(path: Path) -> bytes:
    """The file as its header says it after damage: a million samples a second."""
    data = bytearray(path.read_bytes())
    data[24:28] = struct.pack("<I", 1_092_676)
    return bytes(data)


@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.shows("transcription:damage")
def test_a_part_with_an_absurd_sample_rate_costs_that_part_only(
    tmp_path: Path, sound: Samples, which: int
) -> None:
    part = write(tmp_path / "part.wav", sound[: 3 * RATE], "pcm_s16le")
    parts = [part.read_bytes()] * 3
    parts[which] = absurd(part)
    path = tmp_path / "joined.wav"
    path.write_bytes(b"".join(parts))
    found = Decoded(path)
    assert (found.parts, found.parts_unheard) == (3, 1)
    assert found.seconds == pytest.approx(6.0, abs=0.1)
    assert not found.truncated
    path.write_bytes(absurd(part) * 3)
    with pytest.raises(MediaError, match="1,092,676 samples a second"):
        Decoded(path)


def test_a_later_part_that_shows_its_rate_only_in_its_frames_costs_that_part_only(
    tmp_path: Path, sound: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = write(tmp_path / "one.flac", sound[: 3 * RATE], "flac").read_bytes()
    two = write(tmp_path / "two.flac", sound[: 3 * RATE], "flac", rate=44_100).read_bytes()
    path = tmp_path / "joined.flac"
    path.write_bytes(one + two)
    monkeypatch.setattr("earmark.transcription.reading.check_rate", lambda rate: _refuse(rate, 44_100))
    found = Decoded(path)
    assert (found.parts, found.parts_unheard) == (2, 1)
    assert found.seconds == pytest.approx(3.0, abs=0.1)


def _refuse(rate: int, absurd: int) -> None:
    if rate == absurd:
        raise MediaError("absurd")


@pytest.mark.speech
def test_a_recording_that_is_heard_on_counts_what_it_could_not_read_once(tmp_path: Path) -> None:
    speech = Decoded(SAMPLE).samples
    path = write(tmp_path / "a.m4a", np.concatenate([speech, speech[: 20 * RATE]]), "aac")
    data = bytearray(path.read_bytes())
    data[30_000:42_000] = bytes(12_000)
    path.write_bytes(data)
    with WorkerProcess([tmp_path]) as worker:
        worker.ready()
        once = worker.transcribe(path)
        again = worker.transcribe(path, resume_at=once.heard[-2].upto)
    assert once.finished.bad_packets > 10
    assert once.finished.unreadable_seconds > 0.5
    assert again.finished == once.finished.model_copy(
        update={"job": again.finished.job, "speech_seconds": again.finished.speech_seconds}
    )
    assert again.heard[-1].bad_packets == once.heard[-1].bad_packets


@pytest.fixture
def world(root: Path) -> World:
    return World(root)


def test_what_a_worker_counted_before_it_was_killed_is_not_counted_again(world: World) -> None:
    place = world.record("a.wav")
    heard = Heard(
        job=1,
        upto=30.0,
        segments=(),
        language="en",
        language_probability=1.0,
        speech_seconds=20.0,
        bad_packets=7,
    )
    words = world.ledger.words
    words.hear(place.recording_id, "{}", None, heard)
    base = words.begin(place.recording_id, "{}")
    assert base is not None
    words.hear(place.recording_id, "{}", base, heard.model_copy(update={"upto": 60.0, "bad_packets": 9}))
    finished = Finished(
        job=2, duration=60.0, declared_duration=None, language="en", language_probability=1.0, speech_seconds=20.0,
        bad_packets=9, truncated=False, recorded_at=None, unreadable_seconds=1.5, loudest=-20.0,
    )  # fmt: skip
    transcript = words.finish(place.recording_id, "{}", base, finished, "m", "e", world.now)
    assert (transcript.bad_packets, transcript.speech_seconds, transcript.unreadable_seconds) == (
        9,
        40.0,
        1.5,
    )
    assert words.transcript(place.recording_id) == transcript


def test_how_loud_it_is_does_not_depend_on_where_hearing_begins_again(tmp_path: Path, sound: Samples) -> None:
    soft = Decoded(write(tmp_path / "a.flac", sound * 0.003, "flac"))
    expected = 20 * np.log10(float(np.sqrt(np.mean(np.square(sound * 0.003)))))
    assert soft.loudest == pytest.approx(expected, abs=0.5)
    assert Decoded(write(tmp_path / "b.flac", sound * 0.0, "flac")).loudest == -120.0
    offset = Decoded(write(tmp_path / "c.flac", sound * 0.003 + 0.2, "flac"))
    assert offset.loudest == pytest.approx(expected, abs=1.0)


def id3(size: int) -> bytes:
    length = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\4\0\0" + length + np.random.default_rng(1).bytes(size)


def ape(size: int) -> bytes:
    item = struct.pack("<II", size, 2) + b"Cover Art (Front)\0" + np.random.default_rng(2).bytes(size)
    heads = [
        b"APETAGEX" + struct.pack("<IIII", 2_000, len(item) + 32, 1, flags) + bytes(8)
        for flags in (0xA0000000, 0x80000000)
    ]
    return heads[0] + item + heads[1]


def lyrics(size: int) -> bytes:
    return b"LYRICSBEGIN" + b"la " * (size // 3) + b"%06dLYRICS200" % (size + 11) + b"TAG" + bytes(125)


@pytest.mark.parametrize("tag", [ape, lyrics, id3])
@pytest.mark.parametrize("name", ["a.mp3", "a.aac"])
def test_a_tag_beside_the_packets_of_a_stream_is_no_lost_sound(
    tmp_path: Path, whole: dict[str, Path], name: str, tag: Callable[[int], bytes]
) -> None:
    data = whole[name].read_bytes()
    behind, between = tmp_path / f"behind-{name}", tmp_path / f"between-{name}"
    behind.write_bytes(data + tag(60_000))
    between.write_bytes(data + tag(60_000) + data)
    assert (Decoded(behind).unreadable, Decoded(behind).bad_packets) == (0.0, 0)
    found = Decoded(between)
    assert (found.unreadable, found.bad_packets) == (0.0, 0)
    assert found.seconds == pytest.approx(2 * SECONDS, abs=1.5)


@pytest.mark.parametrize("name", ["a.mp3", "a.aac", "a.m4a"])
def test_a_file_that_was_made_long_and_not_filled_is_unreadable_from_there_on(
    tmp_path: Path, whole: dict[str, Path], name: str
) -> None:
    data = whole[name].read_bytes()
    path = tmp_path / name
    path.write_bytes(zeros(data, len(data) // 2, len(data) * 9 // 10))
    found = Decoded(path)
    assert found.unreadable == pytest.approx(SECONDS - sounding(found), abs=0.3)
