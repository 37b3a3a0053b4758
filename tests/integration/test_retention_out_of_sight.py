"""What was seen once and cannot be seen now still holds: disks that are away, folders that are others now, half-written
notes, clocks that were wrong, copies of what protects, and files that go on as something that was known before.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from earmark.config.retention import RetentionRule
from earmark.errors import RetentionError
from earmark.files import files_below, what_is_at
from earmark.intake.mounts import device_fact
from earmark.intake.rules import HOLD_MARKER
from earmark.ledger import Ledger, Place, Seen
from earmark.ledger.note_ids import short
from earmark.ledger.protection import Protection
from earmark.ledger.repair import Repaired, repair
from earmark.ledger.second_copy import COPY
from earmark.notes.comparing import digests
from earmark.notes.frontmatter import recording_of
from earmark.notes.keeping import asks_to_keep, keep_keys
from earmark.pipeline.acceptance import What, note_missing
from earmark.pipeline.rebuild import say_repaired
from earmark.retention.doubt import reconcile
from earmark.retention.erasure.matching import matching
from earmark.retention.held import By, everything_held
from earmark.retention.markers import look_at_markers
from earmark.retention.notes_seen import NotesSeen
from earmark.retention.sweep.apply import purge_due
from earmark.verbs.deciding import hold, set_rule
from earmark.verbs.forgetting import Which, forget
from earmark.verbs.opening import opened_context
from earmark.verbs.resolve import resolve

from tests.integration.test_retention_lineage import arrive, finish, grow
from tests.retention_world import World, as_somebody, say_keep

pytestmark = pytest.mark.shows("retention:may-stand-where-nobody")

pytest_plugins = ("tests.retention_root",)

RULES = {
    "audio": {"keep_for": "30d"}, "trash": {"keep_for": "1d"}, "fuse_items": 0, "fuse_percent": 0,
    "tags": {"forever": {"audio": {"never": True}}},
}  # fmt: skip


@pytest.fixture
def world(root: Path) -> World:
    return World(root, RULES)


def second_folder(world: World) -> Path:
    folder = world.root / "drop2"
    folder.mkdir()
    world.context = replace(world.context, folders=(world.drop, folder))
    return folder


def read_notes(world: World) -> None:
    NotesSeen(world.context).inspect_everywhere()


@contextmanager
def away(world: World, folder: Path, how: str) -> Iterator[None]:
    """The disk of a drop folder is not there; its mount point may be."""
    disk = world.root / "unplugged"
    world.ledger.journal.set_fact(device_fact(folder), "another device", world.now)
    folder.rename(disk)
    if how == "an empty mount point":
        folder.mkdir()
    yield
    if how == "an empty mount point":
        folder.rmdir()
    disk.rename(folder)


# --- disks ---


@pytest.mark.parametrize("how", ["an empty mount point", "nothing"])
@pytest.mark.parametrize(
    "what", ["a note of a copy", "a note that was moved there", "a tag that was seen there"]
)
def test_what_may_stand_on_a_disk_that_is_away_holds(world: World, what: str, how: str) -> None:
    second = second_folder(world)
    place = world.record("a.wav")
    if what == "a note that was moved there":
        say_keep(world.drop / "a.md")
        (world.drop / "a.md").rename(second / "a.md")
        (second / "known.wav").touch()
    else:
        copy = second / "copy.wav"
        copy.write_bytes(place.path.read_bytes())
        world.ledger.places.put(copy, second, place.recording_id, place.identity, world.now)
        note = second / "copy.md"
        line = "keep: true" if what == "a note of a copy" else "tags: [forever]"
        note.write_text(f"---\nearmark_id: {place.recording_id}\ntype: summary\n{line}\n---\n")
        if what == "a tag that was seen there":
            read_notes(world)
    world.pass_days(60)
    with away(world, second, how):
        assert world.plan() == set()
    assert world.plan() == set()


# --- folders that are others now ---


@pytest.mark.parametrize("kind", ["a file", "a link", "a folder"])
@pytest.mark.parametrize("made_anew", [False, True])
def test_a_marker_goes_with_its_folder_whatever_takes_the_folders_name(
    root: Path, kind: str, made_anew: bool
) -> None:
    world = World(root, RULES)
    place = world.record("sub/a.wav")
    marker = place.path.parent / HOLD_MARKER
    world.pass_days(60)
    assert world.apply().trashed
    match kind:
        case "a file":
            marker.touch()
        case "a link":
            marker.symlink_to("nowhere")
        case _:
            marker.mkdir()
    look_at_markers(world.context, world.drop, {os.fsencode(marker.parent)})
    archive = marker.parent.rename(world.drop / "sub 2025")
    if made_anew:
        place.path.parent.mkdir()
    world.pass_days(10)
    with world.ledger.acting():
        assert purge_due(world.context)[0] == 0
    assert any(held.by is By.MARKER for held in everything_held(world.context))
    # Its owner takes the marker away.
    look_at_markers(world.context, world.drop, {os.fsencode(archive)})
    moved = archive / HOLD_MARKER
    moved.rmdir() if kind == "a folder" else moved.unlink()
    look_at_markers(world.context, world.drop, set())
    assert not any(held.by is By.MARKER for held in everything_held(world.context))
    with world.ledger.acting():
        assert purge_due(world.context)[0] > 0


def test_a_marker_that_went_out_of_reach_with_its_folder_holds_until_a_person_says_otherwise(
    world: World,
) -> None:
    place = world.record("sub/a.wav")
    folder = place.path.parent
    world.pass_days(60)
    assert world.apply().trashed
    (folder / HOLD_MARKER).touch()
    look_at_markers(world.context, world.drop, {os.fsencode(folder)})
    folder.rename(world.root / "taken home")
    folder.mkdir()
    world.pass_days(10)
    with world.ledger.acting():
        assert purge_due(world.context)[0] == 0
        (folder / HOLD_MARKER).touch()
        assert purge_due(world.context)[0] == 0
        (folder / HOLD_MARKER).unlink()
        assert purge_due(world.context)[0] > 0


def test_files_that_come_and_go_hide_nothing_of_their_folder(world: World) -> None:
    names = {f"{number:04}.txt" for number in range(300)}
    for name in names:
        (world.drop / name).touch()
    stop = threading.Event()

    def churn() -> None:
        while not stop.is_set():
            for number in range(20):
                (world.drop / f".tmp{number}").touch()
            for number in range(20):
                (world.drop / f".tmp{number}").unlink()

    other = threading.Thread(target=churn)
    other.start()
    try:
        for _ in range(200):
            assert names <= {path.name for path, _ in files_below([world.drop])}
    finally:
        stop.set()
        other.join()


# --- notes ---


@pytest.mark.shows("retention:holds-last")
@pytest.mark.parametrize("what", ["a page that names it", "half of a note"])
def test_only_a_note_takes_back_what_a_note_said(world: World, what: str) -> None:
    place = world.record("a.wav")
    note = world.drop / "a.md"
    whole = note.read_text()
    say_keep(note)
    read_notes(world)
    note.unlink()
    if what == "half of a note":
        note.write_text(whole.partition("type:")[0])
        read_notes(world)
        note.unlink()
    else:
        note.write_text(f"- a.wav {place.recording_id}\n")
        read_notes(world)
    world.pass_days(60)
    assert world.plan() == set()
    note.write_text(whole)
    read_notes(world)
    assert world.plan() == {"a.wav"}, "a note of it that is whole and does not say so"


def test_a_note_holds_what_it_names_also_if_that_arrives_later(world: World) -> None:
    a = world.record("a.wav")
    later = world.root / "b.wav"
    later.write_bytes(b"RIFF" + os.urandom(3000))
    with Ledger(world.root / "other.db") as other:
        assert other.recordings.all() == []
    future = World(world.root / "elsewhere").record("b.wav", audio=later.read_bytes()).recording_id
    (world.drop / "both.md").write_text(
        f"---\nearmark_id: {a.recording_id}\nkeep: true\n---\nwith {future}\n"
    )
    read_notes(world)
    world.record("b.wav", audio=later.read_bytes())
    world.pass_days(60)
    assert world.plan() == set()


def test_a_keep_that_was_seen_by_a_clock_in_the_future_is_not_taken_back_by_our_own_writing(
    world: World,
) -> None:
    place = world.record("a.wav")
    note = world.drop / "a.md"
    whole = note.read_text()
    say_keep(note)
    world.pass_days(400)
    read_notes(world)
    world.pass_days(-399)
    note.unlink()
    artifact = world.ledger.artifacts.at(note)
    assert artifact is not None
    world.ledger.artifacts.writing(place, artifact.kind, "md", note, 1, digests(whole).sha256, world.now)
    note.write_text(whole)
    world.ledger.artifacts.written(note, digests(whole), world.now)
    read_notes(world)
    world.pass_days(60)
    assert world.plan() == set()


def test_a_note_that_is_linked_to_a_disk_that_is_away_holds(world: World) -> None:
    world.record("a.wav")
    vault = world.root / "vault"
    vault.mkdir()
    note = world.drop / "a.md"
    say_keep(note)
    note.rename(vault / "a.md")
    note.symlink_to(vault / "a.md")
    world.pass_days(60)
    assert world.plan() == set()
    vault.rename(world.root / "unplugged")
    assert world.plan() == set()


@pytest.mark.parametrize("size", [10, 1_500_000])
def test_a_lost_note_holds_however_long_it_is(world: World, size: int) -> None:
    world.record("a.wav")
    note = world.drop / "a.md"
    say_keep(note)
    note.write_text(note.read_text() + "x" * size)
    note.rename(world.drop / "a.md.bak")
    world.pass_days(60)
    assert world.plan() == set()


@pytest.mark.parametrize(
    "text",
    [
        "title: a" + " " * 200_000 + "b\n", "---\ntitle: a" + " " * 200_000 + "b\n---\n", "---\na: |\n" + "  \n" * 60_000,
        "\n" * 200_000, "[a](<" * 40_000, "\\[" * 100_000, "[[" * 100_000, "](" * 100_000, "---\n" + "[" * 60_000,
        "---\n" + "{" * 60_000 + "\n---\n",
    ],
    ids=lambda text: repr(text[:12]),
)  # fmt: skip
def test_no_page_takes_long_to_read(world: World, text: str) -> None:
    """Longer than this, and the service manager would end the daemon, again and again."""
    place = world.record("a.wav")
    artifact = world.ledger.artifacts.at(world.drop / "a.md")
    assert artifact is not None
    artifact.path.write_text(text)
    began = os.times().user
    asks_to_keep(text, keep_keys())
    recording_of(text)
    digests(text)
    assert matching(world.context, "nothing of this") == []
    assert os.times().user - began < 20
    assert place.here


# --- what goes on as something that was known before ---


@pytest.mark.parametrize("how", ["it was so before", "a longer copy was there and went"])
@pytest.mark.parametrize("what", ["a hold", "a rule of its own", "a note"])
def test_what_was_decided_goes_on_with_a_file_that_becomes_a_content_that_was_known(
    world: World, how: str, what: str
) -> None:
    first = b"RIFF" + os.urandom(70_000)
    place = world.record("a.wav", audio=first)
    if how == "it was so before":
        longer = grow(world, place.path).path.read_bytes()
        place.path.write_bytes(first)
        assert arrive(world, place.path) is What.REPLACED
        finish(world, place.path)
    else:
        longer = first + b"more" * 100
        copy = world.drop / "c.wav"
        copy.write_bytes(longer)
        assert arrive(world, copy) is What.NEW
        finish(world, copy)
        copy.unlink()
        note_missing(world.context, {copy})
    match what:
        case "a hold":
            hold(world.context, resolve(world.context, place.path), "mine")
        case "a rule of its own":
            set_rule(world.context, resolve(world.context, place.path), "all", RetentionRule(never=True))
        case _:
            say_keep(
                next(
                    note for note in world.drop.glob("a*.md") if short(place.recording_id) in note.read_text()
                )
            )
            read_notes(world)
    place.path.write_bytes(longer)
    assert arrive(world, place.path) in (What.BACK, What.RENAMED)
    finish(world, place.path)
    world.pass_days(60)
    assert world.plan() == set()


@pytest.mark.parametrize("when", ["from the start", "later, as a backup"])
def test_a_keep_of_what_it_was_counts_also_if_that_is_a_recording_of_its_own(world: World, when: str) -> None:
    first = b"RIFF" + os.urandom(70_000)
    place = world.record("a.wav", audio=first)
    copy = world.drop / "copy.wav"
    if when == "from the start":
        copy.write_bytes(first)
        assert arrive(world, copy) is What.AGAIN
    note = world.drop / "a.md"
    say_keep(note)
    read_notes(world)
    grow(world, place.path)
    note.rename(world.root / "elsewhere.md")
    if when != "from the start":
        copy.write_bytes(first)
        assert arrive(world, copy) is What.NEW
    finish(world, copy)
    world.pass_days(60)
    assert world.plan() == set()


def an_edited_note_beside_a_copy(world: World) -> tuple[Place, Path, Path]:
    """A recording that went on, the copy of what it was, and its note with its owner's words, which names that."""
    place = world.record("a.wav", audio=b"RIFF" + os.urandom(70_000))
    copy = world.drop / "copy.wav"
    copy.write_bytes(place.path.read_bytes())
    assert arrive(world, copy) is What.AGAIN
    note = world.drop / "a.md"
    note.write_text(note.read_text() + "my own minutes\n")
    grow(world, place.path)
    return place, copy, note


