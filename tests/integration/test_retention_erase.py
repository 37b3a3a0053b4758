"""Erasure, looked for byte by byte; receipts that cannot be tampered with; export that verifies."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from earmark.domain import Instant, Kind, Segment
from earmark.errors import UsageError
from earmark.events import Event
from earmark.export import export, verify
from earmark.files import Folder, remove
from earmark.messages import Heard
from earmark.retention import expires_on, how_it_went, receipts, why_refused
from earmark.retention.erasure import erase as erase_module
from earmark.retention.erasure import leftovers
from earmark.retention.erasure.copies import find
from earmark.retention.erasure.erase import Erased, erase, recover
from earmark.retention.erasure.matching import matching
from earmark.retention.erasure.tombstones import lift, tombstoned
from earmark.search.indexing import bring_up_to_date

from tests.retention_world import T0, World

pytest_plugins = ("tests.retention_root",)

SECRET = "the purple walrus signs on Thursday at noon"


@pytest.fixture
def world(root: Path) -> World:
    return World(root, {"audio": {"keep_for": "10d"}})


def forget(world: World, *ids: str) -> Erased:
    return erase(world.context, find(world.context, ids), ids)


def everything(folder: Path) -> bytes:
    return b"\n".join(p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file())


@pytest.mark.shows("retention:forget")
@pytest.mark.shows("privacy:forget")
def test_no_word_name_or_byte_of_an_erased_recording_is_left_anywhere(world: World) -> None:
    gone = world.record("walrus-meeting.wav", said=SECRET)
    kept = world.record("other.wav")
    world.note(gone, Kind.SIDECAR, ".srt", SECRET)
    heard = Heard(
        job=1, upto=5, segments=(Segment(0, 5, SECRET + " checkpoint"),), language="en",
        language_probability=1, speech_seconds=5,
    )  # fmt: skip
    world.ledger.words.hear(gone.recording_id, "{}", None, heard)
    world.ledger.journal.record(
        world.now, Event.RENAMED, "Renamed from walrus-meeting.wav.", kept.recording_id
    )
    (world.root / "state" / "daemon.log").write_text(f"accepted {gone.path}\nsomething else\n")
    (world.root / "state" / "status.json").write_text(json.dumps({"working": [str(gone.path)]}))
    audio = gone.path.read_bytes()
    bring_up_to_date(world.context, 60.0)
    assert world.ledger.index.count('"thursday"') == 1
    world.pass_days(11)
    assert world.apply().trashed == 2
    assert SECRET.encode() in everything(world.root)

    result = forget(world, gone.recording_id)

    assert result.complete, (result.remaining, result.found_again)
    left = everything(world.root)
    for needle in (SECRET.encode(), b"walrus-meeting", gone.recording_id.encode(), audio[100:160]):
        assert needle not in left
    assert (world.root / "state" / "daemon.log").read_text() == "something else\n"
    assert world.ledger.words.transcript(kept.recording_id) is not None
    assert "other.md" in world.files()


def test_the_search_for_what_is_left_can_find_something(world: World) -> None:
    place = world.record("a.wav", said=SECRET)
    needles = leftovers.needles_of(world.context, place.recording_id, [place.path], 100)
    assert SECRET.encode() in needles
    (world.root / "state" / "forgotten-copy.bin").write_bytes(b"x" * 100 + place.path.read_bytes())
    result = forget(world, place.recording_id)
    assert [p.name for p in result.found_again] == ["forgotten-copy.bin"]
    assert not result.complete


def test_words_that_another_recording_also_holds_are_no_alarm(world: World) -> None:
    a = world.record("a.wav", said=SECRET)
    world.record("b.wav", said=SECRET)
    assert forget(world, a.recording_id).complete
    assert SECRET.encode() in everything(world.root)


@pytest.mark.shows("retention:forget")
def test_copies_that_were_moved_renamed_or_kept_by_a_sync_client_go_too(world: World) -> None:
    place = world.record("a.wav", said=SECRET)
    (world.drop / "notes").mkdir()
    (world.drop / "a.md").rename(world.drop / "notes" / "My meeting.md")
    versions = world.drop / ".stversions"
    versions.mkdir()
    shutil.copy(place.path, versions / "a~20250101.wav")
    shutil.copy(world.drop / "a.transcript.md", versions / "a.transcript~20250101.md")
    bystander = world.drop / "bystander.md"
    bystander.write_text(f"---\ntitle: mine\n---\nI once linked {place.recording_id} here.\n")
    assert forget(world, place.recording_id).complete
    assert world.files() == {"bystander.md"}


def test_a_file_that_took_the_place_of_the_recording_is_not_touched(world: World) -> None:
    place = world.record("a.wav")
    place.path.write_bytes(b"a quite different recording")
    found = find(world.context, [place.recording_id])
    assert found.left[0][0] == place.path
    erase(world.context, found, [place.recording_id])
    assert place.path.read_bytes() == b"a quite different recording"


@pytest.mark.shows("retention:forget")
@pytest.mark.shows("privacy:forget", "readme:edited")
def test_an_edited_note_is_erased_too_and_said_to_be_edited(world: World) -> None:
    place = world.record("a.wav")
    with (world.drop / "a.md").open("a") as note:
        note.write("my own words\n")
    found = find(world.context, [place.recording_id])
    assert {c.path.name for c in found.copies if c.edited} == {"a.md"}
    assert forget(world, place.recording_id).complete
    assert world.files() == set()


@pytest.mark.shows("retention:tombstone")
@pytest.mark.shows("privacy:forget-stays")
def test_erased_content_is_refused_until_its_owner_asks_for_it(world: World) -> None:
    place = world.record("a.wav")
    assert not tombstoned(world.ledger, place.recording_id)
    forget(world, place.recording_id)
    assert tombstoned(world.ledger, place.recording_id)
    assert "--lift" in (why_refused(world.ledger, place.recording_id) or "")
    assert lift(world.context, place.recording_id)
    assert not tombstoned(world.ledger, place.recording_id)
    assert why_refused(world.ledger, place.recording_id) is None


@pytest.mark.shows("retention:tombstone")
def test_a_tombstone_of_one_installation_says_nothing_to_another(world: World, root: Path) -> None:
    place = world.record("a.wav")
    forget(world, place.recording_id)
    keyed_id = world.ledger.db.all("SELECT keyed_id FROM tombstones")[0]["keyed_id"]
    other = World(root / "other")
    assert receipts.keyed(other.ledger, place.recording_id) != keyed_id
    assert place.recording_id not in keyed_id


def test_a_folder_that_is_away_is_named_and_what_returns_with_it_is_refused(world: World) -> None:
    place = world.record("a.wav")
    world.drop.rename(world.root / "unmounted")
    found = find(world.context, [place.recording_id])
    assert [path for path, _ in found.left] == [world.drop]
    erase(world.context, found, [place.recording_id])
    assert tombstoned(world.ledger, place.recording_id)


def test_recordings_are_found_by_what_was_said_or_named(world: World) -> None:
    a = world.record("a.wav", said="We met Jane Döe about the WALRUS")
    b = world.record("jane döe.wav", said="nothing to hear")
    world.record("c.wav", said="somebody else")
    assert set(matching(world.context, "JANE DÖE")) == {a.recording_id, b.recording_id}


def test_a_file_that_cannot_be_removed_keeps_the_erasure_open(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests may run as root, whom no permission stops; so the refusal is played."""
    place = world.record("a.wav")

    def stubborn(folder: Folder, name: str, expected: str, **options: Any) -> Any:
        if name == "a.md":
            raise PermissionError(13, "Permission denied")
        return remove(folder, name, expected, **options)

    with monkeypatch.context() as patch:
        patch.setattr(erase_module, "remove", stubborn)
        result = forget(world, place.recording_id)
    assert not result.complete
    assert world.ledger.erasing.begun() == [place.recording_id]
    assert recover(world.context).receipts
    assert world.files() == set()
    assert world.ledger.erasing.begun() == []


