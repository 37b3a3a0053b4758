"""A recording that was appended to is the same recording: what its notes say of the former content holds for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from earmark.config.retention import RetentionRule
from earmark.domain import Kind, Segment, Stage, Summary, Transcript, TrashState
from earmark.errors import RetentionError
from earmark.files import open_regular
from earmark.files.content import fingerprint
from earmark.ledger import Ledger, Place
from earmark.ledger.note_ids import short
from earmark.pipeline.acceptance import What, accept, note_missing, prefixes
from earmark.pipeline.publishing import publish_place
from earmark.retention.erasure.erase import recover
from earmark.retention.notes_seen import NotesSeen
from earmark.retention.sweep.apply import purge_due
from earmark.retention.trash.restoring import restore
from earmark.verbs.deciding import hold, release, set_rule
from earmark.verbs.forgetting import Which, forget
from earmark.verbs.resolve import resolve

from tests.retention_world import World, say_keep

pytest_plugins = ("tests.retention_root",)

RULES = {
    "audio": {"keep_for": "30d"}, "transcript": {"keep_for": "30d"}, "trash": {"keep_for": "1d"}, "fuse_items": 0,
    "fuse_percent": 0,
}  # fmt: skip


@pytest.fixture
def world(root: Path) -> World:
    return World(root, RULES)


def arrive(world: World, path: Path) -> What:
    """A file has settled."""
    with open_regular(path) as fd:
        content = fingerprint(fd, begins=prefixes(world.context, path))
    return accept(world.context, path, world.drop, content).what


def grow(world: World, path: Path) -> Place:
    """More is recorded into the file, and transcribed, summarized and written down."""
    with path.open("ab") as recorder:
        recorder.write(b"more" * 100)
    assert arrive(world, path) is What.CONTINUED
    return finish(world, path)


def finish(world: World, path: Path) -> Place:
    """What is in a file now is transcribed, summarized and written down."""
    place, ledger = world.place(path), world.ledger
    said = (Segment(0.0, 9.5, "the longer words of it", 0.9),)
    ledger.words.store_transcript(
        Transcript(place.recording_id, said, "en", 0.99, 10.0, 9.0, "tiny.en", "whisper"), "{}", world.now
    )
    ledger.words.store_summary(Summary(place.recording_id, "extractive", "t", "longer"), world.now)
    ledger.jobs.add(place.recording_id, Stage.SUMMARIZE, world.now)
    for job in ledger.jobs.all():
        ledger.jobs.done(job.id, world.now)
    with ledger.acting():
        assert publish_place(world.context, world.place(path)) is not None
    return world.place(path)


def an_edited_note(world: World, times: int = 1) -> tuple[Place, Path]:
    """A recording that went on, and its owner's note, which names what it was at first."""
    place = world.record("talk.wav", audio=b"RIFF" + os.urandom(70_000))
    note = world.drop / "talk.md"
    note.write_text(note.read_text() + "mine\n")
    for _ in range(times):
        world.pass_days(1)
        place = grow(world, place.path)
    assert short(place.recording_id) not in note.read_text()
    return place, note


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("moved", [False, True])
def test_a_keep_written_into_a_note_of_what_it_was_holds_a_recording(
    world: World, times: int, moved: bool
) -> None:
    place, note = an_edited_note(world, times)
    world.pass_days(1)
    say_keep(note)
    if moved:
        NotesSeen(world.context).inspect_below([world.drop])
        note.rename(world.root / "elsewhere.md")
    world.pass_days(60)
    assert world.why("talk.wav") == (
        "held: talk.md, which is not there any more, said `keep: true`"
        if moved
        else "held by `keep: true` in talk.md"
    )
    assert world.apply().trashed == 0
    with pytest.raises(RetentionError, match=r"talk\.md"):
        forget(world.context, Which(files=(place.path,)), lambda *_: True)


def test_what_lies_in_the_trash_of_what_it_was_is_held_by_such_a_note(world: World) -> None:
    _, note = an_edited_note(world)
    world.pass_days(40)
    assert world.apply().trashed == 2
    say_keep(note)
    world.pass_days(3)
    with world.ledger.acting():
        assert purge_due(world.context) == (0, [])
    assert len(world.ledger.trash.in_state(TrashState.HERE)) == 2


