"""What becomes of the ledger where only the index of search is damaged, or this Python cannot have one."""

from __future__ import annotations

import random
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from earmark.cli.main import app
from earmark.domain import Summary
from earmark.errors import LedgerError
from earmark.ledger import Ledger
from earmark.ledger.index_check import is_derived
from earmark.search.indexing import bring_up_to_date
from earmark.search.terms import FORM
from earmark.search.vectors import signs_of
from earmark.supervisor.indexing import check, made_anew
from typer.testing import CliRunner

from tests.integration.test_search import names, run, say, told
from tests.retention_world import World
from tests.without_fts5 import without_fts5

pytest_plugins = ("tests.retention_root",)

PAGE = 4096
ONE = bytes((0, 0x14, 0, 0x20)) * 192  # a vector of length 1, as far as `put` looks


@pytest.fixture
def world(root: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("EARMARK_HOME", str(root))
    monkeypatch.chdir(root)
    return told(World(root))


def with_vectors_and_much_said(world: World) -> None:
    index = world.ledger.index
    for number in range(4):
        sentences = tuple(
            ("Tom", f"Item {number} {n} of the quarterly walrus count is {n * n}, as agreed.")
            for n in range(70)
        )
        say(world, f"long{number}.m4a", sentences)
    while bring_up_to_date(world.context, 60.0):
        pass
    with world.ledger.transaction():
        for row in world.ledger.db.all("SELECT recording_id FROM indexed"):
            if (said := index.vectors.said(row["recording_id"])) is not None:
                index.vectors.put(said, "m", [ONE] * len(said.texts), signs_of(ONE) * len(said.texts))


def all_else(file: Path) -> dict[str, list[Any]]:
    """Every row of every table that is not of the index."""
    with closing(sqlite3.connect(file)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            table: db.execute(f'SELECT * FROM "{table}"').fetchall()
            for table in tables
            if not is_derived(table)
        }


def owners(file: Path) -> dict[int, str]:
    """By page, the table whose it is, or of an index of which."""
    with closing(sqlite3.connect(file)) as db:
        if not db.execute("SELECT 1 FROM pragma_module_list WHERE name = 'dbstat'").fetchone():
            pytest.skip("this SQLite does not tell which page is whose")
        table_of = dict(db.execute("SELECT name, tbl_name FROM sqlite_master"))
        return {no: table_of.get(name, name) for name, no in db.execute("SELECT name, pageno FROM dbstat")}


def damages(good: bytes) -> Iterator[tuple[int, bool, bytes]]:
    """Which page, whether all behind it is gone, too, and the file."""
    chance, pages = random.Random(15), len(good) // PAGE
    kinds: tuple[Callable[[], bytes], ...] = (
        lambda: bytes(PAGE),
        lambda: chance.randbytes(PAGE),
        lambda: good[PAGE * (at := chance.randrange(1, pages)) : PAGE * (at + 1)],
    )
    for page in range(1, pages):
        new = kinds[page % len(kinds)]()
        yield page + 1, False, good[: page * PAGE] + new + good[(page + 1) * PAGE :]
    for page in (0, 1, *range(pages - 12, pages)):
        yield page + 1, True, good[: page * PAGE + 100 * (page % 2)]
    yield 1, True, good[:1000]
    yield 1, True, b"this is no database" * 1000


def as_a_daemon_starts(file: Path) -> str:
    try:
        with Ledger(file) as ledger:
            before = ledger.index.size()
            check(ledger)
            return "index anew" if ledger.index.size() < before else "not noticed"
    except LedgerError:
        return "index anew" if made_anew(file, lambda: None) else "set aside"


@pytest.mark.shows("search:pages")
def test_a_damaged_page_of_the_index_costs_the_index_alone_whichever_it_is(world: World) -> None:
    with_vectors_and_much_said(world)
    file = world.ledger.file
    world.ledger.db.fold()
    world.ledger.close()
    good, owner, true = file.read_bytes(), owners(file), all_else(file)
    seen: Counter[tuple[str, str]] = Counter()
    for page, cut, bad in damages(good):
        for beside in ("-wal", "-shm"):
            file.with_name(file.name + beside).unlink(missing_ok=True)
        file.write_bytes(bad)
        gone = range(page, len(good) // PAGE + 1) if cut else (page,)
        derived = all(is_derived(owner.get(each, "passages")) for each in gone)
        came = as_a_daemon_starts(file)
        seen["index" if derived else "other", came] += 1
        if came == "index anew":
            assert all_else(file) == true, page
            with Ledger(file) as ledger:
                ledger.db.check()
                assert ledger.index.check()
                assert ledger.index.count_due(FORM) == len(true["transcripts"])
        if came != "index anew" and bad[:15] == b"this is no data":
            assert file.read_bytes() == bad
        if derived:
            assert came == "index anew" or all_else(file) == true, page
            assert came != "set aside", page
    assert seen["index", "index anew"] > 30, seen
    assert seen["other", "set aside"] > 20, seen
    file.write_bytes(good)
    world.context.ledger = Ledger(file)


@pytest.mark.shows("search:pages")
@pytest.mark.parametrize("table", ["passages_fts_data", "passages_fts_content", "passages", "vectors"])
def test_who_searches_forgets_or_runs_over_a_damaged_page_of_the_index_loses_nothing(
    world: World, table: str
) -> None:
    with_vectors_and_much_said(world)
    assert names("flowers") == ["walk.m4a"]
    file = world.ledger.file
    world.ledger.db.fold()
    world.ledger.close()
    good, there = file.read_bytes(), sorted(no for no, name in owners(file).items() if name == table)

    def broken() -> None:
        bad = bytearray(good)
        for no in there:
            bad[(no - 1) * PAGE : no * PAGE] = bytes(PAGE)
        for beside in ("-wal", "-shm"):
            file.with_name(file.name + beside).unlink(missing_ok=True)
        file.write_bytes(bad)

    broken()
    assert names("flowers") == ["walk.m4a"]
    broken()
    ran = CliRunner().invoke(app, ["run", "--once", str(world.drop)])
    assert ran.exit_code == 0, ran.output
    assert names("flowers") == ["walk.m4a"]
    broken()
    words = ["forget", str(world.drop / "calls/walk.m4a"), "--yes"]
    went = CliRunner().invoke(app, words)
    if went.exit_code and "it is made anew. Say it again" in went.stderr:
        went = CliRunner().invoke(app, words)
    assert went.exit_code == 0, went.output
    assert (names("flowers"), names("release")) == ([], ["budget.m4a"])
    assert b"flowers" not in b"".join(each.read_bytes() for each in file.parent.glob("ledger.db*"))
    assert not list(file.parent.glob("*.damaged-*"))
    world.context.ledger = Ledger(file)


@pytest.mark.shows("search:pages")
def test_a_search_that_meets_the_damage_only_when_it_fills_the_index_answers_all_the_same(
    world: World,
) -> None:
    file = world.ledger.file
    world.ledger.db.fold()
    world.ledger.close()
    with closing(sqlite3.connect(file)) as db:
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'passages'").fetchone()
    bad = bytearray(file.read_bytes())
    bad[(page - 1) * PAGE : page * PAGE] = random.Random(15).randbytes(PAGE)
    file.write_bytes(bad)
    assert names("flowers") == ["walk.m4a"]
    world.context.ledger = Ledger(file)


CUT = 8


def cut_short(world: World) -> tuple[Path, list[bytes]]:
    """The ledger, and it without its last pages, of which all are of the index: one, two, ... of them."""
    with_vectors_and_much_said(world)
    file = world.ledger.file
    world.ledger.db.fold()
    world.ledger.close()
    good, owner = file.read_bytes(), owners(file)
    last = len(good) // PAGE
    count = 0
    while count < CUT and is_derived(owner.get(last - count, "passages")):
        count += 1
    assert count > 1
    return file, [good[: -PAGE * n] for n in (1, 2, count)]


@pytest.mark.shows("search:pages", "search:anew")
def test_a_ledger_whose_end_is_missing_by_whole_pages_of_the_index_is_repaired_by_whoever_may_write(
    world: World,
) -> None:
    file, shorter = cut_short(world)
    walk = str(world.drop / "calls/walk.m4a")

    def cut(data: bytes) -> None:
        for beside in ("-wal", "-shm"):
            file.with_name(file.name + beside).unlink(missing_ok=True)
        file.write_bytes(data)

    for data in shorter:
        cut(data)
        for words in (["status"], ["list"], ["forget", "--dry-run", walk]):
            said = CliRunner().invoke(app, words, env={"COLUMNS": "400"})
            assert said.exit_code in (0, 74), said.output
            if said.exit_code:
                assert "the ledger is damaged" in said.stderr
                assert "`earmark run` repairs it" in said.stderr
        assert file.read_bytes() == data
        assert names("flowers") == ["walk.m4a"]
        assert CliRunner().invoke(app, ["forget", "--dry-run", walk]).exit_code == 0
        cut(data)
        said = CliRunner().invoke(app, ["ask", "What about the flowers?"])
        assert said.exit_code == 0, said.output
        assert "walk.m4a" in said.stdout
    cut(shorter[0][: PAGE * 6])  # of all tables nothing
    for words in (["search", "flowers"], ["ask", "What about the flowers?"], ["forget", walk, "--yes"]):
        said = CliRunner().invoke(app, words, env={"COLUMNS": "400"})
        assert (said.exit_code, "`earmark run` repairs it" in said.stderr) == (74, True), said.output
    assert file.read_bytes() == shorter[0][: PAGE * 6]
    cut(shorter[-1])
    went = CliRunner().invoke(app, ["forget", walk, "--yes"])
    assert went.exit_code == 0, went.output
    assert (names("flowers"), names("release")) == ([], ["budget.m4a"])
    assert b"flowers" not in b"".join(each.read_bytes() for each in file.parent.glob("ledger.db*"))
    assert not list(file.parent.glob("*.damaged-*"))
    world.context.ledger = Ledger(file)


def kind_of_words(file: Path) -> tuple[str, int]:
    with closing(sqlite3.connect(file)) as db:
        (made,) = db.execute("SELECT sql FROM sqlite_master WHERE name = 'passages_fts'").fetchone()
        return made.split()[1], db.execute("SELECT count(*) FROM passages").fetchone()[0]


@pytest.mark.shows("search:fts5")
def test_without_fts5_all_but_search_works_and_a_python_that_has_it_makes_the_index(world: World) -> None:
    assert names("flowers") == ["walk.m4a"]
    file, place = world.ledger.file, world.place("calls/walk.m4a")
    world.ledger.close()
    made = kind_of_words(file)
    tell = "words cannot be looked for, as the SQLite .* lacks FTS5: run earmark with a Python whose SQLite has it"

    def invoked(*words: str) -> str:
        said = CliRunner().invoke(app, list(words), env={"COLUMNS": "300"})
        assert said.exit_code == 0, said.output
        return said.stdout

    with without_fts5():
        for verb in ("search", "ask"):
            said = CliRunner().invoke(app, [verb, "flowers"])
            assert said.exit_code == 74
            assert re.search(tell, said.stderr)
        assert kind_of_words(file) == made == ("VIRTUAL", made[1])  # who only looks changes nothing
        invoked("run", "--once", str(world.drop))
        assert kind_of_words(file) == ("TABLE", 0)
        assert b"flowers spring" not in file.read_bytes()
        assert "lacks FTS5" in invoked("status")
        assert "lacks FTS5" in CliRunner().invoke(app, ["doctor"], env={"COLUMNS": "300"}).stdout
        assert "held" in invoked("hold", str(world.drop / "german.m4a"))
        with Ledger(file) as ledger:
            ledger.check()
            transcript = ledger.words.transcript(place.recording_id)
            assert transcript is not None
            ledger.words.store_transcript(transcript, "{}", world.now)
            ledger.words.store_summary(Summary(place.recording_id, "extractive", "T", "."), world.now)
        invoked("forget", str(world.drop / "calls/budget.m4a"), "--yes")
        assert CliRunner().invoke(app, ["search", "flowers"]).exit_code == 74

    assert names("flowers") == ["walk.m4a"]
    assert names("approved") == []
    assert kind_of_words(file) == ("VIRTUAL", made[1] - 1)
    invoked("run", "--once", str(world.drop))
    assert "lacks FTS5" not in invoked("status")
    with without_fts5():
        invoked("forget", str(world.drop / "calls/walk.m4a"), "--yes")
    assert b"flowers" not in b"".join(each.read_bytes() for each in file.parent.glob("ledger.db*"))
    assert run("release").stdout == "Nothing was found.\n"
    world.context.ledger = Ledger(file)


@pytest.mark.shows("search:fts5")
def test_a_new_ledger_is_made_without_fts5_and_filled_with_it(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EARMARK_HOME", str(root))
    monkeypatch.chdir(root)
    with without_fts5():
        world = told(World(root))
        assert world.ledger.index.count_due(FORM) == 0
        assert not world.ledger.check()
        world.ledger.close()
    assert kind_of_words(world.ledger.file) == ("TABLE", 0)
    with Ledger(world.ledger.file) as ledger:
        assert ledger.check()
    assert names("flowers") == ["walk.m4a"]
    world.context.ledger = Ledger(world.ledger.file)
