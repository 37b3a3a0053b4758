"""Reading what a model said: the JSON in it, whatever surrounds it, with everything bounded and nothing trusted.

What comes out are claims, not facts: `evidence` decides which of them the recording bears out.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Annotated, Any

import pydantic_core
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from earmark.summarization.engine import AnswerFault

TITLE = 120
OVERVIEW = 1500
STATEMENT = 400
QUOTE = 300
NAME = 60
MOST_CLAIMS = 40
"""Bounds on what a model may return, in characters and items; the rest is cut or left out."""

THINKING = re.compile(
    r"<(think|thinking|thought|reasoning|reflection)>.*?</\1>|\[THINK\].*?\[/THINK\]"
    r"|<\|channel\|>analysis.*?(?=<\|channel\|>final|<\|start\|>assistant<\|channel\|>final|\Z)",
    re.DOTALL | re.IGNORECASE,
)
CLOSING = re.compile(r"</(?:think|thinking|thought|reasoning|reflection)>|\[/THINK\]", re.IGNORECASE)
OPENING = re.compile(r"<(?:think|thinking|thought|reasoning|reflection)>|\[THINK\]", re.IGNORECASE)
REPEATED = re.compile(r"(.{8,200}?)\1{2,}")
"""One passage three times or more in a row: said once it says as much."""

JOIN_CONTROLS = "\u200c\u200d"
"""Persian and Indic scripts and emoji need them; the note drops those that stand anywhere else."""

SPECIAL = re.compile(r"<\|[^|<>\n]{1,40}\|>")


def clean(text: object, most: int) -> str:
    """One line of plain text: no control, format or private characters, whitespace collapsed, at most `most` long.

    Format characters (bidirectional overrides, zero-width) can make a line read as something it is not.
    """
    if text is None:
        return ""
    if not isinstance(text, str):
        text = str(text)
    kept = (
        " " if character.isspace() else character
        for character in unicodedata.normalize("NFC", text[: most * 4])
        if character.isspace()
        or character in JOIN_CONTROLS
        or unicodedata.category(character) not in ("Cc", "Cf", "Co", "Cs", "Cn")
    )
    line = REPEATED.sub(r"\1", " ".join("".join(kept).split()))
    if len(line) <= most:
        return line
    return line[: most - 1].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"


def seconds(value: object) -> float | None:
    """A time as models write it: 83, "83", "[83]", "1:23", "00:01:23", "83s"; None if it is none of these."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        return float(value) if 0 <= value < 1e7 else None
    match = re.search(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{2})(?:\.\d+)?|(\d{1,7}(?:\.\d+)?)", str(value)[:40])
    if match is None:
        return None
    hours, minutes, secs, plain = match.groups()
    if plain is not None:
        return float(plain)
    return int(hours or 0) * 3600.0 + int(minutes) * 60.0 + int(secs)


def listed(value: object) -> list[Any]:
    """A list, bounded; null is an empty one, and a single thing is a list of one."""
    if value is None or value == "":
        return []
    if not isinstance(value, list):
        return [value]
    return value[:MOST_CLAIMS]


def as_claim(value: object) -> object:
    """A bare string where an object was asked for is a claim without evidence."""
    return {"text": value} if isinstance(value, str) else value


Title = Annotated[str, BeforeValidator(lambda value: clean(value, TITLE))]
Overview = Annotated[str, BeforeValidator(lambda value: clean(value, OVERVIEW))]
Statement = Annotated[str, BeforeValidator(lambda value: clean(value, STATEMENT))]
Quote = Annotated[str, BeforeValidator(lambda value: clean(value, QUOTE))]
Name = Annotated[str, BeforeValidator(lambda value: clean(value, NAME))]
At = Annotated[float | None, BeforeValidator(seconds)]
Names = Annotated[
    list[Name],
    BeforeValidator(lambda value: [item for item in listed(value) if isinstance(item, (str, int))]),
]


class Claim(BaseModel):
    """A statement with the words it rests on and when they were said. `owner`, `due`: for tasks only."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    text: Statement
    quote: Quote = ""
    at: At = None
    owner: Name = ""
    due: Name = ""


Claims = Annotated[list[Annotated[Claim, BeforeValidator(as_claim)]], BeforeValidator(listed)]


class RawDraft(BaseModel):
    """What every answer has; sections are read separately because templates choose them."""

    model_config = ConfigDict(extra="allow", frozen=True)

    title: Title = ""
    overview: Overview = ""
    people: Names = []
    tags: Names = []


class Section(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    claims: Claims


@dataclass(frozen=True, slots=True)
class Draft:
    """One model's answer about one stretch of the recording, parsed and bounded but not checked."""

    title: str = ""
    overview: str = ""
    sections: dict[str, tuple[Claim, ...]] = field(default_factory=dict)
    people: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def claims(self) -> int:
        return sum(len(claims) for claims in self.sections.values())