def test_the_keep_of_such_a_note_outlives_the_ledger(world: World) -> None:
    place, note = an_edited_note(world, 2)
    say_keep(note)
    NotesSeen(world.context).inspect_below([world.drop])
    note.rename(world.root / "elsewhere.md")
    world.ledger.close()
    world.context.home.ledger_file.unlink()
    with Ledger(world.context.home.ledger_file) as ledger:
        world.context.ledger = ledger
        ledger.protection.second.reconcile(repaired=True)
        assert "talk.md, which is not there any more, said `keep: true`" in str(
            NotesSeen(world.context).keeping(place.recording_id)
        )


def test_a_person_releases_what_such_a_note_said(world: World) -> None:
    place, note = an_edited_note(world)
    say_keep(note)
    NotesSeen(world.context).inspect_below([world.drop])
    meant = resolve(world.context, place.path)
    assert release(world.context, meant) == (True, "held by `keep: true` in talk.md")
    note.unlink()
    assert release(world.context, meant) == (True, None)
    world.pass_days(40)
    assert "talk.wav" in world.plan()


def test_forgetting_a_recording_forgets_what_it_was(world: World) -> None:
    """The edited note goes, a copy of it goes, and the content of before is not taken again."""
    first = world.record("other.wav", audio=b"RIFF" + os.urandom(70_000)).path.read_bytes()
    place, note = world.place("other.wav"), world.drop / "other.md"
    note.write_text(note.read_text() + "mine\n")
    former = place.recording_id
    place = grow(world, place.path)
    (world.drop / "moved.md").write_text(note.read_text())
    assert resolve(world.context, world.drop / "moved.md").recording_id == place.recording_id
    done = forget(world.context, Which(files=(place.path,)), lambda *_: True)
    assert done is not None
    assert (done[1].left, done[0].remaining, done[0].found_again) == ([], [], [])
    assert world.files() == set()
    (world.drop / "again.wav").write_bytes(first)
    assert arrive(world, world.drop / "again.wav") is What.ERASED
    assert former.encode() not in world.context.home.ledger_file.read_bytes()


def test_what_another_file_still_holds_is_a_recording_of_its_own(world: World) -> None:
    place = world.record("talk.wav", audio=b"RIFF" + os.urandom(70_000))
    copy = world.drop / "copy.wav"
    copy.write_bytes(place.path.read_bytes())
    assert arrive(world, copy) is What.AGAIN
    with world.ledger.acting():
        publish_place(world.context, world.place(copy))
    mine = world.drop / "copy.md"
    mine.write_text(mine.read_text() + "mine\n")
    longer = grow(world, place.path)
    done = forget(world.context, Which(files=(longer.path,)), lambda *_: True)
    assert done is not None
    assert {"copy.wav", "copy.md", "copy.transcript.md"} == world.files()
    assert done[0].complete, "no line of the journal names the file that is gone"
    assert copy in {path for path, _ in done[1].left}, "and what stays is named"
    assert world.ledger.recordings.get(place.recording_id) is not None
    assert arrive(world, copy) is What.KNOWN


# --- however it comes to be longer ---


@pytest.mark.shows("retention:holds-last")
@pytest.mark.shows("decisions:goes-on")
@pytest.mark.parametrize(
    "how",
    [
        "missing at one look", "renamed between two looks", "renamed and missing at one look",
        "its longer copy came first", "a short one with a new header",
    ],
)  # fmt: skip
@pytest.mark.parametrize("what", ["a hold", "a note"])
def test_a_hold_goes_with_a_recording_however_it_grows(world: World, how: str, what: str) -> None:
    size = 10_000 if how == "a short one with a new header" else 70_000
    place = world.record("talk.wav", audio=b"RIFF1234" + os.urandom(size))
    note, path, whole = world.drop / "talk.md", place.path, place.path.read_bytes()
    if what == "a hold":
        hold(world.context, resolve(world.context, path), "mine")
    else:
        say_keep(note)
        NotesSeen(world.context).inspect_below([world.drop])
    longer = whole + b"more" * 100
    match how:
        case "missing at one look":
            path.unlink()
            note_missing(world.context, {path})
            path.write_bytes(longer)
        case "renamed between two looks" | "renamed and missing at one look":
            path = path.rename(world.drop / "another name.wav")
            if how == "renamed between two looks":
                with path.open("ab") as recorder:
                    recorder.write(b"more" * 100)
            else:
                path.write_bytes(longer)
            note_missing(world.context, {place.path})
        case "its longer copy came first":
            (world.drop / "talk.sync-conflict.wav").write_bytes(longer)
            assert arrive(world, world.drop / "talk.sync-conflict.wav") is What.NEW
            path.write_bytes(longer)
        case _:
            with path.open("r+b") as recorder:
                recorder.write(b"RIFF5678")
                recorder.seek(0, os.SEEK_END)
                recorder.write(b"more" * 100)
    assert arrive(world, path) is What.CONTINUED
    finish(world, path)
    world.pass_days(60)
    assert world.plan() == set()


