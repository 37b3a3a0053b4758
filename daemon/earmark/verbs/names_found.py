"""Files in which a name stands: in the trash, and below the drop folders, whoever put them there."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from earmark.context import Context
from earmark.domain import ArtifactState
from earmark.files import files_below, read_bytes, sha256_of
from earmark.intake.folder import where_notes_may_be
from earmark.ledger import Artifact, Trashed
from earmark.ledger.trash import IN_TRASH
from earmark.notes.frontmatter import decoded
from earmark.notes.name_lists import is_number
from earmark.notes.names import is_text
from earmark.pipeline.names_kept import kept_of, may_have, names_any
from earmark.verbs.names_erased import is_behind

MOST = 16 * 1024 * 1024
"""Bytes of a file up to which a name is looked for in it: a transcript of a day has one or two million."""


def in_trash(context: Context, names: Collection[str]) -> list[Trashed]:
    """The notes and sidecars in the trash in which one of these names stands, or that cannot be read."""
    return [
        row
        for row in context.ledger.trash.in_state(*IN_TRASH)
        if row.trashed is not None
        and is_text(row.original.name)
        and _has(context, row.trashed, names, unread=True)
    ]


def below_folders(context: Context, names: Collection[str], *, but: Collection[Path] = ()) -> list[Path]:
    """The text files below the drop folders in which one of these names stands, but for those that are as earmark writes
    them now: there it was said, or is a file's name.
    """
    tops = {*context.folders, *(folder.path for folder in context.config.folder)}
    there = [top for top in sorted(tops) if context.answers(top)]
    outer = [top for top in there if not any(top != each and top.is_relative_to(each) for each in there)]
    found = []
    for path, stat in files_below(outer, None, where_notes_may_be(outer)):
        if path in but or not is_text(path.name) or stat.st_size > MOST:
            continue
        if _has(context, path, names) and not _is_ours(context, path):
            found.append(path)
    return sorted(found)


def that_keep(context: Context, name: str | None) -> list[Artifact]:
    """The notes by which the ledger knows a name still, or any that nobody has any more (None)."""
    given = {*context.ledger.words.names_given()} if name is None else set()
    found = []
    for artifact in context.ledger.artifacts.all():
        # To read all properties as YAML takes a minute for some ten thousand notes.
        if name is None:
            called = {each for each in artifact.names or () if not is_number(each)}
            asked = artifact.state is not ArtifactState.HERE or not called <= given
        else:
            texts = "\n".join((*(artifact.names or ()), artifact.top))
            asked = bool(may_have([name], texts)) or context.ledger.words.of_notes.known(artifact)
        if asked and (
            kept_of(context, artifact) - given if name is None else name in kept_of(context, artifact)
        ):
            found.append(artifact)
    return found


def _has(context: Context, path: Path, names: Collection[str], *, unread: bool = False) -> bool:
    try:
        return names_any(context, names, decoded(read_bytes(path, most=MOST)))
    except FileNotFoundError:
        return False
    except OSError:
        return unread


def _is_ours(context: Context, path: Path) -> bool:
    artifact = context.ledger.artifacts.at(path)
    if artifact is None or artifact.state is ArtifactState.GONE or artifact.mergeable:
        return False
    return sha256_of(path) == artifact.sha256 and not is_behind(context, artifact)