def chain(world: World, count: int = 5) -> None:
    for n in range(count):
        with world.ledger.transaction():
            receipts.issue(world.ledger, Instant(T0 + n), "trashed", recording=f"{n}", bytes=n)


def tamper(world: World, sql: str) -> list[str]:
    """Change receipts behind earmark's back, triggers dropped first, as somebody with the file could."""
    with sqlite3.connect(world.ledger.db.file) as db:
        db.execute("DROP TRIGGER receipts_are_never_changed")
        db.execute("DROP TRIGGER receipts_are_never_removed")
        db.executescript(sql)
    return receipts.verify(world.ledger)


@pytest.mark.shows("retention:receipts")
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE receipts SET body = replace(body, '2', '3') WHERE seq = 3",
        "UPDATE receipts SET at = at + 1 WHERE seq = 1",
        "UPDATE receipts SET act = 'restored' WHERE seq = 5",
        "DELETE FROM receipts WHERE seq = 1",
        "DELETE FROM receipts WHERE seq = 3",
        "DELETE FROM receipts WHERE seq = 5",
        "DELETE FROM receipts",
        "DELETE FROM receipts WHERE seq = 3; UPDATE receipts SET seq = seq - 1 WHERE seq > 3",
        "UPDATE receipts SET seq = -seq WHERE seq IN (2, 3); UPDATE receipts SET seq = 5 + seq WHERE seq < 0",
        "INSERT INTO receipts SELECT 6, at, act, body, hash, hash FROM receipts WHERE seq = 5",
    ],
)
def test_a_changed_removed_moved_or_added_receipt_is_found(world: World, sql: str) -> None:
    chain(world)
    assert receipts.verify(world.ledger) == []
    assert tamper(world, sql) != []


