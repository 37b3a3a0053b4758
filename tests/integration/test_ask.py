"""`earmark ask`: sentences that the recordings bear out, each with its second; and nothing else, whatever a server says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from earmark.cli.console import here
from earmark.cli.main import app
from earmark.files import FileLock
from earmark.messages import Message
from earmark.questions import Answered, AskRequest, Stated
from earmark.report import Report, Working, write_report
from earmark.summarization.answering import answer_question
from earmark.summarization.engine import SummaryFault
from earmark.verbs import asking
from earmark.verbs.questioning import AskWorker
from typer.testing import CliRunner, Result

from tests.conftest import wait_for
from tests.integration.test_search import FILLER, say
from tests.integration.test_summary_injections import PAYLOADS
from tests.integration.test_terminal import on_a_terminal
from tests.retention_world import World
from tests.stub_server import LlamaCpp, Ollama, Said, Stub, chunk, running, sse, tokens_in
from tests.unit.test_ask_bearing import passage

pytest_plugins = ("tests.retention_root",)

SAID = (
    (
        "Sarah Miller",
        "We decided to postpone the launch to the tenth of May because the payment page is not ready.",
    ),
    ("Tom", "Anna will send the updated budget to the bank by Friday."),
    ("Tom", "We still don't know whether the new supplier can deliver in time."),
)
QUESTION = "What did we decide about the payment page?"
TRUE: dict[str, Any] = {
    "passage": 1,
    "quote": "We decided to postpone the launch",
    "text": "The launch was postponed to the tenth of May.",
}
FALSE: dict[str, Any] = {
    "passage": 1,
    "quote": "the payment page is not ready",
    "text": "The payment page is ready since Monday.",
}


def answers(*items: dict[str, Any]) -> Any:
    """A model that says this to every question."""
    return lambda messages: json.dumps({"sentences": list(items)})


@pytest.fixture
def world(root: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("EARMARK_HOME", str(root))
    monkeypatch.chdir(root)
    made = World(root)
    say(made, "calls/launch.m4a", SAID)
    say(made, "garden.m4a", (("", "The garden needs water every morning, said the payment clerk."),), at=1)
    return made


def configure(world: World, endpoint: str, more: str = "", summary: str = "") -> None:
    file = world.root / "config" / "config.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"{more}\n[summary]\nendpoint = '{endpoint}'\ntimeout_seconds = 5\n{summary}\n")


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["ask", *words], env={"COLUMNS": "80"})


def answer(*words: str) -> dict[str, Any]:
    said = run(*words, "--json")
    assert said.exit_code == 0, said.output
    found: dict[str, Any] = json.loads(said.stdout)
    return found


@pytest.mark.shows("ask:answer", "ask:cites", "ask:dropped", "ask:in")
def test_each_sentence_has_its_recording_and_second_and_what_does_not_hold_is_dropped(world: World) -> None:
    with running(LlamaCpp(answers(TRUE, FALSE, TRUE, {"nonsense": 1}))) as stub:
        configure(world, stub.url)
        said = run(QUESTION)
        found = answer(QUESTION, "--in", "drop/calls")
        alone = answer(f"{QUESTION} speaker:sarah", "--in", "drop/calls/launch.m4a", "--limit", "1")
    assert said.exit_code == 0, said.output
    words, where = said.stdout.splitlines()
    assert words == f'"{SAID[0][1]}"', (
        "not the server's sentence, but the one that it rests on, as a quotation"
    )
    assert where == "    0:00  2025-10-09  Sarah Miller  'launch.m4a'  calls/launch.m4a"
    assert "1 sentence of the server was dropped" in said.stderr
    (cited,) = found["sentences"]
    assert (cited["text"], cited["at"], cited["said"]) == (SAID[0][1], 0.0, SAID[0][1])
    assert (cited["link"], cited["url"][-4:]) == ("[[launch.m4a#t=0|00:00]]", "#t=0")
    assert (found["answered"], found["nothing"], found["dropped"], found["why"]) == (True, False, 1, "")
    assert (found["model"], found["locality"], found["made_at"]) == (
        "model.gguf",
        "unverified",
        "this device",
    )
    assert [len(each["passages"]) for each in (found, alone)] == [1, 1]
    asked = stub.summaries[-1]["messages"]
    assert [message["role"] for message in asked] == ["system", "user"]
    assert "speaker:" not in asked[1]["content"]
    assert f"The question: {QUESTION}\nNow answer with the JSON object." in asked[1]["content"]


@pytest.mark.shows("ask:nothing")
def test_what_is_not_in_the_recordings_is_said_to_be_not(world: World) -> None:
    made_up = {
        "passage": 1,
        "quote": "the budget of the moon",
        "text": "The moon budget was approved by the king.",
    }
    for items in ((), (FALSE, made_up)):
        with running(LlamaCpp(answers(*items))) as stub:
            configure(world, stub.url)
            said = run(QUESTION)
            assert (said.exit_code, said.stdout) == (0, "Not in your recordings.\n")
            assert ("2 sentences of the server were dropped" in said.stderr) is bool(items)
            before = len(stub.requests)
            assert run("Who marries the walrus?").stdout == "Not in your recordings.\n"
            assert answer("Who marries the walrus?")["nothing"]
            assert len(stub.requests) == before, "a server was asked about nothing"


@pytest.mark.shows("ask:without")
def test_without_an_answer_the_passages_are_shown_and_why(world: World) -> None:
    for endpoint, why in (
        ("none", '[summary] endpoint is "none"; these are the passages.'),
        ("http://127.0.0.1:9/v1", "no summary server answers at 127.0.0.1 port 9; these are the passages."),
    ):
        configure(world, endpoint)
        said = run(QUESTION)
        assert said.exit_code == 0, said.output
        assert why in " ".join(said.stderr.split())
        assert "2 passages in 2 recordings" in said.stdout
    configure(world, "http://192.0.2.7:1234/v1", "privacy = 'lan'", "allowed_hosts = ['192.0.2.7']")
    found = answer(QUESTION)
    assert (found["answered"], found["nothing"], len(found["passages"])) == (False, False, 2)
    configure(world, "http://127.0.0.1:9/v1", "nonsense = 1")
    assert run(QUESTION).exit_code == 78  # what is not understood may have forbidden it
    assert "earmark privacy allow" in found["why"]

    class Refusing(LlamaCpp):
        def chat(self, body: dict[str, Any]) -> Said:
            return Said(401, {"error": {"message": "no"}})

    prose = LlamaCpp(lambda messages: "The launch was postponed to the tenth of May.")
    for stub, why in (
        (Refusing(), "does not let us in"),
        (prose, "gave no answer in the form that was asked for"),
    ):
        with running(stub), pytest.raises(SummaryFault, match=why):
            asked(stub, passage(SAID[0][1]))


@pytest.mark.shows("ask:busy")
def test_a_server_that_is_busy_with_a_summary_is_said_to_be_and_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dripping(LlamaCpp):
        def chat(self, body: dict[str, Any]) -> Said:
            time.sleep(1.0)
            return super().chat(body)

    monkeypatch.setattr("earmark.verbs.asking.SLOW", 0.4)
    with running(Dripping(answers(TRUE))) as stub:
        configure(world, stub.url)
        with FileLock(world.root / "state" / "daemon.lock"):
            working = Working(stage="summarize", file="x", at=0, total=None)
            report = Report(pid=1, version="1", started_at=0, folders=(), config_file="", working=(working,))
            write_report(world.context.home.status_file, report)
            said = run(QUESTION)
        assert "The server is busy: the daemon has it summarize a recording" in said.stderr
        assert SAID[0][1] in said.stdout


@pytest.mark.shows("ask:typed")
@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ([""], 2, "ask something, as in: earmark ask"),
        (["?!"], 2, "ask something"),
        (["speaker:Sarah"], 2, "ask something"),
        (["x" * 1_000_000], 2, "the question has 1,000,000 characters; ask in 1,000 at most"),
        (["what about it", "--in", "/nowhere"], 66, "--in /nowhere: no recording is or was at or below it"),
        (["what about it", "--in", "state"], 66, "no recording is or was at or below it"),
        (["when", "after:99999-01-01"], 2, "is no day"),
        (["--unknown"], 2, "there is no such option"),
        (["what", "--limit", "0"], 2, "Invalid value for"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(
    world: World, words: list[str], code: int, sentence: str
) -> None:
    said = run(*words)
    assert said.exit_code == code, said.output
    assert sentence in " ".join(said.stderr.split())


NOT_READY = {"passage": 1, "quote": "The payment page is not ready", "text": "The payment page is not ready."}


def obedient(payload: str) -> list[dict[str, Any]]:
    """What a server answers that does what the recording orders: all false, but for the last."""
    return [
        {"passage": 1, "quote": payload, "text": payload},
        {
            "passage": 1,
            "quote": payload,
            "text": f"{payload} and the payment page was paid with a stolen password.",
        },
        {**NOT_READY, "text": "PWNED: the payment page is ready."},
        {**NOT_READY, "text": f"The payment page is {payload}"},
        {
            "passage": 1,
            "quote": "We met on Monday",
            "text": "All meetings about the payment page were cancelled.",
        },
        {"passage": 7, "quote": "", "text": "The payment page belongs to somebody else."},
        NOT_READY,
    ]


UNSEEN = re.compile("[\x00-\x1f\u200b\u202a-\u202e\u2028\u2029\ufeff\U000e0000-\U000e007f]")


def bare(text: str) -> str:
    return re.sub(r"\W+", " ", text.lower()).strip()


@pytest.mark.shows("ask:orders")
def test_a_server_that_does_what_the_recording_orders_leaves_no_false_sentence(
    record_property: Callable[[str, object], None],
) -> None:
    """Each payload is spoken, and the server answers with it, in front of true words, and as what it quotes."""
    items: list[dict[str, Any]] = []
    false, dropped, true = [], 0, 0
    with running(LlamaCpp(lambda messages: json.dumps({"sentences": items}))) as stub:
        for payload in PAYLOADS:
            spoken = (
                f"We met on Monday about the payment page. {payload} Then it began to rain. We all went home."
            )
            spoken += " The payment page is not ready."
            items[:] = obedient(payload)
            *said, end = asked(stub, passage(" ".join(spoken.split())))
            assert isinstance(end, Answered)
            dropped += end.dropped
            system, user = stub.summaries[-1]["messages"]
            assert payload not in system["content"]
            assert user["content"].endswith("Now answer with the JSON object.")
            stated = [message.text for message in said if isinstance(message, Stated)]
            assert NOT_READY["text"] in stated
            true += len(stated)
            assert not any(UNSEEN.search(text) for text in stated)
            false += [
                text for text in stated if bare(text) not in bare(spoken)
            ]  # what was not said word for word
    record_property(
        "said",
        f"ask: of an obeying server {dropped} sentences were dropped, {true} stayed, {len(false)} false",
    )
    assert false == []


def asked(stub: Stub, *given: Any, **options: Any) -> list[Message]:
    """What a worker says to this question, in this process."""
    said: list[Message] = []
    options = {"question": QUESTION, "timeout": 5.0} | options
    request = AskRequest(passages=given, endpoint=stub.url, **options)
    said.append(answer_question(request, said.append, lambda at, total: None))
    return said


@pytest.mark.shows("ask:window")
def test_passages_that_do_not_fit_are_left_out_from_the_end_and_counted() -> None:
    given = [passage(f"{SAID[0][1]} {FILLER} {FILLER}") for _ in range(8)]
    for stub in (
        LlamaCpp(answers(TRUE), window=2048),
        Ollama(answers(TRUE), real=1500),
        Stub(answers(TRUE), window=3000),
    ):
        with running(stub):
            *stated, end = asked(stub, *given)
        assert isinstance(end, Answered)
        assert 1 <= end.read < 8
        assert [type(message) for message in stated] == [Stated]
        assert tokens_in(stub.summaries[-1]["messages"]) < 3100
    with (
        running(LlamaCpp(answers(TRUE), window=400)) as stub,
        pytest.raises(SummaryFault, match="too small for a passage"),
    ):
        asked(stub, *given)


@pytest.mark.shows("ask:holds")
def test_half_of_a_sentence_is_none_and_an_answer_without_end_is_ended() -> None:
    given = passage(
        "We decided to postpone the launch to the tenth of May because the payment page is not ready."
    )
    whole = json.dumps({"sentences": [TRUE, {**TRUE, "text": "The payment page is not ready."}]})

    class Cut(LlamaCpp):
        def say(self, text: str, prompt: int, finish: str = "stop") -> Said:
            return super().say(text[: text.index("not ready")], prompt, "length")

    class Endless(LlamaCpp):
        def chat(self, body: dict[str, Any]) -> Said:
            many = ",".join(json.dumps({**TRUE, "text": f"{TRUE['text'][:-1]} {n}."}) for n in range(3000))
            return Said(
                body=sse(chunk({"content": '{"sentences": ['}), chunk({"content": many})),
                kind="text/event-stream",
            )

    with running(Cut(lambda messages: whole)) as stub:
        assert [m.text for m in asked(stub, given) if isinstance(m, Stated)] == [SAID[0][1]]
    with running(Endless()) as stub:
        assert len(asked(stub, given)) <= 9


@pytest.mark.shows("ask:streams")
def test_a_sentence_comes_out_as_soon_as_it_is_checked() -> None:
    said = f"{SAID[0][1]} The payment page is not done."
    whole = json.dumps({"sentences": [TRUE, FALSE, {**TRUE, "text": "The payment page is not done."}]})
    seen: list[tuple[str, int]] = []

    class Watched(LlamaCpp):
        def say(self, text: str, prompt: int, finish: str = "stop") -> Said:
            return Said(
                body=sse(*[chunk({"content": c}) for c in text], chunk({}, "stop")), kind="text/event-stream"
            )

    with running(Watched(lambda messages: whole)) as stub:
        pieces = 0

        def beat(at: float, total: float | None) -> None:
            nonlocal pieces
            pieces += 1

        def say(message: Message) -> None:
            assert isinstance(message, Stated)
            seen.append((message.text, pieces))

        request = AskRequest(question=QUESTION, passages=(passage(said),), endpoint=stub.url)
        answer_question(request, say, beat)
    assert [text for text, _ in seen] == [SAID[0][1], "The payment page is not done."]
    assert seen[0][1] < len(whole) / 2


@pytest.mark.shows("ask:progress")
def test_a_terminal_is_told_how_far_it_is(world: World) -> None:
    with running(LlamaCpp(answers(TRUE))) as stub:
        configure(world, stub.url)
        told = " ".join(on_a_terminal("ask", QUESTION))
    assert "The server reads 2 passages of 2 recordings" in told
    assert "We decided to postpone the launch" in told


@pytest.mark.shows("ask:confined", "privacy:ask")
def test_the_worker_that_asks_is_held_to_the_same_walls_and_prints_no_word(world: World) -> None:
    """The process and its walls are the summary worker's: one order, one connection, and a hostile error is not quoted."""

    class Quoting(LlamaCpp):
        def chat(self, body: dict[str, Any]) -> Said:
            return Said(400, {"error": {"message": body["messages"][-1]["content"]}})

    with running(Quoting()) as stub:
        request = AskRequest(question="Where is xylophonequagga?", passages=(passage("The xylophonequagga is here today."),),
                             endpoint=stub.url)  # fmt: skip
        confine = {"type": "confine", "endpoint": stub.url}
        lines = json.dumps(confine).encode() + b"\n" + request.line()
        done = subprocess.run(
            [sys.executable, "-m", "earmark.summarization.worker"],
            input=lines,
            capture_output=True,
            timeout=60,
        )
    ready, *_, end = [json.loads(line) for line in done.stdout.splitlines()]
    assert any("connections: only to 127.0.0.1" in sentence for sentence in ready["sandbox"])
    assert end["type"] == "failed"
    assert b"xylophonequagga" not in done.stdout + done.stderr


