"""How the command line says what a verb takes and what was wrong with it: in words, not in those of the parser."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, get_type_hints

import typer
from typer.core import TyperCommand, TyperGroup

from earmark.cli.voice import answer_with_error, out
from earmark.errors import Declined
from earmark.unfit import in_our_words

_BRACES = re.compile(r"\{([^{}]+)\}")
_FORMATS = re.compile(r"^'(?P<value>.*)' does not match the formats? (?P<formats>.*?)\.?$", re.DOTALL)
A_DAY = "2026-03-31"
A_MINUTE = "2026-03-31T14:30"


NO_FILE = "it is empty, and names no file and no folder; say . for the folder that you are in"


NO_WORD = "it is empty; say a word, or leave it out"


TOO_MANY = re.compile(r"^Got unexpected extra argument(?:s|\(s\))? \((?P<words>.*)\)\.?$", re.DOTALL)


TWICE = "it is said more than once, and one of its values would not count; say it once"


class Verb(TyperCommand):
    """One verb."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        _refuse_empty_paths(self)
        _name_arguments(self)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """`FILE...` where typer has `{FILE...}...`."""
        return [plain_usage(piece) for piece in super().collect_usage_pieces(ctx)]

    def make_context(self, info_name: Any, args: Any, *arguments: Any, **options: Any) -> Any:
        """Parse the words; what is wrong with them is said as a person would."""
        out.answers = wants_json(args)
        out.acts = ()
        with said_plainly():
            return super().make_context(info_name, args, *arguments, **options)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        _refuse_twice_and_empty(self, ctx, args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        with said_plainly():
            return super().invoke(ctx)


class Group(TyperGroup):
    """Verbs below a word."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        _refuse_empty_paths(self)
        _name_arguments(self)

    def make_context(self, info_name: Any, args: Any, *arguments: Any, **options: Any) -> Any:
        out.answers = wants_json(args)
        out.acts = ()
        with said_plainly(), naming_verbs(self):
            return super().make_context(info_name, args, *arguments, **options)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        _refuse_twice_and_empty(self, ctx, args)
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:
        with naming_verbs(self):
            return super().resolve_command(ctx, args)


def _refuse_twice_and_empty(command: Any, ctx: Any, args: Sequence[str]) -> None:
    """An option of which one value counts is not said twice, as nobody could tell which is meant; one that is empty, as of a
    script whose variable is, would be no wish at all, and what it was to keep away would come.
    """
    values, _, said = command.make_parser(ctx).parse_args(args=list(args))
    for parameter in said:
        if _takes_one(parameter) and sum(each is parameter for each in said) > 1:
            raise typer.BadParameter(TWICE, ctx=ctx, param=parameter)
        value = values.get(parameter.name)
        several = value if isinstance(value, list | tuple) else [value]
        if parameter.param_type_name == "option" and any(
            isinstance(each, str) and not each.strip() for each in several
        ):
            empty = NO_FILE if parameter in _paths_of(command) else NO_WORD
            raise typer.BadParameter(empty, ctx=ctx, param=parameter)


def _name_arguments(command: Any) -> None:
    """Have each argument called as people see it, FILE, where it is missing or wrong, too."""
    for parameter in command.params:
        if parameter.param_type_name == "argument" and parameter.metavar is None:
            parameter.metavar = parameter.name.upper()


def _takes_one(parameter: Any) -> bool:
    """Whether it is an option that takes one value."""
    several = parameter.multiple or getattr(parameter, "count", False) or getattr(parameter, "is_flag", False)
    return parameter.param_type_name == "option" and not several


def _refuse_empty_paths(command: Any) -> None:
    """Have a command refuse "" where it takes a file or folder: as a path that is the folder that somebody is in, which a
    script does not mean whose variable is empty.
    """
    for parameter in _paths_of(command):
        parameter.process_value = partial(_not_empty, parameter, parameter.process_value)


def _paths_of(command: Any) -> list[Any]:
    """The parameters that take a file or folder."""
    hints = get_type_hints(command.callback) if command.callback is not None else {}
    return [p for p in command.params if "Path" in str(hints.get(p.name)) or "FILE" in str(p.metavar)]


def _not_empty(parameter: Any, process: Any, ctx: Any, value: Any) -> Any:
    if value == "" or (isinstance(value, list | tuple) and "" in value):
        raise typer.BadParameter(NO_FILE, ctx=ctx, param=parameter)
    return process(ctx, value)


@contextmanager
def naming_verbs(group: Any) -> Iterator[None]:
    """Whoever says no verb of a group, be it that an option stands in its place, is told which there are."""
    try:
        yield
    except Exception as error:
        message = getattr(error, "message", None)
        if isinstance(message, str) and message.startswith(("No such option", "No such command")):
            verbs = ", ".join(name for name, command in group.commands.items() if not command.hidden)
            wanted = message.startswith("No such command")
            if wanted or not group.invoke_without_command:
                what = "the verbs are" if wanted else "say a verb first"
                vars(error)["message"] = f"{message.rstrip('.')}; {what}: {verbs}"
        raise


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
    if (extra := TOO_MANY.match(message)) is not None:
        return (
            f"There are words too many: {extra['words']}"
            if extra["words"].strip()
            else "There is an empty word too many"
        )
    found = _FORMATS.match(message)
    if found is None:
        return in_our_words(message)
    how = f"{A_DAY} or {A_MINUTE}" if "%H" in found["formats"] else A_DAY
    return f"{found['value']!r} is no date; write it like {how}"


def in_plain_words(app: typer.Typer) -> None:
    """Have all verbs of an app, and of those below it, speak so."""
    for command in app.registered_commands:
        command.cls = Verb
    for group in app.registered_groups:
        group.cls = Group
        if group.typer_instance is not None:
            in_plain_words(group.typer_instance)
