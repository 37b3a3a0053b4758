"""What larger encoders are given is what Kaldi computes: held against kaldi-native-fbank, on speech and on odd sound."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from earmark.diarization.filterbanks import BANKS, SPEAKER_3D, WESPEAKER, Toolkit, centered, filter_banks
from earmark.transcription.engine import RATE
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.mixes import Sound, loaded
from tests.speech import SAMPLE

TOOLKITS = [SPEAKER_3D, WESPEAKER]


def by_kaldi(samples: Sound, toolkit: Toolkit) -> NDArray[np.float32]:
    kaldi: Any = pytest.importorskip("kaldi_native_fbank")
    options = kaldi.FbankOptions()
    options.frame_opts.dither = 0.0
    options.frame_opts.window_type = toolkit.window
    options.mel_opts.num_bins = BANKS
    stream = kaldi.OnlineFbank(options)
    stream.accept_waveform(RATE, (samples * np.float32(toolkit.scale)).tolist())
    stream.input_finished()
    frames = [stream.get_frame(number) for number in range(stream.num_frames_ready)]
    return np.array(frames, np.float32).reshape(len(frames), BANKS)


@pytest.mark.parametrize("toolkit", TOOLKITS, ids=["3D-Speaker", "WeSpeaker"])
def test_speech_and_silence_and_what_is_clipped_or_too_short_have_the_filter_banks_that_kaldi_gives_them(
    toolkit: Toolkit,
) -> None:
    speech = loaded(SAMPLE)[: 20 * RATE]
    for sound in (
        speech,
        np.clip(30 * speech, -1, 1),
        1e-3 * speech,
        np.zeros(RATE, np.float32),
        np.sign(np.sin(np.arange(RATE) * 0.3)),
        speech[:400],
        speech[:399],
        speech[:0],
    ):
        wanted = by_kaldi(sound.astype(np.float32), toolkit)
        found = filter_banks(sound.astype(np.float32), toolkit)
        assert found.shape == wanted.shape
        assert np.abs(found - wanted).max(initial=0.0) < 1e-3


@settings(max_examples=50, deadline=None)
@given(length=st.integers(0, 4_000), loud=st.floats(0.01, 1.0), seed=st.integers(0, 1_000))
def test_any_noise_has_the_filter_banks_that_kaldi_gives_it(length: int, loud: float, seed: int) -> None:
    noise = (loud * np.random.default_rng(seed).uniform(-1, 1, length)).astype(np.float32)
    for toolkit in TOOLKITS:
        assert np.allclose(filter_banks(noise, toolkit), by_kaldi(noise, toolkit), atol=1e-3)


def test_a_channel_that_stays_the_same_is_nothing_to_a_larger_encoder() -> None:
    heard = filter_banks(loaded(SAMPLE)[: 5 * RATE], SPEAKER_3D)
    assert np.allclose(
        centered(heard), centered(heard + np.linspace(-3, 0, BANKS, dtype=np.float32)), atol=1e-4
    )
    assert np.abs(centered(heard).mean(axis=0)).max() < 1e-4
    assert centered(heard[:0]).shape == (0, BANKS)
