"""What protects outlasts damage: any one page of the ledger may be lost, and nothing that is held goes, nothing that was
erased is heard again, and the daemon comes to an end of it.

Real ledgers, real processes; only the workers are stand-ins (tests/standin_worker.py says why).
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from earmark.cli.doctor import _ledger_troubles
from earmark.domain import Instant
from earmark.errors import EarmarkError
from earmark.ledger import Ledger
from earmark.ledger.connection import MIGRATIONS
from earmark.ledger.digests import Digests
from earmark.ledger.repair import Repaired, finish, repair
from earmark.ledger.second_copy import SecondCopy
from earmark.retention import sweep_by_clock
from earmark.retention.doubt import DOUBT
from earmark.verbs.deciding import hold, trust
from earmark.verbs.forgetting import Which, forget
from earmark.verbs.opening import opened_context
from earmark.verbs.resolve import resolve

from tests.conftest import in_memory
from tests.daemon_rig import Rig, run_child
from tests.damaged_pages import (
    PROTECTED,
    damage,
    emptied,
    faults,
    made_in,
    pages,
    parsed_once,
    run_to_its_end,
    tried,
)

pytest_plugins = ("tests.retention_root",)

DAMAGES = 120
"""Each of the ledger's pages once, of which there are some hundred, and a few of them twice."""


@pytest.fixture(scope="module")
def world() -> Iterator[Rig]:
    with in_memory() as folder:
        yield made_in(folder)


@pytest.mark.shows("durability:any-page-may-lost")
def test_the_rules_do_take_what_nothing_protects(world: Rig) -> None:
    world.bring_back("before")
    assert run_child(world) == 0
    assert faults(world) == []
    assert not (world.folder / "due.m4a").exists()
    assert "erased" in " ".join(world.troubles().values())


@pytest.mark.shows("retention:damage")
@pytest.mark.shows("durability:any-page-may-lost")
@pytest.mark.shows("retention:anything-after-damage-may")
def test_a_damaged_page_of_the_ledger_never_lets_go_of_what_is_protected(
    world: Rig, record_property: Callable[[str, object], None]
) -> None:
    world.bring_back("before")
    assert pages(world.installed.ledger_file)[0] <= DAMAGES, "each page is damaged once"
    result = tried(world, range(DAMAGES))
    record_property("said", str(result))
    assert result.faults == []
    assert result.taken > DAMAGES / 3


@pytest.mark.shows("retention:damage")
@pytest.mark.shows("durability:any-page-may-lost")
def test_without_the_second_copy_a_damaged_ledger_stops_every_sweep_until_a_person_looks(world: Rig) -> None:
    world.bring_back("before")
    count, size = pages(world.installed.ledger_file)
    with Ledger(world.installed.ledger_file) as ledger:
        roots = {
            row["name"]: row["rootpage"] for row in ledger.db.all("SELECT name, rootpage FROM sqlite_master")
        }
    for table in ("holds", "item_rules", "notes_seen", "tombstones", "keys", "policies"):
        world.bring_back("before")
        (world.installed.state / "protection.jsonl").unlink()
        data = bytearray(world.installed.ledger_file.read_bytes())
        data[(roots[table] - 1) * size : roots[table] * size] = b"\xff" * size
        world.installed.ledger_file.write_bytes(bytes(data))
        for _ in range(2):
            assert run_child(world) == 0
            assert (world.folder / "due.m4a").exists(), "nothing goes while nobody knows what is held"
            assert faults(world) == []
            assert "earmark retention trust" in world.troubles()["[protection]"]
    assert count > 20


WORDS = {
    "holds": "the list of holds",
    "item_rules": "the rules for single recordings",
    "notes_seen": "the notes that say `keep`",
    "tombstones": "the list of what was erased",
    "policies": "the list of retention policies",
}


@pytest.mark.shows("retention:damage")
@pytest.mark.shows("durability:another-valid-page")
@pytest.mark.parametrize("table", WORDS)
def test_a_page_that_is_valid_and_another_one_beside_an_emptied_copy_takes_and_hears_nothing(
    world: Rig, table: str
) -> None:
    world.bring_back("before")
    emptied(world.installed.ledger_file, table)
    with closing(sqlite3.connect(world.installed.ledger_file)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok", (
            "SQLite finds nothing wrong with it"
        )
    (world.installed.state / "protection.jsonl").write_bytes(b"")
    with parsed_once():
        for _ in range(2):
            assert run_to_its_end(world) == []
            assert faults(world) == []
            assert (world.folder / "due.m4a").exists(), "nothing goes while nobody knows what is held"
            assert WORDS[table] in world.troubles()[DOUBT]
            assert "earmark retention trust" in world.troubles()[DOUBT]
            assert ("no content is heard" in world.troubles()[DOUBT]) == (table == "tombstones")


@pytest.mark.shows("durability:another-valid-page")
def test_what_waited_because_it_may_have_been_erased_is_heard_when_a_person_says_so(world: Rig) -> None:
    world.bring_back("before")
    emptied(world.installed.ledger_file, "tombstones")
    (world.installed.state / "protection.jsonl").write_bytes(b"")
    world.drop("new.m4a", "what nobody has said before")
    with parsed_once():
        assert run_to_its_end(world) == []
        assert not (world.folder / "new.transcript.md").exists()
        assert "earmark retention trust" in world.troubles()[str(world.folder / "new.m4a")]
        with opened_context(world.installed, world.config()) as context:
            assert trust(context)
        assert run_to_its_end(world) == []
    assert (world.folder / "new.transcript.md").exists()
    assert DOUBT not in world.troubles()


