"""`earmark receipts report`: what was deleted, for somebody who has never seen earmark."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from earmark.cli.console import (
    err,
    here,
    instant_of,
    nothing_since,
    out,
    plain_errors,
    print_answer,
    readable,
    short,
    to_come,
)
from earmark.cli.put_out import write_out
from earmark.errors import UsageError
from earmark.export.account import Account, as_csv, as_html, as_markdown
from earmark.export.account.gathering import Asked
from earmark.files import counted
from earmark.paths import whole
from earmark.verbs.accounting import account_for
from earmark.verbs.known import folder_meant
from earmark.verbs.opening import opened_context


class Form(StrEnum):
    """What a report is written as."""

    CSV = "csv"
    MD = "md"
    HTML = "html"


FORMS = {Form.CSV: as_csv, Form.MD: as_markdown, Form.HTML: as_html}


def report(
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="From the beginning of this day on."),
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="To the end of this day.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(readable=False, help="Only what was at or below this folder.")
    ] = None,
    codes: Annotated[
        Path | None,
        typer.Option(
            readable=False, metavar="FILE.csv", help="A table, name and code: no name, path or tag is shown."
        ),
    ] = None,
    form: Annotated[
        Form | None, typer.Option("--format", help="By default what --out ends in, else md.")
    ] = None,
    out_file: Annotated[
        Path | None, typer.Option("--out", help="A new file; without it, standard output.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Write a report of what was deleted, for somebody who has never seen earmark: a board, an auditor, a lawyer.

    It says what was deleted when, by which rule, what lies in the trash, what is kept although a rule's time has come, and
    whether the receipts are whole. Exit code 1 if they are not; the report says so at its top.

    Examples: [bold]earmark receipts report --since 2026-01-01 --out report.html[/] · [bold]earmark receipts report
    --folder ~/Study --codes participants.csv --out report.html[/]
    """
    with plain_errors():
        chosen = _form(form, out_file, json)
        if since is not None and until is not None and until < since:
            raise UsageError("--until is a day before --since; name a later one")
        if since is not None and to_come(since):
            raise nothing_since(since)
        asked_until = None if until is None else _next_day(until)
        home, config = here()
        with opened_context(home, config, read_only=True) as context:
            asked = Asked(
                since=instant_of(since) if since else None,
                until=instant_of(asked_until) if asked_until else None,
                since_day=f"{since:%Y-%m-%d}" if since else None,
                until_day=f"{until:%Y-%m-%d}" if until else None,
                folder=folder_meant(context, folder) if folder else None,
            )
            account, warnings = account_for(context, asked, whole(codes) if codes else None)
        _write(account, chosen, out_file)
        for warning in warnings:
            err.print(f"[yellow]earmark:[/] {escape(readable(warning))}")
        for problem in account.chain.problems:
            err.print(f"[red]✗[/] {escape(problem)}")
    if not account.chain.whole:
        raise typer.Exit(1)


def _form(form: Form | None, out_file: Path | None, json: bool) -> Form | None:
    """None for JSON. Raises UsageError."""
    if json:
        if form is not None or out_file is not None:
            raise UsageError("--json goes to standard output, without --format and --out")
        return None
    ending = out_file.suffix.lower().removeprefix(".") if out_file is not None else ""
    by_name = {"csv": Form.CSV, "md": Form.MD, "html": Form.HTML, "htm": Form.HTML}.get(ending)
    if form is None and out_file is not None and by_name is None:
        raise UsageError(
            f"{out_file}: say which --format it is to have, or end its name in .csv, .md or .html"
        )
    return form or by_name or Form.MD


def _next_day(day: datetime) -> datetime:
    try:
        return day + timedelta(days=1)
    except OverflowError:
        return day


def _write(account: Account, form: Form | None, out_file: Path | None) -> None:
    if form is None:
        print_answer("receipts report", account.model_dump(mode="json"))
        return
    text = FORMS[form](account)
    if out_file is None:
        typer.echo(text.encode(), nl=False)
        return
    write_out(out_file, text.encode())
    deleted, waits = counted(len(account.deletions), "deletion"), counted(len(account.in_trash), "file")
    out.print(f"{escape(short(whole(out_file)))}: {deleted}, and {waits} in the trash")
