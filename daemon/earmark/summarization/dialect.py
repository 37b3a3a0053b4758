"""How a server is spoken to: the parts of Chat Completions that servers disagree on, given up one at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from earmark.summarization.answer import unbounded
from earmark.summarization.servers import LLAMA_CPP, LM_STUDIO, OLLAMA, VLLM


@dataclass
class Dialect:
    """What of the interface this server takes; narrowed each time it refuses something."""

    formats: list[str] = field(default_factory=lambda: ["json_schema", "json_object", "text"])
    bounded: bool = True
    """Takes `maxLength` in a schema."""
    limit: str = "max_tokens"
    """Where the most tokens of an answer are said; newer OpenAI models want "max_completion_tokens"."""
    temperature: bool = True
    stream_options: bool = True
    extras: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, kind: str) -> Dialect:
        """What is known of a kind of server before it was asked."""
        dialect = cls()
        if kind == LM_STUDIO:
            # json_object is a 400 there (lmstudio-bug-tracker#189). The model stays loaded between chunks.
            dialect.formats = ["json_schema", "text"]
            dialect.extras = {"ttl": 3600}
        elif kind == OLLAMA:
            dialect.extras = {"reasoning_effort": "none"}
        elif kind in (LLAMA_CPP, VLLM):
            dialect.extras = {"chat_template_kwargs": {"enable_thinking": False}}
        return dialect

    def response_format(self, schema: dict[str, Any]) -> dict[str, Any] | None:
        if self.formats[0] == "json_schema":
            form = schema if self.bounded else unbounded(schema)
            return {"type": "json_schema", "json_schema": {"name": "summary", "strict": True, "schema": form}}
        return {"type": "json_object"} if self.formats[0] == "json_object" else None

    def narrow(self, message: str) -> bool:
        """Give up the feature that a refusal speaks of, or the least important one; False if nothing is left."""
        about_format = re.search(
            r"response_format|json_schema|json_object|schema|grammar|guided|structured", message, re.I
        )
        if "max_completion_tokens" in message and self.limit != "max_completion_tokens":
            self.limit = "max_completion_tokens"
        elif "temperature" in message and self.temperature:
            self.temperature = False
        elif about_format and self.bounded and self.formats[0] == "json_schema":
            self.bounded = False
        elif about_format and len(self.formats) > 1:
            self.formats.pop(0)
        elif self.extras:
            self.extras = {}
        elif self.stream_options:
            self.stream_options = False
        elif len(self.formats) > 1:
            self.formats.pop(0)
        else:
            return False
        return True
