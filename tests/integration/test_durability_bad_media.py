"""Bad media can fail, and nothing else: the real worker, the real FFmpeg, files spoiled in every way in ten containers.

The full run (more than 500 files) is benchmarks/bad_media.py; this is a seeded part of it.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from pathlib import Path

import psutil
import pytest

from tests.bad_media import clips, spoil
from tests.conftest import CORPUS, Installation

pytestmark = pytest.mark.speech

COUNT = 100


class Peak:
    """The largest resident memory that any transcription worker of this test had, in MiB (from /proc)."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.mebibytes = 0
        self.limits: set[str] = set()

    def _watch(self) -> None:
        while not self._stop.wait(0.1):
            for process in psutil.Process().children(recursive=True):
                entry = Path(f"/proc/{process.pid}")
                try:
                    if b"transcription.worker\0" not in (entry / "cmdline").read_bytes():
                        continue
                    status = (entry / "status").read_text()
                    limits = (entry / "limits").read_text()
                except OSError:
                    continue
                peak = next((line for line in status.splitlines() if line.startswith("VmHWM")), "VmHWM: 0")
                self.mebibytes = max(self.mebibytes, int(peak.split()[1]) // 1024)
                self.limits |= {
                    name
                    for name in ("Max address space", "Max cpu time")
                    for line in limits.splitlines()
                    if line.startswith(name) and "unlimited" not in line.removeprefix(name).split()[0]
                }

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def outcomes(state: Path) -> dict[str, tuple[str, int, str]]:
    """File name to (state, attempts, sentence) of its transcription."""
    db = sqlite3.connect(f"file:{state / 'ledger.db'}?mode=ro", uri=True)
    rows = db.execute(
        "SELECT p.path, j.state, j.attempts, j.reason FROM places p JOIN jobs j USING (recording_id)"
        " WHERE j.stage = 'transcribe'"
    ).fetchall()
    db.close()
    return {Path(os.fsdecode(r[0])).name: (r[1], r[2], r[3] or "") for r in rows}


@pytest.mark.shows("durability:bad-media-ends-sentence")
@pytest.mark.skipif(not Path("/proc/self").exists(), reason="reads worker memory from /proc")
def test_every_bad_file_ends_done_or_failed_with_a_sentence(installation: Installation) -> None:
    valid = installation.root / "valid"
    valid.mkdir()
    bad = spoil(installation.folder, clips(valid, 0.8), COUNT, seed=7)
    if CORPUS.is_dir():
        for file in sorted((CORPUS / "corrupt").iterdir()):
            if file.stat(follow_symlinks=False).st_size < 300_000 and not file.is_symlink():
                shutil.copyfile(file, installation.folder / file.name)
                bad.append(installation.folder / file.name)
    installation.drop("good.m4a")
    with Peak() as peak:
        found = installation.earmark("run", installation.folder, "--once", timeout=280)
    assert found.returncode in (0, 65), found.stderr[-2000:]
    ends = outcomes(installation.state)
    assert ends.pop("good.m4a")[0] == "done"
    states = {state for state, _, _ in ends.values()}
    assert states <= {"done", "failed"}, {n: e for n, e in ends.items() if e[0] not in ("done", "failed")}
    for name, (state, _, sentence) in ends.items():
        if state == "failed":
            assert len(sentence.split()) >= 4, (name, sentence)
            assert "earmark itself went wrong" not in sentence, (name, sentence)
    empty = {f.name for f in bad if f.exists() and f.stat().st_size == 0}
    assert {f.name for f in bad} - set(ends) <= empty, "every one was tried"
    assert peak.mebibytes < 1200
    assert peak.limits == {"Max address space", "Max cpu time"}
