"""`earmark status`: what is being done, what waits and why, what failed, what is wrong."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.live import Live
from rich.markup import escape
from rich.segment import Segment

from earmark import __version__
from earmark.cli.console import ago, here_to_look, moment, one_line, out, plain_errors, print_answer
from earmark.cli.lines import Sentence, below, columns
from earmark.cli.scope import scope_of
from earmark.cli.terminal import done, path_line
from earmark.config import Config
from earmark.context import Context
from earmark.files import counted
from earmark.intake.untaken import closed_in_words, in_words
from earmark.ledger.lock import UNKNOWN
from earmark.locality.confinement.sandbox import NOT_ENFORCED
from earmark.paths import Home
from earmark.report import Report, how_far, in_queue, other_version
from earmark.service.idle import idle, restarts
from earmark.service.reach import Here
from earmark.service.story import Scope
from earmark.standing.gathered import Status, gather
from earmark.standing.saying import (
    COPIES,
    DRAFTS,
    EDITED,
    FAILED,
    WAITING,
    WRONG,
    Part,
    counts,
    grouped,
    heard,
    parts,
    swept,
)
from earmark.verbs.opening import opened_context

SHOWN = 12
"""Files per heading before the rest is only counted."""


_COLORS = {
    FAILED: "red", DRAFTS: "yellow", WRONG: "yellow", WAITING: "cyan", EDITED: "dim", COPIES: "dim",
}  # fmt: skip


def status(
    cli: typer.Context,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Keep showing it until Ctrl-C.")] = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show what is being done, what waits and why, and what is wrong.

    Examples: [bold]earmark status[/] · [bold]earmark status --watch[/] · [bold]earmark status --json | jq .failed[/]
    """
    with plain_errors():
        home, config = here_to_look()
        if not watch:
            with opened_context(home, config, read_only=True) as context:
                found = gather(context, _as_listed(context))
            found = _remedied(found, home, scope_of(cli))
            if json:
                print_answer("status", as_json(found))
            else:
                out.print(show(found))
            return
        with suppress(KeyboardInterrupt):
            _keep_showing(home, config, scope_of(cli), json)


def _as_listed(context: Context) -> Callable[[Path], str]:
    """How a sentence names a file: as the line that stands for it does."""
    tops = {*context.folders, *context.ledger.places.folders()}
    return lambda path: below(path, tops)


def _remedied(found: Status, home: Home, scope: Scope) -> Status:
    """With what starts a daemon that does not run, or starts one of another version anew."""
    if not found.running:
        known = idle(scope, home, Here())
        return replace(found, remedy=known.remedy, elsewhere=known.elsewhere)
    report = found.report
    if report is None or report.version == __version__:
        return found
    return replace(found, remedy=restarts(scope, report.pid, Here()))


def _keep_showing(home: Home, config: Config, scope: Scope, json: bool) -> None:
    """Show the status again and again: in place on a terminal, and whenever it has changed where a program reads it."""
    shown: Status | None = None
    before: tuple[bool, str | None] | None = None
    known: tuple[str, tuple[str, ...]] = ("", ())
    looked: list[list[Segment]] = []
    in_place = out.is_terminal and not json
    with (
        Live(console=out, auto_refresh=False, vertical_overflow="visible")
        if in_place
        else nullcontext() as live
    ):
        while True:
            with opened_context(home, config, read_only=True) as context:
                found = gather(context, _as_listed(context))
            # Systemd is asked once for each time that the daemon has come or gone, and not every second.
            if before != (found.running, found.daemon):
                before, asked = (found.running, found.daemon), _remedied(found, home, scope)
                known = (asked.remedy, asked.elsewhere)
            found = replace(found, remedy=known[0], elsewhere=known[1])
            if live is not None:
                whole = _that_fits(found)
                if (looks := out.render_lines(whole, pad=False)) != looked:
                    looked = looks  # what is taller than the screen moves up with each time that it is shown
                    live.update(whole, refresh=True)
            elif found != shown:
                if json:
                    print_answer("status", as_json(found))
                else:
                    out.print(show(found))
            shown = found
            time.sleep(1.0)


def _that_fits(found: Status) -> Group:
    """With as many files as fit on the screen. The reasons are shown whole, if they fit or not."""
    for shown in (SHOWN, 6, 3, 1):
        whole = show(found, shown)
        if len(out.render_lines(whole, pad=False)) < out.height:
            break
    return whole


def as_json(found: Status) -> dict[str, Any]:
    """The status as plain data; instants are Unix seconds until they are printed."""
    queue = {"queue": found.queue.model_dump() if found.queue else None}
    return asdict(found) | {"report": found.report.model_dump() if found.report else None} | queue


def walls(report: Report) -> str:
    """In a word, whether the system keeps the workers from the network and from other files, as each said when it began."""
    workers = {"transcription": report.sandbox, "summarization": report.summary_sandbox}
    if report.speakers_sandbox:  # where there is such a worker
        workers["telling voices apart"] = report.speakers_sandbox
    if report.search_sandbox:
        workers["search by meaning"] = report.search_sandbox
    missing = [escape(one_line(s)) for said in workers.values() for s in said if s.startswith(NOT_ENFORCED)]
    if missing:
        return f"[yellow]{'; '.join(dict.fromkeys(missing))}[/]"
    unknown = [worker for worker, said in workers.items() if not said]
    if len(unknown) == len(workers):
        return "not measured yet: none was started"
    return "shut by the system" + "".join(f"; not measured yet for {worker}" for worker in unknown)


