"""What a person sees while the daemon runs in a terminal: a line per event, and a moving line for what is under way."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from earmark.below import below
from earmark.cli.console import readable, short, span
from earmark.events import Event
from earmark.files import counted
from earmark.ledger import Swept
from earmark.log import plain
from earmark.report import Queue, Reading, Report, Working, how_far, in_queue

QUIET = frozenset(
    (
        Event.KNOWN, Event.SANDBOX, Event.WORKER_WELL, Event.SUMMARIZING, Event.NOTE_FOLLOWED, Event.TRASHED,
        Event.PURGED, Event.NOTES_FOUND,
    )
)  # fmt: skip

MOST_READ = 6
"""Files that are being read, and that the moving line has room for."""

Line = Callable[[MutableMapping[str, Any]], str | None]


def _line(text: object) -> str:
    """Text for one line of the log: a name may hold the end of a line, and what follows would pass for a line of ours."""
    return escape(readable(text).replace("\n", "\\n"))


def _name(event: MutableMapping[str, Any]) -> str:
    return _line(event.get("shown") or _bare(event))


def _bare(event: MutableMapping[str, Any]) -> str:
    return Path(event.get("file") or event.get("name", "")).name


def _of(event: MutableMapping[str, Any]) -> str:
    """What a file has the content of."""
    return _line(event.get("shown_of") or short(event["of"])) if event.get("of") else "another recording"


def _said(event: MutableMapping[str, Any]) -> str:
    """The sentence. The log of a service has none of a worker's: the ledger has it."""
    return _line(event.get("sentence") or "the reason is in: earmark why")


def _missing(event: MutableMapping[str, Any]) -> str:
    stay = "; its notes stay" if "notes" in event.get("sentence", "") else ""
    return f"[dim]- {_name(event)}  is not in the folder any more{stay}[/]"


def _summarized(event: MutableMapping[str, Any]) -> str:
    by = f"summary by {_line(event['by'])}" if event.get("by") else "summarized"
    return f"[dim]  {_name(event)}  {by}[/]"


def _sweep(event: MutableMapping[str, Any]) -> str | None:
    quiet = event.get("outcome") in (Swept.NOTHING, Swept.SWEPT)
    if quiet and not event.get("trashed") and not event.get("purged"):
        return None
    return (
        f"[dim]retention: {event['outcome']}; {event['trashed']} to the trash, {event['purged']} purged "
        "(earmark retention plan)[/]"
    )


_SENTENCES: dict[str, Line] = {
    Event.SWEEP: _sweep,
    Event.WATCHING: lambda e: (
        ("Once through " if e.get("once") else "Watching ")
        + ", ".join(f"[bold]{_line(f)}[/]" for f in e["folders"])
        + ("  [dim](ends when all is done)[/]" if e.get("once") else "  [dim](Ctrl-C stops)[/]")
    ),
    Event.ACCEPTED: lambda e: f"[cyan]+[/] {_name(e)}",
    Event.SAME_CONTENT: lambda e: (
        f"[cyan]=[/] {_name(e)}  [dim]same content as {_of(e)}; not transcribed twice[/]"
    ),
    Event.RENAMED: lambda e: f"[cyan]~[/] {_name(e)}  [dim]renamed; its notes follow[/]",
    Event.REPLACED: lambda e: f"[cyan]![/] {_name(e)}  [dim]has other content now[/]",
    Event.CONTINUED: lambda e: f"[cyan]+[/] {_name(e)}  [dim]goes on; it is transcribed to its new end[/]",
    Event.BACK: lambda e: f"[cyan]+[/] {_name(e)}  [dim]is here again[/]",
    Event.MISSING: _missing,
    Event.REFUSED: lambda e: f"[yellow]?[/] {_name(e)} {_said(e)}",
    Event.STILL_WRITTEN: lambda e: f"[dim]… {_name(e)}  is still being written[/]",
    Event.READING: lambda e: f"[dim]… {_name(e)}  {_said(e)}[/]",
    Event.PERHAPS_PARTIAL: lambda e: f"[dim]… {_name(e)}  may be a partial file; {_said(e)}[/]",
    Event.TRANSCRIBING: lambda e: (
        f"[dim]  {_name(e)}  {'hearing the draft again' if e.get('again') else 'transcribing'}{_again(e)}[/]"
    ),
    Event.TRANSCRIBED: lambda e: f"[dim]  {_name(e)}  {span(e['seconds'])} heard[/]",
    Event.TELLING_APART: lambda e: f"[dim]  {_name(e)}  telling voices apart{_again(e)}[/]",
    Event.TOLD_APART: lambda e: f"[dim]  {_name(e)}  {_told_apart(e)}[/]",
    Event.NOT_TOLD_APART: lambda e: f"[dim]  {_name(e)}  {_said(e)}[/]",
    Event.WRITTEN: lambda e: f"[green]✓[/] {_name(e)} → [bold]{_line(e['note'])}[/]",
    Event.SUMMARIZED: _summarized,
    Event.NOT_TRANSCRIBED: lambda e: f"[red]✗[/] {_name(e)}: {_said(e)}",
    Event.NOT_SUMMARIZED: lambda e: f"[dim]  {_name(e)}  {_said(e)}[/]",
    Event.NOT_WRITTEN: lambda e: f"[red]✗[/] {_name(e)}: {_said(e)}",
    Event.WORKER_DIED: lambda e: f"[yellow]![/] {_name(e)}: {_said(e)}",
    Event.WENT_WRONG: lambda e: f"[red]✗[/] {_name(e)}: {_said(e)}" if e.get("sentence") else None,
    Event.STOPPED: lambda e: None if e.get("once") else f"[dim]Stopped.{_goes_on(e)}[/]",
    Event.CAUGHT_UP: lambda _: "[dim]Nothing left to do.[/]",
}
"""Events that have a line of their own; any other is shown by its sentence."""


