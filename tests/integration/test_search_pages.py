"""Each page of the index of search, damaged in each of several ways: what is answered is right, or nothing is answered."""

from __future__ import annotations

import json
import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from earmark.assistants.tools import Tools
from earmark.cli.console import here
from earmark.cli.main import app
from earmark.errors import LedgerError
from earmark.ledger import Ledger
from earmark.ledger.index_check import is_derived
from earmark.supervisor.indexing import Indexing
from earmark.verbs.meaning import MeaningWorker
from typer.testing import CliRunner

from tests.daemon_rig import Rig, run_child
from tests.integration.test_search import told
from tests.integration.test_search_damage import owners, with_vectors_and_much_said
from tests.retention_world import World

pytest_plugins = ("tests.retention_root",)

PAGE = 4096

QUERIES = ("flowers", "walrus 49", "nobodysaidthis", "decide speaker:Sarah", "予算")

SAMPLE = 40
"""Damages of which the test tries each answer; all of them take minutes."""


@pytest.fixture
def world(root: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("EARMARK_HOME", str(root))
    monkeypatch.chdir(root)
    (root / "config").mkdir(exist_ok=True)
    (root / "config" / "config.toml").write_text('[summary]\nendpoint = "none"\n')
    return told(World(root))


@dataclass
class Damaged:
    """A ledger with one damage after the other. `pages`: by number, the table whose each is."""

    file: Path
    good: bytes
    pages: dict[int, str]

    def all(self, chance: random.Random) -> Iterator[tuple[str, str, bytes]]:
        """The table, what was done to it, and the file."""
        numbers = sorted(no for no, table in self.pages.items() if is_derived(table))
        kinds: dict[str, Callable[[bytes], bytes]] = {
            "zeros": lambda page: bytes(len(page)),
            "random": lambda page: chance.randbytes(len(page)),
            "some random bytes": lambda page: _some(page, chance),
            "a byte of a cell": lambda page: _a_byte(page, chance),
            "a bit of a cell": lambda page: _a_bit(page, chance),
        }
        for no in numbers:
            for kind, how in kinds.items():
                yield self.pages[no], kind, self._with({no: how(self._page(no))})
            other = chance.choice([each for each in numbers if each != no])
            swapped = {no: self._page(other), other: self._page(no)}
            yield self.pages[no], "swapped with one of another table", self._with(swapped)
            near = [each for each in numbers if each != no and self.pages[each] == self.pages[no]]
            if near:
                other = chance.choice(near)
                swapped = {no: self._page(other), other: self._page(no)}
                yield self.pages[no], "swapped with one of its own", self._with(swapped)

    def put(self, data: bytes) -> None:
        for beside in ("-wal", "-shm"):
            self.file.with_name(self.file.name + beside).unlink(missing_ok=True)
        self.file.write_bytes(data)

    def _page(self, no: int) -> bytes:
        return self.good[(no - 1) * PAGE : no * PAGE]

    def _with(self, pages: dict[int, bytes]) -> bytes:
        data = bytearray(self.good)
        for no, page in pages.items():
            data[(no - 1) * PAGE : no * PAGE] = page
        return bytes(data)


def _filled(page: bytes) -> list[int]:
    return [n for n, byte in enumerate(page) if byte] or [0]


def _some(page: bytes, chance: random.Random) -> bytes:
    data = bytearray(page)
    for n in chance.sample(range(len(page)), 60):
        data[n] = chance.randrange(256)
    return bytes(data)


def _a_byte(page: bytes, chance: random.Random) -> bytes:
    data = bytearray(page)
    n = chance.choice(_filled(page))
    data[n] = (data[n] + chance.randrange(1, 256)) % 256
    return bytes(data)


def _a_bit(page: bytes, chance: random.Random) -> bytes:
    data = bytearray(page)
    data[chance.choice(_filled(page))] ^= 1 << chance.randrange(8)
    return bytes(data)


def asked(verb: str, query: str, *more: str) -> tuple[int, Any]:
    """Its exit code, and what it says."""
    said = CliRunner().invoke(app, [verb, *more, "--", query], env={"COLUMNS": "200"})
    if said.exit_code:
        assert said.stderr.startswith("earmark: "), said.output
        assert "went wrong" not in said.stderr, said.output
        assert len(said.stderr.splitlines()) <= 3, said.stderr
        return said.exit_code, said.stderr
    return 0, json.loads(said.stdout) if more else said.stdout


WAYS = (("search",), ("search", "--json"), ("ask",))


def damaged(world: World) -> Damaged:
    with_vectors_and_much_said(world)
    file = world.ledger.file
    world.ledger.db.fold()
    world.ledger.close()
    return Damaged(file, file.read_bytes(), owners(file))


def tried(
    index: Damaged, damages: list[tuple[str, str, bytes]], chance: random.Random | None
) -> Counter[str]:
    """How often each came out; raises where an answer is wrong. `chance`: one way and query for each damage only."""
    index.put(index.good)
    combined = [(way, query) for way in WAYS for query in QUERIES]
    right = {each: asked(each[0][0], each[1], *each[0][1:]) for each in combined}
    assert {code for code, _ in right.values()} == {0}
    seen: Counter[str] = Counter()
    for table, kind, data in damages:
        for way, query in combined if chance is None else [chance.choice(combined)]:
            index.put(data)
            code, said = asked(way[0], query, *way[1:])
            assert code or said == right[way, query][1], (table, kind, way, query, said)
            seen[f"{table}: {kind}: {'a sentence' if code else 'right'}"] += 1
            seen["a sentence" if code else "right"] += 1
    return seen


@pytest.mark.shows("search:damage")
def test_a_damaged_page_of_the_index_gives_a_right_answer_or_a_sentence_and_never_a_wrong_answer(
    world: World,
) -> None:
    index, chance = damaged(world), random.Random(15)
    seen = tried(index, chance.sample([*index.all(chance)], SAMPLE), chance)
    assert seen["right"] > SAMPLE * 0.9, seen
    index.put(index.good)
    world.context.ledger = Ledger(index.file)


def break_a_block(file: Path) -> None:
    """Sixty bytes in each page with words are others; all else is as it was."""
    index = Damaged(file, file.read_bytes(), owners(file))
    chance, data = random.Random(15), bytearray(index.good)
    for no, table in index.pages.items():
        if table == "passages_fts_data":
            at = (no - 1) * PAGE
            for n in chance.sample(range(100, PAGE), 60):
                data[at + n] = chance.randrange(256)
    index.put(bytes(data))


def swap_two_words(file: Path) -> None:
    """One word more or less is found, and nothing else can be told by what is read: only by looking at all of it."""
    with closing(sqlite3.connect(file)) as db, db:
        for id, block in db.execute("SELECT id, block FROM passages_fts_data").fetchall():
            if b"flower" in block:
                other = block.replace(b"flower", b"flowes")
                db.execute("UPDATE passages_fts_data SET block = ? WHERE id = ?", (other, id))


@pytest.mark.shows("search:damage", "assistants:damage")
def test_who_can_only_read_says_in_one_sentence_that_the_index_is_damaged_and_never_that_nothing_is_there(
    world: World,
) -> None:
    with_vectors_and_much_said(world)
    recording = world.place("calls/walk.m4a").recording_id
    world.ledger.db.fold()
    world.ledger.close()
    file = world.ledger.file
    home, config = here()
    tools = Tools(home, config, "nobody", MeaningWorker(home, config))
    asks: list[tuple[str, dict[str, Any]]] = [
        ("search", {"query": "flowers"}), ("search", {"query": "nobodysaidthis"}), ("read", {"recording": recording[:16]}),
        ("ask", {"question": "What about the flowers?"}),
    ]  # fmt: skip
    assert all("wrong" not in tools.call(*each) for each in asks)
    for damage in (break_a_block, swap_two_words):
        damage(file)
        before = file.read_bytes()
        for each in asks:
            wrong = tools.call(*each)["wrong"]
            assert wrong.endswith("makes it anew"), wrong
            assert "the index of search is damaged; `earmark run` or `earmark search`" in wrong
        assert file.read_bytes() == before
        assert asked("search", "flowers", "--json")[1]["results"]
        assert all("wrong" not in tools.call(*each) for each in asks)
    world.context.ledger = Ledger(file)


@pytest.mark.shows("search:damage")
def test_a_large_index_is_looked_at_whole_where_nothing_was_found_and_once_a_day(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_vectors_and_much_said(world)
    world.ledger.db.fold()
    world.ledger.close()
    file = world.ledger.file
    monkeypatch.setattr("earmark.ledger.index_check.SMALL", 1)
    right = asked("search", "flowers")
    assert right[0] == 0
    swap_two_words(file)
    # Nobody has looked for a day.
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("UPDATE facts SET at = at - 90000 WHERE name = 'search.checked'")
    assert asked("search", "walrus 25")[0] == 0
    with Ledger(file) as ledger:
        assert ledger.index.check()
    # Somebody has, a moment ago: what finds something is taken for it, and what finds nothing is not.
    swap_two_words(file)
    assert asked("search", "walrus 25")[0] == 0
    with Ledger(file) as ledger:
        assert not ledger.index.check()
    assert asked("search", "flowers") == right
    with Ledger(file) as ledger:
        assert ledger.index.check()
    # A row that is read is held against its checksum each time.
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("UPDATE passages SET sentences = replace(sentences, ',0.0,', ',7.0,')")
    assert asked("search", "flowers") == right
    world.context.ledger = Ledger(file)


@pytest.mark.shows("search:damage")
def test_a_daemon_that_has_nothing_to_do_looks_at_the_whole_index_once_a_day(world: World) -> None:
    with_vectors_and_much_said(world)
    indexing = Indexing(world.context)
    indexing.turn()
    swap_two_words(world.ledger.file)
    indexing.look(lambda: True)
    world.pass_days(1.1)
    indexing.look(lambda: False)
    with pytest.raises(LedgerError, match="the index of search"):
        indexing.look(lambda: True)
    assert world.ledger.index.made_sound()
    indexing.look(lambda: True)
    assert world.ledger.index.checked_at() == world.now


@pytest.mark.shows("search:unheard")
def test_recordings_whose_notes_were_there_before_the_ledger_are_said_not_to_be_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path, {"summary": {"endpoint": "none"}})
    monkeypatch.setenv("EARMARK_HOME", str(rig.home))
    rig.drop("talk.m4a", "hello")
    assert run_child(rig) == 0
    assert "talk.m4a" in asked("search", "recording")[1]
    file = rig.installed.ledger_file
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = file.read_bytes()
    file.write_bytes(data[:100] + random.Random(15).randbytes(PAGE - 100) + data[PAGE:])
    assert run_child(rig) == 0
    for verb in ("search", "ask"):
        said = CliRunner().invoke(app, [verb, "recording"], env={"COLUMNS": "300"})
        assert "What is said in 1 recording is not found" in said.stderr, said.output
        assert "(earmark retry FILE hears it)" in said.stderr
        assert asked(verb, "recording", "--json")[1]["unheard"] == 1
    assert CliRunner().invoke(app, ["retry", str(rig.folder / "talk.m4a")]).exit_code == 0
    assert run_child(rig) == 0
    assert "talk.m4a" in asked("search", "recording")[1]
    assert asked("search", "recording", "--json")[1]["unheard"] == 0
