"""`earmark service` and `earmark doctor`: running under systemd or launchd, and what could stop it."""

from __future__ import annotations

import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from earmark.cli.console import here, out, plain_errors, print_json, readable
from earmark.config import Config, require_sound
from earmark.errors import EarmarkError, NotFound
from earmark.paths import Home, whole
from earmark.report import read_report
from earmark.retention.holds import DOUBT
from earmark.service.doctor import diagnose
from earmark.service.install import install as install_unit
from earmark.service.install import kind_for, render
from earmark.service.install import uninstall as uninstall_unit
from earmark.transcription.models import find_model
from earmark.verbs.opening import opened_context

app = typer.Typer(no_args_is_help=True, help="Install, remove or show the background service.")


@app.command()
def install(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders to watch; none: those of config.toml.", metavar="FOLDER..."),
    ] = None,
) -> None:
    """Start earmark now and at every login, as a service of this user (systemd or launchd).

    Example: [bold]earmark service install ~/Recordings[/]
    """
    with plain_errors():
        home, config = here()
        named = [whole(f) for f in folders or []]
        require_sound(named or [f.path for f in config.folder], home)
        for sentence in install_unit(kind_for(), _executable(), named):
            out.print(escape(readable(sentence)))


@app.command()
def uninstall() -> None:
    """Stop the service and remove its unit; recordings, notes and settings stay.

    Example: [bold]earmark service uninstall[/]
    """
    with plain_errors():
        for sentence in uninstall_unit(kind_for()):
            out.print(escape(readable(sentence)))


@app.command()
def show() -> None:
    """Print the unit that `install` would write.

    Example: [bold]earmark service show[/]
    """
    with plain_errors():
        typer.echo(render(kind_for(), _executable()), nl=False)


def doctor(json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Check everything the daemon needs; exit code 1 if something is wrong.

    Example: [bold]earmark doctor[/]
    """
    with plain_errors():
        home, config = here()
        report = read_report(home.status_file)
        folders = [f.path for f in config.folder] or [Path(f) for f in (report.folders if report else ())]
        speech = config.transcription

        def model() -> Path:
            return find_model(speech.model, speech.model_dir, home.models).dir

        findings = diagnose(
            folders,
            home,
            find_model=model,
            sandbox=lambda: (report.sandbox or None) if report else None,
            troubles=_ledger_troubles(home, config),
        )
        if json:
            print_json([asdict(f) for f in findings])
        else:
            for finding in findings:
                mark = "[green]✓[/]" if finding.ok else "[red]✗[/]"
                out.print(f"{mark} {escape(finding.name)}: {escape(readable(finding.sentence))}")
        if not all(f.ok for f in findings):
            raise typer.Exit(1)


def _ledger_troubles(home: Home, config: Config) -> list[str]:
    """What is wrong with the ledger itself: it is damaged, or was, and nobody knows whether all holds are there."""
    if not home.ledger_file.exists():
        return []
    try:
        with opened_context(home, config, read_only=True) as context:
            context.ledger.db.check()
            return [t.sentence for t in context.ledger.journal.troubles() if t.subject == DOUBT]
    except EarmarkError as error:
        return [str(error)]


def _executable() -> Path:
    beside = Path(sys.executable).with_name("earmark")
    found = beside if beside.exists() else shutil.which("earmark")
    if not found:
        raise NotFound("The earmark command is not on the PATH; install it with: pipx install earmark")
    return Path(found)
