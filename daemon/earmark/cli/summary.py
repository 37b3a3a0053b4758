"""`earmark summary test` and `earmark resummarize`: which server would write summaries, and writing one again."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from earmark.cli.console import err, here, open_ledger, out, plain_errors, print_json, readable, short
from earmark.cli.recordings import known_path, wake_daemon
from earmark.config import Config, folder_settings
from earmark.domain import Stage
from earmark.errors import ConfigError, NotFound
from earmark.ledger import Ledger
from earmark.notes.frontmatter import read_frontmatter

app = typer.Typer(no_args_is_help=True, help="See which server would write summaries.")

AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


@app.command("test")
def examine(json: AsJson = False) -> None:
    """Connect as a summary would, ask one small question, and show server, model, window, speed and where it runs.

    No word of a recording is sent. Exit code 69 if no server can be used.

    Example: [bold]earmark summary test[/]
    """
    with plain_errors():
        _, config = here()
        reports = _probe(config)
        if json:
            print_json([asdict(r) for r in reports])
        for report in () if json else reports:
            if report.problem:
                out.print(f"[red]✗[/] {escape(report.url)}: {escape(readable(report.problem))}")
                continue
            out.print(f"[green]✓[/] {escape(report.url)}  {escape(report.server)}")
            window = (
                f"{report.context} tokens"
                if report.context
                else f"unknown; {report.assumed} tokens are planned with"
            )
            for name, value in (
                ("model", report.model), ("context window", window),
                ("structured output", report.structured or "no"),
                ("exact token counts", "yes" if report.tokenizer else "no, learned from usage"),
                ("parallel requests", str(report.slots)),
                ("speed", f"{report.speed:.0f} tokens/s" if report.speed else "unknown"),
                ("first answer after", f"{report.waited:.1f} s"),
                ("runs on", f"{report.made_at} ({report.locality})"),
            ):  # fmt: skip
                out.print(f"    {name:<20} {escape(value)}")
        if not any(r.usable for r in reports):
            if not reports:
                err.print(
                    "No summary server answers on this device; summaries are extractive until one does."
                )
            raise typer.Exit(69)


def resummarize(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Recordings or notes.", metavar="FILE...")
    ] = None,
    template: Annotated[
        str | None,
        typer.Option("--template", "-t", help="meeting, memo, interview, lecture, call, journal, or yours."),
    ] = None,
    outdated: Annotated[
        bool,
        typer.Option(
            "--outdated", help="Every summary made with another template or model than the configuration's."
        ),
    ] = False,
) -> None:
    """Write summaries again, with another template or model. A note that you edited stays; the new one goes beside it.

    Without --template, a `summary_template` that you changed in the note's frontmatter counts, else the folder's.

    Examples: [bold]earmark resummarize talk.m4a --template lecture[/] · [bold]earmark resummarize --outdated[/]
    """
    with plain_errors():
        if not files and not outdated:
            raise typer.BadParameter("name recordings, or say --outdated")
        home, config = here()
        if template is not None:
            _require_template(template, home.templates)
        with open_ledger(home, read_only=False) as ledger:
            wanted = [_recording(ledger, file) for file in files or []]
            if outdated:
                wanted += [(recording, name) for recording, name, _ in outdated_summaries(ledger, config)]
            now = time.time()
            for recording_id, name in dict.fromkeys(wanted):
                chosen = template or _from_note(ledger, recording_id)
                with ledger.transaction():
                    if chosen is not None:
                        ledger.words.wish(recording_id, chosen, now)
                    if not ledger.jobs.requeue(recording_id, Stage.SUMMARIZE, now):
                        raise NotFound(f"{name}: has no transcript yet; it gets its summary when it has one")
                    ledger.journal.note(
                        now,
                        "resummarize",
                        f"Asked for by hand ({chosen or 'the template of its folder'}).",
                        recording_id,
                    )
                out.print(
                    f"{escape(short(name))}: will be summarised again{f' as {chosen}' if chosen else ''}"
                )
        if wanted and config.summary.endpoint != "none":
            out.print("[dim]If no summary server answers, they wait for one: earmark summary test[/]")
        if not wanted:
            out.print("Nothing to summarise again.")
        wake_daemon(home)


def outdated_summaries(ledger: Ledger, config: Config) -> list[tuple[str, str, str]]:
    """(recording, path, why) of summaries made with another template or model than the configuration asks for now.

    An extractive summary is not counted: it is replaced by itself when a server answers.
    """
    found = []
    for recording_id, by, model, template in ledger.words.summaries_made_with():
        places = ledger.places.of(recording_id)
        if by == "extractive" or not places:
            continue
        wanted = (
            ledger.words.wished_template(recording_id) or folder_settings(config, places[0].folder).template
        )
        if template != wanted:
            found.append((recording_id, str(places[0].path), f"made as {template}, now {wanted}"))
        elif config.summary.model not in ("auto", model):
            found.append((recording_id, str(places[0].path), f"made by {model}, now {config.summary.model}"))
    return found


def _probe(config: Config):  # type: ignore[no-untyped-def] # the type lives in a module that loads the HTTP client
    from earmark.summarization.probe import probe, probe_all

    summary = config.summary
    key = summary.api_key_file.read_text("utf-8").strip() if summary.api_key_file else ""
    if summary.endpoint == "none":
        raise ConfigError(
            '[summary] endpoint is "none": no server is asked; set it to "auto" or to an address'
        )
    if summary.endpoint == "auto":
        return probe_all(summary.model, key, summary.timeout_seconds)
    return (
        probe(
            summary.endpoint,
            summary.model,
            key,
            config.privacy,
            summary.allowed_hosts,
            summary.timeout_seconds,
        ),
    )


def _recording(ledger: Ledger, file: Path) -> tuple[str, str]:
    path = known_path(ledger, file)
    place = ledger.place_of(path)
    if place is None:
        raise NotFound(f"{path}: earmark does not know this recording; see: earmark why {file}")
    return place.recording_id, str(place.path)


def _from_note(ledger: Ledger, recording_id: str) -> str | None:
    """A template that the person wrote into the summary note, if it is another than the one the note was made with."""
    summary = ledger.words.summary(recording_id)
    for artifact in ledger.artifacts.of_recording(recording_id):
        if artifact.kind != "summary" or artifact.form != "md":
            continue
        try:
            properties = read_frontmatter(artifact.path.read_text("utf-8")) or {}
        except (OSError, UnicodeDecodeError):
            continue
        wanted = properties.get("summary_template")
        if isinstance(wanted, str) and (summary is None or wanted != summary.template):
            return wanted
    return None


def _require_template(name: str, own: Path) -> None:
    from earmark.summarization.templating import load_template

    load_template(name, own)
