"""What local servers do differently, replayed by a stub with their real status codes and bodies.

LM Studio, Ollama, LocalAI and vLLM cannot run here; the real llama.cpp has its own tests.
"""

from __future__ import annotations

import json
import socket
import time
from typing import Any

import pytest
from earmark.domain import Fault, Summary
from earmark.errors import PrivacyError
from earmark.messages import SummarizeRequest
from earmark.summarization import completion
from earmark.summarization.chat import ChatSummarizer
from earmark.summarization.engine import Result, SummaryFault

from tests.spoken import MEETING, long_meeting, request, transcript
from tests.stub_server import (
    LINE,
    VLLM,
    LlamaCpp,
    LMStudio,
    LocalAI,
    Ollama,
    Said,
    Stub,
    chunk,
    honest,
    running,
    sse,
    streamed,
)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion, "BUSY_WAIT", 0.0)


def summarize(asked: SummarizeRequest) -> Result:
    return ChatSummarizer().summarize(asked, lambda at, total: None)


def summary(stub: Stub, **options: Any) -> Summary:
    return summarize(request(stub.url, **options)).summary


def fault(stub: Stub, **options: Any) -> SummaryFault:
    with pytest.raises(SummaryFault) as caught:
        summarize(request(stub.url, **options))
    return caught.value


def seen_lines(stub: Stub) -> set[int]:
    """The times of all transcript lines that reached the model."""
    return {int(at) for body in stub.requests for at, _ in LINE.findall(body["messages"][-1]["content"])}


@pytest.mark.parametrize("kind", [LMStudio, Ollama, LlamaCpp, LocalAI, VLLM, Stub])
def test_every_kind_of_server_gives_a_checked_summary_without_tuning(kind: type[Stub]) -> None:
    with running(kind()) as stub:
        made = summary(stub)
    assert made.coverage == 1.0
    assert made.unsupported == 0
    assert [(task.owner, task.due, task.at) for task in made.tasks if not task.by] == [
        ("Anna", "Friday", 25.0)
    ]
    assert [task.at for task in made.tasks if task.by == "extractive"] == [30.0, 55.0, 60.0]
    assert [(point.at, point.by) for point in made.decisions] == [(20.0, "")]
    assert made.made_at == "this device"


def test_the_kind_of_server_is_named_in_the_summary() -> None:
    kinds = {}
    for kind in (LMStudio, Ollama, LlamaCpp, LocalAI, VLLM, Stub):
        with running(kind()) as stub:
            made = summary(stub)
            kinds[made.by] = made.model
    assert kinds == {
        "lm-studio": "qwen3-4b",
        "ollama": "llama3.2:3b",
        "llama.cpp": "model.gguf",
        "localai": "gemma",
        "vllm": "Qwen/Qwen3-8B",
        "openai-compatible": "stub-7b-instruct",
    }


@pytest.mark.shows("summaries:parameters")
def test_lm_studio_is_never_asked_for_json_object() -> None:
    with running(LMStudio()) as stub:
        summary(stub)
    assert {(body.get("response_format") or {}).get("type") for body in stub.requests} <= {
        None,
        "json_schema",
    }


@pytest.mark.shows("summaries:parameters")
def test_a_server_that_knows_no_json_schema_is_asked_in_words() -> None:
    class Plain(Stub):
        def chat(self, body: dict[str, Any]) -> Said:
            if "response_format" in body:
                return Said(400, {"error": {"message": "response_format is not supported"}})
            return super().chat(body)

    with running(Plain()) as stub:
        assert summary(stub).decisions


@pytest.mark.shows("summaries:parameters")
@pytest.mark.parametrize("unknown", ["stream_options", "chat_template_kwargs", "reasoning_effort", "ttl"])
def test_a_parameter_that_a_server_refuses_is_left_out(unknown: str) -> None:
    def strict(base: type[Stub]) -> type[Stub]:
        class Strict(base):  # type: ignore[misc, valid-type]
            def chat(self, body: dict[str, Any]) -> Said:
                if unknown in body:
                    return Said(
                        422, {"detail": [{"loc": ["body", unknown], "msg": "Extra inputs are not permitted"}]}
                    )
                return super().chat(body)  # type: ignore[no-any-return]

        return Strict

    for base in (LMStudio, Ollama, LlamaCpp):
        with running(strict(base)()) as stub:
            assert summary(stub).decisions


