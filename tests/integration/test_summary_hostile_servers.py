"""Servers that are none, or mean harm: each answer ends in a sentence and in bounded time and memory, and the job waits."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from earmark.domain import Fault
from earmark.errors import PrivacyError
from earmark.locality.confinement import bounds
from earmark.messages import Confine
from earmark.summarization import connection
from earmark.summarization.chat import ChatSummarizer
from earmark.summarization.engine import SummaryFault
from earmark.summarization.streaming import events, kind_of, piece_in
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.raw_server import Bytes, again, answering, head, whole
from tests.spoken import request
from tests.stub_server import Said, Stub, chunk, honest, running, sse

pytestmark = pytest.mark.shows("privacy:bounded-answers")

PAGE = b"<!doctype html><html><head><title>My app</title></head><body>Hello</body></html>"


def event(text: str) -> bytes:
    return b"data: " + json.dumps(chunk({"content": text})).encode() + b"\n\n"


def fault(url: str, **options: Any) -> SummaryFault:
    with pytest.raises(SummaryFault) as caught:
        ChatSummarizer().summarize(request(url, **({"timeout": 0.7} | options)), lambda at, total: None)
    return caught.value


SMALL = 256 * 1024
"""Bytes that stand for the megabytes of the real bounds, so that a test need not send those."""

HOSTILE: dict[str, tuple[Bytes, str]] = {
    "a web page": (lambda: [whole(PAGE, "text/html; charset=utf-8")], "answers with a web page"),
    "a page without a type": (lambda: [whole(b"\n  <html>", "application/octet-stream")], "answers with a web page"),
    "a page that fails": (lambda: [whole(PAGE, "text/html", "404 Not Found")], "answers with a web page"),
    "a page called JSON": (lambda: [whole(PAGE)], "answers with a web page"),
    "plain text": (lambda: [whole(b"It works!", "text/plain")], "something that is not JSON"),
    "noise": (lambda: [whole(bytes(range(256)) * 16, "application/octet-stream")], "is no model server"),
    "nothing": (lambda: [whole(b"", "text/event-stream")], "without a word"),
    "nothing, as JSON": (lambda: [whole(b"")], "without a word"),
    "an empty stream": (lambda: [head()], "without a word"),
    "a stream that is done at once": (lambda: [head() + b"data: [DONE]\n\n"], "without a word"),
    "events without words": (lambda: [head() + sse(chunk({}))], "without a word"),
    "a choice that is none": (lambda: [whole(b'{"object": "x", "choices": [null]}')], "without a word"),
    "half a JSON": (lambda: [whole(b'{"choices": [{"message"')], "not JSON"),
    "a list": (lambda: [whole(b"[1, 2]")], "no chat completion"),
    "another interface's JSON": (lambda: [whole(b'{"status": "ok", "pages": 3}')], "no chat completion"),
    "choices that are none": (lambda: [whole(b'{"choices": "no"}')], "no chat completion"),
    "events of another kind": (lambda: [head() + b'data: {"id": 1}\n\n' * 3], "no chat completion"),
    "events that are no JSON": (lambda: [head() + b"data: hello\n\n"], "not JSON"),
    "a deep JSON": (lambda: [whole(b"[" * 200_000)], "not JSON"),
    "keep-alives without end": (lambda: again(b": keep-alive\n\n", 0.05, head()), "stopped answering"),
    "empty lines without end": (lambda: again(b"\n", 0.05, head()), "stopped answering"),
    "empty events without end": (
        lambda: again(b"data: " + json.dumps(chunk({})).encode() + b"\n\n", 0.05, head()), "not a word for",
    ),
    "a drip of the head": (lambda: again(b"X", 0.05, b"HTTP/1.1 200 OK\r\nX-Slow: "), "stopped answering"),
    "a drip of a line": (lambda: again(b"x", 0.05, head() + b"data: "), "stopped answering"),
    "a drip of JSON": (lambda: again(b" ", 0.05, head("application/json") + b"{"), "stopped answering"),
    "silence": (lambda: again(b"", 9.0), "stopped answering"),
    "heads without end": (lambda: again(b"X-More: " + b"x" * 900 + b"\r\n", 0, b"HTTP/1.1 200 OK\r\n"), ""),
    "interim answers without end": (lambda: again(b"HTTP/1.1 100 Continue\r\n\r\n" * 400), "sends more than"),
    "an endless line": (lambda: again(b"x" * 8192, 0, head() + b"data: "), "sends a line of more than"),
    "an endless page": (lambda: again(b"<p>x</p>\n" * 900, 0, head("text/html") + PAGE), "web page"),
    "an endless JSON": (lambda: again(b"\n" * 8192, 0, head("application/json") + b"{"), "sends more than"),
    "an endless event": (lambda: again(b"data: x\n" * 900, 0, head()), "sends more than"),
    "comments as fast as can be": (lambda: again(b": x\n" * 2000, 0, head()), "sends more than"),
    "gigabytes, announced": (lambda: [head("application/json", "Content-Length: 5368709120"), b"{"], "announces"),
    "an absurd length": (lambda: [head("application/json", "Content-Length: " + "9" * 40), b"{"], "not HTTP"),
    "fewer bytes than announced": (
        lambda: [head("application/json", "Content-Length: 4000") + b'{"choices": ['], "went away",
    ),
    "more bytes than announced": (
        lambda: [head("application/json", "Content-Length: 5") + b'{"choices": [{"message": {}}]}'], "not JSON",
    ),
    "a compressed bomb": (
        lambda: [
            head("application/json", "Content-Encoding: gzip") + gzip.compress(b" " * 10_000_000),
        ],
        "answers compressed (gzip)",
    ),
    "no HTTP at all": (lambda: [b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n\r\n"], "not HTTP"),
}  # fmt: skip


@pytest.mark.shows("summaries:no-answer", "summaries:dripping", "summaries:endless")
@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_answer_of_a_model_server_is_told_and_waited_for(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "MOST_BYTES", SMALL)
    monkeypatch.setattr(bounds, "MOST_BODY", SMALL)
    chat, sentence = HOSTILE[name]
    begun = time.monotonic()
    slow = "stopped" in sentence or "not a word" in sentence
    with answering(chat) as url:
        found = fault(url, timeout=0.7 if slow else 20.0)
    assert found.fault is Fault.ENDPOINT, found.sentence
    assert sentence in found.sentence
    assert "127.0.0.1 port" in found.sentence
    assert len(found.sentence) < 400
    assert time.monotonic() - begun < 15


@pytest.mark.parametrize("name", ["a web page", "an endless line", "a drip of a line", "a compressed bomb"])
def test_a_list_of_models_that_is_none_is_told_as_well_and_no_words_are_sent(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "ASK_TIMEOUT", 0.7)
    asked = threading.Event()

    def never() -> Iterable[bytes]:
        asked.set()
        return [whole(b"{}")]

    listing, _ = HOSTILE[name]
    with answering(never, listing) as url:
        found = fault(url)
    assert found.fault is Fault.ENDPOINT
    assert "what listens at 127.0.0.1 port" in found.sentence
    assert not asked.is_set()


def test_a_list_of_models_without_end_or_measure_is_cut_to_what_people_have() -> None:
    rows = [{"id": "x" * 100_000}, *({"id": f"model-{number}"} for number in range(20_000))]
    with answering(lambda: [whole(PAGE)], lambda: [whole(json.dumps({"data": rows}).encode())]) as url:
        found = connection.connect(url)
        assert found.model.id == "model-0"
        assert len(found.server.models) < 6000


@pytest.mark.shows("summaries:redirect")
def test_a_list_of_models_that_leads_elsewhere_is_not_followed_and_said() -> None:
    elsewhere = head("text/html", "Location: http://192.0.2.1/", "Content-Length: 0", status="302 Found")
    with answering(lambda: [], lambda: [elsewhere]) as url:
        for model in ("auto", "named"):
            assert "another address; that is not followed" in fault(url, model=model).sentence


class Odd(Stub):
    """Numbers and names of every wrong kind, around a good answer."""

    def get(self, path: str) -> Said:
        if path == "/v1/models":
            rows = [7, None, {"id": None}, {"id": "odd-7b", "max_model_len": "Infinity"}, {"id": 3}]
            return Said(body=json.dumps({"data": rows}).encode().replace(b'"Infinity"', b"1e999"))
        return Said(404, {"error": {"message": "not found"}})

    def say(self, text: str, prompt: int, finish: str = "stop") -> Said:
        counts = {"prompt_tokens": "many", "completion_tokens": [1]}
        odd: list[Any] = [
            {"choices": None, "object": "x"}, {"choices": [None], "usage": 7}, {"choices": [{"delta": "no"}]},
            {"choices": [{"delta": {"content": 7}, "finish_reason": 3}]}, {"choices": [], "usage": counts},
        ]  # fmt: skip
        return Said(body=sse(*odd, chunk({"content": text}), chunk({}, finish)), kind="text/plain")


def test_a_good_answer_among_odd_ones_is_read() -> None:
    with running(Odd(honest)) as stub:
        made = ChatSummarizer().summarize(request(stub.url), lambda at, total: None).summary
    assert made.decisions


@pytest.mark.parametrize(
    "body",
    [
        {"choices": [{"message": {"content": [{"type": "text", "text": "{}"}]}}]},
        {"choices": [{"text": "{}"}]},
    ],
)
def test_an_answer_in_parts_or_of_the_older_interface_is_read(body: dict[str, Any]) -> None:
    piece = piece_in(body)
    assert piece is not None
    assert piece.content == "{}"


@pytest.mark.shows("summaries:endless")
def test_a_model_that_talks_for_ever_is_ended_after_what_it_was_asked_for() -> None:
    def talk() -> Iterable[bytes]:
        yield head()
        for number in range(10_000_000):
            yield event(f"{number} ")

    with answering(talk) as url:
        begun = time.monotonic()
        spoken = connection.connect(url).chat.ask([{"role": "user", "content": "Count."}], None, 4)
    assert spoken.cut_off
    assert time.monotonic() - begun < 20


@pytest.mark.shows("summaries:dripping")
def test_one_answer_may_not_take_for_ever_even_if_it_goes_on() -> None:
    clock = iter([0.0, 1.0, 7.0]).__next__
    held = bounds.Bounds(5.0, 6.0, 100, clock=clock)
    assert held.wait(None) == 4.0
    with pytest.raises(bounds.Unbounded, match="more than 6 s over one answer"):
        held.wait(None)


@pytest.mark.parametrize("ending", ["\n\n", "\r\n\r\n", "\r\r"])
def test_events_are_read_in_every_spelling(ending: str) -> None:
    line = ending[: len(ending) // 2]
    first = f': hi{ending}event: x{line}data:{{"a":{line}data: 1}}{ending}'
    text = first + f'id: 4{line}data: {{"b": 2}}{ending}data: [DONE]{ending}data: 3'
    for size in (1, 3, 1000):
        parts = [text.encode()[i : i + size] for i in range(0, len(text), size)]
        assert list(events(parts)) == [{"a": 1}, {"b": 2}]
    assert kind_of(b"\xef\xbb\xbf" + text.encode()) == "stream"


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=5), lambda inner: (
    st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["choices", "delta", "message", "content", "usage", "text", "finish_reason", "prompt_tokens"]),
        inner, max_size=4,
    )
), max_leaves=12))  # fmt: skip
@settings(max_examples=60)
def test_no_shape_of_an_event_is_more_than_a_piece_or_nothing(value: Any) -> None:
    piece = piece_in(value)
    assert piece is None or isinstance(piece.content + piece.reasoning + piece.finish, str)


@pytest.mark.shows("summaries:endless")
@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="the kernel tells a process's peak on Linux only"
)
def test_a_worker_that_is_sent_gigabytes_in_one_line_stays_small() -> None:
    with answering(lambda: again(b"x" * 1_000_000, 0, head() + b"data: ")) as url:
        process = subprocess.Popen(
            [sys.executable, "-m", "earmark.summarization.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(Confine(endpoint=url).line() + request(url).line())
        process.stdin.flush()
        while (said := json.loads(process.stdout.readline()))["type"] not in ("failed", "summarized"):
            pass
        peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
        process.communicate(timeout=30)
    assert "sends a line of more than 1 MiB" in said["sentence"]
    assert peak
    assert int(peak[1]) < 200 * 1024, "as large as without a server's answer, and some megabytes"


def test_https_in_front_of_a_server_without_tls_is_said() -> None:
    with running(Stub()) as stub:
        found = fault(stub.url.replace("http://", "https://"), model="named", timeout=5.0)
    assert "does not speak TLS, for which https:// asks; is it http://?" in found.sentence


def test_a_redirect_of_words_is_a_question_of_privacy() -> None:
    there = head(
        "text/html", "Location: http://192.0.2.1/", "Content-Length: 0", status="307 Temporary Redirect"
    )
    with answering(lambda: [there]) as url, pytest.raises(PrivacyError, match="not followed"):
        ChatSummarizer().summarize(request(url), lambda at, total: None)
