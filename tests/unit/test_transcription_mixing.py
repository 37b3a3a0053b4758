"""Which of many channels are heard: sums that anybody can check, with a detector that knows who speaks."""

from __future__ import annotations

import numpy as np
import pytest
from earmark.transcription.engine import RATE, Samples
from earmark.transcription.leveling import MOST_GAIN, cleared, leveled
from earmark.transcription.mixing import Channels, clean, mix, sources
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

SECONDS = 2
N = SECONDS * RATE


def tone(hertz: float, level: float = 0.2) -> Samples:
    return (level * np.sin(2 * np.pi * hertz * np.arange(N) / RATE)).astype(np.float32)


def noise(seed: int, level: float = 0.2) -> Samples:
    return np.random.default_rng(seed).normal(0, level, N).clip(-1, 1).astype(np.float32)


SILENCE = np.zeros(N, dtype=np.float32)
VOICE, OTHER = tone(200), tone(310)


def is_tone(sound: Samples) -> bool:
    """Noise is no voice: the strongest frequency holds most of the power."""
    power = np.abs(np.fft.rfft(sound)) ** 2
    return bool(power.max() > 0.3 * power.sum())


def holds(mixed: Samples, sound: Samples) -> bool:
    return float(np.dot(mixed, sound)) > 0.3 * float(np.dot(sound, sound))


def heard(*tracks: Channels) -> Samples:
    return mix(sources(tracks), is_tone)


def channels(*sounds: Samples) -> Channels:
    return np.stack(sounds)


@pytest.mark.parametrize("beside", [SILENCE, VOICE, -VOICE, noise(1), noise(2, 0.001), OTHER])
@pytest.mark.parametrize("first", [True, False])
def test_a_voice_on_one_channel_is_heard_whatever_is_on_the_other(beside: Samples, first: bool) -> None:
    pair = (VOICE, beside) if first else (beside, VOICE)
    for mixed in (heard(channels(*pair)), heard(channels(pair[0]), channels(pair[1]))):
        # A voice that is turned round as a whole is still that voice.
        assert holds(mixed, VOICE) or holds(-mixed, VOICE)


def test_loud_noise_beside_a_voice_is_left_out_and_soft_noise_is_left_in() -> None:
    loud, soft = noise(3), noise(4, 0.002)
    assert not holds(heard(channels(VOICE, loud)), loud)
    assert holds(heard(channels(VOICE, soft)), soft)


def test_both_sides_of_a_call_are_heard() -> None:
    for mixed in (heard(channels(VOICE, OTHER)), heard(channels(VOICE), channels(OTHER))):
        assert holds(mixed, VOICE)
        assert holds(mixed, OTHER)


@pytest.mark.parametrize("turned", [1, -1])
def test_two_voices_in_turns_of_a_middle_and_a_side_microphone_are_both_heard(turned: int) -> None:
    one = np.concatenate((VOICE, SILENCE))
    two = np.concatenate((SILENCE, OTHER))
    pair: Channels = (np.stack((one + two, turned * (one - two))) / 2).astype(np.float32)
    mixed = heard(pair)
    for said in (one, two):
        assert holds(mixed, said) or holds(-mixed, said)


def test_where_nobody_is_known_to_speak_everything_is_heard() -> None:
    one, two = noise(5), noise(6)
    mixed = heard(channels(one, two))
    assert holds(mixed, one)
    assert holds(mixed, two)


def test_a_track_that_is_a_late_copy_of_another_is_heard_once() -> None:
    late = np.concatenate((np.zeros(800, dtype=np.float32), noise(7)[:-800]))
    assert len(sources((channels(noise(7)), channels(late)))) == 1
    assert len(sources((channels(noise(7)), channels(noise(8))))) == 2


def test_of_sixteen_microphones_only_those_that_carry_a_voice_are_heard() -> None:
    stage = [noise(seed) for seed in range(16)]
    stage[11] = VOICE
    mixed = heard(np.stack(stage))
    assert holds(mixed, VOICE)
    assert float(np.max(np.abs(mixed - VOICE))) < 1e-6


def test_a_mean_of_two_alike_channels_is_what_it_always_was() -> None:
    left, right = VOICE + noise(9, 0.01), VOICE * 0.7
    assert np.allclose(heard(channels(left, right)), (left + right) / 2, atol=1e-6)


def test_sound_of_an_ordinary_loudness_is_left_as_it_is() -> None:
    pair = channels(VOICE, noise(3, 0.02))
    assert leveled(pair) is pair


def test_soft_sound_is_made_louder_by_one_factor_for_all_channels_of_a_track() -> None:
    made = leveled(channels(VOICE * 0.01, VOICE * 0.001, SILENCE))
    assert np.allclose(made[0], VOICE * 0.01 * MOST_GAIN, atol=1e-4)
    assert np.allclose(made[1] * 10, made[0], atol=1e-4)
    assert not made[2].any()


def test_an_offset_and_a_rumble_are_taken_out_and_the_voice_stays() -> None:
    for spoiled in (VOICE * 0.2 + 0.5, VOICE * 0.2 + tone(30, 0.4)):
        clear = leveled(cleared(channels(spoiled.astype(np.float32))))[0]
        middle = slice(RATE // 4, -RATE // 4)
        assert float(np.abs(clear[middle] - VOICE[middle] * 0.2).max()) < 0.01


samples = st.floats(width=32, allow_nan=True, allow_infinity=True)


@given(
    arrays(np.float32, st.tuples(st.integers(1, 9), st.just(300)), elements=samples),
    arrays(np.float32, st.tuples(st.integers(1, 3), st.just(300)), elements=samples),
    st.sets(st.integers(0, 11)),
    st.integers(0, 300),
)
def test_mixing_always_gives_finite_samples_within_full_scale(
    first: Channels, second: Channels, speaking: set[int], start: int
) -> None:
    found = sources((clean(first), clean(second)))
    those = [s.sound for n, s in enumerate(found) if n in speaking]
    mixed = mix(found, lambda sound: any(sound is s for s in those), slice(start, 300))
    assert mixed.shape == (300 - start,)
    assert np.isfinite(mixed).all()
    assert len(mixed) == 0 or np.abs(mixed).max() <= 1.0


@given(arrays(np.float32, st.tuples(st.integers(1, 4), st.integers(0, 900)), elements=samples))
def test_leveling_always_gives_finite_samples_within_full_scale(before: Channels) -> None:
    after = leveled(clean(before))
    assert after.shape == before.shape
    assert np.isfinite(after).all()
    assert after.size == 0 or np.abs(after).max() <= 1.0
