"""`earmark trash`: what rules took, bringing it back, letting it go for good."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.filesize import decimal
from rich.markup import escape
from rich.table import Table

from earmark.cli.console import here, moment, open_ledger, out, plain_errors, print_json, readable, short
from earmark.cli.recordings import wake_daemon
from earmark.config import Config
from earmark.errors import NotFound
from earmark.ledger import Ledger, Trashed
from earmark.retention.single import one_at_a_time
from earmark.retention.trash import purge, recover, restore

app = typer.Typer(no_args_is_help=True, help="List what rules took, bring it back, or empty the trash.")


@app.command("list")
def list_trash(json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """List what lies in the trash, where it was, and when it will be purged.

    Example: [bold]earmark trash list --json[/]
    """
    with plain_errors():
        home, config = here()
        with open_ledger(home) as ledger:
            rows = ledger.trash.in_state("here", "moving", "restoring", "purging")
        if json:
            print_json(
                [
                    {
                        "id": r.id, "original": readable(r.original), "class": r.kind.value, "bytes": r.size,
                        "rule": r.rule, "trashed_at": r.trashed_at, "purged_from": purged_from(config, r),
                        "in_trash": readable(r.trashed), "recording": r.recording_id, "state": r.state,
                    }
                    for r in rows
                ]
            )  # fmt: skip
            return
        if not rows:
            out.print("The trash is empty.")
            return
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in ("id", "was", "class", "size", "taken", "by", "purged"):
            table.add_column(heading, overflow="fold")
        for r in rows:
            gone = purged_from(config, r)
            table.add_row(
                str(r.id), escape(short(r.original)), r.kind.value, decimal(r.size), moment(r.trashed_at),
                escape(r.rule), moment(gone) if gone else "never",
            )  # fmt: skip
        out.print(table)


@app.command("restore")
def restore_files(
    what: Annotated[
        list[str], typer.Argument(metavar="FILE|ID...", help="Where it was, or its id in `trash list`.")
    ],
) -> None:
    """Bring files back to where they were. Their recording is held from then on, so that no rule takes them again.

    Examples: [bold]earmark trash restore ~/Recordings/standup.m4a[/] · [bold]earmark trash restore 12 13[/]
    """
    with plain_errors():
        home, _ = here()
        now = time.time()
        with open_ledger(home, read_only=False) as ledger, one_at_a_time(ledger):
            recover(ledger, now)
            for row in [found for name in what for found in _wanted(ledger, name)]:
                path = restore(ledger, row, now)
                out.print(
                    f"{escape(short(path))} is back, and held (let go with: earmark hold --release FILE)"
                )
        wake_daemon(home)


@app.command()
def empty(
    what: Annotated[
        list[str] | None, typer.Argument(metavar="FILE|ID...", help="Only these; without any, everything.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove what lies in the trash for good, at once. It cannot be brought back after that.

    Examples: [bold]earmark trash empty[/] · [bold]earmark trash empty 12 --yes[/]
    """
    with plain_errors():
        home, _ = here()
        now = time.time()
        with open_ledger(home, read_only=False) as ledger, one_at_a_time(ledger):
            recover(ledger, now)
            rows = (
                [found for name in what for found in _wanted(ledger, name)]
                if what
                else ledger.trash.in_state("here")
            )
            if not rows:
                out.print("The trash is empty.")
                return
            size = decimal(sum(r.size for r in rows))
            if not yes and not typer.confirm(f"Remove {len(rows)} files ({size}) for good?", err=True):
                raise typer.Exit(1)
            for row in rows:
                purge(ledger, row, now)
            ledger.db.fold()
        out.print(f"{len(rows)} files ({size}) are gone for good.")


def purged_from(config: Config, row: Trashed) -> float | None:
    """From when on the purge may take it; None: never by itself."""
    rule = config.retention.trash
    return None if rule.never or rule.keep_for is None else rule.keep_for.after(row.trashed_at)


def _wanted(ledger: Ledger, name: str) -> list[Trashed]:
    """Rows by id or by original path. A recording's own path stands for the latest of it in the trash."""
    if name.isdigit():
        row = ledger.trash.get(int(name))
        found = [row] if row is not None and row.state == "here" else []
    else:
        found = [
            r for r in ledger.trash.of_original(Path(name).expanduser().absolute()) if r.state == "here"
        ][-1:]
    if not found:
        raise NotFound(f"{name}: is not in the trash; see: earmark trash list")
    return found
