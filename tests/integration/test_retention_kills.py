"""Killed at every durable step of apply, purge, restore and erase: what is left, a rerun completes.

The kill is a real one (SIGKILL to a forked process), at each step in turn, enumerated from an undisturbed run.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from earmark.domain import TrashState
from earmark.retention import receipts
from earmark.retention.erasure.copies import find
from earmark.retention.erasure.erase import erase
from earmark.retention.erasure.erase import recover as recover_erasures
from earmark.retention.erasure.tombstones import tombstoned
from earmark.retention.sweep.apply import apply, purge_due
from earmark.retention.trash.recovery import recover
from earmark.retention.trash.restoring import restore

from tests.retention_world import T0, World

pytest_plugins = ("tests.retention_root",)

Step = Callable[[str], None]
POLICY = {"audio": {"keep_for": "10d"}, "transcript": {"keep_for": "10d"}}
NAMES = ("a.wav", "b.wav")


def world_at(root: Path, days: float) -> World:
    world = World(root, POLICY)
    world.now = T0
    world.pass_days(days)
    return world


def do_apply(world: World, step: Step) -> None:
    world.stepping(step)
    recover(world.context)
    apply(world.context, world.planned())


def do_purge(world: World, step: Step) -> None:
    world.stepping(step)
    recover(world.context)
    purge_due(world.context)


def do_restore(world: World, step: Step) -> None:
    world.stepping(step)
    recover(world.context)
    for row in world.ledger.trash.in_state(TrashState.HERE):
        restore(world.context, row)


def do_erase(world: World, step: Step) -> None:
    world.stepping(step)
    recover_erasures(world.context)
    wanted = [r.id for r in world.ledger.recordings.all()]
    erase(world.context, find(world.context, wanted), wanted)


def bytes_everywhere(root: Path) -> bytes:
    return b"".join(p.read_bytes() for p in root.rglob("*") if p.is_file())


def after_apply(world: World, originals: dict[str, bytes]) -> None:
    assert world.files() == {"a.md", "b.md"}
    rows = world.ledger.trash.in_state(TrashState.HERE)
    assert {r.original.name: r.trashed.read_bytes() for r in rows if r.trashed} == {
        name: data for name, data in originals.items() if not name.endswith((".md",)) or "transcript" in name
    }
    assert [r.act for r in world.ledger.receipts.all()] == ["trashed"] * 4


def after_purge(world: World, originals: dict[str, bytes]) -> None:
    assert len(world.ledger.trash.in_state(TrashState.PURGED)) == 4
    assert [p for p in (world.root / "state" / "trash").rglob("*") if p.is_file()] == []
    assert sorted(r.act for r in world.ledger.receipts.all()) == ["purged"] * 4 + ["trashed"] * 4


def after_restore(world: World, originals: dict[str, bytes]) -> None:
    assert {p.name: p.read_bytes() for p in world.drop.iterdir()} == originals
    assert len(world.ledger.trash.in_state(TrashState.RESTORED)) == 4
    assert world.plan() == set()
    assert [p for p in (world.root / "state" / "trash").rglob("*") if p.is_file()] == []


def after_erase(world: World, originals: dict[str, bytes]) -> None:
    left = bytes_everywhere(world.root)
    for name in NAMES:
        assert f"the secret of {name!a}".encode() not in left
        assert originals[name][1000:1064] not in left
    assert world.files() == set()
    assert world.ledger.places.all() == []
    assert [r.act for r in world.ledger.receipts.all()].count("erased") == 2
    assert world.ledger.erasing.begun() == []


Case = tuple[Callable[[World, Step], None], Callable[[World, dict[str, bytes]], None], float]
CASES: dict[str, Case] = {
    "apply": (do_apply, after_apply, 11),
    "purge": (do_purge, after_purge, 60),
    "restore": (do_restore, after_restore, 12),
    "erase": (do_erase, after_erase, 12),
}


def prepared(root: Path, case: str) -> dict[str, bytes]:
    """Two finished recordings; for everything but apply, with audio and transcripts in the trash already."""
    world = World(root, POLICY)
    for name in NAMES:
        world.record(name)
    originals = {p.name: p.read_bytes() for p in world.drop.iterdir()}
    if case != "apply":
        world.pass_days(11)
        assert world.apply().trashed == 4
    world.ledger.close()
    return originals


def killed_at(n: int, root: Path, days: float, act: Callable[[World, Step], None]) -> bool:
    """Run `act` in a process of its own that is killed at its n-th step; true if it got that far."""
    pid = os.fork()
    if pid == 0:
        try:
            world = world_at(root, days)
            seen = 0

            def step(_: str) -> None:
                nonlocal seen
                seen += 1
                if seen == n:
                    os.kill(os.getpid(), signal.SIGKILL)

            act(world, step)
        except BaseException:
            os._exit(3)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.waitstatus_to_exitcode(status) == 0
    return False


@pytest.mark.shows("retention:killed-at-any-step")
@pytest.mark.parametrize("case", CASES)
def test_killed_at_any_step_a_rerun_completes_it(case: str, root: Path) -> None:
    act, check, days = CASES[case]
    kills = 0
    for n in range(1, 200):
        here = root / str(n)
        here.mkdir()
        originals = prepared(here, case)
        if not killed_at(n, here, days, act):
            break
        kills += 1
        world = world_at(here, days)
        act(world, lambda _: None)
        check(world, originals)
        assert receipts.verify(world.ledger) == []
        assert world.ledger.trash.in_state(TrashState.MOVING, TrashState.RESTORING, TrashState.PURGING) == []
        world.ledger.close()
    assert kills >= 12, "the steps were not all enumerated"


def test_killed_twice_in_a_row_at_different_steps_nothing_is_lost(root: Path) -> None:
    act, check, days = CASES["apply"]
    for first, second in ((2, 1), (3, 1), (3, 3), (5, 2), (9, 4)):
        here = root / f"{first}-{second}"
        here.mkdir()
        originals = prepared(here, "apply")
        assert killed_at(first, here, days, act)
        killed_at(second, here, days, act)
        world = world_at(here, days)
        act(world, lambda _: None)
        check(world, originals)
        world.ledger.close()


def test_a_tombstone_stands_from_the_first_step_of_an_erasure_on(root: Path) -> None:
    prepared(root, "apply")
    world = world_at(root, 12)
    wanted = [r.id for r in world.ledger.recordings.all()]
    world.ledger.close()
    assert killed_at(2, root, 12, do_erase)
    world = world_at(root, 12)
    assert any(tombstoned(world.ledger, i) for i in wanted)
