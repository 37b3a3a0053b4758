"""The `earmark` command: one verb per file, grouped so that the help fits a screen (index.py has them all)."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from earmark import __version__
from earmark.cli.index import Index, add_all, plain_app
from earmark.cli.standard_streams import open_standard_streams, spare_the_owner
from earmark.cli.voice import EXIT_CODES, plain_errors_of_typer, speak_for
from earmark.locality.confinement.process import harden_process

app = plain_app(
    name="earmark",
    cls=Index,
    no_args_is_help=True,
    help="Recordings in a folder become notes beside them, on this machine.",
    epilog=EXIT_CODES,
)
add_all(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"earmark {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    context: typer.Context,
    system: Annotated[
        bool,
        typer.Option(
            "--system", help="For the machine's service, not this user's own: sudo earmark --system status"
        ),
    ] = False,
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and exit."),
    ] = False,
) -> None:
    speak_for("")
    if system and "--help" not in sys.argv:
        from earmark.cli.console import (
            plain_errors,
        )  # loaded when it is needed: neither help nor version needs it
        from earmark.cli.scope import act_for_the_system

        context.obj = "system"
        prefix = f"{'sudo ' if os.geteuid() == 0 else ''}earmark --system "
        with plain_errors():
            # Whoever checks the running processes needs root's right to look into them; it steps down after that.
            looks_on = context.invoked_subcommand == "privacy" and "check" in sys.argv
            act_for_the_system(context.invoked_subcommand, looks_on=looks_on)
        speak_for(prefix)


def main() -> None:
    """Entry point of the console script."""
    open_standard_streams()
    spare_the_owner()
    harden_process()
    with plain_errors_of_typer():
        app()
