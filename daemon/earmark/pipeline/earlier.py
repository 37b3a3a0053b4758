"""What is there already of an output: notes that are as we wrote them, notes that a person changed, or none, because one was
removed or a rule took it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from enum import StrEnum, auto
from pathlib import Path

from earmark.context import Context
from earmark.corrections import is_corrected
from earmark.domain import ArtifactState, Owed
from earmark.files import Folder, NotRegular, digest, read_bytes
from earmark.ledger import Artifact, Ledger, Place
from earmark.notes.comparing import Likeness
from earmark.notes.encoding import with_our_lines
from earmark.notes.kept_properties import with_theirs
from earmark.notes.name_lists import names_in
from earmark.notes.own_links import compared
from earmark.notes.style import style_of
from earmark.pipeline.outputs import Output
from earmark.pipeline.words_held import has_transcript, words_held

_OTHER_PROPERTIES = (Owed.POLICY, Owed.AUDIO_WENT, Owed.AUDIO_BACK, Owed.REPLACED, Owed.BACK)
"""Why the properties of a note say what is not so any more: a date on which nothing goes, audio that is not there or is
another one. That is put right, beside what is theirs, where a person changed only properties.
"""


@dataclass(slots=True)
class Earlier:
    """`ours`: name to SHA-256 of what is as we wrote it, or has no more of a person's than what is in `merged`, the text to
    write there; `edited`: names that a person changed; `settled`: where it is, if there is nothing to write; `unwanted`:
    none is there, and none is to be.
    """

    ours: dict[str, str] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)
    edited: list[str] = field(default_factory=list)
    settled: Path | None = None
    unwanted: bool = False


@dataclass(frozen=True, slots=True)
class _Found:
    """A note as a look at it finds it; `like` is None where nothing is."""

    artifact: Artifact
    like: Likeness | None
    sha256: str
    text: str = ""

    @property
    def never(self) -> bool:
        """True if it was announced and never came to be."""
        return self.like is None and self.artifact.state is ArtifactState.WRITING and not self.artifact.sha256


def look_at_earlier(context: Context, folder: Folder, place: Place, output: Output) -> Earlier:
    """What we wrote before for this output, in this folder, latest first; what became of it is written down."""
    ledger, earlier = context.ledger, Earlier()
    same = [a for a in ledger.artifacts.of_place(place) if (a.kind, a.form) == (output.kind, output.form)]
    here = [
        a
        for a in same
        if a.path.parent == folder.path and a.state not in (ArtifactState.GONE, ArtifactState.TRASHED)
    ]
    if all(a.rev < output.rev for a in here) and _unwanted(ledger, place, output, same):
        earlier.unwanted = True
        return earlier
    key = style_of(context.config.notes).key("speakers")
    looked = [_look(ledger, folder, artifact, same, output, key) for artifact in here]
    looked.sort(key=lambda found: (-found.artifact.rev, -found.artifact.id))
    latest = next((found for found in looked if not found.never), None)
    for found in looked:
        artifact = found.artifact
        if found.like is None:
            elsewhere = any(other.sha256 == artifact.sha256 for other in looked if other.like is not None)
            # One that went while the recording was still there did not leave with it.
            left = place.owed is Owed.BACK and os.fsencode(artifact.path) not in context.missed
            if found is not latest or elsewhere or left:
                ledger.artifacts.forget(artifact.path)
                continue
            # The latest of ours was there and is not: the user removed it, and it stays removed.
            ledger.artifacts.owner_removed(replace(artifact, rev=max(artifact.rev, output.rev)))
            earlier.unwanted = True
            return earlier
        if found.like is Likeness.NAMES:
            # Names that nobody has taken notice of yet, or that are nobody's. Nothing is written over them, nor a second
            # note beside them.
            earlier.settled = artifact.path
            return earlier
        if found.like in (Likeness.EDITED, Likeness.PROPERTIES):
            if artifact.state is not ArtifactState.EDITED:
                ledger.artifacts.set_state(artifact.path, ArtifactState.EDITED)
            if artifact.rev >= output.rev and artifact.state is not ArtifactState.WRITING:
                if found.like is Likeness.PROPERTIES and place.owed in _OTHER_PROPERTIES:
                    _merge(earlier, found, output, key)
                if earlier.merged.get(artifact.path.name, found.text) == found.text:
                    earlier.settled = artifact.path
                    return earlier
                continue
            _merge(earlier, found, output if found.like is Likeness.PROPERTIES else None, key)
        elif artifact.rev >= output.rev and not place.owed and artifact.state is not ArtifactState.WRITING:
            earlier.settled = artifact.path
            return earlier
        elif artifact.mergeable:
            _merge(earlier, found, output, key)
        else:
            earlier.ours.setdefault(artifact.path.name, found.sha256)
    return earlier


class Theirs(StrEnum):
    """What a person made of a note that is not as we wrote it: what a later version, which takes its place, keeps of theirs;
    `EVERYTHING`: none takes it.
    """

    PROPERTIES = auto()
    WORDS = auto()
    EVERYTHING = auto()


def what_is_theirs(context: Context, artifact: Artifact) -> Theirs:
    """By what stands in a note now. `PROPERTIES`: they changed no word of it, but properties, tags or where links lead."""
    try:
        data = read_bytes(artifact.path)
        text = with_our_lines(data.decode())
    except (OSError, UnicodeDecodeError):  # whoever may not look there now knows no better
        return Theirs.WORDS if artifact.mergeable else Theirs.EVERYTHING
    like = compared(context.ledger, data, artifact, style_of(context.config.notes).key("speakers"))
    if like is Likeness.EDITED or with_theirs(artifact.top, text, artifact.top) is None:
        return Theirs.EVERYTHING
    if artifact.mergeable and has_transcript(context, artifact):
        held = words_held(context, artifact)
        return Theirs.WORDS if held is None or is_corrected(held) else Theirs.PROPERTIES
    return Theirs.PROPERTIES


def _merge(earlier: Earlier, found: _Found, output: Output | None, key: str) -> None:
    """Put the output with what a person has changed in the properties of the note that is there in its place, if anybody can
    tell what that is.
    """
    name = found.artifact.path.name
    artifact = found.artifact
    merged = (
        with_theirs(artifact.top, found.text, output.text, key, artifact.names or ())
        if output is not None
        else None
    )
    if merged is None:
        earlier.edited.append(name)
    else:
        earlier.ours.setdefault(name, found.sha256)
        earlier.merged[name] = merged


def _unwanted(ledger: Ledger, place: Place, output: Output, same: list[Artifact]) -> bool:
    """True if its owner removed it, or a rule took it, and there is no later revision since."""
    removed = ledger.artifacts.removed_rev(place, output.kind, output.form)
    taken = [a.rev for a in same if a.state is ArtifactState.TRASHED]
    return max([-1 if removed is None else removed, *taken]) >= output.rev


def _look(
    ledger: Ledger, folder: Folder, artifact: Artifact, same: list[Artifact], output: Output, key: str
) -> _Found:
    """How what is there now compares with what we wrote. A note that its owner has put over an edited one, or whose edit
    they took back, is as we wrote it again; and so is one with the names of speakers that we would write now (in the
    property `key`).
    """
    try:
        data = read_bytes(artifact.path.name, folder)
    except NotRegular:
        return _Found(artifact, Likeness.EDITED, "")
    except FileNotFoundError:
        return _Found(artifact, None, "")
    sha256 = digest(data)
    if artifact.state is ArtifactState.WRITING and output.data.startswith(data):
        # A crash came while it was copied to a name that was free when it was announced (files/copying.py).
        return _Found(artifact, Likeness.SAME, sha256)
    like = compared(ledger, data, artifact, key)
    if like is Likeness.NAMES and names_in(data.decode(), key) == names_in(output.text, key):
        like = Likeness.LINKS
    edited = artifact.state is ArtifactState.EDITED
    known = like in (Likeness.PROPERTIES, Likeness.NAMES)
    if not edited or (artifact.mergeable and like is not Likeness.EDITED) or known:
        return _Found(artifact, like, sha256, with_our_lines(data.decode("utf-8", "replace")))
    written = next((a for a in same if a.sha256 == sha256 and a.plain_sha256 is not None), None)
    if written is None and like is Likeness.LINKS:
        written = artifact  # an app has written what they took back in its own way
    if written is None:
        return _Found(artifact, Likeness.EDITED, sha256)
    ledger.artifacts.as_written(artifact.path, written)
    now = ledger.artifacts.at(artifact.path)
    return _Found(now or artifact, Likeness.SAME, sha256, with_our_lines(data.decode("utf-8", "replace")))
