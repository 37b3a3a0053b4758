"""The daemon and its summary server: found by itself, missing, misbehaving, back again. Real supervisor and summary worker;
only speech is made up.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from earmark.locality.policy.addresses import LOCAL_PORTS
from earmark.supervisor import knocking
from earmark.verbs.probing import summary_server
from earmark.workers import start_process

from tests.conftest import Installation, wait_for
from tests.daemon_rig import Live, Rig, quick_config, start_standin
from tests.raw_server import again, answering, head, whole
from tests.stub_server import LMStudio, honest, running


def start(module: str, *more: Any, **options: Any) -> subprocess.Popen[bytes]:
    """The real summary worker beside a stand-in for speech."""
    if module == "earmark.summarization.worker":
        return start_process(module, *more, **options)
    return start_standin(module)


def rig(root: Path, endpoint: str, **summary: Any) -> Rig:
    return Rig(root, {"summary": {"endpoint": endpoint, "timeout_seconds": 5, **summary}})


@contextlib.contextmanager
def well_known_port() -> Iterator[int]:
    """A port where "auto" looks and nobody listens; the rarest first, so as not to meet a real server."""
    for port in reversed(LOCAL_PORTS):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            break
    else:
        pytest.skip("every port where model servers live is taken")
    yield port


@pytest.fixture
def quick_knocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(knocking, "KNOCK_SECONDS", 0.3)
    monkeypatch.setattr(knocking, "AFTER_ANSWER", 0.3)


def summary_of(made: Rig, name: str = "a.md") -> str:
    return made.notes().get(name, "")


def parked(made: Rig) -> list[str]:
    """Why summaries wait, one sentence each."""
    return [
        row[0] for row in made.query("SELECT reason FROM jobs WHERE stage = 'summarize' AND state = 'parked'")
    ]


@pytest.mark.shows("summaries:auto", "summaries:test")
def test_auto_finds_a_server_for_a_real_daemon_and_the_test_verb_says_the_same(tmp_path: Path) -> None:
    made = rig(tmp_path, "auto")
    made.drop("a.wav")
    installation = Installation(tmp_path / "verb")
    installation.configure("[summary]\nendpoint = 'auto'\n")
    with well_known_port() as port, running(LMStudio(), port=port):
        assert made.run_once(start=start) == 0
        shown = installation.earmark("summary", "test")
    assert "summary_by: lm-studio" in summary_of(made) or "summary_by: qwen3-4b" in summary_of(made)
    assert ("summarize", "done", 1) in made.jobs()
    assert shown.returncode == 0
    assert f"✓ http://127.0.0.1:{port}/v1" in shown.stdout


def test_a_server_that_auto_finds_later_makes_the_better_summary(tmp_path: Path, quick_knocks: None) -> None:
    made = rig(tmp_path, "auto")
    with well_known_port() as port, Live(made, start=start):
        made.drop("a.wav")
        wait_for(lambda: "summary_by: extractive" in summary_of(made), 20, "the extractive summary")
        with running(LMStudio(), port=port):
            wait_for(lambda: "summary_by: extractive" not in summary_of(made), 20, "the better one")


@pytest.mark.shows("summaries:said-once")
def test_no_server_is_said_once_and_not_for_each_recording(tmp_path: Path) -> None:
    made = rig(tmp_path, "http://127.0.0.1:9/v1")
    for name in ("a.wav", "b.wav", "c.wav"):
        made.drop(name, name)
    for number in range(3):
        made.drop(f"2020-01-01 {number}.wav", f"mute\n{number}")  # of what has no word no server is asked
    with structlog.testing.capture_logs() as told:
        assert made.run_once(start=start) == 0
    said = [line["sentence"] for line in told if line["event"] == "not-summarized"]
    assert said == ["no summary server answers at 127.0.0.1 port 9"]
    assert parked(made) == said * 3, "each recording still knows why it waits"
    assert all("summary_by: extractive" in summary_of(made, f"{name}.md") for name in "abc")
    assert len(made.events("not-summarized")) <= 1


@pytest.mark.shows("summaries:newest")
def test_of_those_that_waited_for_a_server_the_newest_comes_first(tmp_path: Path) -> None:
    made = rig(tmp_path, "http://127.0.0.1:9/v1")
    days = [f"2026-03-{day:02d} talk.wav" for day in (4, 9, 1, 7)]
    for name in days:
        made.drop(name, name)
    assert made.run_once(start=start) == 0
    assert len(parked(made)) == 4
    with running(LMStudio()) as server:
        made.sections["summary"]["endpoint"] = server.url
        assert made.run_once(start=start) == 0
    rows = made.query(
        "SELECT p.path FROM events e JOIN places p ON p.recording_id = e.recording_id"
        " WHERE e.what = 'summarized' ORDER BY e.id DESC LIMIT 4"
    )
    assert [Path(os.fsdecode(row[0])).name for row in rows] == sorted(days)


@pytest.mark.shows("summaries:no-answer")
def test_a_web_page_in_its_place_is_waited_out(tmp_path: Path, quick_knocks: None) -> None:
    page = whole(b"<!doctype html><p>Hello</p>", "text/html")
    with answering(lambda: [page], lambda: [page]) as url, structlog.testing.capture_logs() as told:
        port = int(url.rsplit(":", 1)[1].split("/")[0])
        made = rig(tmp_path, url)
        with Live(made, start=start):
            made.drop("a.wav")
            wait_for(lambda: "summary_by: extractive" in summary_of(made), 20, "the extractive summary")
            reasons = wait_for(lambda: parked(made), 20, "the wait for a server")
        (report,) = summary_server(made.installed, made.config())
        assert [report.problem] == reasons, "the verb and the daemon say the same"
    ((reason,),) = made.query("SELECT reason FROM jobs WHERE stage = 'summarize'")
    assert (
        reason == f"what listens at 127.0.0.1 port {port} answers with a web page, "
        "not as a model server; is its address right?"
    )
    assert len([line for line in told if line["event"] == "not-summarized"]) == 1
    with running(LMStudio(honest), port=port):
        assert made.run_once(start=start) == 0
    assert "summary_by: extractive" not in summary_of(made)


@pytest.mark.shows("summaries:meanwhile")
def test_while_a_server_says_nothing_the_extractive_summary_is_there(tmp_path: Path) -> None:
    asked = threading.Event()

    def silence() -> Iterator[bytes]:
        asked.set()
        return again(b": keep-alive\n\n", 0.2, head())

    with answering(silence) as url:
        made = rig(tmp_path, url)
        with Live(made, start=start):
            made.drop("a.wav")
            assert asked.wait(20)
            wait_for(lambda: "summary_by: extractive" in summary_of(made), 20, "the extractive summary")
            assert made.query("SELECT state FROM jobs WHERE stage = 'summarize'") == [("claimed",)]
            wait_for(lambda: parked(made), 20, "the wait for a server")
    assert "stopped answering" in parked(made)[0]


def test_an_address_that_got_past_the_configuration_ends_no_daemon(tmp_path: Path) -> None:
    endpoint = "http://localhost:99999/v1"
    made = Rig(tmp_path)
    made.drop("a.wav")
    config = quick_config()
    config = config.model_copy(update={"summary": config.summary.model_copy(update={"endpoint": endpoint})})
    for _ in range(2):  # the second time something is parked, and is knocked for
        running_daemon = made.supervisor(once=True, start=start)
        running_daemon.config = config
        assert running_daemon.run() == 0
    assert "summary_by: extractive" in summary_of(made)


def test_an_address_that_cannot_be_one_is_refused_before_the_daemon_starts(
    installation: Installation,
) -> None:
    installation.configure("[summary]\nendpoint = 'http://localhost:99999/v1'\n")
    for verb in (("config", "check"), ("run", "--once", installation.folder)):
        done = installation.earmark(*verb)
        assert done.returncode == 78
        assert "a port is a number from 1 to 65535" in done.stderr
