"""A ledger is made whole or not at all, and one that is not finished says what is so and what finishes it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import structlog
from earmark import __version__
from earmark.cli.main import app
from earmark.errors import EarmarkError, EnvironmentFault
from earmark.files import FileLock
from earmark.ledger import Ledger, connection, unfinished
from earmark.report import Report, write_report
from earmark.service import idle
from typer.testing import CliRunner

from tests.conftest import Installation
from tests.daemon_rig import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


@pytest.fixture
def disk_of_64k(rig: Rig) -> Iterator[None]:
    rig.home.mkdir(exist_ok=True)
    if sys.platform != "linux":
        pytest.skip("needs a tmpfs")
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(rig.home)], capture_output=True
    )
    if made.returncode:
        pytest.skip(f"mounting is not allowed here: {made.stderr.decode().strip()}")
    yield
    subprocess.run(["umount", "-l", str(rig.home)], check=True)


def version_of(file: Path) -> tuple[int, int]:
    """The version that a ledger says, and how many tables it has."""
    with closing(sqlite3.connect(file)) as db:
        return (
            db.execute("PRAGMA user_version").fetchone()[0],
            db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0],
        )


def of_version(rig: Rig, version: int, tables: int | None = None) -> Path:
    """A ledger into which nobody ever wrote, as it was at this version."""
    file = rig.installed.ledger_file
    file.parent.mkdir(parents=True, mode=0o700)
    before = connection.MIGRATIONS
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "MIGRATIONS", before[: version if tables is None else tables])
        Ledger(file).close()
    with closing(sqlite3.connect(file)) as db:
        db.execute(f"PRAGMA user_version = {version}")
    return file


def status(rig: Rig) -> str:
    ended = CliRunner().invoke(app, ["status"], env={"EARMARK_HOME": str(rig.home), "COLUMNS": "400"})
    structlog.reset_defaults()
    assert ended.exit_code == 74, ended.output
    return " ".join(ended.output.split())


@pytest.mark.shows("durability:no-room-at-start")
def test_a_ledger_whose_making_fails_on_the_way_is_as_it_was(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = of_version(rig, 3)
    before = version_of(file)
    new = file.with_name("new.db")
    whole = connection.MIGRATIONS
    monkeypatch.setattr(connection, "MIGRATIONS", (*whole[:5], "missing.sql"))
    for one in (file, new):
        with pytest.raises(EnvironmentFault):
            Ledger(one)
    assert version_of(file) == before
    assert version_of(new) == (0, 0)
    monkeypatch.setattr(connection, "MIGRATIONS", whole)
    for one in (file, new):
        Ledger(one).close()
    assert version_of(file) == version_of(new)
    assert version_of(new)[0] == len(whole)


def test_several_that_open_a_new_ledger_at_once_all_have_it(rig: Rig) -> None:
    errors: list[BaseException] = []
    at_once = threading.Barrier(6)

    def open_it() -> None:
        at_once.wait(20)
        try:
            Ledger(rig.installed.ledger_file).close()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not errors
    assert version_of(rig.installed.ledger_file)[0] == len(connection.MIGRATIONS)


@pytest.mark.parametrize(
    ("version", "words"),
    [
        (0, "is no ledger yet: its making was not finished"),
        (3, f"its making was not finished (version 3 of {len(connection.MIGRATIONS)})"),
    ],
)
def test_a_ledger_that_was_not_finished_says_so_and_why_where_there_is_no_room(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, version: int, words: str
) -> None:
    of_version(rig, version)
    monkeypatch.setattr(idle, "unit_state", lambda *_: None)
    said = status(rig)
    assert f"{words} `earmark run` finishes it" in said
    for untrue in ("older earmark", "service restart", "try again in a moment", "too little room"):
        assert untrue not in said, said
    monkeypatch.setattr(unfinished, "ROOM", 1 << 62)
    assert f"{words}, because its disk has too little room (" in status(rig)


@pytest.mark.shows("durability:no-room-at-start")
def test_what_finishes_a_ledger_is_what_there_is_here(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    of_version(rig, 0)
    home = rig.installed

    def reported(**fields: Any) -> None:
        plain: dict[str, Any] = {
            "pid": 4_000_000, "version": __version__, "started_at": 0.0, "folders": (), "config_file": "",
        }  # fmt: skip
        write_report(home.status_file, Report.model_validate(plain | fields))

    monkeypatch.setattr(idle, "unit_state", lambda *_: None)
    lock = FileLock(home.lock_file)
    lock.acquire()
    try:
        assert "The daemon that runs finishes it: try again in a moment" in status(rig)
        reported(paused="the disk is full")
        assert "finishes it when it can; it is paused: the disk is full" in status(rig)
        reported(version="0.0.1")
        assert "A daemon of earmark 0.0.1 runs" in status(rig)
        assert "kill 4000000" in status(rig)
        assert "service restart" not in status(rig)
    finally:
        lock.release()


@pytest.mark.shows("durability:no-room-at-start")
def test_a_disk_too_small_for_a_ledger_is_named_once_and_by_every_verb(rig: Rig, disk_of_64k: None) -> None:
    ended = Installation(rig.root).earmark("run", "--once", rig.folder)
    said = ended.stdout + ended.stderr
    assert ended.returncode == 74
    assert said.count("the ledger cannot be written") == 1, said
    assert "earmark: " in said
    assert "its making was not finished, because its disk has too little room (" in status(rig)
    assert version_of(rig.installed.ledger_file) == (0, 0)


def test_a_run_that_ends_with_a_mistake_of_its_own_does_not_say_that_it_goes_on(rig: Rig) -> None:
    of_version(rig, 0, tables=9)
    with pytest.raises(EarmarkError, match="earmark itself went wrong") as raised:
        rig.run_once()
    assert raised.value.exit_code == 70
    assert "goes on by itself" not in str(raised.value)


def test_a_daemon_that_goes_on_after_a_mistake_of_its_own_says_so(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_version(rig, 0, tables=9)
    said: list[str] = []
    supervisor = rig.supervisor()

    def status(sentence: str) -> None:
        if sentence.startswith("Paused: "):
            said.append(sentence)
            supervisor.stop()

    monkeypatch.setattr(supervisor.notifier, "status", status)
    supervisor.run()
    assert said
    assert said[0].endswith("it goes on by itself")
