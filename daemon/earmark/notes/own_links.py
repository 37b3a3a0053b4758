"""Do the links of a note still lead to its own recording?

An app that renames a recording rewrites the links to it, and that is no edit (comparing.py). As long as the recording is
where it was, nobody has renamed it: then a link that leads to another one is a person's.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from urllib.parse import unquote

from earmark.files import Identity, fold
from earmark.ledger import Artifact, Ledger
from earmark.notes.comparing import Likeness, by_these, kind_of, likeness, targets
from earmark.notes.frontmatter import body_of
from earmark.notes.name_lists import names_in
from earmark.notes.names import safe_stem


def compared(ledger: Ledger, data: bytes, artifact: Artifact, key: str = "speakers") -> Likeness:
    """How bytes that were just read compare with what we wrote, links to other recordings included. Names of speakers that
    are known make it no other note. `key`: the property that lists the speakers.
    """
    like = likeness(data, artifact, key)
    if like is Likeness.NAMES and _are_known(data.decode(), artifact, key):
        like = Likeness.LINKS
    if like in (Likeness.SAME, Likeness.EDITED):
        return like
    # What a person writes into the properties is known to be theirs; of links in the text nobody can say so.
    text = body_of(data.decode()) if like is Likeness.PROPERTIES else data.decode()
    if not strangers(text, artifact.path.name, _names(ledger, artifact)):
        return like
    # Asked last: an app renames the recording first and the links after it.
    return Likeness.EDITED if _is_there(ledger, artifact) else like


def is_as_written(ledger: Ledger, data: bytes, artifact: Artifact, key: str) -> bool:
    """Whether an app has changed no more than its links, and a person no more than names that are known."""
    return compared(ledger, data, artifact, key) in (Likeness.SAME, Likeness.LINKS)


def _are_known(text: str, artifact: Artifact, key: str) -> bool:
    """Whether the names in a note are those that are known: in its list, or in its turns, where the list has those that we
    wrote.
    """
    listed, known, written = names_in(text, key), artifact.names or (), names_in(artifact.top, key)
    if listed == known:
        return True
    if not len(listed) == len(known) == len(written):
        return False
    in_place = all(name in (was, now) for name, was, now in zip(listed, written, known, strict=True))
    return in_place and by_these(text, known, artifact)


def strangers(text: str, note: str, names: Iterable[str]) -> set[str]:
    """Recordings and transcripts that a note links to and that are not its own. Pure.

    `note`: what it is called; `names`: its recording's files and their notes. What the recording was called when the note
    got its name is its own as well.
    """
    own = {fold(name) for name in names}
    stems = {fold(safe_stem(_stem(name))) for name in names}
    kinds = {"recording", ".transcript", *map(kind_of, own)} - {""}
    found = set()
    for target in targets(text):
        name = fold(unquote(target).rpartition("/")[2])
        stem = fold(safe_stem(_stem(name)))
        mine = {name, f"{name}.md"} & own or stem in stems or fold(note).startswith(f"{stem}.")
        if kind_of(target.removesuffix(".md")) in kinds and not mine:
            found.add(target)
    return found


def _stem(name: str) -> str:
    """The name of a recording, without endings, from the one of its file or of its transcript's note."""
    name = re.sub(r"(?: \(\d+\))?(?:\.transcript)?(?:\.md)?$", "", name)
    stem, ending = os.path.splitext(name)  # noqa: PTH122 - a name, not a path
    return stem if ending else name


def _names(ledger: Ledger, artifact: Artifact) -> set[str]:
    files = [place.path for place in ledger.places.of(artifact.recording_id)]
    files += [each.path for each in ledger.artifacts.of_recording(artifact.recording_id)]
    return {path.name for path in files}


def _is_there(ledger: Ledger, artifact: Artifact) -> bool:
    """True if the file that the note belongs to is where it was."""
    place = ledger.places.get(artifact.place, artifact.recording_id)
    try:
        return place is not None and place.here and Identity.of(place.path.lstat()) == place.identity
    except OSError:
        return False
