"""What `earmark models list` shows: the models that are here, what tells who speaks, and those that could be downloaded."""

from __future__ import annotations

from collections.abc import Sequence

from rich.filesize import decimal

from earmark.cli.console import moment
from earmark.cli.lines import cell
from earmark.models.catalog import CATALOG, Device, Known, fit, memory_needed, speed
from earmark.models.inventory import Entry
from earmark.weights.packaged import ENCODER, MODEL, SEARCH, SPEAKERS, Packaged

FITS = {"well": "[green]well[/]", "slowly": "[yellow]slowly[/]", "not": "[red]too large[/]"}


def models_rows(found: Sequence[Entry]) -> list[tuple[str, ...]]:
    """The speech models that are here, below what each column is."""
    rows: list[tuple[str, ...]] = [("name", "size", "runs here", "measured here", "last used", "license")]
    for e in found:
        speed = f"{e.usage.speed:.0f}x real time" if e.usage.speed else "not yet"
        rows.append(
            (cell(e.name), decimal(e.size), FITS[e.runs], speed, moment(e.usage.last_used), cell(e.license))
        )
    return rows


def where_from(e: Entry) -> str:
    """The source of a model, and what its weights are."""
    weights = {"speakers": ENCODER, "search": MODEL}.get(e.kind, "model.bin")
    return f"{e.name}: {e.source}" + (f", {weights} sha256 {e.sha256[:16]}…" if e.sha256 else "")


def who_says_what(found: Sequence[Entry]) -> str:
    """What tells who speaks: the first of what is found is used."""
    return _used(f"{SPEAKERS.name}: who says what", SPEAKERS, found)


def by_meaning(found: Sequence[Entry]) -> str:
    """What finds by meaning: the first of what is found is used."""
    return _used(f"{SEARCH.name}: found by meaning", SEARCH, found)


def _used(name: str, model: Packaged, found: Sequence[Entry]) -> str:
    if not found:
        return f"{name}; not here: earmark models download {model.name} ({decimal(model.download)}; {model.license})"
    first = found[0]
    if first.problem:
        return f"{name}, {decimal(first.size)}; it cannot be used as it is"
    files = ", ".join(f"{file} {decimal(size)}" for file, size in first.files.items())
    takes = f" that takes {first.features}" if first.features else ""
    return f"{name}, {decimal(first.size)} ({files}{takes}); {first.license}"


def catalog_rows(device: Device, here: set[str], tiny: float | None) -> list[tuple[str, ...]]:
    """The published models that are not `here`, below what each column is."""
    heading: tuple[str, ...] = ("name", "size", "memory", "an hour takes", "languages", "license")
    return [heading] + [
        (
            model.name, decimal(model.size), decimal(memory_needed(model.size)), _an_hour(model, device, tiny),
            "English" if model.english_only else "many", model.license,
        )
        for model in CATALOG
        if model.name not in here
    ]  # fmt: skip


def _an_hour(model: Known, device: Device, tiny: float | None) -> str:
    """How long an hour of sound would take, and how that is; on a GPU nobody knows before it was tried."""
    runs = fit(model.size, model.work, device, tiny)
    if runs == "not" or device.gpu:
        return FITS[runs]
    return f"~ {max(1, round(60 / speed(model.work, device, tiny)))} min, {FITS[runs]}"
