"""Which voices are one person, how many people there are, and that no second of a recording is looked at twice."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from earmark.diarization import pieces as pieces_module
from earmark.diarization.encoder import unit
from earmark.diarization.features import BANDS, USUAL, Channel, bands
from earmark.diarization.likeness import D_VECTOR, D_VECTOR_NARROW, Likeness
from earmark.diarization.linkage import PART, people
from earmark.diarization.pieces import LONGEST, SHORTEST, Both, Piece, cut, stretches, windows
from earmark.diarization.segmentation import FRAMES, STEP
from earmark.diarization.told import known, told
from earmark.diarization.turns import turns_of
from earmark.domain import Segment
from earmark.messages import Heard, Stretch, ToldApart, VoicePrint
from earmark.pipeline.plausible import (
    Told,
    ToldOf,
    implausible_heard,
    implausible_stretch,
    implausible_turns,
)
from earmark.speaking import Turn
from earmark.transcription.engine import RATE
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

SPREAD = 0.045
"""Deviation of each of 256 numbers from a person's mean: pieces of one person are 0.66 alike then, as real ones are."""


def pieces_of(
    count: int, each: int, seed: int, spread: float = SPREAD
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Prints of so many people, as far apart as real ones (0-0.3), in mixed order; and whose each is."""
    chance = np.random.default_rng(seed)
    centers = unit(chance.normal(size=(count, 256)).astype(np.float32) + 0.35)
    who = np.repeat(np.arange(count), each)
    chance.shuffle(who)
    return unit((centers[who] + chance.normal(scale=spread, size=(len(who), 256))).astype(np.float32)), who


def same_people(found: NDArray[np.int64], truth: NDArray[np.int64]) -> bool:
    return (
        len({*zip(found.tolist(), truth.tolist(), strict=True)})
        == len(set(truth.tolist()))
        == len(set(found.tolist()))
    )


@given(count=st.integers(1, 8), each=st.integers(8, 30), seed=st.integers(0, 1000))
def test_each_person_is_found_once(count: int, each: int, seed: int) -> None:
    prints, who = pieces_of(count, each, seed)
    found = people(prints, np.full(len(prints), 1.5), D_VECTOR)
    assert found.count == count
    assert found.clear
    assert same_people(found.of, who)


def test_what_was_cut_into_parts_is_the_same_people() -> None:
    prints, who = pieces_of(4, PART, 7)
    found = people(prints, np.full(len(prints), 1.5), D_VECTOR)
    assert found.count == 4
    assert same_people(found.of, who)


@pytest.mark.parametrize("wanted", [1, 2, 3])
def test_as_many_people_are_found_as_are_known_to_be_there(wanted: int) -> None:
    prints, _ = pieces_of(4, 12, 3)
    assert people(prints, np.full(len(prints), 1.5), D_VECTOR, (wanted, wanted)).count == wanted


def test_who_speaks_for_a_moment_only_is_taken_for_the_likest_of_the_others() -> None:
    prints, who = pieces_of(3, 20, 5)
    few = np.flatnonzero(who == 2)[2:]
    prints, who = np.delete(prints, few, axis=0), np.delete(who, few)
    assert people(prints, np.full(len(prints), 1.5), D_VECTOR).count == 2


def between(one: NDArray[np.float32], other: NDArray[np.float32], likeness: float) -> NDArray[np.float32]:
    """Prints of somebody of whom a piece and a piece of `one`'s are so much alike; `other` is somebody else."""
    length = float(np.linalg.norm(one.mean(axis=0)))
    towards = one.mean(axis=0) / length
    away = unit(other - np.outer(other @ towards, towards))
    share = likeness / length
    found: NDArray[np.float32] = share * towards + (1 - share**2) ** 0.5 * away
    return found


@pytest.mark.shows("transcription:speakers-odd")
def test_a_few_odd_seconds_of_one_person_are_no_second_one_and_some_of_a_stranger_are() -> None:
    prints, who = pieces_of(2, 40, 4)
    one, other = prints[who == 0], prints[who == 1]
    few = between(one, other[:4], 0.47)
    for some, more, count in ((one, few, 1), (one, other[:4], 2), (one[:20], few, 2)):
        together = np.concatenate([some, more])
        assert people(together, np.full(len(together), 1.5), D_VECTOR).count == count
    assert people(np.concatenate([one, few]), np.full(44, 1.5), D_VECTOR, (2, 2)).count == 2


@pytest.mark.shows("transcription:speakers-alike")
@pytest.mark.parametrize(
    ("alike", "narrow", "clear"), [(0.54, False, False), (0.58, False, True), (0.64, True, False)]
)
def test_one_voice_is_not_sure_where_its_parts_are_as_unlike_as_two_who_sound_alike(
    alike: float, narrow: bool, clear: bool
) -> None:
    prints, who = pieces_of(2, 40, 4)
    parts = np.concatenate([prints[who == 0], between(prints[who == 0], prints[who == 1], alike)])
    likeness = D_VECTOR_NARROW if narrow else D_VECTOR
    pieces = [Piece(2.0 * n, 2.0 * n + 1.5, n, 0) for n in range(len(parts))]
    told = turns_of(pieces, parts, (), 160.0, likeness, narrow=narrow)
    assert (told.count, told.unsure) == (1, not clear)
    assert not turns_of(pieces, parts, (), 160.0, likeness, (1, 1), narrow=narrow).unsure, (
        "they are said to be one"
    )


@pytest.mark.shows("transcription:speakers-poor")
@pytest.mark.parametrize("narrow", [False, True], ids=["in noise", "over a telephone"])
def test_where_voices_are_not_heard_well_two_are_two_for_sure_only_if_they_are_far_apart(
    narrow: bool,
) -> None:
    likeness = D_VECTOR_NARROW if narrow else D_VECTOR
    prints, who = pieces_of(3, 40, 4, SPREAD / 2)
    one, two, three = (prints[who == n] for n in range(3))

    def unsure(parts: NDArray[np.float32], wanted: tuple[int, int] = (1, 20)) -> bool:
        pieces = [Piece(2.0 * n, 2.0 * n + 1.5, n, 0) for n in range(len(parts))]
        well = turns_of(pieces, parts, (), 160.0, likeness, wanted)
        told = turns_of(pieces, parts, (), 160.0, likeness, wanted, narrow=narrow, poor=True)
        assert (well.count, well.unsure) == (2, False), "without noise it is sure"
        assert told.turns == well.turns
        return told.unsure

    far = np.concatenate([one, two])
    assert not unsure(far)
    near = np.concatenate([one, between(one, two, 0.45)])
    assert unsure(near), "they sound alike"
    assert not unsure(near, (2, 2)), "they are said to be two"
    alike = np.concatenate([one, between(one, two, 0.64), three])
    assert unsure(alike), "one may be two who sound alike"
    assert unsure(np.concatenate([one, three[:6]])), "a second one who says hardly anything may be noise"


@pytest.mark.parametrize("poor", [False, True])
def test_noise_shows_in_what_is_between_the_speech(poor: bool) -> None:
    chance = np.random.default_rng(3)
    speech = (USUAL + chance.normal(scale=0.5, size=(400, BANDS))).astype(np.float32)
    channel = Channel()
    channel.add(speech)
    channel.add_between(speech - (0.7 if poor else 2.0))
    assert not Channel(channel.mean).poor, "nobody knows"
    assert channel.poor == poor
    assert Channel(channel.mean, channel.above).poor == poor


def test_nobody_is_told_apart_where_nobody_speaks() -> None:
    assert turns_of((), np.zeros((0, 256), np.float32), (), 600.0, D_VECTOR).turns == ()


@given(blocks=st.lists(st.integers(1, 12 * RATE), min_size=1, max_size=8))
def test_each_window_follows_the_one_before_and_nothing_is_left_out(blocks: list[int]) -> None:
    sound = np.arange(sum(blocks), dtype=np.float32)
    cuts = np.split(sound, np.cumsum(blocks)[:-1])
    found = list(windows(cuts))
    assert [number for number, _, _ in found] == list(range(len(found)))
    assert [last for _, _, last in found] == [False] * (len(found) - 1) + [True]
    for number, window, _ in found:
        assert window[0] == number * STEP
    assert found[-1][1][-1] == sound[-1]


@given(count=st.integers(1, 6))
def test_each_second_counts_in_one_window_only(count: int) -> None:
    speech = np.zeros((FRAMES, 3), np.bool_)
    speech[:, 1] = True
    found = [
        piece for number in range(count) for piece in cut(number, speech, 10.0, last=number == count - 1)[0]
    ]
    assert found[0].start == pytest.approx(0.0, abs=0.03)
    assert found[-1].end == pytest.approx((count - 1) * STEP / RATE + 10.0, abs=0.05)
    for before, after in pairwise(found):
        assert after.start == pytest.approx(before.end, abs=0.05)
    assert all(piece.seconds <= LONGEST * 1.5 for piece in found)


def test_two_at_once_are_neither_s_piece() -> None:
    speech = np.zeros((FRAMES, 3), np.bool_)
    speech[:300, 0] = True
    speech[200:, 2] = True
    pieces, both = cut(0, speech, 10.0, last=True)
    assert [(one.voices, round(one.start, 1), round(one.end, 1)) for one in both] == [((0, 2), 3.4, 5.1)]
    assert {piece.voice for piece in pieces if piece.end <= both[0].start + 0.01} == {0}
    assert {piece.voice for piece in pieces if piece.start >= both[0].end - 0.01} == {2}


def test_turns_are_numbered_as_people_begin_and_go_on_over_a_pause() -> None:
    prints, who = pieces_of(2, 20, 11)
    prints = prints[np.argsort(who, kind="stable")]
    pieces = [Piece(3.0 * n, 3.0 * n + 2.2, n, 0) for n in range(40)]
    both = [Both(59.0, 59.5, 19, (0, 1))]
    told = turns_of(pieces, prints, both, 120.0, D_VECTOR)
    assert not told.unsure
    assert [(turn.speaker, turn.overlapped) for turn in told.turns] == [(1, False), (1, True), (2, False)]
    assert told.turns[0].start == 0.0
    assert told.turns[-1].end == pytest.approx(119.2)


def test_a_short_recording_is_not_sure() -> None:
    prints, _ = pieces_of(2, 10, 1)
    assert turns_of(
        [Piece(2.0 * n, 2.0 * n + 1.5, n, 0) for n in range(20)], prints, (), 60.0, D_VECTOR
    ).unsure


def test_a_narrow_channel_is_brought_to_the_usual_one() -> None:
    chance = np.random.default_rng(2)
    heard = bands(chance.normal(scale=0.1, size=RATE).astype(np.float32))
    assert heard.shape == (1 + (RATE - 512) // 160, BANDS)
    muffled = heard - np.linspace(0, 3, BANDS, dtype=np.float32)
    channel = Channel()
    channel.add(muffled)
    assert np.allclose(channel.undone(muffled).mean(axis=0), USUAL, atol=1e-4)


@pytest.mark.parametrize(
    ("turns", "said", "wrong"),
    [
        ([Turn(0.0, 5.0, 1), Turn(5.0, 9.0, 2)], 2, None),
        ([Turn(0.0, 15.0, 1)], 1, "at a time that is not in the recording"),
        ([Turn(-1.0, 5.0, 1)], 1, "at a time that is not in the recording"),
        ([Turn(0.0, 5.0, 2)], 1, "somebody speaks who is nobody"),
        ([Turn(5.0, 6.0, 1), Turn(0.0, 5.0, 1)], 1, "in no order"),
        ([Turn(0.0, 5.0, 1)], 2, "of more people than speak"),
        ([Turn(n / 1_000, n / 1_000, 1) for n in range(10_000)], 1, "more turns than they can"),
        ([Turn(n / 100, 10.0, 1) for n in range(900)], 1, "more people speak at once"),
        ([Turn(n / 50, (n + 1) / 50, 1 + n % 20) for n in range(500)], 20, None),
    ],
)
def test_turns_that_cannot_be_are_refused(turns: list[Turn], said: int, wrong: str | None) -> None:
    found = implausible_turns(ToldApart(job=1, turns=tuple(turns), people=said, unsure=False), 10.0)
    assert found is None if wrong is None else wrong in str(found)


@pytest.mark.parametrize(
    ("prints", "wrong"),
    [
        (["AACAPwAAAAA=", "AAAAAAAAgD8="], None),
        (["AACAPwAAAAA=", "AACAPw=="], "voices that are none"),
        (["AACAPwAAAAA=", "AACAPwAAwH8="], "voices that are none"),
        (["AACAPwAAAAA=", "A"], "voices that are none"),
        (["AACAPwAAAAA=", "AAAA"], "voices that are none"),
        (["AACAPwAAAAA="], "other voices"),
    ],
    ids=["two", "of another size", "not a number", "no bytes", "half a number", "one is missing"],
)
def test_voices_that_cannot_be_are_refused(prints: list[str], wrong: str | None) -> None:
    voices = tuple(VoicePrint(print=each, seconds=5.0) for each in prints)
    turns = (Turn(0.0, 5.0, 1), Turn(5.0, 9.0, 2))
    said = ToldApart(job=1, turns=turns, people=2, unsure=False, voices=voices)
    found = implausible_turns(said, 10.0, voices=True)
    assert found is None if wrong is None else wrong in str(found)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({}, None),
        ({"windows": 60}, "does not follow"),
        ({"upto": 299.0}, "does not follow"),
        ({"upto": 1_000.0}, "does not follow"),
        ({"pieces": [(310.0, 900.0, 62, 0)]}, "at a time that is not in the recording"),
        ({"both": [(320.0, 310.0, 62, 0, 1)]}, "at a time that is not in the recording"),
        ({"prints": ""}, "of other voices"),
        ({"size": 1024}, "of other voices"),
        ({"windows": 200}, "more sound than there is"),
        ({"windows": 61, "pieces": [(310.0, 310.0, 61, 0)] * 601}, "more speech than there is sound"),
    ],
)
def test_a_stretch_that_cannot_be_is_refused(change: dict[str, Any], wrong: str | None) -> None:
    whole = {
        "job": 1, "windows": 120, "upto": 600.0, "pieces": [(310.0, 312.0, 62, 0)], "both": [], "size": 2,
        "prints": "AAAAAA==", "mean": [0.0],
    }  # fmt: skip
    of = ToldOf(601.0, 60, 300.0)
    found = implausible_stretch(Stretch.model_validate(whole | change), of)
    assert found is None if wrong is None else wrong in str(found)
    assert (of.windows, of.upto) == ((120, 600.0) if wrong is None else (60, 300.0))


