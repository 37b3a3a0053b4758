"""`endpoint = "auto"`: what is found on this device, what is passed over, and what `summary test` says about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from earmark.errors import PrivacyError
from earmark.summarization import probe
from earmark.summarization.chat import ChatSummarizer
from earmark.summarization.connection import connect
from earmark.summarization.engine import EndpointFault

from tests.spoken import request
from tests.stub_server import LMStudio, Ollama, Said, Stub, running


@contextmanager
def listening(*stubs: Stub) -> Iterator[list[int]]:
    """The stubs on ports of their own, in this order; "auto" is told to look there instead of the usual ports."""
    with ExitStack() as stack:
        for stub in stubs:
            stack.enter_context(running(stub))
        yield [int(stub.url.rsplit(":", 1)[1].split("/")[0]) for stub in stubs]


class WebApp(Stub):
    """What else people run on port 8000 and 8080: answers everything with a page, and would take any POST."""

    def get(self, path: str) -> Said:
        return Said(200, b"<!doctype html><title>My app</title>", "text/html")

    def post(self, path: str, body: dict[str, Any]) -> Said:
        self.requests.append(body)
        return Said(200, b"<!doctype html><title>My app</title>", "text/html")


class OnlyCloud(Ollama):
    def get(self, path: str) -> Said:
        if path == "/api/tags":
            row = {
                "name": "gpt-oss:120b-cloud",
                "model": "gpt-oss:120b-cloud",
                "remote_host": "https://ollama.com:443",
            }
            return Said(body={"models": [row]})
        return super().get(path)


@pytest.mark.shows("summaries:auto")
def test_the_first_server_that_has_a_chat_model_is_taken() -> None:
    with listening(WebApp(), LMStudio(), Ollama()) as ports:
        found = connect("auto", ports=ports)
    assert (found.server.kind, found.model.id) == ("lm-studio", "qwen3-4b")


@pytest.mark.shows("summaries:auto")
def test_something_else_on_a_usual_port_is_passed_over_and_never_sent_words() -> None:
    app = WebApp()
    with listening(app, Ollama()) as ports:
        for model in ("auto", "llama3.2:3b"):
            assert connect("auto", model, ports=ports).server.kind == "ollama"
        with pytest.raises(EndpointFault):
            connect("auto", "named", ports=ports[:1])
    assert app.requests == []


@pytest.mark.shows("summaries:model")
def test_a_server_with_nothing_but_cloud_models_is_passed_over() -> None:
    with listening(OnlyCloud(), LMStudio()) as ports:
        assert connect("auto", ports=ports).server.kind == "lm-studio"
        with pytest.raises(EndpointFault, match="no chat model"):
            connect("auto", ports=ports[:1])
        with pytest.raises((EndpointFault, PrivacyError), match="cloud"):
            connect("auto", "gpt-oss:120b-cloud", ports=ports[:1])


def test_nobody_at_home_is_said_with_the_ports_that_were_tried() -> None:
    with pytest.raises(EndpointFault, match=r"looked at the ports 9"):
        connect("auto", ports=(9,))


@pytest.mark.shows("summaries:auto")
def test_auto_stays_on_the_device_even_where_more_is_allowed() -> None:
    with listening(OnlyCloud()) as ports, pytest.raises(EndpointFault):
        connect("auto", privacy="cloud", allowed_hosts=("ollama.com",), ports=ports)


def test_a_probe_reports_what_a_summary_would_meet() -> None:
    with running(LMStudio(lambda messages: '{"sentence": "The bridge will be closed.", "weeks": 3}')) as stub:
        report = probe.probe(stub.url)
    assert report.usable
    assert (report.server, report.model, report.context) == ("LM Studio", "qwen3-4b", 8192)
    assert report.models == ("llama-3.2-1b", "qwen3-4b")
    assert (report.structured, report.locality, report.tokenizer) == ("json_schema", "unverified", False)


def test_a_probe_sends_nothing_that_was_ever_said() -> None:
    with running(Stub()) as stub:
        probe.probe(stub.url)
    asked = {message["content"] for body in stub.requests for message in body["messages"]}
    assert asked == {"Say yes.", probe.QUESTION}


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1", "http://192.0.2.1:1234/v1", "nonsense", "http://"])
def test_a_probe_of_a_hopeless_endpoint_is_a_sentence_and_not_an_exception(url: str) -> None:
    report = probe.probe(url)
    assert not report.usable
    assert report.problem


def test_a_probe_finds_everything_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(WebApp(), LMStudio(), OnlyCloud()) as ports:
        monkeypatch.setattr(probe, "PORTS", tuple(ports))
        reports = probe.probe_all()
    assert [(report.server, report.usable) for report in reports] == [
        ("", False),
        ("LM Studio", True),
        ("", False),
    ]


def test_a_summary_can_be_had_from_whatever_auto_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(WebApp(), Ollama()) as ports:
        monkeypatch.setattr(connect, "__defaults__", (*(connect.__defaults__ or ())[:-1], tuple(ports)))
        made = ChatSummarizer().summarize(request("auto"), lambda at, total: None).summary
    assert (made.by, made.locality, made.coverage) == ("ollama", "device", 1.0)
