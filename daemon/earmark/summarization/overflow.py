"""What servers say when a prompt is longer than their window, in the shapes that were seen in the wild.

llama.cpp: 400 `exceed_context_size_error` with `n_prompt_tokens` and `n_ctx`. LM Studio: "Trying to keep the first N
tokens when context the overflows. However, the model is loaded with context length of only M tokens"
(lmstudio-bug-tracker#546), or "(n_keep: N>= n_ctx: M)" as a bare string. vLLM and OpenAI: "maximum context length is M
tokens. However, you requested N tokens". llama-cpp-python and LocalAI: "Requested tokens (N) exceed context window of
M". MLX: "Context size has been exceeded", without numbers.
"""

from __future__ import annotations

import re
from typing import Any

SHAPES: tuple[tuple[re.Pattern[str], int | None, int | None], ...] = (
    (re.compile(r"first (\d+) tokens when.{0,20}context.*?context length of only (\d+)", re.I | re.S), 2, 1),
    (re.compile(r"n_keep: *(\d+) *>= *n_ctx: *(\d+)", re.I), 2, 1),
    (re.compile(r"request \((\d+) tokens\) exceeds the available context size \((\d+)", re.I), 2, 1),
    (
        re.compile(
            r"maximum context length (?:is|of) (\d+) tokens.*?(?:you requested|resulted in|contains at least|has) "
            r"(?:over |about |a total of )?(\d+)",
            re.I | re.S,
        ),
        1,
        2,
    ),
    (re.compile(r"requested tokens \((\d+)\) exceed context window of (\d+)", re.I), 2, 1),
    (re.compile(r"prompt tokens \((\d+)\) exceeds? context size \((\d+)", re.I), 2, 1),
    (re.compile(r"maximum context length (?:is|of) (\d+)|max_model_len[^\d]{0,10}(\d+)", re.I), 1, None),
    (
        re.compile(r"context (?:size|length|window)[^.\n]{0,40}(?:exceed|overflow|too (?:long|large))", re.I),
        None,
        None,
    ),
    (
        re.compile(r"(?:exceed|longer than|overflow)[^.\n]{0,40}context (?:size|length|window)", re.I),
        None,
        None,
    ),
    (
        re.compile(r"(?:prompt|input) (?:is )?too (?:long|large)|n_prompt_tokens|input length exceeds", re.I),
        None,
        None,
    ),
)
"""Pattern, group of the window's size, group of the prompt's size; the first that matches counts."""


class Overflow(Exception):
    """The prompt did not fit. `limit`: the window in tokens, `prompt`: the prompt's tokens; 0 where not said."""

    def __init__(self, limit: int = 0, prompt: int = 0) -> None:
        super().__init__(f"the prompt has {prompt or 'too many'} tokens, the window {limit or 'fewer'}")
        self.limit = limit
        self.prompt = prompt


def overflow_in(status: int, message: str, body: Any = None) -> Overflow | None:
    """The overflow that an error speaks of, or None if it is about something else.

    `body`: the error object as parsed JSON, if it is one. 413 is an overflow whatever it says.
    """
    error = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(error, dict):
        limit, prompt = whole(error.get("n_ctx")), whole(error.get("n_prompt_tokens"))
        if limit or error.get("type") in ("exceed_context_size_error", "context_exceeded"):
            return Overflow(limit, prompt)
        if error.get("code") == "context_length_exceeded":
            return overflow_in_text(message) or Overflow()
    found = overflow_in_text(message)
    if found is None and status == 413:
        return Overflow()
    return found


def overflow_in_text(message: str) -> Overflow | None:
    for pattern, limit, prompt in SHAPES:
        if match := pattern.search(message[:4000]):
            return Overflow(
                limit=whole(match.group(limit)) if limit else 0,
                prompt=whole(match.group(prompt)) if prompt else 0,
            )
    return None


def whole(value: Any) -> int:
    """A count as an int, 0 for what is none."""
    try:
        return max(0, int(value))
    except (TypeError, ValueError, OverflowError):  # a server may say Infinity
        return 0
