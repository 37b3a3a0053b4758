"""`earmark retention`: what may go and why, letting it go, and deciding about single recordings."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.filesize import decimal
from rich.markup import escape

from earmark.cli.acts import acting
from earmark.cli.asking import agreed
from earmark.cli.console import (
    ago,
    err,
    here,
    instant_of,
    moment,
    plain_errors,
    print_answer,
    readable,
    short,
)
from earmark.cli.lines import print_sentence
from earmark.cli.retention_overdue import overdue_document, print_overdue, way_out
from earmark.cli.retention_plan import decision_document, plan_document, print_index, print_plan, print_voices
from earmark.config import parse_duration
from earmark.config.retention import RetentionRule
from earmark.context import Context
from earmark.domain import TrashState
from earmark.errors import Declined, NotFound, RetentionError, UsageError
from earmark.files import counted
from earmark.ledger.candidates import CLASSES
from earmark.paths import whole
from earmark.retention import next_sweep, plan_now
from earmark.retention.doubt import DOUBT
from earmark.retention.held import By, everything_held
from earmark.retention.overdue import overdue
from earmark.retention.rules.decide import Plan
from earmark.retention.rules.policy import describe, policy_of
from earmark.retention.sweep import saved_plan
from earmark.retention.sweep.guards import TROUBLE
from earmark.retention.sweep.housekeeping import due_in_index, due_voices
from earmark.verbs import deciding
from earmark.verbs import sweeping as verb
from earmark.verbs.known import folder_meant
from earmark.verbs.opening import opened_context, wake_daemon
from earmark.verbs.resolve import resolve

app = typer.Typer(
    no_args_is_help=True, help="See what may go and why; let it go; decide about single recordings."
)

When = Annotated[
    datetime | None,
    typer.Option(
        "--at",
        metavar="DATE",
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"],
        help="Look ahead: the plan of that day.",
    ),
]
NOT_YET = (
    "The daemon still goes by the rules before this change; it reads the configuration again at SIGHUP (systemctl"
    " reload) and at its start."
)

AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
Retroactive = Annotated[
    bool, typer.Option("--retroactive", hidden=True, help="Was needed before rules covered what was there.")
]


@app.command()
def plan(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(readable=False, help="Only files at or below these.", metavar="PATH..."),
    ] = None,
    at: When = None,
    everything: Annotated[bool, typer.Option("--all", help="Also list what stays, with the reason.")] = False,
    save: Annotated[Path | None, typer.Option(help="Keep the plan in a file for `apply --plan`.")] = None,
    json: AsJson = False,
    retroactive: Retroactive = False,
) -> None:
    """Show what would go, by which rule, and what stays and why. Touches nothing.

    Examples: [bold]earmark retention plan[/] · [bold]earmark retention plan --at 2027-01-01 --all --json[/]
    """
    with plain_errors():
        home, config = here()
        with opened_context(home, config, read_only=True) as context:
            wanted = [folder_meant(context, p) for p in paths or []]
            for path in wanted:
                _require_known(context, path)
            found = plan_now(
                context,
                at=instant_of(at) if at else None,
                keep_all=everything or json,
                writes=False,
                only=(lambda p: any(p.is_relative_to(w) for w in wanted)) if wanted else None,
            )
            indexed = 0 if wanted else due_in_index(context, found.now)
            voices = 0 if wanted else due_voices(context, found.now)
            if save is not None:
                saved_plan.save(found, whole(save), context.now())
        if json:
            print_answer(
                "retention plan", plan_document(found) | {"out_of_index": indexed, "voiceprints": voices}
            )
            return
        print_plan(found, config, everything)
        print_index(indexed, config)
        print_voices(voices, config)
        if save is not None:
            print_sentence(f"Saved. Apply it with: earmark retention apply --plan {escape(short(save))}")


def _require_known(context: Context, path: Path) -> None:
    """Raises NotFound for a path at or below which nothing of earmark's is or was."""
    files = [place.path for place in context.ledger.places.all()]
    files += [artifact.path for artifact in context.ledger.artifacts.all()]
    if not any(file.is_relative_to(path) for file in files):
        raise NotFound(f"{path}: no recording and no note of one is or was at or below it")