def _daemon_lines(found: Status) -> list[str]:
    """Whether a daemon runs, as what, on which folders, and what keeps it from working; else what starts it."""
    report = found.report if found.running else None
    lines: list[str] = []
    if report is not None:
        lines.append(f"[green]●[/] running ({found.daemon or UNKNOWN}, since {moment(report.started_at)})")
        lines += [f"  watching {path_line(f)}" for f in report.folders]
        if (other := other_version(report, found.remedy)) is not None:
            lines.append(f"  [yellow]{escape(one_line(other))}[/]")
        lines += [f"  [yellow]{escape(one_line(said))}[/]" for said in found.elsewhere]
        if report.paused:
            lines.append(f"  [red]paused:[/] {escape(one_line(report.paused))}")
        if found.config_newer:
            lines.append(f"  [yellow]{escape(one_line(found.config_newer))}[/]")
        elif report.config_error:
            lines.append(f"  [yellow]old configuration kept:[/] {escape(one_line(report.config_error))}")
        lines.append(f"  workers' network: {walls(report)}  [dim](earmark privacy)[/]")
    elif found.running:
        says = "it says nothing of itself; if that lasts, is the disk full?"
        lines.append(
            f"[green]●[/] running ({found.daemon or UNKNOWN})  [yellow]{says}[/]  [dim](earmark doctor)[/]"
        )
    else:
        lines.append(f"[dim]○ not running[/]  {escape(one_line(found.remedy))}")
        lines += [f"  {escape(one_line(other))}" for other in found.elsewhere]
    return lines


def _work_lines(report: Report, folders: list[Path]) -> list[str]:
    """What is worked on, read, and written by others, and which folders are only looked at now and then."""
    doing = [(f"{work.stage} {done(work)}", work.file) for work in report.working]
    doing += [(how_far(x), x.file) for x in report.reading[:SHOWN]]
    lines = [f"  [cyan]…[/] {escape(what)}  {escape(below(file, folders))}" for what, file in doing]
    if len(report.reading) > SHOWN:
        lines.append(f"  [dim]… and {len(report.reading) - SHOWN} more large files that wait to be read[/]")
    lines += [
        f"  [dim]…[/] is still being written by another program  {escape(below(path, folders))}"
        for path in report.being_written
    ]
    lines += [f"  [yellow]{escape(one_line(said))}[/]" for said in report.unwatched]
    return lines


def _heard_lines(found: Status) -> list[str]:
    """What was not heard as it should be."""
    return [
        f"  [yellow]{escape(one_line(what))}[/]  [dim]({escape(one_line(helps))})[/]"
        for what, helps in heard(found)
    ]


def show(found: Status, shown: int = SHOWN) -> Group:
    """The status for a person; at most so many files below each reason."""
    report = found.report
    lines = _daemon_lines(found)
    lines.append(f"  {counts(found)}")
    if found.queue is not None:
        lines.append(f"  {in_queue(found.queue)}{'' if found.running else ', once it runs'}")
    lines += _heard_lines(found)
    if found.drafts_wait:
        lines.append(f"  [dim]{escape(one_line(found.drafts_wait))}[/]")
    for said in filter(None, (in_words(found.untaken), closed_in_words(found.closed))):
        lines.append(f"  [dim]{escape(one_line(said))}[/]")
    if found.running and report is not None:
        lines += _work_lines(report, _folders(found))
    for part in parts(found):
        lines += ["", f"[bold {_COLORS[part.heading]}]{part.heading}[/]"]
        lines += _grouped(part, _folders(found), shown)
    lines += _later_lines(found)
    return Group(*map(Sentence, lines))


def _folders(found: Status) -> list[Path]:
    return [Path(folder) for folder in found.folders]


def _grouped(part: Part, folders: list[Path], shown: int) -> Iterator[str]:
    """Each reason whole, and below it a line a file, as many as fit."""
    for reason, files, more in grouped(part.lines, shown):
        yield f"  {escape(one_line(reason))}"
        names = [
            (f"[dim]{ago(x.since) if x.since else ''}[/]", escape(below(x.path, folders))) for x in files
        ]
        yield from (f"    {line.lstrip()}" for line in columns(names))
        if more:
            yield f"    [dim]and {more} more (earmark {part.command})[/]"


def _later_lines(found: Status) -> Iterator[str]:
    """What was swept, and what could be made better."""
    if found.last_sweep is not None:
        yield from ("", f"[dim]last retention sweep {escape(one_line(swept(found, ago)))}[/]")
    if found.outdated_summaries:
        made = counted(found.outdated_summaries, "summary was", "summaries were")
        yield ""
        yield (
            f"[dim]{made} made with another template or model; "
            "to redo, if you like: earmark resummarize --outdated[/]"
        )
    if found.words_offered:
        what = "A name or term" if found.words_offered == 1 else f"{found.words_offered} names or terms"
        yield ""
        yield f"[dim]{what} that you corrected more than once can be heard rightly: earmark vocabulary list[/]"
    for reason, count in Counter(x.reason for x in found.wants_better_summary).most_common(3):
        yield ""
        what = f"{counted(count, 'recording')} with an extractive summary"
        yield f"[dim]{what}; a better one waits: {escape(one_line(reason))}[/]"
