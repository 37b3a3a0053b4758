"""What comes back for a chat request, whatever it is: a stream of events, one JSON body, or something that is neither.

Servers name the kind of their answers wrongly, so that it is told by its first characters. Nothing here trusts a shape:
every value may be missing or of another type. Sizes and times are bounded below (`locality/confinement/bounds.py`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from earmark.summarization.overflow import whole

Kind = Literal["stream", "json", "page", "text", "nothing"]

_EVENT_FIELD = re.compile(rb"(?:data|event|id|retry) ?:|:")
_PAGE = re.compile(rb"<(?:!doctype|html|head|body|\?xml|!--|[a-z][a-z0-9-]*[ >])", re.IGNORECASE)
PEEK = 512
"""Bytes by which an answer's kind is told."""


class NotAnAnswer(Exception):
    """What came is no answer of a model server. The text goes on after the server's name."""


WEB_PAGE = "answers with a web page, not as a model server; is its address right?"
NOT_HTTP = "answers with something that is not HTTP, so it is no model server"
NO_TLS = "does not speak TLS, for which https:// asks; is it http://?"
NO_TRUST = "shows a certificate that nobody here vouches for"
NOTHING = "ended its answer without a word"
OTHER_TEXT = "answers with something that is not JSON, so it is no model server"
OTHER_JSON = "answers with JSON that is no chat completion"


@dataclass(frozen=True, slots=True)
class Piece:
    """What one event, or one whole body, adds to an answer."""

    content: str = ""
    reasoning: str = ""
    finish: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0


def kind_of(begin: bytes) -> Kind:
    """What an answer is, by how it begins."""
    text = begin.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        return "nothing"
    if _EVENT_FIELD.match(text):
        return "stream"
    if text[:1] in (b"{", b"["):
        return "json"
    return "page" if _PAGE.match(text) else "text"


def peeked(parts: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """How the answer begins, and all of it."""
    source = iter(parts)
    begin = b""
    for part in source:
        begin += part
        if len(begin.lstrip()) >= PEEK or b"\n" in begin.lstrip():
            break

    def everything() -> Iterator[bytes]:
        yield begin
        yield from source

    return begin, everything()


def events(parts: Iterable[bytes]) -> Iterator[Any]:
    """The JSON values of a stream's `data:` fields until `[DONE]`; comments and other fields are left out.

    Raises NotAnAnswer for data that is not JSON.
    """
    data: list[str] = []
    for line in _lines(parts):
        if line:
            name, _, value = line.partition(":")
            if name == "data":
                data.append(value.removeprefix(" "))
            continue
        if data:
            if (text := "\n".join(data)).strip() == "[DONE]":
                return
            yield parsed(text)
        data = []
    if (
        data and (text := "\n".join(data)).strip() != "[DONE]"
    ):  # the last event need not be ended by an empty line
        yield parsed(text)


def _lines(parts: Iterable[bytes]) -> Iterator[str]:
    """Lines that end in LF, CRLF or CR."""
    rest, first = b"", True
    for part in parts:
        rest += part
        if first and len(rest) >= 3:
            rest, first = rest.removeprefix(b"\xef\xbb\xbf"), False
        *whole_lines, rest = re.split(rb"\r\n|\n|\r(?!\Z)", rest)
        for line in whole_lines:
            yield line.decode("utf-8", "replace")
    if rest:
        yield rest.rstrip(b"\r").decode("utf-8", "replace")


def parsed(text: str | bytes) -> Any:
    """JSON, or NotAnAnswer."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise NotAnAnswer(OTHER_TEXT) from None


def piece_in(value: Any) -> Piece | None:
    """What an event or a body says; None if it is no object of Chat Completions."""
    if not isinstance(value, dict):
        return None
    choices, usage = value.get("choices"), value.get("usage")
    if not isinstance(choices, list) and not isinstance(usage, dict) and "object" not in value:
        return None
    counted = usage if isinstance(usage, dict) else {}
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    said = choice.get("delta") or choice.get("message")
    said = said if isinstance(said, dict) else {}
    return Piece(
        words_in(said.get("content")) or words_in(choice.get("text")),
        words_in(said.get("reasoning_content")) or words_in(said.get("reasoning")),
        finish if isinstance(finish := choice.get("finish_reason"), str) else "",
        whole(counted.get("prompt_tokens")),
        whole(counted.get("completion_tokens")),
    )


def words_in(content: Any) -> str:
    """The text of a message's content: a string, or a list of parts that have one."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(words_in(part.get("text")) for part in content if isinstance(part, dict))
    return ""
