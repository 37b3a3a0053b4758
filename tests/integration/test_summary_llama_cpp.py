"""Contract tests on the real llama.cpp server with a real model of 135 million parameters.

The model is far too small to summarize: it loops, invents and forgets. That is what it is for here. Whatever it says,
what comes out must be borne out by the recording, cover it whole or say what is missing, or be an honest failure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from earmark.domain import Fault, Transcript
from earmark.files import pack_path
from earmark.summarization.answer import schema_for
from earmark.summarization.chat import ChatSummarizer
from earmark.summarization.completion import Chat
from earmark.summarization.connection import connect
from earmark.summarization.engine import AnswerFault, Result
from earmark.summarization.evidence import normal
from earmark.summarization.overflow import Overflow
from earmark.summarization.probe import probe
from earmark.summarization.window import Meter

from tests.llama_server import Llama, llama
from tests.spoken import MEETING, long_meeting, request, transcript

WINDOW = 2048


@pytest.fixture(scope="module")
def server() -> Iterator[Llama]:
    with llama(WINDOW) as running:
        yield running


@pytest.fixture(scope="module")
def chat(server: Llama) -> Chat:
    return connect(server.url).chat


@pytest.mark.shows("summaries:window")
def test_the_server_is_recognised_with_its_window_and_tokenizer(server: Llama) -> None:
    report = probe(server.url)
    assert report.problem == ""
    assert (report.server, report.context, report.slots) == ("llama.cpp", WINDOW, 1)
    assert report.structured == "json_schema"
    assert report.tokenizer
    assert report.speed > 0
    assert report.model.endswith(".gguf")
    assert "/" not in report.model, "the path of a file is nobody's business"
    assert report.locality == "unverified"


@pytest.mark.shows("summaries:too-long")
def test_the_real_overflow_error_teaches_the_window(chat: Chat) -> None:
    with pytest.raises(Overflow) as caught:
        chat.ask([{"role": "user", "content": "one and two " * 3000}], None, 8)
    assert caught.value.limit == WINDOW
    assert caught.value.prompt > WINDOW


@pytest.mark.shows("summaries:tokens")
def test_tokens_are_counted_as_the_server_counts_them(server: Llama, chat: Chat) -> None:
    meter = connect(server.url).meter()
    for text in (MEETING, "Wir haben beschlossen, den Start zu verschieben. " * 5, "会議は明日です。" * 20):
        counted = meter.tokens(text)
        spoken = chat.ask([{"role": "user", "content": text}], None, 1)
        template = chat.ask([{"role": "user", "content": "x"}], None, 1).prompt_tokens
        assert abs(spoken.prompt_tokens - template + 1 - counted) <= 2


@pytest.mark.shows("summaries:tokens")
def test_characters_per_token_learned_from_usage_are_the_servers(server: Llama, chat: Chat) -> None:
    """As for a server without a tokenizer to ask: what one request teaches predicts the next."""
    meter = Meter()
    first = " ".join(s.text for s in long_meeting(30).segments)
    meter.learn(first, chat.ask([{"role": "user", "content": first}], None, 1).prompt_tokens)
    second = " ".join(s.text for s in long_meeting(60).segments)[len(first) :][:3000]
    counted = chat.ask([{"role": "user", "content": second}], None, 1).prompt_tokens
    assert abs(meter.tokens(second) - counted) < 0.15 * counted


def test_an_answer_that_does_not_end_says_so(chat: Chat) -> None:
    schema = {
        "type": "object",
        "properties": {"words": {"type": "string", "minLength": 900}},
        "required": ["words"],
    }
    spoken = chat.ask([{"role": "user", "content": "Write a long story as JSON."}], schema, 24)
    assert spoken.finish == "length"
    assert spoken.cut_off
    assert 0 < spoken.completion_tokens <= 24


def test_the_bounds_of_the_schema_hold_whatever_the_model_wants(chat: Chat) -> None:
    schema = schema_for(("key_points",), 1)
    spoken = chat.ask([{"role": "user", "content": MEETING}], schema, 900)
    assert spoken.finish == "stop"
    answer = json.loads(spoken.content)
    assert len(answer["title"]) <= 80
    assert len(answer["key_points"]) <= 1


def outcome(server: Llama, spoken: Transcript) -> Result | AnswerFault:
    try:
        return ChatSummarizer().summarize(request(server.url, spoken, max_points=1), lambda at, total: None)
    except AnswerFault as fault:
        return fault


def check_honesty(result: Result | AnswerFault, spoken: Transcript) -> None:
    """A failure names the model; a summary holds nothing without a time, and no number that was not said unflagged."""
    if isinstance(result, AnswerFault):
        assert result.fault is Fault.ANSWER
        assert "SmolLM2" in result.sentence
        return
    summary = result.summary
    said = normal(spoken.text)
    starts = {segment.start for segment in spoken.segments}
    items: list[Any] = [*summary.key_points, *summary.decisions, *summary.tasks, *summary.open_questions]
    assert all(item.at in starts for item in items)
    assert all(task.owner is None or normal(task.owner) in said for task in summary.tasks)
    assert summary.coverage == 1.0 or summary.missing
    assert not re.search(r"20\d\d", summary.overview), "it likes to make up years"
    assert summary.by in ("llama.cpp", "extractive")
    assert "SmolLM2" in summary.model


def test_a_short_meeting_ends_in_a_checked_summary_or_an_honest_failure(server: Llama) -> None:
    spoken = transcript(MEETING)
    check_honesty(outcome(server, spoken), spoken)


@pytest.mark.shows("summaries:parts")
def test_sixty_minutes_are_summarized_through_a_window_of_two_thousand_tokens(
    server: Llama, tmp_path: Path
) -> None:
    """An hour with a sentence every 45 seconds, so that it takes this slow model several windows and not an hour."""
    folder = tmp_path
    (folder / "short.md").write_text("---\nprompt: A report.\nsections:\n  key_points: What was said.\n---\n")
    spoken = long_meeting(80, step=45.0)
    assert spoken.duration == 3600
    beats: list[tuple[float, float | None]] = []
    asked = request(server.url, spoken, max_points=1, template="short", template_dir=pack_path(folder))
    result: Result | AnswerFault
    try:
        result = ChatSummarizer().summarize(asked, lambda at, total: beats.append((at, total)))
    except AnswerFault as fault:
        result = fault
    check_honesty(result, spoken)
    assert isinstance(result, Result), result
    assert result.summary.coverage == 1.0
    assert max(total or 0 for _, total in beats) >= 3, "it took several parts"
