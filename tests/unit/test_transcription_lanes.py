"""Which sides of a conversation are heard on their own: noises that are spoken in turns, at once, and through each other."""

from __future__ import annotations

import numpy as np
import pytest
from earmark.transcription.engine import RATE, Samples
from earmark.transcription.lanes import sides
from earmark.transcription.windows import FRAME, Window, speech_spans
from numpy.typing import NDArray

SECONDS = 24


def said(seed: int, *spans: tuple[float, float]) -> Samples:
    """Noise with the loudness of syllables, in these seconds."""
    random = np.random.default_rng(seed)
    sound = np.zeros(SECONDS * RATE, dtype=np.float32)
    for first, last in spans:
        count = round((last - first) * 8)
        syllables = np.repeat(random.uniform(0.02, 1.0, count), RATE // 8)
        at = round(first * RATE)
        sound[at : at + len(syllables)] = 0.2 * syllables * random.normal(0, 0.3, len(syllables))
    return sound


def through(sound: Samples, share: float, late: float) -> Samples:
    """What another microphone hears of it."""
    delay = round(late * RATE)
    heard: Samples = np.concatenate((np.zeros(delay), share * sound[: len(sound) - delay])).astype(np.float32)
    return heard


def voice(sound: Samples) -> NDArray[np.float32]:
    frames = np.pad(sound, (0, -len(sound) % FRAME)).reshape(-1, FRAME)
    loud: NDArray[np.float32] = (np.sqrt(np.mean(np.square(frames), axis=1)) > 3e-4).astype(np.float32)
    return loud


def apart(*sounds: Samples) -> list[Window]:
    mixed: Samples = np.sum(np.stack(sounds), axis=0)
    window = Window(0, mixed, speech_spans(voice(mixed), len(mixed)), voice(mixed), last=True)
    return sides(window, sounds, voice)


NOISE = np.random.default_rng(9).normal(0, 2e-5, SECONDS * RATE).astype(np.float32)


@pytest.mark.parametrize("share", [0.03, 0.1, 0.5])
@pytest.mark.parametrize("late", [0.0, 0.02, 0.18])
def test_two_sides_in_turns_that_bleed_into_each_other_are_heard_together(share: float, late: float) -> None:
    one, two = said(1, (0, 11)), said(2, (12, 23))
    assert apart(one + through(two, share, late) + NOISE, two + through(one, share, late)) == []


def test_a_faint_echo_is_no_side_however_late_it_is() -> None:
    one, two = said(1, (0, 11)), said(2, (12, 23))
    assert apart(one + through(two, 0.05, 0.8), two + through(one, 0.05, 0.8)) == []


@pytest.mark.parametrize("share", [0.0, 0.03, 0.2])
def test_two_sides_at_once_are_heard_apart_whatever_bleeds(share: float) -> None:
    one, two = said(1, (0, 20)), said(2, (4, 23))
    assert len(apart(one + through(two, share, 0.01), two + through(one, share, 0.01))) == 2


@pytest.mark.parametrize("share", [0.03, 0.1, 0.2])
@pytest.mark.parametrize("late", [0.0, 0.01])
def test_of_two_sides_that_bleed_into_each_other_each_is_heard_where_it_speaks_itself(
    share: float, late: float
) -> None:
    one, two = said(1, (0, 10)), said(2, (5, 20))
    found = apart(one + through(two, share, late) + NOISE, two + through(one, share, late))
    spans = sorted((side.spans[0][0] / RATE, side.spans[-1][1] / RATE) for side in found)
    assert spans == [pytest.approx((0, 10), abs=0.8), pytest.approx((5, 20), abs=0.8)]


def test_what_a_third_side_says_alone_is_heard_though_it_bleeds_where_others_talk_at_once() -> None:
    one, two = said(1, (0, 12)), said(2, (2, 12), (15, 18))
    third = said(3, (16, 20))
    found = apart(one, two, through(one, 0.4, 0.02) + third)
    assert len(found) == 3
    spans = [(a / RATE, b / RATE) for a, b in found[2].spans]
    assert len(spans) == 1
    assert spans[0] == pytest.approx((16, 20), abs=0.5)


@pytest.mark.parametrize("frames", [1, 5, 14, 20, 40])
def test_a_window_may_be_as_short_as_it_likes(frames: int) -> None:
    one, two = (said(seed, (0, 20))[: frames * FRAME - 100] for seed in (1, 2))
    assert apart(one, 0.4 * one) == []
    assert len(apart(one, two)) in (0, 2)
