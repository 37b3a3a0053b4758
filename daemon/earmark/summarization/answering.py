"""A question put to the configured server with passages of recordings, and each sentence of the answer checked as it comes.

The server is found, judged and asked as for a summary (connection, completion). What does not fit into its window is left
out from the end: the passages come best first.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from earmark.messages import Message
from earmark.questions import Answered, AskRequest, GivenPassage, Stated
from earmark.summarization.answer import QUOTE, SPECIAL, clean, objects_in, prose, without_thinking
from earmark.summarization.bearing import Bearing
from earmark.summarization.chat import repeats
from earmark.summarization.completion import Spoken
from earmark.summarization.connection import Connection, connect
from earmark.summarization.engine import AnswerFault, EndpointFault, Heartbeat
from earmark.summarization.overflow import Overflow
from earmark.summarization.parts import thought_too_long
from earmark.summarization.prompts import ask_instructions, ask_messages, joined
from earmark.summarization.sentences import Sentence
from earmark.summarization.window import ASSUMED_WINDOW, Chunk, looks_cut, room_for_transcript

MOST = 8
"""Sentences of an answer."""

READ = 40
"""Items of an answer that are looked at, whatever a server sends."""

TEXT = 1_000
"""Characters of one item that are looked at; what is longer is no sentence, and dropped."""

ANSWER_TOKENS = 700
THINKING_TOKENS = 4_000
"""More for a model that thinks aloud and will not be told not to."""

ROUNDS = 6
"""Tries with fewer passages each time."""

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "sentences": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"passage": {"type": "integer"}, "quote": prose(160), "text": prose(240)},
                "required": ["passage", "quote", "text"],
                "additionalProperties": False,
            },
            "maxItems": MOST,
        }
    },
    "required": ["sentences"],
    "additionalProperties": False,
}
"""The quote comes before the sentence, so that it is found and not made to fit."""


def answer_question(request: AskRequest, say: Callable[[Message], None], beat: Heartbeat) -> Answered:
    """Ask the server that the request means; `say` gets each Stated. Raises SummaryFault, PrivacyError."""
    beat(0, None)
    connection = connect(
        request.endpoint, request.model, request.api_key, request.privacy, request.allowed_hosts, request.timeout,
        request.consent,
    )  # fmt: skip
    return Asking(connection, request, say, beat).run()


class Asking:
    """One question on one model."""

    def __init__(
        self, connection: Connection, request: AskRequest, say: Callable[[Message], None], beat: Heartbeat
    ) -> None:
        self._connection, self._request, self._say, self._beat = connection, request, say, beat
        self._question = clean(request.question, 2_000)
        self._language = _most(p.language for p in request.passages)
        self._system = ask_instructions(self._language, MOST)
        self._meter = connection.meter(self._language)
        self._window = request.context or connection.window or connection.window_now() or ASSUMED_WINDOW
        self._bearing = Bearing(self._question, request.passages)
        self._given: Sequence[GivenPassage] = request.passages
        self._seen: set[str] = set()
        self._dropped = self._stated = self._cuts = 0
        self._thinks = False
        whole = " ".join([self._question, *(s.text for p in request.passages for s in p.sentences)])
        connection.chat.secret = lambda text: repeats(text, whole)
        connection.chat.overheard = self._overhear

    def run(self) -> Answered:
        read = 0
        for _ in range(ROUNDS):
            self._given = self._fitting()
            if not self._given:
                break
            try:
                read = len(self._given)
                self._finish(self._speak())
                break
            except Overflow as overflow:
                narrower = int(self._window * 0.6)
                self._window = overflow.limit if 0 < overflow.limit < self._window else narrower
                self._given = self._given[:-1]
                read = 0
        connection = self._connection
        if not read and not self._stated:
            raise EndpointFault(f"the context window of {connection.chat.where} is too small for a passage")
        return Answered(
            job=self._request.job, dropped=self._dropped, read=read, model=connection.shown_model,
            made_at=connection.made_at, locality=connection.locality,
        )  # fmt: skip

    def _answer_tokens(self) -> int:
        wanted = ANSWER_TOKENS + (THINKING_TOKENS if self._thinks else 0)
        return min(wanted, self._window // (2 if self._thinks else 3))

    def _fitting(self) -> list[GivenPassage]:
        """The passages, from the first, that fit beside instructions and answer."""
        overhead = self._meter.tokens(self._system) + self._meter.tokens(self._question) + 80
        room = room_for_transcript(self._window, overhead, self._answer_tokens())
        fitting: list[GivenPassage] = []
        for passage in self._given:
            room -= self._meter.tokens("\n".join(shown(passage))) + 8
            if room < 0:
                break
            fitting.append(passage)
        return fitting

    def _speak(self) -> Spoken:
        messages = ask_messages(self._system, self._question, [shown(p) for p in self._given])
        chat = self._connection.chat
        spoken = chat.ask(messages, SCHEMA, self._answer_tokens(), self._pulse)
        if not self._thinks and thought_too_long(spoken):
            self._thinks = True
            if len(self._fitting()) < len(self._given):
                raise Overflow
            spoken = chat.ask(messages, SCHEMA, self._answer_tokens(), self._pulse)
        if self._cuts < 1 and looks_cut(self._meter, joined(messages), spoken.prompt_tokens):
            self._cuts += 1
            raise Overflow(limit=spoken.prompt_tokens)
        if not self._cuts:
            self._meter.learn(joined(messages), spoken.prompt_tokens)
        return spoken

    def _pulse(self) -> None:
        self._beat(1, None)  # it writes

    def _overhear(self, text: str) -> None:
        """The answer so far, whenever an object may have ended in it."""
        for item in ended_items(without_thinking(text)):
            self._take(item)

    def _finish(self, spoken: Spoken) -> None:
        """What the answer holds that was not overheard. Raises AnswerFault if it is in another form."""
        text = spoken.content if spoken.content.strip() else spoken.reasoning
        text = without_thinking(text)
        # What is cut off may hold where the whole does not: half of a sentence is none.
        items = None if spoken.cut_off else all_items(text)
        if items is None:
            items = ended_items(text)
        if not items and all_items(text) is None:
            model = f"{self._connection.shown_model} on {self._connection.server.name}"
            raise AnswerFault(f"{model} gave no answer in the form that was asked for")
        for item in items:
            self._take(item)

    def _take(self, item: dict[str, Any]) -> None:
        """Check one item of the answer, once."""
        key = json.dumps(item, sort_keys=True, default=str)[: 4 * TEXT]
        if key in self._seen or len(self._seen) >= READ:
            return
        self._seen.add(key)
        text, quote = (
            clean(item.get("text"), TEXT),
            clean(SPECIAL.sub(" ", str(item.get("quote") or "")), QUOTE),
        )
        if not text:
            return
        held, dropped = self._bearing.held(text, quote, _number(item.get("passage")))
        self._dropped += dropped
        for each in held:
            if self._stated < MOST:
                self._stated += 1
                self._say(
                    Stated(
                        job=self._request.job, passage=each.passage, sentence=each.sentence, text=each.text
                    )
                )


def shown(passage: GivenPassage) -> tuple[str, str]:
    """A passage as the model sees it: the line above it, and its lines."""
    called = clean(passage.called.replace("\n", ", "), 120).replace('"', "'")
    sentences = tuple(
        Sentence(clean(s.text, 2_000), s.at, s.at, clean(s.speaker, 60)) for s in passage.sentences
    )
    return f'of the recording "{called}" of {passage.day}:', Chunk(sentences).lines


def ended_items(text: str) -> list[dict[str, Any]]:
    """The objects of the list under "sentences" that are complete, in a text that may end anywhere."""
    decoder = json.JSONDecoder(strict=False)
    found: list[dict[str, Any]] = []
    begin = text.find('"sentences"')
    at = text.find("[", begin) + 1 if begin >= 0 else 0
    while at and len(found) < READ and (at := text.find("{", at)) >= 0:
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        found.append(value)
    return found


def all_items(text: str) -> list[dict[str, Any]] | None:
    """Everything in a whole answer that is of the form that was asked for, or close to it; None if nothing is."""
    for value in reversed(objects_in(text)):
        if isinstance(listed := value.get("sentences"), list):
            return [item for item in listed[:READ] if isinstance(item, dict)]
    loose = [value for value in objects_in(text) if "text" in value and "passage" in value]
    return loose[:READ] or None


def _number(value: Any) -> int | None:
    """The passage that is cited, from 0, as models write it: 2, "2", "Passage 2"."""
    digits = "".join(c for c in str(value)[:20] if c.isascii() and c.isdigit())
    return int(digits) - 1 if digits else None


def _most(languages: Any) -> str:
    counted = Counter(languages).most_common(1)
    return counted[0][0] if counted else ""
