"""Files with several sound tracks and many channels, as calls and stages are recorded, decoded for real."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from earmark.domain import is_speech
from earmark.errors import MediaError
from earmark.transcription.engine import RATE, Samples

from tests.media import Decoded, alike, write, write_poly_wav, write_tracks
from tests.speech import SAMPLE, WorkerProcess, word_error_rate, words

LENGTH = 8


@pytest.fixture(scope="module")
def speech() -> Samples:
    return Decoded(SAMPLE).samples[: LENGTH * RATE]


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), dtype=np.float32)


def noise(seconds: float, level: float) -> Samples:
    made = np.random.default_rng(5).normal(0, level, round(seconds * RATE))
    return made.clip(-1, 1).astype(np.float32)


@pytest.mark.shows("transcription:tracks")
@pytest.mark.parametrize(("suffix", "codec"), [("mkv", "aac"), ("mka", "libopus"), ("mov", "aac"),
                                               ("ts", "aac"), ("avi", "mp2"), ("mka", "flac"), ("asf", "mp2")])  # fmt: skip
@pytest.mark.parametrize("which", [0, 2])
def test_the_track_with_the_voice_is_heard_whichever_it_is(
    tmp_path: Path, speech: Samples, suffix: str, codec: str, which: int
) -> None:
    sounds = [silence(LENGTH)] * 3
    sounds[which] = speech
    found = Decoded(write_tracks(tmp_path / f"x.{suffix}", sounds, codec))
    assert alike(found.samples, speech) > 0.95
    assert (found.tracks, found.tracks_unheard) == (3, 0)
    assert not found.truncated


@pytest.mark.parametrize("suffix", ["mkv", "mov", "mp4", "ts", "mka"])
def test_both_sides_of_a_call_are_heard_at_their_own_times(
    tmp_path: Path, speech: Samples, suffix: str
) -> None:
    one, two = speech[: 4 * RATE], speech[4 * RATE :]
    path = write_tracks(tmp_path / f"x.{suffix}", [one, two], late=(0.0, 4.0))
    found = Decoded(path)
    assert found.seconds == pytest.approx(8.0, abs=0.2)
    assert alike(found.samples, speech) > 0.9
    assert not found.truncated
    joined_late = Decoded(write_tracks(tmp_path / f"late.{suffix}", [one, two], late=(0.0, 90.0)))
    assert joined_late.seconds == pytest.approx(94.0, abs=0.2)
    assert alike(joined_late.samples[90 * RATE :], two) > 0.9


def test_a_voice_beside_loud_noise_is_heard_without_the_noise(tmp_path: Path, speech: Samples) -> None:
    loud = noise(LENGTH, 0.2)
    tracks = Decoded(write_tracks(tmp_path / "x.mkv", [loud, speech], "flac"))
    stereo = Decoded(write(tmp_path / "x.wav", np.stack([speech, loud]), "pcm_s16le", RATE, "stereo"))
    for found in (tracks, stereo):
        assert alike(found.samples, speech) > 0.95


@pytest.mark.parametrize("level", [0.02, 0.003])
def test_a_side_that_is_much_softer_than_the_other_is_made_louder(
    tmp_path: Path, speech: Samples, level: float
) -> None:
    half = LENGTH // 2
    one = np.concatenate((speech[: half * RATE], silence(half)))
    two = np.concatenate((silence(half), level * speech[half * RATE :]))
    found = Decoded(write(tmp_path / "x.wav", np.stack([one, two]), "pcm_s24le", RATE, "stereo"))
    loudness = [float(np.sqrt(np.mean(np.square(part)))) for part in np.array_split(found.samples, 2)]
    assert loudness[1] > 0.05 * loudness[0]
    assert alike(found.samples[half * RATE :], speech[half * RATE :]) > 0.95


@pytest.mark.parametrize("length", [0.01, 0.1, 0.5])
def test_a_loud_and_a_soft_side_may_be_as_short_as_they_like(
    tmp_path: Path, speech: Samples, length: float
) -> None:
    one = speech[RATE : RATE + round(length * RATE)]
    two = noise(length, 0.001)
    found = Decoded(write(tmp_path / "x.wav", np.stack([one, two]), "pcm_s24le", RATE, "stereo"))
    assert found.seconds == pytest.approx(length, abs=0.01)


def test_a_loud_side_that_is_heard_from_afar_in_a_soft_microphone_is_no_louder(
    tmp_path: Path, speech: Samples
) -> None:
    late = np.concatenate((silence(0.25), speech[: -RATE // 4])) * 0.01 + noise(LENGTH, 0.0002)
    found = Decoded(write(tmp_path / "x.wav", np.stack([speech, late]), "pcm_s24le", RATE, "stereo"))
    share = float(np.dot(found.samples, speech) / np.dot(speech, speech))
    rest = found.samples - share * speech
    assert float(np.dot(rest, rest)) < (0.05 * share) ** 2 * float(np.dot(speech, speech))


def test_a_copy_of_a_track_changes_nothing(tmp_path: Path, speech: Samples) -> None:
    once = Decoded(write_tracks(tmp_path / "a.mkv", [speech], "flac"))
    late = np.concatenate((silence(0.03), speech[: -round(0.03 * RATE)]))
    twice = Decoded(write_tracks(tmp_path / "b.mkv", [speech, late, speech], "flac"))
    assert np.allclose(once.samples, twice.samples, atol=1e-4)


@pytest.mark.shows("transcription:tracks")
@pytest.mark.parametrize("channels", [3, 8, 9, 16, 40])
def test_any_number_of_channels_is_heard(tmp_path: Path, speech: Samples, channels: int) -> None:
    planes = np.stack([noise(LENGTH, 0.001)] * channels)
    planes[channels - 1] = speech
    found = Decoded(write_poly_wav(tmp_path / "x.wav", planes))
    assert alike(found.samples, speech) > 0.95


def test_more_channels_than_can_be_heard_are_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="70 channels; at most 64"):
        Decoded(write_poly_wav(tmp_path / "x.wav", np.stack([noise(1, 0.001)] * 70)))


def test_seven_channels_and_a_low_one_in_a_phone_format_are_heard(tmp_path: Path, speech: Samples) -> None:
    planes = np.stack([silence(LENGTH)] * 8)
    planes[2] = speech
    wav = write_poly_wav(tmp_path / "x.wav", planes)
    found = Decoded(transcoded(wav, tmp_path / "x.m4a", "aac", "7.1"))
    assert alike(found.samples, speech) > 0.9


def test_a_track_in_another_language_is_not_heard_at_once_with_the_first(
    tmp_path: Path, speech: Samples
) -> None:
    path = write_tracks(
        tmp_path / "x.mkv", [speech, noise(LENGTH, 0.2), silence(1)], languages=("eng", "fre", "und")
    )
    found = Decoded(path)
    assert (found.tracks, found.tracks_unheard) == (2, 1)
    same = Decoded(write_tracks(tmp_path / "y.mkv", [speech, silence(1)], languages=("eng", "eng")))
    assert (same.tracks, same.tracks_unheard) == (2, 0)


def test_a_track_with_a_commentary_is_not_heard_at_once_with_the_first(
    tmp_path: Path, speech: Samples
) -> None:
    found = Decoded(write_tracks(tmp_path / "x.mkv", [speech, noise(LENGTH, 0.2)], comment=1))
    assert (found.tracks, found.tracks_unheard) == (1, 1)


def test_a_commentary_that_is_the_default_is_not_heard_in_the_place_of_the_scene(
    tmp_path: Path, speech: Samples
) -> None:
    found = Decoded(write_tracks(tmp_path / "x.mkv", [noise(LENGTH, 0.2), speech], comment=0))
    assert (found.tracks, found.tracks_unheard) == (1, 1)
    assert alike(found.samples, speech) > 0.95


@pytest.mark.parametrize("first", [silence(LENGTH), noise(LENGTH, 0.2), silence(1)])
@pytest.mark.parametrize(("suffix", "codec"), [("mkv", "flac"), ("mp4", "aac")])
@pytest.mark.shows("transcription:versions")
def test_another_version_is_heard_where_nobody_speaks_in_the_first(
    tmp_path: Path, speech: Samples, first: Samples, suffix: str, codec: str
) -> None:
    sounds = [first, speech, noise(LENGTH, 0.2)]
    path = write_tracks(tmp_path / f"x.{suffix}", sounds, codec, languages=("eng", "ger", "fre"))
    found = Decoded(path)
    assert (found.tracks, found.tracks_unheard, found.tracks_of_file) == (2, 1, 3)
    assert alike(found.samples[: len(speech)], speech) > 0.95
    commented = Decoded(write_tracks(tmp_path / "y.mkv", [first, speech], "flac", comment=1))
    assert (commented.tracks, commented.tracks_unheard) == (2, 0)
    assert alike(commented.samples[: len(speech)], speech) > 0.95


def test_where_nobody_speaks_in_any_version_all_have_been_heard(tmp_path: Path) -> None:
    sounds = [silence(2), noise(2, 0.01), silence(3)]
    found = Decoded(write_tracks(tmp_path / "x.mkv", sounds, languages=("eng", "ger", "fre")))
    assert (found.tracks, found.tracks_unheard) == (3, 0)


def test_of_two_languages_beside_a_track_without_one_only_one_is_heard(
    tmp_path: Path, speech: Samples
) -> None:
    sounds = [silence(1), speech, noise(LENGTH, 0.2)]
    found = Decoded(write_tracks(tmp_path / "x.mkv", sounds, languages=("und", "eng", "fre")))
    assert (found.tracks, found.tracks_unheard) == (2, 1)
    assert alike(found.samples, speech) > 0.95


def test_the_second_track_of_a_film_that_names_no_language_is_another_version(
    tmp_path: Path, speech: Samples
) -> None:
    found = Decoded(write_tracks(tmp_path / "x.vob", [speech, noise(LENGTH, 0.2)], "mp2"))
    assert (found.tracks, found.tracks_unheard) == (1, 1)
    assert alike(found.samples, speech) > 0.95


@pytest.mark.parametrize("first", [True, False])
def test_a_track_of_what_a_sensor_measured_is_counted_and_the_voice_beside_it_heard(
    tmp_path: Path, speech: Samples, first: bool
) -> None:
    sounds = [noise(LENGTH, 0.2), speech] if first else [speech, noise(LENGTH, 0.2)]
    path = write_tracks(tmp_path / "x.avi", sounds, "pcm_s16le")
    data = path.read_bytes()
    rate, slow = ((1).to_bytes(2, "little") * 2 + n.to_bytes(4, "little") for n in (RATE, 1_000))
    assert data.count(rate) == 2
    at = data.index(rate) if first else data.rindex(rate)
    path.write_bytes(data[:at] + slow + data[at + len(slow) :])
    found = Decoded(path)
    assert found.tracks_of_file == 2
    assert found.tracks_unheard == 1
    assert alike(found.samples, speech) > 0.95


def test_a_file_of_parts_has_the_tracks_of_the_part_that_has_most(tmp_path: Path, speech: Samples) -> None:
    one = write_tracks(tmp_path / "a.mp4", [speech])
    two = write_tracks(
        tmp_path / "b.mp4", [speech, noise(1, 0.1), noise(1, 0.1)], languages=("eng", "fre", "ger")
    )
    path = tmp_path / "x.mp4"
    path.write_bytes(one.read_bytes() + two.read_bytes() + one.read_bytes())
    found = Decoded(path)
    assert (found.tracks_of_file, found.tracks_unheard) == (3, 2)
    assert found.seconds == pytest.approx(3 * LENGTH, abs=0.5)


def test_a_part_that_cannot_be_opened_is_named_and_the_others_are_heard(
    tmp_path: Path, speech: Samples
) -> None:
    one = write_tracks(tmp_path / "a.mp4", [speech]).read_bytes()
    path = tmp_path / "x.mp4"
    path.write_bytes(one + one[: len(one) // 2])
    found = Decoded(path)
    assert (found.parts, found.parts_unheard) == (2, 1)
    assert not found.truncated
    assert alike(found.samples, speech) > 0.9


@pytest.mark.shows("transcription:tracks")
def test_a_track_that_cannot_be_decoded_is_counted(tmp_path: Path, speech: Samples) -> None:
    path = write_tracks(tmp_path / "x.mkv", [speech, speech], "aac")
    data = path.read_bytes()
    assert data.count(b"A_AAC") == 2
    at = data.rindex(b"A_AAC")
    path.write_bytes(data[:at] + b"A_XYZ" + data[at + 5 :])
    found = Decoded(path)
    assert (found.tracks, found.tracks_unheard) == (1, 1)
    assert alike(found.samples, speech) > 0.95


def test_tracks_of_a_file_that_breaks_off_are_heard_up_to_there(tmp_path: Path, speech: Samples) -> None:
    path = write_tracks(tmp_path / "x.mkv", [silence(LENGTH), speech], "flac")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found = Decoded(path)
    assert found.truncated
    assert alike(found.samples, speech[: len(found.samples)]) > 0.9


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("calls")


@pytest.fixture(scope="module")
def worker(folder: Path) -> Iterator[WorkerProcess]:
    with WorkerProcess([folder, SAMPLE.parent]) as process:
        process.ready()
        yield process


@pytest.fixture(scope="module")
def two_sides() -> tuple[Samples, Samples]:
    """Two halves of the sample, said at the same time by two sides of a call."""
    whole = Decoded(SAMPLE).samples
    half = min(len(whole) // 2, 14 * RATE)
    return whole[:half], whole[len(whole) // 2 : len(whole) // 2 + half]


def alone(worker: WorkerProcess, folder: Path, name: str, sound: Samples) -> str:
    return worker.transcribe(write(folder / f"{name}.flac", sound, "flac")).text


def share_of(said: str, heard: str) -> float:
    """Share of the words of `said` that are in `heard`, wherever."""
    there = set(words(heard))
    return sum(word in there for word in words(said)) / max(1, len(words(said)))


@pytest.mark.shows("architecture:transcribe", "transcription:sides")
@pytest.mark.speech
@pytest.mark.parametrize("kind", ["tracks", "channels"])
def test_two_sides_that_talk_at_once_are_both_understood(
    worker: WorkerProcess, folder: Path, two_sides: tuple[Samples, Samples], kind: str
) -> None:
    one, two = two_sides
    said = [alone(worker, folder, name, sound) for name, sound in (("one", one), ("two", two))]
    if kind == "tracks":
        path = write_tracks(folder / "call.mkv", [one, two], "flac")
    else:
        path = write(folder / "call.wav", np.stack([one, two]), "pcm_s16le", RATE, "stereo")
    heard = worker.transcribe(path, word_times=True)
    assert all(len(segment.words) == len(segment.text.split()) for segment in heard.segments)
    assert all(share_of(text, heard.text) > 0.9 for text in said)
    assert len(words(heard.text)) == pytest.approx(sum(len(words(text)) for text in said), rel=0.1)
    assert (heard.finished.tracks, heard.finished.tracks_unheard) == (2 if kind == "tracks" else 1, 0)
    starts = [s.start for s in heard.segments]
    assert starts == sorted(starts)


@pytest.mark.speech
def test_a_side_that_is_heard_through_the_other_microphone_is_written_once(
    worker: WorkerProcess, folder: Path, two_sides: tuple[Samples, Samples]
) -> None:
    far = two_sides[0]
    room = np.concatenate((silence(0.04), far[: -round(0.04 * RATE)])) * 0.3 + noise(len(far) / RATE, 0.003)
    near = np.concatenate((room.astype(np.float32), two_sides[1]))
    path = write_tracks(folder / "echo.mkv", [np.concatenate((far, silence(len(far) / RATE))), near], "flac")
    said = alone(worker, folder, "turns", np.concatenate(two_sides))
    assert word_error_rate(said, worker.transcribe(path).text) < 0.1


@pytest.mark.shows("transcription:sides")
@pytest.mark.speech
@pytest.mark.parametrize("share", [0.1, 0.2])
def test_two_sides_that_are_heard_through_each_others_microphones_are_written_once(
    worker: WorkerProcess, folder: Path, two_sides: tuple[Samples, Samples], share: float
) -> None:
    said = [
        alone(worker, folder, name, sound) for name, sound in (("one", two_sides[0]), ("two", two_sides[1]))
    ]
    one = np.concatenate((two_sides[0], silence(8)))
    two = np.concatenate((silence(8), two_sides[1]))
    both = np.stack([one + share * two, two + share * one]) + noise(len(one) / RATE, 0.0003)
    path = write(folder / f"{share}.wav", both.astype(np.float32), "pcm_s16le", RATE, "stereo")
    heard = worker.transcribe(path).text
    assert all(share_of(text, heard) > 0.9 for text in said)
    assert len(words(heard)) <= 1.1 * sum(len(words(text)) for text in said)


@pytest.mark.speech
def test_a_call_is_heard_on_from_any_checkpoint_as_if_nothing_had_happened(
    worker: WorkerProcess, folder: Path, two_sides: tuple[Samples, Samples]
) -> None:
    one, two = two_sides
    path = write_tracks(
        folder / "long.mkv", [np.tile(one, 3), np.concatenate((silence(9), np.tile(two, 2)))], "flac"
    )
    whole = worker.transcribe(path)
    assert len(whole.heard) > 1
    for number, checkpoint in enumerate(whole.heard[:-1], start=1):
        rest = worker.transcribe(path, resume_at=checkpoint.upto)
        assert rest.segments == [s for h in whole.heard[number:] for s in h.segments]


def rumble(seconds: float, hertz: float, level: float) -> Samples:
    at = np.arange(round(seconds * RATE)) / RATE
    return (level * np.sin(2 * np.pi * hertz * at)).astype(np.float32)


SPOILED = {
    "at -56 dB": lambda s: s * 0.0016 / float(np.sqrt(np.mean(np.square(s)))),
    "at -62 dB": lambda s: s * 0.0008 / float(np.sqrt(np.mean(np.square(s)))),
    "over an offset": lambda s: s * 0.05 + 0.3,
    "over an offset, and soft": lambda s: s * 0.01 - 0.1,
    "over a rumble of 30 Hz": lambda s: s * 0.1 + rumble(len(s) / RATE, 30.0, 0.5),
    "over a hum of 50 Hz": lambda s: s * 0.1 + rumble(len(s) / RATE, 50.0, 0.3),
}


@pytest.mark.shows("transcription:level")
@pytest.mark.speech
@pytest.mark.parametrize("how", SPOILED)
def test_speech_is_understood(
    worker: WorkerProcess, folder: Path, two_sides: tuple[Samples, Samples], how: str
) -> None:
    said = alone(worker, folder, "clear", two_sides[0])
    path = write(folder / "spoiled.wav", SPOILED[how](two_sides[0]).astype(np.float32), "pcm_s24le")
    assert word_error_rate(said, worker.transcribe(path).text) < 0.15


@pytest.mark.shows("transcription:level")
@pytest.mark.speech
@pytest.mark.parametrize("level", [0.00005, 0.0005, 0.005, 0.05])
@pytest.mark.parametrize("kind", ["noise", "hum", "clicks", "brown"])
def test_what_is_no_speech_stays_without_words_however_soft_it_is(
    worker: WorkerProcess, folder: Path, level: float, kind: str
) -> None:
    made = {
        "noise": noise(20, 1.0), "hum": rumble(20, 100.0, 1.0) + rumble(20, 150.0, 0.5),
        "clicks": (np.arange(20 * RATE) % (RATE // 2) < 40).astype(np.float32),
        "brown": np.cumsum(noise(20, 0.02)).astype(np.float32),
    }[kind]  # fmt: skip
    made = (made - made.mean()) * level / float(np.sqrt(np.mean(np.square(made))))
    path = write(folder / "noise.wav", made.clip(-1, 1).astype(np.float32), "pcm_s24le")
    heard = worker.transcribe(path)
    assert [s.text for s in heard.segments if is_speech(s)] == []


def transcoded(source: Path, path: Path, codec: str, layout: str) -> Path:
    """The same sound in another format, in packed frames, which PyAV copies right for any number of channels."""
    with av.open(str(source)) as there, av.open(str(path), "w") as out:
        stream: Any = out.add_stream(codec, rate=RATE, layout=layout)
        fifo = av.AudioResampler(
            format=stream.codec_context.format, layout=layout, rate=RATE, frame_size=1_024
        )
        for frame in there.decode(audio=0):
            for ready in fifo.resample(frame):
                out.mux(stream.encode(ready))
        for ready in fifo.resample(None):
            out.mux(stream.encode(ready))
        out.mux(stream.encode(None))
    return path
