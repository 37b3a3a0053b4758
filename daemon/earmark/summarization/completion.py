"""One question to a Chat Completions server, streamed, with what real servers do differently taken care of.

Every outcome is one of: a `Spoken`, an `Overflow` (the prompt did not fit), an `EndpointFault` (down, busy, locked: wait)
or an `AnswerFault` (it answered, with something else). The server's own words go into the sentence, shortened, and
never the words of the recording.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import openai
from openai import OpenAI

from earmark.errors import PrivacyError
from earmark.locality.confinement.bounds import Unbounded, unbounded_in
from earmark.summarization.dialect import Dialect
from earmark.summarization.engine import AnswerFault, EndpointFault
from earmark.summarization.overflow import Overflow, overflow_in
from earmark.summarization.streaming import (
    NOT_HTTP,
    NOTHING,
    OTHER_JSON,
    OTHER_TEXT,
    PEEK,
    WEB_PAGE,
    NotAnAnswer,
    Piece,
    events,
    kind_of,
    parsed,
    peeked,
    piece_in,
)
from earmark.summarization.window import LEAST_WINDOW

LONGEST_ANSWER = 200_000
"""Characters after which a stream is ended: no summary is that long."""

BUSY = (429, 502, 503, 504)
BUSY_RETRIES = 4
BUSY_WAIT = 2.0
"""Seconds before the first new try at a busy server; doubled each time. Longer outages are for the queue to wait out."""

TEMPERATURE = 0.2
"""Low, because a summary is to be repeated and not to be original; not 0, at which small models loop more often."""

LOOP_CHECK = 400
"""Characters between two looks at whether the model repeats itself."""

CIRCLES = 1300
"""Characters of repetition after which a stream is ended. A schema's bounds end a string after 900 at most, and what
comes after it may be good, so this is longer."""

Messages = Sequence[dict[str, str]]
Beat = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the model said. `reasoning`: what it said in the field for thinking. `finish`: "stop", "length", "loop" or "".

    Token counts are the server's, 0 where it gave none. `seconds`: from the request to the last byte.
    """

    content: str
    reasoning: str = ""
    finish: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0

    @property
    def cut_off(self) -> bool:
        return self.finish in ("length", "loop")


