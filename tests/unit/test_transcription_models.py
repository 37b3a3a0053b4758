"""Finding the model, and refusing one that is not what it should be."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from earmark.errors import ModelError
from earmark.transcription.models import find_model
from earmark.weights import released
from earmark.weights.packaged import PACKAGED
from earmark.weights.released import require_as_released

from tests.speech import quick_model


def fake_model(folder: Path, without: str = "", size: int = 1) -> Path:
    folder.mkdir(parents=True)
    for name in ("model.bin", "config.json", "tokenizer.json", "vocabulary.json"):
        if name != without:
            (folder / name).write_bytes(b"x" * (size if name == "model.bin" else 1))
    return folder


def test_the_model_beside_the_program_is_found_and_is_the_bytes_it_was_released_with(tmp_path: Path) -> None:
    model = find_model("auto", None, tmp_path)
    assert (model.name, model.source) == ("tiny.en", "beside the program")
    released = {f.name for p in PACKAGED if p.name == "tiny.en" for f in p.files}
    assert {f.name for f in model.dir.iterdir()} == released | {"earmark-model.json"}


@pytest.mark.shows("readme:model", "transcription:which")
def test_a_configured_folder_comes_first(tmp_path: Path) -> None:
    mine = fake_model(tmp_path / "elsewhere" / "mine")
    fake_model(tmp_path / "models" / "tiny.en")
    found = find_model("auto", mine, tmp_path / "models")
    assert (found.dir, found.name, found.source) == (mine, "mine", "configured")


@pytest.mark.shows("readme:model", "decisions:model-places")
def test_a_model_in_the_models_folder_comes_before_one_beside_the_program(tmp_path: Path) -> None:
    folder = fake_model(tmp_path / "tiny.en")
    assert find_model("tiny.en", None, tmp_path).dir == folder
    assert find_model("auto", None, tmp_path).source == "data folder"


@pytest.mark.shows("readme:model", "transcription:which")
def test_of_several_models_auto_takes_the_largest_of_ones_own_else_a_starter_beside_the_program(
    tmp_path: Path,
) -> None:
    mine, beside = tmp_path / "mine", tmp_path / "beside"
    fake_model(beside / "small")
    fake_model(beside / "large")
    with pytest.raises(ModelError, match=r"several speech models .*\(large, small\); name the one"):
        find_model("auto", None, mine, beside)
    fake_model(beside / "tiny.en")
    assert find_model("auto", None, mine, beside).dir == beside / "tiny.en"
    fake_model(beside / "base")
    assert find_model("auto", None, mine, beside).dir == beside / "base"
    fake_model(mine / "tiny.en", size=72)
    assert find_model("auto", None, mine, beside).dir == mine / "tiny.en"
    fake_model(mine / "base", size=138)
    assert find_model("auto", None, mine, beside).dir == mine / "base"
    fake_model(mine / "small", size=460)
    assert find_model("auto", None, mine, beside).dir == mine / "small"


@pytest.mark.shows("decisions:model-places")
def test_a_model_beside_the_program_can_be_named_and_the_folder_set_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_model(tmp_path / "all" / "medium")
    fake_model(tmp_path / "all" / "base")
    monkeypatch.setenv("EARMARK_MODELS", str(tmp_path / "all"))
    assert find_model("medium", None, tmp_path / "mine").dir == tmp_path / "all" / "medium"


def test_a_model_that_is_not_here_says_where_to_put_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"large-v3.*does not exist.*model_dir") as caught:
        find_model("large-v3", None, tmp_path)
    assert str(tmp_path / "large-v3") in str(caught.value)


@pytest.mark.parametrize("missing", ["model.bin", "config.json", "tokenizer.json", "vocabulary.json"])
def test_an_incomplete_model_is_refused_by_the_name_of_what_is_missing(tmp_path: Path, missing: str) -> None:
    folder = fake_model(tmp_path / "m", without=missing)
    with pytest.raises(ModelError, match=f"incomplete: .*{missing}"):
        find_model("auto", folder, tmp_path)


def test_a_configured_folder_that_does_not_exist_is_not_replaced_by_another_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not exist"):
        find_model("auto", tmp_path / "gone", tmp_path)


@pytest.mark.parametrize("name", ["../secrets", "a/b", "..", "."])
def test_a_model_name_never_leads_out_of_the_models_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match="not a name"):
        find_model(name, None, tmp_path)


RELEASED = {f.name: f for p in PACKAGED if p.name == "tiny.en" for f in p.files}


@pytest.mark.parametrize("file", sorted(RELEASED))
def test_one_changed_byte_in_a_model_out_of_packages_is_found(tmp_path: Path, file: str) -> None:
    folder = tmp_path / "tiny.en"
    shutil.copytree(quick_model().dir, folder)
    path = folder / file
    with path.open("r+b") as opened:
        opened.seek(100)
        byte = opened.read(1)
        opened.seek(100)
        opened.write(bytes([byte[0] ^ 1]))
    with pytest.raises(ModelError, match=rf"{file}: expected sha256 \w{{64}}, found sha256 \w{{64}}"):
        find_model("auto", None, tmp_path)


def test_a_short_file_of_a_model_out_of_packages_is_found_by_its_size(tmp_path: Path) -> None:
    shutil.copytree(quick_model().dir, tmp_path / "model")
    (tmp_path / "model" / "config.json").write_bytes(b"{}")
    with pytest.raises(ModelError, match="expected 2,317 bytes, found 2 bytes"):
        require_as_released(tmp_path / "model")


def test_a_model_of_the_same_name_from_elsewhere_is_not_held_to_the_packages(tmp_path: Path) -> None:
    fake_model(tmp_path / "base")
    (tmp_path / "base" / "earmark-model.json").write_text(
        '{"name": "base", "source": "added from /usb/base"}'
    )
    assert find_model("auto", None, tmp_path).name == "base"


def test_a_file_is_hashed_again_when_it_has_changed(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"one")
    first = released.digest_of(file)
    assert released.digest_of(file) == first
    other = tmp_path / "g"
    other.write_bytes(b"two")
    other.replace(file)
    assert released.digest_of(file) != first


def test_without_any_model_the_error_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"earmark models download base"):
        find_model("auto", None, tmp_path, tmp_path / "beside")
    with pytest.raises(ModelError, match=r"earmark models download tiny\.en"):
        find_model("tiny.en", None, tmp_path, tmp_path / "beside")


def test_looking_for_a_model_loads_no_model_library() -> None:
    code = (
        "import sys; from earmark.transcription.models import find_model; "
        "print(sorted({'numpy', 'ctranslate2', 'av', 'faster_whisper'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_models_folder_that_may_not_be_read_is_not_called_empty(tmp_path: Path) -> None:
    closed = tmp_path / "models"
    closed.mkdir(mode=0o000)
    # Root may read everything, unless it is without these rights.
    without = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    if without and shutil.which("setpriv") is None:
        pytest.skip("setpriv is not there")
    ask = (
        "import pathlib, sys; from earmark.transcription.models import find_model; "
        "find_model(sys.argv[1], None, pathlib.Path(sys.argv[2]), pathlib.Path('/nowhere'))"
    )
    for name in ("auto", "base"):
        command = [*without, sys.executable, "-c", ask, name, str(closed)]
        told = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert "ModelError" in told.stderr
        assert "models is not for you to read" in told.stderr
