"""A memo that is dropped while long recordings are heard: it goes between two of their windows, and costs them nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from earmark.pipeline import endings, transcribing, verdict
from earmark.supervisor import between
from earmark.supervisor.loop import Supervisor
from earmark.supervisor.stages import base

from tests.conftest import wait_for
from tests.daemon_rig import (
    Live,
    Rig,
    quick_waits,
    run_child,
    start_child,
    start_standin,
    steps_of,
    supervisor,
)
from tests.integration.test_drafts import verb


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path, {"transcription": {"workers": 1}})


def long(rig: Rig, name: str = "long.wav", order: str = "long@1") -> Path:
    """A recording that takes as long as its pause is there, or until something was heard in between at each of its
    segments from the first on. It was recorded after everything else, so that the order of the queue has it first.
    """
    (rig.folder / f"{name}.pause").touch()
    file = rig.drop(name, f"{order}\n{name}")
    os.utime(file, (time.time() + 1000,) * 2)
    return file


def under_way(rig: Rig, count: int = 1) -> bool:
    return rig.query("SELECT count(*) FROM checkpoints WHERE upto = 10") == [(count,)]


def transcribe_jobs(rig: Rig) -> dict[str, tuple[str, int, str | None]]:
    """State, attempts and reason, by name."""
    rows = rig.query(
        "SELECT p.path, j.state, j.attempts, j.reason FROM jobs j JOIN places p ON p.recording_id = j.recording_id"
        " WHERE j.stage = 'transcribe'"
    )
    return {Path(os.fsdecode(path)).name: (state, attempts, reason) for path, state, attempts, reason in rows}


def told(rig: Rig, what: str) -> list[str]:
    """Names of the recordings of which this was told, in order."""
    rows = rig.query(
        "SELECT p.path FROM events e JOIN places p ON p.recording_id = e.recording_id WHERE e.what = ? ORDER BY e.id",
        what,
    )
    return [Path(os.fsdecode(path)).name for (path,) in rows]


def heard(rig: Rig) -> list[str]:
    """Names of what was heard to its end, in order."""
    return told(rig, "transcribed")


class TwoFolders(Rig):
    """Two drop folders."""

    @property
    def other(self) -> Path:
        return self.root / "Others"

    def supervisor(self, **options: Any) -> Supervisor:
        self.other.mkdir(exist_ok=True)
        return supervisor(self.installed, (self.folder, self.other), self.config(), **options)


class Counting:
    """Starts stand-ins, and keeps the process numbers of those that hear."""

    def __init__(self) -> None:
        self.hear: list[int] = []

    def __call__(self, module: str, *arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        process = start_standin(module, *arguments, **options)
        if "transcription" in module:
            self.hear.append(process.pid)
        return process


@pytest.mark.shows("transcription:between")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_memo_does_not_wait_for_the_end_of_long_recordings_and_they_go_on_in_place(
    rig: Rig, workers: int
) -> None:
    rig.sections["transcription"]["workers"] = workers
    names = [f"long{number}.wav" for number in range(workers)]
    for name in names:
        long(rig, name)
    start = Counting()
    with Live(rig, start=start):
        wait_for(lambda: under_way(rig, workers))
        rig.drop("memo.wav")
        wait_for(lambda: "memo.md" in rig.notes())
        assert heard(rig) == ["memo.wav"], "none of them is over"
        for name in names:
            (rig.folder / f"{name}.pause").unlink()
        wait_for(lambda: len(heard(rig)) == workers + 1)
    assert len(start.hear) == workers, "they were put aside, and not begun anew"
    assert {name: job[:2] for name, job in transcribe_jobs(rig).items()} == dict.fromkeys(
        [*names, "memo.wav"], ("done", 1)
    )
    assert all(rig.notes()[f"{Path(name).stem}.transcript.md"].count("says number") == 3 for name in names)


@pytest.mark.shows("transcription:between")
def test_a_long_recording_and_those_that_come_meanwhile_take_turns(rig: Rig) -> None:
    long(rig)
    with Live(rig):
        wait_for(lambda: under_way(rig))
        for number in range(6):
            rig.drop(f"memo{number}.wav", f"memo {number}")
        wait_for(lambda: "long.wav" in heard(rig))
        assert (rig.folder / "long.wav.pause").exists()
        # It has three windows, and waits before the second and before the third until somebody was let in.
        assert heard(rig).index("long.wav") == 2, "after each memo it got a window further"
        wait_for(lambda: len(heard(rig)) == 7)


@pytest.mark.shows("transcription:between")
def test_what_is_long_itself_is_put_off_uncharged_says_so_and_holds_up_no_memo(rig: Rig) -> None:
    long(rig)
    with Live(rig):
        wait_for(lambda: under_way(rig))
        lecture = rig.drop("lecture.wav", "long@9\nlecture")
        os.utime(lecture, (time.time() + 500,) * 2)  # before the memo by the order of the queue
        wait_for(lambda: transcribe_jobs(rig).get("lecture.wav") == ("waiting", 0, between.PUT_OFF))
        assert f"waits for its transcription ({between.PUT_OFF})" in verb(rig, "status")
        assert between.PUT_OFF in verb(rig, "why", str(lecture))
        rig.drop("memo.wav")  # the second to be let in, so that nothing is left to be waited for
        wait_for(lambda: len(heard(rig)) == 3)
    assert heard(rig) == ["memo.wav", "long.wav", "lecture.wav"]


@pytest.mark.shows("transcription:between")
def test_a_file_that_is_read_for_long_is_not_tried_between_two_windows(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("earmark.supervisor.stages.transcription.MOST_BYTES", 100)
    long(rig)
    with Live(rig):
        wait_for(lambda: under_way(rig))
        rig.drop("large.wav", b"x" * 101)
        rig.drop("memo.wav")
        wait_for(lambda: heard(rig) == ["memo.wav"])
        assert transcribe_jobs(rig)["large.wav"] == ("waiting", 0, None)


@pytest.mark.shows("transcription:between")
def test_a_recording_that_is_soon_over_is_not_interrupted(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(between, "LONG", 36_001.0)
    long(rig)
    with Live(rig):
        wait_for(lambda: under_way(rig))
        rig.drop("memo.wav")
        wait_for(lambda: "memo.wav" in transcribe_jobs(rig))
        (rig.folder / "long.wav.pause").unlink()
        wait_for(lambda: len(heard(rig)) == 2)
    assert heard(rig) == ["long.wav", "memo.wav"]


@pytest.mark.shows("transcription:between")
def test_another_model_is_not_loaded_for_it(tmp_path: Path) -> None:
    rig = TwoFolders(tmp_path, {"transcription": {"workers": 1}})
    rig.model("one", 10)
    rig.model("other", 20)
    rig.sections["transcription"] |= {"model": "one", "draft": "none"}
    sections: dict[str, Any] = rig.sections
    sections["folder"] = [{"path": str(rig.folder)}, {"path": str(rig.other), "model": "other"}]
    long(rig)
    with Live(rig):
        wait_for(lambda: under_way(rig))
        (rig.other / "memo.wav").write_text("theirs")
        wait_for(lambda: transcribe_jobs(rig).get("memo.wav", ("", 0, ""))[2] == between.OTHER_MODEL)
        rig.drop("ours.wav", "ours")
        wait_for(lambda: heard(rig) == ["ours.wav"])
        (rig.folder / "long.wav.pause").unlink()
        wait_for(lambda: len(heard(rig)) == 3)
    assert set(transcribe_jobs(rig).values()) == {("done", 1, None)}


@pytest.mark.shows("transcription:between-killed")
@pytest.mark.parametrize("order", ["segv@1", "exit@0"])
def test_a_memo_that_ends_the_worker_is_charged_and_the_long_recording_is_not(
    rig: Rig, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick_waits(monkeypatch, base, endings, transcribing, verdict)
    long(rig)
    start = Counting()
    with Live(rig, start=start):
        wait_for(lambda: under_way(rig))
        rig.drop("memo.wav", order)
        wait_for(lambda: len(start.hear) == 2 and transcribe_jobs(rig)["long.wav"][0] == "claimed")
        assert transcribe_jobs(rig)["long.wav"][:2] == ("claimed", 1)
        assert transcribe_jobs(rig)["memo.wav"][1] >= 1
        rig.drop("other.wav")
        wait_for(lambda: "other.wav" in heard(rig))
        (rig.folder / "long.wav.pause").unlink()
        wait_for(lambda: transcribe_jobs(rig)["memo.wav"][0] == "failed" and "long.md" in rig.notes())
    assert transcribe_jobs(rig)["long.wav"] == ("done", 1, None)
    assert transcribe_jobs(rig)["memo.wav"][:2] == ("failed", 3)
    assert rig.notes()["long.transcript.md"].count("says number") == 3


@pytest.mark.shows("transcription:between-killed")
def test_a_worker_that_is_killed_over_a_memo_costs_neither_of_both_an_attempt_or_a_word(rig: Rig) -> None:
    long(rig)
    (rig.folder / "memo.wav.pause").touch()
    start = Counting()
    with Live(rig, start=start):
        wait_for(lambda: under_way(rig))
        rig.drop("memo.wav", "pause@2")
        wait_for(lambda: rig.query("SELECT 1 FROM checkpoints WHERE upto = 20"))
        wait_for(lambda: "after a short one that came meanwhile" in verb(rig, "status"))
        os.kill(start.hear[0], signal.SIGKILL)
        wait_for(lambda: len(start.hear) == 2)
        for pause in rig.folder.glob("*.pause"):
            pause.unlink()
        wait_for(lambda: len(heard(rig)) == 2)
    assert {job[:2] for job in transcribe_jobs(rig).values()} == {("done", 1)}
    assert all(rig.notes()[f"{name}.transcript.md"].count("says number") == 3 for name in ("long", "memo"))


@pytest.mark.shows("transcription:between-killed")
def test_a_daemon_that_is_stopped_over_a_memo_gives_both_back(rig: Rig) -> None:
    long(rig)
    (rig.folder / "memo.wav.pause").touch()
    with Live(rig):
        wait_for(lambda: under_way(rig))
        rig.drop("memo.wav", "pause@2")
        wait_for(lambda: rig.query("SELECT 1 FROM checkpoints WHERE upto = 20"))
    assert {job[:2] for job in transcribe_jobs(rig).values()} == {("waiting", 0)}
    for pause in rig.folder.glob("*.pause"):
        pause.unlink()
    assert rig.run_once() == 0
    assert sorted(heard(rig)) == ["long.wav", "memo.wav"]


@pytest.mark.shows("transcription:between-killed")
def test_what_is_forgotten_while_it_is_put_aside_says_no_word_more(rig: Rig) -> None:
    file = long(rig)
    (rig.folder / "memo.wav.pause").touch()
    with Live(rig):
        wait_for(lambda: under_way(rig))
        rig.drop("memo.wav", "pause@2")
        wait_for(lambda: rig.query("SELECT 1 FROM checkpoints WHERE upto = 20"))
        verb(rig, "forget", "--yes", str(file))
        (rig.folder / "memo.wav.pause").unlink()
        wait_for(lambda: "memo.md" in rig.notes())
        rig.drop("other.wav")
        wait_for(lambda: "other.md" in rig.notes())
    assert set(transcribe_jobs(rig)) == {"memo.wav", "other.wav"}
    assert rig.query("SELECT count(*) FROM checkpoints") == [(0,)]


@pytest.mark.shows("transcription:between-killed")
def test_a_daemon_that_is_killed_over_a_memo_loses_and_doubles_nothing(rig: Rig) -> None:
    long(rig, order="long@2")
    rig.drop("memo.wav")
    rig.keep("begin")
    steps = steps_of(rig)
    expected = rig.notes()
    assert heard(rig) == ["memo.wav", "long.wav"]
    kept = [n for n, name in enumerate(steps, start=1) if name in ("after:checkpoint", "after:transcribed")]
    for step in kept[3:6:2]:  # in the middle of the memo, and after it
        rig.bring_back("begin")
        process = start_child(rig, kill_at=step)
        process.join(60)
        assert process.exitcode == -signal.SIGKILL
        for pause in rig.folder.glob("*.pause"):
            pause.unlink()
        assert run_child(rig) == 0
        assert {name: text.count("says number") for name, text in rig.notes().items()} == {
            name: text.count("says number") for name, text in expected.items()
        }
        assert {job[:2] for job in transcribe_jobs(rig).values()} == {("done", 1)}
