"""`earmark config`: show, check, sample, reference."""

from __future__ import annotations

import json as jsonlib
from typing import Annotated

import typer

from earmark.cli.console import here, out, plain_errors, print_answer
from earmark.config import document, load_config, require_sound
from earmark.paths import platform_home
from earmark.service.reach import Here
from earmark.supervisor.awake import does_nothing

app = typer.Typer(no_args_is_help=True, help="Show, check and document the configuration.")


@app.command()
def show(json: bool = typer.Option(False, "--json", help="As JSON.")) -> None:
    """Show the configuration in force and where it comes from.

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
        out.print_json(config.model_dump_json())


@app.command()
def check() -> None:
    """Check the configuration file; exit code 78 and every problem at once if it is wrong.

    Example: [bold]earmark config check && systemctl --user reload earmark[/]
    """
    with plain_errors():
        home = platform_home()
        config = load_config(home.config_file)
        require_sound([f.path for f in config.folder], home, str(home.config_file))
        found = "is right" if home.config_file.exists() else "is not there, which is fine: defaults hold"
        out.print(f"{home.config_file} {found}", markup=False)
        if (idle := does_nothing(config, Here().platform)) is not None:
            out.print(idle, markup=False)


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
