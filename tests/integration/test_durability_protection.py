"""What protects outlasts damage: any one page of the ledger may be lost, and nothing that is held goes, nothing that was
erased is heard again, and the daemon comes to an end of it.

Real ledgers, real processes; only the workers are stand-ins (tests/standin_worker.py says why).
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from earmark.domain import Instant
from earmark.errors import EarmarkError
from earmark.ledger import Ledger
from earmark.ledger.repair import Repaired, finish, repair
from earmark.verbs.deciding import hold, set_rule
from earmark.verbs.forgetting import Which, forget
from earmark.verbs.opening import opened_context
from earmark.verbs.resolve import resolve
from earmark.verbs.sweeping import sweep

from tests.conftest import in_memory
from tests.daemon_rig import Rig, run_child

pytest_plugins = ("tests.retention_root",)

DAY = 86_400.0
DAMAGES = 120
"""Each of the ledger's pages once, of which there are some hundred, and a few of them twice."""
PROTECTED = ("held.m4a", "ruled.m4a", "kept.m4a")
POLICY = {
    "audio": {"keep_for": "30d"}, "transcript": {"keep_for": "30d"}, "summary": {"keep_for": "30d"},
    "fuse_items": 0, "fuse_percent": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def world() -> Iterator[Rig]:
    with in_memory() as folder:
        yield made_in(folder)


def made_in(root: Path) -> Rig:
    """A folder with something of every kind of protection, and something that is due, kept as "before"."""
    rig = Rig(root, {"retention": dict(POLICY)})
    for name in (*PROTECTED, "due.m4a", "erased.m4a", *(f"other {n}.m4a" for n in range(12))):
        rig.drop(name, f"what was said in {name}")
    assert run_child(rig) == 0
    note = rig.folder / "kept.md"
    note.write_text(note.read_text().replace("---\n", "---\nkeep: true\n", 1))
    with opened_context(rig.installed, rig.config()) as context:
        context.folders = (rig.folder,)
        hold(context, resolve(context, rig.folder / "held.m4a"), "a case in court")
        for number in range(12):
            hold(context, resolve(context, rig.folder / f"other {number}.m4a"), "")
        never = context.config.retention.audio.model_copy(update={"never": True, "keep_for": None})
        set_rule(context, resolve(context, rig.folder / "ruled.m4a"), "all", never)
        assert forget(context, Which(files=(rig.folder / "erased.m4a",)), lambda *_: True) is not None
        sweep(context, None, lambda _: True)  # a person has seen the policy
        assert context.ledger.protection.second.is_whole()
    # Its note is seen and then goes out of sight; the erased content comes back; forty days pass.
    assert run_child(rig) == 0
    note.rename(rig.root / "moved away.md")
    rig.drop("erased.m4a", "what was said in erased.m4a")
    with closing(sqlite3.connect(rig.installed.ledger_file)) as db:
        db.execute(
            "UPDATE recordings SET done_at = done_at - ?, recorded_at = recorded_at - ?", (40 * DAY,) * 2
        )
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    rig.keep("before")
    return rig


def pages(file: Path) -> tuple[int, int]:
    """How many pages a ledger has, and how many bytes a page."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        return db.execute("PRAGMA page_count").fetchone()[0], db.execute("PRAGMA page_size").fetchone()[0]


def damage(file: Path, page: int, size: int, dice: random.Random) -> str:
    """Spoil one page in one of the ways that disks do; returns which."""
    data = bytearray(file.read_bytes())
    at = page * size
    way = dice.choice(("noise", "zeros", "a flipped bit", "the end is missing", "another page"))
    if way == "noise":
        data[at : at + size] = dice.randbytes(size)
    elif way == "zeros":
        data[at : at + size] = bytes(size)
    elif way == "a flipped bit":
        for _ in range(dice.choice((1, 8, 64))):
            data[at + dice.randrange(size)] ^= 1 << dice.randrange(8)
    elif way == "the end is missing":
        half = dice.randrange(1, size)
        data[at + half : at + size] = bytes(size - half)
    else:
        other = dice.randrange(len(data) // size) * size
        data[at : at + size] = data[other : other + size]
    file.write_bytes(bytes(data))
    return way


def faults(rig: Rig) -> list[str]:
    """What must not be so after the daemon has run."""
    found = [f"taken: {name}" for name in PROTECTED if not (rig.folder / name).exists()]
    found += [f"taken: other {n}.m4a" for n in range(12) if not (rig.folder / f"other {n}.m4a").exists()]
    found += [f"heard again: {name}" for name in rig.notes() if name.startswith("erased")]
    return found


@pytest.mark.shows("durability:any-page-may-lost")
def test_the_rules_do_take_what_nothing_protects(world: Rig) -> None:
    world.bring_back("before")
    assert run_child(world) == 0
    assert faults(world) == []
    assert not (world.folder / "due.m4a").exists()
    assert "erased" in " ".join(world.troubles().values())


@dataclass
class Tried:
    """What came of damages: how many of which kind, what was wrong, how often the rule still took what was due."""

    ways: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    taken: int = 0
    slowest: float = 0.0


def tried(world: Rig, seeds: range) -> Tried:
    """Damage a ledger in so many ways, one after the other, and let the daemon run."""
    world.bring_back("before")
    count, size = pages(world.installed.ledger_file)
    result = Tried()
    for seed in seeds:
        dice = random.Random(seed)
        world.bring_back("before")
        page = seed % count if seed < 2 * count else dice.randrange(count)
        way = damage(world.installed.ledger_file, page, size, dice)
        result.ways[way] += 1
        began = time.monotonic()
        status = run_child(world)  # ends within its deadline, or this raises: no loop
        result.slowest = max(result.slowest, time.monotonic() - began)
        found = faults(world)
        if status != 0:
            found.append(f"ended with {status}")
        aside = list(world.installed.state.glob("ledger.db.damaged-*"))
        if len([p for p in aside if not p.name.endswith(("-wal", "-shm"))]) > 2:
            found.append("repaired again and again")
        result.taken += not (world.folder / "due.m4a").exists()
        result.faults += [f"seed {seed}, page {page + 1}, {way}: {fault}" for fault in found]
    return result


@pytest.mark.shows("retention:damage")
@pytest.mark.shows("durability:any-page-may-lost")
@pytest.mark.shows("retention:anything-after-damage-may")
def test_a_damaged_page_of_the_ledger_never_lets_go_of_what_is_protected(
    world: Rig, record_property: Callable[[str, object], None]
) -> None:
    world.bring_back("before")
    assert pages(world.installed.ledger_file)[0] <= DAMAGES, "each page is damaged once"
    result = tried(world, range(DAMAGES))
    record_property(
        "said",
        f"{DAMAGES} damaged pages ({dict(result.ways)}): {len(result.faults)} failures; the rule still took what was due in"
        f" {result.taken}; the longest run took {result.slowest:.1f} s",
    )
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
    for table in ("holds", "item_rules", "notes_seen", "tombstones"):
        world.bring_back("before")
        (world.installed.state / "protection.jsonl").unlink()
        data = bytearray(world.installed.ledger_file.read_bytes())
        data[(roots[table] - 1) * size : roots[table] * size] = b"\xff" * size
        world.installed.ledger_file.write_bytes(bytes(data))
        for _ in range(2):
            assert run_child(world) == 0
            assert (world.folder / "due.m4a").exists(), "nothing goes while nobody knows what is held"
            assert [f for f in faults(world) if f.startswith("taken")] == []
            assert "earmark retention trust" in world.troubles()["[protection]"]
    assert count > 20


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
        assert run_child(world) == 0
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
