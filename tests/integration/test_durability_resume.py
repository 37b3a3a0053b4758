"""A long recording, real speech, the real worker: kills in the middle cost at most a minute of it, and no word changes."""

from __future__ import annotations

import json
import os
import shutil
import signal
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.conftest import MODELS, SAMPLE, Installation, wait_for, words

pytestmark = pytest.mark.speech

MOST_AGAIN = 60.0
"""Seconds of audio that a kill may cost."""


def long_recording(target: Path, times: int) -> Path:
    """The sample meeting that many times in a row."""
    with av.open(str(SAMPLE)) as source:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
        once = np.concatenate(
            [f.to_ndarray() for d in source.decode(audio=0) for f in resampler.resample(d)], axis=1
        )
    with av.open(str(target), "w") as out:
        stream = out.add_stream("flac", rate=16_000, layout="mono")
        for _ in range(times):
            frame = av.AudioFrame.from_ndarray(once, format="s16", layout="mono")
            frame.rate = 16_000
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return target


def workers_of(installation: Installation) -> list[int]:
    mark = f"EARMARK_HOME={installation.root / 'home'}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if (
                entry.name.isdigit()
                and b"transcription.worker\0" in (entry / "cmdline").read_bytes()
                and mark in (entry / "environ").read_bytes()
            ):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def _heard_more_than(before: float, installation: Installation) -> bool:
    return upto(installation) > before


def upto(installation: Installation) -> float:
    """The checkpoint in the ledger."""
    import sqlite3

    try:
        db = sqlite3.connect(f"file:{installation.state / 'ledger.db'}?mode=ro", uri=True)
        row = db.execute("SELECT upto FROM checkpoints").fetchone()
        db.close()
    except sqlite3.DatabaseError:
        return 0.0
    return row[0] if row else 0.0


def reached(installation: Installation) -> float:
    """How far the worker says it is, checkpointed or not."""
    try:
        report: dict[str, Any] = json.loads((installation.state / "status.json").read_text())
    except (OSError, ValueError):
        return 0.0
    return max((w["at"] for w in report["working"]), default=0.0)


@pytest.mark.shows("durability:long-recording-goes-from")
@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for worker processes in /proc")
def test_kills_in_a_long_recording_cost_at_most_a_minute_each_and_no_word(
    installation: Installation, tmp_path: Path
) -> None:
    calm = Installation(tmp_path / "calm")
    calm.folder.mkdir(parents=True)
    calm.configure()
    long_recording(calm.folder / "long.flac", 5)
    assert calm.earmark("run", calm.folder, "--once").returncode == 0
    expected = (calm.folder / "long.transcript.md").read_text()

    source = calm.folder / "long.flac"
    daemon = installation.daemon()
    installation.drop("long.flac", source)
    os.utime(installation.folder / "long.flac", (source.stat().st_mtime,) * 2)
    for round_, target in enumerate(("worker", "supervisor", "both")):
        before = upto(installation)
        wait_for(partial(_heard_more_than, before, installation), 90, "another checkpoint")
        at, kept = reached(installation), upto(installation)
        workers = workers_of(installation)
        if target in ("worker", "both"):
            for worker in workers:
                os.kill(worker, signal.SIGKILL)
        if target in ("supervisor", "both"):
            daemon.kill()
            daemon.wait()
            daemon = installation.daemon()
        assert at - kept <= MOST_AGAIN, f"kill {round_}: {at - kept:.1f} s would be heard again"
        assert upto(installation) >= kept, "a checkpoint is never lost"
    found = wait_for(
        lambda: (
            (installation.folder / "long.md").exists()
            and (installation.folder / "long.transcript.md").read_text()
        ),
        120,
        "the notes",
    )
    assert words(found) == words(expected)
    assert found == expected, "no gap and nothing twice at any seam, times and all"
    resumed = [
        event["resume_at"]
        for run in range(len(installation.started))
        for event in installation.events(run)
        if event["event"] == "transcribing"
    ]
    assert resumed == sorted(resumed)
    assert sum(at > 0 for at in resumed) >= 2, "it went on instead of starting over"


@pytest.mark.shows("durability:another-model")
@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for worker processes in /proc")
def test_what_another_model_heard_is_not_gone_on_with(installation: Installation) -> None:
    """`auto` has a better model as soon as there is one; half of a recording by each would be neither's transcript."""
    daemon = installation.daemon()
    long_recording(installation.root / "long.flac", 3).rename(installation.folder / "long.flac")
    wait_for(partial(_heard_more_than, 0.0, installation), 90, "a checkpoint")
    workers = workers_of(installation)
    daemon.kill()
    daemon.wait()
    for worker in workers:
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
    assert upto(installation) > 0.0
    # The same weights as the only model in the models folder, which comes first.
    models = installation.root / "home" / "data" / "models"
    shutil.copytree(MODELS / "tiny.en" / "tiny.en", models / "mine")
    installation.daemon()
    wait_for((installation.folder / "long.transcript.md").exists, 120, "the note")
    assert "\nmodel: mine\n" in (installation.folder / "long.transcript.md").read_text()
    asked = [event["resume_at"] for event in installation.events() if event["event"] == "transcribing"]
    assert asked == [0.0]
