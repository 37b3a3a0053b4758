"""`earmark speakers`: who speaks in recordings, by name."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from earmark.cli.acts import acting
from earmark.cli.asking import agreed
from earmark.cli.console import (
    err,
    here,
    here_to_look,
    moment,
    plain_errors,
    print_answer,
    readable,
    say_what_is_left,
    short,
    span,
)
from earmark.cli.lines import cell, print_columns, print_sentence
from earmark.context import Context
from earmark.errors import Declined
from earmark.files import counted
from earmark.verbs import naming, remembering
from earmark.verbs.opening import opened_context, wake_daemon
from earmark.verbs.resolve import resolve

app = typer.Typer(
    no_args_is_help=True, help="Name those who speak in recordings; list, merge and forget people."
)

AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
Recording = Annotated[
    Path, typer.Argument(readable=False, metavar="FILE", help="A recording or one of its notes.")
]


@app.command("list")
def list_speakers(
    file: Annotated[
        Path | None,
        typer.Argument(
            readable=False, metavar="FILE", help="A recording or one of its notes; none lists everybody."
        ),
    ] = None,
    json: AsJson = False,
) -> None:
    """List who speaks in a recording, and for how long; or everybody who was named, and whose voice is stored.

    Examples: [bold]earmark speakers list[/] · [bold]earmark speakers list talk.m4a --json[/]
    """
    with plain_errors():
        home, config = here_to_look()
        with opened_context(home, config, read_only=True) as context:
            if file is None:
                _list_people(context, json)
            else:
                _list_recording(context, file, json)


def _list_people(context: Context, json: bool) -> None:
    found, nameless = naming.people(context), context.ledger.voices.nameless()
    likely = context.ledger.voices.count() - nameless - sum(each.voices for each in found)
    on = context.config.remember_voices
    if json:
        print_answer(
            "speakers list",
            {
                "remember_voices": on,
                "people": [asdict(each) for each in found],
                "likely_voices": likely,
                "nameless_voices": nameless,
            },
        )
        return
    if not found:
        print_sentence(
            "Nobody was named yet: earmark speakers name FILE NUMBER NAME, or in the list `speakers` of a note."
        )
    else:
        rows = [
            (
                cell(each.name), str(each.recordings), str(each.voices or ""),
                span(each.voice_seconds) if each.voices else "", moment(each.since),
            )
            for each in found
        ]  # fmt: skip
        print_columns([("name", "recordings", "voice of", "speech", "since"), *rows], right=(1, 2, 3))
    if likely:
        print_sentence(
            f"{counted(likely, 'voice')} more in which somebody who was named is recognized, or may be; nobody said so."
        )
    if nameless:
        print_sentence(f"{counted(nameless, 'voice')} of nobody who was named.")
    if context.ledger.voices.count() and not on:
        print_sentence(remembering.LIE_THERE)


def _list_recording(context: Context, file: Path, json: bool) -> None:
    meant = resolve(context, file)
    found, unsure = naming.speakers(context, meant)
    if json:
        print_answer(
            "speakers list FILE",
            {
                "recording": meant.recording_id, "path": readable(meant.shown), "unsure": unsure,
                "speakers": [asdict(each) for each in found],
            }
        )  # fmt: skip
        return
    rows = [
        (
            str(each.number), cell(each.called), span(each.seconds),
            f"sounds like {cell(each.likely)}" if each.likely else "",
        )
        for each in found
    ]  # fmt: skip
    print_columns([("", "name", "speaks", ""), *rows], right=(0, 2))
    if unsure:
        print_sentence("Who says what is uncertain there, so its notes name nobody.")


@app.command("name")
def name_speaker(
    file: Recording,
    who: Annotated[str, typer.Argument(metavar="NUMBER|NAME", help="Who it is now: 2, or a name.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help='The name; "" takes it back.')],
    json: AsJson = False,
) -> None:
    """Name one who speaks in a recording, in its notes, sidecars and summary. A note that you edited stays as it is.

    Another name in the list `speakers` of a note does the same.

    Examples: [bold]earmark speakers name talk.m4a 2 Anna[/] · [bold]earmark speakers name talk.m4a Anna "Anna Schmidt"[/]
    """
    with plain_errors(), acting("speakers name", json) as acts:
        home, config = here()
        with opened_context(home, config) as context:
            meant = resolve(context, file)
            numbers, kept = naming.name(context, meant, who, name)
            later = naming.waits(context, meant.recording_id)
        wake_daemon(home)
        what = (f"is {kept}" if kept else "has no name") + (
            "; its notes say so with the next run" if later else ""
        )
        for number in numbers:
            acts.did(meant.shown, f"speaker {number} {what}", recording=meant.recording_id)


@app.command()
def merge(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name of somebody.")],
    other: Annotated[str, typer.Argument(metavar="OTHER", help="What they are called from now on.")],
    json: AsJson = False,
) -> None:
    """Let two names be one person's, who goes by the second: in all recordings, and for their voice.

    Example: [bold]earmark speakers merge Ann "Anna Schmidt"[/]
    """
    with plain_errors(), acting("speakers merge", json) as acts:
        home, config = here()
        with opened_context(home, config) as context:
            count, both = naming.merge(context, name, other)
        wake_daemon(home)
        also = f"; in {counted(both, 'recording')} both speak, and are one there from now on" if both else ""
        said = f"is {other} now, in {counted(count, 'recording')}{also}."
        acts.did(name, said, shown=escape(readable(f"{name} {said}")))


@app.command()
def forget(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Whose voice to forget.")] = None,
    everybody: Annotated[bool, typer.Option("--all", help="Every voice there is, named or not.")] = False,
    names: Annotated[
        bool, typer.Option("--names", help="Take the name out of transcripts, notes and summaries, too.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: AsJson = False,
) -> None:
    """Erase somebody's voice: every vector of it, and that they were known. A receipt without a name stays.

    What was said, and by whom, stays as it is, with --names by "Speaker 1". Exit code 65 if anything was left.

    Examples: [bold]earmark speakers forget Anna[/] · [bold]earmark speakers forget --all --yes[/]
    """
    with plain_errors():
        home, config = here()

        def confirmed(doomed: remembering.Doomed) -> bool:
            whose = "everybody" if name is None else name
            said = f"Erase {counted(doomed.vectors, 'voiceprint')} of {readable(whose)}"
            also = f", and the name in {counted(doomed.recordings, 'recording')}" if names else ""
            return yes or agreed(f"{said}{also}?")

        with opened_context(home, config) as context:
            done = remembering.forget(
                context, name, confirmed, everybody=everybody, names=names, wake=lambda: wake_daemon(home)
            )
        if done is None:
            raise Declined("Nothing was erased.")
        wake_daemon(home)
        _report(done, json)
        if not done.complete:
            raise typer.Exit(65)


def _report(done: remembering.Forgotten, json: bool) -> None:
    if json:
        print_answer(
            "speakers forget",
            {
                "voiceprints": done.vectors, "recordings_renamed": done.recordings,
                "named_still": [readable(path) for path in (*done.named_still, *done.others)],
                "in_trash": [readable(row.original) for row in done.in_trash], "receipt": done.receipt,
                "found_again": [readable(path) for path in done.found_again], "compacted": done.compacted,
                "complete": done.complete,
            }
        )  # fmt: skip
        return
    print_sentence(f"Erased: {counted(done.vectors, 'voiceprint')}. Receipt: {done.receipt}")
    for path in done.named_still:
        if path in done.renewed:
            said = "was written anew; the name stands in it still, in what was said or in what you wrote"
        elif path in done.lost:
            said = "is not where it was; the name stands in it wherever it is now, and the ledger has it still, to know that"
        else:
            whose = "is of a recording that is gone" if path in done.left else "was edited by you"
            said = f"{whose} and stays as it is; so the ledger knows the name still, to read that note"
        print_sentence(f"  [yellow]{escape(short(path))} {said}[/]")
    for path in done.others:
        said = "is no file that is written anew; the name stands in it, and stays"
        print_sentence(f"  [yellow]{escape(short(path))} {said}[/]")
    for row in done.in_trash:
        said = f"lies in the trash, with the name in it: earmark trash empty {row.id}, or restore it and say this again"
        print_sentence(f"  [yellow]{escape(short(row.original))} {said}[/]")
    say_what_is_left(done.found_again)
    if not done.compacted:
        err.print("The ledger or a note was in use and could not be written anew; the next sweep does it.")
