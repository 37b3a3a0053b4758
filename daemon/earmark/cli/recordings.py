"""`earmark list`, `earmark why`, `earmark retry`: recordings as the ledger knows them."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from earmark.cli.console import (
    err,
    here_to_look,
    moment,
    out,
    plain_errors,
    print_json,
    readable,
    short,
    span,
)
from earmark.config import folder_settings
from earmark.context import Context
from earmark.domain import ArtifactState, JobState, Kind, Stage, Transcript
from earmark.errors import NotFound
from earmark.files import is_locked, read_bytes
from earmark.formats import HEAD, of_others
from earmark.intake.folder import rules_of
from earmark.intake.rules import settle_times
from earmark.ledger import Artifact, Ledger, Place
from earmark.ledger.journal import Entry
from earmark.notes.damage import QUIET, damage, untranslated_as
from earmark.pipeline import drafts
from earmark.report import how_far, read_report
from earmark.translation import is_translated
from earmark.verbs import retrying
from earmark.verbs.known import known_path
from earmark.verbs.opening import opened_context, wake_daemon

STATES = (
    "waiting",
    "transcribing",
    "transcribed",
    "draft",
    "done",
    "failed",
    "parked",
    "not written",
    "gone",
)


@dataclass(frozen=True, slots=True)
class Listed:
    """One recording at one path.

    `state` in one word; `reason` if there is one to give; `not_heard`: why words may be missing; `whole`: false if it is
    because something was not heard at all, and not for its level only.
    """

    path: str
    state: str
    duration: float | None
    recording: str
    notes: tuple[str, ...]
    reason: str
    not_heard: tuple[str, ...]
    whole: bool


def state_of(context: Context, place: Place) -> tuple[str, str]:
    """State and reason of a place, in words."""
    ledger = context.ledger
    heard = ledger.jobs.of(place.recording_id, Stage.TRANSCRIBE)
    draft = ledger.drafts.of(place.recording_id)
    told = ledger.jobs.of(place.recording_id, Stage.DIARIZE)
    summed = ledger.jobs.of(place.recording_id, Stage.SUMMARIZE)
    if place.trouble and place.here:
        return "not written", place.trouble
    if draft is not None and not draft.kept:
        return "draft", drafts.of_one(draft, context.config)
    if heard is not None and heard.state is not JobState.DONE:
        words = {"waiting": "waiting", "claimed": "transcribing", "failed": "failed", "parked": "parked"}
        return words[heard.state.value], heard.reason or ""
    for job in (told, summed):
        if job is not None and job.state in (JobState.WAITING, JobState.CLAIMED):
            return "transcribed", job.reason or ""
    if summed is not None and summed.state in (JobState.PARKED, JobState.FAILED):
        return "done", summed.reason or ""
    return "done", f"its transcript is a draft and stays one: {draft.kept}" if draft is not None else ""


def list_recordings(
    state: Annotated[
        str | None, typer.Option(help="Only this state: waiting, transcribing, failed, done ...")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List recordings and their notes.

    Examples: [bold]earmark list[/] · [bold]earmark list --state failed --json[/]
    """
    with plain_errors():
        if state is not None and state not in STATES:
            raise typer.BadParameter(f"{state} is not a state; there are: {', '.join(STATES)}")
        home, config = here_to_look()
        with opened_context(home, config, read_only=True) as context:
            words = context.ledger.words
            not_whole, quiet = words.not_whole(), words.softer_than(QUIET)
            listed = [_listed(context, place, not_whole, quiet) for place in context.ledger.places.all()]
        rows = [row for row in listed if state is None or state in row.state]
        if json:
            print_json([asdict(row) for row in rows])
            return
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in ("recording", "length", "state", "notes"):
            table.add_column(heading, overflow="fold")
        for row in rows:
            reason = f": {readable(row.reason)}" if row.reason and not row.state.startswith("done") else ""
            reason += ", not all of it heard" if not row.whole else ", very quiet" if row.not_heard else ""
            table.add_row(
                escape(short(row.path)),
                span(row.duration),
                escape(row.state + reason),
                escape(", ".join(readable(Path(n).name) for n in row.notes)),
            )
        nothing = "No recordings yet." if state is None else f"No recording is in the state {state}."
        out.print(table if rows else nothing)


