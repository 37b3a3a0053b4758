"""A name that is forgotten goes out of the notes in which a person wrote it, and out of what is known of them."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from pathlib import Path

from earmark.context import Context
from earmark.domain import ArtifactState, Kind
from earmark.files import read_bytes
from earmark.ledger import Artifact
from earmark.notes.comparing import Likeness
from earmark.notes.encoding import with_our_lines
from earmark.notes.names_out import goes_out
from earmark.notes.own_links import compared
from earmark.notes.style import style_of
from earmark.pipeline.moved_notes import lies_at, moved_to
from earmark.pipeline.names_given import fitting
from earmark.pipeline.names_kept import take_out, take_out_of_words
from earmark.pipeline.outputs import revision
from earmark.verbs.sweeping import owed_of

_LOOK_SECONDS = 0.05
"""Between two looks at whether a daemon has written the notes."""


def entries_that_go(context: Context, recordings: Iterable[str], names: Collection[str]) -> list[Artifact]:
    """The notes in which a person changed no word, and out of whose lists these names go with the next version. Call before
    the names are taken back.
    """
    key, found = style_of(context.config.notes).key("speakers"), list[Artifact]()
    for recording_id in recordings:
        transcript = context.ledger.words.transcript(recording_id)
        for artifact in context.ledger.artifacts.of_recording(recording_id):
            if not artifact.note or artifact.state not in (ArtifactState.HERE, ArtifactState.EDITED):
                continue
            try:
                data = read_bytes(artifact.path) if context.answers(artifact.path) else b""
                text = with_our_lines(data.decode())
            except (OSError, UnicodeDecodeError):
                continue
            known = [fitting(context, name) for name in artifact.names or ()]
            if not {*known} & {*names} or transcript is None or len(known) != len(transcript.speakers):
                continue
            like = compared(context.ledger, data, artifact, key)
            is_theirs = like is Likeness.EDITED or (
                artifact.state is ArtifactState.EDITED
                and not artifact.mergeable
                and like is not Likeness.PROPERTIES
            )
            gone = [n for n, name in enumerate(known, start=1) if name in names]
            if not is_theirs and goes_out(artifact.top, text, artifact.names or (), gone, key):
                found.append(artifact)
    return found


def let_go(context: Context, notes: Iterable[Artifact]) -> None:
    """Have a later version take the place of these notes, without the names. Call once these are taken back, in that very
    transaction.
    """
    for artifact in notes:
        context.ledger.artifacts.stands_as(artifact.path, artifact.rev)


def clean_what_went(context: Context, recordings: Iterable[str], names: Collection[str]) -> None:
    """Of notes that are not there any more nobody needs to know how they called somebody."""
    for recording_id in recordings:
        for artifact in context.ledger.artifacts.of_recording(recording_id):
            # One that was moved is read where it lies by now.
            if artifact.state is ArtifactState.GONE and artifact.note and moved_to(context, artifact) is None:
                take_out(context, artifact, names)


def clean_words(
    context: Context, recordings: Iterable[str], names: Collection[str], but: Collection[Path]
) -> None:
    """Of the older words that notes hold nobody needs to know who said them, but for those notes in which a name stands."""
    for recording_id in recordings:
        for artifact in context.ledger.artifacts.of_recording(recording_id):
            if lies_at(context, artifact) not in but:
                take_out_of_words(context, artifact, names)


def is_behind(context: Context, artifact: Artifact) -> bool:
    """Whether a note says less than is known, so that a later version is to come."""
    recording = context.ledger.recordings.get(artifact.recording_id)
    one_file = context.config.notes.layout == "one-file"
    kind = artifact.kind if artifact.note else Kind.TRANSCRIPT
    return recording is not None and artifact.rev < revision(recording, kind, one_file=one_file)


def await_notes(context: Context, recordings: Collection[str], seconds: float) -> bool:
    """Wait until a daemon has written the notes that are owed of recordings that are there; false if it has not in time."""
    until = time.monotonic() + seconds
    while any(place.watched for each in recordings for place in owed_of(context, each)):
        if time.monotonic() > until:
            return False
        time.sleep(_LOOK_SECONDS)
    return True
