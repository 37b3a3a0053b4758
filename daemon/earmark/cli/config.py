"""`earmark config`: show, check, sample, reference."""

from __future__ import annotations

import typer

from earmark.cli.console import here, out, plain_errors, print_json
from earmark.config import document, load_config
from earmark.paths import platform_places

app = typer.Typer(no_args_is_help=True, help="Show, check and document the configuration.")


@app.command()
def show(json: bool = typer.Option(False, "--json", help="As JSON.")) -> None:
    """Show the configuration in force and where it comes from.

    Example: [bold]earmark config show --json[/]
    """
    with plain_errors():
        places, config = here()
        if json:
            print_json({"file": str(places.config_file), "config": config.model_dump(mode="json")})
            return
        exists = "" if places.config_file.exists() else " (not there: everything is at its default)"
        out.print(f"# configuration: {places.config_file}{exists}", markup=False)
        out.print(f"# state: {places.state}\n# models: {places.models}", markup=False)
        out.print_json(config.model_dump_json())


@app.command()
def check() -> None:
    """Check the configuration file; exit code 78 and every problem at once if it is wrong.

    Example: [bold]earmark config check && systemctl --user reload earmark[/]
    """
    with plain_errors():
        places = platform_places()
        load_config(places.config_file)
        found = "is right" if places.config_file.exists() else "is not there, which is fine: defaults hold"
        out.print(f"{places.config_file} {found}", markup=False)


@app.command()
def sample() -> None:
    """Print a config.toml with every setting, its meaning and its default.

    Example: [bold]mkdir -p ~/.config/earmark && earmark config sample > ~/.config/earmark/config.toml[/]
    """
    typer.echo(document.sample(), nl=False)


@app.command()
def reference() -> None:
    """Print docs/configuration.md, generated from the schema."""
    typer.echo(document.reference(), nl=False)
