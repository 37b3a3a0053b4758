"""Summaries as a person meets them: a server that comes and goes, another template, an edited note. Real daemon, real
speech; the server is a stub that answers like LM Studio (the real llama.cpp is tried in tests/integration).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import Installation, wait_for
from tests.stub_server import LMStudio, running


@pytest.fixture
def server() -> Iterator[LMStudio]:
    with running(LMStudio()) as stub:
        assert isinstance(stub, LMStudio)
        yield stub


def configure(made: Installation, url: str) -> None:
    made.configure(f"[intake]\nsettle_seconds = 0.3\nscan_seconds = 1.0\n[summary]\nendpoint = '{url}'\n")


def note(made: Installation, name: str = "a.md") -> str:
    path = made.folder / name
    return path.read_text() if path.exists() else ""


def test_a_server_on_this_device_writes_the_summary_and_the_note_says_so(
    installation: Installation, server: LMStudio
) -> None:
    configure(installation, server.url)
    installation.drop("a.m4a")
    done = installation.earmark("run", installation.folder, "--once")
    assert done.returncode == 0, done.stderr
    written = note(installation)
    assert "summary_by: extractive" not in written
    assert "summary_by:" in written
    assert "[[sample.m4a" not in written
    assert "[[a.m4a#t=" in written


@pytest.mark.shows("summaries:extractive", "summaries:better")
def test_without_a_server_the_extractive_summary_is_there_and_is_replaced_when_one_answers(
    installation: Installation, server: LMStudio
) -> None:
    configure(installation, "http://127.0.0.1:9/v1")
    daemon = installation.daemon()
    installation.drop("a.m4a")
    wait_for(lambda: "summary_by: extractive" in note(installation), 60, "the extractive summary")
    wait_for(lambda: installation.status()["wants_better_summary"], 30, "the wish for a better one")
    configure(installation, server.url)
    daemon.send_signal(1)
    wait_for(
        lambda: note(installation) and "summary_by: extractive" not in note(installation),
        60,
        "the better summary",
    )
    # What stood there is under a hidden name for a moment after the new one has its place.
    wait_for(lambda: installation.notes() == ["a.md", "a.transcript.md"], 20, "nothing but the two notes")


@pytest.mark.shows("summaries:better", "summaries:down")
def test_a_server_that_comes_back_is_noticed_within_a_minute(installation: Installation) -> None:
    with running(LMStudio()) as stub:
        url = stub.url
    configure(installation, url)
    installation.daemon()
    installation.drop("a.m4a")
    wait_for(lambda: installation.status()["wants_better_summary"], 60, "the wish for a better one")
    with running(LMStudio(), port=urlsplit(url).port or 0):
        wait_for(lambda: "summary_by: extractive" not in note(installation), 60, "the better summary")


@pytest.mark.shows("summaries:better")
def test_an_edited_summary_stays_when_another_template_is_wanted(
    installation: Installation, server: LMStudio
) -> None:
    configure(installation, server.url)
    recording = installation.drop("a.m4a")
    assert installation.earmark("run", installation.folder, "--once").returncode == 0
    edited = installation.folder / "a.md"
    edited.write_text(edited.read_text() + "\nMine.\n")
    asked = installation.earmark("resummarize", recording, "--template", "interview")
    assert asked.returncode == 0, asked.stderr
    assert installation.earmark("run", installation.folder, "--once").returncode == 0
    assert edited.read_text().endswith("\nMine.\n")
    assert "summary_template: interview" in note(installation, "a (new).md")


def test_a_template_that_a_person_writes_into_the_note_is_used(
    installation: Installation, server: LMStudio
) -> None:
    configure(installation, server.url)
    installation.drop("a.m4a")
    assert installation.earmark("run", installation.folder, "--once").returncode == 0
    path = installation.folder / "a.md"
    path.write_text(path.read_text().replace("summary_template: meeting", "summary_template: memo"))
    assert "as memo" in installation.earmark("resummarize", path).stdout
    assert installation.earmark("run", installation.folder, "--once").returncode == 0
    # What they changed above the text stays in the later version, which takes the place of the former.
    assert installation.notes() == ["a.md", "a.transcript.md"]
    assert "summary_template: memo" in note(installation)
    assert installation.status()["edited"] == [], "no word was changed"


def test_another_template_in_the_configuration_offers_and_never_forces(
    installation: Installation, server: LMStudio
) -> None:
    configure(installation, server.url)
    installation.drop("a.m4a")
    assert installation.earmark("run", installation.folder, "--once").returncode == 0
    before = note(installation)
    file = installation.root / "home" / "config" / "config.toml"
    file.write_text(file.read_text() + "template = 'lecture'\n")
    assert installation.earmark("run", installation.folder, "--once").returncode == 0
    assert note(installation) == before
    assert installation.status()["outdated_summaries"] == 1
    assert "resummarize --outdated" in installation.earmark("status").stdout
    assert installation.earmark("resummarize", "--outdated").returncode == 0
    assert installation.earmark("run", installation.folder, "--once").returncode == 0
    assert "summary_template: lecture" in note(installation)


@pytest.mark.shows("summaries:test")
def test_summary_test_shows_what_was_found(installation: Installation, server: LMStudio) -> None:
    configure(installation, server.url)
    shown = installation.earmark("summary", "test")
    assert shown.returncode == 0, shown.stderr
    for part in ("context window", "structured output", "speed", "runs on"):
        assert part in shown.stdout
    nobody = Installation(Path(installation.root) / "other")
    nobody.configure("[summary]\nendpoint = 'http://127.0.0.1:9/v1'\n")
    assert nobody.earmark("summary", "test").returncode == 69


def test_a_template_that_does_not_exist_is_refused_before_anything_is_queued(
    installation: Installation,
) -> None:
    recording = installation.drop("a.m4a")
    assert installation.earmark("run", installation.folder, "--once").returncode == 0
    asked = installation.earmark("resummarize", recording, "--template", "poem")
    assert asked.returncode == 2
    assert "built in are meeting" in asked.stderr
