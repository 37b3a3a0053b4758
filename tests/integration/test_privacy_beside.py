"""`earmark privacy check` and the commands that are at work beside the daemon: `earmark mcp`, `ask` and their workers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest
from earmark.config import load_config
from earmark.paths import platform_home
from earmark.proof.claims import check_everything
from earmark.proof.outcome import Outcome
from earmark.proof.running.beside import commands_of
from earmark.proof.running.commands import Beside

from tests.conftest import wait_for
from tests.integration.test_ask import QUESTION, SAID, configure
from tests.integration.test_privacy_breaches import PLANTED, Row, _no_more_than_a_user, follows, missed
from tests.integration.test_search import say
from tests.retention_world import World
from tests.stub_server import LlamaCpp, honest, running

pytest_plugins = ("tests.retention_root",)
pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="processes are looked into by /proc, which is Linux's"
)


@pytest.fixture
def world(root: Path) -> World:
    made = World(root)
    say(made, "calls/launch.m4a", SAID)
    return made


@contextmanager
def assistants(world: World, **planted: list[str]) -> Iterator[int]:
    """A real `earmark mcp` that serves, with these breaches in it and its workers, and something that its starter left."""
    pytest.importorskip("mcp")
    (world.root / "planted.json").write_text(json.dumps(planted))
    environment = os.environ | {"EARMARK_HOME": str(world.root), "PYTHONPATH": str(PLANTED)}
    left = os.memfd_create("left", 0)
    process = subprocess.Popen(
        [sys.executable, "-m", "earmark", "mcp"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, pass_fds=(left,),
    )  # fmt: skip
    os.close(left)
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "a", "version": "1"}}
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(
            json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}).encode() + b"\n"
        )
        process.stdin.flush()
        assert b"Reads the user's own recordings" in process.stdout.readline()
        yield process.pid
    finally:
        process.kill()
        process.communicate()


@contextmanager
def person(world: World, *words: str) -> Iterator[int]:
    """A command as a person types it, in a shell that has a file open."""
    with (world.root / "of the shell").open("w") as left:
        process = subprocess.Popen(
            [sys.executable, "-m", "earmark", *words], env=os.environ | {"EARMARK_HOME": str(world.root)},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=(left.fileno(),),
        )  # fmt: skip
        try:
            yield process.pid
        finally:
            process.kill()
            process.communicate()


def looked_at(root: Path) -> list[Outcome]:
    """What the check says of commands that run."""
    home = platform_home({"EARMARK_HOME": str(root)})
    config = load_config(home.config_file)
    beside = Beside(config, home, commands_of(home))
    found = []
    for outcome in check_everything(config, home, beside=beside):
        if "started for this check" in outcome.claim:
            break
        found.append(outcome)
    return found[1:]


def print_looked_at(root: str) -> None:
    """For a process of its own."""
    print(json.dumps([asdict(outcome) for outcome in looked_at(Path(root))]))  # noqa: T201


PLANTS = [
    Row("never shuts", r"running earmark mcp \(.* is held", "no system-call filter"),
    Row("line", r"running earmark mcp \(.* has no socket", r"had a socket: udp 192\.0\.2\.1:9"),
    Row("file", "earmark mcp and its workers .* have nothing open", r"can write to .*/copied"),
    Row("child", "running earmark mcp .* starts its workers and no other", r"started pid \d+"),
    Row("worker", r"running summarization worker of earmark mcp \(.* is held", "no system-call filter"),
]


@pytest.mark.shows("privacy:beside")
@follows
def test_each_breach_in_what_serves_an_assistant_is_noticed_by_the_claim_that_it_breaks(world: World) -> None:
    with running(LlamaCpp()) as stub:
        configure(world, stub.url)
        planted = {"mcp": ["never shuts", "line", "file", "child"], "summarization": ["never shuts"]}
        with assistants(world, **planted):
            found = looked_at(world.root)
    assert missed(PLANTS, found) == [], found


@pytest.mark.shows("privacy:beside")
def test_a_plain_user_notices_that_what_serves_an_assistant_never_shut_its_doors(world: World) -> None:
    """Whose home it reads the ledger's lock tells, by which it is known even where nobody may look into it."""
    here = "from tests.integration.test_privacy_beside import *; print_looked_at(sys.argv[1])"
    with assistants(world, mcp=["never shuts", "line"]):
        done = subprocess.run(
            [sys.executable, "-c", here, str(world.root)], cwd=PLANTED.parents[1],
            capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, preexec_fn=_no_more_than_a_user,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = [Outcome(**claim) for claim in json.loads(done.stdout)]
    assert missed(PLANTS[:1], found) == [], found
    assert any("seen by root only" in outcome.detail for outcome in found if outcome.held is None), found


@pytest.mark.shows("privacy:beside", "assistants:checked")
@follows
def test_sound_commands_pass_with_their_workers_and_one_that_begins_meanwhile_is_named(world: World) -> None:
    done = threading.Event()

    def slow(messages: list[dict[str, str]]) -> str:
        done.wait(60)
        return honest(messages)

    with running(LlamaCpp(slow)) as stub:
        configure(world, stub.url)
        with assistants(world) as pid, person(world, "ask", QUESTION) as asked:
            wait_for(lambda: ("POST", "/v1/chat/completions") in stub.paths, 60, "the question")
            found = looked_at(world.root)
            done.set()
            home = platform_home({"EARMARK_HOME": str(world.root)})
            late = next(Beside(load_config(home.config_file), home, ()).claims())
    assert (late.held, "began while this check ran" in late.detail) == (None, True)
    assert [o for o in found if o.held is not True] == []
    assert any(f"The running earmark mcp (pid {pid}) is held" in o.claim for o in found)
    assert any(f"The running earmark ask (pid {asked}) has no socket" in o.claim for o in found)
    assert any("running workers of earmark ask" in o.claim and "change no file" in o.claim for o in found)
    assert any("summarization worker of earmark mcp" in o.claim and "is held" in o.claim for o in found)
