"""One question to a Chat Completions server, streamed, with what real servers do differently taken care of.

Every outcome is one of: a `Spoken`, an `Overflow` (the prompt did not fit), an `EndpointFault` (down, busy, locked: wait)
or an `AnswerFault` (it answered, with something else). The server's own words go into the sentence, shortened, and
never the words of the recording.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import openai
from openai import OpenAI

from earmark.errors import PrivacyError
from earmark.summarization.dialect import Dialect
from earmark.summarization.engine import AnswerFault, EndpointFault
from earmark.summarization.overflow import Overflow, overflow_in

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
    """A model on a server. `secrets`: returns True for text that holds words of the recording."""

    client: OpenAI
    model: str
    kind: str
    where: str
    dialect: Dialect
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
            except (openai.APITimeoutError, TimeoutError):
                raise EndpointFault(f"{self.where} stopped answering") from None
            except openai.APIConnectionError as error:
                privacy_fault_in(error)
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
        return f": {line}" if line and not self.secret(line) else ""

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
        with self.client.chat.completions.with_streaming_response.create(**request) as response:
            kind = response.headers.get("content-type", "")
            spoken = (
                self.whole_body(response.read()) if "json" in kind else self.stream(response.parse(), beat)
            )
        return Spoken(
            spoken.content,
            spoken.reasoning,
            spoken.finish,
            spoken.prompt_tokens,
            spoken.completion_tokens,
            time.monotonic() - begun,
        )

    def whole_body(self, data: bytes) -> Spoken:
        """A server that does not stream, or that says its error with status 200."""
        try:
            body = json.loads(data)
        except ValueError:
            raise AnswerFault(f"{self.where} answered with something that is not JSON") from None
        if not isinstance(body, dict) or not body.get("choices"):
            self.refuse(200, message_of(body), body)
        choice = body["choices"][0]
        said = choice.get("message") or {}
        usage = body.get("usage") or {}
        return Spoken(
            str(said.get("content") or ""),
            str(said.get("reasoning_content") or said.get("reasoning") or ""),
            str(choice.get("finish_reason") or ""),
            int(usage.get("prompt_tokens") or 0),
            int(usage.get("completion_tokens") or 0),
        )

    def stream(self, chunks: Any, beat: Beat) -> Spoken:
        """Collect a stream; ends it early when the model goes round in circles or talks without end."""
        content: list[str] = []
        reasoning: list[str] = []
        finish, prompt_tokens, completion_tokens, length, looked = "", 0, 0, 0, 0
        for chunk in chunks:
            beat()
            extra = chunk.model_extra or {}
            if extra.get("error"):
                self.refuse(200, message_of(extra), extra)
            if chunk.usage is not None:
                prompt_tokens = chunk.usage.prompt_tokens or prompt_tokens
                completion_tokens = chunk.usage.completion_tokens or completion_tokens
            if not chunk.choices:
                continue
            choice = chunk.choices[0]
            finish = choice.finish_reason or finish
            delta = choice.delta
            thought = (delta.model_extra or {}) if delta else {}
            if piece := str(thought.get("reasoning_content") or thought.get("reasoning") or ""):
                reasoning.append(piece)
                length += len(piece)
            if delta and delta.content:
                content.append(delta.content)
                length += len(delta.content)
            if length - looked >= LOOP_CHECK:
                looked = length
                if goes_in_circles(("".join(content) or "".join(reasoning))[-4000:]):
                    finish = "loop"
                    break
            if length > LONGEST_ANSWER:
                finish = "length"
                break
        text = "".join(content)
        if not text and not reasoning and not finish:
            # A stream without a single word: LM Studio does this when the prompt does not fit (#2339).
            raise Overflow()
        return Spoken(text, "".join(reasoning), finish, prompt_tokens, completion_tokens)


def message_of(body: Any) -> str:
    """The error text in a body: `{"error": {"message": ...}}`, `{"error": "..."}`, `{"message": ...}` or a string."""
    for _ in range(3):
        if isinstance(body, str):
            return body
        if not isinstance(body, dict):
            return ""
        body = body.get("error") or body.get("message") or body.get("detail") or ""
    return str(body) if body else ""


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
