"""Workers that end before they are ready, and workers whose folders are not what they were."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from earmark import workers
from earmark.supervisor.stages import base
from earmark.workers import start_process

from tests.conftest import SAMPLE, Installation, wait_for
from tests.daemon_rig import Live, Rig, start_standin

KILLED = "import os, signal, sys; sys.stdin.readline(); os.kill(os.getpid(), signal.SIGKILL)"
FELL_OVER = "import sys; sys.stdin.readline(); sys.exit(1)"


class Starts:
    """Starts a worker that runs this program instead, and counts."""

    def __init__(self, program: str) -> None:
        self.program, self.count = program, 0

    def __call__(self, module: str, *_: Any, **__: Any) -> subprocess.Popen[bytes]:
        self.count += 1
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", self.program],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    monkeypatch.setattr(base, "backoff", lambda *_, **__: 0.05)
    return Rig(tmp_path, {"transcription": {"workers": 1}})


def trouble(rig: Rig) -> str | None:
    return rig.troubles().get(base.WORKER_TROUBLE)


@pytest.mark.shows("durability:starts-are-counted")
def test_a_model_that_does_not_fit_into_memory_is_named_and_not_loaded_for_ever(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    struck = itertools.count()
    monkeypatch.setattr(workers, "oom_kills", lambda: next(struck))
    rig.drop("one.m4a", "one")
    starts = Starts(KILLED)
    with Live(rig, start=starts) as live:
        sentence = wait_for(lambda: trouble(rig), 20)
        assert "does not fit into the memory that earmark may use" in sentence
        assert "MemoryMax=" in sentence
        rig.drop("two.m4a", "two")
        wait_for(lambda: len(rig.jobs()) and len(rig.query("SELECT 1 FROM jobs")) == 2, 20)
        assert starts.count == base.MOST_STARTS
        assert live.alive()
    assert rig.jobs() == {("transcribe", "waiting", 0)}, "nobody is charged"


@pytest.mark.shows("durability:starts-are-counted")
def test_a_run_that_is_to_end_does_not_wait_for_a_worker_that_cannot_start(rig: Rig) -> None:
    rig.drop("one.m4a", "one")
    starts = Starts(FELL_OVER)
    assert rig.run_once(start=starts) == 69
    assert starts.count == base.MOST_STARTS
    assert "A worker cannot start" in (trouble(rig) or "")
    assert "exit status 1" in (trouble(rig) or "")


def test_workers_start_again_when_the_configuration_is_read_again(rig: Rig) -> None:
    rig.drop("one.m4a", "one")
    starts = Starts(FELL_OVER)
    with Live(rig, start=starts) as live:
        wait_for(lambda: trouble(rig), 20)
        live.reload()
        wait_for(lambda: starts.count > base.MOST_STARTS, 20)


@contextlib.contextmanager
def memory_of(mebibytes: int) -> Iterator[Path]:
    """A control group that may use so much memory, where one can be made."""
    group = Path(f"/sys/fs/cgroup/memory/earmark-test-{os.getpid()}")
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(mebibytes << 20))
    except OSError as error:
        with contextlib.suppress(OSError):
            group.rmdir()
        pytest.skip(f"no control group of version 1 can be made here: {error}")
    try:
        yield group
    finally:
        with contextlib.suppress(OSError):
            group.rmdir()


@pytest.mark.shows("durability:starts-are-counted")
def test_the_kernels_own_out_of_memory_killer_is_told_by_name(installation: Installation) -> None:
    """The real worker with the real model, in a group that has no memory for it."""
    installation.configure()
    with memory_of(130) as group:
        daemon = installation.daemon()
        (group / "cgroup.procs").write_text(str(daemon.pid))
        installation.drop("one.m4a")
        wait_for(lambda: "does not fit into the memory" in installation.earmark("status").stdout, 60)
        assert installation.notes() == []
        assert installation.stop(daemon) == 0


# --- folders ---


def heard(rig: Rig) -> list[str]:
    return rig.events("transcribed")


@pytest.fixture
def real(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def drop(folder: Path, name: str) -> None:
    """A recording that is not the one before: a byte more at its end."""
    folder.mkdir(exist_ok=True)
    shutil.copyfile(SAMPLE, folder / f".{name}.partial")
    with (folder / f".{name}.partial").open("ab") as file:
        file.write(os.urandom(8))
    (folder / f".{name}.partial").rename(folder / name)


@pytest.mark.shows("durability:folders-of-a-worker")
def test_a_drop_folder_that_is_replaced_or_made_while_a_worker_lives_is_heard(real: Rig) -> None:
    """The walls of a worker hold the folders that were there when it shut its doors."""
    with Live(real, start=start_process):
        drop(real.folder, "one.m4a")
        wait_for(lambda: len(heard(real)) == 1, 60)
        real.folder.rename(real.root / "Old")
        drop(real.folder, "two.m4a")
        wait_for(lambda: len(heard(real)) == 2, 60)
        assert not real.events("not-transcribed")


@pytest.mark.shows("durability:folders-of-a-worker")
def test_a_worker_whose_walls_are_older_than_the_disk_is_replaced_and_the_recording_heard(
    real: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that was taken out and put back has the same device and inode, and is not what the walls know."""
    monkeypatch.setattr("earmark.supervisor.sizing._what_is", lambda folder: "the same")
    with Live(real, start=start_process):
        drop(real.folder, "one.m4a")
        wait_for(lambda: len(heard(real)) == 1, 60)
        real.folder.rename(real.root / "Old")
        drop(real.folder, "two.m4a")
        wait_for(lambda: len(heard(real)) == 2, 60)
        refused = real.events("not-transcribed")
        if refused:  # where the system has no walls for files, nothing had to be refused
            assert refused == [
                "The file may not be read: give the user who runs earmark the right to read it."
            ]


