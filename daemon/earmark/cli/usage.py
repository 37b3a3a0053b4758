"""How the command line says what a verb takes and what was wrong with it: in words, not in those of the parser."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from earmark.cli.voice import answer_with_error, out
from earmark.errors import Declined

_BRACES = re.compile(r"\{([^{}]+)\}")
_FORMATS = re.compile(r"^'(?P<value>.*)' does not match the formats? (?P<formats>.*?)\.?$", re.DOTALL)
A_DAY = "2026-03-31"
A_MINUTE = "2026-03-31T14:30"


class Verb(TyperCommand):
    """One verb."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """`FILE...` where typer has `{FILE...}...`."""
        return [plain_usage(piece) for piece in super().collect_usage_pieces(ctx)]

    def make_context(self, info_name: Any, args: Any, *arguments: Any, **options: Any) -> Any:
        """Parse the words; what is wrong with them is said as a person would."""
        out.answers = wants_json(args)
        out.acts = ()
        with said_plainly():
            return super().make_context(info_name, args, *arguments, **options)

    def invoke(self, ctx: Any) -> Any:
        with said_plainly():
            return super().invoke(ctx)


class Verbs(TyperGroup):
    """A group of verbs."""

    def make_context(self, info_name: Any, args: Any, parent: Any = None, **extra: Any) -> Any:
        """Parse the words before its verb; of an option that is a verb's it says so."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except Exception as error:
            option, verbs = getattr(error, "option_name", ""), self.commands.items()
            having = [name for name, verb in verbs if any(option in param.opts for param in verb.params)]
            if having:
                vars(error)["message"] = too_early(option, f"earmark {info_name}", having)
            raise


def too_early(option: str, before: str, verbs: Sequence[str]) -> str:
    """What is wrong where an option of verbs stands without one."""
    others = f"; the same with {', '.join(verbs[1:])}" if len(verbs) > 1 else ""
    return f"{option} is for a verb, which is not said; say it as in: {before} {verbs[0]} {option}{others}"


def wants_json(args: Sequence[str]) -> bool:
    """Whether a program waits for JSON: it says so anywhere before the words that are none of the parser's, also where the
    option before it has taken that for its value, or it has a value itself.
    """
    words = args[: args.index("--")] if "--" in args else args
    return any(word == "--json" or word.startswith("--json=") for word in words)


CALLED_OFF = "It was called off."


@contextmanager
def said_plainly() -> Iterator[None]:
    """Wrong usage is said in plain words, and to a program that waits for JSON, too; so is that a person called it off."""
    try:
        yield
    except (typer.Abort, KeyboardInterrupt):
        answer_with_error(Declined.exit_code, CALLED_OFF)
        raise
    except Exception as error:
        message, code = getattr(error, "message", None), getattr(error, "exit_code", None)
        if isinstance(message, str) and isinstance(code, int):
            vars(error)["message"] = plain_complaint(message)
            in_full: Any = getattr(
                error, "format_message", lambda: message
            )  # where a word is missing it is all there is
            answer_with_error(code, plain_complaint(message) or in_full())
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
            group.typer_instance.info.cls = group.cls = Verbs
            in_plain_words(group.typer_instance)