@pytest.mark.shows("decisions:goes-on")
def test_a_short_file_that_begins_like_a_missing_one_is_not_taken_for_it(world: World) -> None:
    place = world.record("talk.wav", audio=b"RIFF" + bytes(5000))
    place.path.unlink()
    note_missing(world.context, {place.path})
    (world.drop / "other.wav").write_bytes(b"RIFF" + bytes(5000) + b"another talk")
    assert arrive(world, world.drop / "other.wav") is What.NEW
    assert world.ledger.recordings.get(place.recording_id) is not None


def test_a_copy_of_what_it_was_goes_when_it_is_forgotten(world: World) -> None:
    place = world.record("talk.wav", audio=b"RIFF" + os.urandom(70_000))
    first = place.path.read_bytes()
    longer = grow(world, place.path)
    (world.drop / "backup.wav").write_bytes(first)
    (world.drop / "memo~").write_text(f"about {place.recording_id}\n")
    (world.drop / "memo.rst").write_bytes(f"about {longer.recording_id}\n".encode("utf-16"))
    done = forget(world.context, Which(files=(longer.path,)), lambda *_: True)
    assert done is not None
    assert world.files() == {"memo~", "memo.rst"}
    assert {path.name for path, _ in done[1].left} == {"memo~", "memo.rst"}


def test_a_note_that_lies_under_another_recordings_name_goes_with_its_own(world: World) -> None:
    a, b = world.record("a.wav"), world.record("b.wav")
    (world.drop / "a.md").replace(world.drop / "b.md")
    done = forget(world.context, Which(files=(a.path,)), lambda *_: True)
    assert done is not None
    assert world.files() == {"b.wav", "b.transcript.md"}
    assert world.ledger.recordings.get(b.recording_id) is not None


@pytest.mark.shows("retention:holds-last")
@pytest.mark.parametrize("what", ["a hold", "a rule of its own", "a note"])
def test_what_was_decided_about_a_recording_holds_its_former_content_when_that_comes_back(
    world: World, what: str
) -> None:
    place = world.record("talk.wav", audio=b"RIFF" + os.urandom(70_000))
    data = place.path.read_bytes()
    meant = resolve(world.context, place.path)
    if what == "a hold":
        hold(world.context, meant, "mine")
    elif what == "a rule of its own":
        set_rule(world.context, meant, "all", RetentionRule(never=True))
    grow(world, place.path)
    if what == "a note":
        say_keep(world.drop / "talk.md")
    place.path.write_bytes(data)
    arrive(world, place.path)
    finish(world, place.path)
    world.pass_days(60)
    assert world.plan() == set()


def test_what_a_restore_brings_back_is_held_also_when_its_recording_has_gone_on(world: World) -> None:
    place = world.record("a.wav", audio=b"RIFF" + os.urandom(70_000))
    world.pass_days(40)
    world.apply()
    assert "a.wav" not in world.files()
    copy = world.drop / "copy.wav"
    (row,) = (row for row in world.ledger.trash.in_state(TrashState.HERE) if row.kind is Kind.AUDIO)
    assert row.trashed is not None
    copy.write_bytes(row.trashed.read_bytes())
    assert arrive(world, copy) is What.AGAIN
    grow(world, copy)
    (row,) = (row for row in world.ledger.trash.in_state(TrashState.HERE) if row.kind is Kind.AUDIO)
    restore(world.context, row)
    assert arrive(world, place.path) is What.NEW
    finish(world, place.path)
    world.pass_days(60)
    assert "a.wav" not in world.plan()


def test_what_is_left_of_an_erasure_is_found_by_what_is_in_it(world: World) -> None:
    """Killed after it was announced; its owner renames the files before the next start."""
    place = world.record("talk.wav")

    def die(step: str) -> None:
        if step == "after:announce":
            raise KeyboardInterrupt

    world.stepping(die)
    with pytest.raises(KeyboardInterrupt):
        forget(world.context, Which(files=(place.path,)), lambda *_: True)
    world.stepping(lambda _: None)
    place.path.rename(world.drop / "moved.wav")
    note = (world.drop / "talk.md").rename(world.drop / "moved.md")
    note.write_text(note.read_text() + "mine\n")
    world.reopen()
    with world.ledger.acting():
        assert recover(world.context).recordings == 1
    assert world.files() == set()
