"""Ledgers in which one page is not what it was: a world with something of every kind of protection, and what comes of it.

Real ledgers and the real supervisor, in this process; only the workers are stand-ins (tests/standin_worker.py says why), and
the properties of a note are parsed once, as nothing changes in them: in pure Python that is two thirds of such a run.
"""

from __future__ import annotations

import functools
import os
import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from earmark.notes import frontmatter, keeping
from earmark.retention.doubt import DOUBT
from earmark.verbs.deciding import hold, set_rule
from earmark.verbs.forgetting import Which, forget
from earmark.verbs.opening import opened_context
from earmark.verbs.resolve import resolve
from earmark.verbs.sweeping import sweep

from tests.daemon_rig import Rig, run_child

DAY = 86_400.0
DEADLINE = 120.0
"""Seconds in which a daemon that repairs a ledger and sweeps once ends, on a machine that others use, too."""
LEAVES = (0x0A, 0x0D)
"""How a page begins that has rows of a table without row ids, and of one with them (sqlite.org/fileformat2.html, 1.6)."""
PROTECTED = ("held.m4a", "ruled.m4a", "kept.m4a")
POLICY = {
    "audio": {"keep_for": "30d"}, "transcript": {"keep_for": "30d"}, "summary": {"keep_for": "30d"},
    "fuse_items": 0, "fuse_percent": 0,
}  # fmt: skip


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


def emptied(file: Path, table: str) -> None:
    """Put in the place of a table's page, and of that of an index of it, one that is as valid, and has no rows."""
    with closing(sqlite3.connect(file)) as db:
        roots = db.execute(
            "SELECT rootpage FROM sqlite_master WHERE tbl_name = ? AND rootpage", (table,)
        ).fetchall()
        size = db.execute("PRAGMA page_size").fetchone()[0]
    data = bytearray(file.read_bytes())
    for (root,) in roots:
        kind = data[(root - 1) * size]
        assert kind in LEAVES, "its rows fit on one page"
        data[(root - 1) * size : root * size] = bytes((kind, 0, 0, 0, 0, *size.to_bytes(2), 0)) + bytes(
            size - 8
        )
    file.write_bytes(bytes(data))


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


@dataclass
class Tried:
    """What came of damages: how many of which kind, what was wrong, how often the rule still took what was due, and how
    often a person is asked before it does.
    """

    ways: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    taken: int = 0
    asked: int = 0
    slowest: float = 0.0

    def __str__(self) -> str:
        count = sum(self.ways.values())
        return (
            f"{count} damaged pages ({dict(self.ways)}): {len(self.faults)} failures; the rule still took what was due in"
            f" {self.taken}, a person was asked before in {self.asked}; the longest run took {self.slowest:.1f} s"
        )


def tried(world: Rig, seeds: Iterable[int]) -> Tried:
    """Damage a ledger in so many ways, one after the other, and let the daemon run. Each page is damaged by the seed that is
    its number, and by that and the number of pages.
    """
    world.bring_back("before")
    count, size = pages(world.installed.ledger_file)
    result = Tried()
    with parsed_once():
        for seed in seeds:
            dice = random.Random(seed)
            world.bring_back("before")
            page = seed % count if seed < 2 * count else dice.randrange(count)
            way = damage(world.installed.ledger_file, page, size, dice)
            result.ways[way] += 1
            began = time.monotonic()
            found = run_to_its_end(world)
            result.slowest = max(result.slowest, time.monotonic() - began)
            found += faults(world)
            aside = list(world.installed.state.glob("ledger.db.damaged-*"))
            if len([p for p in aside if not p.name.endswith(("-wal", "-shm"))]) > 2:
                found.append("repaired again and again")
            result.taken += not (world.folder / "due.m4a").exists()
            result.asked += DOUBT in world.troubles()
            result.faults += [f"seed {seed}, page {page + 1}, {way}: {fault}" for fault in found]
    return result


def run_to_its_end(world: Rig) -> list[str]:
    """What is wrong with how a daemon ended; one that is in a loop is told to stop."""
    daemon = world.supervisor(once=True)
    late = threading.Event()

    def stop() -> None:
        late.set()
        daemon.stop()

    timer = threading.Timer(DEADLINE, stop)
    timer.start()
    try:
        status = daemon.run()
    except Exception as error:
        return [f"ended with {type(error).__name__}: {error}"]
    finally:
        timer.cancel()
    if late.is_set():
        return [f"did not end within {DEADLINE} seconds"]
    return [] if status == os.EX_OK else [f"ended with {status}"]


@contextmanager
def parsed_once() -> Iterator[None]:
    """The properties of a note that were parsed before are not parsed again."""
    with (
        mock.patch.object(keeping, "_parsed", functools.lru_cache(4096)(keeping._parsed)),
        mock.patch.object(frontmatter, "_parse", functools.lru_cache(4096)(frontmatter._parse)),
    ):
        yield
