"""The real supervisor with stand-in workers, in a process of its own that can be killed at any step.

Everything but the two workers (tests/standin_worker.py says why) is what a user runs: real folder, real SQLite file, real
notes, real processes. The processes are forked from one that has imported everything already, so that hundreds of
kills take seconds.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import multiprocessing
import os
import py_compile
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from earmark.cli.index import VERBS
from earmark.config import Config
from earmark.context import Clock
from earmark.errors import ModelError
from earmark.ledger.jobs import backoff
from earmark.log import configure_logging
from earmark.paths import Home
from earmark.service.systemd import SystemdNotifier
from earmark.supervisor.inbox import Signaled
from earmark.supervisor.loop import Supervisor
from earmark.transcription.models import find_model
from earmark.workers import worker_environment

from tests import onnx_files
from tests.new_ledger import lay_ledger

STANDIN = Path(__file__).with_name("standin_worker.py")
COMPILED = py_compile.compile(str(STANDIN), doraise=True) or ""
"""Of a script that is started, Python keeps nothing: it would be compiled each time, 6 ms."""


def start_standin(module: str, *_: Any, **__: Any) -> subprocess.Popen[bytes]:
    """What `earmark.workers.start_process` does, with the stand-in's script instead of a worker's module."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", COMPILED, module],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=worker_environment(dict(os.environ)),
        start_new_session=True, close_fds=True,
    )  # fmt: skip


def quick_config(**sections: dict[str, Any]) -> Config:
    """A configuration without waits: model_copy is what lets the settle time go below what a user may set."""
    config = Config.model_validate({"summary": {"endpoint": "none"}, **sections})
    intake = config.intake.model_copy(
        update={"settle_seconds": 0.02, "scan_seconds": 0.5} | sections.get("intake", {})
    )
    return config.model_copy(update={"intake": intake})


def quick_waits(monkeypatch: pytest.MonkeyPatch, *modules: ModuleType, times: float = 200) -> None:
    """The same doubling waits, so many times as fast, wherever one of these modules rests."""

    def quick_backoff(failures: int, jitter: float, base: float = 15.0) -> float:
        return backoff(failures, jitter, base) / times

    for module in modules:
        monkeypatch.setattr(module, "backoff", quick_backoff)


class SayTo(SystemdNotifier):
    """Keeps what the service manager would be told."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def status(self, text: str) -> None:
        self.said.append(text)

    def ready(self, text: str = "") -> None:
        self.said.append(f"READY {text}")


def supervisor(home: Home, folders: tuple[Path, ...], config: Config, **options: Any) -> Supervisor:
    chosen: dict[str, Any] = {"start": start_standin, "clock": Clock()} | options
    lay_ledger(home.ledger_file)
    return Supervisor(home, config, folders, load_config=lambda: (config, folders), **chosen)


@dataclass
class Rig:
    """A state folder and a drop folder under `root`."""

    root: Path
    sections: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def folder(self) -> Path:
        return self.root / "Recordings"

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def installed(self) -> Home:
        return Home(self.home / "config", self.home / "state", self.home / "data")

    def config(self) -> Config:
        return quick_config(**self.sections)

    def drop(self, name: str, content: str | bytes = "hello") -> Path:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def model(self, name: str, size: int) -> Path:
        """Put something into the models folder that passes for a model of this size, as long as nobody loads it."""
        folder = self.installed.models / name
        folder.mkdir(parents=True)
        for file in ("config.json", "tokenizer.json", "vocabulary.txt"):
            (folder / file).write_text("{}")
        (folder / "model.bin").write_bytes(b"x" * size)
        return folder

    def speakers(self) -> Path:
        """Put something there that passes for what tells voices apart, as long as nobody loads it."""
        folder = self.installed.models / "speakers"
        folder.mkdir(parents=True)
        (folder / "segmentation.onnx").write_bytes(onnx_files.segmentation())
        (folder / "encoder.onnx").write_bytes(onnx_files.encoder())
        return folder

    def supervisor(self, **options: Any) -> Supervisor:
        return supervisor(self.installed, (self.folder,), self.config(), **options)

    def run_once(self, **options: Any) -> int:
        """Drain in this process."""
        return self.supervisor(once=True, **options).run()

    def notes(self) -> dict[str, str]:
        """Every Markdown file by its name below the folder, with its text; not those that go at this very moment."""
        found = {}
        for path in sorted(self.folder.rglob("*.md")):
            with contextlib.suppress(FileNotFoundError):
                found[str(path.relative_to(self.folder))] = path.read_text("utf-8", "surrogateescape")
        return found

    def litter(self) -> list[str]:
        """Files of ours that should not outlive a run."""
        return sorted(
            str(p.relative_to(self.folder)) for p in self.folder.rglob(".*") if p.name.startswith(".earmark")
        )

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the ledger, read from outside; none while there is no ledger that can be read."""
        with contextlib.suppress(sqlite3.DatabaseError):
            db = sqlite3.connect(f"file:{self.installed.ledger_file}?mode=ro", uri=True, timeout=10)
            with contextlib.closing(db):
                return db.execute(sql, values).fetchall()
        return []

    def jobs(self) -> set[tuple[str, str, int]]:
        """(stage, state, attempts) of all jobs."""
        return set(self.query("SELECT stage, state, attempts FROM jobs"))

    def events(self, what: str) -> list[str]:
        return [row[0] for row in self.query("SELECT detail FROM events WHERE what = ? ORDER BY id", what)]

    def troubles(self) -> dict[str, str]:
        return {os.fsdecode(r[0]): r[1] for r in self.query("SELECT subject, sentence FROM troubles")}

    def keep(self, name: str) -> None:
        """Remember this state under a name. Notes and recordings are linked (nothing writes into one in place: they are
        replaced), so that even their inodes come back.
        """
        kept = self.root / f"kept-{name}"
        self.home.mkdir(exist_ok=True)
        shutil.copytree(self.home, kept / "home", symlinks=True)
        shutil.copytree(self.folder, kept / "Recordings", copy_function=os.link)

    def bring_back(self, name: str) -> None:
        kept = self.root / f"kept-{name}"
        shutil.rmtree(self.home)
        shutil.rmtree(self.folder)
        shutil.copytree(kept / "home", self.home, symlinks=True)
        shutil.copytree(kept / "Recordings", self.folder, copy_function=os.link)


