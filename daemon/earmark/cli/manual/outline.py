"""The outline of the command line, as plain data: verbs, options, arguments, and what each takes.

It is written from the parser itself (`python -m earmark.cli.manual`) into packaging/commands.json, so that a wheel is built
without any of the packages that the parser needs.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

Takes = Literal["", "file", "folder", "text"]
"""What stands for an option's value or an argument; "" for a flag."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option: its names, what it takes, and which values there are, if they are few."""

    names: tuple[str, ...]
    help: str
    takes: Takes = ""
    value: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument, or as many as there are (`many`); `name` for people."""

    name: str
    help: str
    takes: Takes
    required: bool
    many: bool
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """One verb, or a group of them. `short` for a list, `text` in full, a paragraph each; `panel`: where the help has it,
    `ending`: what that ends with.
    """

    name: str
    short: str
    text: tuple[str, ...]
    options: tuple[Option, ...] = ()
    arguments: tuple[Argument, ...] = ()
    commands: tuple[Command, ...] = ()
    panel: str = ""
    ending: str = ""

    def walk(self, path: str = "") -> list[tuple[str, Command]]:
        """Itself and what is below, each with its words: `earmark retention plan`."""
        own = f"{path} {self.name}".strip()
        return [(own, self), *(found for command in self.commands for found in command.walk(own))]


def as_text(command: Command) -> str:
    """The outline as it is stored: JSON that shows in a diff which option changed."""
    return json.dumps(asdict(command), indent=1, ensure_ascii=False) + "\n"


def from_text(text: str) -> Command:
    """The outline that was stored."""
    return _command(json.loads(text))


def _command(raw: dict[str, Any]) -> Command:
    return Command(
        **raw
        | {
            "text": tuple(raw["text"]),
            "options": tuple(map(_option, raw["options"])),
            "arguments": tuple(map(_argument, raw["arguments"])),
            "commands": tuple(map(_command, raw["commands"])),
        }
    )


def _option(raw: dict[str, Any]) -> Option:
    return Option(**raw | {"names": tuple(raw["names"]), "choices": tuple(raw["choices"])})


def _argument(raw: dict[str, Any]) -> Argument:
    return Argument(**raw | {"choices": tuple(raw["choices"])})