@pytest.mark.shows("summaries:parameters")
def test_a_server_that_cannot_bound_strings_still_gets_the_schema() -> None:
    class Unbounded(Stub):
        def chat(self, body: dict[str, Any]) -> Said:
            if "maxLength" in json.dumps(body.get("response_format")):
                return Said(
                    400, {"error": {"message": "json schema: unsupported keyword maxLength in grammar"}}
                )
            return super().chat(body)

    with running(Unbounded()) as stub:
        assert summary(stub).decisions
    assert stub.summaries[-1]["response_format"]["type"] == "json_schema"


@pytest.mark.shows("summaries:reasoning")
@pytest.mark.parametrize("field_name", ["reasoning_content", "reasoning"])
def test_json_that_lands_in_the_reasoning_field_is_read(field_name: str) -> None:
    class Reasoning(LMStudio):
        def say(self, text: str, prompt: int, finish: str = "stop") -> Said:
            return Said(body=streamed(text, prompt, finish, field_name), kind="text/event-stream")

    with running(Reasoning()) as stub:
        assert summary(stub).decisions


@pytest.mark.shows("summaries:reasoning")
def test_reasoning_without_json_is_a_failure_and_not_a_summary() -> None:
    class Musing(LMStudio):
        def say(self, text: str, prompt: int, finish: str = "stop") -> Said:
            data = streamed(
                "The user wants a summary. Let me think about it.", prompt, finish, "reasoning_content"
            )
            return Said(body=data, kind="text/event-stream")

    with running(Musing()) as stub:
        assert fault(stub).fault is Fault.ANSWER


@pytest.mark.shows("summaries:reasoning")
@pytest.mark.parametrize(
    "wrap",
    [
        '<think>Hm, {{"title": "wrong"}} perhaps.</think>{}',
        "<think>\nlet me see\n{}",
        "Okay, the user wants JSON. </think>\n{}",
        "Okay, so I should list the points.\n\n```json\n{}\n```\nI hope this helps!",
        "<|channel|>analysis<|message|>thinking<|end|><|start|>assistant<|channel|>final<|message|>{}",
        "[THINK]what now[/THINK]{}",
        '{{"title": "first try"}} no, better: {}',
    ],
)
def test_thinking_around_the_answer_is_stripped(wrap: str) -> None:
    with running(Stub(lambda messages: wrap.format(honest(messages)))) as stub:
        made = summary(stub)
    assert made.decisions
    assert "think" not in (made.title + made.overview).lower()


@pytest.mark.shows("summaries:errors")
def test_an_error_inside_a_successful_stream_is_an_error() -> None:
    class Failing(LMStudio):
        def chat(self, body: dict[str, Any]) -> Said:
            crashed = {"error": {"message": "The model has crashed without additional information."}}
            return Said(body=sse(crashed), kind="text/event-stream")

    class FailingWhole(LMStudio):
        def chat(self, body: dict[str, Any]) -> Said:
            return Said(body={"error": "The model has crashed without reason"}, kind="application/json")

    for kind in ("text/event-stream", "application/json"):
        with running(Failing() if kind == "text/event-stream" else FailingWhole()) as stub:
            failed = fault(stub)
        assert failed.fault is Fault.ENDPOINT
        assert "crashed" in failed.sentence


@pytest.mark.shows("summaries:errors")
def test_an_error_text_as_the_answer_never_becomes_a_summary() -> None:
    for text in ("Error: model requires more system memory", '{"error": "out of memory"}', "", "null", "[]"):
        with running(Stub(lambda messages, text=text: text)) as stub:  # type: ignore[misc]
            assert fault(stub).fault is Fault.ANSWER


