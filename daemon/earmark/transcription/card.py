"""The card beside a model's files: where they came from and what they have to be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from earmark.domain import Instant

CARD = "earmark-model.json"
"""The card's name in the model's folder."""

NEVER = Instant(0.0)


@dataclass(frozen=True, slots=True)
class Card:
    """Where a model came from. `files`: name → SHA-256 as it was when it was brought in."""

    name: str
    source: str
    license: str = "unknown"
    revision: str = ""
    added_at: Instant = NEVER
    files: Mapping[str, str] = field(default_factory=dict)


def read_card(folder: Path) -> Card | None:
    """The card in a model's folder, or None if it has none that can be read."""
    try:
        found = json.loads((folder / CARD).read_text("utf-8"))
        if "licence" in found:  # as cards were written before version 0.2
            found["license"] = found.pop("licence")
        return Card(**found)
    except (OSError, ValueError, TypeError):
        return None
