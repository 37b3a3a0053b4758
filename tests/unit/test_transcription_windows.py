"""Cutting recordings into windows, with a voice detector that says what the test wants it to say."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from earmark.transcription.engine import RATE, Samples
from earmark.transcription.windows import (
    FRAME,
    LONGEST,
    MOST_SPEECH,
    QUIET,
    Window,
    Windows,
    speech_spans,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

Runs = list[tuple[float, bool]]


def loudness_is_voice(samples: Samples) -> NDArray[np.float32]:
    """A detector for these tests: a frame with any sample above 0.1 is speech."""
    padded = np.zeros(-(-len(samples) // FRAME) * FRAME, dtype=np.float32)
    padded[: len(samples)] = np.abs(samples)
    return np.where(padded.reshape(-1, FRAME).max(axis=1) > 0.1, 0.9, 0.05).astype(np.float32)


def recording(runs: Runs) -> Samples:
    """Talk and silence by turns; every sample differs from its neighbours, so that a lost one is noticed."""
    noise = np.random.default_rng(7).uniform(0.2, 0.9, sum(int(s * RATE) for s, _ in runs)).astype(np.float32)
    loud = np.concatenate([np.full(int(s * RATE), talk) for s, talk in runs]) if runs else np.zeros(0)
    return np.where(loud, noise, noise * 0.01).astype(np.float32)


def in_blocks(samples: Samples, size: int) -> Iterator[Samples]:
    return (samples[at : at + size] for at in range(0, len(samples), size))


def cut(samples: Samples, size: int = RATE, start: int = 0) -> list[Window]:
    return list(Windows(in_blocks(samples, size), loudness_is_voice, start))


talk_and_silence = st.lists(st.tuples(st.floats(0.05, 45.0), st.booleans()), min_size=1, max_size=12)


@settings(max_examples=30, deadline=None)
@given(talk_and_silence, st.integers(100, 40_000))
def test_windows_hold_every_sample_once_and_in_order(runs: Runs, size: int) -> None:
    samples = recording(runs)
    found = cut(samples, size)
    assert np.array_equal(np.concatenate([w.samples for w in found] or [samples[:0]]), samples)
    assert [w.start for w in found[1:]] == [w.end for w in found[:-1]]


@pytest.mark.shows("architecture:transcribe")
@settings(max_examples=30, deadline=None)
@given(talk_and_silence)
def test_no_window_is_longer_than_a_minute_or_holds_more_speech_than_the_engine_takes(runs: Runs) -> None:
    for window in cut(recording(runs)):
        assert len(window.samples) <= LONGEST * RATE
        assert len(window.speech()) <= (MOST_SPEECH + 1.0) * RATE


@settings(max_examples=25, deadline=None)
@given(talk_and_silence, st.data())
def test_going_on_from_any_cut_gives_the_windows_of_an_undisturbed_run(
    runs: Runs, data: st.DataObject
) -> None:
    samples = recording(runs)
    whole = cut(samples)
    number = data.draw(st.integers(0, len(whole) - 1))
    again = cut(samples, size=data.draw(st.integers(1_000, 50_000)), start=whole[number].end)
    assert [(w.start, w.end, w.spans, w.last) for w in again] == [
        (w.start, w.end, w.spans, w.last) for w in whole[number + 1 :]
    ]


@settings(max_examples=25, deadline=None)
@given(talk_and_silence, st.floats(0.0, 1.0))
def test_what_is_left_of_a_window_has_its_samples_and_the_speech_in_them(runs: Runs, share: float) -> None:
    for window in cut(recording(runs)):
        at = int(len(window.samples) * share)
        left = window.after(at)
        assert (left.start, left.end) == (window.start + at, window.end)
        assert np.array_equal(left.samples, window.samples[at:])
        assert [(a + at, b + at) for a, b in left.spans] == [
            (max(a, at), b) for a, b in window.spans if b > at
        ]
        assert len(left.voice) == -(-len(window.samples) // FRAME) - at // FRAME


def test_talk_with_pauses_is_cut_in_a_pause() -> None:
    samples = recording([(6.3, True), (0.6, False)] * 20)
    for window in cut(samples)[:-1]:
        assert window.voice[-1] < QUIET
        assert samples[window.end : window.end + FRAME].max() < 0.1


def test_talk_without_any_pause_is_cut_all_the_same() -> None:
    found = cut(recording([(100.0, True)]))
    assert len(found) >= 4
    assert all(len(w.samples) > 15 * RATE for w in found[:-1])


def test_pauses_over_two_seconds_are_left_out_of_what_is_heard_and_times_still_fit() -> None:
    (window,) = cut(recording([(3.0, True), (5.0, False), (3.0, True)]))
    assert len(window.spans) == 2
    assert len(window.speech()) == pytest.approx(6.8 * RATE, abs=2_000)
    first, second = window.spans
    assert window.sample_of(0.0) == first[0]
    seam = (first[1] - first[0]) / RATE
    assert window.sample_of(seam, end=True) == first[1]
    assert window.sample_of(seam) == second[0]


def test_silence_is_no_speech() -> None:
    assert [w.spans for w in cut(recording([(130.0, False)]))] == [()] * 3
    assert speech_spans(np.zeros(0, dtype=np.float32), 0) == ()
