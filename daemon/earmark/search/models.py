"""Finding on this device what finds by meaning, and making sure that it is what it should be. Never downloads anything.

Imports neither numpy nor onnxruntime, so that the supervisor and the command line may use it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from earmark.errors import ModelError
from earmark.paths import shared_models
from earmark.weights.onnx import Graph, look
from earmark.weights.packaged import MODEL, SEARCH, TOKENIZER
from earmark.weights.released import digest_of, out_of_packages, require_as_brought, require_readable

NAME = SEARCH.name
"""The name of its folder, which no speech model may have."""

FILES = (MODEL, TOKENIZER)

FEWEST, MOST = 16, 1024
"""Numbers of a vector that may be: known encoders give 384, 512, 768 or 1024."""

TAKEN = frozenset({"input_ids", "attention_mask", "token_type_ids"})
"""What an encoder of sentences is given, as transformers export it: the first two, and most of them the third."""


@dataclass(frozen=True, slots=True)
class MeaningModel:
    """What makes vectors of sentences. `digest`: of both files; vectors of two models cannot be compared. `languages`: those
    in which it finds meanings; empty for one of which nobody said it.
    """

    dir: Path
    model: Path
    tokenizer: Path
    digest: str
    languages: frozenset[str]


def find_meaning_model(models_dir: Path, shared: Path | None = None) -> MeaningModel | None:
    """What finds by meaning, of the models folder, else beside the program (`shared`); None if it is in neither.

    Raises ModelError with a sentence that says what to do when files are missing, or are not the bytes that they were
    brought in as.
    """
    folder = meaning_folder(models_dir, shared)
    if folder is None:
        return None
    require_meaning_files(folder)
    require_as_brought(folder, FILES)
    model, tokenizer = folder / MODEL, folder / TOKENIZER
    digest = hashlib.sha256(f"{digest_of(model)} {digest_of(tokenizer)}".encode()).hexdigest()
    languages = frozenset({"en"}) if out_of_packages(folder) else frozenset[str]()
    return MeaningModel(folder, model, tokenizer, digest, languages)


def meaning_folder(models_dir: Path, shared: Path | None = None) -> Path | None:
    """Its folder, whatever is in it. Raises ModelError where this user may not look."""
    for place in (models_dir, shared_models() if shared is None else shared):
        require_readable(place)
        if (place / NAME).is_dir():
            return place / NAME
    return None


def require_meaning_files(folder: Path) -> None:
    """Raise ModelError unless `folder` holds both files."""
    require_readable(folder)
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise ModelError(
            f"The folder {folder} finds nothing by meaning: {' and '.join(missing)} missing. Delete it and bring it again: "
            f"earmark models download {NAME}"
        )


def require_encoder(file: Path) -> None:
    """Raise ModelError unless a file in ONNX takes tokens and gives vectors of them, as encoders of sentences do."""
    try:
        wrong = _wrong(look(file))
    except (OSError, ValueError) as error:
        wrong = (error.strerror if isinstance(error, OSError) else str(error)) or "it cannot be read"
    if wrong:
        raise ModelError(f"{file} cannot be used to find by meaning: {wrong}.")


def _wrong(graph: Graph) -> str:
    names = {tensor.name for tensor in graph.inputs}
    shape = graph.outputs[0].shape if graph.outputs else (0,)
    if not graph.whole:
        return "its weights lie in another file; only an encoder in one file can be used"
    if not {"input_ids", "attention_mask"} <= names <= TAKEN:
        return f"it takes {', '.join(sorted(names)) or 'nothing'}, not input_ids and attention_mask"
    if shape and (len(shape) != 3 or not graph.outputs[0].floats):
        return "it gives no vector for each token (last_hidden_state)"
    if shape and shape[2] is not None and not FEWEST <= shape[2] <= MOST:
        return f"it gives {shape[2]} numbers for a token, not {FEWEST} to {MOST}"
    return ""