@dataclass
class Chat:
    """A model on a server. `secret`: returns True for text that holds words of the recording."""

    client: OpenAI
    model: str
    kind: str
    where: str
    dialect: Dialect
    patience: float = 600.0
    """Seconds without a word after which an answer that goes on all the same counts as hung."""
    overheard: Callable[[str], None] | None = None
    """Is called with an answer as far as it is there, whenever an object may have ended in it."""
    secret: Callable[[str], bool] = lambda text: False
    sleep: Callable[[float], None] = time.sleep

    def ask(
        self, messages: Messages, schema: dict[str, Any] | None, most_tokens: int, beat: Beat = lambda: None
    ) -> Spoken:
        """Put one question. Retries a busy server for some seconds and a broken stream once."""
        waits, broken = 0, 0
        while True:
            try:
                return self.once(messages, schema, most_tokens, beat)
            except openai.APIStatusError as error:
                waits = self.after_status(error, waits)
            except (NotAnAnswer, Unbounded) as fault:
                # Whatever is there may be another program tomorrow, or be mended: wait for it, charge nobody.
                raise EndpointFault(f"{self.where} {fault}") from None
            except (openai.APITimeoutError, httpx2.TimeoutException, TimeoutError):
                raise EndpointFault(f"{self.where} stopped answering") from None
            except (openai.APIConnectionError, httpx2.HTTPError) as error:
                privacy_fault_in(error)
                if (unbounded := unbounded_in(error)) is not None:
                    raise EndpointFault(f"{self.where} {unbounded}") from None
                if not_http(error):
                    raise EndpointFault(f"{self.where} {NOT_HTTP}") from None
                broken += 1
                if broken > 1:
                    raise EndpointFault(f"{self.where} went away in the middle of an answer") from None
            except openai.APIError as error:
                # HTTP 200 with an error inside (lmstudio-bug-tracker#2322).
                self.refuse(200, str(error.message), error.body)

    def after_status(self, error: openai.APIStatusError, waits: int) -> int:
        """Decide what an HTTP error means: raise, or return the number of waits so far to have it tried again."""
        status = error.status_code
        message = message_of(error.body) or error.response.text[:2000]
        if 300 <= status < 400:
            raise PrivacyError(
                f"{self.where} wants to send the request on to another address; that is not followed"
            )
        if kind_of(message.encode()[:PEEK]) == "page" and status not in BUSY:
            raise EndpointFault(f"{self.where} {WEB_PAGE}")
        if status in BUSY and overflow_in(status, message, error.body) is None:
            if waits >= BUSY_RETRIES:
                raise EndpointFault(f"{self.where} is busy{self.quoted(message)}")
            self.sleep(BUSY_WAIT * 2**waits)
            return waits + 1
        if status in (401, 403):
            raise EndpointFault(f"{self.where} does not let us in; set api_key_file in the [summary] section")
        if status == 404:
            raise EndpointFault(f"{self.where} has no model {self.model!r}{self.quoted(message)}")
        if status in (400, 413, 422, 500, 501):
            if overflow := overflow_in(status, message, error.body):
                raise overflow
            if status != 413 and self.dialect.narrow(message):
                return waits
        if status >= 500:
            raise EndpointFault(f"{self.where} failed (HTTP {status}){self.quoted(message)}")
        raise AnswerFault(f"{self.where} refused the request (HTTP {status}){self.quoted(message)}")

    def refuse(self, status: int, message: str, body: Any) -> None:
        """Raise what an error in a successful response means."""
        if overflow := overflow_in(status, message, body):
            raise overflow
        if re.search(
            r"load|unload|memory|busy|queue|crash|terminated|channel error|exited", message, re.IGNORECASE
        ):
            raise EndpointFault(f"{self.where} could not answer{self.quoted(message)}")
        raise AnswerFault(f"{self.where} answered with an error{self.quoted(message)}")

    def quoted(self, message: str) -> str:
        """A server's words for the user: one short line, unless it repeats the recording."""
        line = " ".join(message.split())[:200].strip()
        return f": {line}" if any(map(str.isalnum, line)) and not self.secret(line) else ""

    def once(self, messages: Messages, schema: dict[str, Any] | None, most_tokens: int, beat: Beat) -> Spoken:
        request: dict[str, Any] = {
            "model": self.model,
            "messages": list(messages),
            self.dialect.limit: most_tokens,
            "stream": True,
            "extra_body": dict(self.dialect.extras),
        }
        if self.dialect.temperature:
            request["temperature"] = TEMPERATURE
        if self.dialect.stream_options:
            request["stream_options"] = {"include_usage": True}
        if schema is not None and (form := self.dialect.response_format(schema)):
            request["response_format"] = form
        begun = time.monotonic()
        asked = sum(len(message["content"]) for message in messages)
        with self.client.chat.completions.with_streaming_response.create(**request) as response:
            begin, parts = peeked(response.iter_bytes())
            match kind_of(begin):
                case "stream":
                    answer = Answer(self, most_tokens, asked)
                    spoken = answer.collected(events(parts), beat)
                case "json":
                    spoken = self.whole_body(b"".join(parts), asked)
                case "page":
                    raise NotAnAnswer(WEB_PAGE)
                case "nothing":
                    raise self.wordless(asked)
                case _:
                    raise NotAnAnswer(OTHER_TEXT)
        return replace(spoken, seconds=time.monotonic() - begun)

    def whole_body(self, data: bytes, asked: int) -> Spoken:
        """A server that does not stream, or that says its error with status 200."""
        body = parsed(data)
        piece = piece_in(body) if isinstance(body, dict) and body.get("choices") else None
        if piece is None:
            if not message_of(body):
                raise NotAnAnswer(OTHER_JSON)
            self.refuse(200, message_of(body), body)
            raise NotAnAnswer(OTHER_JSON)
        if not piece.content and not piece.reasoning and not piece.finish:
            raise self.wordless(asked)
        return Spoken(
            piece.content, piece.reasoning, piece.finish, piece.prompt_tokens, piece.completion_tokens
        )

    def wordless(self, asked: int) -> Exception:
        """What an answer without a single word means. LM Studio gives one when the prompt does not fit (#2339); after a
        prompt that fits everywhere it is no answer. `asked`: characters of the prompt.
        """
        return Overflow() if asked > LEAST_WINDOW * 4 else NotAnAnswer(NOTHING)


