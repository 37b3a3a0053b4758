"""Finding a speech model on this device and making sure that it is what it should be. Never downloads anything.

Imports neither numpy nor ctranslate2, so that the supervisor and the command line may use it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from earmark.errors import ModelError
from earmark.paths import shared_models, whole
from earmark.weights.packaged import MODEL, SEARCH, SEGMENTATION, SPEAKERS, SPEECH, packaged
from earmark.weights.released import require_as_released, require_readable

STARTERS = tuple(model.name for model in SPEECH)
"""What `auto` takes where nothing else decides, in this order."""

OTHERS = {SPEAKERS.name: "tells who speaks", SEARCH.name: "finds by meaning"}
"""Models that hear no words."""

VOCABULARIES = ("vocabulary.txt", "vocabulary.json")


@dataclass(frozen=True, slots=True)
class SpeechModel:
    """A complete CTranslate2 Whisper directory. `source` says which of the three places it came from."""

    dir: Path
    name: str
    source: Literal["configured", "data folder", "beside the program"]


def find_model(
    name: str, configured_dir: Path | None, models_dir: Path, shared: Path | None = None
) -> SpeechModel:
    """The model to use: the configured directory, else `models_dir/name`, else `shared/name` (beside the program).

    `name` "auto" takes the largest model in `models_dir`, else one of STARTERS beside the program, or the only model there.
    Raises ModelError, whose message says what was looked at and what to do, when there is none, when files are missing, or
    when a model that came out of packages is not the bytes that it was released with.
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
    if name in OTHERS:
        raise ModelError(
            f"{name!r} {OTHERS[name]} and hears no words: it is no speech model. `earmark models list` shows those that are."
        )
    shared = shared_models() if shared is None else shared
    for place, source in ((models_dir, "data folder"), (shared, "beside the program")):
        require_readable(place)
        automatic = _largest if source == "data folder" else _chosen
        folder_or_none = automatic(place) if name == "auto" else place / name
        if folder_or_none is not None and folder_or_none.is_dir():
            require_files(folder_or_none)
            require_as_released(folder_or_none)
            return SpeechModel(folder_or_none, folder_or_none.name, source)  # type: ignore[arg-type]
    if name != "auto":
        how = f"`earmark models download {name}` brings it, or put" if packaged(name) else "Put"
        raise ModelError(
            f"There is no speech model named {name!r}: {models_dir / name} does not exist. {how} the model's files "
            f"(model.bin, config.json, tokenizer.json, vocabulary.txt) there, or set [transcription] model_dir to the "
            "folder that holds them."
        )
    several = sorted(f.name for f in model_folders(shared))
    if several:
        raise ModelError(
            f"There are several speech models in {shared} ({', '.join(several)}); name the one to use: "
            f'model = "{several[0]}" under [transcription].'
        )
    best = SPEECH[0]
    raise ModelError(
        f"There is no speech model on this device. `earmark models download {best.name}` brings one that knows 99 languages "
        f"({best.download // 1_000_000} MB), or put a CTranslate2 Whisper model into {models_dir / '<name>'}, or set "
        "[transcription] model_dir to a folder that holds one."
    )


def require_files(folder: Path) -> None:
    """Raise ModelError unless `folder` holds everything that loads without asking a hub.

    Without tokenizer.json faster-whisper would ask the Hugging Face hub for one.
    """
    require_readable(folder)
    if not folder.is_dir():
        raise ModelError(
            f"The model folder {folder} does not exist. Set [transcription] model_dir to a folder that holds "
            "a CTranslate2 Whisper model, or remove the setting to use the model that is there."
        )
    other = SPEAKERS if (folder / SEGMENTATION).is_file() else SEARCH if _is_sentences(folder) else None
    if other is not None:
        raise ModelError(
            f"The folder {folder} {OTHERS[other.name]} and hears no words: it is no speech model. Set [transcription] "
            "model_dir to a folder that holds a CTranslate2 Whisper model, or remove the setting."
        )
    missing = [f for f in ("model.bin", "config.json", "tokenizer.json") if not (folder / f).is_file()]
    if not any((folder / f).is_file() for f in VOCABULARIES):
        missing.append(" or ".join(VOCABULARIES))
    if missing:
        raise ModelError(
            f"The model folder {folder} is incomplete: {', '.join(missing)} missing. A CTranslate2 Whisper "
            "model has model.bin, config.json, tokenizer.json and a vocabulary; copy them all."
        )


def _is_sentences(folder: Path) -> bool:
    return (folder / MODEL).is_file() and not (folder / "model.bin").is_file()


def model_folders(place: Path) -> list[Path]:
    """The models in a folder, by their weights."""
    found = [f for f in place.glob("[!.]*") if os.path.isfile(f / "model.bin")]  # noqa: PTH113 - is_file raises for others'
    return [folder for folder in found if folder.name not in OTHERS]


def _largest(place: Path) -> Path | None:
    """The model in a folder with the largest weights; of two of one size a starter, or the first by name."""
    folders = model_folders(place)
    return max(
        folders, key=lambda f: (weights(f), f.name in STARTERS, [-ord(c) for c in f.name]), default=None
    )


def weights(folder: Path) -> int:
    """Bytes of a model's weights; 0 where they cannot be seen."""
    try:
        return (folder / "model.bin").stat().st_size
    except OSError:
        return 0


def _chosen(place: Path) -> Path | None:
    """The only model in a folder, else the first of STARTERS; which of several others is the user's choice."""
    folders = model_folders(place)
    if len(folders) == 1:
        return folders[0]
    return next((folder for name in STARTERS for folder in folders if folder.name == name), None)
