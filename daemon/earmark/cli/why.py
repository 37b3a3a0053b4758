"""`earmark why`: the story of one file."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from earmark.cli.console import here_to_look, moment, out, plain_errors, print_answer, short
from earmark.cli.lines import as_copy, cell, print_sentence
from earmark.cli.told import apart, told
from earmark.config import folder_settings
from earmark.context import Context
from earmark.domain import ArtifactState, Gone, wordless_seconds
from earmark.errors import NotFound
from earmark.files import is_locked, read_bytes
from earmark.formats import HEAD, of_others
from earmark.intake.folder import rules_of
from earmark.intake.rules import settle_times
from earmark.ledger import Artifact, Ledger
from earmark.ledger.journal import Entry
from earmark.notes.damage import untranslated_as
from earmark.notes.names import belongs, is_note
from earmark.pipeline.earlier import Theirs, what_is_theirs
from earmark.pipeline.moved_notes import moved_here
from earmark.pipeline.names_there import why_names_not_read, why_stays
from earmark.pipeline.outputs import what_became
from earmark.pipeline.words_given import is_behind
from earmark.pipeline.words_unread import notes_read, said_besides, why_not_read
from earmark.report import how_far, read_report
from earmark.translation import is_translated
from earmark.verbs import states
from earmark.verbs.listing import copy_of, not_heard
from earmark.verbs.opening import opened_context
from earmark.verbs.resolve import at_odds, resolve
from earmark.verbs.untaken import path_meant


@dataclass(frozen=True, slots=True)
class Story:
    """What is to be said of one file. `others`: further files that hold the same recording."""

    path: Path
    recording: str | None
    word: str
    reason: str
    not_heard: list[str]
    wordless_seconds: float
    not_translated: list[str]
    translated: bool
    others: list[Path]
    events: list[Entry]
    copy_of: Path | None


def why(
    file: Annotated[
        Path,
        typer.Argument(
            readable=False, metavar="FILE", help="A recording, a note, or a file that was not taken."
        ),
    ],
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Tell the story of one file: what was decided about it, when and why. A bare name is enough where only one has it.

    Example: [bold]earmark why ~/Recordings/standup.m4a[/]
    """
    with plain_errors():
        home, config = here_to_look()
        with opened_context(home, config, read_only=True) as context:
            story = _story(context, path_meant(context, file))
        if json:
            print_answer("why FILE", _document(story))
            return
        reason = f" ({cell(story.reason)})" if story.reason else ""
        print_sentence(f"[bold]{escape(short(story.path))}[/]: {story.word}{reason}")
        for sentence in (*story.not_heard, *story.not_translated):
            print_sentence(f"  [yellow]{cell(sentence)}[/]")
        if story.copy_of is not None:
            print_sentence(f"  {cell(as_copy(story.copy_of))}")
        own, theirs = apart(story.events, story.path, story.others)
        _print_story(own)
        for other, events in theirs.items():
            out.print(f"The same recording is also here: [bold]{escape(short(other))}[/]")
            _print_story(events)


def _document(story: Story) -> dict[str, Any]:
    return {
        "path": str(story.path), "recording": story.recording, "state": story.word, "reason": story.reason,
        "not_heard": story.not_heard, "wordless_seconds": story.wordless_seconds,
        "translated": "en" if story.translated else None, "not_translated": story.not_translated,
        "also_at": list(map(str, story.others)),
        "copy_of": None if story.copy_of is None else str(story.copy_of),
        "events": [asdict(e) | {"path": str(e.path) if e.path else None, "sentence": told(e)} for e in story.events],
    }  # fmt: skip


