"""What the policy page is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Where = Literal["this device", "local network", "cloud"]


@dataclass(frozen=True, slots=True)
class Quick:
    """The page in four lines."""

    default_retention: str
    zero_data_retention: str
    trains_on_data: str
    last_verified: str


@dataclass(frozen=True, slots=True)
class Kept:
    """Something that is kept: what, where, for how long, and who can read it."""

    what: str
    where: str
    how_long: str
    words: bool
    """True if it holds what was said."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing earmark does: where it runs, what it connects to, and what goes there."""

    name: str
    where: Where
    connects_to: str
    sends: str
    held_by: str
    """What makes it so, in words."""

    @property
    def connectivity(self) -> bool:
        return self.connects_to != ""


@dataclass(frozen=True, slots=True)
class Page:
    """The whole page."""

    generated_at: str
    version: str
    privacy: str
    config_file: str
    quick: Quick
    kept: tuple[Kept, ...]
    operations: tuple[Operation, ...]
    endpoint: str
    endpoint_keeps: tuple[str, ...]
    not_enforced: tuple[str, ...]
    summaries_made: tuple[tuple[str, int], ...]
    delete: tuple[tuple[str, str], ...]
    export: tuple[tuple[str, str], ...]
