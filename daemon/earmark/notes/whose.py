"""Whose note a file is, where what is known of it and what it says of itself, its `earmark_id`, do not agree.

An id is a word in a file that anybody may have changed, by a paste or by a merge; what earmark wrote is known by its bytes.
"""

from __future__ import annotations

from pathlib import Path

from earmark.domain import ArtifactState
from earmark.files import digest
from earmark.ledger import Ledger
from earmark.notes.comparing import words_of
from earmark.notes.frontmatter import decoded

LARGEST = 8 * 1024 * 1024
"""Bytes of a text file that are read for this, and for a mention."""

_OVER = (ArtifactState.GONE, ArtifactState.TRASHED)


def written_for(ledger: Ledger, path: Path, says: str) -> str | None:
    """The recording whose note was written at this path, where a file there says that it is of another one, `says`."""
    there = ledger.artifacts.at(path)
    if there is None or not there.note or there.state in _OVER:
        return None
    return None if says in ledger.lineage.names_of(there.recording_id) else there.recording_id


def known_as(ledger: Ledger, path: Path, data: bytes, says: str) -> str | None:
    """The recording of which earmark knows this file as a note, where that is another one than it says itself, `says`; None
    where they agree, where nothing is known, and where its bytes or its words are those of a note that was written for
    `says`: then it was moved there.
    """
    if says in ledger.artifacts.written_as(digest(data)):
        return None
    same_words = ledger.artifacts.worded_as(words_of(decoded(data)))
    if (there := written_for(ledger, path, says)) is not None:
        moved_here = says in same_words and there not in same_words
        return None if moved_here else there
    if len(same_words) != 1 or says in same_words:
        return None
    (known,) = same_words
    return None if says in ledger.lineage.names_of(known) else known