@app.command("apply")
def apply_plan(
    plan_file: Annotated[
        Path | None, typer.Option("--plan", help="Apply a saved plan; refused if the world has changed.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: AsJson = False,
    retroactive: Retroactive = False,
) -> None:
    """Move what is due to the trash, after showing it and asking. What has come to be held meanwhile stays.

    Examples: [bold]earmark retention apply[/] · [bold]earmark retention apply --plan monday.json --yes[/]
    """
    with plain_errors():
        home, config = here()

        def confirm(found: Plan) -> bool:
            if not json:
                print_plan(found, config, everything=False)
            question = f"Move {counted(len(found.goes), 'file')} ({decimal(found.bytes)}) to the trash?"
            return yes or not found.goes or agreed(question)

        with opened_context(home, config) as context:
            done = verb.sweep(context, plan_file, confirm)
        wake_daemon(home)
        if done is None:
            raise Declined("Nothing was moved.")
        found, report = done
        if json:
            document = {
                "plan": plan_document(found),
                "trashed": report.trashed,
                "purged": report.purged,
                "bytes": report.bytes,
            }
            print_answer("retention apply", document | {"errors": report.errors})
        else:
            print_sentence(report.sentence)
            for sentence in report.errors:
                err.print(escape(readable(sentence)))
            if report.trashed:
                print_sentence("Bring something back with: earmark trash restore FILE")
    if report.errors:
        raise typer.Exit(RetentionError.exit_code)


@app.command()
def status(json: AsJson = False) -> None:
    """Show the rules in force, what the last sweep did, when the next one comes, and what a rule is overdue for.

    Lists every file that a rule should have let go by now: by which rule, since when, why it is still there, and the way
    to decide.

    Example: [bold]earmark retention status --json[/]
    """
    with plain_errors():
        home, config = here()
        with opened_context(home, config, read_only=True) as context:
            now = context.now()
            found = plan_now(context, writes=False, thorough=False)
            late, tops = overdue(context, found), context.ledger.places.folders()
            document = _status(context, found) | {"overdue": [overdue_document(o) for o in late]}
    if json:
        print_answer("retention status", document)
        return
    for name, text in document["rules"].items():
        print_sentence(f"{name:<11} {escape(text) if text != 'no rule' else '[dim]kept for ever[/]'}")
    for scope in ("folder", "tag"):
        for name, rules in document[f"{scope}_rules"].items():
            shown = short(name) if scope == "folder" else name
            for about, text in rules.items():
                print_sentence(f"[dim]{scope}[/] {escape(shown)}: {about}: {escape(text)}")
    last = document["last_sweep"]
    if last is None:
        print_sentence("No sweep yet.")
    else:
        print_sentence(f"Last sweep {ago(last['at'], now)}: {last['outcome']}. {escape(last['sentence'])}")
    print_sentence(f"Next sweep: {moment(document['next_sweep'])} (while the daemon runs)")
    for sentence in (document["stopped"], document["doubt"], document["not_yet"]):
        if sentence:
            print_sentence(f"[yellow]{escape(sentence)}[/]")
    print_sentence(
        f"{counted(document['held'], 'recording')} and {counted(document['held_folders'], 'folder')} held, "
        f"{counted(document['own_rules'], 'rule')} for single recordings"
    )
    print_sentence(
        f"{document['in_trash']} in the trash ({decimal(document['in_trash_bytes'])}), "
        f"{len(found.goes)} due ({decimal(found.bytes)})"
    )
    print_overdue(late, tops)


def _status(context: Context, found: Plan) -> dict[str, Any]:
    ledger, now, policy = context.ledger, context.now(), policy_of(context.config)
    held, in_force = everything_held(context, writes=False), ledger.retention.policy()
    last = ledger.trash.last_sweep()
    troubles = {trouble.subject: trouble.sentence for trouble in ledger.journal.troubles()}
    in_trash = ledger.trash.in_state(TrashState.HERE)
    return {
        "rules": {name: describe(rule) for name, rule in policy.classes.items()},
        "folder_rules": {readable(f): _described(rules) for f, rules in policy.folders.items() if rules},
        "tag_rules": {tag: _described(rules) for tag, rules in policy.tags.items() if rules},
        "own_rules": len({recording for recording, _, _ in ledger.protection.all_item_rules()}),
        "last_sweep": None
        if last is None
        else {
            "at": last.began_at, "outcome": last.outcome, "sentence": last.sentence, "trashed": last.trashed,
            "purged": last.purged, "bytes": last.bytes, "errors": last.errors,
        },
        "next_sweep": max(now, next_sweep(context)),
        "stopped": troubles.get(TROUBLE),
        "doubt": troubles.get(DOUBT),
        "not_yet": NOT_YET if in_force is not None and in_force.digest != policy.digest else None,
        "held": len({h.recording for h in held if h.recording}),
        "held_folders": sum(h.by is By.MARKER for h in held),
        "in_trash": len(in_trash),
        "in_trash_bytes": sum(t.size for t in in_trash),
        "due": len(found.goes),
        "due_bytes": found.bytes,
        "blocked": [decision_document(d) | {"way_out": way_out(d.reason)} for d in found.blocked],
    }  # fmt: skip


def _described(rules: dict[str, RetentionRule]) -> dict[str, str]:
    return {about: describe(rule) for about, rule in rules.items()}


@app.command()
def accept(
    files: Annotated[
        list[Path], typer.Argument(readable=False, metavar="FILE...", help="Recordings or their notes.")
    ],
    undo: Annotated[bool, typer.Option("--undo", help="Let the quality gate decide again.")] = False,
    json: AsJson = False,
) -> None:
    """Say that a transcript is good enough for its audio to go by the rules, although the quality gate failed.

    Correcting the transcript note says the same.

    Example: [bold]earmark retention accept ~/Recordings/noisy.m4a[/]
    """
    with plain_errors(), acting("retention accept", json) as acts:
        home, config = here()
        said = "the gate decides again" if undo else "accepted as it is"
        with opened_context(home, config) as context:
            for meant in [resolve(context, file) for file in files]:
                deciding.accept(context, meant, undo=undo)
                acts.did(meant.shown, said, recording=meant.recording_id)
        wake_daemon(home)


@app.command("set")
def set_rule(
    file: Annotated[
        Path, typer.Argument(readable=False, metavar="FILE", help="A recording or one of its notes.")
    ],
    kind: Annotated[str, typer.Option(help="audio, transcript, summary, sidecar, failed, or all.")] = "all",
    keep_for: Annotated[str | None, typer.Option(help="`36h`, `30d`, `2y5m7d` after it was done.")] = None,
    never: Annotated[bool, typer.Option("--never", help="Never delete it by a rule.")] = False,
    delete_after_done: Annotated[
        bool, typer.Option("--delete-after-done", help="Due at once when done.")
    ] = False,
    clear: Annotated[bool, typer.Option("--clear", help="Back to the folder's or the class's rule.")] = False,
    json: AsJson = False,
) -> None:
    """Give one recording a rule of its own, which comes before folder, tag and class rules.

    Example: [bold]earmark retention set call.m4a --kind audio --keep-for 7d[/]
    """
    with plain_errors(), acting("retention set", json) as acts:
        if kind not in ("all", *CLASSES):
            raise UsageError(
                f"--kind {kind}: there is no such class; it is one of {', '.join(CLASSES)} or all"
            )
        if sum((keep_for is not None, never, delete_after_done, clear)) != 1:
            raise UsageError("say exactly one of --keep-for, --never, --delete-after-done and --clear")
        try:
            span = parse_duration(keep_for) if keep_for is not None else None
        except ValueError as error:
            raise UsageError(f"--keep-for: {error}") from error
        rule = RetentionRule(keep_for=span, never=never, delete_after_done=delete_after_done)
        home, config = here()
        with opened_context(home, config) as context:
            meant = resolve(context, file)
            said = (
                deciding.clear_rule(context, meant)
                if clear
                else deciding.set_rule(context, meant, kind, rule)
            )
        wake_daemon(home)
        acts.did(meant.shown, said, recording=meant.recording_id)


@app.command()
def trust(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: AsJson = False,
) -> None:
    """Say, after damage to the ledger, that all holds are as they should be. Until then nothing is deleted.

    Look first with `earmark hold` and `earmark status`, and hold again what is missing there.

    Example: [bold]earmark retention trust[/]
    """
    with plain_errors(), acting("retention trust", json) as acts:
        home, config = here()
        with opened_context(home, config) as context:
            by = Counter(held.by for held in everything_held(context))
            said = ", ".join(f"{count} by {what}" for what, count in by.items()) or "nothing"
            question = f"Held: {said} (earmark hold lists it). Is that all?"
            if not yes and not agreed(question):
                raise Declined("Nothing was changed.")
            doubted = deciding.trust(context)
        wake_daemon(home)
        if doubted:
            acts.did("holds", "Rules may delete again.", shown="Rules may delete again.")
        else:
            acts.was("holds", "Nothing was in doubt.", shown="Nothing was in doubt.")
