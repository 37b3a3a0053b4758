"""A daemon and a model that is no good at summaries: said once, not asked any more, and another one makes up for it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from earmark.pipeline import fitting
from earmark.supervisor import knocking
from earmark.verbs.opening import opened_context
from earmark.verbs.retrying import resummarize

from tests.conftest import wait_for
from tests.daemon_rig import Live, Rig
from tests.integration.test_summary_endpoint_daemon import rig, start, summary_of
from tests.stub_server import LMStudio, Model, Said, Stub, honest, lines_in, running

NAMES = ("a", "b", "c", "d")


class Named(Stub):
    """A server with one model of this name."""

    name = "small-0.5b"

    def get(self, path: str) -> Said:
        if path == "/v1/models":
            return Said(body={"object": "list", "data": [{"id": self.name, "object": "model"}]})
        return super().get(path)

    @property
    def asked(self) -> int:
        """Recordings that it was asked about; the first question may only be there to count tokens."""
        return len([body for body in self.requests if "[0]" in body["messages"][-1]["content"]])


@contextmanager
def served(model: Model, port: int = 0, name: str = "small-0.5b") -> Iterator[Named]:
    """A server with that model."""
    named = Named(model, name=name)
    with running(named, port=port):
        yield named


def inventing(messages: list[dict[str, str]]) -> str:
    """One line that was said, and three that were not."""
    lines = lines_in(messages)
    said = [{"quote": words, "at": at, "text": words} for at, words in lines[:1]]
    made_up = [
        {"quote": "the bridge burns", "at": 0, "text": f"The {what} burns."}
        for what in ("ferry", "mill", "inn")
    ]
    return json.dumps({"title": "Fire", "overview": "The ferry burns.", "key_points": said + made_up})


def speechless(messages: list[dict[str, str]]) -> str:
    return "I am a large language model."


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def troubles(made: Rig) -> list[str]:
    return [sentence for subject, sentence in made.troubles().items() if subject == fitting.TROUBLE]


def told(made: Rig) -> int:
    return len(made.events("model-does-not-fit"))


def all_by(made: Rig, by: str) -> bool:
    return all(f"summary_by: {by}" in summary_of(made, f"{name}.md") for name in NAMES)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KNOCK_SECONDS", "AFTER_ANSWER", "LONGEST_REST"):
        monkeypatch.setattr(knocking, name, 0.3)


@pytest.mark.shows("summaries:unfit")
@pytest.mark.parametrize("model", [inventing, speechless])
def test_a_model_that_keeps_losing_is_named_once_and_not_asked_any_more_until_another_is_there(
    tmp_path: Path, quick: None, model: Any
) -> None:
    port = free_port()
    made = rig(tmp_path, f"http://127.0.0.1:{port}/v1")
    with Live(made, start=start):
        with served(model, port) as small:
            for number, name in enumerate(NAMES[:3], start=1):
                made.drop(f"{name}.wav", name)
                wait_for(lambda n=number: small.asked >= n, 30, "the question")  # type: ignore[misc]
            wait_for(lambda: troubles(made), 30, "the trouble")
            asked = small.asked
            made.drop("d.wav", "d")
            wait_for(lambda: all_by(made, "extractive"), 30, "four picked summaries")
            wait_for(
                lambda: len([p for p in small.paths if p[1] == "/v1/models"]) > 5, 30, "looks at the models"
            )
            assert small.asked == asked, "it is looked at, and not asked"
            assert told(made) == 1
        with served(honest, port, "large-70b") as large:
            wait_for(lambda: all_by(made, "openai-compatible"), 30, "the better summaries of all four")
            assert large.asked >= len(NAMES)
        assert troubles(made) == []
        assert all("summary_model: large-70b" in summary_of(made, f"{name}.md") for name in NAMES)


@pytest.mark.shows("summaries:unfit")
def test_why_a_model_does_not_fit_is_said_with_numbers(tmp_path: Path) -> None:
    with served(inventing) as small:
        made = rig(tmp_path, small.url)
        for name in NAMES:
            made.drop(f"{name}.wav", name)
        assert made.run_once(start=start) == 0
        assert small.asked == fitting.IN_A_ROW
    (sentence,) = troubles(made)
    assert sentence.startswith(
        "the model small-0.5b does not fit (1 of 5 lines held; 3 recordings in a row)."
    )
    reasons = [
        row[0] for row in made.query("SELECT reason FROM jobs WHERE stage = 'summarize' AND state = 'done'")
    ]
    assert reasons == ["small-0.5b does not fit: 1 of 5 lines held"] * 3


@pytest.mark.shows("summaries:unfit-by-hand")
def test_who_asks_by_hand_or_changes_the_settings_has_it_asked_again(tmp_path: Path) -> None:
    with served(inventing) as small:
        made = rig(tmp_path, small.url)
        for name in NAMES:
            made.drop(f"{name}.wav", name)
        assert made.run_once(start=start) == 0
        asked = small.asked
        assert made.run_once(start=start) == 0
        assert small.asked == asked, "nor by another run"
        with opened_context(made.installed, made.config()) as context:
            (place,) = [p for p in context.ledger.places.all() if p.path.name == "d.wav"]
            resummarize(context, place.recording_id, "d.wav", None)
        assert made.run_once(start=start) == 0
        assert small.asked == asked + 2, "d, and a, which had not been asked about: the newest come first"
    with running(LMStudio()) as other:
        made.sections["summary"]["endpoint"] = other.url
        assert made.run_once(start=start) == 0
    assert all_by(made, "lm-studio")
    assert troubles(made) == []
