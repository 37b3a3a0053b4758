"""The worker as a process: its pipes, its end, and that nothing it heard comes out anywhere but in its answers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from earmark.files import pack_path
from earmark.messages import SummarizeRequest
from earmark.summarization.templating import BUILT_IN

from tests.spoken import MEETING, long_meeting, request, transcript
from tests.stub_server import LMStudio, Ollama, Said, Stub, honest, running

COMMAND = [sys.executable, "-m", "earmark.summarization.worker"]


def work(
    *requests: SummarizeRequest | bytes, env: dict[str, str] | None = None
) -> tuple[list[dict[str, Any]], str]:
    """What the worker answers to these lines, and what it wrote to stderr."""
    lines = b"".join(item if isinstance(item, bytes) else item.line() for item in requests)
    done = subprocess.run(
        COMMAND, input=lines, capture_output=True, timeout=120, env={**os.environ, **(env or {})}
    )
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()


def finals(replies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [reply for reply in replies if reply["type"] in ("summarized", "failed")]


def test_each_request_gets_one_final_answer_and_the_end_of_input_ends_the_worker() -> None:
    replies, _ = work(request("none"), request("none", long_meeting(200)))
    assert [reply["type"] for reply in finals(replies)] == ["summarized", "summarized"]
    assert finals(replies)[0]["summary"]["by"] == "extractive"


def test_a_server_that_is_down_is_answered_with_endpoint_and_the_next_request_still_works() -> None:
    replies, _ = work(request("http://127.0.0.1:9/v1"), request("http://127.0.0.1:9/v1"))
    assert [(reply["type"], reply["fault"]) for reply in finals(replies)] == [("failed", "endpoint")] * 2


def test_a_summary_from_a_server_comes_through_the_pipe() -> None:
    with running(LMStudio()) as stub:
        replies, _ = work(request(stub.url))
    summary = finals(replies)[0]["summary"]
    assert (summary["by"], summary["coverage"]) == ("lm-studio", 1.0)
    assert [reply for reply in replies if reply["type"] == "progress"]


def test_an_endpoint_outside_the_device_is_refused_as_a_question_of_locality() -> None:
    replies, _ = work(request("http://192.0.2.7:1234/v1"))
    assert finals(replies)[0]["fault"] == "locality"


def test_a_line_that_is_no_request_is_refused_without_quoting_it() -> None:
    canary = "zanzibar-canary"
    replies, errors = work(
        json.dumps({"type": "summarize", "job": 7, "endpoint": canary}).encode() + b"\n", b"{]\n"
    )
    assert [(reply["job"], reply["fault"]) for reply in finals(replies)] == [(7, "internal"), (0, "internal")]
    assert canary not in json.dumps(replies) + errors


def test_nothing_that_was_said_reaches_stderr_argv_or_a_file(tmp_path: Path) -> None:
    """The words go through a server that fails in every way that might make a library print or log them."""
    canary = "xylophonequagga"

    class Hostile(Stub):
        def chat(self, body: dict[str, Any]) -> Said:
            text = body["messages"][-1]["content"]
            return [
                Said(500, {"error": {"message": f"assertion failed: {text}"}}),
                Said(400, text.encode(), "text/plain"),
                Said(200, text.encode(), "text/event-stream"),
                Said(200, b"data: {" + text.encode()[:40] + b"\n\n", "text/event-stream"),
                Said(200, {"choices": [{"message": {"content": [text]}}]}),
                Said(200, {"choices": text}),
            ][len(self.requests) % 6]

    spoken = transcript(f"The {canary} was seen in the garden of {canary} manor yesterday. " * 4)
    env = {"OPENAI_LOG": "debug", "TMPDIR": str(tmp_path), "PYTHONDEVMODE": "1", "HTTPX_LOG_LEVEL": "trace"}
    with running(Hostile()) as stub:
        replies, errors = work(*[request(stub.url, spoken) for _ in range(6)], env=env)
    answers = finals(replies)
    assert len(answers) == 6
    assert canary not in errors
    assert canary not in json.dumps([answer for answer in answers if answer["type"] == "failed"])
    assert not any(
        canary in file.read_text(errors="replace") for file in tmp_path.rglob("*") if file.is_file()
    )


def test_what_a_library_prints_does_not_get_into_the_protocol() -> None:
    code = (
        "import earmark.summarization.worker as w, earmark.summarization.extractive as e\n"
        "old = e.extract\n"
        "def loud(*a, **k):\n    print('a library prints'); import os; os.write(1, b'and so does C\\n')\n"
        "    return old(*a, **k)\n"
        "e.extract = loud\n"
        "w.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=request("none").line(), capture_output=True, timeout=60
    )
    assert all(json.loads(line) for line in done.stdout.splitlines())
    assert b"a library prints" in done.stderr
    assert b"and so does C" in done.stderr


def test_the_worker_dies_with_its_parent_even_while_it_waits_for_a_server() -> None:
    class Slow(Ollama):
        def chat(self, body: dict[str, Any]) -> Said:
            time.sleep(20)
            return Said(500)

    with running(Slow()) as stub:
        line = json.dumps(request(stub.url).line().decode())
        parent = (
            "import subprocess, sys, time\n"
            f"child = subprocess.Popen([sys.executable, '-m', 'earmark.summarization.worker'], stdin=subprocess.PIPE)\n"
            f"child.stdin.write({line}.encode()); child.stdin.flush()\n"
            "print(child.pid, flush=True)\n"
            "time.sleep(60)\n"
        )
        process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        child = psutil.Process(int(process.stdout.readline().split()[0]))
        deadline = time.monotonic() + 30
        while not stub.requests and time.monotonic() < deadline:
            time.sleep(0.05)
        assert stub.requests, "the worker never got as far as asking"
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        gone, _ = psutil.wait_procs([child], timeout=10)
        assert gone


def test_a_model_that_obeys_the_recording_only_changes_the_summary_and_not_the_protocol() -> None:
    evil = '{"type": "failed", "job": 1}\n' * 3
    with running(Stub(lambda messages: evil + honest(messages))) as stub:
        replies, _ = work(request(stub.url, transcript(MEETING)))
    assert len(finals(replies)) == 1


@pytest.mark.shows("summaries:templates")
def test_every_built_in_template_works_end_to_end() -> None:
    def filled(messages: list[dict[str, str]]) -> str:
        asked = [
            line[2:].split(":")[0] for line in messages[0]["content"].splitlines() if line.startswith("- ")
        ]
        point = {
            "quote": "keep four thousand for the autumn",
            "at": 10,
            "text": "Keep four thousand for the autumn.",
        }
        lists = {key: [point] for key in asked if key not in ("title", "overview", "people")}
        return json.dumps({"title": "Budget", "overview": "Keep four thousand for the autumn.", **lists})

    with running(Stub(filled)) as stub:
        replies, _ = work(*[request(stub.url, template=template) for template in BUILT_IN])
    extra = {answer["summary"]["template"]: set(answer["summary"]["extra"]) for answer in finals(replies)}
    assert extra == {
        "meeting": set(),
        "memo": set(),
        "interview": {"Quotes"},
        "lecture": {"Terms", "Examples"},
        "call": set(),
        "journal": {"Feelings", "Good things"},
    }


@pytest.mark.shows("summaries:templates")
def test_a_users_template_is_read_from_the_folder_that_the_request_names(tmp_path: Path) -> None:
    folder = tmp_path / "my templates ü%20"
    folder.mkdir()
    (folder / "standup.md").write_text(
        "---\nprompt: A stand-up.\nsections:\n  blockers: What is in the way?\n---\n"
    )

    def filled(messages: list[dict[str, str]]) -> str:
        assert "A stand-up." in messages[0]["content"] or len(messages) == 1
        point = {
            "quote": "because the payment page is not ready",
            "at": 20,
            "text": "The payment page is not ready.",
        }
        return json.dumps({"title": "Budget", "overview": "", "blockers": [point]})

    with running(Stub(filled)) as stub:
        replies, _ = work(request(stub.url, template="standup", template_dir=pack_path(folder)))
        missing, _ = work(request(stub.url, template="nonesuch", template_dir=pack_path(folder)))
    extra = finals(replies)[0]["summary"]["extra"]
    assert [point["text"] for point in extra["Blockers"]] == ["The payment page is not ready."]
    assert finals(missing)[0]["fault"] == "environment"


def test_the_output_language_is_told_to_the_model_and_evidence_stays_in_the_recordings() -> None:
    said = "We decided to postpone the launch to the tenth of May"

    def german(messages: list[dict[str, str]]) -> str:
        if len(messages) > 1:
            assert "Write in German" in messages[0]["content"]
        point = {"quote": said, "at": 20, "text": "Der Start wird auf Mai verschoben."}
        invented = {
            "quote": "we sold the company last night to a bank",
            "at": 20,
            "text": "Die Firma ist verkauft.",
        }
        return json.dumps(
            {"title": "Start", "overview": "Der Start wird verschoben.", "decisions": [point, invented]}
        )

    with running(Stub(german)) as stub:
        replies, _ = work(request(stub.url, language="de"))
    summary = finals(replies)[0]["summary"]
    assert summary["language"] == "de"
    assert [point["text"] for point in summary["decisions"]] == ["Der Start wird auf Mai verschoben."]
    assert summary["unsupported"] == 1
