"""What cannot be looked at may hold: a folder that is away or shut, a name that is another now, a marker further up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from earmark.config import parse_config
from earmark.domain import Kind, Owed, TrashState
from earmark.errors import NotFound, RetentionError, UsageError
from earmark.files import Identity
from earmark.intake.mounts import device_fact, why_unmounted
from earmark.intake.rules import HOLD_MARKER, HOLD_MARKERS
from earmark.ledger import Ledger
from earmark.ledger.note_ids import short
from earmark.pipeline.publishing import publish_owed
from earmark.retention.doubt import reconcile
from earmark.retention.held import everything_held
from earmark.retention.notes_seen import NotesSeen
from earmark.retention.sweep.apply import purge_due
from earmark.verbs.deciding import trust
from earmark.verbs.forgetting import Which, forget
from earmark.verbs.resolve import resolve

from tests.retention_world import World, as_somebody, say_keep

pytestmark = pytest.mark.shows("retention:doubt-about-folders")

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


# --- what a file is, whatever it is called ---


def test_a_verb_goes_by_what_is_in_a_file_and_not_by_what_was_there(root: Path) -> None:
    world = World(root, RULES)
    a, b = world.record("a.wav"), world.record("b.wav")
    for ending in ("wav", "md"):
        swap(world.drop / f"a.{ending}", world.drop / f"b.{ending}")
    assert resolve(world.context, world.drop / "a.wav").recording_id == b.recording_id
    with pytest.raises(
        UsageError, match=r"knows it as a note of .*/a\.wav, and its `earmark_id` is of .*/b\.wav"
    ):
        resolve(world.context, world.drop / "a.md")
    done = forget(world.context, Which(files=(world.drop / "a.wav",)), lambda *_: True)
    assert done is not None
    assert world.ledger.recordings.get(a.recording_id) is not None
    assert world.ledger.recordings.get(b.recording_id) is None
    assert (world.drop / "b.wav").exists()
    assert not (world.drop / "a.wav").exists()


def swap(one: Path, other: Path) -> None:
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


def test_what_the_daemon_has_not_looked_at_yet_is_not_taken_for_what_was_there(root: Path) -> None:
    world = World(root, RULES)
    place = world.record("a.wav")
    place.path.write_bytes(b"RIFF another one")
    with pytest.raises(NotFound, match="holds something else than when earmark last looked"):
        resolve(world.context, place.path)
    place.path.unlink()
    assert resolve(world.context, place.path).recording_id == place.recording_id


# --- notes where nobody has looked yet ---


def holds_at_once(world: World) -> None:
    """Neither a rule nor the purge takes anything, without a daemon that has looked."""
    world.pass_days(60)
    assert world.plan() == set()
    assert world.apply().trashed == 0


@pytest.mark.parametrize(
    "where", ["another drop folder", "a drop folder around it", "a copy beside it", "the trash"]
)
def test_a_keep_that_nobody_has_seen_yet_holds(root: Path, where: str) -> None:
    world = World(root, {"audio": {"keep_for": "30d"}, **RULES})
    outer = world.drop
    if where == "a drop folder around it":
        world.drop = outer / "inner"
        world.drop.mkdir()
    world.record("a.wav")
    note = world.drop / "a.md"
    if where == "the trash":
        world.pass_days(40)
        assert world.apply().trashed == 3
        rows = world.ledger.trash.in_state(TrashState.HERE)
        note = next(row.trashed for row in rows if row.trashed is not None and row.trashed.name == "a.md")
        say_keep(note)
        world.pass_days(3)
        with world.ledger.acting():
            assert purge_due(world.context) == (0, [])
        return
    if where == "a copy beside it":
        copy = world.drop / "copy.md"
        copy.write_text(note.read_text())
        say_keep(copy)
    else:
        other = outer if where == "a drop folder around it" else world.root / "other"
        other.mkdir(exist_ok=True)
        world.context = replace(world.context, folders=(world.drop, other))
        say_keep(note)
        note.rename(other / "a.md")
    holds_at_once(world)


def test_a_renamed_note_in_a_folder_that_is_no_longer_watched_holds_what_lies_in_the_trash(
    root: Path,
) -> None:
    world = World(root, {"audio": {"keep_for": "30d"}, "trash": {"keep_for": "1d"}, "fuse_items": 0})
    world.record("a.wav")
    world.pass_days(40)
    assert world.apply().trashed == 1
    say_keep(world.drop / "a.md")
    (world.drop / "a.md").rename(world.drop / "mine.md")
    world.ledger.places.watch([world.root / "other"])
    world.context = replace(world.context, folders=(world.root / "other",))
    world.pass_days(3)
    with world.ledger.acting():
        assert purge_due(world.context) == (0, [])


def test_a_note_that_was_moved_and_linked_back_says_what_it_says(root: Path) -> None:
    world = World(root, {"audio": {"keep_for": "30d"}, "fuse_items": 0, "fuse_percent": 0})
    world.record("a.wav")
    note = world.drop / "a.md"
    vault = note.rename(world.root / "a.md")
    note.symlink_to(vault)
    world.pass_days(40)
    assert world.plan() == {"a.wav"}
    say_keep(vault)
    assert world.plan() == set()
    vault.unlink()
    assert world.why("a.wav") == "a.md cannot be read for a hold: what it is a link to is not there"


# --- folders that are not what they were ---


def test_a_mount_point_is_not_its_disk_whatever_somebody_put_there(root: Path) -> None:
    world = World(root, RULES)
    place = world.record("a.wav")
    world.ledger.journal.set_fact(device_fact(world.drop), "999", world.now)
    (world.drop / HOLD_MARKER).touch()
    world.drop.rename(world.root / "unplugged")
    world.drop.mkdir()
    (world.drop / ".DS_Store").touch()
    with pytest.raises(RetentionError, match="on another disk than before"):
        forget(world.context, Which(files=(place.path,)), lambda *_: True)


def test_a_marker_above_where_a_folder_was_moved_and_linked_back_holds(root: Path) -> None:
    world = World(root, RULES)
    world.record("sub/a.wav")
    world.pass_days(40)
    assert world.apply().trashed == 2
    archive = world.root / "archive"
    archive.mkdir()
    (archive / HOLD_MARKER).touch()
    (world.drop / "sub").rename(archive / "sub")
    (world.drop / "sub").symlink_to(archive / "sub")
    world.pass_days(3)
    with world.ledger.acting():
        assert purge_due(world.context) == (0, [])


@pytest.mark.parametrize("name", HOLD_MARKERS)
def test_a_marker_counts_however_an_editor_saved_it(root: Path, name: str) -> None:
    world = World(root, {"audio": {"keep_for": "30d"}, **RULES})
    world.record("a.wav")
    (world.drop / name).touch()
    world.pass_days(40)
    assert world.plan() == set()


@pytest.mark.shows("retention:damage")
@pytest.mark.parametrize("how", ["cut short", "may not be read"])
def test_a_lost_ledger_whose_copy_cannot_be_read_stops_all_rules_until_a_person_looks(
    root: Path, how: str
) -> None:
    world = World(root, {"audio": {"keep_for": "30d"}, **RULES})
    place = world.record("a.wav")
    world.ledger.protection.hold(place.recording_id, "mine", world.now)
    copy = world.context.home.state / "protection.jsonl"
    good = copy.read_bytes()
    world.ledger.close()
    world.context.home.ledger_file.unlink()
    with as_somebody(world.root):
        copy.chmod(0) if how == "may not be read" else copy.write_bytes(good[:-5])
        world.context.ledger = Ledger(world.context.home.ledger_file)
        reconcile(world.context)
        world.take_in(place.path)
        world.pass_days(40)
        assert world.plan() == set()
        assert "protection.jsonl cannot be read" in str(world.ledger.journal.troubles())
        world.reopen()
        reconcile(world.context)
        assert world.plan() == set(), "nobody has said that all is well"
        aside = copy.with_name("protection.jsonl.damaged")
        aside.chmod(0o600)
        assert aside.read_bytes() in (good, good[:-5])
        trust(world.context)
        assert "a.wav" in world.plan()
        world.ledger.close()


LOST = {
    "no closing fence": lambda text: text.replace("---\n", "", 2).replace("earmark_id", "---\nearmark_id", 1),
    "other fences": lambda text: text.replace("---\n", "----\n"),
    "a title above": lambda text: "# My talk\n" + text,
    "line ends of an old Mac": lambda text: text.replace("\n", "\r"),
}


@pytest.mark.parametrize("how", [*LOST, "a.md.bak", "a.md~", "a.text", "a.rtf", "a", ".archive/a.md"])
def test_a_lost_note_that_names_its_recording_and_says_keep_holds_while_it_is_there(
    root: Path, how: str
) -> None:
    world = World(root, {"audio": {"keep_for": "30d"}, "fuse_items": 0, "fuse_percent": 0})
    world.record("a.wav")
    note = world.drop / "a.md"
    say_keep(note)
    lost = world.drop / ("renamed.md" if how in LOST else how)
    lost.parent.mkdir(exist_ok=True)
    lost.write_text(LOST[how](note.read_text()) if how in LOST else note.read_text())
    note.unlink()
    world.pass_days(60)
    assert world.plan() == set()
    assert "keep" in world.why("a.wav")
    assert world.apply().trashed == 0
    lost.unlink()
    (world.drop / "mine.txt").write_text("what we keep: nothing of it\n")
    held = world.why("a.wav")
    assert held.startswith(("no rule keeps it", "held: "))


# --- the sweep that nobody watches, and notes of any kind ---


@pytest.mark.parametrize("how", ["moved out of the trash", "copied beside the one in place"])
def test_the_daily_sweep_reads_the_notes_before_it_takes_or_purges(root: Path, how: str) -> None:
    rules = {"audio": {"keep_for": "30d"}, **RULES}
    world = World(
        root, rules if how == "moved out of the trash" else {**rules, "summary": {}, "transcript": {}}
    )
    world.record("a.wav")
    world.pass_days(40)
    world.sweep()
    world.apply()
    note = world.drop / "a.md"
    if how == "moved out of the trash":
        rows = world.ledger.trash.in_state(TrashState.HERE)
        note = next(row.trashed for row in rows if row.trashed is not None and row.trashed.name == "a.md")
    copy = world.drop / "saved.md"
    copy.write_text(note.read_text())
    say_keep(copy)
    if how == "moved out of the trash":
        note.unlink()
    before = len(world.ledger.trash.in_state(TrashState.HERE))
    world.pass_days(3)
    assert world.sweep().purged == 0
    assert len(world.ledger.trash.in_state(TrashState.HERE)) == before


def test_another_name_for_keep_counts_for_notes_that_were_read_before(root: Path) -> None:
    world = World(root, RULES)
    world.record("a.wav")
    note = world.drop / "a.md"
    note.write_text(note.read_text().replace("---\n", "---\nprotect: true\n", 1))
    NotesSeen(world.context).inspect_below([world.drop])
    rules = {"audio": {"keep_for": "30d"}, "fuse_items": 0, "fuse_percent": 0}
    world.context.config = parse_config({"retention": rules, "notes": {"keys": {"keep": "protect"}}}, "test")
    world.pass_days(60)
    assert world.plan() == set()


def test_a_note_that_names_several_recordings_and_says_keep_holds_them_all(root: Path) -> None:
    world = World(root, {"audio": {"keep_for": "30d"}, "fuse_items": 0, "fuse_percent": 0})
    a, b = world.record("a.wav"), world.record("b.wav")
    world.record("c.wav")
    for name in ("a.md", "b.md"):
        (world.drop / name).unlink()
    merged = world.drop / "merged.md"
    merged.write_text(
        f"---\nearmark_id:\n  - {a.recording_id}\n  - {b.recording_id.upper()}\nkeep: true\n---\nboth\n"
    )
    world.pass_days(60)
    assert world.plan() == {"c.wav"}
    merged.write_text(merged.read_text().replace("keep: true", "keep: false"))
    assert world.plan() == {"a.wav", "b.wav", "c.wav"}


def test_a_note_holds_its_own_recording_whatever_it_names(root: Path) -> None:
    world = World(root, {"audio": {"keep_for": "30d"}, "fuse_items": 0, "fuse_percent": 0})
    a, b = world.record("a.wav"), world.record("b.wav")
    note = world.drop / "b.md"
    note.write_text(note.read_text().replace(short(b.recording_id), short(a.recording_id)))
    say_keep(note)
    world.pass_days(60)
    assert world.plan() == set()


NONSENSE = (
    "chapters: {1: Intro, two: End}\n", "log: {2026-01-01: x}\n", "see: &a [*a]\n", 'type: "\\ud83d"\n', "? [a, b]\n: x\n",
    "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "n: " + "[" * 3000 + "\n", "x: " + "{a: " * 400 + "1" + "}" * 400 + "\n",
)  # fmt: skip


@pytest.mark.parametrize("line", NONSENSE)
@pytest.mark.parametrize("kept", [False, True])
def test_no_note_ends_a_sweep_a_verb_or_the_writing_of_others(root: Path, line: str, kept: bool) -> None:
    world = World(root, {"audio": {"keep_for": "30d"}, "fuse_items": 0, "fuse_percent": 0})
    place = world.record("a.wav")
    world.record("b.wav")
    note = world.drop / "a.transcript.md"
    note.write_text(note.read_text().replace("---\n", f"---\n{line}", 1))
    if kept:
        say_keep(note)
    world.ledger.places.owe_all(Owed.POLICY)
    publish_owed(world.context)
    world.pass_days(60)
    plan = world.plan()
    assert "b.wav" in plan
    assert not kept or "a.wav" not in plan
    everything_held(world.context)
    assert world.apply().trashed == len(plan)
    if not kept:
        forget(world.context, Which(files=(place.path,)), lambda *_: True, even_held=True)
    assert line in note.read_text() if note.exists() else not kept


def test_a_folder_with_another_device_number_and_its_notes_is_the_folder(root: Path) -> None:
    """Device numbers change when the machine starts; the one recording that was known may have been moved away."""
    world = World(root, RULES)
    place = world.record("a.wav")
    world.ledger.journal.set_fact(device_fact(world.drop), "999", world.now)
    place.path.rename(world.root / "a.wav")
    assert why_unmounted(world.ledger, world.drop) is None
