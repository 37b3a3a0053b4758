"""`earmark models add` of what tells who speaks: the whole folder, or another encoder for the one that is here."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from earmark.cli.main import app
from earmark.diarization.models import features_of, find_speaker_model
from earmark.domain import Instant
from earmark.errors import ModelError
from earmark.files import FileLock
from earmark.models.encoder import add_encoder
from earmark.models.sideload import add
from earmark.weights.onnx import look
from earmark.weights.released import digest_of
from typer.testing import CliRunner

from tests import onnx_files
from tests.conftest import MODELS
from tests.onnx_files import INT64, field, model, tensor

HERE = MODELS / "speakers"
NOWHERE = Path("/nonexistent")
NOW = Instant(5.0)
VOICE = [tensor("voice", ("batch", 192))]
FBANK = tensor("frames", ("batch", "frame", 80))

Said = Callable[..., str]


@pytest.fixture
def said(tmp_path: Path) -> Said:
    """What a verb of `earmark models` says, in an installation with what was released beside the program."""
    environment = {"EARMARK_HOME": str(tmp_path / "home"), "EARMARK_MODELS": str(HERE), "COLUMNS": "400"}

    def ask(*arguments: str | Path) -> str:
        return " ".join(
            CliRunner().invoke(app, ["models", *map(str, arguments)], env=environment).output.split()
        )

    return ask


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (onnx_files.encoder(), "logmel40"),
        (onnx_files.encoder("batch", "frame", 80), "fbank80"),
        (onnx_files.encoder(1, 200, 80), "fbank80"),
        (model([FBANK], [tensor("voice", None)]), "fbank80"),
        (model([FBANK, tensor("w", (3,))], VOICE, [field(8, "w")]), "fbank80"),  # as before version 4
        (onnx_files.encoder("batch", "frame", "feature"), "None"),
        (model([tensor("frames", None)], VOICE), "None"),
        (model([tensor("frames", ("batch", 80, "frame"))], VOICE), "fbank80"),
        (model([tensor("frames", (1, 80, 200))], VOICE), "fbank80"),
        (model([FBANK], VOICE, said={"framework": "wespeaker", "sample_rate": "16000"}), "fbank80"),
        (onnx_files.encoder("batch", 40, "frame"), r"it takes \? x 40 x \? numbers, not stretch x frame x feature"),
        (onnx_files.encoder(8, "frame", 80), "it takes 8 stretches at once, not one or any number"),
        (model([FBANK], [tensor("voice", ("batch", 2))]), "it gives 2 numbers for a stretch, not 16 to 1024"),
        (model([FBANK], VOICE, said={"framework": "nemo"}), "it is one of NeMo's"),
        (model([FBANK], VOICE, said={"sample_rate": "8000"}), "it is for 8000 samples a second"),
        (onnx_files.encoder("batch", "sample"), r"it takes \? x \? numbers"),
        (onnx_files.encoder("batch", "frame", 64), r"takes 64 numbers a frame; known are 40 \(logmel40\) and 80"),
        (model([tensor("frames", ("batch", "frame", 80), INT64)], VOICE), "no floating-point numbers"),
        (model([FBANK, tensor("length", (1,))], VOICE), r"takes 2 inputs \(frames, length\)"),
        (model([], VOICE), r"takes 0 inputs \(none\)"),
        (onnx_files.segmentation(), "gives no single vector"),
        (model([FBANK], []), "gives no single vector"),
        (model([FBANK], VOICE, [field(8, "w") + field(14, 1)]), "its weights lie in another file"),
        (b"", "it is no ONNX model"),
        (b"RIFF\x00\x00\x00\x00WAVE", "it is no ONNX model"),
        (field(7, b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), "only the beginning of one"),
        (field(7, field(11, field(1, "n" * 2000))), "a name in it has no end"),
        (field(7, b"\x08\x01" * 250_000), "more parts than any speaker encoder"),
        (field(7, b"\xff" * 100), "it is no ONNX model"),
    ],
)  # fmt: skip
def test_what_an_encoder_takes_is_read_from_its_file_and_what_is_none_is_refused(
    tmp_path: Path, data: bytes, answer: str
) -> None:
    file = tmp_path / "some.onnx"
    file.write_bytes(data)
    before = time.monotonic()
    if answer in ("logmel40", "fbank80", "None"):
        assert str(features_of(file)) == answer
    else:
        with pytest.raises(ModelError, match=f"some.onnx cannot be used to tell voices apart: .*{answer}"):
            features_of(file)
    assert time.monotonic() - before < 20


def test_half_a_file_and_one_with_any_byte_changed_come_to_an_end(tmp_path: Path) -> None:
    whole, file = onnx_files.encoder(), tmp_path / "e.onnx"
    odd = [whole[:length] for length in range(len(whole))]
    odd += [
        whole[:at] + bytes([whole[at] ^ bits]) + whole[at + 1 :]
        for at in range(len(whole))
        for bits in (1, 0x80)
    ]
    ended = 0
    for data in odd:
        file.write_bytes(data)
        try:
            look(file)
        except ValueError:
            ended += 1
    assert ended > len(whole) / 2


def test_models_made_here_are_such_as_onnxruntime_loads() -> None:
    onnxruntime, numpy = pytest.importorskip("onnxruntime"), pytest.importorskip("numpy")
    session = onnxruntime.InferenceSession(onnx_files.encoder("batch", "frame", 80))
    (voice,) = session.run(None, {"frames": numpy.ones((2, 5, 80), numpy.float32)})
    assert voice.shape == (2, 80)


@pytest.mark.shows("transcription:encoder")
def test_another_encoder_takes_the_place_of_the_one_that_is_here_and_is_told_apart_from_it(
    tmp_path: Path, said: Said
) -> None:
    models, file = tmp_path / "home" / "data" / "models", tmp_path / "campplus.onnx"
    released = find_speaker_model(models, HERE)
    assert released is not None
    file.write_bytes(onnx_files.encoder("batch", "frame", 80))
    told = said("add", file, "--license", "Apache-2.0")
    assert "campplus.onnx is the speaker encoder now" in told
    assert "takes fbank80" in told
    assert "in place of the one beside the program. Back to that: earmark models remove speakers" in told
    found = find_speaker_model(models, HERE)
    assert found is not None
    assert (found.dir, found.features, found.encoder.read_bytes()) == (
        models / "speakers",
        "fbank80",
        file.read_bytes(),
    )
    assert found.digest == digest_of(file) != released.digest
    assert digest_of(found.segmentation) == digest_of(released.segmentation)
    assert {p.stat().st_mode & 0o777 for p in found.dir.glob("*.onnx")} == {0o600}
    card = json.loads((found.dir / "earmark-model.json").read_text())
    assert card["license"] == "MIT (segmentation.onnx), Apache-2.0 (encoder.onnx)"
    assert card["source"].endswith(f"speaker encoder); encoder added from {file}")

    file.write_bytes(onnx_files.encoder("batch", 40, 40))
    again = said("add", file)
    assert (
        "It replaced the one that was there. The one to download comes back with: earmark models remove"
        in again
    )
    other = find_speaker_model(models, HERE)
    assert other is not None
    assert (other.features, other.digest) == ("logmel40", digest_of(file))
    card = json.loads((found.dir / "earmark-model.json").read_text())
    assert card["license"] == "MIT (segmentation.onnx), unknown (encoder.onnx)"
    assert card["source"].count("encoder added from") == 1
    assert sorted(p.name for p in models.iterdir()) == [".locks", "speakers"]
    assert "✓ speakers: 6.0 MB, as it was brought in" in said("verify", "speakers")
    assert "There is a model named speakers already" in said("download", "speakers")
    assert "speakers is gone" in said("remove", "speakers", "--yes")
    assert find_speaker_model(models, HERE) == released


def test_an_encoder_that_does_not_say_what_it_takes_is_told_by_the_user(tmp_path: Path, said: Said) -> None:
    models, file = tmp_path / "home" / "data" / "models", tmp_path / "open.onnx"
    file.write_bytes(onnx_files.encoder("batch", "frame", "feature"))
    assert f"{file} does not say how many numbers a frame it takes" in said("add", file)
    assert "--features mfcc is none that is known: logmel40 or fbank80" in said(
        "add", file, "--features", "mfcc"
    )
    assert "leave out --name" in said("add", file, "--name", "mine")
    assert not (models / "speakers").exists()
    assert "it takes fbank80" in said("add", file, "--features", "fbank80")
    found = find_speaker_model(models, NOWHERE)
    assert found is not None
    assert found.features == "fbank80"
    file.write_bytes(onnx_files.encoder())
    assert "takes logmel40, as the shape of its input says" in said("add", file, "--features", "fbank80")
    file.write_bytes(b"no model")
    assert f"{file} cannot be used to tell voices apart" in said("add", file)
    assert find_speaker_model(models, NOWHERE) == found
    (card := found.dir / "earmark-model.json").write_text(card.read_text().replace("fbank80", "mfcc13"))
    with pytest.raises(ModelError, match="takes 'mfcc13', which this version of earmark does not know"):
        find_speaker_model(models, NOWHERE)


def test_an_encoder_is_not_added_without_a_segmentation_or_to_one_that_has_changed(tmp_path: Path) -> None:
    file, models = tmp_path / "e.onnx", tmp_path / "models"
    file.write_bytes(onnx_files.encoder())
    with pytest.raises(
        ModelError, match=r"An encoder alone does not tell who speaks.*models download speakers"
    ):
        add_encoder(file, models, NOW, shared=NOWHERE)
    shutil.copytree(HERE / "speakers", models / "speakers")
    (models / "speakers" / "encoder.onnx").write_bytes(b"spoiled")
    add_encoder(file, models, NOW, shared=NOWHERE)  # which mends it
    assert find_speaker_model(models, NOWHERE) is not None
    (models / "speakers" / "segmentation.onnx").write_bytes(b"spoiled")
    with pytest.raises(ModelError, match=r"segmentation\.onnx is not what was brought in"):
        add_encoder(file, models, NOW, shared=NOWHERE)
    with (
        FileLock(models / ".locks" / "speakers"),
        pytest.raises(ModelError, match="Another process is downloading speakers"),
    ):
        add_encoder(file, models, NOW, shared=NOWHERE)


WHISPER: Mapping[str, bytes] = {
    "config.json": b"{}", "tokenizer.json": b"{}", "vocabulary.txt": b"a\nb\n", "model.bin": os.urandom(100),
}  # fmt: skip


def folder_with(place: Path, files: Mapping[str, bytes]) -> Path:
    place.mkdir(parents=True)
    for name, data in files.items():
        (place / name).write_bytes(data)
    return place


@pytest.mark.shows("transcription:encoder")
def test_the_folder_of_another_machine_is_added_whole_under_its_own_name(tmp_path: Path, said: Said) -> None:
    models = tmp_path / "home" / "data" / "models"
    archive = tmp_path / "usb.tar.gz"
    with tarfile.open(archive, "w:gz") as made:
        made.add(HERE / "speakers", "usb/whatever")
    told = said("add", archive)
    assert "and the notes of new recordings say who speaks from now on" in told
    assert "earmark retry --speakers FILE" in told
    assert "is off" not in told
    assert f"speakers is in {models / 'speakers'}" in told
    assert "model =" not in told
    found = find_speaker_model(models, NOWHERE)
    assert found == find_speaker_model(models, HERE)
    assert found is not None
    assert found.features == "logmel40"
    assert "There is a model named speakers already" in said("add", archive)
    assert "called speakers: leave out --name" in said("add", archive, "--name", "mine")
    said("remove", "speakers", "--yes")
    (tmp_path / "home" / "config").mkdir(exist_ok=True)
    (tmp_path / "home" / "config" / "config.toml").write_text("[transcription]\nspeakers = 'off'\n")
    assert "FILE; but `speakers` is off in the configuration" in said("add", archive)


def test_what_is_half_of_it_or_something_else_is_not_added_as_what_tells_who_speaks(tmp_path: Path) -> None:
    models = tmp_path / "models"
    segmentation, encoder = onnx_files.segmentation(), onnx_files.encoder()
    half = folder_with(tmp_path / "half", {"encoder.onnx": encoder})
    with pytest.raises(
        ModelError, match=r"half is not a complete model.*half does not tell who.*segmentation\.onnx"
    ):
        add(half, models, NOW)
    swapped = folder_with(tmp_path / "swapped", {"segmentation.onnx": encoder, "encoder.onnx": segmentation})
    with pytest.raises(
        ModelError, match=r"swapped/segmentation\.onnx cannot be used to tell when voices speak"
    ):
        add(swapped, models, NOW)
    with pytest.raises(ModelError, match="the name of what tells who speaks; no speech model can have it"):
        add(folder_with(tmp_path / "speakers", WHISPER), models, NOW)
    whisper = folder_with(tmp_path / "small", {**WHISPER, "encoder.onnx": encoder})
    with pytest.raises(ModelError, match="--features is for what tells who speaks"):
        add(whisper, models, NOW, features="fbank80")
    assert [p.name for p in models.iterdir()] == [".locks"]
    add(whisper, models, NOW)
    assert {p.name for p in (models / "small").iterdir()} == {*WHISPER, "earmark-model.json"}
    add(
        folder_with(tmp_path / "both", {"segmentation.onnx": segmentation, "encoder.onnx": encoder}),
        models,
        NOW,
    )
    assert find_speaker_model(models, NOWHERE) is not None
