"""How the command line says what a verb takes and what was wrong with it: in words, not in those of the parser."""

from __future__ import annotations

import re
from typing import Any

import typer
from typer.core import TyperCommand

_BRACES = re.compile(r"\{([^{}]+)\}")
_FORMATS = re.compile(r"^'(?P<value>.*)' does not match the formats? (?P<formats>.*?)\.?$", re.DOTALL)
A_DAY = "2026-03-31"
A_MINUTE = "2026-03-31T14:30"


class Verb(TyperCommand):
    """One verb."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """`FILE...` where typer has `{FILE...}...`."""
        return [plain_usage(piece) for piece in super().collect_usage_pieces(ctx)]

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """Parse the words; what is wrong with them is said as a person would."""
        try:
            return super().make_context(*arguments, **options)
        except Exception as error:
            message = getattr(error, "message", None)
            if isinstance(message, str):
                vars(error)["message"] = plain_complaint(message)
            raise


def plain_usage(piece: str) -> str:
    """A piece of a usage line without the braces and the doubled dots of typer."""
    return re.sub(r"(\.{3}\]?)\.{3}$", r"\1", _BRACES.sub(r"\1", piece))


def plain_complaint(message: str) -> str:
    """What was wrong with a word, as a sentence."""
    message = message.removeprefix("Value error, ")
    found = _FORMATS.match(message)
    if found is None:
        return message
    how = f"{A_DAY} or {A_MINUTE}" if "%H" in found["formats"] else A_DAY
    return f"{found['value']!r} is no date; write it like {how}"


def in_plain_words(app: typer.Typer) -> None:
    """Have all verbs of an app, and of those below it, speak so."""
    for command in app.registered_commands:
        command.cls = Verb
    for group in app.registered_groups:
        if group.typer_instance is not None:
            in_plain_words(group.typer_instance)