class Answer:
    """A stream as it comes in; ended early when the model goes round in circles, talks without end or says nothing."""

    def __init__(self, chat: Chat, most_tokens: int, asked: int) -> None:
        self._chat = chat
        self._asked = asked
        self._most_pieces = (
            most_tokens * 4 + 2000
        )  # a piece is a token of the answer or of the thinking before it
        self._content: list[str] = []
        self._reasoning: list[str] = []
        self._length = self._looked = 0

    def collected(self, values: Iterable[Any], beat: Beat) -> Spoken:
        """The whole of it."""
        finish, prompt_tokens, completion_tokens, count = "", 0, 0, 0
        last_word = time.monotonic()
        for value in values:
            if isinstance(value, dict) and value.get("error"):
                self._chat.refuse(200, message_of(value), value)
            piece = piece_in(value)
            if piece is None:
                raise NotAnAnswer(OTHER_JSON)
            finish = piece.finish or finish
            prompt_tokens = piece.prompt_tokens or prompt_tokens
            completion_tokens = piece.completion_tokens or completion_tokens
            if piece.content or piece.reasoning:
                beat()
                last_word = time.monotonic()
                count += 1
            elif time.monotonic() - last_word > self._chat.patience:
                raise NotAnAnswer(f"stopped answering: not a word for {self._chat.patience:.0f} s")
            if ended := self._take(piece, count):
                finish = ended
                break
        text = "".join(self._content)
        if not text and not self._reasoning and not finish:
            raise self._chat.wordless(self._asked)
        return Spoken(text, "".join(self._reasoning), finish, prompt_tokens, completion_tokens)

    def _take(self, piece: Piece, count: int) -> str:
        """Keep a piece; why the stream is to be ended, or nothing."""
        if piece.reasoning:
            self._reasoning.append(piece.reasoning)
        if piece.content:
            self._content.append(piece.content)
            if self._chat.overheard is not None and "}" in piece.content:
                self._chat.overheard("".join(self._content))
        self._length += len(piece.content) + len(piece.reasoning)
        if self._length - self._looked >= LOOP_CHECK:
            self._looked = self._length
            if goes_in_circles(("".join(self._content[-4000:]) or "".join(self._reasoning[-4000:]))[-4000:]):
                return "loop"
        return "length" if self._length > LONGEST_ANSWER or count > self._most_pieces else ""


def message_of(body: Any) -> str:
    """The error text in a body: `{"error": {"message": ...}}`, `{"error": "..."}`, `{"message": ...}` or a string."""
    for _ in range(3):
        if isinstance(body, str):
            return body
        if not isinstance(body, dict):
            return ""
        body = body.get("error") or body.get("message") or body.get("detail") or ""
    return str(body) if body else ""


def not_http(error: BaseException) -> bool:
    """True if what came back is no HTTP, rather than the end of the connection."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, httpx2.RemoteProtocolError):
            return not re.search(r"disconnected|closed connection", str(cause))
        cause = cause.__cause__ or cause.__context__
    return False


def privacy_fault_in(error: BaseException) -> None:
    """Raise the PrivacyError that stopped a connection, which the client library wraps into its own."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, PrivacyError):
            raise cause
        cause = cause.__cause__ or cause.__context__


def goes_in_circles(tail: str) -> bool:
    """True if the end of the text is one passage of 8 to 400 characters again and again, for more than `CIRCLES`."""
    if len(tail) < CIRCLES:
        return False
    match = re.search(r"(.{8,400}?)\1{3,}.{0,400}\Z", tail, re.DOTALL)
    return match is not None and len(match.group(0)) > CIRCLES
