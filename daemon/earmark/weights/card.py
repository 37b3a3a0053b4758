"""The card beside a model's files: where they came from and what they have to be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from earmark.domain import Instant

CARD = "earmark-model.json"
"""The card's name in the model's folder."""

NEVER = Instant(0.0)


@dataclass(frozen=True, slots=True)
class Card:
    """Where a model came from. `files`: name → SHA-256 as it was when it was brought in. `features`: what an encoder of
    voices is given (`diarization.models.Features`); "" for a speech model.
    """

    name: str
    source: str
    license: str = "unknown"
    revision: str = ""
    added_at: Instant = NEVER
    files: Mapping[str, str] = field(default_factory=dict)
    features: str = ""


MOST = 1_000_000
"""Bytes of a card, or of a model's config.json, that are read. Those that are written have some hundred or thousand."""


def read_json(file: Path) -> dict[str, Any]:
    """What a small file of a model says, whoever wrote it; nothing if it is no file, no JSON or too long for one."""
    try:
        if not file.is_file() or file.stat().st_size > MOST:
            return {}
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def read_card(folder: Path) -> Card | None:
    """The card in a model's folder, or None if it has none, or one that nobody here wrote."""
    found = read_json(folder / CARD)
    if "licence" in found:  # as cards were written before version 0.2
        found["license"] = found.pop("licence")
    try:
        card = Card(**found)
    except TypeError:
        return None
    texts = (card.name, card.source, card.license, card.revision, card.features)
    well = (
        all(isinstance(text, str) for text in texts)
        and type(card.added_at) in (int, float)
        and isinstance(card.files, dict)
        and all(isinstance(text, str) for pair in card.files.items() for text in pair)
        and all(
            name not in (".", "..") and Path(name).name == name and "\0" not in name for name in card.files
        )
    )
    return card if well else None
