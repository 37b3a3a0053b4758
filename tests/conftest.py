"""What all tests share: an installation of its own per test, the command line, and recordings of our own making."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

MODELS = Path(sys.prefix) / "share" / "earmark" / "for-tests"
"""Where scripts/test puts the models: a folder each, so that what a test uses is never a matter of what else is there."""
os.environ["EARMARK_MODELS"] = str(
    MODELS / "tiny.en"
)  # here, before anybody asks; the quick one, for nearly all

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"
SAMPLE = Path(str(files("earmark").joinpath("sample", "sample.m4a")))
SAMPLE_WORDS = Path(str(files("earmark").joinpath("sample", "sample.txt")))

QUICK = "[intake]\nsettle_seconds = 0.3\nscan_seconds = 1.0\n[summary]\nendpoint = 'none'\n"
"""A configuration that does not make tests wait, and asks no summary server."""


def wait_for(condition: Callable[[], Any], seconds: float = 60.0, what: str = "it") -> Any:
    """The first true value of `condition`, asked again until the deadline; fails the test after it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.02)
    pytest.fail(f"{what} did not happen within {seconds:.0f} s")


@dataclass
class Installation:
    """One earmark of its own: home, drop folder, and the processes started from it."""

    root: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)
    model: str = "tiny.en"

    @property
    def folder(self) -> Path:
        return self.root / "Recordings"

    @property
    def state(self) -> Path:
        return self.root / "home" / "state"

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "EARMARK_HOME": str(self.root / "home"), "EARMARK_MODELS": str(MODELS / self.model),
            "COLUMNS": "200", "NO_COLOR": "1",
        }  # fmt: skip

    def configure(self, text: str = QUICK) -> Path:
        file = self.root / "home" / "config" / "config.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def earmark(
        self, *arguments: str | Path, timeout: float = 120, stdout: int = subprocess.PIPE
    ) -> subprocess.CompletedProcess[str]:
        """Run a verb to its end."""
        return subprocess.run(
            [sys.executable, "-m", "earmark", *map(str, arguments)],
            env=self.environment, cwd=self.root, stdout=stdout, stderr=subprocess.PIPE, text=True,
            errors="surrogateescape", timeout=timeout, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def daemon(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start `earmark run` and wait until it watches. Its log goes to log.jsonl."""
        log = self.root / f"log-{len(self.started)}.jsonl"
        with log.open("w") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "earmark", "run", "--service", *map(str, arguments or (self.folder,))],
                env=self.environment, cwd=self.root, stderr=out, stdout=out, stdin=subprocess.DEVNULL, text=True,
            )  # fmt: skip
        self.started.append(process)
        wait_for(
            lambda: '"watching"' in log.read_text() or process.poll() is not None, 30, "the daemon's start"
        )
        return process

    def events(self, run: int = -1) -> list[dict[str, Any]]:
        """What a daemon logged: one JSON object per line."""
        logs = sorted(self.root.glob("log-*.jsonl"))
        return [json.loads(line) for line in logs[run].read_text().splitlines() if line.startswith("{")]

    def status(self) -> dict[str, Any]:
        found = self.earmark("status", "--json")
        assert found.returncode == 0, found.stderr
        return json.loads(found.stdout)  # type: ignore[no-any-return]

    def notes(self) -> list[str]:
        return sorted(str(p.relative_to(self.folder)) for p in self.folder.rglob("*.md"))

    def drop(self, name: str = "standup.m4a", source: Path = SAMPLE) -> Path:
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        return target

    def stop(self, process: subprocess.Popen[str], number: int = signal.SIGTERM) -> int:
        process.send_signal(number)
        return process.wait(15)


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """A fresh earmark with a quick configuration; whatever was started from it is ended afterwards."""
    made = Installation(tmp_path)
    made.folder.mkdir()
    made.configure()
    yield made
    for process in made.started:
        if process.poll() is None:
            process.kill()
            process.wait(10)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--shows", metavar="PAGE:KEY", help="run the tests behind one sentence of docs/PAGE.md")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With --shows: only the tests that are marked with this key, or with any of this page."""
    wanted = config.getoption("--shows")
    if wanted:
        items[:] = [
            item
            for item in items
            if any(key.startswith(wanted) for mark in item.iter_markers("shows") for key in mark.args)
        ]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What tests have to say of their size (`record_property("said", ...)`), whichever process they ran in."""
    reports = [
        report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, ())
    ]
    for said in (value for report in reports for name, value in report.user_properties if name == "said"):
        terminalreporter.write_line(said)


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Real speech with reference transcripts; only where it lies beside the project."""
    if not CORPUS.is_dir():
        pytest.skip("the shared corpus is not beside this checkout")
    return CORPUS


def words(text: str) -> list[str]:
    """Lower-case words without punctuation, for comparing what was heard."""
    return "".join(c if c.isalnum() or c == "'" else " " for c in text.lower()).split()


def word_errors(reference: list[str], heard: list[str]) -> int:
    """Word-level Levenshtein distance (substitutions, insertions, deletions)."""
    row = list(range(len(heard) + 1))
    for i, wanted in enumerate(reference, start=1):
        before, row[0] = row[0], i
        for j, found in enumerate(heard, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (wanted != found))
    return row[-1]
