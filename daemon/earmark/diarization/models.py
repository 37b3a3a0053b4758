"""Finding on this device what tells who speaks, and making sure that it is what it should be. Never downloads anything.

Imports neither numpy nor onnxruntime, so that the supervisor and the command line may use it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from earmark.errors import ModelError, ModelUsage
from earmark.paths import shared_models
from earmark.weights.card import read_card
from earmark.weights.onnx import Graph, Tensor, look
from earmark.weights.packaged import ENCODER, SEGMENTATION, SPEAKERS
from earmark.weights.released import digest_of, require_as_brought, require_readable

NAME = SPEAKERS.name
"""The name of its folder, which no speech model may have."""

FILES = (SEGMENTATION, ENCODER)

Features = Literal["logmel40", "fbank80"]
"""What an encoder is given of each 10 ms: 40 logarithms of a Slaney mel spectrum, or 80 of Kaldi's filter banks."""

BY_WIDTH: dict[int, Features] = {40: "logmel40", 80: "fbank80"}

FEWEST, MOST = 16, 1024
"""Numbers of a print that may be: known encoders give 192, 256 or 512, and messages hold MOST."""

RATE = "16000"
"""Samples a second, as a model's metadata says it: all sound is brought to that."""

CLASSES = 7
"""None, each, and each two of three voices (https://huggingface.co/pyannote/segmentation-3.0)."""


@dataclass(frozen=True, slots=True)
class SpeakerModel:
    """What tells who speaks: `segmentation` when each voice speaks, `encoder` whose voice it is, from `features`.

    `digest`: SHA-256 of the encoder. What two encoders say of a voice cannot be compared.
    """

    dir: Path
    segmentation: Path
    encoder: Path
    features: Features
    digest: str

    @property
    def described(self) -> str:
        """Where it is, and which encoder it has."""
        size = self.encoder.stat().st_size / 1e6
        return f"{self.dir}, {ENCODER} {size:.1f} MB (takes {self.features}, sha256 {self.digest[:16]}…)"


def find_speaker_model(models_dir: Path, shared: Path | None = None) -> SpeakerModel | None:
    """What tells who speaks, of the models folder, else beside the program (`shared`); None if it is in neither.

    Raises ModelError with a sentence that says what to do when files are missing, when they are not the bytes that they were
    brought in as, or when nobody knows what the encoder takes.
    """
    folder = speaker_folder(models_dir, shared)
    if folder is None:
        return None
    require_speaker_files(folder)
    require_as_brought(folder, FILES)
    encoder = folder / ENCODER
    return SpeakerModel(folder, folder / SEGMENTATION, encoder, features_in(folder), digest_of(encoder))


def speaker_folder(models_dir: Path, shared: Path | None = None) -> Path | None:
    """Its folder, whatever is in it. Raises ModelError where this user may not look."""
    for place in (models_dir, shared_models() if shared is None else shared):
        require_readable(place)
        if (place / NAME).is_dir():
            return place / NAME
    return None


def require_speaker_files(folder: Path) -> None:
    """Raise ModelError unless `folder` holds both files."""
    require_readable(folder)
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise ModelError(
            f"The folder {folder} does not tell who speaks: {' and '.join(missing)} missing. Delete it and bring it again: "
            f"earmark models download {NAME}"
        )


def features_in(folder: Path) -> Features:
    """What the encoder in a folder is given, by its card, else by the encoder. Raises ModelError if neither says it."""
    card = read_card(folder)
    said = card.features if card else ""
    known = next((name for name in get_args(Features) if name == said), None)
    if said and known is None:
        raise ModelError(
            f"The card in {folder} says that the encoder takes {said!r}, which this version of earmark does not know; known "
            f"are {' and '.join(get_args(Features))}."
        )
    return known or features_told(folder / ENCODER)


def features_told(encoder: Path, wish: str = "") -> Features:
    """What an encoder takes, as it says, or else as the user does. Raises ModelError if neither does, or they differ."""
    wished = next((name for name in get_args(Features) if name == wish), None)
    if wish and wished is None:
        raise ModelUsage(f"--features {wish} is none that is known: {' or '.join(get_args(Features))}.")
    own = features_of(encoder)
    if own and wished and own != wished:
        raise ModelError(f"{encoder} takes {own}, as the shape of its input says, and not {wished}.")
    found: Features | None = own or wished
    if found is None:
        raise ModelError(
            f"{encoder} does not say how many numbers a frame it takes. Bring it in with what it takes: "
            f"earmark models add FILE --features {' or '.join(get_args(Features))}"
        )
    return found