@pytest.mark.parametrize("held", [False, True])
def test_forgetting_a_copy_of_what_it_was_leaves_the_note_of_what_it_is(world: World, held: bool) -> None:
    place, copy, note = an_edited_note_beside_a_copy(world)
    if held:
        hold(world.context, resolve(world.context, place.path), "mine")
    done = forget(world.context, Which(files=(copy,)), lambda *_: True)
    assert done is not None
    assert "my own minutes" in note.read_text()
    assert note in {path for path, _ in done[1].left}
    assert copy.name not in world.files()


# --- what protects, and its copy ---


def test_a_ledger_from_a_backup_overwrites_no_hold_that_only_the_copy_has(world: World) -> None:
    world.record("a.wav")
    b = world.record("b.wav")
    home, config = world.context.home, world.context.config
    world.ledger.close()
    old = home.ledger_file.read_bytes()
    with opened_context(home, config) as context:
        hold(context, resolve(context, world.drop / "a.wav"), "mine")
    for suffix in ("-wal", "-shm"):
        home.ledger_file.with_name(home.ledger_file.name + suffix).unlink(missing_ok=True)
    home.ledger_file.write_bytes(old)
    with opened_context(home, config) as context:
        hold(context, resolve(context, b.path), "mine, too")
        assert len(context.ledger.protection.holds()) == 2


