"""Calls that have a channel for each side: who speaks is the channel, and what is no call is told apart as ever."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from earmark.messages import ToldApart

from tests.acceptance.test_speakers import telling as telling
from tests.conftest import Installation
from tests.media import write, write_tracks
from tests.mixes import RATE, Said, Sound, in_a_room, leaking, loaded, sides_of
from tests.speech import SAMPLE, TellingWorker

WHO = (
    (0.0, "Maria"), (4.5, "Tom"), (9.9, "Maria"), (13.7, "David"), (17.2, "Tom"), (20.1, "Maria"), (24.0, "Tom"),
    (27.5, "David"), (31.6, "Tom"), (34.6, "Maria"),
)  # fmt: skip
"""From which second on who speaks in the sample; they make pauses of a second."""


def stereo(file: Path, channels: Sound) -> Path:
    return write(file, channels, "pcm_s16le", layout="stereo")


def said(sound: Sound, times: int = 1) -> list[Said]:
    """What is said in the sample, so many times over."""
    length = len(sound) / RATE
    ends = [*(start for start, _ in WHO[1:]), length]
    return [
        Said(n * length + start, n * length + end, who)
        for n in range(times)
        for (start, who), end in zip(WHO, ends, strict=True)
    ]


def sample() -> tuple[Sound, Sound]:
    """The sample as it is, and with Maria on one channel and the others on the other one."""
    sound = loaded(SAMPLE)
    return sound, sides_of(sound, said(sound), [["Maria"], ["Tom", "David"]])


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TellingWorker]:
    with TellingWorker([tmp_path_factory.getbasetemp()]) as found:
        found.ready()
        yield found


def at(told: ToldApart, second: float) -> set[int]:
    """Who speaks then."""
    return {turn.speaker for turn in told.turns if turn.start <= second < turn.end}


def wrong(told: ToldApart, people: Sequence[Said]) -> float:
    """Share of what is told that is not of the speaker of most of it."""
    seconds: defaultdict[tuple[int, str], float] = defaultdict(float)
    for turn in told.turns:
        for one in people:
            seconds[turn.speaker, one.who] += max(0.0, min(turn.end, one.end) - max(turn.start, one.start))
    best = sum(max(n for (s, _), n in seconds.items() if s == speaker) for speaker in {s for s, _ in seconds})
    return 1 - best / sum(seconds.values())


@pytest.mark.shows("transcription:calls")
def test_each_side_of_a_call_is_a_speaker_however_short_the_call_is(
    telling: Installation, tmp_path: Path
) -> None:
    sound, sides = sample()
    file = write(tmp_path / "call.mp3", leaking(sides, -20.0, late=0.05), "libmp3lame", layout="stereo")
    found = telling.earmark("transcribe", file, "--format", "json")
    document = json.loads(found.stdout)
    assert document["speakers"] == ["", ""]
    assert not document["speakers_unsure"]
    for segment in document["segments"]:
        middle = (segment["start"] + segment["end"]) / 2
        (who,) = [one.who for one in said(sound) if one.start <= middle < one.end]
        assert segment["speaker"] == (1 if who == "Maria" else 2), segment


@pytest.mark.shows("transcription:calls")
def test_tracks_are_sides_too_and_where_both_talk_both_are_named(
    worker: TellingWorker, tmp_path: Path
) -> None:
    _, sides = sample()
    late = round(2.5 * RATE)
    near, far = sides[0], sides[1, late:]  # so that Tom begins while Maria talks
    told = worker.tell(write_tracks(tmp_path / "two.m4a", [near[: len(far)], far]))
    assert (told.people, told.unsure) == (2, False)
    assert [at(told, second) for second in (1.0, 3.2, 6.0)] == [{1}, {1, 2}, {2}]
    assert {turn.overlapped for turn in told.turns if turn.start <= 3.2 < turn.end} == {True}
    mix = np.zeros(len(near), np.float32)
    mix[: len(far)] = far
    beside = worker.tell(write_tracks(tmp_path / "three.mkv", [near + mix, near, mix]))
    assert [at(beside, second) for second in (1.0, 3.2, 6.0)] == [{1}, {1, 2}, {2}]


@pytest.mark.shows("transcription:calls-several")
def test_several_people_on_one_side_are_told_apart_where_there_is_enough_of_them(
    worker: TellingWorker, tmp_path: Path
) -> None:
    sound, sides = sample()
    told = worker.tell(stereo(tmp_path / "long.wav", np.tile(sides, 4)))
    assert (told.people, told.unsure) == (3, False)
    assert wrong(told, said(sound, 4)) < 0.01


@pytest.mark.shows("transcription:calls-asked")
def test_who_says_how_many_people_there_are_is_believed_more_than_the_channels(
    worker: TellingWorker, tmp_path: Path
) -> None:
    _, sides = sample()
    file = stereo(tmp_path / "call.wav", sides)
    told = [worker.tell(file, n, n) for n in (1, 2, 3)]
    assert [(one.people, one.unsure) for one in told] == [(1, True), (2, False), (3, True)]


@pytest.mark.shows("transcription:calls-none")
def test_what_is_no_call_is_told_apart_by_its_voices(worker: TellingWorker, tmp_path: Path) -> None:
    sound, _ = sample()
    sound = sound[: 17 * RATE]
    noise = (0.05 * np.random.default_rng(1).normal(size=len(sound))).astype(np.float32)
    for name, second in {
        "mono": sound,
        "out of phase": -sound,
        "soft": 0.03 * sound,
        "noise": noise,
        "late": np.concatenate((np.zeros(5 * RATE, np.float32), sound[: -5 * RATE])),
        "room": in_a_room(sound, 1),
    }.items():
        first = in_a_room(sound, 2) if name == "room" else sound
        told = worker.tell(stereo(tmp_path / f"{name}.wav", np.stack([first, second])))
        assert told.unsure, name  # a call would not be, whatever its length
