"""Larger encoders as their toolkits export them: what their models take and give is read from them, and tried."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from earmark.diarization.features import Channel, bands
from earmark.diarization.filterbanks import SPEAKER_3D, WESPEAKER, Toolkit, filter_banks
from earmark.diarization.larger import LargerEncoder, toolkit_of
from earmark.errors import ModelError
from earmark.transcription.engine import RATE

from tests import onnx_files
from tests.mixes import Sound, loaded
from tests.onnx_files import model, tensor
from tests.speech import SAMPLE


@pytest.fixture(scope="module")
def speech() -> Sound:
    return loaded(SAMPLE)[: 10 * RATE]


def encoder(folder: Path, data: bytes) -> LargerEncoder:
    file = folder / "encoder.onnx"
    file.write_bytes(data)
    return LargerEncoder(file)


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (onnx_files.hearing(), 192),
        (onnx_files.hearing(("B", "T", 80), "feats", "embs", 256), 256),
        (onnx_files.hearing((1, "T", 80), "x", "whatever", 512), 512),
        (onnx_files.hearing(("B", 80, "T")), 192),
        (onnx_files.hearing((1, 150, 80)), 192),
        (onnx_files.hearing((1, 80, 150)), 192),
    ],
    ids=["3D-Speaker", "WeSpeaker", "one at a time", "turned", "of a length", "of a length, turned"],
)
def test_each_way_in_which_encoders_are_exported_gives_a_print_of_any_stretch(
    tmp_path: Path, speech: Sound, data: bytes, size: int
) -> None:
    made = encoder(tmp_path, data)
    assert made.name == f"an encoder of {size} numbers"
    heard = made.frames(speech, bands(speech))
    found = made.prints([heard[:200], heard[200:350], heard[:30], heard[:1], heard[:0]], Channel())
    assert found.shape == (5, size)
    assert found.dtype == np.float32
    assert np.allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-5)
    again = made.prints([heard[200:350] + 3.0], Channel())
    assert np.allclose(again[0], found[1], atol=1e-3), "a louder voice is the same voice"


def test_turned_or_not_it_is_the_same_voice(tmp_path: Path, speech: Sound) -> None:
    one, other = (encoder(tmp_path, onnx_files.hearing(shape)) for shape in (("B", "T", 80), ("B", 80, "T")))
    heard = one.frames(speech, bands(speech))[:190]
    assert np.allclose(one.prints([heard], Channel()), other.prints([heard], Channel()), atol=1e-5)


@pytest.mark.parametrize(
    ("taken", "said", "toolkit"),
    [
        ("feature", {}, SPEAKER_3D),
        ("x", {"framework": "3d-speaker"}, SPEAKER_3D),
        ("x", {"framework": "wespeaker"}, WESPEAKER),
        ("feats", {}, WESPEAKER),
        ("feats", {"framework": "3d-speaker"}, SPEAKER_3D),
        ("whatever", {}, SPEAKER_3D),
    ],
)
def test_a_model_is_given_the_filter_banks_of_the_toolkit_it_comes_from(
    tmp_path: Path, speech: Sound, taken: str, said: dict[str, str], toolkit: Toolkit
) -> None:
    assert toolkit_of(taken, said) == toolkit
    made = encoder(tmp_path, onnx_files.hearing(taken=taken, said=said))
    assert np.array_equal(made.frames(speech, bands(speech)), filter_banks(speech, toolkit))


def test_a_model_that_gives_no_vector_of_a_stretch_is_refused_and_one_that_leaves_it_open_is_tried(
    tmp_path: Path,
) -> None:
    assert encoder(tmp_path, model([tensor("frames", None)], [tensor("voice", None)])).size == 80
    with pytest.raises(
        ModelError, match="for one stretch it gives 1 x 8 numbers, not one vector of 16 to 1024"
    ):
        encoder(tmp_path, onnx_files.hearing(size=8))
