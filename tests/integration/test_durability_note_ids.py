"""Notes name their recording by an id that fits into a panel; whatever it could mean besides, nothing is lost by it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from earmark.domain import Date, Dated
from earmark.ledger.note_ids import short
from earmark.notes.comparing import digests
from earmark.notes.frontmatter import read_frontmatter, recording_of
from earmark.retention.erasure.copies import find
from earmark.retention.held import everything_held
from earmark.retention.notes_seen import NotesSeen
from earmark.verbs.resolve import resolve

from tests.conftest import in_memory
from tests.daemon_rig import Rig, run_child
from tests.retention_world import World, say_keep


@pytest.fixture
def world() -> Iterator[World]:
    with in_memory() as root:
        yield World(root, {"audio": {"keep_for": "30d"}, "fuse_items": 0, "fuse_percent": 0})


def alike(world: World, recording_id: str) -> str:
    """Another recording becomes known whose hash begins alike."""
    other = recording_id[:20] + recording_id[20:][::-1]
    assert other != recording_id
    with world.ledger.transaction():
        world.ledger.recordings.add(other, 1, world.now, Date(world.now, "", Dated.FILE), 0, "")
        world.ledger.protection.met(other)
    return other


@pytest.mark.shows("durability:short-id", "durability:recording-whose-notes-beside")
@pytest.mark.parametrize("earlier", [False, True], ids=["of now", "of an earlier version"])
def test_notes_with_a_short_id_and_a_long_one_are_known_by_it_when_the_ledger_is_lost(
    tmp_path: Path, earlier: bool
) -> None:
    rig = Rig(tmp_path)
    rig.drop("talk.m4a", "hello")
    assert run_child(rig) == 0
    ids = {(read_frontmatter(text) or {})["earmark_id"] for text in rig.notes().values()}
    (recording_id,) = (row[0] for row in rig.query("SELECT id FROM recordings"))
    assert ids == {short(recording_id)}
    assert len(short(recording_id)) == 23
    if earlier:
        for name, text in rig.notes().items():
            (rig.folder / name).write_text(text.replace(short(recording_id), f'"{recording_id}"'))
    notes = rig.notes()
    for suffix in ("", "-wal", "-shm"):
        rig.installed.ledger_file.with_name(f"ledger.db{suffix}").unlink(missing_ok=True)
    assert run_child(rig) == 0
    assert rig.notes() == notes
    assert rig.query("SELECT COUNT(*) FROM artifacts WHERE state = 'edited'") == [(2,)]
    assert not rig.events("transcribed")


@pytest.mark.shows("durability:short-id")
def test_a_note_of_an_earlier_version_stays_as_it_is_and_gets_the_short_id_when_it_is_written_again(
    tmp_path: Path,
) -> None:
    rig = Rig(tmp_path)
    rig.drop("talk.m4a", "hello")
    assert run_child(rig) == 0
    # As an earlier version left it: with all digits in the note, and in what is known of it.
    (recording_id,) = (row[0] for row in rig.query("SELECT id FROM recordings"))
    for name, text in rig.notes().items():
        long = text.replace(short(recording_id), f'"{recording_id}"')
        (rig.folder / name).write_text(long)
        known = digests(long)
        with sqlite3.connect(rig.installed.ledger_file) as db:
            db.execute(
                "UPDATE artifacts SET sha256 = ?, plain_sha256 = ?, words_sha256 = ?, top = ? WHERE path = ?",
                (known.sha256, known.plain_sha256, known.words_sha256, known.top, bytes(rig.folder / name)),
            )
    before = rig.notes()
    assert run_child(rig) == 0
    assert rig.notes() == before
    (rig.folder / "talk.m4a").rename(rig.folder / "meeting.m4a")
    assert run_child(rig) == 0
    assert set(rig.notes()) == {"meeting.md", "meeting.transcript.md"}, "ours, and not edited"
    assert {(read_frontmatter(text) or {})["earmark_id"] for text in rig.notes().values()} == {
        short(recording_id)
    }


@pytest.mark.shows("durability:short-id")
def test_a_short_id_that_may_mean_two_recordings_is_nobodys_and_holds_both(world: World) -> None:
    place = world.record("a.wav")
    other = alike(world, place.recording_id)
    lineage = world.ledger.lineage
    assert lineage.note_id(place.recording_id) == place.recording_id, (
        "what is written from now on has all digits"
    )
    assert lineage.note_id(other) == other
    # A copy of its note, which was written before: nobody knows whose it is, and so nothing is done to it.
    copy = world.drop / "moved.md"
    copy.write_text((world.drop / "a.md").read_text() + "more\n")
    assert recording_of(copy.read_text()) == short(place.recording_id)
    with pytest.raises(Exception, match=r"moved\.md"):
        resolve(world.context, copy)
    found = find(world.context, [other])
    assert copy not in found.paths
    assert [path for path, _ in found.left if path == copy] == [copy], "it mentions it"
    say_keep(copy)
    NotesSeen(world.context).inspect_below([world.drop])
    world.pass_days(60)
    assert world.plan() == set()
    assert {seen.recording_id for seen in world.ledger.protection.keeping()} == {place.recording_id, other}


@pytest.mark.shows("durability:short-id")
def test_a_note_that_says_keep_before_its_recording_is_known_holds_it_when_it_comes_until_a_person_lets_go(
    world: World,
) -> None:
    place = world.record("a.wav")
    audio, note = place.path.read_bytes(), (world.drop / "a.md").read_text()
    with in_memory() as root:
        fresh = World(root, {"audio": {"keep_for": "30d"}, "fuse_items": 0, "fuse_percent": 0})
        early = fresh.drop / "early.md"
        early.write_text(note)
        say_keep(early)
        NotesSeen(fresh.context).inspect_below([fresh.drop])
        assert [seen.recording_id for seen in fresh.ledger.protection.keeping()] == [
            short(place.recording_id)
        ]
        fresh.record("b.wav", audio=audio)
        # Whether the daemon takes it, which writes down that it is met, or not.
        assert fresh.ledger.protection.seen(place.recording_id)
        fresh.pass_days(60)
        assert fresh.plan() == set()
        with fresh.ledger.transaction():
            fresh.ledger.protection.met(place.recording_id)
        assert [seen.recording_id for seen in fresh.ledger.protection.keeping()] == [place.recording_id]
        assert fresh.plan() == set()
        assert everything_held(fresh.context)
        early.unlink()
        assert fresh.ledger.protection.unkeep(place.recording_id) == 1
        fresh.ledger.protection.drop(place.recording_id)
        assert fresh.ledger.protection.at(early) == []
