"""What people have said in notes is read before a verb goes by the words of recordings, also where no daemon runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from earmark.config import Config, load_config
from earmark.context import Context
from earmark.errors import ConfigError, EnvironmentFault, LedgerBusy, LedgerError
from earmark.ledger import Artifact
from earmark.paths import Home
from earmark.pipeline.names_there import READ, why_names_not_read
from earmark.pipeline.said_in_notes import SaidInNotes, has_news, is_unread
from earmark.pipeline.words_unread import said_besides, why_not_read
from earmark.report import read_report
from earmark.verbs.opening import opened_context

WITHOUT = "what you changed in notes since they were read last is not in this"

BEFORE = 2.0
"""Seconds before the start of a run from which on a note may not have been read by it: clocks of disks are coarse."""


def read_notes(context: Context, recordings: Iterable[str]) -> list[str]:
    """Read the corrections and the names in the notes of these recordings; returns why any are not read."""
    unread = _unread(context, recordings)
    if not SaidInNotes(context).look_at(artifact.path for artifact in unread):
        return [f"another earmark is writing, so {WITHOUT}; try again in a moment"]
    return [f"{a.path.name}: {why}" for a in unread if (why := _why(context, a))]


def lines_besides(context: Context, recording_id: str) -> list[str]:
    """Which notes of a recording have lines that are none of what was said, and how many."""
    notes = context.ledger.artifacts.of_recording(recording_id)
    return [f"{a.path.name}: {said}" for a in notes if (said := said_besides(context, a))]


def read_notes_first(home: Home, which: Callable[[Context], Iterable[str]]) -> list[str]:
    """Read them for a verb that only looks. Nothing is written where nothing is to be read. Raises NeverRan, and what
    `which` raises.
    """
    try:
        config = load_config(home.config_file)
    except ConfigError:
        return [f"without the configuration no note is read, so {WITHOUT}"]
    with opened_context(home, config, read_only=True) as context:
        recordings = [*which(context)]
        if not _unread(context, recordings):
            return []
    return _read(home, config, recordings)


def read_changed_notes(home: Home) -> list[str]:
    """Read, of all recordings, the notes that were changed since a run last read them; returns why any is not read. Raises
    NeverRan.
    """
    try:
        config = load_config(home.config_file)
    except ConfigError:
        return [f"without the configuration no note is read, so {WITHOUT}"]
    reasons, news = _unread_of(home, config)
    left = _read(home, config, [*dict.fromkeys(a.recording_id for a in news)]) if news else []
    return [*dict.fromkeys([*reasons, *left])]


def changed_notes(home: Home, config: Config) -> list[str]:
    """The same for a process that cannot write: which notes are not read. Raises NeverRan."""
    reasons, news = _unread_of(home, config)
    return [*reasons, *(f"{a.path.name}: {WITHOUT}" for a in news)]


def _unread_of(home: Home, config: Config) -> tuple[list[str], list[Artifact]]:
    """Why notes that were changed lately are not read, and those that are to be."""
    with opened_context(home, config, read_only=True) as context:
        changed = [*_changed_since(context)]
        news = [a for a in changed if has_news(context, a)]
        return [f"{a.path.name}: {why}" for a in changed if (why := _why(context, a))], news


def _why(context: Context, artifact: Artifact) -> str:
    """Why words in a note, or some of its names, are not read."""
    return "; ".join(filter(None, (why_not_read(context, artifact), why_names_not_read(context, artifact))))


def _changed_since(context: Context) -> Iterator[Artifact]:
    """Notes that somebody changed after the last run began, as far as their files' times tell: what was changed earlier it
    has read, if it looks into that folder.
    """
    report = read_report(context.home.status_file)
    began = report.started_at - BEFORE if report is not None else 0.0
    seen = tuple(os.fsencode(folder).rstrip(b"/") + b"/" for folder in report.folders) if report else ()
    artifacts = context.ledger.artifacts
    for note in artifacts.notes_written(READ):
        try:
            file = os.lstat(note.path)
        except OSError:
            continue
        at = max(file.st_mtime, file.st_ctime)
        if at <= note.at or (at < began and note.path.startswith(seen)):
            continue
        if (artifact := artifacts.at(Path(os.fsdecode(note.path)))) is not None:
            yield artifact


def _read(home: Home, config: Config, recordings: list[str]) -> list[str]:
    try:
        with opened_context(home, config) as context:
            return read_notes(context, recordings)
    except (EnvironmentFault, LedgerError, LedgerBusy) as error:
        return [f"{WITHOUT}: {error}"]


def _unread(context: Context, recordings: Iterable[str]) -> list[Artifact]:
    of = context.ledger.artifacts.of_recording
    return [a for recording_id in recordings for a in of(recording_id) if is_unread(context, a)]
