"""`earmark trash`: what rules took, bringing it back, letting it go for good."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.filesize import decimal
from rich.markup import escape

from earmark.cli.acts import Acts, acting
from earmark.cli.asking import agreed
from earmark.cli.console import day, here, here_to_look, out, plain_errors, print_answer, readable, short
from earmark.cli.lines import Numbered, below, cell, print_columns, print_sentence
from earmark.errors import Declined
from earmark.files import counted
from earmark.ledger import Trashed
from earmark.ledger.trash import IN_TRASH
from earmark.retention.trash.rows import purged_from
from earmark.verbs import trash
from earmark.verbs.opening import opened_context, wake_daemon

app = typer.Typer(no_args_is_help=True, help="List what rules took, bring it back, or empty the trash.")


@app.command("list")
def list_trash(json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """List what lies in the trash, where it was, and when it will be purged.

    Example: [bold]earmark trash list --json[/]
    """
    with plain_errors():
        home, config = here_to_look()
        with opened_context(home, config, read_only=True) as context:
            rows = context.ledger.trash.in_state(*IN_TRASH)
            tops = context.ledger.places.folders()
        if json:
            print_answer(
                "trash list",
                {"files": [
                    {
                        "id": r.id, "original": readable(r.original), "class": r.kind.value, "bytes": r.size,
                        "rule": r.rule, "trashed_at": r.trashed_at, "purged_from": purged_from(config, r),
                        "in_trash": readable(r.trashed), "recording": r.recording_id, "state": r.state,
                    }
                    for r in rows
                ]},
            )  # fmt: skip
            return
        if not rows:
            out.print("The trash is empty.")
            return
        marks = Numbered()
        print_sentence(f"{counted(len(rows), 'file')}, {decimal(sum(r.size for r in rows))}, in the trash:")
        for rule in dict.fromkeys(r.rule for r in rows):
            taken = [r for r in rows if r.rule == rule]
            what = f"{counted(len(taken), 'file')}, {decimal(sum(r.size for r in taken))},"
            print_sentence(f" {marks.mark(rule)} {what} by {cell(rule)}", 6)
        heading = [("id", "by", "class", "size", "taken", "purged", "was")]
        lines = [
            (
                str(r.id), marks.mark(r.rule).strip(), r.kind.value, decimal(r.size), day(r.trashed_at),
                day(purged_from(config, r)) or "never", escape(below(r.original, tops)),
            )
            for r in rows
        ]  # fmt: skip
        print_columns([*heading, *lines], right=(3,))


@app.command("restore")
def restore_files(
    what: Annotated[
        list[str], typer.Argument(metavar="FILE|ID...", help="Where it was, or its id in `trash list`.")
    ],
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Bring files back to where they were. Their recording is held from then on, so that no rule takes them again.

    Examples: [bold]earmark trash restore ~/Recordings/standup.m4a[/] · [bold]earmark trash restore 12 13[/]
    """
    with plain_errors(), acting("trash restore", json) as acts:
        home, config = here()
        back = "is back, and held (let go with: earmark unhold FILE)"
        with opened_context(home, config) as context:
            trash.bring_back(
                context, what, lambda path: acts.did(path, back, shown=f"{escape(short(path))} {back}")
            )
        wake_daemon(home)


@app.command()
def empty(
    what: Annotated[
        list[str] | None, typer.Argument(metavar="FILE|ID...", help="Only these; without any, everything.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    even_held: Annotated[bool, typer.Option("--even-held", help="Also what is held.")] = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Remove what lies in the trash for good, at once. It cannot be brought back after that. What is held stays, and the
    exit code is 1 then.

    Examples: [bold]earmark trash empty[/] · [bold]earmark trash empty 12 --yes[/]
    """
    with plain_errors(), acting("trash empty", json) as acts:
        home, config = here()
        with opened_context(home, config) as context:
            goes, stays = trash.to_empty(context, what or [], even_held=even_held)
            _say_what_stays(acts, stays)
            if not goes:
                acts.say("The trash is empty." if not stays else "Nothing else is in the trash.")
                return
            size = decimal(sum(r.size for r in goes))
            if not yes and not agreed(f"Remove {counted(len(goes), 'file')} ({size}) for good?"):
                raise Declined("Nothing was removed.")
            after_all = trash.empty(context, goes, even_held=even_held)
        _say_what_stays(acts, after_all)
        kept = {row.id for row, _ in after_all}
        gone = [row for row in goes if row.id not in kept]
        for row in gone:
            acts.did(row.original, "gone for good", recording=row.recording_id, shown="")
        acts.say(f"Gone for good: {counted(len(gone), 'file')} ({decimal(sum(r.size for r in gone))}).")
        wake_daemon(home)


def _say_what_stays(acts: Acts, rows: list[tuple[Trashed, str]]) -> None:
    for row, reason in rows:
        said = f"stays in the trash: {reason}"
        shown = f"[yellow]{row.id}[/] {escape(short(row.original))} {escape(readable(said))}"
        acts.refused(row.original, said, recording=row.recording_id, shown=shown)