def test_a_server_that_does_not_stream_is_understood() -> None:
    class Whole(Stub):
        def say(self, text: str, prompt: int, finish: str = "stop") -> Said:
            message = {"role": "assistant", "content": text}
            return Said(
                body={
                    "id": "c",
                    "object": "chat.completion",
                    "choices": [{"index": 0, "message": message, "finish_reason": finish}],
                    "usage": {"prompt_tokens": prompt, "completion_tokens": 5},
                }
            )

    with running(Whole()) as stub:
        assert summary(stub).decisions


@pytest.mark.shows("summaries:thinking")
def test_a_model_that_cannot_stop_thinking_gets_room_for_it() -> None:
    class Thinker(LMStudio):
        def chat(self, body: dict[str, Any]) -> Said:
            if body["max_tokens"] > 1 and body["max_tokens"] < 4000:
                data = streamed("Let me think about this. " * 20, 300, "length", "reasoning_content")
                return Said(body=data, kind="text/event-stream")
            return super().chat(body)

    with running(Thinker(window=16384)) as stub:
        assert summary(stub).decisions
    assert len(stub.summaries) == 2


@pytest.mark.shows("summaries:parameters")
def test_a_model_that_wants_its_parameters_named_otherwise_gets_them_so() -> None:
    class Newer(Stub):
        def chat(self, body: dict[str, Any]) -> Said:
            if "max_tokens" in body:
                message = "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."
                return Said(
                    400,
                    {"error": {"message": message, "type": "invalid_request_error", "param": "max_tokens"}},
                )
            if "temperature" in body:
                message = "Unsupported value: 'temperature' does not support 0.2 with this model."
                return Said(400, {"error": {"message": message, "param": "temperature"}})
            return super().chat({**body, "max_tokens": body["max_completion_tokens"]})

    with running(Newer()) as stub:
        assert summary(stub).decisions


@pytest.mark.shows("summaries:usual-path")
@pytest.mark.parametrize("kind", [LMStudio, Ollama, LlamaCpp, LocalAI, VLLM, Stub])
def test_where_no_model_is_listed_below_the_path_the_usual_one_is_tried(kind: type[Stub]) -> None:
    """Also where the server lists its models at an address of its own, whatever the path is."""
    with running(kind()) as stub:
        stub.url = stub.url.removesuffix("/v1") + "/openai"
        assert summary(stub).decisions


# --- the window ---


@pytest.mark.shows("summaries:window")
@pytest.mark.parametrize("kind", [LMStudio, LlamaCpp, VLLM])
def test_a_long_recording_is_covered_whole_when_the_server_tells_its_window(kind: type[Stub]) -> None:
    spoken = long_meeting(400)
    with running(kind(window=4096)) as stub:
        made = summary(stub, spoken=spoken)
    assert made.coverage == 1.0
    assert made.missing == ()
    assert seen_lines(stub) == {int(segment.start) for segment in spoken.segments}
    assert len(stub.summaries) > 3


@pytest.mark.shows("summaries:too-long")
@pytest.mark.parametrize("kind", [LMStudio, LlamaCpp, LocalAI, VLLM, Stub])
def test_overflow_errors_of_every_shape_lead_to_a_new_plan(kind: type[Stub]) -> None:
    """The configured window is wrong by a factor of eight; the errors have to teach the right one."""
    spoken = long_meeting(300)
    with running(kind(window=2048)) as stub:
        made = summary(stub, spoken=spoken, context=16384)
    assert made.coverage == 1.0
    assert seen_lines(stub) == {int(segment.start) for segment in spoken.segments}


def test_lm_studios_other_overflow_text_is_understood() -> None:
    class Keeping(LMStudio):
        def overflow(self, prompt: int, body: dict[str, Any]) -> Said:
            message = (
                "The number of tokens to keep from the initial prompt is greater than the context length "
                f"(n_keep: {prompt}>= n_ctx: {self.window}). Try to load the model with a larger context length, or "
                "provide a shorter input."
            )
            return Said(400, {"error": message})

    with running(Keeping(window=3000)) as stub:
        assert summary(stub, spoken=long_meeting(250), context=20000).coverage == 1.0