def _listed(context: Context, place: Place, not_whole: Collection[str], quiet: Collection[str]) -> Listed:
    word, reason = state_of(context, place)
    ledger = context.ledger
    recording = ledger.recordings.get(place.recording_id)
    notes = tuple(str(a.path) for a in ledger.artifacts.of_place(place) if a.on_disk)
    return Listed(
        str(place.path),
        word if place.here else f"{word}, file gone",
        recording.duration if recording else None,
        place.recording_id,
        notes,
        reason,
        _not_heard(ledger, ledger.words.transcript(place.recording_id))
        if place.recording_id in not_whole or place.recording_id in quiet
        else (),
        place.recording_id not in not_whole,
    )


def _not_heard(ledger: Ledger, transcript: Transcript | None) -> tuple[str, ...]:
    """Why words of it may be missing."""
    if transcript is None:
        return ()
    return tuple(damage(transcript, draft=ledger.drafts.owed(transcript.recording_id)))


def why(
    file: Annotated[
        Path, typer.Argument(readable=False, help="A recording, a note, or a file that was not taken.")
    ],
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Tell the story of one file: what was decided about it, when and why.

    Example: [bold]earmark why ~/Recordings/standup.m4a[/]
    """
    with plain_errors():
        home, config = here_to_look()
        with opened_context(home, config, read_only=True) as context:
            ledger, path = context.ledger, known_path(context, file)
            artifact, place = ledger.artifacts.at(path), ledger.place_of(path)
            recording_id = place.recording_id if place else (artifact.recording_id if artifact else None)
            events = ledger.journal.events(recording_id, path)
            reasons = [t.sentence for t in ledger.journal.troubles() if t.subject == str(path)]
            if place is None and (progress := _being_read(context, path)) is not None:
                reasons.insert(0, progress)
            if place is None and not reasons and (not events or os.path.lexists(path)):
                reasons = [_why_not(context, path)]
            if place is not None:
                word, reason = state_of(context, place)
                if artifact is not None and artifact.state is ArtifactState.EDITED:
                    reason = _edited(ledger, artifact)
            else:
                word, reason = _elsewhere(ledger, events) or ("not taken", "; ".join(reasons))
            transcript = ledger.words.transcript(recording_id) if recording_id else None
            not_heard = _not_heard(ledger, transcript)
            not_translated = untranslated_as(transcript) if transcript else []
            translated = transcript is not None and is_translated(transcript)
        if json:
            print_json(
                {
                    "path": str(path), "recording": recording_id, "state": word, "reason": reason,
                    "not_heard": not_heard, "translated": "en" if translated else None,
                    "not_translated": not_translated, "events": [asdict(e) for e in events],
                }
            )  # fmt: skip
            return
        out.print(
            f"[bold]{escape(short(path))}[/]: {word}{f' ({escape(readable(reason))})' if reason else ''}"
        )
        for sentence in (*not_heard, *not_translated):
            out.print(f"  [yellow]{escape(sentence)}[/]")
        for event in events:
            out.print(
                f"  [dim]{moment(event.at)}[/]  {escape(readable(event.what)):<16} {escape(readable(event.detail))}"
            )


def _edited(ledger: Ledger, artifact: Artifact) -> str:
    """What is said of a note that a person changed."""
    if artifact.mergeable:
        return "you changed this note: your words and properties are kept in each later version, and no rule takes it"
    said = "you edited this note: it stays as it is, and newer versions go beside it"
    later = artifact.kind is Kind.TRANSCRIPT and artifact.words_rev != ledger.words.revision(
        artifact.recording_id
    )
    return f"{said}; words that you correct are read in the newest one" if later else said


def _elsewhere(ledger: Ledger, events: list[Entry]) -> tuple[str, str] | None:
    """For a path that holds nothing any more: where its recording is now."""
    recording_id = next((e.recording_id for e in reversed(events) if e.recording_id), None)
    now_at = [p for p in ledger.places.of(recording_id) if p.here] if recording_id else []
    return ("renamed", f"it is {short(now_at[0].path)} now") if now_at else None


def _why_not(context: Context, path: Path) -> str:
    """Why a file that is in no table was not taken: the naming rules can say, or it is in no watched folder."""
    folder = next((f for f in context.folders if path.is_relative_to(f)), None)
    try:
        is_folder = stat.S_ISDIR(os.lstat(path).st_mode)
    except PermissionError:
        shut = next((p for p in path.parents if os.path.isdir(p)), path.parent)  # noqa: PTH112 - false where not allowed
        return f"the folder {shut} may not be looked into; give earmark permission to read and enter it"
    except OSError:
        raise NotFound(f"{path}: there is no such file, and earmark has never seen it") from None
    if is_folder and path in context.folders:
        return "it is a folder that is watched; ask about a file in it"
    if folder is None:
        return f"it is in none of the watched folders ({', '.join(map(str, context.folders)) or 'none'})"
    settings = folder_settings(context.config, folder)
    rules = rules_of(folder, settings.ignore)
    relative = path.relative_to(folder)
    for depth, part in enumerate(relative.parts[:-1], start=1):
        if not settings.recursive:
            return "it is in a subfolder, and this folder is not read recursively"
        if reason := rules.why_not_folder(part, str(Path(*relative.parts[:depth]))):
            return f"the folder {part} is not looked into: {reason}"
    if is_folder and settings.recursive:
        reason = rules.why_not_folder(path.name, str(relative))
        return f"it is not looked into: {reason}" if reason else "it is a folder; ask about a file in it"
    if reason := rules.why_not(path.name, str(relative)):
        return reason
    with suppress(OSError):
        if not is_folder and of_others(path.name, read_bytes(path, most=HEAD)):
            return f"it is another program's: files that end in {path.suffix} are not always sound, and its content is none"
    if not is_locked(context.home.lock_file):
        return "nothing speaks against it; the daemon is not running"
    report = read_report(context.home.status_file)
    if report is not None and report.paused:
        return f"nothing speaks against it; the daemon is paused: {report.paused}"
    return (
        _what_it_waits_for(context, path) or "nothing speaks against it; it will be looked at within a minute"
    )


def _being_read(context: Context, path: Path) -> str | None:
    """How far the running daemon is with a file that it reads, or will read; None for any other."""
    report = read_report(context.home.status_file) if is_locked(context.home.lock_file) else None
    reading = next((r for r in report.reading if r.file == str(path)), None) if report else None
    if reading is None:
        return None
    return f"it {how_far(reading)}" if reading.waits else f"it is being read: {how_far(reading)}"


def _what_it_waits_for(context: Context, path: Path) -> str | None:
    """What keeps a file from being taken that the running daemon has seen, or will see; None if that is not known."""
    report, settle = read_report(context.home.status_file), context.config.intake.settle_seconds
    wait = f"{settle * settle_times(path.name):g} s"
    if report and str(path) in report.being_written:
        return f"another program has it open for writing: it is taken {wait} after that has let go of it"
    if settle_times(path.name) > 1:
        return (
            "its name is like that of a file that is still being downloaded or synced: it is taken when it has stayed the "
            f"same for {wait} (under another name {settle:g} s are enough)"
        )
    return (
        f"it is taken when it has stayed the same for {wait}"
        if report and str(path) in report.settling
        else None
    )


def retry(
    files: Annotated[
        list[Path] | None, typer.Argument(readable=False, help="Recordings to try again.", metavar="FILE...")
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Everything that failed.")] = False,
    summary: Annotated[
        bool, typer.Option("--summary", hidden=True, help="What `earmark resummarize` does.")
    ] = False,
    speakers: Annotated[
        bool, typer.Option("--speakers", help="Only who says what, and the summary.")
    ] = False,
) -> None:
    """Try recordings again from the start: after a failure, or with another model. Of a draft, the better one now.

    Examples: [bold]earmark retry bad.mp3[/] · [bold]earmark retry --failed[/] · [bold]earmark retry --speakers talk.m4a[/]
    """
    with plain_errors():
        if not files and not failed:
            raise typer.BadParameter("name recordings, or say --failed")
        if summary and speakers:
            raise typer.BadParameter("--speakers makes the summary again too; say one of the two")
        home, config = here_to_look()
        with opened_context(home, config) as context:
            only = Stage.SUMMARIZE if summary else Stage.DIARIZE if speakers else None
            wanted = retrying.to_retry(context, files or [], failed=failed, only=only)
            refused = {again: why for again in wanted if (why := retrying.why_not(context, again))}
            for again in wanted:
                if again in refused:
                    err.print(f"{escape(short(again.name))}: {escape(readable(refused[again]))}")
                else:
                    out.print(f"{escape(short(again.name))}: {retrying.retry(context, again)}")
        if not wanted:
            out.print("Nothing to try again.")
        wake_daemon(home)
        if files and refused:
            raise typer.Exit(NotFound.exit_code)
