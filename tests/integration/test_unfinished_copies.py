"""On a disk that knows neither exclusive renames nor links, a file is copied to a name that is free: what a crash leaves of
that is known again, and nothing else is taken for it.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from earmark.domain import Gone, TrashState
from earmark.ledger import Trashed
from earmark.retention.trash.recovery import recover
from earmark.retention.trash.restoring import restore

from tests.daemon_rig import Rig, run_child, steps_of
from tests.folding_disk import clobbered, folding_disk
from tests.retention_world import World

pytest_plugins = ("tests.retention_root",)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_note_of_which_a_crash_left_a_beginning_is_finished(tmp_path: Path, share: float) -> None:
    rig, undisturbed = Rig(tmp_path / "here"), Rig(tmp_path / "undisturbed")
    for one in (rig, undisturbed):
        one.drop("a.m4a", "hello")
    at = 1 + steps_of(undisturbed).index("before:create")
    assert run_child(rig, kill_at=at) < 0
    ((announced,),) = rig.query("SELECT path FROM artifacts WHERE state = 'writing'")
    note = Path(announced.decode())
    (hidden,) = (p for p in rig.folder.iterdir() if p.name.startswith(".earmark"))
    data = hidden.read_bytes()
    note.write_bytes(data[: int(len(data) * share)])
    assert run_child(rig) == 0
    assert set(rig.notes()) == set(undisturbed.notes()) == {"a.md", "a.transcript.md"}
    assert note.read_bytes() == data
    assert rig.litter() == []


@pytest.mark.parametrize("name", ["a.m4a", "a.md", "a.transcript.md"])
def test_a_file_of_which_a_crash_left_only_a_claim_on_its_name_has_it_back(tmp_path: Path, name: str) -> None:
    rig = Rig(tmp_path)
    rig.drop("a.m4a", "hello")
    assert run_child(rig) == 0
    before = {p.name: p.read_bytes() for p in rig.folder.iterdir()}
    (rig.folder / name).rename(rig.folder / f".earmark-0123456789abcdef.swap.{name}")
    (rig.folder / name).touch()
    for _ in range(2):
        assert run_child(rig) == 0
        assert {p.name: p.read_bytes() for p in rig.folder.iterdir()} == before
    assert rig.query("SELECT DISTINCT state FROM artifacts") == [("here",)]


def swept(root: Path) -> tuple[World, Trashed, bytes]:
    """A recording that is in the trash."""
    world = World(root, {"audio": {"keep_for": "10d"}})
    audio = world.record("a.wav").path.read_bytes()
    world.pass_days(11)
    assert world.apply().trashed == 1
    (row,) = world.ledger.trash.in_state(TrashState.HERE)
    return world, row, audio


@pytest.mark.shows("retention:without-links")
@pytest.mark.parametrize("left", ["nothing", "a beginning", "all of it", "something else", "more than that"])
def test_a_recording_of_which_a_crash_left_a_beginning_is_restored_whole(root: Path, left: str) -> None:
    world, row, audio = swept(root)
    data = {
        "nothing": b"", "a beginning": audio[:1500], "all of it": audio, "something else": b"RIFF mine",
        "more than that": audio + b"mine",
    }[left]  # fmt: skip
    world.ledger.trash.set_state(row.id, TrashState.RESTORING)
    row.original.write_bytes(data)
    recover(world.context)
    state = world.ledger.trash.get(row.id)
    assert state is not None
    assert row.trashed is not None
    if left in ("something else", "more than that"):
        assert state.state is TrashState.HERE
        assert row.original.read_bytes() == data
        assert row.trashed.read_bytes() == audio
    else:
        assert state.state is TrashState.RESTORED
        assert row.original.read_bytes() == audio
        assert not row.trashed.parent.exists()
        assert world.place("a.wav").here
    assert sorted(p.name for p in world.drop.iterdir()) == ["a.md", "a.transcript.md", "a.wav"]


def test_a_recording_that_was_being_taken_goes_back_over_a_claim_on_its_name(root: Path) -> None:
    world, row, audio = swept(root)
    world.ledger.trash.set_state(row.id, TrashState.MOVING)
    row.original.touch()
    recover(world.context)
    assert row.original.read_bytes() == audio
    assert sorted(p.name for p in world.drop.iterdir()) == ["a.md", "a.transcript.md", "a.wav"]
    assert world.ledger.trash.get(row.id) is None


@pytest.mark.shows("macos:no-links")
@pytest.mark.shows("retention:without-links")
@pytest.mark.parametrize("like", ["exfat", "smb", "vfat"])
def test_on_a_stick_and_on_a_share_recordings_go_and_come_back_and_nothing_is_written_over(
    tmp_path: Path, like: str
) -> None:
    """The whole disk, the trash in its drop folder, as where the state folder is on another one."""
    with folding_disk(tmp_path / "backing", tmp_path / "world" / "drop", like):
        world, row, audio = swept(tmp_path / "world")
        try:
            assert row.trashed is not None
            assert row.trashed.is_relative_to(world.drop / ".earmark-trash")
            time = row.trashed.stat().st_mtime_ns
            other = world.drop / "A.WAV"  # the same name on such a disk
            other.write_bytes(b"mine")
            with pytest.raises(Exception, match="something else is there now"):
                restore(world.context, row)
            assert other.read_bytes() == b"mine"
            other.unlink()
            assert restore(world.context, row) == row.original
            assert row.original.read_bytes() == audio
            assert row.original.stat().st_mtime_ns == time
            assert world.ledger.places.of(row.recording_id)[0].gone_why is not Gone.TRASHED
            assert clobbered(tmp_path / "backing") == []
        finally:
            world.ledger.close()
