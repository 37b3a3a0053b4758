"""What search says of recordings that a rule keeps out of the index, or whose notes lie in the trash."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from earmark.assistants.tools import Tools
from earmark.cli.console import here
from earmark.cli.main import app
from earmark.errors import EnvironmentFault
from earmark.verbs.meaning import MeaningWorker
from typer.testing import CliRunner

from tests.integration.test_search import names, say
from tests.retention_world import World

pytest_plugins = ("tests.retention_root",)

SAID = ("one.m4a", "two.m4a", "calls/three.m4a")


@pytest.fixture
def world(root: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("EARMARK_HOME", str(root))
    monkeypatch.chdir(root)
    world = World(root)
    for name in SAID:
        say(world, name, (("", "The zeppelin lands near the river."),))
    return world


def rules(world: World, written: str, **retention: dict[str, str]) -> None:
    """These are the rules, for whoever reads the configuration, too."""
    world.set_policy(retention)
    (world.root / "config").mkdir(exist_ok=True)
    (world.root / "config" / "config.toml").write_text(written)


def indexed_for(world: World, keep_for: str) -> None:
    rules(world, f"[retention.index]\nkeep_for = '{keep_for}'\n", index={"keep_for": keep_for})


def told(*words: str) -> tuple[int, int, int, int]:
    """Recordings that are found, that are missing, that a rule keeps out, and those in the trash."""
    said = CliRunner().invoke(app, ["search", "--json", *words])
    assert said.exit_code == 0, said.output
    answer: dict[str, Any] = json.loads(said.stdout)
    found = {result["recording"] for result in answer["results"]}
    return len(found), answer["missing"], answer["out_by_rule"], answer["in_trash"]


def taken_by_the_index_rule(world: World) -> None:
    indexed_for(world, "10d")
    world.pass_days(11)
    world.sweep()
    assert told("zeppelin") == (0, 0, len(SAID), 0)


@pytest.mark.shows("search:left-out")
def test_each_recording_of_which_nothing_is_found_is_in_one_count_whichever_rules_took_what(
    world: World,
) -> None:
    rules(world, "", transcript={"keep_for": "10d"})
    world.pass_days(11)
    world.let_the_report_be_read()
    say(world, "young.m4a", (("", "The zeppelin has landed."),))
    assert world.apply().trashed == len(SAID)
    assert told("zeppelin") == (1, 0, 0, len(SAID))
    both = {"transcript": {"keep_for": "10d"}, "index": {"keep_for": "5d"}}
    rules(world, "[retention.transcript]\nkeep_for = '10d'\n[retention.index]\nkeep_for = '5d'\n", **both)
    world.pass_days(6)
    world.sweep()
    assert told("zeppelin") == (0, 0, 1, len(SAID))
    assert told("zeppelin", "folder:calls") == (0, 0, 0, 1)
    back = CliRunner().invoke(app, ["trash", "restore", str(world.drop / "one.transcript.md")])
    assert back.exit_code == 0, back.output
    assert told("zeppelin") == (1, 0, 1, len(SAID) - 1)  # what comes back is held


@pytest.mark.shows("search:let-in", "retention:index-rule")
@pytest.mark.parametrize("how", ["rule is gone", "rule is longer", "held", "marker", "keep"])
def test_what_the_rule_of_the_index_does_not_keep_out_any_more_is_found_by_the_next_search(
    world: World, how: str
) -> None:
    taken_by_the_index_rule(world)
    one, left = world.place("one.m4a"), len(SAID) - 1
    match how:
        case "rule is gone":
            rules(world, "")
            left = 0
        case "rule is longer":
            indexed_for(world, "100y")
            left = 0
        case "held":
            said = CliRunner().invoke(app, ["hold", str(one.path)])
            assert said.exit_code == 0, said.output
        case "marker":
            (world.drop / "calls" / ".earmark-hold").touch()
        case _:
            note = world.drop / "one.md"
            note.write_text(note.read_text().replace("---\n", "---\nkeep: true\n", 1))
            world.sweep()
    assert told("zeppelin") == (len(SAID) - left, 0, left, 0)
    world.sweep()
    assert told("zeppelin") == (len(SAID) - left, 0, left, 0)
    if how == "held":
        CliRunner().invoke(app, ["unhold", str(one.path)])
        assert told("zeppelin") == (1, 0, left, 0)
        world.sweep()
        assert told("zeppelin") == (0, 0, len(SAID), 0)


@pytest.mark.shows("search:left-out")
def test_who_cannot_write_says_of_what_no_rule_keeps_out_that_it_is_missing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot_be_written(*_: object) -> None:
        raise EnvironmentFault("the ledger cannot be written")

    taken_by_the_index_rule(world)
    home, config = here()
    tools = Tools(home, config, "nobody", MeaningWorker(home, config))
    key, missing = "recordings_that_a_rule_keeps_out_of_the_index", "not_in_the_index_yet"
    answer = tools.call("search", {"query": "zeppelin"})
    assert (answer.get(key), answer[missing]) == (len(SAID), 0), answer
    rules(world, "")
    monkeypatch.setattr("earmark.verbs.filling.opened_context", cannot_be_written)
    answer = tools.call("search", {"query": "zeppelin"})
    assert (answer.get(key), answer[missing]) == (None, len(SAID)), answer


@pytest.mark.shows("search:left-out")
def test_while_the_configuration_cannot_be_read_nothing_is_let_in_again(world: World) -> None:
    taken_by_the_index_rule(world)
    (world.root / "config" / "config.toml").write_text("[retention.index\n")
    assert told("zeppelin") == (0, 0, len(SAID), 0)


@pytest.mark.shows("search:taken-out")
@pytest.mark.parametrize(
    "forged",
    [
        "INSERT INTO unindexed SELECT id, 1.0 FROM recordings",
        "INSERT OR IGNORE INTO unindexed VALUES ('nobody', 1.0)",
    ],
)
def test_a_list_of_what_rules_took_that_cannot_be_is_made_anew(world: World, forged: str) -> None:
    assert len(names("zeppelin")) == len(SAID)
    for keep_for in ("", "10d"):
        if keep_for:
            taken_by_the_index_rule(world)
            say(world, "young.m4a", (("", "The zeppelin has landed."),))
            assert told("zeppelin") == (1, 0, len(SAID), 0)
        with closing(sqlite3.connect(world.ledger.file)) as db, db:
            db.execute(forged.replace("INSERT INTO", "INSERT OR IGNORE INTO"))
        assert not world.ledger.index.check()
        found = told("zeppelin")
        assert found == ((1, 0, len(SAID), 0) if keep_for else (len(SAID), 0, 0, 0))
        assert world.ledger.index.check()
