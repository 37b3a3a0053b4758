"""`earmark retention`: what may go and why, and letting it go."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.filesize import decimal
from rich.markup import escape

from earmark.cli.console import (
    ago,
    err,
    here,
    moment,
    open_ledger,
    out,
    plain_errors,
    print_json,
    readable,
    short,
)
from earmark.cli.recordings import wake_daemon
from earmark.cli.retention_plan import plan_document, print_plan
from earmark.config import Config, parse_duration
from earmark.config.schema import RetentionRule
from earmark.domain import Kind
from earmark.errors import NotFound, RetentionError
from earmark.ledger import Ledger, Place
from earmark.notes.frontmatter import read_frontmatter
from earmark.retention import saved
from earmark.retention.applying import apply, purge_due
from earmark.retention.consent import TROUBLE, approve
from earmark.retention.look import Inspector
from earmark.retention.planning import keep_keys, plan_now, remember_policy
from earmark.retention.policy import FAILED, describe, policy_of
from earmark.retention.schedule import next_sweep, sweep_due
from earmark.retention.single import one_at_a_time
from earmark.retention.trash import recover

app = typer.Typer(
    no_args_is_help=True, help="See what may go and why; let it go; decide about single recordings."
)

When = Annotated[
    datetime | None,
    typer.Option("--at", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="Look ahead: the plan of that day."),
]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
Retroactive = Annotated[
    bool, typer.Option("--retroactive", help="Also where an older, looser policy was in force at acceptance.")
]


def known_place(ledger: Ledger, file: Path) -> Place:
    """The place of a recording or of one of its notes. Raises NotFound."""
    path = file.expanduser().absolute()
    place = ledger.place_of(path)
    if place is None:
        raise NotFound(f"{path}: earmark does not know this recording; see: earmark list")
    return place


@app.command()
def plan(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Only files at or below these.", metavar="PATH...")
    ] = None,
    at: When = None,
    everything: Annotated[bool, typer.Option("--all", help="Also list what stays, with the reason.")] = False,
    retroactive: Retroactive = False,
    save: Annotated[Path | None, typer.Option(help="Keep the plan in a file for `apply --plan`.")] = None,
    json: AsJson = False,
) -> None:
    """Show what would go, by which rule, and what stays and why. Touches nothing.

    Examples: [bold]earmark retention plan[/] · [bold]earmark retention plan --at 2027-01-01 --all --json[/]
    """
    with plain_errors():
        home, config = here()
        now = time.time()
        wanted = [p.expanduser().absolute() for p in paths or []]
        with open_ledger(home) as ledger:
            found = plan_now(
                ledger,
                config,
                now,
                read_frontmatter,
                at=at.timestamp() if at else None,
                retroactive=retroactive,
                keep_all=everything or json,
                remember=False,
                only=(lambda p: any(p.is_relative_to(w) for w in wanted)) if wanted else None,
            )
        if save is not None:
            saved.save(found, save, now, retroactive=retroactive)
        if json:
            print_json(plan_document(found))
            return
        print_plan(found, config, everything)
        if save is not None:
            out.print(f"Saved. Apply it with: earmark retention apply --plan {escape(short(save))}")


@app.command("apply")
def apply_plan(
    plan_file: Annotated[
        Path | None, typer.Option("--plan", help="Apply a saved plan; refused if the world has changed.")
    ] = None,
    retroactive: Retroactive = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: AsJson = False,
) -> None:
    """Move what is due to the trash, after showing it and asking.

    `--retroactive` lets the present policy count for everything accepted before it, from now on.

    Examples: [bold]earmark retention apply[/] · [bold]earmark retention apply --plan monday.json --yes[/]
    """
    with plain_errors():
        home, config = here()
        now = time.time()
        with open_ledger(home, read_only=False) as ledger, one_at_a_time(ledger):
            recover(ledger, now)
            remember_policy(ledger, config, now)
            document = saved.load(plan_file) if plan_file else None
            retroactive = retroactive or bool(document and document.get("retroactive"))
            found = plan_now(ledger, config, now, read_frontmatter, retroactive=retroactive)
            if document is not None:
                found = saved.narrowed(document, found)
            if not json:
                print_plan(found, config, everything=False)
            question = f"Move {len(found.goes)} files ({decimal(found.bytes)}) to the trash?"
            if found.goes and not yes and not typer.confirm(question, err=True):
                raise typer.Exit(1)
            if retroactive:
                ledger.retention.adopt()
            approve(ledger, config, now)
            row = ledger.trash.begin_sweep(now)
            report = apply(ledger, config, found, now)
            report.purged, errors = purge_due(ledger, config, now, read_frontmatter)
            report.errors += errors
            counts = (report.trashed, report.purged, report.bytes, len(report.errors))
            ledger.trash.end_sweep(row, time.time(), report.outcome, f"By hand: {report.sentence}", counts)
        wake_daemon(home)
        if json:
            print_json({"plan": plan_document(found), "trashed": report.trashed, "purged": report.purged,
                        "bytes": report.bytes, "errors": report.errors})  # fmt: skip
        else:
            out.print(report.sentence)
            for sentence in report.errors:
                err.print(escape(readable(sentence)))
            if report.trashed and config.retention.trash_to == "earmark":
                out.print("Bring something back with: earmark trash restore FILE")
    if report.errors:
        raise typer.Exit(RetentionError.exit_code)


@app.command()
def status(json: AsJson = False) -> None:
    """Show the rules in force, what the last sweep did, when the next one comes, and what waits for a decision.

    Example: [bold]earmark retention status --json[/]
    """
    with plain_errors():
        home, config = here()
        now = time.time()
        with open_ledger(home) as ledger:
            last = ledger.trash.last_sweep()
            trouble = next((t.sentence for t in ledger.journal.troubles() if t.subject == TROUBLE), None)
            in_trash = ledger.trash.in_state("here")
            document: dict[str, Any] = {
                "rules": {name: describe(rule) for name, rule in policy_of(config).classes.items()},
                "last_sweep": None
                if last is None
                else {
                    "at": last.began_at, "outcome": last.outcome, "sentence": last.sentence, "trashed": last.trashed,
                    "purged": last.purged, "bytes": last.bytes, "errors": last.errors,
                },
                "next_sweep": now if sweep_due(ledger, config, now) else next_sweep(ledger, config, now),
                "stopped": trouble,
                "held": len(ledger.retention.holds()),
                "in_trash": len(in_trash),
                "in_trash_bytes": sum(t.size for t in in_trash),
                "failing_quality": _failing(ledger, config),
            }  # fmt: skip
    if json:
        print_json(document)
        return
    for name, text in document["rules"].items():
        out.print(f"{name:<11} {text if text != 'no rule' else '[dim]kept for ever[/]'}")
    if last is None:
        out.print("No sweep yet.")
    else:
        out.print(f"Last sweep {ago(last.began_at, now)}: {last.outcome}. {escape(last.sentence)}")
    out.print(f"Next sweep: {moment(document['next_sweep'])} (while the daemon runs)")
    if trouble:
        out.print(f"[yellow]{escape(trouble)}[/]")
    out.print(
        f"{document['held']} held, {len(in_trash)} in the trash ({decimal(document['in_trash_bytes'])})"
    )
    for entry in document["failing_quality"]:
        out.print(f"  {escape(short(entry['path']))}: {escape(entry['reason'])}")
    if document["failing_quality"]:
        out.print("Their audio stays. Let it go all the same with: earmark retention accept FILE")


@app.command()
def accept(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Recordings or their notes.")],
    undo: Annotated[bool, typer.Option("--undo", help="Let the quality gate decide again.")] = False,
) -> None:
    """Say that a transcript is good enough for its audio to go by the rules, although the quality gate failed.

    Example: [bold]earmark retention accept ~/Recordings/noisy.m4a[/]
    """
    with plain_errors():
        home, config = here()
        now = time.time()
        with open_ledger(home, read_only=False) as ledger:
            for file in files:
                place = known_place(ledger, file)
                Inspector(ledger, read_frontmatter, keep_keys(config)).gate_of(place.recording_id)
                with ledger.transaction():
                    judged = ledger.retention.accept_quality(place.recording_id, None if undo else now)
                    if not judged:
                        raise RetentionError(f"{place.path}: has no transcript that could be accepted")
                    what = "quality-gate-restored" if undo else "quality-accepted"
                    ledger.journal.note(now, what, "Decided by hand.", place.recording_id, place.path)
                out.print(
                    f"{escape(short(place.path))}: {'the gate decides again' if undo else 'accepted as it is'}"
                )


@app.command("set")
def set_rule(
    file: Annotated[Path, typer.Argument(help="A recording or one of its notes.")],
    kind: Annotated[str, typer.Option(help="audio, transcript, summary, sidecar, failed, or all.")] = "all",
    keep_for: Annotated[str | None, typer.Option(help="`36h`, `30d`, `2y5m7d` after it was done.")] = None,
    never: Annotated[bool, typer.Option("--never", help="Never delete it by a rule.")] = False,
    delete_after_done: Annotated[
        bool, typer.Option("--delete-after-done", help="Due at once when done.")
    ] = False,
    clear: Annotated[bool, typer.Option("--clear", help="Back to the folder's or the class's rule.")] = False,
) -> None:
    """Give one recording a rule of its own, which comes before folder, tag and class rules.

    Example: [bold]earmark retention set call.m4a --kind audio --keep-for 7d[/]
    """
    with plain_errors():
        names = [*(k.value for k in Kind), FAILED]
        if kind != "all" and kind not in names:
            raise RetentionError(
                f"--kind {kind}: there is no such class; it is one of {', '.join(names)} or all"
            )
        if sum((keep_for is not None, never, delete_after_done, clear)) != 1:
            raise RetentionError("say exactly one of --keep-for, --never, --delete-after-done and --clear")
        try:
            span = parse_duration(keep_for) if keep_for is not None else None
        except ValueError as error:
            raise RetentionError(f"--keep-for: {error}") from error
        rule = RetentionRule(keep_for=span, never=never, delete_after_done=delete_after_done)
        home, _ = here()
        now = time.time()
        with open_ledger(home, read_only=False) as ledger:
            place = known_place(ledger, file)
            with ledger.transaction():
                if clear:
                    ledger.retention.clear_item_rules(place.recording_id)
                else:
                    for name in names if kind == "all" else [kind]:
                        ledger.retention.set_item_rule(place.recording_id, name, rule.model_dump_json(), now)
                text = (
                    "Its own rule was taken away."
                    if clear
                    else f"{kind}: {describe(rule)} for this recording."
                )
                ledger.journal.note(now, "rule-set", text, place.recording_id, place.path)
                ledger.retention.relook(place.path, "its own rule changed")
        wake_daemon(home)
        out.print(f"{escape(short(place.path))}: {escape(text)}")


def _failing(ledger: Ledger, config: Config) -> list[dict[str, str]]:
    """Recordings whose audio is still there and whose transcript did not pass the gate."""
    found = []
    for row in ledger.db.all(
        "SELECT q.recording_id AS id, q.failing AS failing FROM quality q JOIN recordings r ON r.id = q.recording_id"
        " WHERE q.failing != '' AND q.released_at IS NULL AND q.transcript_rev = r.transcript_rev"
    ):
        for place in ledger.places.of(row["id"]):
            if place.gone_at is None:
                found.append({"path": str(place.path), "reason": "; ".join(row["failing"].splitlines())})
    return found
