"""A turn of the loop in which nothing changed asks a large ledger as little as a small one; what is owed is marked."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from earmark.context import Clock, Context
from earmark.domain import Gone, Instant, Owed
from earmark.files import Identity
from earmark.ledger import Ledger, connection
from earmark.power import keep_awake
from earmark.supervisor.inbox import Inbox
from earmark.supervisor.scans import Scans
from earmark.supervisor.session import Session
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import in_memory
from tests.daemon_rig import Rig, start_standin
from tests.new_ledger import lay_ledger
from tests.sqlite_steps import sqlite_steps

pytest_plugins = ("tests.retention_root",)

FEW, MANY = 3, 30


class Nobody:
    """The daemon of a session of which only turns are wanted."""

    once = stopping = unfinished = False
    watchdog_seconds: float | None = None

    def reload(self, session: Session) -> None:
        del session

    def about(self) -> dict[str, object]:
        return {"pid": 1, "version": "", "started_at": 0.0, "folders": (), "config_file": ""}

    def ping(self) -> None:
        pass

    def say(self, report: object) -> None:
        del report


@contextmanager
def a_session(rig: Rig) -> Iterator[tuple[Session, Ledger]]:
    clock, inbox = Clock(), Inbox()
    scans = Scans(inbox.put, clock)
    with Ledger(rig.installed.ledger_file) as ledger:
        context = Context(ledger, rig.installed, rig.config(), (rig.folder,), clock=clock)
        session = Session(context, Nobody(), inbox, scans, "run", start_standin, keep_awake)
        try:
            yield session, ledger
        finally:
            session.stop()
            scans.stop()


def steps_of_a_turn(rig: Rig) -> int:
    """What SQLite's machine does in one turn after all is done, with the questions for how long to wait."""
    with a_session(rig) as (session, ledger):
        session._take_over()
        for _ in range(3):
            session._turn()
        session._outlook = type(session._outlook)(session.context)  # it looks only every few seconds
        return sqlite_steps(session, ledger)


def test_a_turn_in_which_nothing_changed_costs_as_much_with_many_recordings_as_with_few(root: Path) -> None:
    rig = Rig(root, {"intake": {"scan_seconds": 600.0}})
    for number in range(FEW):
        rig.drop(f"{number}.wav", f"recording {number}")
    assert rig.run_once() == 0
    few = steps_of_a_turn(rig)
    for number in range(FEW, MANY):
        rig.drop(f"{number}.wav", f"recording {number}")
    assert rig.run_once() == 0
    assert len(rig.notes()) == 2 * MANY
    assert steps_of_a_turn(rig) <= few + 20


BEHIND = (
    "p.owed != '' OR ((p.transcript_rev < r.transcript_rev OR p.summary_rev < r.summary_rev)"
    " AND (p.gone_at IS NULL OR p.gone_why = 'trashed'))"
)
WRONG = f"SELECT p.path FROM places p JOIN recordings r ON r.id = p.recording_id WHERE p.to_write != coalesce({BEHIND}, 0)"

RECORDINGS, PATHS = ("one", "two"), (Path("/d/a"), Path("/d/b"))

acts = st.one_of(
    st.tuples(st.just("put"), st.sampled_from(PATHS), st.sampled_from(RECORDINGS)),
    st.tuples(
        st.just("gone"), st.sampled_from(PATHS), st.sampled_from(RECORDINGS), st.sampled_from(list(Gone))
    ),
    st.tuples(st.just("back"), st.sampled_from(PATHS), st.sampled_from(RECORDINGS)),
    st.tuples(st.just("move"), st.sampled_from(PATHS), st.sampled_from(RECORDINGS), st.sampled_from(PATHS)),
    st.tuples(
        st.just("words"), st.sampled_from(RECORDINGS), st.sampled_from(["transcript_rev", "summary_rev"])
    ),
    st.tuples(st.just("written"), st.sampled_from(PATHS), st.sampled_from(RECORDINGS)),
    st.tuples(
        st.just("owe"), st.sampled_from(PATHS), st.sampled_from(RECORDINGS), st.sampled_from(list(Owed))
    ),
    st.tuples(st.just("owe all")),
    st.tuples(st.just("goes on"), st.sampled_from(PATHS)),
)


