"""What a turn of the loop costs in which nothing has changed: `python benchmarks/turns.py [RECORDINGS ...]`.

Processor seconds of this process, and steps of SQLite's machine, which are the same on every machine; and of a turn after
something was written. All is done in the ledger, and no folder is read through meanwhile.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT)]

import retention  # noqa: E402 - beside this file
from earmark.config import parse_config  # noqa: E402
from earmark.context import Clock, Context  # noqa: E402
from earmark.domain import Instant  # noqa: E402
from earmark.ledger import Ledger  # noqa: E402
from earmark.paths import Home  # noqa: E402
from earmark.power import keep_awake  # noqa: E402
from earmark.supervisor import sweeping  # noqa: E402
from earmark.supervisor.inbox import Inbox  # noqa: E402
from earmark.supervisor.session import Session  # noqa: E402
from earmark.workers import start_process  # noqa: E402

from tests.sqlite_steps import sqlite_steps  # noqa: E402

TURNS = 50


def daemon() -> Any:
    about = {"pid": 1, "version": "", "started_at": 0.0, "folders": (), "config_file": ""}
    return SimpleNamespace(
        once=False, stopping=False, unfinished=False, watchdog_seconds=None,
        ping=lambda: None, say=lambda _: None, about=lambda: about,
    )  # fmt: skip


def no_scans() -> Any:
    """Folders that have been read through, and say nothing."""
    return SimpleNamespace(
        answered=set(), begin=lambda _: True, wait=list, done=list, any_under_way=lambda *_: False,
        silent=lambda *_: [], to_be_said=list, next_at=lambda: float("inf"), unwatched=list,
        keep_to=lambda _: None, stop=lambda: None,
    )  # fmt: skip


def measure(root: Path) -> tuple[float, int, float]:
    """Seconds and steps of a turn in which nothing has changed, and seconds of one after a change."""
    home = Home(root / "config", root / "state", root / "data")
    config = parse_config({"summary": {"endpoint": "none"}}, "benchmark")
    folders = tuple(root / "drop" / str(number) for number in range(retention.FOLDERS))
    vars(sweeping)["sweep_by_clock"] = lambda *_, **__: SimpleNamespace(more=False)  # a duty of its own
    with Ledger(home.ledger_file) as ledger:
        context = Context(ledger, home, config, folders, clock=Clock())
        session = Session(context, daemon(), Inbox(), no_scans(), "run", start_process, keep_awake)
        session._take_over()
        for _ in range(5):
            session._turn()
        began = time.process_time()
        for _ in range(TURNS):
            session._turn()
            session._patience()
        idle = (time.process_time() - began) / TURNS
        steps = sqlite_steps(session, ledger)
        with ledger.transaction():
            ledger.journal.set_fact("benchmark", "", Instant(time.time()))
        began = time.process_time()
        session._turn()
        changed = time.process_time() - began
        session.stop()
    return idle, steps, changed


def main() -> None:
    print(f"{'recordings':>12} {'a turn':>10} {'steps':>8} {'after a change':>15}")
    for recordings in [int(word) for word in sys.argv[1:]] or [1_000, 25_000]:
        with tempfile.TemporaryDirectory(prefix="earmark-benchmark-") as name:
            root = Path(name).resolve()
            retention.fill(root, recordings * 4)
            idle, steps, changed = measure(root)
        print(f"{recordings:>12,} {idle * 1000:>7.2f} ms {steps:>8,} {changed * 1000:>12.2f} ms")


if __name__ == "__main__":
    main()
