"""The `earmark` command: one verb per file, grouped so that the help fits a screen."""

from __future__ import annotations

from typing import Annotated

import typer

from earmark import __version__
from earmark.cli import config, recordings, retention, service, trash
from earmark.cli.console import EXIT_CODES
from earmark.cli.run import run
from earmark.cli.status import status
from earmark.cli.transcribe import transcribe

app = typer.Typer(
    name="earmark",
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="Recordings in a folder become notes beside them, on this machine.",
    epilog=EXIT_CODES,
)

DAILY, LOOK, KEEP, SETUP = "Every day", "Look", "Keep and delete", "Set up"

app.command("run", rich_help_panel=DAILY)(run)
app.command("transcribe", rich_help_panel=DAILY)(transcribe)
app.command("retry", rich_help_panel=DAILY)(recordings.retry)
app.command("status", rich_help_panel=LOOK)(status)
app.command("list", rich_help_panel=LOOK)(recordings.list_recordings)
app.command("why", rich_help_panel=LOOK)(recordings.why)
app.add_typer(retention.app, name="retention", rich_help_panel=KEEP)
app.add_typer(trash.app, name="trash", rich_help_panel=KEEP)
app.add_typer(config.app, name="config", rich_help_panel=SETUP)
app.add_typer(service.app, name="service", rich_help_panel=SETUP)
app.command("doctor", rich_help_panel=SETUP)(service.doctor)


@app.callback()
def _main(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        typer.echo(f"earmark {__version__}")
        raise typer.Exit


def main() -> None:
    """Entry point of the console script."""
    app()
