"""The page earmark(1), in the man macros that man-db, groff and mandoc read."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from earmark.cli.manual.outline import Argument, Command, Option

FILES = (
    ("~/.config/earmark/config.toml", "The configuration; every key is optional. earmark config sample prints them all."),
    ("~/.local/state/earmark/", "The ledger, the trash and the receipts."),
    ("~/.local/share/earmark/models/", "Speech models."),
)  # fmt: skip
"""Where things are on Linux; `earmark config show` says it for this machine."""


def page(root: Command, version: str) -> str:
    """The page."""
    lines = [
        f'.TH EARMARK 1 "" "earmark {version}" "User Commands"',
        ".SH NAME",
        f"earmark \\- {as_text(root.short.rstrip('.'))}",
        ".SH SYNOPSIS",
        ".B earmark",
        "[\\fIOPTIONS\\fR] \\fIVERB\\fR [\\fIARGUMENTS\\fR]",
        ".SH DESCRIPTION",
        *_paragraphs(root.text),
        ".SH OPTIONS",
        *_options(root.options),
        ".SH VERBS",
    ]
    for panel, verbs in groupby(root.commands, key=lambda verb: verb.panel):
        lines.append(f".SS {as_text(panel)}")
        for verb in verbs:
            for path, command in verb.walk("earmark"):
                lines += _verb(path, command)
    lines += [".SH EXIT STATUS", *_exit_codes(root.ending), ".SH FILES"]
    for file, said in FILES:
        lines += [".TP", f".I {as_text(file)}", as_text(said)]
    return "\n".join([*lines, ".SH SEE ALSO", ".BR earmark.toml (5)"]) + "\n"


def _verb(path: str, command: Command) -> Iterable[str]:
    needs = " ".join(_usage(argument) for argument in command.arguments)
    options = " [\\fIOPTIONS\\fR]" if len(command.options) > 1 else ""
    yield from (".TP", f"\\fB{as_text(path)}\\fR{options}{f' {needs}' if needs else ''}")
    yield as_text(command.text[0] if command.text else command.short)
    for paragraph in command.text[1:]:
        yield from (".IP", as_text(paragraph))
    told = [argument for argument in command.arguments if argument.help]
    if told or len(command.options) > 1:
        yield ".RS"
        for argument in told:
            yield from (".TP", f"\\fI{as_text(argument.name)}\\fR", as_text(argument.help))
        yield from _options(option for option in command.options if option.names != ("--help",))
        yield ".RE"


def _usage(argument: Argument) -> str:
    name = f"\\fI{as_text(argument.name)}\\fR{' ...' if argument.many else ''}"
    return name if argument.required else f"[{name}]"


def _options(options: Iterable[Option]) -> Iterable[str]:
    for option in options:
        names = ", ".join(f"\\fB{as_text(name)}\\fR" for name in option.names)
        value = "|".join(option.choices) or option.value
        yield from (
            ".TP",
            names + (f" \\fI{as_text(value)}\\fR" if option.takes else ""),
            as_text(option.help),
        )


def _paragraphs(paragraphs: Iterable[str]) -> Iterable[str]:
    for paragraph in paragraphs:
        yield from (".PP", as_text(paragraph))


def _exit_codes(said: str) -> Iterable[str]:
    for one in said.removeprefix("Exit codes: ").split(" · "):
        code, _, meaning = one.partition(" ")
        yield from (".TP", f".B {code}", as_text(meaning))


def as_text(text: str) -> str:
    """Text that no macro and no escape is read from."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("·", "\\(bu")
    return f"\\&{text}" if text[:1] in (".", "'") else text
