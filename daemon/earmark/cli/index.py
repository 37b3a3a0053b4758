"""Every verb: which module has it, and what the first help says of it. A module is loaded when its verb is said.

All of them together take a second of processor time, which neither `earmark --help` nor another verb is to wait for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from earmark.cli.usage import in_plain_words, naming_verbs, said_plainly, wants_json
from earmark.cli.voice import out

DAILY, LOOK, KEEP, SETUP = "Every day", "Look", "Keep and delete", "Set up"


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb, or a group of them: `module` of this package has it under the name `attribute`. `panel`: where the help has
    it. `hidden`: another name for something, which works and is not shown. `dashes`: words may begin with a dash.
    """

    name: str
    panel: str
    help: str
    module: str
    attribute: str = "app"
    hidden: bool = False
    dashes: bool = False


VERBS = (
    Verb("run", DAILY, "Watch folders and write notes beside the recordings in them.", "run", "run"),
    Verb("transcribe", DAILY, "Transcribe one file and print the result; nothing is kept.", "transcribe", "transcribe"),
    Verb("retry", DAILY, "Try recordings again, after a failure or with another model.", "retry", "retry"),
    Verb("resummarize", DAILY, "Write summaries again, by another template.", "summary", "resummarize"),
    Verb("speakers", DAILY, "Name those who speak; forget voices.", "speakers"),
    Verb("vocabulary", DAILY, "Hear names rightly that you corrected.", "vocabulary"),
    Verb("status", LOOK, "Show what is being done, what waits and why, and what is wrong.", "status", "status"),
    Verb("list", LOOK, "List recordings and their notes.", "listed", "list_recordings"),
    Verb("search", LOOK, "Find what was said, in all recordings.", "search", "search_words", dashes=True),
    Verb("ask", LOOK, "Answer a question from the recordings, with times.", "ask", "ask", dashes=True),
    Verb("why", LOOK, "Tell the story of one file.", "why", "why"),
    Verb("privacy", LOOK, "Show what leaves this device and what is kept, and prove it.", "privacy"),
    Verb("retention", KEEP, "See what may go and why; let it go.", "retention"),
    Verb("hold", KEEP, "Hold recordings: no rule touches them.", "hold", "hold"),
    Verb("unhold", KEEP, "Let the rules decide again about what was held.", "hold", "unhold"),
    Verb("trash", KEEP, "List what rules took, bring it back, or empty the trash.", "trash"),
    Verb("restore", KEEP, "Bring files back from the trash and hold them.", "trash", "restore_files", hidden=True),
    Verb("forget", KEEP, "Erase recordings and every trace of them, with proof.", "forget", "forget"),
    Verb("receipts", KEEP, "List, verify, export and report the receipts of deletions.", "receipts"),
    Verb("export", KEEP, "Take everything out, in open formats.", "export"),
    Verb("config", SETUP, "Show, change, check and document the configuration.", "config"),
    Verb("service", SETUP, "Install, remove, restart or show the background service.", "service"),
    Verb("mcp", SETUP, "Let an assistant on this device read the recordings.", "mcp", "mcp"),
    Verb("serve", SETUP, "Show pages for your browser, on this device only.", "serve", "serve"),
    Verb("open", SETUP, "Print a link to the pages of `earmark serve`.", "serve", "open_pages"),
    Verb("summary", SETUP, "See which server would write summaries.", "summary"),
    Verb("models", SETUP, "List, add, download, verify or remove models.", "models"),
    Verb(
        "doctor", SETUP, "Check everything the daemon needs, and the service; exit code 1 if something is wrong.",
        "doctor", "doctor",
    ),
)  # fmt: skip
"""In the order of the help."""

_BY_NAME = {verb.name: verb for verb in VERBS}


def _unloaded() -> None:
    """Stands for a verb while the help only names it."""


def plain_app(**wishes: Any) -> typer.Typer:
    """A parser that speaks like all of earmark's."""
    return typer.Typer(
        rich_markup_mode="rich", add_completion=False, pretty_exceptions_show_locals=False, **wishes
    )


def add_all(app: typer.Typer) -> None:
    """Name every verb in `app`, whose group is an `Index`, without loading one."""
    for verb in VERBS:
        _add(app, verb, _unloaded)


def _add(app: typer.Typer, verb: Verb, definition: Any) -> None:
    shown: dict[str, Any] = {
        "short_help": verb.help, "rich_help_panel": verb.panel, "hidden": verb.hidden,
    }  # fmt: skip
    if verb.dashes:
        shown["context_settings"] = {"ignore_unknown_options": True}
    if isinstance(definition, typer.Typer):
        app.add_typer(definition, name=verb.name, **shown)
    else:
        app.command(verb.name, **shown)(definition)


@cache
def loaded(verb: Verb) -> Any:
    """The parser of one verb, as its module defines it."""
    definition = getattr(import_module(f"earmark.cli.{verb.module}"), verb.attribute)
    app = plain_app()
    app.callback()(_unloaded)  # so that one verb does not take the place of the whole
    _add(app, verb, definition)
    in_plain_words(app)
    return vars(typer.main.get_command(app))["commands"][verb.name]


class Index(TyperGroup):
    """A group that knows the names of its verbs, and loads the one that is said."""

    def make_context(self, info_name: Any, args: Any, *arguments: Any, **options: Any) -> Any:
        out.answers = wants_json(args)  # what is wrong before a verb is found is said to a program, too
        with said_plainly(), naming_verbs(self):
            return super().make_context(info_name, args, *arguments, **options)

    def invoke(self, ctx: Any) -> Any:
        with said_plainly():
            return super().invoke(ctx)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:
        with naming_verbs(self):
            name, command, rest = super().resolve_command(ctx, args)
        return name, command if command is None else loaded(_BY_NAME[str(command.name)]), rest
