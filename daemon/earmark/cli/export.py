"""`earmark export`: everything as a folder or zip of open formats; `earmark export verify` checks one."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.filesize import decimal
from rich.markup import escape

from earmark.cli.console import (
    err,
    here_to_look,
    instant_of,
    nothing_since,
    out,
    plain_errors,
    print_answer,
    readable,
    say_unread,
    short,
    to_come,
)
from earmark.cli.lines import print_sentence
from earmark.cli.put_out import fit_for_output, put_out
from earmark.config.section import OutputFormat
from earmark.context import Context
from earmark.errors import NotFound, UsageError
from earmark.export import chosen
from earmark.export import export as write_export
from earmark.export import verify as verify_export
from earmark.files import counted
from earmark.notes.forms import in_one_language, written
from earmark.notes.style import NoteContext
from earmark.paths import whole
from earmark.verbs.known import folder_meant
from earmark.verbs.opening import opened_context
from earmark.verbs.reading_notes import lines_besides, read_notes_first
from earmark.verbs.resolve import resolve

app = typer.Typer(help="Take everything out in open formats, or verify what was taken out.")


@app.callback(invoke_without_command=True)
def export(
    context: typer.Context,
    target: Annotated[
        Path | None, typer.Option("--out", help="A new folder, or a new file ending in .zip.")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Only recordings of this day or later."),
    ] = None,
    folder: Annotated[Path | None, typer.Option(help="Only recordings at or below this folder.")] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Export notes, transcripts as JSON, audio that is still there, and receipts, with a manifest of hashes.

    Examples: [bold]earmark export --out backup.zip[/] · [bold]earmark export --out backup/ --since 2026-01-01[/]
    """
    if context.invoked_subcommand is not None:
        return
    out.answers = json
    with plain_errors():
        if target is None:
            raise UsageError("say where to: --out FOLDER or --out FILE.zip")
        path = whole(target)
        home, config = here_to_look()
        first = instant_of(since) if since else None

        def meant(inside: Context) -> list[str]:
            at = folder_meant(inside, folder) if folder else None
            return [recording.id for recording in chosen(inside, first, at)]

        say_unread(read_notes_first(home, meant))
        with opened_context(home, config, read_only=True) as inside:
            below = folder_meant(inside, folder) if folder else None
            if below and not any(p.path.is_relative_to(below) for p in inside.ledger.places.all()):
                raise NotFound(f"{below}: no recording is or was at or below it")
            if since is not None and to_come(since) and not meant(inside):
                raise nothing_since(since)
            result = write_export(
                inside,
                path,
                since=first,
                folder=below,
            )
    size = sum(entry.size for entry in result.entries)
    if json:
        print_answer(
            "export",
            {
                "out": readable(path), "recordings": result.recordings, "files": len(result.entries), "bytes": size,
                "missing": [readable(m) for m in result.missing],
            }
        )  # fmt: skip
        return
    what = f"{counted(result.recordings, 'recording')}, {counted(len(result.entries), 'file')}"
    print_sentence(f"{what} ({decimal(size)}) in {escape(short(path))}")
    for line in result.missing:
        err.print(f"[yellow]not there:[/] {escape(readable(line))}")


@app.command()
def recording(
    file: Annotated[
        Path, typer.Argument(readable=False, metavar="FILE", help="A recording, or a note of it.")
    ],
    format: Annotated[OutputFormat, typer.Option("--format", "-f", help="In which format.")] = "html",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this new file instead of printing.")
    ] = None,
) -> None:
    """The transcript of one recording, with the words that you corrected and the names that you gave.

    Examples: [bold]earmark export recording memo.m4a -f docx -o memo.docx[/]
    """
    with plain_errors():
        fit_for_output(format, output)
        home, config = here_to_look()
        say_unread(read_notes_first(home, lambda inside: [resolve(inside, file).recording_id]))
        with opened_context(home, config, read_only=True) as inside:
            meant = resolve(inside, file)
            transcript = inside.ledger.words.transcript(meant.recording_id)
            known = inside.ledger.recordings.get(meant.recording_id)
            besides = lines_besides(inside, meant.recording_id)
        if transcript is None:
            raise NotFound(f"{short(meant.shown)}: there is no transcript of it; earmark why says why")
        for line in besides:
            err.print(f"[dim]{escape(readable(line))}[/]")
        about = NoteContext(
            meant.recording_id,
            meant.shown.name,
            known.recorded_text if known is not None else "",
            duration=transcript.duration,
        )
        put_out(written(in_one_language(transcript, format), about, format), output)


@app.command()
def verify(
    path: Annotated[Path, typer.Argument(readable=False, help="The folder or zip of an export.")],
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Check every file of an export against its manifest. Exit code 1 if one was changed, is missing or was added.

    Example: [bold]earmark export verify backup.zip[/]
    """
    with plain_errors():
        if not os.path.lexists(path):
            raise NotFound(f"{path}: there is no such export")
        count, problems = verify_export(path)
    if json:
        print_answer("export verify PATH", {"files": count, "problems": [readable(p) for p in problems]})
    else:
        for problem in problems:
            print_sentence(f"[red]✗[/] {escape(readable(problem))}")
        if not problems:
            print_sentence(f"[green]✓[/] {counted(count, 'file')}, as exported.")
    if problems:
        raise typer.Exit(1)
