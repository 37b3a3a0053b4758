"""`earmark list`: all recordings and their notes, a line a file."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.cells import cell_len, set_cell_size
from rich.markup import escape

from earmark.cli.console import (
    day,
    here_to_look,
    instant_of,
    iso,
    nothing_since,
    one_line,
    out,
    plain_errors,
    print_answer,
    span,
    to_come,
)
from earmark.cli.lines import Numbered, below, cell, print_columns, print_sentence
from earmark.errors import NotFound, UsageError
from earmark.files import counted
from earmark.notes.escape import spreadsheet_cell
from earmark.verbs.known import folder_meant
from earmark.verbs.listing import STATES, Listed, Wanted, how_many, listed
from earmark.verbs.opening import opened_context
from earmark.verbs.states import Group

COLORS = {Group.DONE: "green", Group.WAITING: "cyan", Group.FAILED: "red"}

NARROWEST = 12
"""Characters of a title that a narrow terminal shows."""


class Order(StrEnum):
    """What a list is sorted by. Dates and lengths come largest first."""

    DATE = "date"
    PATH = "path"
    TITLE = "title"
    LENGTH = "length"
    STATE = "state"


KEYS: dict[Order, Callable[[Listed], Any]] = {
    Order.DATE: lambda row: -row.dated,
    Order.PATH: lambda row: row.path,
    Order.TITLE: lambda row: (not row.title, row.title.casefold()),
    Order.LENGTH: lambda row: -(row.duration or 0.0),
    Order.STATE: lambda row: row.state.word,
}


def list_recordings(
    state: Annotated[
        str | None,
        typer.Option(help="Only this state: done, waiting, failed, damaged, low-confidence, held, gone ..."),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], metavar="DATE", help="Only what was recorded on this day or later."
        ),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Only what is at or below this folder.")
    ] = None,
    speaker: Annotated[
        str, typer.Option(metavar="NAME", help="Only where somebody of this name speaks.")
    ] = "",
    tag: Annotated[str, typer.Option(help="Only what has this tag in its notes.", metavar="TAG")] = "",
    sort: Annotated[Order, typer.Option(help="By what it is sorted.")] = Order.DATE,
    as_csv: Annotated[bool, typer.Option("--csv", help="As a table for a spreadsheet.")] = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List recordings with date, length, state and title, a line a file; the reasons come first.

    Examples: [bold]earmark list[/] · [bold]earmark list --state failed[/] · [bold]earmark list --since 2026-03-01 --csv[/]
    """
    with plain_errors():
        if state is not None and state not in STATES:
            raise UsageError(f"--state {state}: there is no such state; there are: {', '.join(STATES)}")
        if as_csv and json:
            raise UsageError("--csv --json: say one of the two")
        home, config = here_to_look()
        with opened_context(home, config, read_only=True) as context:
            at = folder_meant(context, folder) if folder else None
            if at is not None and not any(p.path.is_relative_to(at) for p in context.ledger.places.all()):
                raise NotFound(f"{at}: no recording is or was at or below it")
            wanted = Wanted(state, instant_of(since) if since else None, at, speaker, tag)
            rows = sorted(listed(context, wanted), key=KEYS[sort])
            if not rows and since is not None and to_come(since):
                raise nothing_since(since)
            tops = {*context.folders, *context.ledger.places.folders()}
        if json:
            groups = Counter(row.state.group for row in rows)
            counts = {group: groups[group] for group in Group}
            print_answer("list", {"recordings": [_document(row) for row in rows], "counts": counts})
        elif as_csv:
            _print_csv(rows)
        elif rows:
            _print(rows, tops)
        else:
            out.print("No recordings yet." if wanted == Wanted() else "No recording is like that.")


def _print(rows: list[Listed], tops: set[Path]) -> None:
    marks = Numbered()
    states = [_state(row, marks, tops) for row in rows]
    groups, recordings = Counter(row.state.group for row in rows), len({row.recording for row in rows})
    what = how_many(len(rows), recordings)
    print_sentence(f"{what}: {', '.join(f'{groups[group]} {group}' for group in Group)}")
    told = Counter(sentence for row in rows for sentence in _told(row, tops))
    for sentence, count in told.items():
        print_sentence(f" {marks.mark(sentence)} {counted(count, 'file')}, {cell(sentence)}", 6)
    narrow = max(NARROWEST, (out.width - 42) // 2) if out.is_terminal else None
    lines = [
        (
            state,
            day(row.dated),
            span(row.duration),
            escape(_cut(row.title, narrow)),
            escape(below(row.path, tops)),
        )
        for state, row in zip(states, rows, strict=True)
    ]
    print_columns([("state", "recorded", "length", "title", "recording"), *lines], right=(2,))


def _told(row: Listed, tops: set[Path]) -> list[str]:
    """What is said of a recording besides its state."""
    said = [f"{row.state.word}: {row.state.reason}"] if row.state.reason else []
    if row.wordless:
        said.append(
            f"somebody speaks for {counted(round(row.wordless), 'second')} of it, and no words were made out there"
        )
    if not row.whole and not (row.wordless and len(row.not_heard) == 1):
        said.append("not all of it heard (earmark why FILE says what is missing)")
    elif row.whole and row.not_heard:
        said.append(f"{'silent' if row.silent else 'very quiet'} (earmark why FILE says more)")
    if row.copy_of is not None:
        said.append(f"copy of {below(row.copy_of, tops)}")
    return [*said, *([] if row.place.here else ["gone: not in the folder any more"])]


def _state(row: Listed, marks: Numbered, tops: set[Path]) -> str:
    numbers = "".join(marks.mark(sentence) for sentence in _told(row, tops))
    return f"[{COLORS[row.state.group]}]{row.state.word}[/]{numbers}"


def _cut(title: str, most: int | None) -> str:
    """A title that leaves room for the path; `most`: cells of a terminal."""
    title = one_line(title)
    if most is None or cell_len(title) <= most:
        return title
    return set_cell_size(title, most - 1) + "…"


def _document(row: Listed) -> dict[str, Any]:
    here = row.place.here
    return {
        "path": str(row.path), "folder": str(row.place.folder), "group": row.state.group, "recorded": row.dated,
        "state": row.state.word if here else f"{row.state.word}, file gone",
        "duration": row.duration, "recording": row.recording, "notes": list(map(str, row.notes)),
        "reason": row.state.reason, "not_heard": list(row.not_heard), "whole": row.whole,
        "wordless_seconds": round(row.wordless, 1), "title": row.title,
        "copy_of": None if row.copy_of is None else str(row.copy_of),
    }  # fmt: skip


def _print_csv(rows: list[Listed]) -> None:
    """RFC 4180, with a heading. No cell begins like a formula: a `'` is put in front, which spreadsheets take for text."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(("path", "state", "reason", "recorded", "seconds", "title", "recording", "notes"))
    for row in rows:
        cells = (
            str(row.path), row.state.word if row.place.here else f"{row.state.word}, file gone", row.state.reason,
            iso(row.dated) or "", "" if row.duration is None else f"{row.duration:.1f}", row.title, row.recording,
            ", ".join(map(str, row.notes)),
        )  # fmt: skip
        writer.writerow([spreadsheet_cell(one_line(text)) for text in cells])
    typer.echo(table.getvalue(), nl=False)  # which tells of a full disk and of a reader that has gone
