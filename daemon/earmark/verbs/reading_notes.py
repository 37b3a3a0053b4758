"""What people have said in notes is read before a verb goes by the words of recordings, also where no daemon runs."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from earmark.below import below
from earmark.config import Config, load_config
from earmark.context import Context
from earmark.domain import ArtifactState
from earmark.errors import ConfigError, EnvironmentFault, LedgerBusy, LedgerError
from earmark.events import Event
from earmark.ledger import Artifact, Written
from earmark.ledger.note_ids import short
from earmark.paths import Home
from earmark.pipeline.moved_notes import lies_at, seen_as
from earmark.pipeline.names_there import READ, why_names_not_read
from earmark.pipeline.said_in_notes import SaidInNotes, has_news, is_unread
from earmark.pipeline.words_held import kind_with_words
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
    return [f"{_named(context, a)}: {why}" for a in unread if (why := _why(context, a))]


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


@dataclass(frozen=True, slots=True)
class NotRead:
    """`reasons`: why what people changed in notes lately is not read, a sentence each. `away`: recordings of which a note
    with the transcript is not where it was, so that nobody knows what was changed there since.
    """

    reasons: tuple[str, ...] = ()
    away: tuple[Path, ...] = ()


def read_changed_notes(home: Home) -> NotRead:
    """Read, of all recordings, the notes that were changed since a run last read them. Raises NeverRan."""
    try:
        config = load_config(home.config_file)
    except ConfigError:
        return NotRead((f"without the configuration no note is read, so {WITHOUT}",))
    found, news = _unread_of(home, config)
    left = _read(home, config, [*dict.fromkeys(a.recording_id for a in news)]) if news else []
    return NotRead((*dict.fromkeys([*found.reasons, *left]),), found.away)


def changed_notes(home: Home, config: Config) -> NotRead:
    """The same for a process that cannot write: which notes are not read. Raises NeverRan."""
    found, news = _unread_of(home, config)
    return NotRead((*found.reasons, *(f"{a.path.name}: {WITHOUT}" for a in news)), found.away)


def _unread_of(home: Home, config: Config) -> tuple[NotRead, list[Artifact]]:
    """What was changed lately and is not read, and the notes that are to be."""
    with opened_context(home, config, read_only=True) as context:
        changed, away = _looked_at(context)
        news = [a for a in changed if has_news(context, a)]
        reasons = [f"{_named(context, a)}: {why}" for a in changed if (why := _why(context, a))]
        return NotRead((*reasons,), (*_found_without(context, away),)), news


def _named(context: Context, artifact: Artifact) -> str:
    """A note where it lies, as it is told from those of the same name in other folders."""
    return below(lies_at(context, artifact), {*context.folders, *context.ledger.places.folders()})


def _why(context: Context, artifact: Artifact) -> str:
    """Why words in a note, or some of its names, are not read."""
    return "; ".join(filter(None, (why_not_read(context, artifact), why_names_not_read(context, artifact))))


def _looked_at(context: Context) -> tuple[list[Artifact], list[Written]]:
    """Notes that somebody changed after the last run began, as far as their files' times tell: what was changed earlier it
    has read, if it looks into that folder, or has told why not. And those with a transcript that are not where they were.
    """
    report = read_report(context.home.status_file)
    began = report.started_at - BEFORE if report is not None else 0.0
    seen = tuple(os.fsencode(folder).rstrip(b"/") + b"/" for folder in report.folders) if report else ()
    artifacts, with_words = context.ledger.artifacts, kind_with_words(context)
    unread = context.ledger.journal.notes_told_of(Event.CORRECTIONS_NOT_READ, Event.NAMES_NOT_READ)
    elsewhere = _Elsewhere(context)
    changed: list[Artifact] = []
    away: list[Written] = []
    for note in artifacts.notes_written((*READ, ArtifactState.GONE)):
        try:
            file = os.lstat(note.path)
            lies = note.path
        except (FileNotFoundError, NotADirectoryError):
            if note.kind is not with_words:
                continue
            moved = elsewhere.of(note.recording_id)
            if moved is None:
                away.append(note)
                continue
            lies, file = moved
        except OSError:
            continue
        at = max(file.st_mtime, file.st_ctime)
        if at <= note.at or (at < began and lies.startswith(seen) and note.path not in unread):
            continue
        if (artifact := artifacts.at(Path(os.fsdecode(note.path)))) is not None:
            changed.append(artifact)
    return changed, away


class _Elsewhere:
    """Notes with a transcript that a run saw where earmark wrote none, asked for when the first one is missing."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @functools.cached_property
    def _paths(self) -> dict[str, list[bytes]]:
        paths: dict[str, list[bytes]] = {}
        context = self._context
        for seen in context.ledger.protection.seen_elsewhere(seen_as(context, kind_with_words(context))):
            if context.top_of(seen.path) is not None:
                paths.setdefault(seen.recording_id, []).append(os.fsencode(seen.path))
        return paths

    def of(self, recording_id: str) -> tuple[bytes, os.stat_result] | None:
        """Where the only one of a recording is, and its file; as cheap as it can be said of 10,000."""
        found = []
        for path in (*self._paths.get(recording_id, ()), *self._paths.get(short(recording_id), ())):
            with suppress(OSError):
                found.append((path, os.lstat(path)))
        return found[0] if len(found) == 1 else None


def _found_without(context: Context, away: Iterable[Written]) -> Iterator[Path]:
    """The recordings of these notes, of which something is found all the same."""
    notes = [*away]
    unseen = context.ledger.index.unfound.unseen() if notes else set[str]()
    return iter(dict.fromkeys(Path(os.fsdecode(n.place)) for n in notes if n.recording_id not in unseen))


def _read(home: Home, config: Config, recordings: list[str]) -> list[str]:
    try:
        with opened_context(home, config) as context:
            return read_notes(context, recordings)
    except (EnvironmentFault, LedgerError, LedgerBusy) as error:
        return [f"{WITHOUT}: {error}"]


def _unread(context: Context, recordings: Iterable[str]) -> list[Artifact]:
    of = context.ledger.artifacts.of_recording
    return [a for recording_id in recordings for a in of(recording_id) if is_unread(context, a)]