@given(
    st.lists(
        st.tuples(st.floats(0, 1e4), st.floats(0, 1e4), st.integers(0, 5_000), st.integers(0, 2)), max_size=9
    ),
    st.integers(1, 9),
)
def test_a_stretch_comes_back_as_it_was_told(pieces: list[tuple[float, float, int, int]], size: int) -> None:
    prints = np.linspace(-1, 1, len(pieces) * size, dtype=np.float32).reshape(len(pieces), size)
    stretch = pieces_module.Stretch(
        7,
        tuple(Piece(*p) for p in pieces),
        (Both(0.0, 1.0, 0, (0, 2)),),
        prints,
        USUAL.astype(np.float64),
        2.5,
    )
    message = told(1, stretch, 20.0)
    again = known(Stretch.model_validate_json(message.line()))
    assert implausible_stretch(message, ToldOf(1e5)) is None or any(p[0] > p[1] for p in pieces)
    assert (again.windows, again.pieces, again.both) == (7, stretch.pieces, stretch.both)
    assert np.abs(again.prints - prints).max(initial=0) < 1e-3
    assert np.allclose(again.mean, USUAL)
    assert again.above == 2.5


def test_who_only_hears_words_cannot_say_who_speaks() -> None:
    def heard(segment: Segment) -> str | None:
        said = Heard(
            job=1, upto=5.0, segments=(segment,), language="en", language_probability=1.0, speech_seconds=4.0
        )
        return implausible_heard(said, Told(0.0, 1_000_000), 3600.0)

    assert heard(Segment(0.0, 4.0, "All is well.")) is None
    assert "who speaks" in str(heard(Segment(0.0, 4.0, "All is well.", speaker=-1)))
    assert "who speaks" in str(heard(Segment(0.0, 4.0, "All is well.", overlapped=True)))


