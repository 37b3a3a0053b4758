"""The daemon as a user runs it, in a process of its own, with the times of what happens to a dropped file."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

CONFIG = """[summary]
endpoint = "none"

[intake]
settle_seconds = {settle}

[transcription]
idle_seconds = {idle}
{model}
"""


@dataclass(frozen=True, slots=True)
class Drop:
    """What became of one file. Seconds: `settled` from the drop until it was taken into the ledger (hints, settle time and
    hashing), `worked` from there to the transcript note. `supervisor`, `workers`: processor seconds of the supervisor and
    of the transcription workers in all that time.
    """

    settled: float
    worked: float
    supervisor: float
    workers: float
    text: str


class Daemon:
    """`earmark run FOLDER --service` with its own home below `root`; stopped when the block ends."""

    def __init__(
        self, root: Path, *, settle: float = 2.0, idle: float = 600.0, model: Path | None = None
    ) -> None:
        self.home, self.folder = root / "home", root / "Recordings"
        self._outside = root / "outside"
        for folder in (self.home / "config", self.folder, self._outside):
            folder.mkdir(parents=True, exist_ok=True)
        (self.home / "config/config.toml").write_text(
            CONFIG.format(settle=settle, idle=idle, model=_model(model))
        )
        self._log = root / "daemon.log"

    def __enter__(self) -> Daemon:
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "earmark", "run", str(self.folder), "--service"],
                env=os.environ | {"EARMARK_HOME": str(self.home)}, stderr=log, stdout=log,
            )  # fmt: skip
        self.process = psutil.Process(self._process.pid)
        self.until(lambda: "caught-up" in self.events(), 60, "the daemon's first look")
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)

    def drop(self, *files: Path, timeout: float = 1800.0) -> list[Drop]:
        """Move copies of the files into the folder at once and wait for the transcript note of each."""
        ready = [Path(shutil.copyfile(file, self._outside / file.name)) for file in files]
        notes = [self.folder / f"{file.stem}.transcript.md" for file in files]
        there: dict[Path, float] = {}
        cpu_before = self._cpu()
        began = time.time()
        for file in ready:
            file.rename(self.folder / file.name)

        def all_there() -> bool:
            for note in notes:
                if note not in there and note.exists():
                    there[note] = time.time()
            return len(there) == len(notes)

        self.until(all_there, timeout, f"{', '.join(n.name for n in notes)}")
        supervisor, workers = (a - b for a, b in zip(self._cpu(), cpu_before, strict=True))
        found = []
        for file, note in zip(files, notes, strict=True):
            taken = self._accepted(self.folder / file.name)
            found.append(Drop(taken - began, there[note] - taken, supervisor, workers, self._text(file.name)))
        self.at_rest()
        return found

    def at_rest(self) -> None:
        """Wait until everything (summaries too) is done."""
        self.until(lambda: self.events()[-1] == "caught-up", 600, "the end of its work")

    def until(self, condition: Callable[[], bool], timeout: float, what: str) -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            if self._process.poll() is not None:
                raise SystemExit(f"the daemon ended; its log:\n{self._log.read_text()[-3000:]}")
            if time.monotonic() > deadline:
                raise SystemExit(
                    f"waited {timeout:g} s for {what}; the daemon's log:\n{self._log.read_text()[-3000:]}"
                )
            time.sleep(0.01)

    def events(self) -> list[str]:
        """Names of what the daemon has logged, in order."""
        lines = self._log.read_text().splitlines()
        return [
            json.loads(line).get("event", "") for line in lines if line.startswith("{") and line.endswith("}")
        ]

    def peak(self) -> int:
        """Bytes that the supervisor and the processes that live below it have had resident at most, added up (Linux)."""
        return sum(_peak(process.pid) for process in (self.process, *self.process.children(recursive=True)))

    def _cpu(self) -> tuple[float, float]:
        """Processor seconds so far of the supervisor and of the transcription workers that live."""
        times = self.process.cpu_times()
        workers = 0.0
        for process in self.process.children():
            try:
                if "earmark.transcription.worker" in process.cmdline():
                    spent = process.cpu_times()
                    workers += spent.user + spent.system
            except psutil.Error:
                continue
        return times.user + times.system, workers

    def _accepted(self, path: Path) -> float:
        return float(
            self._one("SELECT at FROM events WHERE path = ? AND what = 'accepted'", os.fsencode(path))
        )

    def _text(self, name: str) -> str:
        body = self._one(
            "SELECT body FROM transcripts JOIN places USING (recording_id) WHERE path = ?",
            os.fsencode(self.folder / name),
        )
        said = [s for s in json.loads(body)["segments"] if s["mark"] not in ("repetition", "over-silence")]
        return " ".join(segment["text"] for segment in said)

    def _one(self, query: str, value: bytes) -> Any:
        db = sqlite3.connect(f"file:{self.home / 'state/ledger.db'}?mode=ro", uri=True, timeout=10)
        try:
            return db.execute(query, (value,)).fetchone()[0]
        finally:
            db.close()


def _model(folder: Path | None) -> str:
    return f'model_dir = "{folder}"' if folder else ""


def _peak(pid: int) -> int:
    """VmHWM: the kernel's own count of the highest resident memory of a live process."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)
