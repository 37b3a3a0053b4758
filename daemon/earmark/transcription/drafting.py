"""Which model writes the first version of a transcript, so that a note is there long before the better model is done."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from earmark.errors import ModelError
from earmark.paths import shared_models
from earmark.transcription.models import SpeechModel, find_model, model_folders, weights
from earmark.weights.card import read_card, read_json

AUTO, NONE = "auto", "none"

MUCH_SMALLER = 0.6
"""Share of the final model's bytes that a draft's has at most. tiny is 0.52 of base, base 0.30 of small, large-v3-turbo 0.52
of large-v3, and each of them two to three times as quick; what is nearer (distil-small.en: 0.69 of small) gains too little.
"""

ENGLISH = "en"

ALL_LANGUAGES = 99
"""Languages that the smallest multilingual Whisper has tokens for (`lang_ids` of its config.json)."""


@dataclass(frozen=True, slots=True)
class Present:
    """A model that is on this device. `size`: bytes of its weights; `english_only`: it writes English whatever is said."""

    name: str
    size: int
    english_only: bool


def draft_for(
    wish: str, final: Present, present: Iterable[Present], language: str | None, languages: Sequence[str]
) -> str | None:
    """The name of the model that writes a first version; None if none is to. Pure.

    `wish`: "auto", "none" or a model's name, which has to be a smaller one: no other is ever replaced. `language`: the one
    that everything is in, None if it is detected, then `languages` are those that can occur (empty: all).
    """
    others = [model for model in present if model.name != final.name]
    if wish == NONE:
        return None
    if wish != AUTO:
        return next((model.name for model in others if model.name == wish and model.size < final.size), None)
    english = language == ENGLISH or (language is None and tuple(languages) == (ENGLISH,))
    fitting = [
        model
        for model in others
        if model.size <= final.size * MUCH_SMALLER and (english or not model.english_only)
    ]
    return (
        min(fitting, key=lambda model: (model.size, not model.english_only, model.name)).name
        if fitting
        else None
    )


def draft_model(
    wish: str, final: SpeechModel, language: str | None, languages: Sequence[str], models_dir: Path
) -> SpeechModel | None:
    """The same, found on this device; None, too, where it is not what it should be: the final model does it alone then."""
    if wish == NONE:
        return None
    folders = {f.name: f for place in (shared_models(), models_dir) for f in _models(place)}
    there = [describe(folder) for folder in folders.values() if not _one_folder(folder, final.dir)]
    name = draft_for(wish, describe(final.dir, final.name), there, language, languages)
    try:
        return find_model(name, None, models_dir) if name is not None else None
    except ModelError:
        return None


def describe(folder: Path, name: str = "") -> Present:
    """What is known of the model in a folder without loading it."""
    card = read_card(folder)
    names = {name or folder.name, card.name if card else ""}
    by_name = any(n.endswith(".en") or n.startswith("distil-") for n in names)
    return Present(name or folder.name, weights(folder), by_name or _few_languages(folder))


def _few_languages(folder: Path) -> bool:
    tokens = read_json(folder / "config.json").get("lang_ids")
    return isinstance(tokens, list) and 0 < len(tokens) < ALL_LANGUAGES


def _models(place: Path) -> list[Path]:
    try:
        return model_folders(place)
    except OSError:
        return []


def _one_folder(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
