"""Where what a verb makes goes: into a new file, or to whoever reads its output."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from earmark.errors import as_said
from earmark.files import write_new
from earmark.paths import whole


def fit_for_output(format: str, output: Path | None) -> None:
    """Raises BadParameter if what is made cannot be shown on a terminal, or its file exists."""
    if format == "docx" and output is None and sys.stdout.isatty():
        raise typer.BadParameter("docx is no text to be shown; name a file for it: --output FILE.docx")
    if output is not None and whole(output).exists():
        raise typer.BadParameter(f"{output} exists already; name another file")


def write_out(file: Path, data: bytes) -> None:
    """Write a new file. Raises UsageError if there is one of this name, EnvironmentFault if it cannot be written."""
    with as_said(file):
        write_new(whole(file), data)


def put_out(data: bytes, output: Path | None) -> None:
    """Write it. Raises UsageError if the file exists, EnvironmentFault."""
    if output is None:
        typer.echo(data, nl=False)
        return
    write_out(output, data)
