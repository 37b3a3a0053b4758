"""Templates: what to look for in a recording, and how the note is laid out.

A template is one Markdown file, `NAME.md`: YAML frontmatter with `prompt` and `sections` for the model, and below it
an optional Jinja2 layout for the note. A user's folder comes before the built-in ones.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from earmark.errors import ConfigError
from earmark.unfit import in_our_words

BUILT_IN = ("meeting", "memo", "interview", "lecture", "call", "journal")
STANDARD = {
    "key_points": "Key points",
    "decisions": "Decisions",
    "tasks": "Tasks",
    "open_questions": "Open questions",
}
"""Sections that every note knows; all others are a template's own and carry their heading."""

LONGEST_FILE = 100_000
NAME = re.compile(r"[\w][\w -]{0,63}")
Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Ask = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class OwnSection(BaseModel):
    """A section that only this template has: its heading in the note and what to ask the model for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    heading: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    ask: Ask


class Front(BaseModel):
    """The frontmatter of a template file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)] = ""
    sections: Annotated[dict[Key, Ask | OwnSection], Field(min_length=1, max_length=8)]


@dataclass(frozen=True, slots=True)
class Template:
    """`asks`: what to look for, by section key. `headings`: of sections that are the template's own.

    `layout`: Jinja2 source for the note, or an empty string for the default one.
    """

    name: str
    prompt: str
    asks: dict[str, str]
    headings: dict[str, str]
    layout: str = ""

    @property
    def sections(self) -> tuple[str, ...]:
        return tuple(self.asks)


def load_template(name: str, folder: Path | None = None) -> Template:
    """The template of this name, from the user's folder or built in. Raises ConfigError with a sentence."""
    if not NAME.fullmatch(name):
        raise ConfigError(f"template {name!r}: a template's name is letters, digits, spaces, - and _")
    if folder is not None and (file := folder / f"{name}.md").is_file():
        try:
            with file.open(encoding="utf-8") as stream:
                source = stream.read(LONGEST_FILE)
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"template {file}: cannot be read ({type(error).__name__})") from None
        return parse_template(name, source, str(file))
    if name in BUILT_IN:
        source = (resources.files("earmark.summarization") / "templates" / f"{name}.md").read_text(
            encoding="utf-8"
        )
        return parse_template(name, source, name)
    where = f" and no {name}.md in {folder}" if folder is not None else ""
    raise ConfigError(f"template {name!r}: there is none built in{where}; built in are {', '.join(BUILT_IN)}")


@functools.lru_cache(maxsize=16)  # each note of a summary asks for its template, which takes 5 ms to read
def parse_template(name: str, source: str, place: str) -> Template:
    """Read a template file. Raises ConfigError that names the file, the key and what is wrong."""
    match = re.match(
        r"\ufeff?---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)(.*)", source, re.DOTALL | re.MULTILINE
    )
    if match is None:
        raise ConfigError(f"template {place}: it must begin with frontmatter between two lines of ---")
    try:
        data = YAML(typ="safe", pure=True).load(match.group(1))
    except YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        raise ConfigError(
            f"template {place}: its frontmatter is not YAML"
            + (f" (line {line + 2})" if line is not None else "")
        ) from None
    if not isinstance(data, dict):
        raise ConfigError(f"template {place}: its frontmatter must hold `prompt` and `sections`")
    try:
        front = Front.model_validate(data)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc'] if part not in ('OwnSection',))}:"
            f" {in_our_words(problem['msg'])}"
            for problem in error.errors()[:3]
        )
        raise ConfigError(f"template {place}: {problems}") from None
    asks, headings = {}, {}
    for key, section in front.sections.items():
        if isinstance(section, OwnSection):
            asks[key], headings[key] = section.ask, section.heading
        elif key in STANDARD:
            asks[key] = section
        else:
            asks[key], headings[key] = section, key.replace("_", " ").capitalize()
    return Template(name, front.prompt, asks, headings, match.group(2).strip())
