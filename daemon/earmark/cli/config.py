"""`earmark config`: show, check, set, unset, edit, sample, reference."""

from __future__ import annotations

import json as jsonlib
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from earmark.cli.acts import acting
from earmark.cli.config_edit import edit
from earmark.cli.console import here, out, plain_errors, print_answer, readable
from earmark.config import document, load_config, require_sound
from earmark.errors import ConfigError, UsageError
from earmark.paths import Home, platform_home
from earmark.service.checks import Finding
from earmark.service.reach import Here
from earmark.supervisor.awake import does_nothing
from earmark.verbs import configuring
from earmark.verbs.opening import reload_daemon
from earmark.verbs.settings_named import absent

app = typer.Typer(no_args_is_help=True, help="Show, change, check and document the configuration.")


@app.command()
def show(json: bool = typer.Option(False, "--json", help="As JSON.")) -> None:
    """Show the configuration in force and where it comes from, as TOML that could be saved as config.toml.

    Example: [bold]earmark config show --json[/]
    """
    with plain_errors():
        home, config = here()
        if json:
            print_answer(
                "config show", {"file": str(home.config_file), "config": config.model_dump(mode="json")}
            )
            return
        exists = "" if home.config_file.exists() else " (not there: everything is at its default)"
        out.print(f"# configuration: {home.config_file}{exists}", markup=False)
        out.print(f"# state: {home.state}\n# models: {home.models}", markup=False)
        typer.echo(document.in_force(config), nl=False)


@app.command()
def check(json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Check the configuration file; exit code 78 and every problem at once if it is wrong.

    Example: [bold]earmark config check && systemctl --user reload earmark[/]
    """
    with plain_errors():
        home = platform_home()
        config = load_config(home.config_file)
        require_sound([f.path for f in config.folder], home, str(home.config_file))
        missing = absent(config, home)
        if wrong := [one for one in missing if not one.comes]:
            raise ConfigError("\n".join(f"{home.config_file}: {one}" for one in wrong))
        found = "is right" if home.config_file.exists() else "is not there, which is fine: defaults hold"
        idle = does_nothing(config, Here().platform)
        if json:
            well = Finding(str(home.config_file), True, found)
            notes = [Finding(one.key, True, str(one), note=True) for one in missing]
            notes += [Finding("awake", True, idle, note=True)] if idle is not None else []
            print_answer("config check", {"findings": [asdict(finding) for finding in (well, *notes)]})
            return
        out.print(f"{home.config_file} {found}", markup=False)
        for said in (*map(str, missing), *([] if idle is None else [idle])):
            out.print(readable(said), markup=False)


AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
OfFolder = Annotated[
    Path | None,
    typer.Option("--folder", readable=False, help="The setting of this drop folder only."),
]


@app.command("set", context_settings={"ignore_unknown_options": True})
def set_(
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="As in summary.endpoint; earmark config sample has all.")
    ],
    value: Annotated[
        list[str] | None,
        typer.Argument(metavar="VALUE...", help="For a list several, or one with commas, or TOML."),
    ] = None,
    folder: OfFolder = None,
    json: AsJson = False,
) -> None:
    """Set one key in config.toml. All else in the file stays as it is, comments too; a value that is wrong changes nothing.

    Examples: [bold]earmark config set summary.endpoint auto[/] · [bold]earmark config set transcription.languages de en[/]
    """
    with plain_errors(), acting("config set", json) as acts:
        if not value:
            raise UsageError(f"say the value behind the key: {_as_it_is_said(key)}")
        home = platform_home()
        said, missing = configuring.set_key(home, key, value, folder)
        done = f"is set in {home.config_file}{_taken_up(home)}"
        acts.did(said, done, shown=escape(readable(f"{said} {done}")))
        for word in missing:
            acts.say(word)


def _as_it_is_said(typed: str) -> str:
    """What whoever typed KEY alone, or KEY=VALUE, is to type."""
    key, sign, value = (part.strip() for part in typed.partition("="))
    return f"earmark config set {key} {shlex.quote(value) if sign and value else 'VALUE'}"


@app.command()
def unset(
    key: Annotated[str, typer.Argument(metavar="KEY", help="As in summary.endpoint.")],
    folder: OfFolder = None,
    json: AsJson = False,
) -> None:
    """Take one key out of config.toml, so that its default holds.

    Example: [bold]earmark config unset summary.endpoint[/]
    """
    with plain_errors(), acting("config unset", json) as acts:
        home = platform_home()
        if configuring.unset_key(home, key, folder):
            done = f"is at its default again{_taken_up(home)}"
            acts.did(key, done, shown=escape(readable(f"{key} {done}")))
        else:
            done = "is not set; nothing was changed"
            acts.was(key, done, shown=escape(readable(f"{key} {done}")))


@app.command("edit")
def edit_in_an_editor() -> None:
    """Open config.toml in your editor ($VISUAL, $EDITOR), check what comes out, and put it in force only if it is right.

    Example: [bold]earmark config edit[/]
    """
    with plain_errors():
        home = platform_home()
        if edit(home) and (said := _taken_up(home)):
            out.print(said.removeprefix("; "))


def _taken_up(home: Home) -> str:
    return "; the running daemon reads it now" if reload_daemon(home) else ""


@app.command()
def sample() -> None:
    """Print a config.toml with every setting, its meaning and its default.

    Example: [bold]mkdir -p ~/.config/earmark && earmark config sample > ~/.config/earmark/config.toml[/]
    """
    with plain_errors():
        typer.echo(document.sample(), nl=False)


@app.command("json-reference")
def json_reference(
    schema: Annotated[bool, typer.Option("--schema", help="As JSON Schema, for programs.")] = False,
) -> None:
    """Print docs/json.md: what each verb prints with --json, generated from the schemas."""
    with plain_errors():
        from earmark.cli.answers.page import reference as page
        from earmark.cli.answers.page import schemas

        typer.echo(jsonlib.dumps(schemas(), indent=1) if schema else page(), nl=schema)


@app.command()
def reference() -> None:
    """Print docs/configuration.md, generated from the schema."""
    with plain_errors():
        typer.echo(document.reference(), nl=False)