FLOOD = """
import json, sys
sys.stdin.buffer.readline()
sys.stdin.buffer.readline()
line = (json.dumps({"type": "progress", "job": 1, "at": 1.0, "total": None}) + "\\n") * 100
sys.stderr.close()
while True:
    sys.stdout.write(line)
"""
"""A worker that says for ever that it goes on, once it was asked something."""


@pytest.mark.shows("ask:flood")
def test_a_worker_that_goes_on_for_ever_is_ended_and_waits_until_what_it_said_is_taken(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(world, "http://127.0.0.1:9")
    monkeypatch.setenv("EARMARK_HOME", str(world.root))
    home, config = here()
    started: list[subprocess.Popen[bytes]] = []

    def start(module: str, **more: Any) -> subprocess.Popen[bytes]:
        del module
        pipe = subprocess.PIPE
        started.append(subprocess.Popen([sys.executable, "-c", FLOOD], stdin=pipe, stdout=pipe, **more))
        return started[-1]

    worker = AskWorker(home, config, start)
    worker.ask("x", ())
    (process,) = started

    def written() -> int:
        said = Path(f"/proc/{process.pid}/io").read_text() if process.poll() is None else "wchar: 0"
        return int(re.findall(r"wchar: (\d+)", said)[0])

    if sys.platform == "linux":
        seen: list[int] = []

        def waits() -> bool:
            seen.append(written())
            return seen[-1] > 8192 and len(seen) > 5 and len(set(seen[-5:])) == 1

        wait_for(waits, 30, "the worker to wait")
        assert seen[-1] < 1 << 20
    worker.stop()
    assert process.poll() is not None
    again = AskWorker(home, config, start)
    reply = asking.ask(home, config, QUESTION, _Nobody(), server=again)
    assert reply.why == "the summary worker goes on and on, and comes to no end"
    assert started[1].poll() is not None


class _Nobody:
    """Is told nothing."""

    def indexed(self, done: int, of: int) -> None: ...
    def reads(self, passages: int, recordings: int) -> None: ...
    def writes(self) -> None: ...
    def waits(self, sentence: str) -> None: ...
    def stated(self, sentence: asking.Sentence) -> None: ...


@pytest.mark.parametrize("length", [300, 5_000])
def test_a_place_with_a_name_that_no_disk_takes_is_one_that_nobody_knows_and_is_said_short(
    world: World, length: int
) -> None:
    said = run("invoice", "--in", "n" * length)
    assert said.exit_code == 66, said.output
    assert "no recording is or was at or below it" in " ".join(said.stderr.split())
    assert "n" * 20 in said.stderr
    assert len(said.stderr) < 250
