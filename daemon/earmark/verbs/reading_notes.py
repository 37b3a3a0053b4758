"""What people have said in notes is read before a verb goes by the words of recordings, also where no daemon runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from earmark.config import Config, load_config
from earmark.context import Context
from earmark.errors import ConfigError, EnvironmentFault, LedgerBusy, LedgerError
from earmark.ledger import Artifact
from earmark.paths import Home
from earmark.pipeline.said_in_notes import SaidInNotes, is_unread
from earmark.pipeline.words_unread import said_besides, why_not_read
from earmark.verbs.opening import opened_context

WITHOUT = "what you changed in notes since they were read last is not in this"


def read_notes(context: Context, recordings: Iterable[str]) -> list[str]:
    """Read the corrections and the names in the notes of these recordings; returns why any are not read."""
    unread = _unread(context, recordings)
    if not SaidInNotes(context).look_at(artifact.path for artifact in unread):
        return [f"another earmark is writing, so {WITHOUT}; try again in a moment"]
    return [f"{a.path.name}: {why}" for a in unread if (why := why_not_read(context, a))]


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


def _read(home: Home, config: Config, recordings: list[str]) -> list[str]:
    try:
        with opened_context(home, config) as context:
            return read_notes(context, recordings)
    except (EnvironmentFault, LedgerError, LedgerBusy) as error:
        return [f"{WITHOUT}: {error}"]


def _unread(context: Context, recordings: Iterable[str]) -> list[Artifact]:
    of = context.ledger.artifacts.of_recording
    return [a for recording_id in recordings for a in of(recording_id) if is_unread(context, a)]
