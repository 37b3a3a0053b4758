"""The `earmark` command: one verb per file, grouped so that the help fits a screen."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from earmark import __version__
from earmark.cli import (
    config,
    export,
    models,
    privacy,
    receipts,
    retention,
    service,
    speakers,
    summary,
    trash,
    vocabulary,
)
from earmark.cli.console import (
    EXIT_CODES,
    plain_errors,
    plain_errors_of_typer,
    speak_for,
)
from earmark.cli.doctor import doctor
from earmark.cli.forget import forget
from earmark.cli.hold import hold
from earmark.cli.listed import list_recordings
from earmark.cli.retry import retry
from earmark.cli.run import run
from earmark.cli.scope import act_for_the_system
from earmark.cli.standard_streams import open_standard_streams, spare_the_owner
from earmark.cli.status import status
from earmark.cli.transcribe import transcribe
from earmark.cli.usage import in_plain_words
from earmark.cli.why import why
from earmark.locality.confinement.process import harden_process

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
app.command(
    "retry", short_help="Try recordings again, after a failure or with another model.", rich_help_panel=DAILY
)(retry)
app.command("resummarize", short_help="Write summaries again, by another template.", rich_help_panel=DAILY)(
    summary.resummarize
)
app.add_typer(
    speakers.app, name="speakers", short_help="Name those who speak; forget voices.", rich_help_panel=DAILY
)
app.add_typer(
    vocabulary.app,
    name="vocabulary",
    short_help="Hear names rightly that you corrected.",
    rich_help_panel=DAILY,
)
app.command("status", rich_help_panel=LOOK)(status)
app.command("list", rich_help_panel=LOOK)(list_recordings)
app.command("why", short_help="Tell the story of one file.", rich_help_panel=LOOK)(why)
app.add_typer(privacy.app, name="privacy", rich_help_panel=LOOK)
app.add_typer(
    retention.app, name="retention", short_help="See what may go and why; let it go.", rich_help_panel=KEEP
)
app.command("hold", short_help="Hold recordings: no rule touches them.", rich_help_panel=KEEP)(hold)
app.add_typer(trash.app, name="trash", rich_help_panel=KEEP)
app.command("restore", short_help="Bring files back from the trash and hold them.", rich_help_panel=KEEP)(
    trash.restore_files
)
app.command(
    "forget", short_help="Erase recordings and every trace of them, with proof.", rich_help_panel=KEEP
)(forget)
app.add_typer(receipts.app, name="receipts", rich_help_panel=KEEP)
app.add_typer(
    export.app, name="export", short_help="Take everything out, in open formats.", rich_help_panel=KEEP
)
app.add_typer(config.app, name="config", rich_help_panel=SETUP)
app.add_typer(service.app, name="service", rich_help_panel=SETUP)
app.add_typer(summary.app, name="summary", rich_help_panel=SETUP)
app.add_typer(models.app, name="models", rich_help_panel=SETUP)
app.command("doctor", rich_help_panel=SETUP)(doctor)
in_plain_words(app)


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
