"""`earmark forget`: erase recordings for good, with everything that was made of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.filesize import decimal
from rich.markup import escape

from earmark.cli.asking import typed
from earmark.cli.console import (
    err,
    here,
    instant_of,
    out,
    plain_errors,
    print_answer,
    readable,
    say_what_is_left,
    short,
)
from earmark.cli.lines import print_columns, print_sentence
from earmark.config import Config
from earmark.context import Context
from earmark.errors import Declined, NotFound, RetentionError, UsageError
from earmark.files import counted
from earmark.paths import Home
from earmark.retention.erasure.copies import UNREACHABLE, Copy, Found
from earmark.retention.erasure.erase import Erased
from earmark.verbs import forgetting
from earmark.verbs.forgetting import Which
from earmark.verbs.opening import opened_context, wake_daemon


def forget(
    files: Annotated[
        list[Path] | None,
        typer.Argument(readable=False, metavar="FILE...", help="Recordings or their notes."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every recording there is.")] = False,
    before: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], metavar="DATE", help="Recordings dated before this day, by their own date."
        ),
    ] = None,
    text: Annotated[
        str | None, typer.Option("--matching", help="Recordings in which this was said or named.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be erased.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the typed confirmation.")] = False,
    even_held: Annotated[bool, typer.Option("--even-held", help="Also what is held.")] = False,
    lift: Annotated[
        bool, typer.Option("--lift", help="The other way round: let FILE, erased before, be taken again.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Erase recordings: the audio, every note and sidecar (edited ones too), the trash, every word in the ledger.

    Not undone by anything. A keyed hash stays behind, so that a sync client cannot bring the recording back unasked.

    Examples: [bold]earmark forget call.m4a --dry-run[/] · [bold]earmark forget --matching "Jane Doe"[/]
    """
    with plain_errors():
        home, config = here()
        if lift and dry_run:
            raise UsageError("--lift --dry-run: say one of them; --lift erases nothing")
        if lift and (everything or before is not None or text is not None or even_held):
            raise UsageError(
                "--lift takes recordings, and none of --all, --before, --matching and --even-held"
            )
        if lift:
            _lift(home, config, files or [], json)
            return
        limit = instant_of(before) if before else None
        which = Which(tuple(files or ()), everything, limit, text)
        if dry_run:
            with opened_context(home, config, read_only=True) as context:
                _show_only(context, which, json)
            return
        with opened_context(home, config) as context:
            done = forgetting.forget(context, which, _asking(context, which, yes, json), even_held=even_held)
            if done is None:
                raise Declined("Nothing was erased.")
            result, found = done
            also = found.elsewhere(context, forgetting.named(context, which))
        wake_daemon(home)
        if json or result.recordings or result.kept:
            _report(result, found, also, json)
    if not result.complete or result.kept:
        raise typer.Exit(RetentionError.exit_code)


def _show_only(context: Context, which: Which, json: bool) -> None:
    wanted = forgetting.chosen(context, which)
    found = forgetting.found(context, wanted, which)
    held = forgetting.held(context, wanted, found, writes=False)
    also = found.elsewhere(context, forgetting.named(context, which))
    if json:
        print_answer("forget --dry-run", {"recordings": len(wanted), "held": held} | _copies(found, also))
    else:
        _show(wanted, found, also)
        for recording_id, why in held.items():
            names = ", ".join(short(p.path) for p in context.ledger.places.of(recording_id))
            print_sentence(f"  [yellow]{escape(names)}: {escape(readable(why))} (only with --even-held)[/]")


def _asking(context: Context, which: Which, yes: bool, json: bool) -> Callable[[list[str], Found], bool]:
    """Shows what would go, and asks for the typed confirmation."""

    def confirmed(wanted: list[str], found: Found) -> bool:
        if not json:
            _show(wanted, found, found.elsewhere(context, forgetting.named(context, which)))
        if yes or not wanted:
            return True
        phrase = f"forget {len(wanted)}"
        question = f"This cannot be undone. Type `{phrase}` to go on"
        return typed(question) == phrase

    return confirmed


