"""`earmark forget` beside a daemon that is busy with the very recordings: it goes on, and nothing of them is left."""

from __future__ import annotations

import random
import signal
from pathlib import Path

import pytest

from tests.conftest import Installation, wait_for
from tests.daemon_rig import Rig, start_child

RECORDINGS = 30


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.shows("durability:erased-while-worked-on")
def test_a_daemon_goes_on_while_what_it_works_on_is_erased(tmp_path: Path, seed: int) -> None:
    rig = Rig(tmp_path, {"transcription": {"workers": 2}, "notes": {"formats": ["srt"]}})
    installation = Installation(tmp_path)
    installation.configure(
        f"[[folder]]\npath = '{rig.folder}'\n[notes]\nformats = ['srt']\n[summary]\nendpoint = 'none'\n"
    )
    choose = random.Random(seed)
    erased: set[Path] = set()
    daemon = start_child(rig, once=False)
    try:
        for number in range(RECORDINGS):
            rig.drop(f"r{number}.m4a", f"{seed} {number}")
        wait_for(lambda: len(rig.query("SELECT 1 FROM recordings")) == RECORDINGS, 20)
        for _ in range(4):
            # Those that are being worked on right now, and some others.
            claimed = rig.query(
                "SELECT p.path FROM jobs j JOIN places p USING (recording_id) WHERE j.state = 'claimed'"
            )
            victims = {Path(row[0].decode()) for row in claimed} - erased
            victims |= {rig.folder / f"r{choose.randrange(RECORDINGS)}.m4a"} - erased
            victims = {v for v in victims if v.exists()}
            if not victims:
                continue
            ended = installation.earmark("forget", *sorted(victims), "--yes")
            assert ended.returncode == 0, ended.stderr
            erased |= victims
            assert daemon.is_alive()
        wait_for(lambda: not rig.query("SELECT 1 FROM jobs WHERE state IN ('waiting', 'claimed')"), 30)
        wait_for(lambda: len(rig.notes()) == 2 * (RECORDINGS - len(erased)), 20)
        assert daemon.is_alive()
    finally:
        if daemon.pid is not None:
            daemon.terminate()
        daemon.join(20)
    assert daemon.exitcode == 0, f"ended by {signal.Signals(-(daemon.exitcode or 0))}"
    assert rig.events("went-wrong") == []
    for path in erased:
        assert list(rig.folder.glob(f"{path.stem}.*")) == []
