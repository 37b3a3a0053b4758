"""Recordings and notes of which iCloud has the bytes and this Mac the names: nothing of them is opened, lost or blamed."""

from __future__ import annotations

import errno
import os
import plistlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from earmark.context import Context
from earmark.domain import Fault, Instant
from earmark.files import pack_path
from earmark.files.cloud import evicted_name, where
from earmark.ledger import Ledger
from earmark.messages import Failed, Finished, TranscribeRequest
from earmark.retention.erasure.copies import find
from earmark.retention.sweep.planning import plan_now
from earmark.service.checks import check_folder
from earmark.service.units import unit_text

from tests.conftest import SAMPLE, wait_for
from tests.daemon_rig import Live, Rig, run_child
from tests.mac_files import Mac, Opened, mac
from tests.speech import WorkerProcess, digest
from tests.told_disk import ToldDisk, told_disk

__all__ = ["mac"]

SENTENCE = "is in iCloud only; choose Keep Downloaded in the Finder"


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[ToldDisk]:
    with told_disk(tmp_path) as mounted:
        yield mounted


def test_which_cloud_has_a_file_and_for_what_a_placeholder_stands_is_told_by_names() -> None:
    assert where("/Users/anna/Documents/a.m4a") == SENTENCE
    assert where("/Users/anna/Library/CloudStorage/OneDrive-Work/a.m4a").startswith("is in OneDrive only;")
    assert (evicted_name(".a.m4a.icloud"), evicted_name("a.icloud"), evicted_name("..icloud")) == (
        "a.m4a",
        None,
        None,
    )


def test_the_agent_of_launchd_downloads_nothing() -> None:
    agent = plistlib.loads(unit_text("launchd/org.earmark.daemon.plist").encode())
    assert agent["MaterializeDatalessFiles"] is False


@pytest.mark.shows("macos:cloud")
@pytest.mark.shows("architecture:cloud")
def test_a_new_file_that_is_in_the_cloud_only_waits_unopened_and_is_taken_when_it_is_here(
    rig: Rig, mac: Mac
) -> None:
    new, folder = rig.drop("new.m4a", "new"), rig.drop("Monday/one.m4a", "one").parent
    rig.drop(".old.m4a.icloud", "bplist")
    mac.evict(new, folder)
    opened = Opened(new, folder / "one.m4a")
    with Live(rig):
        wait_for(lambda: len(rig.troubles()) == 3, 20, "the sentences")
        assert rig.troubles() == {
            str(rig.folder / name): SENTENCE for name in ("new.m4a", "Monday", "old.m4a")
        }
        assert opened.files() == set()
        mac.download(new, folder)
        (rig.folder / ".old.m4a.icloud").unlink()
        rig.drop("old.m4a", "old")
        wait_for(lambda: len(rig.notes()) == 6, 20, "the notes of what was downloaded")
    assert rig.troubles() == {}
    opened.close()


@pytest.mark.shows("macos:cloud")
@pytest.mark.shows("architecture:cloud")
def test_a_known_recording_that_was_evicted_is_no_trouble_and_neither_it_nor_its_notes_go(
    rig: Rig, mac: Mac
) -> None:
    rig.sections = {"retention": {"audio": {"keep_for": "1d"}, "summary": {"keep_for": "1d"}}}
    audio, note = rig.drop("one.m4a", "one"), rig.folder / "one.md"
    assert run_child(rig) == 0
    mac.evict(audio, note)
    opened = Opened(audio, note)
    for _ in range(2):
        assert rig.run_once() == 0
    assert rig.troubles() == {}
    assert rig.events("missing") == []
    assert opened.files() == set()
    with Ledger(rig.installed.ledger_file) as ledger:
        context = Context(ledger, rig.installed, rig.config(), (rig.folder,))
        plan = plan_now(context, at=Instant(context.now() + 30 * 86_400), keep_all=True)
        stays = {decision.item.path: decision.reason for decision in plan.kept}
        left = find(context, [ledger.recordings.all()[0].id]).left
    assert plan.goes == []
    assert "in iCloud only, and nobody can see" in stays[audio]
    assert SENTENCE in stays[note]
    assert dict(left) == dict.fromkeys((audio, note), f"{SENTENCE}, and forget it again")
    assert opened.files() == set()
    assert check_folder(rig.folder).ok
    opened.close()