def _lift(home: Home, config: Config, files: list[Path], json: bool) -> None:
    with opened_context(home, config) as context:
        lifted = forgetting.lift(context, files)
    wake_daemon(home)
    may = [file for file, was_erased in lifted.items() if was_erased]
    if json and len(may) == len(lifted):
        print_answer("forget --lift", {"lifted": [readable(file) for file in may]})
    for file in () if json else may:
        out.print(f"{escape(short(file))}: may be taken again")
    never = ", ".join(readable(file) for file, was_erased in lifted.items() if not was_erased)
    if never:
        raise NotFound(f"{never}: was never erased, or may be taken again already; there is nothing to lift")


def _show(wanted: list[str], found: Found, also: set[Path]) -> None:
    what = f"{counted(len(wanted), 'recording')}, {counted(len(found.copies), 'file')}:"
    out.print(what if wanted else "Nothing matches.")
    lines = [
        (
            f"  [dim]{decimal(copy.size)}[/]",
            f"[dim]{copy.what}[/]"
            + (", [yellow]edited by you[/]" if copy.edited else "")
            + (f", [yellow]{_why_also(copy)}[/]" if copy.path in also else ""),
            escape(short(copy.path)),
        )
        for copy in sorted(found.copies, key=lambda c: c.path in also)
    ]
    print_columns(lines, right=(0,))
    if also:
        print_sentence("  [yellow]A recording is its content: every file that holds it goes.[/]")
    for path, why in found.left:
        print_sentence(f"  [dim]{escape(short(path))} stays: {escape(why)}[/]")
    if wanted:
        print_sentence("  and every word, name and date of them in the ledger.", 2)


def _why_also(copy: Copy) -> str:
    return "the same content is also here" if copy.audio else "made for the same content, which is also there"


def _report(result: Erased, found: Found, also: set[Path], json: bool) -> None:
    if json:
        print_answer(
            "forget",
            {
                "recordings": result.recordings, "files": result.files, "bytes": result.bytes,
                "receipts": result.receipts, "remaining": [readable(r) for r in result.remaining],
                "stays": [{"path": readable(p), "why": why} for p, why in result.stays],
                "kept": [{"recording": i, "why": readable(why)} for i, why in result.kept],
                "found_again": [readable(p) for p in result.found_again], "compacted": result.compacted,
                "complete": result.complete, "unreachable": list(UNREACHABLE),
            } | _copies(found, also)
        )  # fmt: skip
        return
    numbers = ", ".join(map(str, result.receipts)) or "none"
    out.print(
        f"Erased: {counted(result.recordings, 'recording')}, {counted(result.files, 'file')}. Receipts: {numbers}"
    )
    for recording_id, why in result.kept:
        err.print(f"[yellow]not erased:[/] {recording_id[:12]}: {escape(readable(why))}")
    for path, why in result.stays:
        err.print(f"[yellow]{escape(short(path))} stays:[/] {escape(why)}")
    for line in result.remaining:
        err.print(f"[red]still there:[/] {escape(readable(line))}")
    say_what_is_left(result.found_again)
    if not result.compacted:
        err.print("The ledger was in use and could not be written anew; the next sweep does it.")
    if result.complete:
        print_sentence("[green]✓[/] No word, name or byte of them is left in the state folder.", 2)
    out.print("Out of reach:")
    for line in UNREACHABLE:
        print_sentence(escape(f"  - {line}"))


def _copies(found: Found, also: set[Path]) -> dict[str, Any]:
    return {
        "copies": [
            {
                "path": readable(c.path),
                "what": c.what,
                "bytes": c.size,
                "edited": c.edited,
                "why": _why_also(c) if c.path in also else None,
            }
            for c in found.copies
        ],
        "left": [{"path": readable(p), "why": why} for p, why in found.left],
    }
