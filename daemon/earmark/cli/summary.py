"""`earmark summary test` and `earmark resummarize`: which server would write summaries, and writing one again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from earmark.cli.acts import acting
from earmark.cli.console import err, here, plain_errors, print_answer, readable
from earmark.cli.lines import print_sentence
from earmark.errors import ConfigError, UsageError
from earmark.verbs import probing, retrying
from earmark.verbs.opening import opened_context, wake_daemon
from earmark.verbs.reading_notes import read_notes
from earmark.verbs.resolve import resolve

app = typer.Typer(no_args_is_help=True, help="See which server would write summaries.")

AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


@app.command("test")
def examine(json: AsJson = False) -> None:
    """Connect as a summary would, ask one small question, and show server, model, window, speed and where it runs.

    A worker confined like the daemon's does it. No word of a recording is sent. Exit code 69 if no server can be used.

    Example: [bold]earmark summary test[/]
    """
    with plain_errors():
        home, config = here()
        if err.is_terminal:
            err.print("[dim]Asking, as the daemon does; a model that has to be loaded takes minutes ...[/]")
        reports = probing.summary_server(home, config)
        if json:
            print_answer("summary test", {"servers": [r.model_dump(mode="json") for r in reports]})
        for report in () if json else reports:
            if report.problem:
                print_sentence(f"[red]✗[/] {escape(report.url)}: {escape(readable(report.problem))}")
                continue
            print_sentence(f"[green]✓[/] {escape(report.url)}  {escape(report.server)}")
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
                print_sentence(f"    {name:<20} {escape(value)}")
        if not any(r.usable for r in reports):
            if not json:
                err.print("Summaries are extractive until a server can be used.")
            raise typer.Exit(69)


def resummarize(
    files: Annotated[
        list[Path] | None, typer.Argument(readable=False, help="Recordings or notes.", metavar="FILE...")
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
    json: AsJson = False,
) -> None:
    """Write summaries again, with another template or model. A note that you edited stays; the new one goes beside it.

    Without --template, a `summary_template` that you changed in the note's frontmatter counts, else the folder's.

    Examples: [bold]earmark resummarize talk.m4a --template lecture[/] · [bold]earmark resummarize --outdated[/]
    """
    with plain_errors(), acting("resummarize", json) as acts:
        if not files and not outdated:
            raise typer.BadParameter("name recordings, or say --outdated")
        if files and outdated:
            raise typer.BadParameter("say one of them: recordings, or --outdated")
        home, config = here()
        if template is not None:
            _require_template(template, home.templates)
        with opened_context(home, config) as context:
            found = [resolve(context, file) for file in files or []]
            wanted = [(meant.recording_id, str(meant.shown)) for meant in found]
            if outdated:
                wanted += [(recording, name) for recording, name, _ in retrying.outdated_summaries(context)]
            for line in read_notes(context, dict.fromkeys(recording_id for recording_id, _ in wanted)):
                acts.say(f"Not read: {line}")
            for recording_id, name in dict.fromkeys(wanted):
                chosen = retrying.resummarize(context, recording_id, name, template)
                said = f"will be summarized again{f' as {chosen}' if chosen else ''}"
                acts.did(name, said, recording=recording_id)
        if wanted and config.summary.endpoint != "none":
            waits = "If no summary server answers, they wait for one: earmark summary test"
            acts.say(waits, shown=f"[dim]{waits}[/]")
        if not wanted:
            acts.say("Nothing to summarize again.")
        wake_daemon(home)


def _require_template(name: str, own: Path) -> None:
    """Raises UsageError if there is no such template, ConfigError if it is wrong."""
    from earmark.summarization.templating import load_template

    try:
        load_template(name, own)
    except ConfigError as error:
        if (own / f"{name}.md").is_file():
            raise
        raise UsageError(f"--{error}") from None
