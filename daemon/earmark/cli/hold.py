"""`earmark hold`: nothing of a recording is deleted by a rule while it is held."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from earmark.cli.console import here, moment, open_ledger, out, plain_errors, print_json, readable, short
from earmark.cli.recordings import wake_daemon
from earmark.cli.retention import known_place
from earmark.ledger import Ledger


def hold(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE...", help="Recordings or their notes; none lists all holds."),
    ] = None,
    why: Annotated[
        str, typer.Option("--why", help="A word on why, shown where the hold keeps something.")
    ] = "",
    release: Annotated[bool, typer.Option("--release", help="Let the rules decide again.")] = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Hold recordings: no rule deletes anything of them, and nothing of them is purged from the trash.

    `keep: true` in a note and a file named .earmark-hold in a folder do the same.

    Examples: [bold]earmark hold talk.m4a --why "needed for the audit"[/] · [bold]earmark hold --release talk.m4a[/]
    """
    with plain_errors():
        home, _ = here()
        now = time.time()
        with open_ledger(home, read_only=not files) as ledger:
            if not files:
                _list(ledger, json)
                return
            for file in files:
                place = known_place(ledger, file)
                with ledger.transaction():
                    changed = (
                        ledger.retention.release_hold(place.recording_id)
                        if release
                        else ledger.retention.hold(place.recording_id, why, now)
                    )
                    if changed:
                        what, text = ("released", "No longer held.") if release else ("held", "Held by hand.")
                        ledger.journal.note(now, what, text, place.recording_id, place.path)
                        ledger.retention.relook(place.path, "its hold changed")
                state = "not held" if release else "held"
                out.print(f"{escape(short(place.path))}: {state if changed else f'already {state}'}")
        wake_daemon(home)


def _list(ledger: Ledger, json: bool) -> None:
    held = ledger.retention.holds()
    paths = {recording_id: [p.path for p in ledger.places.of(recording_id)] for recording_id in held}
    if json:
        print_json(
            [
                {"recording": i, "since": at, "why": text, "paths": [readable(p) for p in paths[i]]}
                for i, (at, text) in held.items()
            ]
        )
        return
    for recording_id, (at, text) in held.items():
        names = ", ".join(short(p) for p in paths[recording_id]) or recording_id[:12]
        out.print(f"{escape(names)}  [dim]since {moment(at)}  {escape(readable(text))}[/]")
    if not held:
        out.print("Nothing is held.")