@pytest.mark.shows("architecture:cloud")
def test_an_older_placeholder_stands_for_its_recording_and_for_its_note(rig: Rig, mac: Mac) -> None:
    audio = rig.drop("one.m4a", "one")
    assert run_child(rig) == 0
    before = rig.notes()
    for file in (audio, rig.folder / "one.md"):
        file.rename(file.with_name(f".{file.name}.icloud"))
    with Ledger(rig.installed.ledger_file) as ledger:
        ledger.db.execute("UPDATE places SET owed = 'policy changed'")
    for _ in range(2):
        rig.run_once()
    assert rig.query("SELECT count(*) FROM places WHERE gone_at IS NULL") == [(1,)]
    assert rig.query("SELECT count(*) FROM removed") == [(0,)]
    assert set(rig.notes()) == {"one.transcript.md"}
    for file in (audio, rig.folder / "one.md"):
        file.with_name(f".{file.name}.icloud").rename(file)
    assert rig.run_once() == 0
    assert rig.notes() == before
    assert len(rig.events("transcribed")) == 1


@pytest.mark.shows("architecture:cloud")
def test_a_recording_that_is_evicted_before_it_is_heard_costs_no_attempt(rig: Rig, mac: Mac) -> None:
    rig.sections = {"transcription": {"model": "none of this name"}}
    audio = rig.drop("one.m4a", "one")
    assert rig.run_once() == 69
    rig.sections = {}
    os.utime(audio, (1.7e9, 1.7e9))
    with Ledger(rig.installed.ledger_file) as ledger:
        ledger.db.execute("UPDATE places SET mtime_ns = ?", (audio.stat().st_mtime_ns,))
    mac.evict(audio)
    opened = Opened(audio)
    with Live(rig):
        wait_for(
            lambda: rig.query("SELECT 1 FROM jobs WHERE reason LIKE ?", f"%{SENTENCE}%"), 20, "the reason"
        )
        assert {attempts for _, _, attempts in rig.jobs()} == {0}
        assert opened.files() == set()
        mac.download(audio)
        wait_for(lambda: len(rig.notes()) == 2, 20, "the notes")
    assert {attempts for _, _, attempts in rig.jobs()} == {1}
    opened.close()


@pytest.mark.shows("architecture:cloud")
def test_what_the_system_refuses_to_download_is_the_same_sentence_for_daemon_and_worker(
    disk: ToldDisk,
) -> None:
    """EDEADLK, as a job of launchd gets it, with no flag to be seen before."""
    rig = Rig(disk.at.parent)
    rig.folder.rmdir()
    rig.folder.symlink_to(disk.at)
    disk.in_cloud()
    (disk.backing / "one.m4a").write_text("one")
    with Live(rig):
        wait_for(rig.troubles, 20, "the sentence")
        assert rig.troubles() == {str(rig.folder / "one.m4a"): SENTENCE}
        (disk.told / "cloud").unlink()
        wait_for((disk.backing / "one.md").exists, 20, "the note")
    assert rig.troubles() == {}


@pytest.mark.shows("architecture:cloud")
@pytest.mark.parametrize("number", [errno.EDEADLK, errno.EIO])
def test_what_cannot_even_be_looked_up_is_said_and_neither_it_nor_what_is_in_it_is_missing(
    rig: Rig, mac: Mac, number: int
) -> None:
    rig.drop("Calls/one.m4a", "one")
    known = rig.drop("two.m4a", "two")
    assert rig.run_once() == 0
    new = rig.drop("three.m4a", "three")
    mac.refuse(number, rig.folder / "Calls", known, new)
    assert rig.run_once() == 74
    said, of = SENTENCE, ["Calls", "three.m4a"]
    if number == errno.EIO:
        said, of = "cannot be read: Input/output error", [*of, "two.m4a"]
    assert rig.troubles() == {str(rig.folder / name): said for name in of}
    assert rig.events("missing") == []
    mac.refused.clear()
    assert rig.run_once() == 0
    assert (rig.troubles(), len(rig.events("transcribed"))) == ({}, 3)


@pytest.mark.speech
@pytest.mark.shows("architecture:cloud")
def test_a_worker_says_so_whether_the_bytes_are_missing_from_the_first_or_go_while_it_hears(
    disk: ToldDisk,
) -> None:
    (disk.backing / "talk.m4a").write_bytes(SAMPLE.read_bytes())
    talk = disk.at / "talk.m4a"
    with WorkerProcess([disk.at]) as worker:
        worker.ready()
        for number, after in enumerate((0, SAMPLE.stat().st_size + (1 << 16)), start=1):
            disk.in_cloud(after)
            worker.send(TranscribeRequest(job=number, path=pack_path(talk), recording_id=digest(SAMPLE)))
            while not isinstance(reply := worker.reply(), Failed):
                assert not isinstance(reply, Finished)
            assert (reply.fault, reply.sentence) == (Fault.CLOUD, f"The file {SENTENCE}.")
