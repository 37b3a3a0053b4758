"""CAM++'s weights in PyTorch's format become a model in ONNX, and nothing that such a file names is run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from earmark.diarization.larger import LargerEncoder
from earmark.diarization.models import features_of
from earmark.weights.campplus import to_onnx

from tests import campplus_weights
from tests.torch_files import saved


def test_weights_of_camplusplus_become_an_encoder_the_same_each_time(tmp_path: Path) -> None:
    file, made = tmp_path / "campplus.pt", tmp_path / "campplus.onnx"
    file.write_bytes(campplus_weights.file())
    made.write_bytes(to_onnx(file))
    assert made.read_bytes() == to_onnx(file)
    assert features_of(made) == "fbank80"
    encoder = LargerEncoder(made)
    assert encoder.size == 192
    heard = np.random.default_rng(2).normal(size=(430, 80)).astype(np.float32)
    found = encoder._run(heard)
    assert np.isfinite(found).all()
    assert not np.allclose(found, encoder._run(heard[:320]), atol=1e-3)


class _Runs:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("this was run",)


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        (b"no archive", "File is not a zip file"),
        (saved({"head.conv1.weight": np.zeros((32, 1, 3, 3), np.float32)}), "head.bn1"),
        (saved({"a": _Runs()}), "it names __builtin__.print"),
        (saved({"head.conv1.weight": np.zeros((3, 2), np.float32).T}), "its numbers are not in rows"),
    ],
    ids=["no archive", "half of them", "what would be run", "turned"],
)  # fmt: skip
def test_what_are_no_weights_of_camplusplus_is_refused_and_not_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes, wrong: str
) -> None:
    file = tmp_path / "campplus.pt"
    file.write_bytes(data)
    with pytest.raises(ValueError, match=f"campplus.pt does not hold the weights of CAM.*{wrong}"):
        to_onnx(file)
    assert capsys.readouterr().out == ""
