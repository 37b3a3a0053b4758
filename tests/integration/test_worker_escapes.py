"""The system calls that the real workers may make: every way out refused, and the work still done."""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from earmark.domain import Fault
from earmark.files import pack_path
from earmark.locality.confinement import seccomp
from earmark.locality.confinement.call_numbers import NUMBERS
from earmark.locality.confinement.calls import MISSING
from earmark.locality.confinement.process import SUMMARIZER_MEMORY as MEMORY
from earmark.messages import Confine, Finished
from earmark.pipeline.verdict import End, describe

from tests.escapes import POSSIBLE
from tests.escaping_worker import COMMAND
from tests.media import write
from tests.speech import SAMPLE, WorkerProcess, words
from tests.spoken import request
from tests.stub_server import LlamaCpp, running

pytestmark = [
    pytest.mark.skipif(not seccomp.available(), reason="no filter for this system or processor"),
    pytest.mark.shows("privacy:worker-no-network", "privacy:worker-files"),
]

AS_IF_ABSENT = {"clone3", "openat2"}


@dataclass(frozen=True)
class Tried:
    """What a worker said of the acts, and what it did afterwards."""

    acts: dict[str, str]
    sweep: dict[str, list[int]] | None
    replies: list[Any]
    memory: str = ""


def said_by(stderr: bytes) -> dict[str, Any]:
    line = next(part for part in stderr.splitlines() if part.startswith(b"escapes "))
    return json.loads(line.removeprefix(b"escapes "))  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def stranger() -> Iterator[int]:
    """A process of the same user that is none of a worker's business."""
    process = subprocess.Popen(["sleep", "600"])
    yield process.pid
    process.kill()
    process.wait(10)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first seconds of the sample in several containers and codecs."""
    import av
    import numpy as np

    folder = tmp_path_factory.mktemp("formats")
    shutil.copy(SAMPLE, folder / "whole.m4a")
    (folder / "beside").write_text("another file")
    with av.open(str(SAMPLE)) as sound:
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=16_000)
        parts = [f.to_ndarray() for frame in sound.decode(audio=0) for f in resampler.resample(frame)]
    speech = np.concatenate(parts, axis=1)[0, : 16_000 * 7].astype(np.float32)
    for suffix, codec, rate in FORMATS:
        write(folder / f"{codec}.{suffix}", speech, codec, rate)
    return folder


FORMATS = (
    ("m4a", "aac", 16_000), ("mp3", "libmp3lame", 16_000), ("opus", "libopus", 48_000), ("flac", "flac", 16_000),
    ("wav", "pcm_s16le", 16_000), ("webm", "libopus", 48_000), ("aiff", "pcm_s16be", 16_000), ("ac3", "ac3", 48_000),
)  # fmt: skip


def hear(folder: Path, stranger: int, sandbox: str) -> Tried:
    """All recordings of the folder by one real worker, after it has tried everything."""
    how = "open" if sandbox == "off" else "confined"
    command = (*COMMAND, "transcription", str(folder / "whole.m4a"), str(stranger), how)
    with WorkerProcess([folder], sandbox=sandbox, memory_limit_mb=2400, command=command) as worker:
        worker.ready()
        files = sorted(p for p in folder.iterdir() if p.suffix)
        replies = [worker.transcribe(path) for path in [files[-1], *files]]
        assert worker.process.stderr is not None
        said = said_by(os.read(worker.process.stderr.fileno(), 1 << 16))
    return Tried(said["acts"], said["sweep"], replies)


@pytest.fixture(scope="module")
def confined(recordings: Path, stranger: int) -> Tried:
    return hear(recordings, stranger, "require")


@pytest.fixture(scope="module")
def unconfined(recordings: Path, stranger: int, tmp_path_factory: pytest.TempPathFactory) -> Tried:
    """The same with the sandbox off, on a copy: what is possible then changes things."""
    copies = tmp_path_factory.mktemp("copies") / "formats"
    shutil.copytree(recordings, copies)
    return hear(copies, stranger, "off")


@pytest.fixture(scope="module")
def summarized(tmp_path_factory: pytest.TempPathFactory, stranger: int) -> Tried:
    folder = tmp_path_factory.mktemp("templates")
    (folder / "a.toml").write_text("")
    (folder / "beside").write_text("another file")
    with running(LlamaCpp()) as stub, running(LlamaCpp()) as away:
        elsewhere = away.url.rpartition(":")[2].partition("/")[0]
        done = subprocess.run(
            [sys.executable, *COMMAND, "summaries", str(folder / "a.toml"), str(stranger), elsewhere],
            input=Confine(endpoint=stub.url, template_dir=pack_path(folder), require=True).line()
            + request(stub.url).line(),
            capture_output=True, timeout=60,
        )  # fmt: skip
        assert away.paths == []
    said = said_by(done.stderr)
    replies = [json.loads(line) for line in done.stdout.splitlines()]
    return Tried(said["acts"], said["sweep"], replies, said["memory"])


def all_refused(tried: Tried) -> None:
    expected = {name: "ENOSYS" if name in AS_IF_ABSENT else "EPERM" for name in tried.acts}
    assert tried.acts == expected
    assert len(tried.acts) > 130


@pytest.mark.speech
def test_no_way_out_of_the_transcription_worker_is_left(confined: Tried) -> None:
    all_refused(confined)


def test_no_way_out_of_the_summarization_worker_is_left(summarized: Tried) -> None:
    all_refused(summarized)


def only_refusals(tried: Tried) -> None:
    column = ("x86_64", "aarch64").index(platform.machine())
    absent = {NUMBERS[name][column] for name in MISSING.split()}
    assert tried.sweep is not None
    assert set(tried.sweep) == {"EPERM", "ENOSYS"}
    assert set(tried.sweep["ENOSYS"]) == absent
    assert len(tried.sweep["EPERM"]) > 350


@pytest.mark.shows("decisions:calls")
@pytest.mark.speech
def test_every_call_that_is_not_in_the_transcription_workers_list_is_refused(confined: Tried) -> None:
    only_refusals(confined)


@pytest.mark.shows("decisions:calls")
def test_every_call_that_is_not_in_the_summarization_workers_list_is_refused(summarized: Tried) -> None:
    only_refusals(summarized)


@pytest.mark.speech
def test_the_acts_are_real_where_nothing_confines_they_are_possible(unconfined: Tried) -> None:
    refused = {name: said for name, said in unconfined.acts.items() if said != POSSIBLE}
    # Some machines refuse everybody some of these: a file system without these marks, a container without message queues.
    assert len(refused) <= 4, refused
    assert {"chmod", "utimensat", "fork", "kill", "flock"}.isdisjoint(refused)


@pytest.mark.speech
def test_recordings_of_all_kinds_are_heard_the_same_behind_the_list(
    confined: Tried, unconfined: Tried
) -> None:
    behind, without = confined.replies[1:], unconfined.replies[1:]
    assert len(behind) == len(FORMATS) + 1
    assert [hearing.segments for hearing in behind] == [hearing.segments for hearing in without]
    assert all(isinstance(hearing.last, Finished) for hearing in behind)
    assert all(len(words(hearing.text)) > 10 for hearing in behind)


@pytest.mark.speech
def test_a_refused_call_in_the_middle_of_the_work_is_told_in_a_sentence(confined: Tried) -> None:
    failed = confined.replies[0].failed
    assert failed.fault is Fault.INTERNAL
    assert "The system refused this worker a call" in failed.sentence
    assert '[transcription] sandbox = "off"' in failed.sentence


def test_a_summary_is_made_behind_the_list(summarized: Tried) -> None:
    assert summarized.replies[0]["type"] == "ready"
    assert any("seccomp" in sentence for sentence in summarized.replies[0]["sandbox"])
    assert summarized.replies[-1]["type"] == "summarized"
    assert summarized.replies[-1]["summary"]["by"] == "llama.cpp"


@pytest.mark.shows("durability:summary-worker-memory")
def test_the_summarization_worker_gets_no_memory_without_end(summarized: Tried) -> None:
    assert summarized.memory == "MemoryError"
    assert summarized.acts["its own memory"] == "EPERM"
    assert MEMORY > 2 * 643  # MiB that the longest recording was measured to need


@pytest.mark.shows("decisions:calls")
@pytest.mark.skipif(platform.machine() != "x86_64", reason="other conventions of x86")
@pytest.mark.parametrize("how", ["x32", "i386"])
def test_a_call_in_another_convention_ends_the_worker_and_is_told_in_words(how: str) -> None:
    done = subprocess.run(
        [sys.executable, *COMMAND, "call", how],
        input=Confine(endpoint="none", require=True).line() + request("none").line(),
        capture_output=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == -signal.SIGSYS
    told = describe(End(done.returncode, oom_kills=0, ready=True))
    assert "its walls" in told


def test_without_landlock_nothing_can_be_written_either(tmp_path: Path) -> None:
    """A kernel without Landlock is played by a version of 0."""
    (tmp_path / "a").write_text("x")
    code = (
        "import sys; from pathlib import Path\n"
        "from earmark.locality.confinement import landlock, sandbox\n"
        "landlock.version = lambda: 0\n"
        "print(sandbox.shut_the_doors([], None, 'require'))\n"
        "print(Path(sys.argv[1]).read_text())\n"
        "for act in (Path(sys.argv[1]).unlink, lambda: Path(sys.argv[1]).write_text('y')):\n"
        "    try: act(); print('possible')\n"
        "    except OSError as error: print(error.errno)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a")], capture_output=True, text=True, timeout=60
    )
    said, *rest = done.stdout.splitlines()
    assert "not enforced: the user's other files can be read" in said
    assert rest == ["x", "1", "1"], done.stderr
