"""Reads the outline from the parser that runs: every verb is loaded for it."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path
from typing import Any

import typer

from earmark.cli.index import VERBS, loaded
from earmark.cli.main import app
from earmark.cli.manual.outline import Argument, Command, Option, Takes
from earmark.config.editing import all_keys
from earmark.ledger.candidates import CLASSES
from earmark.models.catalog import ALIASES, CATALOG
from earmark.summarization.templating import BUILT_IN
from earmark.verbs.listing import STATES
from earmark.weights.packaged import CAMPPLUS, PACKAGED

_MARKUP = re.compile(r"\[/?(?:bold|dim|red|green|yellow|cyan)?(?: [a-z]+)?\](?!\()")
"""Tags of rich in the texts of verbs; a bracket that is none is left."""

HELP = Option(("--help",), "Show this message and exit.")


def outline() -> Command:
    """The whole command line. What is hidden is not in it."""
    root = typer.main.get_command(app)
    verbs = tuple(_command(loaded(verb), verb.panel) for verb in VERBS if not verb.hidden)
    return Command(
        "earmark",
        _plain(root.help or ""),
        _paragraphs(root),
        _options(root),
        commands=verbs,
        ending=_plain(root.epilog or ""),
    )


def _command(command: Any, panel: str = "") -> Command:
    below = getattr(command, "commands", {}).values()
    return Command(
        command.name,
        _short(command),
        _paragraphs(command),
        _options(command),
        tuple(_argument(p) for p in command.params if p.param_type_name == "argument"),
        tuple(_command(one) for one in below if not one.hidden),
        panel,
    )


def _short(command: Any) -> str:
    return _plain(command.short_help or (command.help or "").split("\n\n")[0])


def _paragraphs(command: Any) -> tuple[str, ...]:
    return tuple(_plain(part) for part in (command.help or "").split("\n\n") if part.strip())


def _plain(text: str) -> str:
    return " ".join(_MARKUP.sub("", text).replace("\\[", "[").split())


def _options(command: Any) -> tuple[Option, ...]:
    shown = [p for p in command.params if p.param_type_name == "option" and not getattr(p, "hidden", False)]
    return (*(_option(p) for p in shown if "--help" not in p.opts), HELP)


def _option(parameter: Any) -> Option:
    names = (*parameter.opts, *parameter.secondary_opts)
    if parameter.is_flag:
        return Option(names, _plain(parameter.help or ""))
    longest = max(parameter.opts, key=len).lstrip("-")
    value = parameter.metavar or ("" if _choices(parameter) else longest.upper())
    takes = "folder" if longest == "folder" else _takes(parameter, value)
    return Option(names, _plain(parameter.help or ""), takes, value, _choices(parameter))


def _argument(parameter: Any) -> Argument:
    name = (parameter.metavar or parameter.name.upper()).removesuffix("...")
    return Argument(
        name, _plain(parameter.help or ""), _takes(parameter, name), parameter.required, parameter.nargs == -1,
        _choices(parameter),
    )  # fmt: skip


def _takes(parameter: Any, name: str) -> Takes:
    """Paths are files, unless they are called folders; a text that may be a file's name is completed as one."""
    annotation = parameter.type_descriptor.annotation
    if "FOLDER" in name:
        return "folder"
    return "file" if annotation in (Path, list[Path]) or "FILE" in name else "text"


def _choices(parameter: Any) -> tuple[str, ...]:
    found = _offered(parameter) or parameter.type_descriptor.choices or ()
    return tuple(str(one.value if isinstance(one, Enum) else one) for one in found)


def _offered(parameter: Any) -> tuple[str, ...]:
    """What may stand for a text, where that is mostly one of some: a template or a model can have another name, too."""
    match parameter.metavar or max(parameter.opts, key=len).lstrip("-").upper():
        case "KEY":
            return tuple(all_keys())
        case "STATE":
            return tuple(state for state in STATES if " " not in state)
        case "TEMPLATE":
            return BUILT_IN
        case "MODEL":
            packaged = (model.name for model in (*PACKAGED, CAMPPLUS))
            return tuple(dict.fromkeys((*packaged, *(known.name for known in CATALOG), *ALIASES)))
        case "KIND":
            return (*CLASSES, "all")
        case _:
            return ()
