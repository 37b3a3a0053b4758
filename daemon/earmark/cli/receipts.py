"""`earmark receipts`: the proof of what was deleted, and that nobody changed the proof."""

from __future__ import annotations

import json as json_text
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from earmark.cli.console import here_to_look, moment, out, plain_errors, print_json, readable
from earmark.context import Context
from earmark.errors import RetentionError
from earmark.files import read_bytes, sha256_of, write_new
from earmark.ledger import Receipt
from earmark.paths import whole
from earmark.retention import receipts
from earmark.verbs.opening import opened_context

app = typer.Typer(no_args_is_help=True, help="List, verify and export the receipts of deletions.")


@app.command("list")
def list_receipts(
    file: Annotated[
        Path | None, typer.Argument(help="Only receipts of this path, or of a file with this content.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List receipts. They hold no names; to ask about a file, name it.

    Examples: [bold]earmark receipts list[/] · [bold]earmark receipts list ~/Recordings/old.m4a --json[/]
    """
    with plain_errors():
        home, config = here_to_look()
        with opened_context(home, config, read_only=True) as context:
            rows = context.ledger.receipts.all() if file is None else _about(context, file)
    if json:
        print_json([receipts.exported(r) | {"body": json_text.loads(r.body)} for r in rows])
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("no.", "when", "act", "class", "bytes", "by", "hash"):
        table.add_column(heading, overflow="fold")
    for r in rows:
        body = json_text.loads(r.body)
        table.add_row(
            str(r.seq), moment(r.at), r.act, str(body.get("kind", "")), str(body.get("bytes", "")),
            escape(readable(body.get("rule", ""))), r.hash[:12],
        )  # fmt: skip
    out.print(table if rows else "No receipts.")


def _about(context: Context, file: Path) -> list[Receipt]:
    """Receipts of a path, of the recording that is or was there, and of the content that is there now."""
    ledger, path = context.ledger, whole(file)
    place, content = ledger.places.at(path), sha256_of(path)
    about = {path, *((place.recording_id,) if place else ()), *((content,) if content else ())}
    keyed_ids = {receipts.keyed(ledger, what) for what in about}
    return [r for r in ledger.receipts.all() if any(keyed_id in r.body for keyed_id in keyed_ids)]


@app.command()
def verify(
    file: Annotated[Path | None, typer.Argument(help="An export to verify instead of the ledger.")] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Check that no receipt was changed, removed or moved. Exit code 1 and what is wrong if one was.

    Examples: [bold]earmark receipts verify[/] · [bold]earmark receipts verify receipts.jsonl[/]
    """
    with plain_errors():
        if file is not None:
            try:
                found = receipts.imported(read_bytes(file).decode().splitlines())
            except (OSError, ValueError) as error:
                raise RetentionError(f"{file}: cannot be read as receipts: {error}") from error
            count, problems = len(found), receipts.problems(found)
        else:
            home, config = here_to_look()
            with opened_context(home, config, read_only=True) as context:
                count, problems = len(context.ledger.receipts.all()), receipts.verify(context.ledger)
    if json:
        print_json({"receipts": count, "problems": problems})
    elif problems:
        for problem in problems:
            out.print(f"[red]✗[/] {problem}")
    else:
        out.print(f"[green]✓[/] {count} receipts, none changed, none missing.")
    if problems:
        raise typer.Exit(1)


@app.command()
def export(
    out_file: Annotated[
        Path | None, typer.Option("--out", help="A new file; without it, standard output.")
    ] = None,
) -> None:
    """Write all receipts as JSON lines; `earmark receipts verify FILE` checks them anywhere.

    Example: [bold]earmark receipts export --out receipts.jsonl[/]
    """
    with plain_errors():
        home, config = here_to_look()
        with opened_context(home, config, read_only=True) as context:
            lines = [
                json_text.dumps(receipts.exported(r), sort_keys=True) + "\n"
                for r in context.ledger.receipts.all()
            ]
            now = context.now()
        if out_file is None:
            sys.stdout.writelines(lines)
            return
        try:
            write_new(whole(out_file), "".join(lines).encode())
        except OSError as error:
            raise RetentionError(f"{out_file}: cannot be written: {error.strerror}") from error
        out.print(f"{len(lines)} receipts written at {moment(now)}.")
