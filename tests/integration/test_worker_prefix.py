"""How a worker is confined from outside, where the system can do it only so (macOS; its own tool is not here, so a
harmless program stands in for it).
"""

from __future__ import annotations

import queue
from pathlib import Path
from typing import Any

import pytest
from earmark.config import parse_config
from earmark.context import Context
from earmark.ledger import Ledger
from earmark.messages import Ready
from earmark.paths import Home
from earmark.supervisor.sizing import load_order
from earmark.supervisor.stages import transcription
from earmark.supervisor.stages.transcription import TranscriptionStage
from earmark.transcription.models import find_model
from earmark.workers import Worker, start_process

MODEL = find_model("auto", None, Path("/nowhere"))


@pytest.fixture
def profiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(transcription, "start_prefix", lambda folders, model: ["/usr/bin/env"])

    def with_config(raw: dict[str, Any]) -> TranscriptionStage:
        home = Home(tmp_path / "config", tmp_path / "state", tmp_path / "data")
        context = Context(Ledger(home.ledger_file), home, parse_config(raw, "test"), (tmp_path,))
        return TranscriptionStage(context, "run", lambda _: None, start_process)

    return with_config


def test_a_worker_starts_behind_a_prefix_and_answers(profiled: Any) -> None:
    found = profiled({})
    model = MODEL
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    prefix = found.prefix(model, 0)
    assert prefix == ["/usr/bin/env"]
    worker = Worker(
        "earmark.transcription.worker", inbox.put, lambda module: start_process(module, prefix=prefix)
    )
    try:
        worker.send(load_order(parse_config({}, "test"), model, ()))
        assert isinstance(inbox.get(timeout=60).message, Ready)
    finally:
        worker.kill()


def test_a_profile_that_keeps_the_worker_from_starting_is_given_up_after_two_tries(profiled: Any) -> None:
    found = profiled({})
    assert [bool(found.prefix(MODEL, failed)) for failed in range(4)] == [True, True, False, False]


def test_a_required_profile_is_never_given_up(profiled: Any) -> None:
    found = profiled({"require_sandbox": True})
    assert all(found.prefix(MODEL, failed) for failed in range(10))