def do(ledger: Ledger, act: tuple[Any, ...], number: int) -> None:
    now, identity = Instant(float(number)), Identity(1, number, number, 1)
    match act:
        case ("put", path, recording):
            ledger.places.put(path, path.parent, recording, identity, now)
        case ("gone", path, recording, why):
            ledger.places.gone(path, recording, now, why)
        case ("back", path, recording):
            if ledger.places.get(path, recording):
                ledger.places.back(path, recording, now)
        case ("move", path, recording, new):
            if place := ledger.places.get(path, recording):
                ledger.places.move(place, new, new.parent, identity, now)
        case ("words", recording, column):
            ledger.db.execute(f"UPDATE recordings SET {column} = {column} + 1 WHERE id = ?", (recording,))
        case ("written", path, recording):
            if place := ledger.places.get(path, recording):
                row = ledger.db.all("SELECT * FROM recordings WHERE id = ?", (recording,))[0]
                ledger.places.caught_up(place, row["transcript_rev"], row["summary_rev"])
        case ("owe", path, recording, why):
            ledger.places.owe(path, recording, why)
        case ("owe all",):
            ledger.places.owe_all(Owed.POLICY)
        case ("goes on", path):
            if place := ledger.places.get(path, "one"):
                ledger.go_on(place, "two", ())
                put_recordings(ledger, number)


def put_recordings(ledger: Ledger, number: int) -> None:
    """Those that are to be there, and are not."""
    for recording in RECORDINGS:
        ledger.db.execute(
            "INSERT INTO recordings (id, size, accepted_at, recorded_at) VALUES (?, 1, ?, ?) ON CONFLICT DO NOTHING",
            (recording, float(number), float(number)),
        )


@settings(max_examples=150)
@given(st.lists(acts, max_size=25))
def test_what_is_to_be_written_is_marked_whatever_happens_to_places_and_words(
    happens: list[tuple[Any, ...]],
) -> None:
    with in_memory() as folder:
        lay_ledger(folder / "state" / "ledger.db")
        with Ledger(folder / "state" / "ledger.db") as ledger:
            ledger.db.execute("PRAGMA synchronous = OFF")
            put_recordings(ledger, 0)
            for number, act in enumerate(happens, 1):
                with ledger.transaction():
                    do(ledger, act, number)
                assert not ledger.db.all(WRONG), act


def test_a_ledger_of_before_knows_what_is_to_be_written_when_it_is_opened(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, scripts = root / "ledger.db", connection.MIGRATIONS
    with monkeypatch.context() as before:
        before.setattr(connection, "MIGRATIONS", scripts[: scripts.index("0020_what_waits.sql")])
        Ledger(file).close()
    with closing(sqlite3.connect(file)) as db, db:
        db.executemany(
            "INSERT INTO recordings (id, size, accepted_at, recorded_at, transcript_rev) VALUES (?, 1, 0, 0, 2)",
            [("done",), ("behind",), ("owed",), ("away",), ("taken",)],
        )
        db.executemany(
            "INSERT INTO places (path, recording_id, folder, size, mtime_ns, inode, device, accepted_at, transcript_rev,"
            " owed, gone_at, gone_why) VALUES (?, ?, X'2f', 1, 1, 1, 1, 0, ?, ?, ?, ?)",
            [
                (b"/1", "done", 2, "", None, None), (b"/2", "behind", 1, "", None, None),
                (b"/3", "owed", 2, "policy changed", None, None), (b"/4", "away", 1, "", 5.0, "missing"),
                (b"/5", "taken", 1, "", 5.0, "trashed"),
            ],
        )  # fmt: skip
    with Ledger(file) as ledger:
        assert {place.recording_id for place in ledger.places.owed(Instant(9.0))} == {
            "behind",
            "owed",
            "taken",
        }
        assert not ledger.db.all(WRONG)
