"""`earmark retention status` lists what a rule is overdue for: which file, by which rule, since when, and why."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from earmark.cli import retention
from earmark.cli.console import iso
from earmark.ledger import DaemonLock
from typer.testing import CliRunner

from tests.retention_world import DAY, T0, World, say_keep

pytest_plugins = ("tests.retention_root",)

RULES: dict[str, Any] = {
    "audio": {"keep_for": "30d"},
    "summary": {"keep_for": "10d"},
    "trash": {"keep_for": "5d"},
    "fuse_items": 100,
}
CONFIG = """
[retention]
audio = { keep_for = "30d" }
summary = { keep_for = "10d" }
trash = { keep_for = "5d" }
fuse_items = 100
"""


@pytest.fixture
def world(root: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Recordings of October 2025 under two rules; the verb looks at them today."""
    monkeypatch.setenv("EARMARK_HOME", str(root))
    monkeypatch.chdir(root)
    (root / "config").mkdir()
    (root / "config" / "config.toml").write_text(CONFIG)
    return World(root, RULES)


@pytest.fixture
def daemon(world: World) -> Iterator[None]:
    """Some process has the daemon's lock."""
    with DaemonLock(world.context.home.lock_file):
        yield


def status(*words: str) -> str:
    result = CliRunner().invoke(retention.app, ["status", *words])
    assert result.exit_code == 0, result.output
    return result.output


def late() -> dict[str, dict[str, Any]]:
    """By name of file."""
    return {Path(o["path"]).name: o for o in json.loads(status("--json"))["overdue"]}


def day(days: float) -> str:
    return datetime.fromtimestamp(T0 + days * DAY).astimezone().strftime("%Y-%m-%d")


@pytest.mark.shows("retention:overdue")
def test_what_is_overdue_is_a_line_a_file_with_since_when_and_why(world: World) -> None:
    world.record("noisy.wav", speech_seconds=400.0)
    for name in ("plain", "kept", "mine", "marked/m"):
        world.record(f"{name}.wav")
    world.ledger.protection.hold(world.place("kept.wav").recording_id, "court case", world.now)
    edited = world.drop / "mine.md"
    edited.write_text(edited.read_text() + "my own words\n")
    say_keep(world.drop / "noisy.md")
    (world.drop / "marked" / ".earmark-hold").touch()
    found = late()
    assert {name: o["reason"].split(":")[0] for name, o in found.items()} == {
        "plain.wav": "no daemon runs, which would sweep; start it, or say",
        "plain.md": "no daemon runs, which would sweep; start it, or say",
        "noisy.wav": "held by `keep",
        "noisy.md": "edited by you, and held by `keep",
        "kept.wav": "held",
        "kept.md": "held",
        "mine.wav": "no daemon runs, which would sweep; start it, or say",
        "mine.md": "edited by you",
        "m.wav": f"held by {world.drop}/marked/.earmark-hold",
        "m.md": f"held by {world.drop}/marked/.earmark-hold",
    }
    assert found["plain.wav"]["rule"] == "audio: keep_for 30d (class)"
    assert (found["plain.wav"]["since"], found["plain.md"]["since"]) == (
        iso(T0 + 30 * DAY),
        iso(T0 + 10 * DAY),
    )
    shown = status()
    for line in (
        "by audio: keep_for 30d (class)",
        f"  {day(30)}  no daemon     plain.wav",
        f"  {day(30)}  marker        marked/m.wav",
        f"  {day(10)}  held          kept.md",
        f"  {day(10)}  edited        mine.md",
        "  held: court case",
        "    → earmark unhold FILE",
    ):
        assert f"{line}\n" in shown
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.shows("retention:overdue")
@pytest.mark.usefixtures("daemon")
def test_what_only_waits_for_the_sweep_says_for_which_and_why_not_sooner(world: World) -> None:
    world.record("a.wav")
    assert late()["a.wav"]["reason"].startswith("the rules are new: the next sweep, ")
    world.pass_days(31)
    assert world.sweep().outcome == "reported"
    world.pass_days(0.4)
    assert late()["a.wav"]["reason"].startswith("the next sweep takes it, ")
    world.stepping(lambda step: refuse() if step == "before:announce" else None)
    world.sweep()
    failed = late()["a.wav"]
    assert failed["reason"] == "the last sweep could not take it: Read-only file system"
    assert "failed        a.wav" in status()
    world.stepping(lambda _: None)
    world.boots -= 5 * DAY
    assert world.sweep().outcome == "stopped"
    stopped = late()["a.md"]
    assert stopped["reason"].startswith("the last sweep stopped: Nothing was deleted: the clock has jumped")
    assert stopped["way_out"] == "earmark retention plan, then: earmark retention apply"
    world.set_policy({"audio": {"keep_for": "1d"}})
    world.ledger.journal.clear("[retention]")
    assert late()["a.wav"]["reason"].startswith("the daemon still goes by other rules")


def refuse() -> None:
    raise OSError(errno.EROFS, "Read-only file system")


@pytest.mark.shows("retention:overdue")
@pytest.mark.usefixtures("daemon")
def test_what_lies_in_the_trash_too_long_and_voices_kept_too_long_are_overdue_too(world: World) -> None:
    world.record("a.wav")
    world.record("b.wav")
    world.pass_days(31)
    world.let_the_report_be_read()
    world.sweep()
    world.ledger.protection.hold(world.ledger.places.all()[0].recording_id, "for the lawyer", world.now)
    world.pass_days(6)
    held, waits = sorted(
        (o for o in late().values() if o["class"] == "trash" and o["path"].endswith(".wav")),
        key=lambda o: str(o["reason"]),
    )
    assert (held["reason"], held["rule"]) == ("held: for the lawyer", "trash: keep_for 5d (class)")
    assert waits["reason"].startswith("the next sweep takes it")
    world.stepping(lambda step: refuse() if step == "before:purging" else None)
    world.sweep()
    failed = [o["reason"] for o in late().values() if o["class"] == "trash" and o["reason"] != held["reason"]]
    assert set(failed) == {"the last sweep could not take it: Read-only file system"}
    world.ledger.db.execute(
        "INSERT INTO voiceprints (recording_id, speaker, print, encoder, seconds, stored_at)"
        " VALUES (?, 1, x'00', 'e', 9, ?)",
        (world.ledger.places.all()[0].recording_id, T0),
    )
    with (world.root / "config" / "config.toml").open("a") as file:
        file.write("voiceprints = { keep_for = '7d' }\n")
    shown = status()
    planned = CliRunner().invoke(retention.app, ["plan"]).output
    assert "1 voiceprint would go by voiceprints: keep_for 7d." in planned
    assert json.loads(CliRunner().invoke(retention.app, ["plan", "--json"]).output)["voiceprints"] == 1
    assert "by voiceprints: keep_for 7d\n  not known   next sweep    1 stored voice\n" in shown