# --- in a process of its own ---


def _child(
    root: str, sections: dict[str, Any], kill_at: int, steps_file: str, once: bool, environ: dict[str, str]
) -> None:
    os.environ.clear()  # the fork server has that of the test which first needed it
    os.environ.update(environ)
    count = 0
    names: list[str] = []

    def step(name: str) -> None:
        nonlocal count
        count += 1
        if steps_file:
            names.append(name)
        if count == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    log = Path(root, "child.log").open("a")  # noqa: SIM115 - lives as long as the process
    os.dup2(log.fileno(), 2)
    configure_logging(log, json=True, verbose=False)
    rig = Rig(Path(root), sections)
    status = rig.supervisor(once=once, step=step).run()
    if steps_file:
        Path(steps_file).write_text(json.dumps(names))
    log.flush()
    # What is left are daemon threads; a process forked from the fork server has no interpreter exit worth waiting for.
    os._exit(status)


# The model's files are hashed once per process; here, so that the processes forked from this one need not.
with contextlib.suppress(ModelError):
    find_model("auto", None, Path("/nowhere"))

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    [
        "tests.daemon_rig",
        "earmark.cli.main",
        "earmark.cli.answers",
        *sorted({f"earmark.cli.{verb.module}" for verb in VERBS}),
        "tests.forked",
        "tests.warmed",
    ]
)


def start_child(
    rig: Rig, *, kill_at: int = 0, steps_file: Path | None = None, once: bool = True
) -> BaseProcess:
    """Start the supervisor in a process of its own; with `kill_at` it kills itself (SIGKILL) at that step (1, 2, ...)."""
    lay_ledger(rig.installed.ledger_file)
    process = CONTEXT.Process(
        target=_child,
        args=(str(rig.root), rig.sections, kill_at, str(steps_file or ""), once, dict(os.environ)),
    )
    process.start()
    return process


def run_child(rig: Rig, *, kill_at: int = 0, steps_file: Path | None = None) -> int:
    """The same, to its end; returns the exit status (negative: the signal)."""
    process = start_child(rig, kill_at=kill_at, steps_file=steps_file)
    process.join(120)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise AssertionError(
            f"the daemon did not end; its log: {(rig.root / 'child.log').read_text()[-2000:]}"
        )
    return process.exitcode


def steps_of(rig: Rig) -> list[str]:
    """The durable steps of an undisturbed run from here to the end, by name."""
    file = rig.root / "steps.json"
    assert run_child(rig, steps_file=file) == 0
    names: list[str] = json.loads(file.read_text())
    return names


SAME_MOMENT = {
    ("after:announce", "before:create-temp"),
    ("after:announce", "before:fsync"),
    ("before:fsync", "after:fsync"),
    ("after:fsync", "before:create"),
    ("after:fsync", "before:fsync-folder"),
    ("after:create", "before:fsync-folder"),
    ("after:drop-old", "before:fsync-folder"),
    ("before:fsync-folder", "after:fsync-folder"),
    ("after:fsync-folder", "before:written"),
}
"""Steps of one note between which nothing is written anywhere: killing at the first is killing at the second. What a
killed process has written, the kernel keeps, whether it was flushed or not.
"""


def moments_of(steps: Sequence[str]) -> list[int]:
    """At which steps (1, 2, ...) of a run to kill it, for each state once that it can leave."""
    return [
        number
        for number, pair in enumerate(zip(("", *steps), steps, strict=False), start=1)
        if pair not in SAME_MOMENT
    ]


Prepare = Callable[[Rig], None]


# --- in a thread of this process ---


def without_privileges() -> None:
    """Make permissions count for this thread and what it starts, even if the tests run as root (Linux capabilities)."""
    if os.geteuid() != 0 or sys.platform != "linux":
        return
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this thread
    if ctypes.CDLL(None, use_errno=True).capset(header, (ctypes.c_uint32 * 6)()) != 0:
        raise OSError(ctypes.get_errno(), "capset")


class Live:
    """A supervisor that runs in a thread. It gets no signals (those belong to the main thread): `stop` ends it."""

    def __init__(
        self, rig: Rig, plain: bool = False, expects_own_faults: bool = False, **options: Any
    ) -> None:
        self._rig, self._expects_own_faults = rig, expects_own_faults
        self.notifier = SayTo()
        self.supervisor = rig.supervisor(notifier=self.notifier, **options)
        self.error: BaseException | None = None
        self._plain = plain
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            if self._plain:
                without_privileges()
            self.supervisor.run()
        except BaseException as error:  # told in the test's own thread
            self.error = error

    def reload(self) -> None:
        """What SIGHUP does."""
        self.supervisor._inbox.put(Signaled(signal.SIGHUP))

    def alive(self) -> bool:
        return self._thread.is_alive()

    def __enter__(self) -> Live:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.supervisor.stop()
        self._thread.join(60)
        if self.error is not None:
            raise AssertionError("the daemon fell over") from self.error
        assert not self._thread.is_alive(), "the daemon did not stop"
        if not self._expects_own_faults:
            assert self.supervisor.own_faults == 0
            assert self._rig.events("went-wrong") == []
