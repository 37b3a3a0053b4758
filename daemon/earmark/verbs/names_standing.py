"""In which notes a name stands still that was forgotten: those that stay as their owner made them, or that they moved."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from earmark.context import Context
from earmark.domain import ArtifactState
from earmark.files import read_bytes
from earmark.ledger import Artifact
from earmark.notes.frontmatter import decoded
from earmark.notes.name_lists import names_in
from earmark.notes.style import style_of
from earmark.pipeline.earlier import Theirs, what_is_theirs
from earmark.pipeline.moved_notes import moved_to
from earmark.pipeline.names_given import fitting
from earmark.pipeline.names_kept import names_any
from earmark.verbs.names_erased import is_behind

_KNOWN = (ArtifactState.HERE, ArtifactState.EDITED, ArtifactState.WRITING)


@dataclass(frozen=True, slots=True)
class Standing:
    """What stood in the notes and sidecars of some recordings, by where they lie (None: that cannot be seen), and which
    are not where they were, so that nobody knows.
    """

    texts: Mapping[Path, bytes | None]
    lost: tuple[Path, ...]


def standing(context: Context, recordings: Iterable[str]) -> Standing:
    """What stands in the notes of these recordings now."""
    texts, lost = dict[Path, bytes | None](), list[Path]()
    for recording_id in recordings:
        for artifact in context.ledger.artifacts.of_recording(recording_id):
            where = _lies(context, artifact)
            if where is None:
                continue
            try:
                texts[where] = read_bytes(where)
            except FileNotFoundError:
                lost.append(where)
            except OSError:
                texts[where] = None
    return Standing(texts, tuple(lost))


def stands_in(
    context: Context, recordings: Iterable[str], names: Collection[str], before: Standing, *, written: bool
) -> list[Path]:
    """The notes in which one of these names stands still, and those of which nobody knows. `written`: all that were owed
    are written, by a daemon, too.
    """
    found: list[Path] = []
    for recording_id in recordings:
        for artifact in context.ledger.artifacts.of_recording(recording_id):
            where = _lies(context, artifact) or artifact.path
            moved = where != artifact.path
            if artifact.path in before.lost and not moved:
                if _knows(context, artifact, names):
                    found.append(artifact.path)
            elif moved or artifact.state is ArtifactState.EDITED:
                if not written and not moved and _is_written_anew(context, artifact):
                    continue  # by the daemon, later
                try:
                    text = decoded(read_bytes(where))
                except FileNotFoundError:
                    continue  # it went with its recording, to another name, at this very moment
                except OSError:
                    text = ""
                if not text or artifact.form == "docx" or names_any(context, names, text):
                    found.append(where)
    return found


def _knows(context: Context, artifact: Artifact, names: Collection[str]) -> bool:
    """Whether the ledger has one of these names to read a note by."""
    listed = names_in(artifact.top, style_of(context.config.notes).key("speakers"))
    return any(fitting(context, each) in names for each in (*(artifact.names or ()), *listed))


def _lies(context: Context, artifact: Artifact) -> Path | None:
    """Where a note is, or was when it was looked at last; None where its owner removed it, or a rule took it."""
    return moved_to(context, artifact) or (artifact.path if artifact.state in _KNOWN else None)


def _is_written_anew(context: Context, artifact: Artifact) -> bool:
    return is_behind(context, artifact) and what_is_theirs(context, artifact) is not Theirs.EVERYTHING
