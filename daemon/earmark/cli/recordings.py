"""`earmark list`, `earmark why`, `earmark retry`: recordings as the ledger knows them."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from earmark.cli.console import (
    here_to_look,
    moment,
    open_ledger,
    out,
    plain_errors,
    print_json,
    readable,
    short,
    span,
)
from earmark.config import folder_settings
from earmark.domain import JobState, Stage
from earmark.errors import NotFound
from earmark.intake.rules import Rules
from earmark.ledger import Ledger, Place
from earmark.ledger.journal import Event
from earmark.ledger.lock import is_held
from earmark.paths import Home, platform_home
from earmark.supervisor.report import read_report

STATES = ("waiting", "transcribing", "transcribed", "done", "failed", "parked", "not written", "gone")


@dataclass(frozen=True, slots=True)
class Listed:
    """One recording at one path. `state` in one word; `reason` if there is one to give."""

    path: str
    state: str
    duration: float | None
    recording: str
    notes: tuple[str, ...]
    reason: str


def state_of(ledger: Ledger, place: Place) -> tuple[str, str]:
    """State and reason of a place, in words."""
    heard = ledger.jobs.of(place.recording_id, Stage.TRANSCRIBE)
    summed = ledger.jobs.of(place.recording_id, Stage.SUMMARIZE)
    if place.trouble and place.gone_at is None:
        return "not written", place.trouble
    if heard is not None and heard.state is not JobState.DONE:
        words = {"waiting": "waiting", "claimed": "transcribing", "failed": "failed", "parked": "parked"}
        return words[heard.state.value], heard.reason or ""
    if summed is not None and summed.state in (JobState.WAITING, JobState.CLAIMED):
        return "transcribed", summed.reason or ""
    if summed is not None and summed.state in (JobState.PARKED, JobState.FAILED):
        return "done", summed.reason or ""
    return "done", ""


def list_recordings(
    state: Annotated[
        str | None, typer.Option(help="Only this state: waiting, transcribing, failed, done ...")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List recordings and their notes.

    Examples: [bold]earmark list[/] · [bold]earmark list --state failed --json[/]
    """
    with plain_errors(), open_ledger(platform_home()) as ledger:
        if state is not None and state not in STATES:
            raise typer.BadParameter(f"{state} is not a state; there are: {', '.join(STATES)}")
        rows = []
        for place in ledger.places.all():
            word, reason = state_of(ledger, place)
            if place.gone_at is not None:
                word = f"{word}, file gone"
            recording = ledger.places.recording(place.recording_id)
            notes = tuple(
                str(a.path) for a in ledger.artifacts.of_place(place.path) if a.state in ("here", "edited")
            )
            if state is None or state in word:
                rows.append(
                    Listed(
                        str(place.path),
                        word,
                        recording.duration if recording else None,
                        place.recording_id,
                        notes,
                        reason,
                    )
                )
        if json:
            print_json([asdict(row) for row in rows])
            return
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in ("recording", "length", "state", "notes"):
            table.add_column(heading, overflow="fold")
        for row in rows:
            table.add_row(
                escape(short(row.path)), span(row.duration),
                escape(row.state + (f": {readable(row.reason)}" if row.reason and not row.state.startswith("done") else "")),
                escape(", ".join(readable(Path(n).name) for n in row.notes)),
            )  # fmt: skip
        out.print(table if rows else "No recordings yet.")