def features_of(encoder: Path) -> Features | None:
    """What an encoder in ONNX takes, by the shape of its input; None if that leaves it open.

    Raises ModelError if the file is no encoder that takes the frames of one stretch and gives one vector for it.
    """
    graph, wrong = _looked(encoder, "tell voices apart"), ""
    if not graph.whole:
        wrong = "its weights lie in another file; only an encoder in one file can be used"
    elif len(graph.inputs) != 1:
        names = ", ".join(t.name for t in graph.inputs) or "none"
        wrong = f"it takes {len(graph.inputs)} inputs ({names}), not the frames of a stretch alone"
    elif not graph.outputs or len(graph.outputs[0].shape) not in (0, 2):
        wrong = "it gives no single vector for a stretch, as an encoder of voices does"
    else:
        wrong = _no_frames(graph.inputs[0]) or _no_print(graph.outputs[0]) or _others(graph.said)
    if wrong:
        raise ModelError(f"{encoder} cannot be used to tell voices apart: {wrong}.")
    shape = graph.inputs[0].shape
    if is_turned(shape):
        return "fbank80"
    return BY_WIDTH[shape[2]] if shape and shape[2] is not None else None


def is_turned(shape: Sequence[object]) -> bool:
    """Whether an input is stretch x feature x frame, and not stretch x frame x feature: of filter banks."""
    return len(shape) == 3 and shape[1] == 80 and shape[2] not in BY_WIDTH


def _no_print(given: Tensor) -> str:
    """Why an output is no print; "" if it is, or may be."""
    size = given.shape[1] if given.shape else None
    if size is not None and not FEWEST <= size <= MOST:
        return f"it gives {size} numbers for a stretch, not {FEWEST} to {MOST}"
    return ""


def _others(said: Mapping[str, str]) -> str:
    """Why what is said of a model keeps it from being used here; "" if nothing does."""
    if said.get("framework") == "nemo":
        return "it is one of NeMo's, which take other features than Kaldi's filter banks"
    if said.get("sample_rate", RATE) != RATE:
        return f"it is for {said['sample_rate']} samples a second; known are those for {RATE}"
    return ""


def _no_frames(taken: Tensor) -> str:
    """Why an input is not stretch x frame x feature in floating point; "" if it is, or may be."""
    known = " and ".join(f"{width} ({name})" for width, name in BY_WIDTH.items())
    if not taken.floats:
        return "it takes no floating-point numbers of 32 bits"
    if not taken.shape:
        return ""
    turned = is_turned(taken.shape)
    if len(taken.shape) != 3 or (taken.shape[2] is None and taken.shape[1] in BY_WIDTH and not turned):
        sizes = " x ".join("?" if size is None else str(size) for size in taken.shape)
        return f"it takes {sizes} numbers, not stretch x frame x feature"
    if taken.shape[2] is not None and taken.shape[2] not in BY_WIDTH and not turned:
        return f"it takes {taken.shape[2]} numbers a frame; known are {known}"
    if taken.shape[0] not in (None, 1):
        return f"it takes {taken.shape[0]} stretches at once, not one or any number"
    return ""


def require_segmentation(file: Path) -> None:
    """Raise ModelError unless a file in ONNX gives what pyannote's segmentation-3.0 gives: CLASSES numbers a frame."""
    graph = _looked(file, "tell when voices speak")
    shape = graph.outputs[0].shape if graph.outputs else (0,)
    if not graph.whole or (shape and (len(shape) != 3 or shape[2] not in (None, CLASSES))):
        raise ModelError(
            f"{file} cannot be used to tell when voices speak: that takes pyannote's segmentation-3.0 in one file, which "
            f"gives {CLASSES} numbers a frame."
        )


def _looked(file: Path, to: str) -> Graph:
    try:
        return look(file)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ModelError(f"{file} cannot be used to {to}: {reason}.") from None
