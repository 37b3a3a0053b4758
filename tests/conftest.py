"""What all tests share: an installation of its own per test, the command line, and recordings of our own making."""

from __future__ import annotations

import compileall
import functools
import json
import logging
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import structlog
import typer.rich_utils  # keeps what it finds in the environment when it is loaded: no test's FORCE_COLOR
import typer.testing
from hypothesis import HealthCheck, settings

from tests.order import long_first

MODELS = Path(sys.prefix) / "share" / "earmark" / "for-tests"
"""Where scripts/test puts the models: a folder each, so that what a test uses is never a matter of what else is there."""
os.environ["EARMARK_MODELS"] = str(
    MODELS / "tiny.en"
)  # here, before anybody asks; the quick one, for nearly all

sys.dont_write_bytecode = False
"""pytest rewrites the assertions of all test files in each of its processes, 8 s each, unless it may keep them."""

vars(typer.testing)["_get_command"] = functools.cache(vars(typer.testing)["_get_command"])
"""typer builds the whole tree of options for every verb that is said in this process: 60 ms, the same tree each time."""

settings.register_profile("busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(
    "busy machine"
)  # how long an example takes says what else runs here, and nothing of the code

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


@contextmanager
def in_memory() -> Iterator[Path]:
    """A folder in memory where there is one: a killed process leaves the same there as on a disk, and hundreds of worlds
    would wait for one.
    """
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder).resolve()


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
        """Run a verb to its end, in a process of its own. Only `run`, whose process others know by its command line,
        `privacy`, which looks into its own, and what writes elsewhere than to this test are started as programs: to load
        itself takes most of a verb's time (tests/forked.py).
        """
        words = [*map(str, arguments)]
        if words[:1] not in (["run"], ["privacy"]) and stdout == subprocess.PIPE:
            from tests.forked import said  # loads the whole program, for the tests that say a verb

            return said(self, *words, timeout=timeout)
        return subprocess.run(
            [sys.executable, "-m", "earmark", *words],
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


@contextmanager
def nothing_stays() -> Iterator[None]:
    """What is done inside to this process is undone afterwards: its environment, folder, umask, limit of processor time,
    where its log goes, what it learned of the servers that it asked.
    """
    environ, folder, mask = dict(os.environ), Path.cwd(), os.umask(0o077)
    os.umask(mask)
    limit, log = resource.getrlimit(resource.RLIMIT_CPU), logging.getLogger()
    handlers, level = list(log.handlers), log.level
    try:
        yield
    finally:
        if dict(os.environ) != environ:
            os.environ.clear()
            os.environ.update(environ)
        time.tzset()
        os.chdir(folder)
        os.umask(mask)
        resource.setrlimit(resource.RLIMIT_CPU, limit)
        structlog.reset_defaults()
        log.handlers[:] = handlers
        log.setLevel(level)
        # As long as a worker lives, says the product; a later test's server may get the port of an earlier one's.
        if connection := sys.modules.get("earmark.summarization.connection"):
            vars(connection)["_METERS"].clear()


@pytest.fixture(autouse=True)
def _nothing_stays() -> Iterator[None]:
    """No test finds what an earlier one, or a verb that it said in this process, has left there."""
    with nothing_stays():
        yield


ANOTHER = """
import ctypes, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE: as a daemon, which nobody but root may look into
sys.stdin.read()
"""


@pytest.fixture(autouse=True, scope="session")
def _another_earmark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """All tests run beside another earmark of the same user, as the tests of another process of pytest bring one now and
    then, and as whoever runs them may have one: what is said of it belongs to no test's own things.
    """
    place = tmp_path_factory.mktemp("another")
    (place / "earmark").write_text(ANOTHER)
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "earmark", "run", "--service", str(place)],
        cwd=place, env=os.environ | {"EARMARK_HOME": str(place)}, stdin=subprocess.PIPE,
    ):  # fmt: skip
        yield


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


def pytest_configure(config: pytest.Config) -> None:
    """Compile the program once: a worker process never keeps what it compiled, and hundreds are started (0.2 s each)."""
    if not hasattr(config, "workerinput"):
        with suppress(OSError):
            compileall.compile_dir(str(files("earmark")), quiet=2)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--shows", metavar="PAGE:KEY", help="run the tests behind one sentence of docs/PAGE.md")


def takes_as_long_as(item: pytest.Item) -> str:
    """The name of the file whose tests take as long as this one; "" where it is skipped, which takes no time."""
    skipped = any(mark.args[:1] == (True,) for mark in item.iter_markers("skipif"))
    return "" if skipped else item.path.stem


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With --shows: only the tests that are marked with this key, or with any of this page. What takes long comes first."""
    wanted = config.getoption("--shows")
    if wanted:
        items[:] = [
            item
            for item in items
            if any(key.startswith(wanted) for mark in item.iter_markers("shows") for key in mark.args)
        ]
    if hasattr(config, "workerinput"):
        items[:] = long_first(items, config.workerinput["workercount"], takes_as_long_as)


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