def _story(context: Context, path: Path) -> Story:
    ledger = context.ledger
    artifact, place = ledger.artifacts.at(path), ledger.place_of(path)
    recording_id = place.recording_id if place else (artifact.recording_id if artifact else None)
    events = ledger.journal.events(recording_id, path)
    mine = place.path if place is not None else path
    others = [p.path for p in ledger.places.of(recording_id) if p.path != mine] if recording_id else []
    if place is not None:
        state = states.of_one(context, place)
        word, reason = str(state.word), state.reason
        if artifact is not None and artifact.state is ArtifactState.EDITED:
            reason = _edited(context, artifact)
        elif artifact is not None:
            reason = _not_read_yet(context, artifact) or reason
        reason = at_odds(context, path) or reason
        if artifact is not None and not belongs(path.name, artifact.place.name, artifact.named_as):
            reason = "; ".join(filter(None, (f"it is a note of {short(artifact.place)}", reason)))
        if place.gone_why is Gone.REPLACED:
            reason = "; ".join(filter(None, (what_became(context, place), reason)))
    else:
        reasons = _why_not_taken(context, path, events)
        word, reason = _elsewhere(ledger, path, events) or ("not taken", "; ".join(reasons))
    transcript = ledger.words.transcript(recording_id) if recording_id else None
    return Story(
        path, recording_id, word, reason, list(not_heard(ledger, transcript)),
        round(wordless_seconds(transcript), 1) if transcript else 0.0,
        untranslated_as(transcript) if transcript else [],
        transcript is not None and is_translated(transcript), others, events,
        copy_of(place, ledger.places.of(place.recording_id)) if place is not None else None,
    )  # fmt: skip


def _why_not_taken(context: Context, path: Path, events: list[Entry]) -> list[str]:
    """Why a file is no recording yet."""
    reasons = [t.sentence for t in context.ledger.journal.troubles() if t.subject == str(path)]
    if (progress := _being_read(context, path)) is not None:
        reasons.insert(0, progress)
    if not reasons and (not events or os.path.lexists(path)):
        reasons = [_as_moved_note(context, path) or _why_not(context, path)]
    return reasons


def _as_moved_note(context: Context, path: Path) -> str:
    """That it is a note of ours under a name that earmark did not give it; "" if it is none."""
    if not is_note(path.name):
        return ""
    if (odds := at_odds(context, path)) is not None:
        return odds
    try:
        meant = resolve(context, path)
    except NotFound:
        return ""
    if moved_here(context, path) is not None:
        return (
            f"it is a note of {short(meant.shown)} that somebody moved or renamed: it is yours, no rule takes it, and words"
            " or names that you change in it are read"
        )
    read = " and ".join(map(short, notes_read(context, meant.recording_id)))
    return (
        f"it is a note of {short(meant.shown)} that somebody moved, renamed or copied: it is yours, no rule takes it, and "
        f"words or names that you change in it are not read{f'; those in {read} are' if read else ''}"
    )


def _print_story(entries: list[Entry]) -> None:
    for entry, before in zip(entries, [None, *entries], strict=False):
        if before is not None and told(entry) == told(before):
            continue  # the same again in a row, of several runs
        print_sentence(f"  [dim]{moment(entry.at)}[/]  {cell(told(entry))}", 20)


def _edited(context: Context, artifact: Artifact) -> str:
    """What is said of a note that a person changed."""
    stays = "you edited this note: it stays as it is, and newer versions go beside it"
    unread = why_not_read(context, artifact)
    if unread:
        return f"{stays}; words that you correct in it are not read: {unread}"
    if odds := why_names_not_read(context, artifact):
        return f"{stays}; of who speaks, {odds}"
    if mistake := why_stays(context, artifact):
        return f"{stays}; {mistake}"
    theirs = what_is_theirs(context, artifact)
    if theirs is Theirs.PROPERTIES:
        return (
            "no word of this note is changed, only what stands above them or where links lead: later versions take its"
            " place and keep that, and no rule takes it"
        )
    if theirs is Theirs.WORDS:
        said = "you changed this note: your words and properties are kept in each later version, and no rule takes it"
    elif is_behind(context, artifact):
        said = f"{stays}; words that you correct are read in the newest one, not in this one"
    else:
        said = stays
    besides = said_besides(context, artifact)
    return f"{said}; {besides}" if besides else said


def _not_read_yet(context: Context, artifact: Artifact) -> str:
    """What is said of a note that was changed since anybody looked, where not all of that will count; else ""."""
    if unread := why_not_read(context, artifact):
        return f"words that you correct in it are not read: {unread}"
    if odds := why_names_not_read(context, artifact):
        return f"of who speaks, {odds}"
    return why_stays(context, artifact) or said_besides(context, artifact)


def _elsewhere(ledger: Ledger, path: Path, events: list[Entry]) -> tuple[str, str] | None:
    """For a path that holds nothing any more: where its recording is now."""
    if os.path.lexists(path):  # such as a note under a name of its owner's, in which words were corrected
        return None
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
