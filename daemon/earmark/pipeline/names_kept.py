"""Forgotten names that the ledger keeps, to read the notes by in which they stand still, and only while they do."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import replace
from html import unescape
from pathlib import Path

from earmark.context import Context
from earmark.domain import ArtifactState
from earmark.errors import EnvironmentFault
from earmark.files import files_below, read_bytes
from earmark.intake.folder import where_notes_may_be
from earmark.ledger import Artifact
from earmark.ledger.note_ids import BEGIN, short
from earmark.ledger.trash import IN_TRASH
from earmark.notes.escape import normalize
from earmark.notes.frontmatter import LIMIT, decoded
from earmark.notes.name_lists import is_number, names_in
from earmark.notes.names import is_note
from earmark.notes.names_out import with_list
from earmark.notes.naming import words_too
from earmark.notes.style import style_of
from earmark.pipeline.moved_notes import lies_at
from earmark.pipeline.names_given import fitting

_KEPT = "names.kept."
"""Facts begin so that say of which notes, by their numbers, a forgotten name is kept; no name is in them."""

_PLAIN = re.compile(r"[0-9A-Za-z]+")
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")


def names_any(context: Context, names: Collection[str], text: str) -> bool:
    """Whether one of these names stands in a note, also where it is longer in its list than it is kept."""
    names = may_have(names, text)
    if not names:
        return False
    listed = names_in(text, style_of(context.config.notes).key("speakers"))
    in_list = any(fitting(context, each) in names for each in listed)
    plain = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    return in_list or bool(words_too(names, normalize(unescape(plain.replace("\\", "")))))


def may_have(names: Collection[str], text: str) -> set[str]:
    """Those of the names of which the longest run of plain letters is in a text, however it is escaped: asked before what
    takes longer.
    """
    folded = text.lower()
    return {name for name in names if max(_PLAIN.findall(name), key=len, default="").lower() in folded}


def kept_of(context: Context, artifact: Artifact) -> set[str]:
    """The names, given by a person once, that the ledger has of a note."""
    if not artifact.note:
        return set()
    key = style_of(context.config.notes).key("speakers")
    former = context.ledger.words.of_notes.of(artifact)
    found = (*(artifact.names or ()), *names_in(artifact.top, key), *(former.speakers if former else ()))
    return {fitting(context, name) for name in found if name and not is_number(name)}


def take_out(context: Context, artifact: Artifact, names: Collection[str]) -> None:
    """Know a note as one without these names. Call in a transaction."""
    key, artifacts = style_of(context.config.notes).key("speakers"), context.ledger.artifacts
    listed = names_in(artifact.top, key)
    if artifact.names is not None:
        artifacts.names_read(artifact.path, _without(context, artifact.names, names))
    if any(fitting(context, name) in names for name in listed):
        top = with_list(artifact.top, _without(context, listed, names), key)
        artifacts.properties_written(artifact.path, top or "")
    take_out_of_words(context, artifact, names)


def take_out_of_words(context: Context, artifact: Artifact, names: Collection[str]) -> None:
    """Know nobody by these names who says the older words that a note holds. Call in a transaction."""
    former = context.ledger.words.of_notes.of(artifact)
    if former is not None:
        left = tuple("" if fitting(context, name) in names else name for name in former.speakers)
        context.ledger.words.of_notes.read(artifact, replace(former, speakers=left))


def keep_in_mind(context: Context, notes: Iterable[Artifact]) -> None:
    """A forgotten name stands in these notes still: what is known of it goes once it does not. Call in a transaction."""
    for artifact in notes:
        context.ledger.journal.set_fact(f"{_KEPT}{artifact.id}", "", context.now())


def drop_kept(context: Context) -> None:
    """Know no forgotten name any more by notes in which it does not stand any more, or that are gone. Asks little where none
    is kept. Call in `ledger.acting`.
    """
    ledger = context.ledger
    ids = ledger.journal.facts(_KEPT)
    if not ids:
        return
    given = {*ledger.words.names_given(), *(person.name for person in ledger.voices.people())}
    by_id = {str(artifact.id): artifact for artifact in ledger.artifacts.all()}
    dropped = False
    for each in ids:
        artifact = by_id.get(each)
        kept = kept_of(context, artifact) - given if artifact is not None else set()
        gone = kept if artifact is None else {n for n in kept if not may_stand(context, artifact, n)}
        with ledger.transaction():
            if artifact is not None and gone:
                take_out(context, artifact, gone)
                dropped = True
            if gone == kept:
                ledger.journal.drop_fact(f"{_KEPT}{each}")
            if dropped:
                ledger.erasing.owe_compact(context.now())
    if dropped:
        with suppress(EnvironmentFault):  # who writes now; the next sweep does it
            ledger.erasing.compact()


def may_stand(context: Context, artifact: Artifact, name: str) -> bool:
    """Whether a name stands in a note, wherever it lies, in the trash, too; true where nobody can see that."""
    path = lies_at(context, artifact)
    if artifact.state is ArtifactState.TRASHED:
        rows = [row for row in context.ledger.trash.of_original(artifact.path) if row.state in IN_TRASH]
        if not rows or (path := rows[-1].trashed or path) is None:
            return False
    elif not context.answers(path):
        return True
    try:
        return names_any(context, {name}, decoded(read_bytes(path)))
    except FileNotFoundError:
        match artifact.state:
            case ArtifactState.TRASHED:
                return False
            case ArtifactState.GONE:
                return _lies_somewhere(context, artifact, name)
        return True  # nobody has looked yet where it went
    except OSError:
        return True


def _lies_somewhere(context: Context, artifact: Artifact, name: str) -> bool:
    """Whether a note of the recording has the name, anywhere below the drop folders: no scan may have seen yet that it was
    moved there; true where one cannot be looked through.
    """
    unread: list[Path] = []
    if context.silent or not all(top.is_dir() for top in context.folders):
        return True
    for path, stat in files_below([*context.folders], unread, where_notes_may_be(context.folders)):
        if not is_note(path.name) or stat.st_size > LIMIT:
            continue
        try:
            text = decoded(read_bytes(path))
        except FileNotFoundError:
            continue
        except OSError:
            return True
        if short(artifact.recording_id).removeprefix(BEGIN) in text and names_any(context, {name}, text):
            return True
    return bool(unread)


def _without(context: Context, listed: Iterable[str], names: Collection[str]) -> list[str]:
    return [
        f"Speaker {n}" if fitting(context, name) in names else name for n, name in enumerate(listed, start=1)
    ]
