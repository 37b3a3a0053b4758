"""What is on this device: each model with its size, digest, license, source, last use and speed here."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from earmark.allowance import allowance
from earmark.diarization.models import FILES, NAME, features_in, require_speaker_files
from earmark.domain import Instant, Stage
from earmark.errors import ModelError
from earmark.ledger import Ledger
from earmark.models.catalog import Device, Fit, fit, known
from earmark.paths import shared_models
from earmark.search.models import FILES as MEANING_FILES
from earmark.search.models import NAME as MEANING
from earmark.search.models import require_meaning_files
from earmark.transcription.models import require_files
from earmark.weights.card import NEVER, Card, read_card
from earmark.weights.released import digest_of, out_of_packages, require_as_released


@dataclass(frozen=True, slots=True)
class Usage:
    """How a model was used here. `speed`: seconds of audio per second of work, 0 if nobody measured."""

    recordings: int = 0
    last_used: Instant | None = None
    speed: float = 0.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One model on this device. `problem`: why it cannot be used, or empty. `kind`: it hears words, tells who speaks, or
    finds by meaning; of the latter two `files` says the bytes of each file, and `features` what its encoder takes.
    """

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
    kind: Literal["speech", "speakers", "search"] = "speech"
    features: str = ""
    files: Mapping[str, int] = field(default_factory=dict)


def inventory(
    models_dir: Path,
    device: Device,
    usage: Mapping[str, Usage],
    configured: Path | None = None,
    shared: Path | None = None,
) -> list[Entry]:
    """Every model that `run` could use, what tells who speaks, and what finds by meaning, in the order in which it looks:
    those beside the program (`shared`) last.
    """
    beside = _folders(shared_models() if shared is None else shared)
    mine = _folders(models_dir)
    found = [_entry(p, _card(p), device, usage) for p in mine]
    found += [_entry(p, _card(p), device, usage, removable=os.access(p.parent, os.W_OK)) for p in beside]
    if configured is not None and configured not in (*mine, *beside):
        card = Card(configured.name, "the configuration (model_dir)")
        found.append(_entry(configured, card, device, usage, removable=False))
    return found


def _folders(place: Path) -> list[Path]:
    if not os.path.isdir(place):  # noqa: PTH112 - is_dir raises where it may not look
        return []
    return sorted(p for p in place.glob("[!.]*") if os.path.isdir(p))  # noqa: PTH112 - as above'


def _card(folder: Path) -> Card:
    return read_card(folder) or Card(folder.name, "put there by hand")


def _entry(
    folder: Path, card: Card, device: Device, usage: Mapping[str, Usage], *, removable: bool = True
) -> Entry:
    name = folder.name
    if name == NAME:
        return _speakers(folder, card, removable=removable)
    if name == MEANING:
        return _meaning(folder, card, removable=removable)
    problem = ""
    try:
        require_files(folder)
    except ModelError as error:
        problem = _deeper(folder) or str(error)
    weights = folder / "model.bin"
    size = _size(folder)
    published = known(card.name) or known(name)
    bytes_ = weights.stat().st_size if not problem else 0
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


def _deeper(folder: Path) -> str:
    """The sentence for a folder that holds nothing of a model, but the folder of one; "" for any other."""
    if any(os.path.isfile(folder / name) for name in ("model.bin", "config.json", "tokenizer.json")):  # noqa: PTH113 - as above
        return ""
    below = (*sorted(folder.glob("*/model.bin")), *sorted(folder.glob("*/*/model.bin")))
    inner = next((weights.parent for weights in below), None)
    if inner is None:
        return f"{folder} is no model: it holds none of the files of one"
    return (
        f"{folder} is no model, but {inner} below it is; bring it in with: earmark models add"
        f" {shlex.quote(str(inner))}"
    )


def _speakers(folder: Path, card: Card, *, removable: bool) -> Entry:
    problem, features, files = "", "", {}
    try:
        require_speaker_files(folder)
        features = features_in(folder)
        files = {name: (folder / name).stat().st_size for name in FILES}
    except ModelError as error:
        problem = str(error)
    return Entry(
        NAME, folder, _size(folder), card.source, card.license, card.files.get(FILES[1], ""), card.added_at,
        problem=problem, removable=removable, kind="speakers", features=features, files=files,
    )  # fmt: skip


def _meaning(folder: Path, card: Card, *, removable: bool) -> Entry:
    problem, files = "", {}
    try:
        require_meaning_files(folder)
        files = {name: (folder / name).stat().st_size for name in MEANING_FILES}
    except ModelError as error:
        problem = str(error)
    return Entry(
        MEANING, folder, _size(folder), card.source, card.license, card.files.get(MEANING_FILES[0], ""), card.added_at,
        problem=problem, removable=removable, kind="search", files=files,
    )  # fmt: skip


def _size(folder: Path) -> int:
    return sum(p.lstat().st_size for p in folder.rglob("*") if os.path.isfile(p))  # noqa: PTH113 - as above


def verify(entry: Entry) -> list[str]:
    """Read every byte and compare with what was brought in; returns what is wrong, one sentence each."""
    if entry.problem:
        return [entry.problem]
    if out_of_packages(entry.folder):
        try:
            require_as_released(entry.folder)
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
    """True while something is being heard: the models must not be taken away now."""
    return any(job.stage is not Stage.SUMMARIZE for job in ledger.jobs.claimed())