def test_an_empty_stream_is_taken_for_an_overflow() -> None:
    class Mute(LMStudio):
        def overflow(self, prompt: int, body: dict[str, Any]) -> Said:
            return Said(body=sse(), kind="text/event-stream")

    with running(Mute(window=3000)) as stub:
        assert summary(stub, spoken=long_meeting(250), context=20000).coverage == 1.0


@pytest.mark.shows("summaries:cut")
def test_a_prompt_that_was_cut_silently_is_noticed_and_planned_again() -> None:
    spoken = long_meeting(300)
    with running(Ollama(real=2048)) as stub:
        made = summary(stub, spoken=spoken, context=8192)
    assert made.coverage == 1.0
    starts = {int(point.at or 0) for point in made.key_points}
    assert min(starts) < 600, "the beginning of the recording is what a silent cut loses"


@pytest.mark.shows("summaries:window")
def test_ollamas_real_window_is_asked_for_once_the_model_is_loaded() -> None:
    with running(Ollama(real=3000, tells=True)) as stub:
        made = summary(stub, spoken=long_meeting(200))
    assert made.coverage == 1.0
    assert ("GET", "/api/ps") in stub.paths
    assert all(sum(len(m["content"]) for m in body["messages"]) // 4 < 3000 for body in stub.requests)


def test_a_server_that_does_not_count_cached_tokens_is_not_asked_for_ever() -> None:
    class Cached(Stub):
        def say(self, text: str, prompt: int, finish: str = "stop") -> Said:
            return super().say(text, prompt if prompt < 600 else prompt // 3, finish)

    with running(Cached()) as stub:
        assert summary(stub, spoken=long_meeting(120)).coverage == 1.0
    assert len(stub.requests) < 40


@pytest.mark.shows("summaries:tokens")
def test_german_is_measured_and_not_guessed() -> None:
    """The stub counts 2 characters a token here, half of what English would suggest."""

    class Dense(Stub):
        def chat(self, body: dict[str, Any]) -> Said:
            prompt = sum(len(message["content"]) for message in body["messages"]) // 2
            if prompt + body["max_tokens"] > 4096:
                return self.overflow(prompt, body)
            return self.say(self.model(body["messages"]) if body["max_tokens"] != 1 else "ok", prompt)

    said = " ".join(
        f"Im Punkt {i} geht es um die Donaudampfschifffahrtsgesellschaft und um Haus {i}." for i in range(200)
    )
    with running(Dense()) as stub:
        made = summary(stub, spoken=transcript(said, "de"))
    assert made.coverage == 1.0
    assert sum(1 for body in stub.requests if "Transcript" in body["messages"][-1]["content"]) < 16


def test_an_answer_that_was_cut_short_is_asked_for_in_smaller_parts() -> None:
    def talkative(messages: list[dict[str, str]]) -> str:
        return honest(messages)

    class Short(Stub):
        def chat(self, body: dict[str, Any]) -> Said:
            lines = LINE.findall(body["messages"][-1]["content"])
            if len(lines) > 40:
                text = self.model(body["messages"])
                return self.say(text[: len(text) // 2], 500, "length")
            return super().chat(body)

    spoken = long_meeting(100)
    with running(Short(talkative)) as stub:
        made = summary(stub, spoken=spoken)
    assert made.coverage == 1.0


@pytest.mark.shows("summaries:by-number")
def test_the_last_step_picks_points_by_number_and_restates_none() -> None:
    def inventive(messages: list[dict[str, str]]) -> str:
        if LINE.search(messages[-1]["content"]):
            return honest(messages)
        made_up = [{"quote": "they sold the bank", "at": 1, "text": "They sold the bank."}]
        return json.dumps(
            {
                "title": "All of it",
                "overview": "",
                "best": [2, 10_000, "They sold the bank."],
                "key_points": made_up,
            }
        )

    spoken = long_meeting(300)
    with running(LMStudio(inventive, window=4096)) as stub:
        made = summary(stub, spoken=spoken)
    said = {segment.text for segment in spoken.segments}
    assert made.title == "All of it"
    assert made.key_points
    assert {point.text for point in made.key_points} <= said


@pytest.mark.shows("summaries:coverage")
def test_what_no_model_answer_covers_is_named_as_missing() -> None:
    def picky(messages: list[dict[str, str]]) -> str:
        return "I would rather not." if "hospital" in messages[-1]["content"] else honest(messages)

    spoken = long_meeting(120)
    with running(Stub(picky)) as stub:
        result = summarize(request(stub.url, spoken))
    made = result.summary
    assert 0.3 < made.coverage < 1.0
    assert made.missing
    lost = [s for s in spoken.segments if any(a <= s.start < b for a, b in made.missing)]
    assert any("hospital" in segment.text for segment in lost)
    assert "gave no usable answer" in result.note


@pytest.mark.shows("summaries:circles")
def test_a_model_that_repeats_itself_is_stopped_and_fails_in_those_words() -> None:
    looping = '{"title": "Budget", "overview": "' + "The budget is the budget. " * 4000
    with running(Stub(lambda messages: looping)) as stub:
        failed = fault(stub)
    assert failed.fault is Fault.ANSWER
    assert "repeated itself" in failed.sentence


@pytest.mark.shows("summaries:circles")
def test_what_a_model_said_before_it_lost_itself_is_kept_if_the_recording_bears_it_out() -> None:
    point = {
        "quote": "we should keep four thousand for the autumn",
        "at": 10,
        "text": "Keep four thousand for autumn.",
    }
    looping = json.dumps({"title": "Budget", "overview": "Budget.", "key_points": [point]})[:-2] + ", "
    looping += '{"quote": "budget", "at": 1, "text": "' + "and so on and on " * 3000
    with running(Stub(lambda messages: looping)) as stub:
        made = summary(stub)
    assert [item.text for item in made.key_points if item.by == "model"] == ["Keep four thousand for autumn."]
    assert made.by == "extractive", (
        "one line about a whole meeting does not take the place of the picked ones"
    )


@pytest.mark.shows("summaries:errors")
def test_a_model_that_only_ever_fails_is_given_up_on_before_the_hours_are_through() -> None:
    with running(LlamaCpp(model=lambda messages: "I am a large language model.", window=2048)) as stub:
        failed = fault(stub, spoken=long_meeting(600))
    assert failed.fault is Fault.ANSWER
    assert len(stub.summaries) < 12


# --- busy, down, locked ---


@pytest.mark.shows("summaries:loading")
def test_a_model_that_takes_its_time_to_load_is_waited_for_and_only_so_long() -> None:
    class Loading(LMStudio):
        pause = 0.6

        def chat(self, body: dict[str, Any]) -> Said:
            time.sleep(self.pause if len(self.requests) == 1 else 0.0)
            return super().chat(body)

    with running(Loading()) as stub:
        assert summary(stub, timeout=30.0).decisions
    with running(Loading(pause=3.0)) as stub:
        failed = fault(stub, timeout=0.2)
    assert failed.fault is Fault.ENDPOINT
    assert "stopped answering" in failed.sentence


@pytest.mark.shows("summaries:down")
def test_a_busy_server_is_tried_again() -> None:
    class Busy(Ollama):
        refusals = 3

        def chat(self, body: dict[str, Any]) -> Said:
            if self.refusals:
                self.refusals -= 1
                return Said(
                    503,
                    {
                        "error": {
                            "message": "server busy, please try again.  maximum pending requests exceeded"
                        }
                    },
                )
            return super().chat(body)

    with running(Busy()) as stub:
        assert summary(stub).decisions


@pytest.mark.shows("summaries:down")
def test_a_server_that_stays_busy_is_the_endpoints_fault_in_its_own_words() -> None:
    class Full(Ollama):
        def chat(self, body: dict[str, Any]) -> Said:
            return Said(
                503,
                {"error": {"message": "server busy, please try again.  maximum pending requests exceeded"}},
            )

    with running(Full()) as stub:
        failed = fault(stub)
    assert failed.fault is Fault.ENDPOINT
    assert "maximum pending requests" in failed.sentence


def test_a_server_that_is_down_is_the_endpoints_fault() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(SummaryFault) as caught:
        summarize(request(f"http://127.0.0.1:{port}/v1"))
    assert caught.value.fault is Fault.ENDPOINT
    assert str(port) in caught.value.sentence


def test_a_server_that_dies_in_the_middle_is_tried_once_more_and_then_waited_for() -> None:
    class Dying(Stub):
        deaths = 1

        def say(self, text: str, prompt: int, finish: str = "stop") -> Said:
            said = super().say(text, prompt, finish)
            if text != "ok" and self.deaths:
                self.deaths -= 1
                said.drop = 700
            return said

    with running(Dying()) as stub:
        assert summary(stub).decisions
    with running(Dying(deaths=99)) as stub:
        assert fault(stub).fault is Fault.ENDPOINT


@pytest.mark.shows("summaries:down")
def test_a_required_api_key_is_asked_for_in_words() -> None:
    class Locked(Stub):
        def get(self, path: str) -> Said:
            return self.check() or super().get(path)

        def post(self, path: str, body: dict[str, Any]) -> Said:
            return self.check() or super().post(path, body)

        def check(self) -> Said | None:
            if self.headers[-1].get("authorization") != "Bearer sesame":
                return Said(401, {"error": {"message": "Invalid API Key", "type": "authentication_error"}})
            return None

    with running(Locked()) as stub:
        failed = fault(stub)
        assert failed.fault is Fault.ENDPOINT
        assert "api_key" in failed.sentence
        assert summary(stub, api_key="sesame").decisions


def test_a_wrong_model_name_is_told_with_the_name() -> None:
    class Particular(Stub):
        def chat(self, body: dict[str, Any]) -> Said:
            if body["model"] != "stub-7b-instruct":
                return Said(
                    404, {"error": {"message": f"model '{body['model']}' not found", "type": "api_error"}}
                )
            return super().chat(body)

    with running(Particular()) as stub:
        failed = fault(stub, model="nonesuch")
        assert failed.fault is Fault.ENDPOINT
        assert "nonesuch" in failed.sentence
        assert summary(stub, model="stub-7b-instruct").decisions


@pytest.mark.shows("summaries:model")
def test_a_loaded_chat_model_is_picked_and_never_an_embedding_model() -> None:
    with running(LMStudio()) as stub:
        assert summary(stub).model == "qwen3-4b"
    with running(LMStudio(loaded=False)) as stub:
        assert summary(stub).model == "llama-3.2-1b"

    class OnlyEmbeddings(Stub):
        def get(self, path: str) -> Said:
            return Said(
                body={"data": [{"id": "nomic-embed-text"}, {"id": "bge-m3"}, {"id": "whisper-large"}]}
            )

    with running(OnlyEmbeddings()) as stub:
        failed = fault(stub)
    assert "no chat model" in failed.sentence


@pytest.mark.shows("summaries:not-quoted")
def test_a_servers_error_that_repeats_the_recording_is_not_quoted() -> None:
    class Echoing(Stub):
        def chat(self, body: dict[str, Any]) -> Said:
            return Said(
                418, {"error": {"message": f"cannot process: {body['messages'][-1]['content'][-400:]}"}}
            )

    with running(Echoing()) as stub:
        failed = fault(stub)
    assert failed.fault is Fault.ANSWER
    assert not any(word in failed.sentence for word in ("newsletter", "launch", "review"))


# --- where the words go ---


@pytest.mark.shows("summaries:redirect")
def test_a_redirect_is_not_followed() -> None:
    with running(Stub()) as elsewhere:

        class Redirecting(Stub):
            def chat(self, body: dict[str, Any]) -> Said:
                return Said(307, b"", headers={"location": f"{elsewhere.url}/chat/completions"})

        with running(Redirecting()) as stub, pytest.raises(PrivacyError, match="not followed"):
            summarize(request(stub.url))
        assert elsewhere.requests == []


def test_proxy_and_openai_variables_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    with running(Stub()) as trap, running(Stub()) as stub:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, trap.url.removesuffix("/v1"))
        monkeypatch.setenv("OPENAI_BASE_URL", trap.url)
        monkeypatch.setenv("OPENAI_API_KEY", "from-the-environment")
        monkeypatch.setenv("OPENAI_ORG_ID", "org")
        assert summary(stub).decisions
        assert trap.paths == []
        sent = json.dumps(stub.headers)
        assert "from-the-environment" not in sent
        assert not any("openai-organization" in headers for headers in stub.headers)


def test_an_ollama_cloud_model_is_refused() -> None:
    with running(Ollama()) as stub:
        with pytest.raises(PrivacyError, match="cloud"):
            summarize(request(stub.url, model="gpt-oss:120b-cloud"))
        assert stub.requests == []
    with running(Ollama(cloud="innocent:7b")) as stub:
        with pytest.raises(PrivacyError, match="OLLAMA_NO_CLOUD"):
            summarize(request(stub.url, model="innocent:7b"))
        assert stub.requests == []


def test_a_localai_proxy_or_swarm_is_refused() -> None:
    with running(LocalAI(backend="cloud-proxy")) as stub, pytest.raises(PrivacyError, match="cloud-proxy"):
        summarize(request(stub.url))
    with running(LocalAI(peers=("node1",))) as stub, pytest.raises(PrivacyError, match="p2p"):
        summarize(request(stub.url))
    assert stub.requests == []


@pytest.mark.shows("privacy:unverified")
def test_what_cannot_be_known_is_called_unverified() -> None:
    localities = {}
    for kind in (LMStudio, Ollama, LlamaCpp, LocalAI, Stub):
        with running(kind()) as stub:
            localities[kind.__name__] = summary(stub).locality
    assert localities == {
        "LMStudio": "unverified",
        "Ollama": "device",
        "LlamaCpp": "unverified",
        "LocalAI": "device",
        "Stub": "unverified",
    }


# --- progress, slots, prompt ---


def test_progress_counts_the_parts() -> None:
    beats: list[tuple[float, float | None]] = []
    with running(LlamaCpp(window=2048)) as stub:
        ChatSummarizer().summarize(
            request(stub.url, long_meeting(200)), lambda at, total: beats.append((at, total))
        )
    steps = list(dict.fromkeys(at for at, _ in beats))
    assert steps == sorted(steps)
    assert beats[-1][0] == beats[-1][1]
    assert len(steps) > 4


def test_all_parts_share_one_system_message_for_the_prompt_cache() -> None:
    with running(LlamaCpp(window=2048)) as stub:
        summary(stub, spoken=long_meeting(200))
    systems = {
        body["messages"][0]["content"]
        for body in stub.requests
        if "Transcript." in body["messages"][-1]["content"]
    }
    assert len(systems) == 1


def test_parts_go_out_at_once_only_where_the_server_has_slots() -> None:
    import threading

    class Counting(LlamaCpp):
        now = 0
        most = 0
        lock = threading.Lock()
        barrier_wait = threading.Event()

        def chat(self, body: dict[str, Any]) -> Said:
            with self.lock:
                self.now += 1
                self.most = max(self.most, self.now)
                if self.now > 1:
                    self.barrier_wait.set()
            # Give a second request the chance to arrive while this one is still open.
            self.barrier_wait.wait(0.05)
            try:
                return super().chat(body)
            finally:
                with self.lock:
                    self.now -= 1

    with running(Counting(window=2048, slots=4)) as stub:
        made = summary(stub, spoken=long_meeting(200))
    assert isinstance(stub, Counting)
    assert stub.most > 1
    assert made.coverage == 1.0
    single = Counting(window=2048, slots=1, barrier_wait=threading.Event())
    with running(single):
        summarize(request(single.url, long_meeting(120)))
    assert single.most == 1


def test_the_delta_may_hold_nothing_at_all() -> None:
    class Sparse(Stub):
        def say(self, text: str, prompt: int, finish: str = "stop") -> Said:
            events = [
                {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": []}
            ]
            events += [chunk({}), chunk({"content": None}), chunk({"content": text}), chunk({}, finish)]
            return Said(body=sse(*events, done=False), kind="text/event-stream")

    with running(Sparse()) as stub:
        assert summary(stub, spoken=transcript(MEETING)).decisions