class _Counting:
    """Instead of the models: somebody speaks where it is said, and prints are counted."""

    name = "counting"

    def __init__(self, spoken: list[tuple[int, int]]) -> None:
        self.spoken, self.asked, self.frames_given = spoken, 0, 0

    def of(self, window: NDArray[np.float32]) -> NDArray[np.bool_]:
        found = np.zeros((FRAMES, 3), np.bool_)
        for first, end in self.spoken:
            found[first:end, 0] = True
        return found

    def likeness(self, *, narrow: bool) -> Likeness:
        return D_VECTOR

    def frames(self, window: NDArray[np.float32], heard: NDArray[np.float32]) -> NDArray[np.float32]:
        self.frames_given += len(heard)
        return heard

    def prints(self, speech: Sequence[NDArray[np.float32]], channel: Channel) -> NDArray[np.float32]:
        self.asked += len(speech)
        return np.stack([one.mean(axis=0) for one in speech])


def test_only_what_is_said_long_enough_is_looked_at_and_is_what_it_is_in_the_whole_window() -> None:
    sound = np.random.default_rng(0).normal(scale=0.05, size=10 * RATE).astype(np.float32)
    models = _Counting([(200, 205), (300, 400)])
    (found,) = stretches([sound], models, models)  # type: ignore[arg-type]
    assert [piece.seconds < SHORTEST for piece in found.pieces] == [True, False]
    assert models.asked == 1
    assert not found.prints[0].any(), "a moment has no print"
    piece = found.pieces[1]
    whole = bands(sound)[int(piece.start * 100) : int(piece.end * 100)]
    assert np.allclose(found.prints[1], whole.mean(axis=0), atol=1e-4)
    assert models.frames_given < 400, "what lies around is not transformed"
    assert found.above is not None
    assert abs(found.above) < 0.1, "nothing is louder where somebody speaks"
