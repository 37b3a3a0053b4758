"""What cannot be looked at may hold: a folder that is away or shut, a name that is another now, a marker further up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from earmark.domain import Kind, TrashState
from earmark.errors import RetentionError
from earmark.files import Identity
from earmark.retention.markers import HOLD_MARKER
from earmark.retention.sweep.apply import purge_due
from earmark.verbs.forgetting import Which, forget

from tests.retention_world import World, as_somebody

pytest_plugins = ("tests.retention_root",)

RULES = {
    "transcript": {"keep_for": "30d"}, "summary": {"keep_for": "30d"}, "trash": {"keep_for": "1d"}, "fuse_items": 0,
}  # fmt: skip
"""Rules that take the notes of a recording and leave its audio."""


@contextmanager
def disturbed(world: World, how: str) -> Iterator[None]:
    """The folder `sub` with a marker in it is out of sight."""
    sub = world.drop / "sub"
    (sub / HOLD_MARKER).touch()
    if how == "its drop folder is away":
        world.drop.rename(world.root / "unplugged")
        yield
        (world.root / "unplugged").rename(world.drop)
    elif how == "its folder is renamed":
        sub.rename(world.drop / "archive")
        yield
    elif how == "its folder is renamed and lies deeper":
        (world.drop / "2025").mkdir()
        sub.rename(world.drop / "2025" / "june")
        yield
    elif how == "another file has the name of its folder":
        sub.rename(world.drop / "archive")
        sub.write_text("a file")
        yield
    elif how == "its folder is shut":
        with as_somebody(world.root):
            sub.chmod(0)
            yield
            sub.chmod(0o755)
    else:
        assert how == "its folder is renamed and shut"
        with as_somebody(world.root):
            sub.rename(world.drop / "archive").chmod(0)
            yield
            (world.drop / "archive").chmod(0o755)


OUT_OF_SIGHT = (
    "its drop folder is away", "its folder is renamed", "its folder is renamed and lies deeper",
    "another file has the name of its folder", "its folder is shut", "its folder is renamed and shut",
)  # fmt: skip


@pytest.mark.parametrize("how", OUT_OF_SIGHT)
def test_a_marker_out_of_sight_keeps_what_lies_in_the_trash(root: Path, how: str) -> None:
    world = World(root, RULES)
    world.record("sub/talk.wav")
    world.pass_days(40)
    assert world.apply().trashed == 2
    with disturbed(world, how):
        world.pass_days(3)
        with world.ledger.acting():
            assert purge_due(world.context) == (0, [])
    assert len(world.ledger.trash.in_state(TrashState.HERE)) == 2


@pytest.mark.parametrize("how", OUT_OF_SIGHT)
@pytest.mark.parametrize("everything", [False, True])
def test_a_marker_out_of_sight_keeps_its_recording_from_being_forgotten(
    root: Path, how: str, everything: bool
) -> None:
    world = World(root, RULES)
    place = world.record("sub/talk.wav")
    which = Which(everything=True) if everything else Which(files=(place.path,))
    with disturbed(world, how), pytest.raises(RetentionError, match=r"(?s)held.*--even-held"):
        forget(world.context, which, lambda *_: True)
    assert world.ledger.recordings.get(place.recording_id) is not None
    assert sum(path.name.startswith("talk.") for path in world.drop.rglob("*")) == 3


def test_a_folder_that_is_gone_and_held_nothing_keeps_no_trash_for_ever(root: Path) -> None:
    world = World(root, {"audio": {"keep_for": "30d"}, **RULES})
    world.record("sub/talk.wav")
    world.pass_days(40)
    assert world.apply().trashed == 3
    (world.drop / "sub").rmdir()
    (world.drop / "lost+found").mkdir(mode=0)
    world.pass_days(3)
    with world.ledger.acting():
        assert purge_due(world.context) == (3, [])


@pytest.mark.parametrize("where", ["the outer drop folder", "a folder above all", "behind the link"])
def test_a_marker_above_the_drop_folder_holds(root: Path, where: str) -> None:
    world = World(root, {"audio": {"keep_for": "30d"}, **RULES})
    outer = world.drop
    if where == "behind the link":
        real = world.root / "data" / "recordings"
        real.mkdir(parents=True)
        outer.rmdir()
        outer.symlink_to(real)
        (real.parent / HOLD_MARKER).touch()
    else:
        world.drop = outer / "inner"
        world.context = replace(world.context, folders=(outer, world.drop))
        (outer if where == "the outer drop folder" else world.root).joinpath(HOLD_MARKER).touch()
    place = world.record("talk.wav")
    world.pass_days(40)
    assert world.plan() == set()
    with pytest.raises(RetentionError, match=HOLD_MARKER):
        forget(world.context, Which(files=(place.path,)), lambda *_: True)


def test_the_notes_of_a_copy_whose_disk_is_away_may_say_keep(root: Path) -> None:
    world = World(root, {"audio": {"keep_for": "30d"}, "fuse_items": 0})
    here = world.record("talk.wav", audio=b"RIFF" + bytes(5000))
    disk = world.root / "disk"
    disk.mkdir()
    world.context = replace(world.context, folders=(world.drop, disk))
    copy = disk / "talk.wav"
    copy.write_bytes(here.path.read_bytes())
    world.ledger.places.put(copy, disk, here.recording_id, Identity.of(copy.lstat()), world.now)
    there = world.ledger.places.get(copy, here.recording_id)
    assert there is not None
    world.ledger.places.caught_up(there, 1, 1)
    note = world.note(there, Kind.SUMMARY, ".md", "Overview")
    note.write_text(note.read_text().replace("---\n", "---\nkeep: true\n", 1))

    def why() -> str:
        return next(d.reason for d in world.planned(keep_all=True).kept if d.item.path == here.path)

    disk.rename(world.root / "unplugged")
    world.pass_days(40)
    assert world.plan() == set()
    assert "disk is not there" in why()
    (world.root / "unplugged").rename(disk)
    assert why() == "held by `keep: true` in talk.md"
    note.write_text(note.read_text().replace("keep: true\n", ""))
    assert here.path.name in world.plan()