def test_a_recording_that_only_the_worker_may_not_read_is_tried_less_and_less_often(rig: Rig) -> None:
    rig.drop("one.m4a", "denied\n").with_name("one.m4a.pause").touch()
    with Live(rig):
        waiting = wait_for(
            lambda: rig.query(
                "SELECT reason, attempts FROM jobs WHERE state = 'waiting' AND interruptions > 2"
            ),
            60,
        )
        assert waiting == [("The file may not be read.", 0)]
        (rig.folder / "one.m4a.pause").unlink()
        wait_for(lambda: len(rig.notes()) == 2, 60)
    waits = rig.query("SELECT at FROM events WHERE what = 'not-transcribed' ORDER BY id")
    gaps = [later[0] - sooner[0] for sooner, later in itertools.pairwise(waits)]
    assert gaps == sorted(gaps)


@pytest.mark.parametrize("settle", [1.0, 0.2])
def test_who_hears_a_recording_is_started_while_that_settles_if_it_takes_a_second(
    tmp_path: Path, settle: float
) -> None:
    rig = Rig(tmp_path, {"intake": {"settle_seconds": settle}})
    started: list[bool] = []

    def start(module: str, *words: Any, **more: Any) -> subprocess.Popen[bytes]:
        if module == "earmark.transcription.worker":
            started.append(bool(rig.events("accepted")))
        return start_standin(module, *words, **more)

    rig.drop("a.wav")
    assert rig.run_once(start=start) == 0
    assert started == [settle < 1.0], "once, and before the recording is taken where there is time for it"
    assert len(rig.notes()) == 2


def test_what_checks_messages_is_made_when_the_first_of_a_kind_comes() -> None:
    made = (
        "import earmark.messages as m\n"
        "kinds = [kind for kind in vars(m).values() if isinstance(kind, type) and issubclass(kind, m.Message)]\n"
        "assert len(kinds) > 10 and not [kind for kind in kinds if kind.__pydantic_complete__]\n"
        'm.parse_reply.validate_json(b\'{"type": "progress", "job": 1, "at": 0.0, "total": null}\')\n'
        "assert m.Progress(job=1, at=0.0, total=None).line()\n"
    )
    subprocess.run([sys.executable, "-c", made], check=True)
