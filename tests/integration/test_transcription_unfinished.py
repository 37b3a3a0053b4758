"""Sound behind the end that a header names, as a recorder leaves it that was killed between two updates of its header."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from earmark.transcription.engine import RATE, Samples

from tests.media import Decoded, alike, write
from tests.speech import SAMPLE

SECONDS, KNOWN = 8, 2


@pytest.fixture(scope="module")
def speech() -> Samples:
    return Decoded(SAMPLE).samples[: SECONDS * RATE]


def with_sizes(data: bytes, *sizes: tuple[bytes, int, bytes]) -> bytes:
    """The file with other bytes so far behind the first of such marks."""
    for mark, after, size in sizes:
        at = data.index(mark) + len(mark) + after
        data = data[:at] + size + data[at + len(size) :]
    return data


def unfinished(data: bytes, suffix: str, seconds: int) -> bytes:
    """The file as its recorder left it that wrote its sizes when so much was recorded."""
    known = seconds * RATE * 2
    if suffix == "wav":
        little = struct.pack("<I", known + 36), struct.pack("<I", known)
        return with_sizes(data, (b"RIFF", 0, little[0]), (b"data", 0, little[1]))
    if suffix == "aiff":
        form, frames, sound = (struct.pack(">I", n) for n in (known + 46, seconds * RATE, known + 8))
        return with_sizes(data, (b"FORM", 0, form), (b"COMM", 6, frames), (b"SSND", 0, sound))
    if suffix == "caf":
        return with_sizes(data, (b"data", 0, struct.pack(">q", known + 4)))
    return with_sizes(data, (b"data", 12, struct.pack("<q", known + 24)))


@pytest.mark.parametrize("seconds", [KNOWN, 0])
@pytest.mark.parametrize(
    ("suffix", "codec"),
    [("wav", "pcm_s16le"), ("aiff", "pcm_s16be"), ("caf", "pcm_s16le"), ("w64", "pcm_s16le")],
)
@pytest.mark.shows("transcription:unfinished")
def test_what_was_recorded_after_the_header_was_written_last_is_heard(
    tmp_path: Path, speech: Samples, suffix: str, codec: str, seconds: int
) -> None:
    path = write(tmp_path / f"x.{suffix}", speech, codec)
    path.write_bytes(unfinished(path.read_bytes(), suffix, seconds))
    found = Decoded(path)
    assert found.seconds == pytest.approx(SECONDS, abs=0.1)
    assert alike(found.samples, speech) > 0.95
    assert not found.truncated


@pytest.mark.parametrize("codec", ["pcm_s24le", "pcm_f32le", "pcm_mulaw", "adpcm_ima_wav"])
@pytest.mark.shows("transcription:unfinished")
def test_however_a_wav_keeps_its_sound_all_of_it_is_heard(
    tmp_path: Path, speech: Samples, codec: str
) -> None:
    stereo = np.stack([speech, speech])
    path = write(tmp_path / "x.wav", stereo, codec, 44_100, "stereo", date="2026-03-02 09:30:00")
    whole = Decoded(path)
    path.write_bytes(
        with_sizes(path.read_bytes(), (b"RIFF", 0, bytes(4)), (b"data", 0, struct.pack("<I", 176_400)))
    )
    found = Decoded(path)
    assert found.seconds == pytest.approx(whole.seconds, abs=0.1)
    assert found.declared.recorded_at == "2026-03-02T09:30:00"
    assert alike(found.samples, speech) > 0.95


def test_what_is_no_sound_behind_the_end_is_not_heard(tmp_path: Path, speech: Samples) -> None:
    data = write(tmp_path / "x.wav", speech, "pcm_s16le").read_bytes()
    chunk = b"iXML" + struct.pack("<I", 60_000) + b"x" * 60_000
    for behind in (chunk, bytes(60_000), b"ID3\4\0\0\0\2\0\0" + b"y" * 60_000, b"x" * 2_000):
        (tmp_path / "y.wav").write_bytes(data + behind)
        assert Decoded(tmp_path / "y.wav").seconds == pytest.approx(SECONDS, abs=0.1)


def test_a_wav_of_several_chunks_of_sound_is_heard_from_its_first_to_its_last(
    tmp_path: Path, speech: Samples
) -> None:
    data = write(tmp_path / "x.wav", speech, "pcm_s16le").read_bytes()
    at = data.index(b"data")
    sound = data[at + 8 :]
    half = len(sound) // 4 * 2
    chunks = [b"data" + struct.pack("<I", len(part)) + part for part in (sound[:half], sound[half:])]
    body = data[8:at] + chunks[0] + b"LIST\4\0\0\0INFO" + chunks[1]
    (tmp_path / "x.wav").write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    found = Decoded(tmp_path / "x.wav")
    assert found.seconds == pytest.approx(SECONDS, abs=0.1)
    assert alike(found.samples, speech) > 0.95


def test_sun_audio_without_a_size_is_heard(tmp_path: Path, speech: Samples) -> None:
    path = write(tmp_path / "x.au", speech, "pcm_s16be")
    path.write_bytes(with_sizes(path.read_bytes(), (b".snd", 4, bytes(4))))
    assert alike(Decoded(path).samples, speech) > 0.95


def test_a_tag_between_two_joined_recordings_hides_none_of_them(tmp_path: Path, speech: Samples) -> None:
    one = write(tmp_path / "x.wv", speech, "wavpack").read_bytes()
    item = struct.pack("<II", 4, 0) + b"Title\0name"
    tag = b"".join(
        (b"APETAGEX" + struct.pack("<4I", 2_000, len(item) + 32, 1, flags) + bytes(8) + rest)
        for flags, rest in ((0xA0000000, item), (0x80000000, b""))
    )
    for between in (tag, b"TAG" + bytes(125), tag + b"TAG" + bytes(125)):
        (tmp_path / "both.wv").write_bytes(one + between + one)
        assert Decoded(tmp_path / "both.wv").seconds == pytest.approx(2 * SECONDS, abs=0.1)