def _goes_on(event: MutableMapping[str, Any]) -> str:
    return " What was not finished goes on at the next start." if event.get("unfinished", True) else ""


def _told_apart(event: MutableMapping[str, Any]) -> str:
    count = event["speakers"]
    return f"{counted(count, 'speaker')}{' (uncertain)' if event['unsure'] else ''}" if count else "one voice"


def _again(event: MutableMapping[str, Any]) -> str:
    again = f" (attempt {event['attempt']})" if event.get("attempt", 1) > 1 else ""
    return again + (f" from {span(event['resume_at'])}" if event.get("resume_at") else "")


def sentence(_: Any, level: str, event: MutableMapping[str, Any]) -> str | None:
    """One event as a line of rich markup; None for what a person need not see."""
    name = str(event.get("event", ""))
    if name in QUIET:
        return None
    if name in _SENTENCES:
        return _SENTENCES[name](event)
    color = {"warning": "yellow", "error": "red"}.get(str(event.get("level", level)), "dim")
    if "sentence" in event:
        name_first = f"{_name(event)}: " if event.get("file") else ""
        said = (
            _said(event)
            .removeprefix(name_first)
            .removeprefix(f"{_line(_bare(event))}: " if name_first else "")
        )
        return f"[{color}]{name_first}{said}[/]"
    trace = event.pop("exception", None)
    line = _line(plain(None, level, event))
    return f"[{color}]{line}{escape(readable(f'{chr(10)}{trace}')) if trace else ''}[/]"


class Screen:
    """Prints events above a live line of progress (on a terminal), or plain lines (anywhere else). A file is called as in
    `list`: by its path below the folder that is watched.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._shown: tuple[Working | Reading | Queue, ...] = ()
        self._folders: tuple[Path, ...] = ()

    def render(self, logger: Any, level: str, event: MutableMapping[str, Any]) -> str:
        """A structlog renderer that prints by itself."""
        if event.get("event") == Event.READING and self._console.is_terminal:
            return ""  # the moving line says it
        if event.get("event") == Event.WATCHING:
            self._folders = tuple(map(Path, event["folders"]))
        line = sentence(logger, level, {**self._names(event), **event})
        if line is not None:
            self._console.print(line)
        return ""

    def _names(self, event: MutableMapping[str, Any]) -> dict[str, str]:
        """How the files of an event are called."""
        said = {"shown": event.get("file") or event.get("name"), "shown_of": event.get("of")}
        return {
            key: self._below(path) for key, path in said.items() if path and Path(str(path)).is_absolute()
        }

    def _below(self, path: str | Path) -> str:
        return below(path, self._folders, short)

    def progress(self, report: Report) -> None:
        """Show what is under way: `12:15 / 48:00`, or chunks of a summary `3 / 7`, or bytes of a large file."""
        reading = report.reading[:MOST_READ]
        queued = (
            (report.queue,) if report.queue is not None and report.queue.of > 1 and report.working else ()
        )
        if not self._console.is_terminal or (*report.working, *reading, *queued) == self._shown:
            return
        self._shown = (*report.working, *reading, *queued)
        if not self._shown:
            self.close()
            return
        table = Table.grid(padding=(0, 2))
        for read in reading:
            table.add_row("[cyan]…[/]", escape(readable(self._below(read.file))), how_far(read))
        for work in report.working:
            table.add_row(
                "[cyan]…[/]", escape(readable(self._below(work.file))), f"{_VERB[work.stage]} {done(work)}"
            )
        for queue in queued:
            table.add_row("", "", in_queue(queue))
        if self._live is None:
            self._live = Live(console=self._console, transient=True, auto_refresh=False)
            self._live.start()
        self._live.update(table, refresh=True)

    def close(self) -> None:
        """Take the moving line away."""
        if self._live is not None:
            self._live.stop()
            self._live = None
        self._shown = ()


_VERB = {"transcribe": "transcribing", "diarize": "telling voices apart", "summarize": "summarizing"}


def done(work: Working) -> str:
    """How far a piece of work is."""
    if work.stage == "summarize":
        return f"{work.at:.0f} / {work.total:.0f}" if work.total else ""
    far = f"{span(work.at)} / {span(work.total)}" if work.total else span(work.at)
    return f"{far}, after a short one that came meanwhile" if work.aside else far


def path_line(path: str) -> str:
    """A path for a list, short."""
    return escape(short(path))
