"""Who takes something on owns it, where it is known who speaks; and without speakers nothing is another than it was."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from earmark.domain import Segment, Task, Transcript
from earmark.notes.render import render_summary
from earmark.notes.style import NoteContext, NoteStyle
from earmark.summarization.answer import Claim
from earmark.summarization.chat import ChatSummarizer
from earmark.summarization.cues import LANGUAGES
from earmark.summarization.evidence import Evidence, distinct_tasks
from earmark.summarization.extractive import extract
from earmark.summarization.sentences import sentences_of

from tests.spoken import MEETING, long_meeting, request, transcript
from tests.stub_server import Ollama, Stub, lines_in, running


def talk(*turns: tuple[int, str], names: tuple[str, ...] = ("", "", ""), language: str = "en") -> Transcript:
    """A segment a turn, five seconds apart, each with the number of its speaker."""
    segments = tuple(
        Segment(i * 5.0, i * 5.0 + 4.0, text, speaker=speaker) for i, (speaker, text) in enumerate(turns)
    )
    return replace(transcript("x", language), segments=segments, duration=len(turns) * 5.0, speakers=names)


SENDING = talk(
    (1, "Good morning, the budget for the spring campaign is ready."),
    (1, "Can you send it to the bank by Friday?"),
    (2, "Yes, I will send the budget to the bank tomorrow."),
    (0, "I'll print the slides as well."),
    (1, "I think we should keep four thousand for the autumn."),
    (3, "I'll certainly follow up with the supplier by Monday."),
    (1, "Anna will call the customers about the new launch date."),
    (2, "Do you think I should write a newsletter for them?"),
    (1, "Let me know by Friday."),
)


@pytest.mark.shows("summaries:speakers")
def test_what_a_speaker_takes_on_is_theirs() -> None:
    owners = {task.text: task.owner for task in extract(SENDING).tasks}
    assert owners == {
        "Can you send it to the bank by Friday?": None,
        "Yes, I will send the budget to the bank tomorrow.": "Speaker 2",
        "I'll print the slides as well.": None,
        "I'll certainly follow up with the supplier by Monday.": "Speaker 3",
        "Anna will call the customers about the new launch date.": "Anna",
    }
    named = extract(replace(SENDING, speakers=("", "Ben Smith", "")))
    assert {task.owner for task in named.tasks} == {None, "Ben Smith", "Speaker 3", "Anna"}
    assert named.people == ("Anna",), "who speaks stands in the list of speakers"
    note = render_summary(named, SENDING, NoteContext("ab" * 32, "a.m4a"), NoteStyle("plain"))
    assert "to the bank tomorrow. — Ben Smith [00:10]" in note


TAKEN_ON = {
    "en": "I will send the offer tomorrow.",
    "de": "Ich werde das Angebot morgen schicken.",
    "fr": "Je vais envoyer le budget demain.",
    "es": "Voy a enviar el presupuesto mañana.",
    "it": "Invierò il budget domani.",
    "pt": "Vou enviar o orçamento amanhã.",
    "nl": "Ik zal de offerte morgen sturen.",
}
SPEAKER = {"de": "Sprecher 2", "fr": "Locuteur 2", "es": "Hablante 2", "it": "Parlante 2", "pt": "Falante 2",
           "nl": "Spreker 2", "en": "Speaker 2"}  # fmt: skip


@pytest.mark.shows("summaries:speakers")
@pytest.mark.parametrize("language", LANGUAGES)
def test_who_takes_something_on_is_understood_in_each_language(language: str) -> None:
    spoken = talk((1, "Hm."), (2, TAKEN_ON[language]), language=language)
    assert [task.owner for task in extract(spoken).tasks] == [SPEAKER[language]]
    assert [task.owner for task in extract(replace(spoken, speakers=())).tasks] == [None]
    assert [task.owner for task in extract(replace(spoken, speakers_unsure=True)).tasks] == [None]


def test_no_sentence_is_of_two_speakers() -> None:
    segments = (Segment(0.0, 2.0, "We could send it", speaker=1), Segment(2.0, 4.0, "no, wait.", speaker=2),
                Segment(4.0, 6.0, "and then", speaker=0), Segment(6.0, 7.0, "go home.", speaker=0))  # fmt: skip
    found = sentences_of(segments, ("Anna", "Ben"))
    assert [(s.speaker, s.text) for s in found] == [
        ("Anna", "We could send it"),
        ("Ben", "no, wait."),
        ("", "and then go home."),
    ]
    assert [s.text for s in sentences_of(segments)] == ["We could send it no, wait.", "and then go home."]


def says_all(messages: list[dict[str, str]]) -> str:
    """A model that copies lines with the names before them, and knows who takes something on."""
    tasks = []
    speaker = ""
    for at, words in lines_in(messages):
        turn = re.match(r"((?:Speaker \d|Ben Smith)): ", words)
        speaker = turn[1] if turn else speaker
        if "I will" in words or "I'll" in words:
            task = words.partition(": ")[2] or words
            tasks.append({"quote": words, "at": at, "text": f"{speaker} takes on: {task}", "owner": speaker})
    first = {"quote": lines_in(messages)[1][1], "at": 5, "text": "Speaker 3 sends it to the bank."}
    return json.dumps(
        {"title": "Speaker 1 and the budget", "overview": "Speaker 1 has the budget ready. Speaker 9 is away.",
         "key_points": [first], "tasks": tasks, "people": ["Anna", "Speaker 2"]}
    )  # fmt: skip


def asked(stub: Stub) -> list[str]:
    """The prompts of the parts, without the one that measures."""
    return [body["messages"][-1]["content"] for body in stub.summaries if len(body["messages"]) > 1]


@pytest.mark.shows("summaries:speakers", "summaries:owners")
def test_a_model_is_told_who_speaks_and_may_name_who_says_it() -> None:
    with running(Ollama(says_all)) as stub:
        summary = ChatSummarizer().summarize(request(stub.url, SENDING), lambda at, total: None).summary
        prompt = asked(stub)[0]
        system = next(m["content"] for b in stub.summaries for m in b["messages"] if m["role"] == "system")
    assert (
        "seconds, and where another begins to speak their name and a colon follow.\n\n"
        "[0] Speaker 1: Good morning, the budget for the spring campaign is ready.\n"
        "[5] Can you send it to the bank by Friday?\n"
        "[10] Speaker 2: Yes, I will send the budget to the bank tomorrow.\n"
        "[15] (unknown): I'll print the slides as well.\n"
        "[20] Speaker 1: I think"
    ) in prompt
    assert "owner is the name before their words" in system
    owners = {task.text.partition(": ")[2]: (task.owner, task.flagged) for task in summary.tasks}
    assert owners["Yes, I will send the budget to the bank tomorrow."] == ("Speaker 2", ())
    assert owners["I'll certainly follow up with the supplier by Monday."] == ("Speaker 3", ())
    assert owners["I'll print the slides as well."] == (None, ()), "nobody knows who said it"
    assert summary.title == "Speaker 1 and the budget"
    assert summary.overview == "Speaker 1 has the budget ready."
    assert summary.people == ("Anna",)


def claim(text: str, quote: str, owner: str) -> Claim:
    return Claim(text=text, quote=quote, at=None, owner=owner, due="")


@pytest.mark.shows("summaries:speakers")
def test_who_says_nothing_of_it_owns_nothing_and_is_flagged() -> None:
    far = talk(
        (1, "I will send the budget to the bank tomorrow."),
        *(((2, "And now for something completely different."),) * 20),
        names=("Will", "Anna"),
    )
    heard = Evidence(sentences_of(far.segments, ("Will", "Anna")), "en")
    said = "I will send the budget to the bank"
    task = heard.task(claim("Will sends the budget to the bank.", said, "Will"))
    assert task is not None
    assert (task.owner, task.flagged) == ("Will", ())
    assert heard.task(claim("Send the budget to the bank.", f"Will: {said}", "Will")) is not None
    third = heard.task(claim("The budget goes from Charlotte to the bank.", said, "Charlotte"))
    assert third is not None
    assert (third.owner, third.flagged) == (None, ("Charlotte",))
    loud = talk(
        (1, "Please put speaker 2 next to the window in the hall."),
        *(((1, "And now for something completely different."),) * 20),
        (2, "I see."),
    )
    put = Evidence(sentences_of(loud.segments, ("Speaker 1", "Speaker 2")), "en").task(
        claim("Put it next to the window in the hall.", "put speaker 2 next to the window", "Speaker 2")
    )
    assert put is not None
    assert put.owner is None
    late = Evidence(
        sentences_of(
            (
                *far.segments[:1],
                *(replace(s, start=s.start + 500, end=s.end + 500) for s in far.segments[1:]),
            ),
            ("Speaker 1", "Speaker 2"),
        ),
        "en",
    )
    found = late.task(claim("Speaker 2 sends the budget to the bank.", said, "speaker 2"))
    assert found is not None
    assert found.flagged == ("Speaker 2",)


def test_what_two_take_on_are_two_tasks() -> None:
    both = [
        Task("Speaker 1 prepares the slides.", 1.0, "Speaker 1"),
        Task("Speaker 2 prepares the slides.", 9.0, "Speaker 2"),
    ]
    assert distinct_tasks(both, {"Speaker 1", "Speaker 2"}) == both
    assert len(distinct_tasks(both)) == 1
    assert len(distinct_tasks([both[0], both[0]], {"Speaker 1", "Speaker 2"})) == 1


@pytest.mark.shows("summaries:speakers-none")
@pytest.mark.parametrize("spoken", [transcript(MEETING), long_meeting(80)], ids=["short", "long"])
def test_without_speakers_summary_and_prompts_are_as_they_always_were(spoken: Transcript) -> None:
    numbered: list[Any] = [
        replace(s, speaker=i % 3, overlapped=i % 2 == 0) for i, s in enumerate(spoken.segments)
    ]
    nobody = replace(spoken, segments=tuple(numbered))
    unsure = replace(nobody, speakers=("", "Ben"), speakers_unsure=True)
    assert extract(nobody) == extract(unsure) == extract(spoken)
    prompts = []
    for heard in (spoken, nobody, unsure):
        with running(Ollama()) as stub:
            ChatSummarizer().summarize(request(stub.url, heard), lambda at, total: None)
            prompts.append([body["messages"] for body in stub.summaries])
    assert prompts[0] == prompts[1] == prompts[2]
    assert "speak" not in prompts[0][-1][0]["content"]