def test_killed_before_the_damaged_copy_is_set_aside_nothing_goes_all_the_same(world: World) -> None:
    world.record("a.wav")
    hold(world.context, resolve(world.context, world.drop / "a.wav"), "mine")
    file = world.context.home.ledger_file
    world.ledger.close()
    for each in file.parent.glob("ledger.db*"):
        each.unlink()
    (file.parent / COPY).write_text("nonsense\n")
    world.context.ledger = Ledger(file)
    world.set_policy(RULES)

    def die(step: str) -> None:
        if step == "after:doubt":
            raise KeyboardInterrupt

    world.stepping(die)
    with pytest.raises(KeyboardInterrupt):
        reconcile(world.context)
    world.stepping(lambda _: None)
    world.reopen()
    reconcile(world.context)
    world.record("b.wav")
    world.pass_days(60)
    assert world.plan() == set()
    assert (file.parent / COPY).read_text() != "nonsense\n", "there is a whole one again"


@pytest.mark.parametrize("copy", ["damaged", "missing"])
@pytest.mark.parametrize("killed", [False, True])
def test_a_damaged_ledger_beside_a_copy_that_says_nothing_starts_and_takes_nothing(
    world: World, copy: str, killed: bool
) -> None:
    world.record("a.wav")
    hold(world.context, resolve(world.context, world.drop / "a.wav"), "mine")
    file = world.context.home.ledger_file
    world.ledger.close()
    file.write_bytes(os.urandom(100_000))
    for suffix in ("-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    if copy == "missing":
        (file.parent / COPY).unlink()
    else:
        (file.parent / COPY).write_text("nonsense\n")

    def told(ledger: Ledger, result: Repaired) -> None:
        if killed and not again:
            raise KeyboardInterrupt
        say_repaired(ledger, result, world.now)

    again: list[bool] = []
    if killed:
        with pytest.raises(KeyboardInterrupt):
            repair(file, world.now, told, lambda: None)
        again.append(True)
    assert repair(file, world.now, told, lambda: None).doubtful
    world.context.ledger = Ledger(file)
    reconcile(world.context)
    world.set_policy(RULES)
    world.record("b.wav")
    world.pass_days(60)
    assert world.plan() == set()
    with pytest.raises(RetentionError, match="held"):
        forget(world.context, Which(files=(world.drop / "b.wav",)), lambda *_: True)


# --- markers, however a folder comes to be another one ---


def trashed_below_a_marker(world: World) -> Path:
    """The files of `sub` lie in the trash, and a marker that a scan saw lies in `sub`."""
    place = world.record("sub/a.wav")
    world.pass_days(60)
    assert world.apply().trashed
    folder = place.path.parent
    (folder / HOLD_MARKER).touch()
    look_at_markers(world.context, world.drop, {os.fsencode(folder)})
    world.pass_days(10)
    return folder


@pytest.mark.parametrize(
    "how",
    [
        "a scan did not come there",
        "it was moved to another disk",
        "it was copied and made anew",
        "a file took its name",
    ],
)
def test_a_marker_holds_although(world: World, how: str) -> None:
    folder = trashed_below_a_marker(world)
    match how:
        case "a scan did not come there":
            look_at_markers(world.context, world.drop, set())
            folder.rename(world.root / "taken home")
            folder.mkdir()
        case "it was moved to another disk":
            shutil.rmtree(folder)
            folder.mkdir()  # which often gets the very inode
        case "it was copied and made anew":
            shutil.copytree(folder, world.drop / "sub 2025")
            shutil.rmtree(folder)
            folder.mkdir()
        case _:
            shutil.rmtree(folder)
            folder.touch()
    look_at_markers(world.context, world.drop, set())
    with world.ledger.acting():
        assert purge_due(world.context)[0] == 0


def test_a_marker_that_no_scan_has_seen_holds_when_its_folder_is_renamed_and_made_anew(root: Path) -> None:
    world = World(root, RULES | {"summary": {"keep_for": "30d"}})
    place = world.record("sub/a.wav")
    for artifact in world.ledger.artifacts.of_recording(place.recording_id):
        world.ledger.artifacts.move(
            artifact.path, artifact.path, artifact.sha256, what_is_at(artifact.path.parent)
        )
    world.pass_days(60)
    assert world.apply().trashed
    folder = place.path.parent
    (folder / HOLD_MARKER).touch()
    folder.rename(world.drop / "sub 2025")
    folder.mkdir()
    world.pass_days(10)
    with world.ledger.acting():
        assert purge_due(world.context)[0] == 0


# --- whose word it is ---


@pytest.mark.parametrize("other", ["a note of another recording", "an inventory"])
def test_another_document_under_a_notes_name_speaks_for_itself_alone(world: World, other: str) -> None:
    a, b = world.record("a.wav"), world.record("b.wav")
    note = world.drop / "a.md"
    say_keep(note)
    read_notes(world)
    note.rename(world.root / "vault.md")
    if other == "an inventory":
        note.write_text(f"---\nrecordings:\n  - {a.recording_id}\n---\n")
    else:
        note.write_text(f"---\nearmark_id: {b.recording_id}\ntype: summary\n---\nsee {a.recording_id}\n")
    read_notes(world)
    world.pass_days(60)
    assert world.plan() == {"b.wav"}


def test_killed_while_a_note_is_read_it_is_read_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = world.record("a.wav"), world.record("b.wav")
    note = world.drop / "both.md"
    note.write_text(f"---\nearmark_id: {a.recording_id}\nkeep: true\n---\nand {b.recording_id}\n")
    saw, count = Protection.saw, 0

    def once(self: Protection, seen: Seen) -> None:
        nonlocal count
        count += 1
        if count == 2:
            raise KeyboardInterrupt
        saw(self, seen)

    monkeypatch.setattr(Protection, "saw", once)
    with pytest.raises(KeyboardInterrupt):
        NotesSeen(world.context).inspect(note)
    monkeypatch.undo()
    world.reopen()
    world.pass_days(60)
    assert world.plan() == set()


@pytest.mark.parametrize("name", ["other.md", "a.md.bak"])
def test_a_missing_note_that_may_be_one_that_nobody_can_read_holds(world: World, name: str) -> None:
    world.record("a.wav")
    note = world.drop / "a.md"
    say_keep(note)
    note = note.rename(world.drop / name)
    note.chmod(0)
    world.pass_days(60)
    with as_somebody(world.root):
        note.chmod(0)
        assert world.plan() == set()


def test_a_lost_note_that_was_written_by_a_clock_in_the_future_holds(world: World) -> None:
    world.record("a.wav")
    note = world.drop / "a.md"
    world.ledger.db.execute("UPDATE artifacts SET written_at = ?", (world.now + 400 * 86400.0,))
    say_keep(note)
    note.rename(world.drop / "a.md.bak")
    world.pass_days(60)
    assert world.plan() == set()


def test_forgetting_a_copy_of_what_it_was_leaves_an_edited_note_wherever_it_was_moved(world: World) -> None:
    _, copy, note = an_edited_note_beside_a_copy(world)
    (world.drop / "meetings").mkdir()
    note = note.rename(world.drop / "meetings" / "minutes.md")
    done = forget(world.context, Which(files=(copy,)), lambda *_: True)
    assert done is not None
    assert note.exists()
    assert note in {path for path, _ in done[1].left}


# --- decisions beside each other ---


def test_a_rule_that_is_set_while_another_verb_compares_with_the_copy_stays(world: World) -> None:
    place = world.record("a.wav")
    meant = resolve(world.context, place.path)
    set_rule(world.context, meant, "audio", RetentionRule(keep_for="1d"))
    second = world.ledger.protection.second
    read = second._read

    def meanwhile() -> object:
        found = read()
        set_rule(world.context, meant, "audio", RetentionRule(never=True))
        return found

    second._read = meanwhile  # type: ignore[assignment,method-assign]
    assert second.reconcile().restored == set()
    second._read = read  # type: ignore[method-assign]
    world.pass_days(60)
    assert world.plan() == set()


def test_a_copy_that_no_parser_can_read_stops_nobody(world: World) -> None:
    world.record("a.wav")
    text = b"[" * 200_000 + b"\n"
    end = json.dumps({"sha256": sha256(text).hexdigest()}).encode()
    (world.ledger.state / COPY).write_bytes(text + end + b"\n")
    hold(world.context, resolve(world.context, world.drop / "a.wav"), "mine")
    reconcile(world.context)
    assert world.ledger.protection.second.is_whole()
