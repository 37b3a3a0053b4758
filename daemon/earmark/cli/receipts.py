"""`earmark receipts`: the proof of what was deleted, and that nobody changed the proof."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from earmark.cli.acts import acting
from earmark.cli.console import here_to_look, moment, plain_errors, print_answer
from earmark.cli.lines import Numbered, cell, print_columns, print_sentence
from earmark.cli.put_out import write_out
from earmark.cli.receipts_report import report
from earmark.config import Config
from earmark.context import Context
from earmark.errors import NotFound, RetentionError, UsageError
from earmark.files import counted, read_bytes, sha256_of
from earmark.ledger import Receipt
from earmark.paths import Home, whole
from earmark.retention import receipts, receipts_file
from earmark.retention.receipts_file import Examined
from earmark.verbs.file_or_folder import require_no_folder
from earmark.verbs.known import known_path
from earmark.verbs.opening import opened_context

app = typer.Typer(no_args_is_help=True, help="List, verify, export and report the receipts of deletions.")
app.command("report")(report)


@app.command("list")
def list_receipts(
    file: Annotated[
        Path | None,
        typer.Argument(readable=False, help="Only receipts of this path, or of a file with this content."),
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
        print_answer(
            "receipts list",
            {"receipts": [receipts.exported(r) | {"body": json_text.loads(r.body)} for r in rows]},
        )
        return
    if not rows:
        print_sentence("No receipts.")
        return
    marks, bodies = Numbered(), [json_text.loads(r.body) for r in rows]
    for rule in dict.fromkeys(str(body.get("rule") or "") for body in bodies):
        if rule:
            count = sum(body.get("rule") == rule for body in bodies)
            print_sentence(f" {marks.mark(rule)} {counted(count, 'receipt')} by {cell(rule)}", 6)
    lines = [
        (
            str(r.seq), moment(r.at), cell(r.act), cell(body.get("kind", "")), cell(body.get("bytes", "")),
            marks.mark(str(body.get("rule") or "")).strip(), r.hash[:12],
        )
        for r, body in zip(rows, bodies, strict=True)
    ]  # fmt: skip
    print_columns([("no.", "when", "act", "class", "bytes", "by", "hash"), *lines], right=(0, 4))


def _about(context: Context, file: Path) -> list[Receipt]:
    """Receipts of a path, of the recording that is or was there, and of the content that is there now."""
    ledger, path = context.ledger, known_path(context, file)
    place, content = ledger.places.at(path), sha256_of(path)
    about = {path, *((place.recording_id,) if place else ()), *((content,) if content else ())}
    keyed_ids = {receipts.keyed(ledger, what) for what in about}
    return [r for r in ledger.receipts.all() if any(keyed_id in r.body for keyed_id in keyed_ids)]


@app.command()
def verify(
    file: Annotated[
        Path | None, typer.Argument(readable=False, help="An export to verify instead of the ledger.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Check that no receipt was changed, removed, repeated or moved. Exit code 1 and what is wrong if one was.

    What cannot be told is said, too: without the key of the installation that wrote an export nobody can tell whether
    the whole of it was written anew.

    Examples: [bold]earmark receipts verify[/] · [bold]earmark receipts verify receipts.jsonl[/]
    """
    with plain_errors():
        home, config = here_to_look()
        if file is not None:
            found = _examined(file, home, config)
        else:
            with opened_context(home, config, read_only=True) as context:
                ledger = context.ledger
                with ledger.one_moment():
                    rows = ledger.receipts.all()
                    found = Examined(rows, receipts.verify(ledger), receipts.untold(ledger))
    count, problems = len(found.receipts), found.problems
    if json:
        print_answer(
            "receipts verify", {"receipts": count, "problems": problems, "cannot_be_told": list(found.untold)}
        )
    elif problems:
        for problem in problems:
            print_sentence(f"[red]✗[/] {escape(problem)}")
    else:
        missing = "none missing"
        if not found.says_its_end:
            missing += " between the first and the last that is there"
        elif file is not None and found.untold:
            missing += " by what its first and its last line say"
        by = f", as this installation sealed it at {moment(found.sealed_at)}" if found.sealed_at else ""
        print_sentence(f"[green]✓[/] {counted(count, 'receipt')}, none changed, {missing}{by}.")
    for sentence in () if json else found.untold:
        print_sentence(f"[yellow]?[/] It cannot be told {escape(sentence)}.")
    if problems:
        raise typer.Exit(1)


def _examined(file: Path, home: Home, config: Config) -> Examined:
    """What an export comes to, with this installation's key where there is one."""
    require_no_folder(file, "a file of receipts")
    try:
        text = read_bytes(file).decode()
        if not home.ledger_file.exists():
            return receipts_file.examine(text, None)
        with opened_context(home, config, read_only=True) as context:
            return receipts_file.examine(text, context.ledger)
    except FileNotFoundError:
        raise NotFound(f"{file}: there is no such file") from None
    except (OSError, ValueError) as error:
        raise RetentionError(f"{file}: cannot be read as receipts: {error}") from error


@app.command()
def export(
    out_file: Annotated[
        Path | None, typer.Option("--out", help="A new file; without it, standard output.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON; needs --out.")] = False,
) -> None:
    """Write all receipts as JSON lines; `earmark receipts verify FILE` checks them anywhere.

    Example: [bold]earmark receipts export --out receipts.jsonl[/]
    """
    with plain_errors(), acting("receipts export --out FILE", json) as acts:
        if json and out_file is None:
            raise UsageError(
                "--json says what was written, so it needs --out FILE; the receipts are JSON lines"
            )
        home, config = here_to_look()
        with opened_context(home, config, read_only=True) as context:
            now = context.now()
            lines = receipts_file.lines(context.ledger, now)
        if out_file is None:
            for line in lines:
                typer.echo(line, nl=False)
            return
        write_out(out_file, "".join(lines).encode())
        said = f"{counted(len(lines) - 2, 'receipt')} written at {moment(now)}."
        acts.did(whole(out_file), said, shown=said)
