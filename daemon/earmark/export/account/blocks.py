"""What a document is made of, whatever form it gets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """What a reader must see first."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bullets:
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and what they are."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Commands:
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table. `hashes`: the columns that hold long hashes; `times`: those that hold times."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    hashes: frozenset[int] = frozenset()
    times: frozenset[int] = frozenset()


Block = Heading | Paragraph | Alarm | Bullets | Facts | Commands | Grid