def why(
    file: Annotated[Path, typer.Argument(help="A recording, a note, or a file that was not taken.")],
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Tell the story of one file: what was decided about it, when and why.

    Example: [bold]earmark why ~/Recordings/standup.m4a[/]
    """
    with plain_errors():
        home, _ = here_to_look()
        with open_ledger(home) as ledger:
            path = known_path(ledger, file)
            artifact = ledger.artifacts.at(path)
            place = ledger.place_of(path)
            recording_id = place.recording_id if place else (artifact.recording_id if artifact else None)
            events = ledger.journal.events(recording_id, path)
            reasons = [t.sentence for t in ledger.journal.troubles() if t.subject == str(path)]
            if place is None and not events and not reasons:
                reasons = [_why_not(home, path)]
            if place is not None:
                word, reason = state_of(ledger, place)
                if artifact is not None and artifact.state == "edited":
                    reason = "you edited this note: it stays as it is, and newer versions go beside it"
            else:
                word, reason = _elsewhere(ledger, events) or ("not taken", "; ".join(reasons))
        if json:
            print_json(
                {
                    "path": str(path), "recording": recording_id, "state": word, "reason": reason,
                    "events": [asdict(e) for e in events],
                }
            )  # fmt: skip
            return
        out.print(
            f"[bold]{escape(short(path))}[/]: {word}{f' ({escape(readable(reason))})' if reason else ''}"
        )
        for event in events:
            out.print(f"  [dim]{moment(event.at)}[/]  {event.what:<16} {escape(readable(event.detail))}")


def _elsewhere(ledger: Ledger, events: list[Event]) -> tuple[str, str] | None:
    """For a path that holds nothing any more: where its recording is now."""
    recording_id = next((e.recording_id for e in reversed(events) if e.recording_id), None)
    now_at = [p for p in ledger.places.of(recording_id) if p.gone_at is None] if recording_id else []
    return ("renamed", f"it is {short(now_at[0].path)} now") if now_at else None


def known_path(ledger: Ledger, file: Path) -> Path:
    """The file that a person means: the path itself, or for a bare name the only recording or note that is called so."""
    path = file.expanduser().absolute()
    if len(file.parts) > 1 or os.path.lexists(path) or ledger.places.at(path) or ledger.artifacts.at(path):
        return path
    called = {p.path for p in ledger.places.all() if p.path.name == file.name}
    called |= {a.path for a in ledger.artifacts.all() if a.path.name == file.name and a.state != "gone"}
    return called.pop() if len(called) == 1 else path


def _why_not(home: Home, path: Path) -> str:
    """Why a file that is in no table was not taken: the naming rules can say, or it is in no watched folder."""
    _, config = here_to_look()
    report = read_report(home.status_file)
    watched = [Path(f) for f in report.folders] if report else [f.path for f in config.folder]
    folder = next((f for f in watched if path.is_relative_to(f)), None)
    if not os.path.lexists(path):
        raise NotFound(f"{path}: there is no such file, and earmark has never seen it")
    if folder is None:
        return f"it is in none of the watched folders ({', '.join(map(str, watched)) or 'none'})"
    if report and str(path) in (*report.settling, *report.being_written):
        return "it is still settling: it is taken when it has stopped changing"
    settings = folder_settings(config, folder)
    rules = Rules(settings.ignore)
    relative = path.relative_to(folder)
    for depth, part in enumerate(relative.parts[:-1], start=1):
        if not settings.recursive:
            return "it is in a subfolder, and this folder is not read recursively"
        if reason := rules.why_not_folder(part, str(Path(*relative.parts[:depth]))):
            return f"the folder {part} is not looked into: {reason}"
    if reason := rules.why_not(path.name, str(relative)):
        return reason
    running = (
        "it will be looked at within a minute" if is_held(home.lock_file) else "the daemon is not running"
    )
    return f"nothing speaks against it; {running}"


def retry(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Recordings to try again.", metavar="FILE...")
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Everything that failed.")] = False,
    summary: Annotated[bool, typer.Option("--summary", help="Only the summary, not the transcript.")] = False,
) -> None:
    """Try recordings again from the start: after a failure, or with another model.

    Examples: [bold]earmark retry bad.mp3[/] · [bold]earmark retry --failed[/] · [bold]earmark retry --summary talk.m4a[/]
    """
    with plain_errors():
        if not files and not failed:
            raise typer.BadParameter("name recordings, or say --failed")
        home = platform_home()
        with open_ledger(home, read_only=False) as ledger:
            wanted = _wanted(ledger, files or [], failed)
            now = time.time()
            for recording_id, stage, name in wanted:
                again = Stage.SUMMARIZE if summary and ledger.words.transcript(recording_id) else stage
                with ledger.transaction():
                    if again is Stage.TRANSCRIBE:
                        ledger.words.drop_checkpoint(recording_id)
                    ledger.jobs.requeue(recording_id, again, now)
                    ledger.journal.note(now, "retried", f"Asked for by hand ({again}).", recording_id)
                out.print(f"{escape(short(name))}: will be tried again ({again})")
        if not wanted:
            out.print("Nothing to try again.")
        wake_daemon(home)


def _wanted(ledger: Ledger, files: list[Path], failed: bool) -> list[tuple[str, Stage, str]]:
    wanted = []
    for file in files:
        path = known_path(ledger, file)
        place = ledger.place_of(path)
        if place is None:
            raise NotFound(f"{path}: earmark does not know this recording; see: earmark why {file}")
        wanted.append((place.recording_id, Stage.TRANSCRIBE, str(place.path)))
    if failed:
        for job in ledger.jobs.all():
            if job.state is JobState.FAILED:
                places = ledger.places.of(job.recording_id)
                wanted.append(
                    (job.recording_id, job.stage, str(places[0].path) if places else job.recording_id)
                )
    return wanted


def wake_daemon(home: Home) -> None:
    """Tell a running daemon that the ledger was changed under it."""
    report = read_report(home.status_file)
    if report is not None and is_held(home.lock_file):
        with contextlib.suppress(OSError):
            os.kill(report.pid, signal.SIGUSR1)
