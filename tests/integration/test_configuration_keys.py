"""Keys of the configuration that no other test turns: what they say is what the daemon does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.conftest import SAMPLE, Installation, wait_for
from tests.daemon_rig import Rig, supervisor

DAYS = ("2026-01-01 10.00.00.wav", "2026-01-02 10.00.00.wav", "2026-01-03 10.00.00.wav")


def heard_in_order(rig: Rig, *folders: Path) -> list[str]:
    """The names of the recordings as they are transcribed, one after the other, when all of them have been waiting."""
    folders = (rig.folder, *folders)
    rig.sections["transcription"] = {"model": "not-here"}
    assert supervisor(rig.installed, folders, rig.config(), once=True).run() == 69
    assert rig.events("accepted")
    assert not rig.events("transcribed")
    rig.sections["transcription"] = {"workers": 1}
    assert supervisor(rig.installed, folders, rig.config(), once=True).run() == 0
    rows = rig.query(
        "SELECT p.path FROM events e JOIN places p ON p.recording_id = e.recording_id"
        " WHERE e.what = 'transcribed' ORDER BY e.id"
    )
    return [Path(os.fsdecode(row[0])).name for row in rows]


@pytest.mark.shows("configuration:every-key")
@pytest.mark.parametrize("order", ["newest-first", "oldest-first"])
def test_the_order_of_the_queue_is_the_one_that_was_asked_for(tmp_path: Path, order: str) -> None:
    rig = Rig(tmp_path, {"intake": {"order": order}})
    for name in (DAYS[1], DAYS[0], DAYS[2]):
        rig.drop(name, name)
    assert heard_in_order(rig) == sorted(DAYS, reverse=order == "newest-first")


@pytest.mark.shows("configuration:every-key")
def test_recordings_of_a_higher_priority_come_first(tmp_path: Path) -> None:
    rig, urgent = Rig(tmp_path), tmp_path / "urgent"
    urgent.mkdir()
    rig.sections["folder"] = [{"path": str(urgent), "priority": 5}, {"path": str(rig.folder)}]  # type: ignore[assignment]
    (urgent / DAYS[0]).write_bytes(b"first")
    rig.drop(DAYS[1], "last")
    rig.drop(DAYS[2], "later")
    assert heard_in_order(rig, urgent) == [DAYS[0], DAYS[2], DAYS[1]]


@pytest.mark.shows("configuration:every-key")
def test_a_recording_over_the_limit_of_hours_is_refused_with_a_reason(installation: Installation) -> None:
    installation.configure("[transcription]\nmax_hours = 0.005\n")
    refused = installation.earmark("transcribe", SAMPLE)
    assert refused.returncode == 65, refused.stderr
    assert "longer than 0.005 hours" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.shows("configuration:every-key", "architecture:scan")
@pytest.mark.parametrize("watch", ["auto", "off"])
@pytest.mark.skipif(sys.platform != "linux", reason="change events are inotify's here")
def test_without_change_events_recordings_are_found_by_looking(
    installation: Installation, watch: str
) -> None:
    installation.configure(f"[intake]\nwatch = '{watch}'\nsettle_seconds = 0.3\nscan_seconds = 1.0\n")
    daemon = installation.daemon()
    installation.drop("a.m4a")
    wait_for(lambda: any(e["event"] == "accepted" for e in installation.events()), 30, "the recording")
    if os.geteuid() == 0:  # a daemon lets nobody else look into it
        watching = [f for f in Path(f"/proc/{daemon.pid}/fd").iterdir() if "inotify" in os.readlink(f)]  # noqa: PTH115
        assert bool(watching) == (watch == "auto")
