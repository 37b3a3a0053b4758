"""`earmark hold` and `unhold`: nothing of a recording is deleted by a rule while it is held."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from earmark.cli.acts import Acts, acting, known_to_errors
from earmark.cli.console import (
    day,
    here_to_look,
    one_line,
    out,
    plain_errors,
    print_answer,
    readable,
    short,
)
from earmark.cli.lines import below, print_lines, print_sentence
from earmark.cli.retention_overdue import way_out
from earmark.context import Context
from earmark.retention.held import By, everything_held
from earmark.verbs import deciding
from earmark.verbs.opening import opened_context, wake_daemon
from earmark.verbs.resolve import Meant, resolve

TITLES = {
    By.HAND: "By hand (let go with: earmark unhold FILE)",
    By.NOTE: "By `keep: true` in a note (take it out of the note)",
    By.RULE: "By a rule of its own (earmark retention set FILE --clear)",
    By.MARKER: "By a marker, everything in the folder and below (remove .earmark-hold)",
}


def hold(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            readable=False, metavar="FILE...", help="Recordings or their notes; none lists all that is held."
        ),
    ] = None,
    why: Annotated[
        str, typer.Option("--why", help="A word on why, shown where the hold keeps something.")
    ] = "",
    release: Annotated[
        bool, typer.Option("--release", hidden=True, help="What `earmark unhold` was called before.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Hold recordings: no rule deletes anything of them, nothing of them is purged from the trash, nothing forgotten.

    `keep: true` in a note and a file named .earmark-hold in a folder do the same.

    Examples: [bold]earmark hold talk.m4a --why "needed for the audit"[/] · [bold]earmark hold[/]
    """
    with plain_errors():
        if not files and (release or why):
            raise typer.BadParameter(f"name the recordings to {'let go' if release else 'hold'}")
        home, config = here_to_look()  # a broken configuration must not keep anybody from holding
        with opened_context(home, config, read_only=not files) as context:
            if not files:
                _list(context, json)
                return
            acts = known_to_errors(Acts(json))
            for meant in [resolve(context, file) for file in files]:
                if release:
                    _release(context, meant, acts)
                elif deciding.hold(context, meant, readable(why)):
                    acts.did(meant.shown, "held", recording=meant.recording_id)
                else:
                    acts.was(meant.shown, "already held", recording=meant.recording_id)
            if json:
                _list(context, json, acts)
        wake_daemon(home)
        if acts.exit_code:
            raise typer.Exit(acts.exit_code)


def unhold(
    files: Annotated[
        list[Path], typer.Argument(readable=False, metavar="FILE...", help="Recordings or their notes.")
    ],
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Let the rules decide about recordings again that were held by hand. Exit code 1 if something else holds one still.

    Example: [bold]earmark unhold talk.m4a[/]
    """
    with plain_errors(), acting("unhold", json) as acts:
        home, config = here_to_look()
        with opened_context(home, config) as context:
            for meant in [resolve(context, file) for file in files]:
                _release(context, meant, acts)
        wake_daemon(home)


def _release(context: Context, meant: Meant, acts: Acts) -> None:
    changed, still = deciding.release(context, meant)
    if still is not None:
        before = "not held by hand any more, and " if changed else ""
        stays = f"{before}stays {still}; to let it go: {way_out(still)}"
        acts.refused(meant.shown, stays, recording=meant.recording_id)
    elif changed:
        acts.did(meant.shown, "not held", recording=meant.recording_id)
    else:
        acts.was(meant.shown, "already not held", recording=meant.recording_id)


def _list(context: Context, json: bool, acts: Acts | None = None) -> None:
    held = everything_held(context, writes=False)
    paths = {
        h.recording: [p.path for p in context.ledger.places.of(h.recording)] for h in held if h.recording
    }
    if json:
        print_answer(
            "hold",
            {"held": [
                {
                    "by": h.by, "recording": h.recording, "since": h.since, "why": readable(h.why),
                    "path": readable(h.path) if h.path else None,
                    "paths": [readable(p) for p in paths.get(h.recording or "", ())],
                }
                for h in held
            ], "acts": acts.all if acts else []},
        )  # fmt: skip
        return
    tops = context.ledger.places.folders()
    for by, title in TITLES.items():
        mine: dict[str, list[str]] = {}
        for h in (h for h in held if h.by is by):
            since = day(h.since) if h.by is not By.NOTE else ""
            said = short(h.path) if h.by is By.NOTE and h.path else one_line(h.why)
            names = [below(p, tops) for p in paths.get(h.recording or "", ())]
            names = names or [short(h.path.parent) + "/" if h.path else (h.recording or "")[:12]]
            mine.setdefault(said, []).extend(escape(f"{since}  {name}" if since else name) for name in names)
        if mine:
            print_sentence(f"[bold]{title}[/]")
        for said, lines in mine.items():
            if said:
                print_sentence(f"  [dim]{escape(said)}[/]")
            print_lines([f"{'    ' if said else '  '}{line}" for line in lines])
    if not held:
        out.print("Nothing is held.")
