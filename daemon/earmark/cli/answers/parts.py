"""What all answers in JSON are made of: a version, texts that may hold any name, moments as ISO 8601."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from earmark.cli.console import iso


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text is needed")
    return value  # a name may hold bytes that are no text, which pydantic's own type refuses


def _moment(value: Any) -> str | None:
    return value if isinstance(value, str) else iso(value)


def _moment_schema(nullable: bool) -> WithJsonSchema:
    text = {"type": "string", "format": "date-time"}
    return WithJsonSchema({"anyOf": [text, {"type": "null"}]} if nullable else text)


Text = Annotated[Any, BeforeValidator(_text), WithJsonSchema({"type": "string"})]
"""Any text. Bytes of a name that are no UTF-8 are written as JSON escapes from \\udc80 to \\udcff, as Python has them."""

Moment = Annotated[Any, BeforeValidator(_moment), _moment_schema(nullable=True)]
"""Local time with its offset, or null: "2026-03-02T09:30:00+01:00". Made of Unix seconds."""


class Part(BaseModel):
    """A part of an answer; what is not named here is never in it."""

    # Built when it is used: a verb uses its own answer, of some sixty parts.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Answer(Part):
    """What a verb prints with --json."""

    version: Literal[1] = Field(
        1, description="Goes up when a key changes its meaning or goes; new keys may come."
    )


class Act(Part):
    thing: Text = Field(
        description="What was acted on: a file, a model, a word, a key of the configuration; else what is meant."
    )
    outcome: Literal["done", "unchanged", "refused"] = Field(
        description="`unchanged`: it was so before, or is being done; `refused`: it could not be done."
    )
    sentence: Text = Field(description="What was done, or why not, as people read it behind its name.")
    recording: Text | None = Field(description="Its id, where a recording is meant.")


class ActsAnswer(Answer):
    """What was done, thing by thing. Where some were done and others not, `outcome` says which."""

    at: Moment = Field(description="When the verb ended.")
    acts: list[Act] = Field(description="In their order.")
    said: list[Text] = Field(
        description="What there is to say of no single thing: what follows, what may be done next."
    )


def key(description: str, default: Any = ...) -> Any:
    """A key with its meaning, which docs/json.md prints."""
    return Field(default, description=description)