def test_the_ledger_itself_refuses_to_change_or_remove_a_receipt(world: World) -> None:
    chain(world)
    for sql in ("UPDATE receipts SET act = 'x'", "DELETE FROM receipts"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            world.ledger.db.execute(sql)


@pytest.mark.shows("retention:receipts")
def test_a_rewritten_chain_is_found_by_the_key_that_its_forger_does_not_have(world: World) -> None:
    chain(world, 3)
    forged, prev = [], receipts.FIRST
    for r in world.ledger.receipts.all():
        honest = receipts.chained(r.seq, r.at, "restored", r.body, prev)
        forged.append(honest)
        prev = honest.hash
    assert receipts.problems(forged) == []
    rows = ";".join(
        f"UPDATE receipts SET act='{r.act}', prev='{r.prev}', hash='{r.hash}' WHERE seq={r.seq}"
        for r in forged
    )
    assert tamper(world, rows) != []


def test_old_receipts_can_be_cut_off_and_the_rest_still_verifies(world: World) -> None:
    chain(world, 6)
    assert receipts.prune(world.ledger, Instant(T0 + 3), Instant(T0 + 100)) == 3
    assert [r.seq for r in world.ledger.receipts.all()] == [4, 5, 6, 7]
    assert receipts.verify(world.ledger) == []
    assert receipts.prune(world.ledger, Instant(T0 + 3), Instant(T0 + 100)) == 0
    assert tamper(world, "DELETE FROM receipts WHERE seq = 4") != []


@pytest.mark.shows("retention:receipts")
@pytest.mark.shows("privacy:forget")
def test_receipts_hold_no_name_no_word_and_no_plain_hash(world: World) -> None:
    place = world.record("walrus-meeting.wav", said=SECRET)
    world.pass_days(11)
    world.apply()
    forget(world, place.recording_id)
    text = json.dumps([receipts.exported(r) for r in world.ledger.receipts.all()])
    assert "erased" in text
    for hidden in ("walrus", place.recording_id, str(world.drop)):
        assert hidden not in text


@pytest.mark.shows("retention:export")
@pytest.mark.shows("privacy:export")
@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_an_export_verifies_and_shows_what_was_changed_removed_or_added(
    world: World, root: Path, name: str
) -> None:
    world.record("a.wav")
    world.record("b.wav")
    chain(world, 2)
    target = root / name
    result = export(world.context, target)
    assert result.recordings == 2
    assert result.missing == []
    assert verify(target) == (len(result.entries), [])
    if name == "out":
        top = target
    else:
        top = root / "unpacked"
        with zipfile.ZipFile(target) as archive:
            archive.extractall(top)
    assert verify(top)[1] == []
    summed = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=top, capture_output=True, text=True)
    assert summed.returncode == 0, summed.stdout
    transcript = next(top.glob("recordings/a-*/transcript.json"))
    assert json.loads(transcript.read_text())["segments"][0]["text"].startswith("the secret of 'a.wav'")
    assert next(top.glob("recordings/a-*/a.wav")).read_bytes() == (world.drop / "a.wav").read_bytes()
    transcript.write_text("{}")
    next(top.glob("recordings/b-*/b.md")).unlink()
    (top / "extra").touch()
    problems = "\n".join(verify(top)[1])
    assert "changed: recordings/a-" in problems
    assert "missing: recordings/b-" in problems
    assert "not in the manifest: extra" in problems


def test_an_export_never_overwrites_and_leaves_nothing_half(world: World, root: Path) -> None:
    world.record("a.wav")
    (root / "out").mkdir()
    with pytest.raises(UsageError, match="is there already"):
        export(world.context, root / "out")
    (world.drop / "a.md").unlink()
    result = export(world.context, root / "new" / "out.zip")
    assert len(result.missing) == 1
    assert [p.name for p in (root / "new").iterdir()] == ["out.zip"]


@pytest.mark.shows("retention:export")
def test_a_part_can_be_exported_by_date_and_folder(world: World, root: Path) -> None:
    world.record("talks/old.wav", dated=T0 - 1000)
    world.record("talks/new.wav")
    world.record("calls/new too.wav")
    assert export(world.context, root / "1", since=Instant(T0 - 10)).recordings == 2
    assert export(world.context, root / "2", folder=world.drop / "talks").recordings == 2


def test_names_with_any_bytes_are_exported(world: World, root: Path) -> None:
    world.record("sch\udcf6n?\n.wav")
    export(world.context, root / "out.zip")
    assert verify(root / "out.zip")[1] == []


@pytest.mark.shows("retention:notes-say")
def test_a_note_can_say_when_its_audio_expires_and_by_which_rule_it_went(world: World) -> None:
    place = world.record("a.wav")
    assert expires_on(world.context, place) == "2025-10-19"
    world.ledger.protection.hold(place.recording_id, "", world.now)
    assert expires_on(world.context, place) is None
    world.ledger.protection.release_hold(place.recording_id)
    world.pass_days(11)
    world.apply()
    gone = world.ledger.places.at(place.path)
    assert gone is not None
    assert (
        how_it_went(world.context, gone)
        == "The audio went to the trash on 2025-10-20 by the rule audio: keep_for 10d (class)."
    )