def without_thinking(text: str) -> str:
    """The text without reasoning: tagged, unclosed, or closed without having been opened."""
    text = THINKING.sub(" ", text)
    closings = list(CLOSING.finditer(text))
    if closings:
        text = text[closings[-1].end() :]
    if opening := OPENING.search(text):
        # Never closed: everything from here on is reasoning, unless the answer's object follows in it.
        tail = text[opening.end() :]
        text = text[: opening.start()] + (tail[tail.rfind("\n{") :] if "\n{" in tail else "")
    return SPECIAL.sub(" ", text).strip()


def objects_in(text: str, partial: bool = False) -> list[dict[str, Any]]:
    """Every JSON object at the top level of the text, in order; `partial` also reads one that was cut off."""
    decoder = json.JSONDecoder(strict=False)
    found: list[dict[str, Any]] = []
    position = text.find("{")
    attempts = 0
    while position != -1 and attempts < 50:
        attempts += 1
        try:
            value, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            if partial:
                try:
                    value = pydantic_core.from_json(text[position:], allow_partial=True)
                except ValueError:
                    value = None
                if isinstance(value, dict) and value:
                    found.append(value)
                    return found
            position = text.find("{", position + 1)
            continue
        if isinstance(value, dict):
            found.append(value)
        position = text.find("{", end)
    return found


def read_draft(text: str, sections: tuple[str, ...], partial: bool = False) -> Draft:
    """The draft in an answer. Raises AnswerFault (without quoting the answer) if there is none.

    Of several objects in the text the last one that fits counts, because a model that thinks aloud tries first.
    """
    known = {"title", "overview", *sections}
    for value in reversed(objects_in(without_thinking(text), partial)):
        if not known & value.keys():
            continue
        try:
            raw = RawDraft.model_validate(value)
            read = {key: claims_in(value.get(key)) for key in sections}
        except ValidationError:
            continue
        return Draft(
            title=raw.title,
            overview=raw.overview,
            sections=read,
            people=tuple(dict.fromkeys(name for name in raw.people if name)),
            tags=tuple(dict.fromkeys(tag for tag in raw.tags if tag)),
        )
    raise AnswerFault("the model's answer holds no summary in the form that was asked for")


def claims_in(value: object) -> tuple[Claim, ...]:
    """The claims of a section; single ones that cannot be read are left out, not the whole section."""
    claims: list[Claim] = []
    for item in listed(value):
        try:
            claim = Claim.model_validate(as_claim(item))
        except ValidationError:
            continue
        if claim.text:
            claims.append(claim)
    return tuple(claims)


def prose(most: int) -> dict[str, Any]:
    """A string of bounded length: what keeps a small model that goes in circles from never closing its quotes."""
    return {"type": "string", "maxLength": most}


CLAIM: dict[str, Any] = {"quote": prose(160), "at": {"type": "integer"}, "text": prose(240)}


def schema_for(sections: tuple[str, ...], most: int) -> dict[str, Any]:
    """The JSON schema of an answer. The quote comes before the statement, so that it is found and not made to fit.

    Only keywords that LM Studio (llama.cpp and MLX), Ollama, llama.cpp and vLLM all understand; `unbounded` takes
    out `maxLength`, which some builds do not.
    """

    def of(properties: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }

    def several(item: dict[str, Any], most: int) -> dict[str, Any]:
        return {"type": "array", "items": item, "maxItems": most}

    task = {**CLAIM, "owner": prose(NAME), "due": prose(NAME)}
    properties: dict[str, Any] = {"title": prose(80), "overview": prose(700)}
    for key in sections:
        properties[key] = several(of(task if key == "tasks" else CLAIM), most)
    properties["people"] = several(prose(NAME), 12)
    properties["tags"] = several(prose(NAME // 2), 5)
    return of(properties)


def unbounded(schema: Any) -> Any:
    """The schema without limits on the length of strings."""
    if isinstance(schema, dict):
        return {key: unbounded(value) for key, value in schema.items() if key != "maxLength"}
    return [unbounded(item) for item in schema] if isinstance(schema, list) else schema