@pytest.mark.shows("durability:another-valid-page")
@pytest.mark.parametrize("table", [name for name in WORDS if name != "policies"])
def test_a_page_that_is_valid_and_another_one_comes_back_from_the_copy(world: Rig, table: str) -> None:
    world.bring_back("before")
    emptied(world.installed.ledger_file, table)
    with parsed_once():
        assert run_to_its_end(world) == []
    assert faults(world) == []
    assert not (world.folder / "due.m4a").exists()
    assert WORDS[table] in " ".join(world.events("protection-restored"))
    assert DOUBT not in world.troubles()


@pytest.mark.shows("durability:another-valid-page")
def test_a_rule_that_an_older_page_brings_back_is_taken_out_again(world: Rig) -> None:
    world.bring_back("before")
    with closing(sqlite3.connect(world.installed.ledger_file)) as db:
        (recording,) = db.execute(
            "SELECT recording_id FROM places WHERE CAST(path AS TEXT) LIKE '%other 3.m4a'"
        ).fetchone()
        db.execute("DELETE FROM holds WHERE recording_id = ?", (recording,))
        db.execute("INSERT INTO item_rules VALUES (?, 'audio', '{\"keep_for\": \"1d\"}', 1.0)", (recording,))
        db.commit()
    with parsed_once():
        assert run_to_its_end(world) == []
    assert faults(world) == []
    assert world.query("SELECT 1 FROM item_rules WHERE recording_id = ?", recording) == []


@pytest.mark.shows("durability:another-valid-page")
def test_a_page_that_becomes_another_one_while_the_daemon_runs_stops_the_next_sweep(world: Rig) -> None:
    world.bring_back("before")
    with opened_context(world.installed, world.config()) as context:
        context.folders = (world.folder,)
        context.ledger.db.execute("DELETE FROM holds")
        (world.installed.state / "protection.jsonl").write_bytes(b"")
        sweep_by_clock(context)
    assert faults(world) == []
    assert (world.folder / "due.m4a").exists()
    assert WORDS["holds"] in world.troubles()[DOUBT]


@pytest.mark.shows("durability:another-valid-page")
def test_the_doctor_says_that_other_rows_are_there_before_a_daemon_does(world: Rig) -> None:
    world.bring_back("before")
    emptied(world.installed.ledger_file, "tombstones")
    said = list(_ledger_troubles(world.installed, world.config(), running=False))
    assert any(WORDS["tombstones"] in sentence for sentence in said)


@pytest.mark.shows("durability:another-valid-page")
@pytest.mark.parametrize("at", ["the copy", "the digests"])
def test_a_kill_while_a_hold_is_written_down_is_no_doubt(
    world: Rig, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    world.bring_back("before")

    def die(*_: object) -> None:
        raise Killed

    with opened_context(world.installed, world.config()) as context:
        context.folders = (world.folder,)
        meant = resolve(context, world.folder / "due.m4a")
        monkeypatch.setattr(
            SecondCopy if at == "the copy" else Digests, "write" if at == "the copy" else "_take", die
        )
        with pytest.raises(Killed):
            hold(context, meant, "mine")
        monkeypatch.undo()
    with parsed_once():
        assert run_to_its_end(world) == []
    assert faults(world) == []
    assert DOUBT not in world.troubles()
    assert (world.folder / "due.m4a").exists() == (at == "the copy"), "held, or not"


@pytest.mark.shows("durability:another-valid-page")
def test_a_ledger_of_an_older_version_gets_its_digests_and_no_doubt(world: Rig) -> None:
    world.bring_back("before")
    with closing(sqlite3.connect(world.installed.ledger_file)) as db:
        db.execute("DROP TABLE digests")
        db.execute(f"PRAGMA user_version = {MIGRATIONS.index('0022_digests.sql')}")
        db.commit()
    with parsed_once():
        assert run_to_its_end(world) == []
    assert faults(world) == []
    assert DOUBT not in world.troubles()
    assert len({value for (value,) in world.query("SELECT sha256 FROM digests")} - {""}) > 5


class Killed(BaseException):
    """The process is no more."""


@pytest.mark.shows("durability:any-page-may-lost")
def test_a_repair_that_is_killed_at_any_step_is_finished_or_done_again(
    world: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename, unlink = Path.rename, Path.unlink
    acts = 0
    for at in range(1, 30):
        world.bring_back("before")
        file = world.installed.ledger_file
        count, size = pages(file)
        damage(file, count // 2, size, random.Random(3))
        acts = 0

        def die(at: int = at) -> None:
            nonlocal acts
            acts += 1
            if acts == at:
                raise Killed

        def dying_rename(self: Path, target: Path) -> Path:
            die()
            return rename(self, target)

        def dying_unlink(self: Path, missing_ok: bool = False) -> None:
            die()
            unlink(self, missing_ok=missing_ok)

        def told(_: Ledger, __: Repaired) -> None:
            die()

        monkeypatch.setattr(Path, "rename", dying_rename)
        monkeypatch.setattr(Path, "unlink", dying_unlink)
        try:
            repair(file, Instant(time.time()), told, lambda: None)
            done = True
        except Killed:
            done = False
        finally:
            monkeypatch.undo()
        finish(file, Instant(time.time()))
        with parsed_once():
            assert run_to_its_end(world) == []
        assert faults(world) == []
        assert len(world.query("SELECT 1 FROM holds")) == 13
        if done:
            break
    assert acts > 5


@pytest.mark.shows("durability:any-page-may-lost")
def test_a_damaged_ledger_is_no_reason_to_forget_without_asking_what_holds(world: Rig) -> None:
    world.bring_back("before")
    with opened_context(world.installed, world.config()) as context:
        context.folders = (world.folder,)
        for name in PROTECTED:
            with pytest.raises(EarmarkError, match="held"):
                forget(context, Which(files=(world.folder / name,)), lambda *_: True)
    assert faults(world) == []
